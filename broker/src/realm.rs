//! A realm: its patterns, each behind a short lock, its sessions, and the memberships of those who have none.

use std::cell::Cell;
use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;
use petasus_protocol::{Message, Topic};

use crate::admin::Metrics;
use crate::clock::Clock;
use crate::connection::{Batch, Job, Outbox, Parcel};
use crate::dialect::{Posted, Role};
use crate::hub::{
    Bus, CustomPattern, Dealer, DealerRules, Link, Peer, PeerId, PubSub, PullerId, Pushed, Queue, QueueRules,
    SubscriptionId, Via,
};
use crate::session::Identity;

/// The namespaces of a realm. They share nothing (REQ-TOP-003).
///
/// Lock order: any one of these, then an outbox. The metrics alone take all three, in this order.
pub(crate) struct Realm {
    name: String,
    pub(crate) bus: Mutex<Bus<Outbox>>,
    pub(crate) pubsub: Mutex<PubSub<Outbox>>,
    pub(crate) queue: Mutex<Queue<Outbox>>,
    pub(crate) dealer: Mutex<Dealer<Outbox>>,
    /// The WAMP sessions, by their ids. Nothing else is locked while this is.
    sessions: Mutex<HashMap<u64, Outbox>>,
    /// Members of custom patterns.
    pub(crate) custom: AtomicUsize,
}

/// What a connection is a member of.
#[derive(Debug)]
enum Seat {
    Peer(PeerId),
    Subscription(SubscriptionId),
    Puller(PullerId),
    Custom(Arc<dyn CustomPattern>, Peer),
    /// A publisher or pusher: it is in no list.
    None,
}

/// A connection's place in the hub. Whatever ends the connection, dropping this takes it out.
pub(crate) struct Membership {
    realm: Arc<Realm>,
    role: Role,
    outbox: Outbox,
    seat: Seat,
    clock: Clock,
    metrics: Arc<Metrics>,
    /// It was told that its queue is full, and waits for room.
    waits: bool,
}

/// How custom patterns send.
struct Wire {
    topic: Topic,
    outbox: Outbox,
    metrics: Arc<Metrics>,
}

impl Link for Wire {
    fn send(&self, message: &Message) {
        let mut batch = Batch::new();
        let parcel = Parcel::one(self.topic.clone(), message.clone());
        crate::hub::Outbox::append(&self.outbox, &parcel, Via::NONE, &mut batch);
        batch.flush_now(&self.metrics);
    }
}

