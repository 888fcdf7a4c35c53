//! The hub: bus, pub/sub and queue as plain values.
//!
//! Pure and synchronous. An operation comes in as a call, its effects are appended to the outboxes of the
//! receivers before the call returns, and time is an argument. Nothing here knows a frame, a socket, a
//! clock or a run time; the room `connection` supplies the outboxes.
//!
//! One file per pattern. All three follow the same shape: a topic (or filter) maps to a numbered group of
//! members, a member is a number too, and leaving costs no search through other topics.

mod bus;
mod custom;
mod group;
mod pubsub;
mod queue;
mod rpc;
mod trie;

pub use bus::{Bus, PeerId};
pub(crate) use custom::Link;
pub use custom::{CustomPattern, Peer};
pub use pubsub::{PubSub, Subscribed, Subscription, SubscriptionId};
pub use queue::{
    Assignment, ClientId, ClientLimits, Ended, FIRST_JOB, JobEnd, Load, Offered, PullRefused, PullerId,
    PushRefused, Pushed, Queue, QueueRules,
};
pub use rpc::{
    CallError, CallFailure, CallOptions, CallProblem, CalleeFeatures, CancelMode, Dealer, DealerRules,
    Invocation, InvokePolicy, MatchPolicy, MemberId, NoSuchInvocation, NoSuchRegistration, Party,
    RegisterError, RegisterOptions, Registered, RegistrationIds, RegistrationView, RemovedCallee, Revoked,
    Unregistered,
};
pub use trie::Trie;

/// Where the hub puts the messages of one receiver.
///
/// Every method is called while the hub is locked, so none may block, do I/O or call back into the hub. A
/// receiver that is full or gone only marks itself; its owner leaves the hub later.
pub trait Outbox: Clone {
    /// What one turn of the caller collects over all its operations: the outboxes to flush, and counters.
    type Batch;

    /// What is sent to many: a message, or several that came together. The hub does not look into it.
    type Parcel;

    /// Appends a parcel, and says by which subscription it came. If there is no room, the receiver's overflow
    /// policy decides.
    fn append(&self, parcel: &Self::Parcel, via: Via, batch: &mut Self::Batch);

    /// Whether both are the outbox of the same receiver.
    fn is(&self, other: &Self) -> bool;
}

/// By which subscription a parcel reaches a receiver.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Via {
    /// Its number, which all subscribers of the same filter share; those of one bus topic too.
    pub subscription: u64,
    /// It takes one topic only, so that its receivers know the topic.
    pub exact: bool,
}

impl Via {
    /// No subscription: what receives is one socket for one topic.
    pub const NONE: Self = Self { subscription: 0, exact: true };
}

#[cfg(test)]
pub(crate) mod testing {
    //! An outbox in memory, for the tests of the patterns.
    use petasus_protocol::Message;

    use super::Outbox;
    use std::cell::RefCell;
    use std::rc::Rc;

    #[derive(Clone, Default)]
    pub(crate) struct Memory(Rc<RefCell<Vec<Message>>>);

    impl Memory {
        pub(crate) fn take(&self) -> Vec<String> {
            let got = self.0.take();
            got.iter().map(|m| String::from_utf8_lossy(m.payload()).into_owned()).collect()
        }
    }

    impl Outbox for Memory {
        type Batch = ();
        type Parcel = Message;
        fn append(&self, message: &Message, _: super::Via, (): &mut ()) {
            self.0.borrow_mut().push(message.clone());
        }
        fn is(&self, other: &Self) -> bool {
            Rc::ptr_eq(&self.0, &other.0)
        }
    }

    pub(crate) fn text(s: &str) -> Message {
        Message::from(s)
    }
}
