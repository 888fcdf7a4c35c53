//! What all connections of a broker share.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Once, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use petasus_protocol::{OriginError, OriginPolicy, TopicLimits};
use slab::Slab;
use tokio::sync::{Notify, Semaphore};

use crate::admin::{Live, Metrics};
use crate::auth::Hooks;
use crate::config::{Config, Mode};
use crate::connection::{Counts, Outbox, Pace};
use crate::dialect::{Dialect, Rules};
use crate::hub::QueueRules;
use crate::realm::{Clock, Realm};

/// The end of the drain, in which those who are cut off end: a tenth of it, and at most this.
const LONGEST_CUT: Duration = Duration::from_millis(250);

const TOO_MANY: &str = "too many connections: try again in a while";

/// The broker behind its listeners.
pub(crate) struct Core {
    pub(crate) config: Config,
    pub(crate) realm: Arc<Realm>,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) hooks: Hooks,
    pub(crate) clock: Clock,
    pub(crate) rules: Rules,
    pub(crate) origins: OriginPolicy,
    pub(crate) push_patience: Duration,
    mercury: Pace,
    pinghub: Pace,
    /// Every connection from before its handshake is answered to its end.
    connections: Mutex<Slab<Outbox>>,
    /// Sockets of the listeners that still speak HTTP.
    sockets: AtomicUsize,
    draining: AtomicBool,
    /// Connections that the end of the drain has cut off.
    cut_off: AtomicUsize,
    /// TLS handshakes at one time only to say that there are too many connections.
    pub(crate) refusals: Semaphore,
    housekeeping: Once,
    /// The second in which the log last said that there are too many connections.
    complained: AtomicU64,
    /// Told when a socket or a connection ends.
    ended: Notify,
}

/// An entry in the list of connections, for as long as it lives.
pub(crate) struct Listed {
    core: Arc<Core>,
    number: usize,
}

/// A counted socket, for as long as it lives.
pub(crate) struct Counted(Arc<Core>);

impl Core {
    pub(crate) fn new(config: Config, hooks: Hooks) -> Result<Self, OriginError> {
        let origins = OriginPolicy::new(&config.allow_origin, config.origin_match.into())?;
        let timeouts = &config.timeouts;
        let ping = timeouts.ping.unless_zero();
        let idle = timeouts.idle.unless_zero();
        let queue = &config.queue;
        let rules = QueueRules {
            hold: queue.without_puller == crate::config::WithoutPuller::Hold,
            hold_messages: queue.hold_messages,
            hold_bytes: queue.hold_bytes,
            hold_age: queue.hold_age.duration(),
            hold_total: queue.hold_total,
        };
        Ok(Self {
            realm: Arc::new(Realm::new(rules)),
            metrics: Arc::new(Metrics::new()),
            clock: Clock::start(),
            rules: Rules {
                topics: TopicLimits {
                    max_chars: config.limits.topic_chars,
                    max_depth: config.limits.topic_depth,
                },
                path_chars: config.pinghub.path_chars,
            },
            origins,
            push_patience: queue.push_timeout.duration(),
            mercury: Pace { ping, patience: ping.map(|ping| ping * 2), strict: false, idle },
            pinghub: Pace {
                ping: config.pinghub.ping.unless_zero(),
                patience: config.pinghub.pong.unless_zero(),
                strict: true,
                idle,
            },
            connections: Mutex::default(),
            sockets: AtomicUsize::new(0),
            draining: AtomicBool::new(false),
            cut_off: AtomicUsize::new(0),
            refusals: Semaphore::new(64),
            housekeeping: Once::new(),
            complained: AtomicU64::new(0),
            ended: Notify::new(),
            hooks,
            config,
        })
    }

    pub(crate) fn pace(&self, dialect: Dialect) -> &Pace {
        match dialect {
            Dialect::Mercury => &self.mercury,
            Dialect::Pinghub => &self.pinghub,
        }
    }

    /// Bytes of one message.
    pub(crate) fn message_limit(&self, dialect: Dialect) -> usize {
        match dialect {
            Dialect::Mercury => self.config.limits.message,
            Dialect::Pinghub => self.config.pinghub.message,
        }
    }

    pub(crate) fn new_outbox(&self, dialect: Dialect) -> Outbox {
        Outbox::new(dialect, self.config.outbox.policy, self.config.outbox.bytes)
    }

    pub(crate) fn serves_example(&self) -> bool {
        self.config.mode == Mode::Development
    }