impl Realm {
    pub(crate) fn new(name: &str, queue: QueueRules, dealer: DealerRules) -> Self {
        Self {
            name: name.to_owned(),
            bus: Mutex::default(),
            pubsub: Mutex::default(),
            queue: Mutex::new(Queue::new(queue)),
            dealer: Mutex::new(Dealer::new(dealer)),
            sessions: Mutex::default(),
            custom: AtomicUsize::new(0),
        }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// An id that no session of this realm has.
    pub(crate) fn new_session_id(&self) -> u64 {
        let sessions = self.sessions.lock();
        loop {
            let id = crate::random::id();
            if !sessions.contains_key(&id) {
                return id;
            }
        }
    }

    /// A session has joined.
    pub(crate) fn enter(&self, session: u64, outbox: Outbox) {
        self.sessions.lock().insert(session, outbox);
    }

    /// A session has left.
    pub(crate) fn exit(&self, session: u64) {
        let outbox = self.sessions.lock().remove(&session);
        drop(outbox);
    }

    /// The outbox of a session.
    pub(crate) fn session(&self, session: u64) -> Option<Outbox> {
        self.sessions.lock().get(&session).cloned()
    }

    /// How many sessions there are.
    pub(crate) fn sessions(&self) -> usize {
        self.sessions.lock().len()
    }

    /// Whether a session is a callee of a registration.
    pub(crate) fn is_callee(&self, registration: u64, session: u64) -> bool {
        let dealer = self.dealer.lock();
        let callees = dealer.callees(registration).unwrap_or_default();
        callees.into_iter().any(|member| {
            dealer
                .party(member)
                .and_then(Outbox::identity)
                .is_some_and(|identity| identity.session == session)
        })
    }

    /// Shows every session and who it is.
    pub(crate) fn each_session(&self, mut show: impl FnMut(&Outbox, &Identity)) {
        for outbox in self.sessions.lock().values() {
            if let Some(identity) = outbox.identity() {
                show(outbox, &identity);
            }
        }
    }

    /// Sends from outside a connection: a POST, or the embedding program.
    pub(crate) fn post(&self, role: &Role, message: &Message, clock: Clock, batch: &mut Batch) -> Posted {
        let parcel = |topic: &Topic| Parcel::one(topic.clone(), message.clone());
        match role {
            Role::Bus { topic, .. } => self.bus.lock().post(topic, &parcel(topic), |_| true, batch),
            Role::Publish { topic } => self.publish(&parcel(topic), |_| true, batch),
            Role::Push { topic } => {
                let job = Job::Raw(message.clone());
                return Posted::Pushed(self.queue.lock().push(topic, &job, clock.now(), None, batch));
            }
            Role::Custom { pattern, topic } => pattern.post(topic, message),
            Role::Subscribe { .. } | Role::Pull { .. } => return Posted::Nothing,
        }
        Posted::Sent
    }

    /// Publishes a parcel to those subscribers who are `wanted`. Where several filters match its topic, those sessions
    /// who may hear it by several subscriptions get it message by message: together, the second one would come by one
    /// subscription before the first one by another (REQ-WAMP-101).
    pub(crate) fn publish(&self, parcel: &Parcel, wanted: impl Fn(&Outbox) -> bool, batch: &mut Batch) {
        let topic = parcel.topic();
        let pubsub = self.pubsub.lock();
        if parcel.len() == 1 || !pubsub.may_overlap(topic) {
            return pubsub.publish(topic, parcel, wanted, batch);
        }
        let left_out = Cell::new(false);
        let at_once = |outbox: &Outbox| {
            if !wanted(outbox) {
                return false;
            }
            let overlaps = outbox.may_overlap();
            left_out.set(left_out.get() || overlaps);
            !overlaps
        };
        pubsub.publish(topic, parcel, at_once, batch);
        if left_out.get() {
            let singly = |outbox: &Outbox| outbox.may_overlap() && wanted(outbox);
            for single in parcel.singly() {
                pubsub.publish(topic, &single, singly, batch);
            }
        }
    }

    /// Takes a place in the hub. What is sent from now on reaches the outbox (REQ-BUS-005).
    pub(crate) fn join(
        self: &Arc<Self>,
        role: Role,
        outbox: Outbox,
        clock: Clock,
        metrics: &Arc<Metrics>,
        batch: &mut Batch,
    ) -> Membership {
        let seat = match &role {
            Role::Bus { topic, echo } => Seat::Peer(self.bus.lock().join(topic, outbox.clone(), *echo)),
            Role::Subscribe { filter } => {
                let now = crate::clock::since_epoch();
                Seat::Subscription(self.pubsub.lock().subscribe(filter, outbox.clone(), now).id)
            }
            Role::Pull { topic } => {
                let (puller, expired) = self.queue.lock().pull(topic, outbox.clone(), clock.now(), batch);
                batch.counts.expired += expired as u64;
                Seat::Puller(puller)
            }
            Role::Custom { pattern, topic } => {
                let peer = Peer::new(
                    topic.clone(),
                    Arc::new(Wire { topic: topic.clone(), outbox: outbox.clone(), metrics: metrics.clone() }),
                );
                pattern.join(&peer);
                self.custom.fetch_add(1, Ordering::Relaxed);
                Seat::Custom(pattern.clone(), peer)
            }
            Role::Publish { .. } | Role::Push { .. } => Seat::None,
        };
        let metrics = metrics.clone();
        Membership { realm: self.clone(), role, outbox, seat, clock, metrics, waits: false }
    }
}

impl Membership {
    pub(crate) fn role(&self) -> &Role {
        &self.role
    }

    pub(crate) fn outbox(&self) -> &Outbox {
        &self.outbox
    }

