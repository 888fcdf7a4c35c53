//! What all connections of a broker share.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Once, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use petasus_protocol::wamp::Limits;
use petasus_protocol::wamp::uri::Rule;
use petasus_protocol::{OriginError, OriginPolicy, TopicLimits};
use slab::Slab;
use tokio::sync::{Notify, Semaphore, watch};

use crate::admin::{Live, Metrics};
use crate::auth::{Hooks, SharedAccess};
use crate::clock::Clock;
use crate::config::{Config, Mode};
use crate::connection::{Batch, Outbox, Pace, Wire};
use crate::dialect::wamp::Naming;
use crate::dialect::{Dialect, Pattern, Rules};
use crate::hub::{DealerRules, QueueRules};
use crate::realm::Realm;
use crate::session::Authorizers;

/// The realm of the dialects that name none.
const DEFAULT_REALM: &str = "default";

/// How many realms development mode makes at most.
const MOST_REALMS: usize = 1000;

/// How often at least calls are looked at.
const CALL_CHECK: Duration = Duration::from_secs(1);

const TOO_MANY: &str = "too many connections: try again in a while";

/// The broker behind its listeners.
pub(crate) struct Core {
    pub(crate) config: Config,
    /// The realm of those who name none.
    pub(crate) realm: Arc<Realm>,
    /// All realms by name, `default` among them.
    realms: Mutex<HashMap<String, Arc<Realm>>>,
    pub(crate) access: SharedAccess,
    pub(crate) authorizers: Authorizers,
    pub(crate) metrics: Arc<Metrics>,
    pub(crate) hooks: Hooks,
    pub(crate) clock: Clock,
    pub(crate) rules: Rules,
    pub(crate) origins: OriginPolicy,
    pub(crate) push_patience: Duration,
    queues: QueueRules,
    dealers: DealerRules,
    /// Told when a call runs out of time earlier than any before it.
    deadline: Arc<Notify>,
    mercury: Pace,
    pinghub: Pace,
    /// Of sessions inside this program.
    pub(crate) internal: Pace,
    /// Every connection from before its handshake is answered to its end.
    connections: Mutex<Slab<Outbox>>,
    /// Sockets of the listeners that still speak HTTP.
    sockets: AtomicUsize,
    /// True from the beginning of the drain on.
    draining: watch::Sender<bool>,
    /// True once the drain is over: whatever is still there ends.
    cut: watch::Sender<bool>,
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
    pub(crate) fn new(config: Config, hooks: Hooks, access: SharedAccess) -> Result<Self, OriginError> {
        let origins = OriginPolicy::new(&config.allow_origin, config.origin_match.into())?;
        let timeouts = &config.timeouts;
        let ping = timeouts.ping.unless_zero();
        let idle = timeouts.idle.unless_zero();
        let queue = &config.queue;
        let queues = QueueRules {
            hold: queue.without_puller == crate::config::WithoutPuller::Hold,
            hold_messages: queue.hold_messages,
            hold_bytes: queue.hold_bytes,
            hold_age: queue.hold_age.duration(),
            hold_total: queue.hold_total,
        };
        let dealers = DealerRules { max_registrations: config.wamp.registrations, ..DealerRules::default() };
        let realm = Arc::new(Realm::new(DEFAULT_REALM, queues, dealers));
        Ok(Self {
            realms: Mutex::new(HashMap::from([(DEFAULT_REALM.to_owned(), realm.clone())])),
            realm,
            queues,
            dealers,
            access,
            authorizers: Authorizers::default(),
            deadline: Arc::default(),
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
            internal: Pace { ping: None, patience: None, strict: false, idle: None },
            connections: Mutex::default(),
            sockets: AtomicUsize::new(0),
            draining: watch::Sender::new(false),
            cut: watch::Sender::new(false),
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
        Outbox::new(Wire::Bare(dialect), self.config.outbox.policy, self.config.outbox.bytes)
    }

    /// An outbox for WAMP sessions whose client takes messages of at most `longest` bytes.
    pub(crate) fn new_session_outbox(&self, wire: Wire, longest: usize) -> Outbox {
        Outbox::for_session(wire, longest, self.config.outbox.policy, self.config.outbox.bytes)
    }

    /// The realm with this name. In development it is made if there is none; in production it must be listed.
    pub(crate) fn realm(&self, name: &str) -> Option<Arc<Realm>> {
        let mut realms = self.realms.lock();
        if let Some(realm) = realms.get(name) {
            return Some(realm.clone());
        }
        let listed = self.config.wamp.realms.iter().any(|listed| listed == name);
        let too_many = realms.len() >= MOST_REALMS || name.len() > self.config.limits.topic_chars;
        if !listed && (self.config.mode == Mode::Production || too_many) {
            return None;
        }
        let realm = Arc::new(Realm::new(name, self.queues, self.dealers));
        realms.insert(name.to_owned(), realm.clone());
        Some(realm)
    }

    fn all_realms(&self) -> Vec<Arc<Realm>> {
        let mut realms = Vec::new();
        self.list_realms(&mut realms);
        realms
    }

    /// Adds all realms to a list, which the housekeeping keeps, so that its beats do not allocate.
    fn list_realms(&self, realms: &mut Vec<Arc<Realm>>) {
        realms.extend(self.realms.lock().values().cloned());
    }

    /// How WAMP names are read.
    pub(crate) fn naming(&self) -> Naming {
        let rule = if self.config.wamp.strict { Rule::Strict } else { Rule::Loose };
        Naming { topics: self.rules.topics, rule, last: None }
    }

    /// How large a WAMP message may be.
    pub(crate) fn wamp_limits(&self) -> Limits {
        Limits { max_bytes: self.config.limits.message, ..Limits::default() }
    }

    /// A call with a time limit was made: it may be the next to run out of it.
    pub(crate) fn call_due(&self) {
        self.deadline.notify_one();
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
        *self.draining.borrow()
    }

    /// Tells when the drain begins.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.draining.subscribe()
    }

    /// Tells every connection to say goodbye. None is listed from now on.
    pub(crate) fn drain(&self) {
        let connections = self.connections.lock();
        self.draining.send_replace(true);
        for (_, outbox) in connections.iter() {
            outbox.drain();
        }
    }

    /// Waits until no connection is listed and no socket is counted, for `drain_timeout` at most: then all that
    /// are left are cut off, and when this is over their tasks have ended. Says how many those were.
    pub(crate) async fn drained(&self) -> usize {
        let patience = self.config.drain_timeout.duration();
        if tokio::time::timeout(patience, self.all_ended()).await.is_ok() {
            return 0;
        }
        let remaining = self.connections.lock().len() + self.sockets.load(Ordering::Relaxed);
        self.cut_off().await;
        remaining
    }

    /// Makes all that is still there end at once, and waits until it has.
    pub(crate) async fn cut_off(&self) {
        self.cut.send_replace(true);
        for (_, outbox) in self.connections.lock().iter() {
            outbox.cut_off();
        }
        self.all_ended().await;
    }

    /// Runs a task of a listener, unless and until the end of the drain cuts it off.
    pub(crate) async fn until_cut_off<T>(&self, task: impl Future<Output = T>) -> Option<T> {
        let mut cut = self.cut.subscribe();
        tokio::select! {
            done = task => Some(done),
            // The sender lives as long as the broker.
            _ = cut.wait_for(|cut| *cut) => None,
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

    /// What the metrics look up.
    pub(crate) fn live(&self) -> Live {
        // In the order of `Pattern::ALL`; what a custom pattern does with its topics is its own affair.
        let mut topics = [0; Pattern::ALL.len()];
        let mut members = [0; Pattern::ALL.len()];
        let (mut held, mut sessions) = (0, 0);
        for realm in self.all_realms() {
            let (bus, pubsub, queue) = (realm.bus.lock(), realm.pubsub.lock(), realm.queue.lock());
            let dealer = realm.dealer.lock();
            let custom = realm.custom.load(Ordering::Relaxed);
            let add = |sums: &mut [usize], counts: [usize; Pattern::ALL.len()]| {
                sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
            };
            let procedures = dealer.registrations();
            add(&mut topics, [bus.topics(), pubsub.filters(), queue.topics(), 0, procedures]);
            let calls = dealer.calls();
            add(&mut members, [bus.peers(), pubsub.subscriptions(), queue.pullers(), custom, calls]);
            held += queue.held();
            drop((bus, pubsub, queue, dealer));
            sessions += realm.sessions();
        }
        let depths: Vec<usize> = self.connections.lock().iter().map(|(_, outbox)| outbox.depth()).collect();
        Live {
            connections: depths.len(),
            sockets: self.sockets.load(Ordering::Relaxed),
            topics,
            members,
            held,
            sessions,
            depths,
        }
    }

    /// Sees to it that jobs which get too old are dropped, as long as the broker lives. Only the first call counts.
    pub(crate) fn keep_house(self: &Arc<Self>) {
        self.housekeeping.call_once(|| {
            tokio::spawn(expire_jobs(Arc::downgrade(self)));
            tokio::spawn(expire_calls(Arc::downgrade(self)));
        });
    }
}

async fn expire_jobs(core: Weak<Core>) {
    let mut beat = tokio::time::interval(Duration::from_secs(1));
    let mut realms = Vec::new();
    loop {
        beat.tick().await;
        let Some(core) = core.upgrade() else { return };
        core.list_realms(&mut realms);
        for realm in realms.drain(..) {
            let mut batch = Batch::new();
            batch.counts.expired = realm.queue.lock().expire(core.clock.now(), &mut batch) as u64;
            batch.flush(&core.metrics).await;
        }
    }
}

/// Ends calls that ran out of time, as long as the broker lives.
async fn expire_calls(core: Weak<Core>) {
    let mut realms = Vec::new();
    loop {
        let Some(strong) = core.upgrade() else { return };
        let mut batch = Batch::new();
        strong.list_realms(&mut realms);
        let next = realms.iter().filter_map(|realm| strong.expire_calls(realm, &mut batch)).min();
        batch.flush(&strong.metrics).await;
        // The broker may end while nobody calls.
        let at = strong.clock.at(next.unwrap_or(Duration::MAX / 4).min(strong.clock.now() + CALL_CHECK));
        let earlier = strong.deadline.clone();
        realms.clear();
        drop(strong);
        let _ = tokio::time::timeout_at(at, earlier.notified()).await;
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