    /// Puts a connection on the list, unless there are too many or the broker is shutting down.
    pub(crate) fn list(self: &Arc<Self>, outbox: &Outbox) -> Result<Listed, &'static str> {
        let mut connections = self.connections.lock();
        if self.is_draining() {
            return Err("the broker is shutting down: connect to another, or later");
        }
        if connections.len() >= self.config.limits.connections {
            return Err(TOO_MANY);
        }
        let number = connections.insert(outbox.clone());
        Ok(Listed { core: self.clone(), number })
    }

    /// Counts a socket, unless there are too many: together with the connections, which are counted apart.
    pub(crate) fn count_socket(self: &Arc<Self>) -> Result<Counted, &'static str> {
        let connections = self.connections.lock().len();
        if self.sockets.fetch_add(1, Ordering::Relaxed) + connections >= self.config.limits.connections {
            self.sockets.fetch_sub(1, Ordering::Relaxed);
            return Err(TOO_MANY);
        }
        Ok(Counted(self.clone()))
    }

    /// Books that somebody found no place, and says so at most once a second.
    pub(crate) fn turned_away(&self) {
        self.metrics.refused();
        let now = self.clock.now().as_secs() + 1;
        if self.complained.swap(now, Ordering::Relaxed) != now {
            tracing::warn!(limit = self.config.limits.connections, "too many connections");
        }
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Tells every connection to say goodbye. None is listed from now on.
    pub(crate) fn drain(&self) {
        let connections = self.connections.lock();
        self.draining.store(true, Ordering::Relaxed);
        for (_, outbox) in connections.iter() {
            outbox.drain();
        }
    }

    /// Waits until no connection is listed and no socket is counted. Connections that are still there shortly
    /// before `drain_timeout` is over are cut off, so that their tasks have ended when it is.
    pub(crate) async fn drained(&self) {
        let whole = self.config.drain_timeout.duration();
        let patience = whole.saturating_sub(LONGEST_CUT.min(whole / 10));
        if tokio::time::timeout(patience, self.all_ended()).await.is_err() {
            self.cut_off();
            self.all_ended().await;
        }
    }

    /// Makes every connection end at once.
    fn cut_off(&self) {
        let connections = self.connections.lock();
        self.cut_off.fetch_max(connections.len(), Ordering::Relaxed);
        for (_, outbox) in connections.iter() {
            outbox.cut_off();
        }
    }

    async fn all_ended(&self) {
        loop {
            let mut ended = std::pin::pin!(self.ended.notified());
            ended.as_mut().enable();
            if self.connections.lock().is_empty() && self.sockets.load(Ordering::Relaxed) == 0 {
                return;
            }
            ended.await;
        }
    }

    /// Says how many connections and sockets the end of the drain has cut off, or finds still there.
    pub(crate) fn remaining(&self) -> usize {
        // Nobody came since: who is listed has been cut off.
        let connections = self.connections.lock().len().max(self.cut_off.load(Ordering::Relaxed));
        connections + self.sockets.load(Ordering::Relaxed)
    }

    /// What the metrics look up.
    pub(crate) fn live(&self) -> Live {
        let (bus, pubsub, queue) = (self.realm.bus.lock(), self.realm.pubsub.lock(), self.realm.queue.lock());
        // In the order of `Pattern::ALL`; what a custom pattern does with its topics is its own affair.
        let topics = [bus.topics(), pubsub.filters(), queue.topics(), 0];
        let custom = self.realm.custom.load(Ordering::Relaxed);
        let members = [bus.peers(), pubsub.subscriptions(), queue.pullers(), custom];
        let held = queue.held();
        drop((bus, pubsub, queue));
        let depths: Vec<usize> = self.connections.lock().iter().map(|(_, outbox)| outbox.depth()).collect();
        Live {
            connections: depths.len(),
            sockets: self.sockets.load(Ordering::Relaxed),
            topics,
            members,
            held,
            depths,
        }
    }

    /// Sees to it that jobs which get too old are dropped, as long as the broker lives. Only the first call counts.
    pub(crate) fn keep_house(self: &Arc<Self>) {
        self.housekeeping.call_once(|| {
            tokio::spawn(expire_jobs(Arc::downgrade(self)));
        });
    }
}

async fn expire_jobs(core: Weak<Core>) {
    let mut beat = tokio::time::interval(Duration::from_secs(1));
    loop {
        beat.tick().await;
        let Some(core) = core.upgrade() else { return };
        let expired = core.realm.queue.lock().expire(core.clock.now());
        core.metrics.book(&Counts { expired: expired as u64, ..Default::default() });
    }
}

impl Drop for Listed {
    fn drop(&mut self) {
        // The socket may be closed with the outbox: not while the list is locked.
        let outbox = self.core.connections.lock().remove(self.number);
        drop(outbox);
        self.core.ended.notify_waiters();
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.sockets.fetch_sub(1, Ordering::Relaxed);
        self.0.ended.notify_waiters();
    }
}