    /// Sends messages as this member, in order. What is left in the list found its queue full; the outbox is
    /// resumed once there is room.
    pub(crate) fn send(&mut self, messages: &mut Vec<Message>, batch: &mut Batch) {
        match (&self.role, &self.seat) {
            (Role::Push { topic }, _) => {
                let now = self.clock.now();
                let mut queue = self.realm.queue.lock();
                let taken = messages.iter().position(|message| {
                    let job = Job::Raw(message.clone());
                    let pushed = queue.push(topic, &job, now, Some(&self.outbox), batch);
                    batch.counts.without_puller += u64::from(pushed == Pushed::NoPuller);
                    pushed == Pushed::Full
                });
                self.waits = taken.is_some();
                messages.drain(..taken.unwrap_or(messages.len()));
            }
            (_, Seat::Custom(pattern, peer)) => {
                messages.drain(..).for_each(|message| pattern.receive(peer, &message));
            }
            (role, seat) => {
                let Some(topic) = role.own_topic() else { return };
                let parcel = Parcel::new(topic.clone(), std::mem::take(messages));
                match seat {
                    Seat::Peer(peer) => self.realm.bus.lock().send(*peer, &parcel, batch),
                    _ => self.realm.publish(&parcel, |_| true, batch),
                }
                *messages = parcel.into_list();
            }
        }
    }

    /// A puller's outbox has room again.
    pub(crate) fn ready(&self, batch: &mut Batch) {
        if let Seat::Puller(puller) = self.seat {
            self.realm.queue.lock().ready(puller, batch);
        }
    }

    /// Leaves the hub; jobs that were not written go to others.
    pub(crate) fn leave(&mut self, batch: &mut Batch) {
        match std::mem::replace(&mut self.seat, Seat::None) {
            Seat::Peer(peer) => self.realm.bus.lock().leave(peer),
            Seat::Subscription(subscription) => {
                self.realm.pubsub.lock().unsubscribe(subscription);
            }
            Seat::Puller(puller) => {
                let dropped = self.realm.queue.lock().leave(puller, self.clock.now(), batch);
                batch.counts.without_puller += dropped as u64;
            }
            Seat::Custom(pattern, peer) => {
                self.realm.custom.fetch_sub(1, Ordering::Relaxed);
                pattern.leave(&peer);
            }
            Seat::None => {}
        }
        if std::mem::take(&mut self.waits)
            && let Role::Push { topic } = &self.role
        {
            self.realm.queue.lock().stop_waiting(topic, &self.outbox);
        }
    }
}

impl Drop for Membership {
    fn drop(&mut self) {
        if self.waits || !matches!(self.seat, Seat::None) {
            let mut batch = Batch::new();
            self.leave(&mut batch);
            self.metrics.book(&batch.counts);
        }
    }
}

#[cfg(test)]
mod tests {
    use petasus_protocol::Topic;

    use super::*;
    use crate::auth::{Hooks, SharedAccess};
    use crate::config::{Config, WithoutPuller};
    use crate::core::Core;
    use crate::dialect::Dialect;

    /// REQ-LIF-005, REQ-RR-008
    #[test]
    fn who_is_only_dropped_leaves_and_is_counted() {
        let mut config = Config::default();
        config.queue.without_puller = WithoutPuller::Drop;
        let core = Core::new(config, Hooks::default(), SharedAccess::open("").unwrap()).unwrap();
        let topic = Topic::new("a");
        let job = Message::binary(vec![0; 200_000]);
        let (pull, push) = (Role::Pull { topic: topic.clone() }, Role::Push { topic });
        let outbox = core.new_outbox(Dialect::Mercury);
        let puller = core.realm.join(pull, outbox, core.clock, &core.metrics, &mut Batch::new());
        let mut jobs = 1;
        while core.realm.post(&push, &job, core.clock, &mut Batch::new()) != Posted::Pushed(Pushed::Held) {
            jobs += 1;
        }
        drop(puller);
        let text = core.metrics.text(&core.live());
        let line = format!("petasus_dropped_total{{reason=\"no_puller\"}} {jobs}\n");
        assert!(text.contains(&line), "{line} is missing in:\n{text}");
    }
}
