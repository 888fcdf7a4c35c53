//! What a program asks of a session.

use super::{Content, SubscriptionId};
use crate::Topic;

/// What a subscription is to hear.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Filter {
    /// A topic and what lies below it. Over WAMP these are two subscriptions, to the topic and to the prefix that
    /// ends with its dot, held as one.
    Tree(Topic),
    /// A topic alone (WAMP).
    Exact(Topic),
    /// All topics whose URI begins with this text (WAMP, prefix-matching).
    Prefix(String),
    /// All topics whose URI has these components, an empty one standing for any (WAMP, wildcard-matching).
    Wildcard(String),
    /// The bus of a topic: what its other peers send. A session is one peer of a bus, however many of its
    /// subscriptions are on it.
    Bus {
        /// The topic.
        topic: Topic,
        /// Whether to hear also what this session sends. To the broker that is one thing for the session, not for each
        /// of its subscriptions: over WAMP the one that sends decides, and what one with `echo` sends all those of the
        /// session on this bus hear.
        echo: bool,
    },
}

/// A message to publish.
#[derive(Clone, Debug, PartialEq)]
pub struct Publish {
    /// Where to.
    pub to: Destination,
    /// What it carries.
    pub content: Content,
    /// What becomes of it without a connection, and what is told of it.
    pub delivery: DeliveryMode,
    /// Whether this session's own subscriptions hear it too. Over Mercury they always do: `false` is
    /// [`Error::Unsupported`](super::Error::Unsupported). Without meaning on a bus, whose `echo` says it.
    pub to_self: bool,
}

/// Where a message goes.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Destination {
    /// The subscribers of a topic and of those above it.
    Topic(Topic),
    /// The other peers of a bus that was joined as [`Filter::Bus`].
    Bus(SubscriptionId),
}

/// The three ways to publish.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryMode {
    /// Now or never: without a connection, or while the network is slow, it is refused with
    /// [`Error::NotConnected`](super::Error::NotConnected). Nothing is told of what comes of it.
    Fire,
    /// It waits in the queue until there is a connection that takes it. Nothing is told of what comes of it.
    Queued,
    /// As queued, and the broker's answer comes as [`Event::Done`](super::Event::Done), within `timeout` milliseconds
    /// (of waiting in the queue and for the answer together; `None` is
    /// [`Config::request_timeout`](super::Config::request_timeout)).
    ///
    /// If the time is over before it was sent, the outcome is [`Error::NotConnected`](super::Error::NotConnected):
    /// nothing has happened, and it is not sent any more. If it was sent, it is
    /// [`Error::TimedOut`](super::Error::TimedOut).
    ///
    /// If the connection is lost before the answer, the outcome is [`Error::Lost`](super::Error::Lost): it may have
    /// been published or not, and it is never sent again by itself. What the broker acknowledged it has given to all
    /// who were subscribed; what it had not yet written to their sockets is lost if it crashes.
    Acknowledged {
        /// Milliseconds.
        timeout: Option<u64>,
    },
}

/// A job to push.
#[derive(Clone, Debug, PartialEq)]
pub struct Push {
    /// The queue.
    pub topic: Topic,
    /// What it carries.
    pub content: Content,
    /// What is waited for.
    pub until: Until,
    /// The longest wait, in milliseconds; `None` is [`Config::request_timeout`](super::Config::request_timeout).
    pub timeout: Option<u64>,
}

/// What the pusher of a job waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Until {
    /// Until a puller has it, or the broker holds it: [`Outcome::Handed`](super::Outcome::Handed) or
    /// [`Outcome::Held`](super::Outcome::Held).
    Handed,
    /// Until its puller has done it: [`Outcome::Result`](super::Outcome::Result) with the puller's answer (WAMP).
    Done,
}

/// A call.
#[derive(Clone, Debug, PartialEq)]
pub struct Call {
    /// The URI of the procedure.
    pub procedure: String,
    /// The arguments.
    pub content: Content,
    /// The longest wait, in milliseconds, begun anew by each part of a result; `None` is
    /// [`Config::request_timeout`](super::Config::request_timeout).
    pub timeout: Option<u64>,
    /// Whether the result may come in parts: [`Event::Progress`](super::Event::Progress).
    pub progress: bool,
    /// Whether more arguments follow, by [`call_more`](super::Session::call_more).
    pub more: bool,
    /// Whether the callee may learn who calls.
    pub disclose: bool,
}

/// What becomes of a call that is canceled (WAMP, "Call Canceling").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum CancelMode {
    /// The callee goes on, for nobody.
    Skip,
    /// The callee is told to stop.
    #[default]
    Kill,
}

/// A procedure to offer, or a place to take among the pullers of a queue.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Register {
    /// A procedure (WAMP).
    Procedure {
        /// Its URI, or a pattern.
        uri: String,
        /// How the URI is compared with that of a call.
        matching: crate::wamp::uri::Match,
        /// How several callees of one procedure share its calls.
        invoke: Invoke,
        /// The most calls at one time; `None` is no limit.
        concurrency: Option<u32>,
    },
    /// The jobs of a queue.
    Queue {
        /// The queue.
        topic: Topic,
        /// The most jobs that are not answered at one time, 1 at least (WAMP). Over Mercury jobs come as the broker
        /// hands them, and this is ignored.
        concurrency: u32,
    },
}

/// How several callees of one procedure share its calls (WAMP, "Shared Registration").
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Invoke {
    /// There is one callee only.
    #[default]
    Single,
    /// The first one takes all.
    First,
    /// The last one takes all.
    Last,
    /// In turn.
    RoundRobin,
    /// By chance.
    Random,
}

impl Invoke {
    /// The name in the option `invoke`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Invoke::Single => "single",
            Invoke::First => "first",
            Invoke::Last => "last",
            Invoke::RoundRobin => "roundrobin",
            Invoke::Random => "random",
        }
    }
}

/// What a callee or puller answers.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Answer {
    /// A part of the result; more will come. Only if the caller wants it
    /// ([`Incoming::progress`](super::Incoming::progress)), else it is [`Error::Unsupported`](super::Error::Unsupported).
    Progress(Content),
    /// The result, or that the job is done.
    Result(Content),
    /// It failed.
    Failed {
        /// The URI of the error.
        uri: String,
        /// What goes along; a text for people as the first argument is usual.
        content: Content,
    },
}
