//! What happened in a run, in order: the only thing that the judge sees.

use std::fmt;

use petasus_protocol::session::{
    DeliveryMode, Destination, Error, Event, Failure, Filter, InvocationId, Register, RegistrationId,
    RequestId, Status, SubscriptionId, Until,
};
use petasus_protocol::wamp;

/// One end of a socket: whose it is, and its number there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Wire {
    pub(crate) peer: usize,
    pub(crate) socket: u64,
}

/// A subscription as a router sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WireFilter {
    pub(crate) bus: bool,
    /// `exact`, `prefix` or `wildcard`.
    pub(crate) matching: &'static str,
    pub(crate) uri: String,
}

/// A registration as a router sees it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WireProcedure {
    pub(crate) queue: bool,
    pub(crate) matching: &'static str,
    pub(crate) uri: String,
}

/// All that happened in a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct History {
    pub(crate) entries: Vec<Entry>,
    /// How late the drivers called `handle_timeout` at the most, in milliseconds.
    pub(crate) lateness: u64,
    /// The settings of all sessions.
    pub(crate) request_timeout: u64,
    pub(crate) close_timeout: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    /// Virtual milliseconds.
    pub(crate) at: u64,
    pub(crate) what: What,
}

#[derive(Clone, Debug)]
pub(crate) enum What {
    /// A program asked its session for something, and this is what it returned.
    Asked { peer: usize, ask: Ask },
    /// A driver told its session what happened.
    Input { peer: usize, input: Input },
    /// A session wants its driver to do something.
    Output { peer: usize, output: Out },
    /// A session told its program something.
    Told { peer: usize, event: Event },
    /// Outputs and events of a session are drained: what it says now.
    Settled { peer: usize, waiting: usize, next: Option<u64> },
    /// What only the router knows.
    Router(Truth),
    /// What was done to the network, for whoever reads this.
    Fate(String),
    /// Nothing was broken any more for a long time.
    Rest,
    /// The run is over, all sessions were ended.
    End,
}

#[derive(Clone, Debug)]
#[expect(dead_code, reason = "some fields are only shown, when a run fails")]
pub(crate) enum Ask {
    Connect,
    Subscribe { filter: Filter, result: Result<SubscriptionId, Error> },
    Unsubscribe { subscription: SubscriptionId },
    Publish { token: String, mode: DeliveryMode, to: Destination, result: Result<Option<RequestId>, Error> },
    Push { token: String, until: Until, timeout: Option<u64>, result: Result<RequestId, Error> },
    Call { token: String, timeout: Option<u64>, result: Result<RequestId, Error> },
    More { request: RequestId, result: Result<(), Error> },
    Cancel { request: RequestId },
    Register { register: Register, result: Result<RegistrationId, Error> },
    Unregister { registration: RegistrationId },
    Answer { invocation: InvocationId, last: bool, token: String, result: Result<(), Error> },
    Authenticate,
    RefuseChallenge,
    Check,
    Drain { timeout: u64 },
    Close,
}

#[derive(Clone, Debug)]
#[expect(dead_code, reason = "some fields are only shown, when a run fails")]
pub(crate) enum Input {
    Opened {
        socket: u64,
    },
    /// With the filter that the subscription of an EVENT stands for.
    Message {
        socket: u64,
        message: wamp::Message,
        about: Option<WireFilter>,
    },
    Pong {
        socket: u64,
    },
    Closed {
        socket: u64,
        failure: Failure,
    },
    Blocked {
        socket: u64,
        blocked: bool,
    },
    Timeout,
}

#[derive(Clone, Debug)]
pub(crate) enum Out {
    Open {
        socket: u64,
    },
    Send {
        socket: u64,
        message: wamp::Message,
    },
    Ping {
        socket: u64,
    },
    Close {
        socket: u64,
    },
    Drop {
        socket: u64,
    },
    /// Something that this dialect never wants, or bytes that are no message.
    Strange(String),
}

#[derive(Clone, Debug)]
#[expect(dead_code, reason = "some fields are only shown, when a run fails")]
pub(crate) enum Truth {
    /// A message reached the router.
    Took { wire: Wire, message: wamp::Message },
    /// The router refused a request.
    Refused { wire: Wire, kind: u64, request: u64 },
    /// A peer is subscribed.
    Subscribed { wire: Wire, filter: WireFilter },
    /// It is not any more: by UNSUBSCRIBE, or because it was taken away.
    Unsubscribed { wire: Wire, filter: WireFilter },
    /// The router accepted a publication, of the bus or not.
    Published { wire: Wire, token: String, publication: u64 },
    /// The router accepted a job.
    JobTaken { token: String },
    /// A puller answered it.
    JobDone { token: String, by: Wire },
    /// Its pusher took it back, or it was lost with the router.
    JobGone { token: String },
    /// A peer broke the protocol.
    Violation { wire: Wire, why: String },
    /// The router knows that a socket is gone.
    Left { wire: Wire },
    /// The router began anew, and has forgotten everything.
    Restarted,
    /// At rest: what a session has at the router.
    Has { wire: Wire, filters: Vec<WireFilter>, procedures: Vec<WireProcedure>, unanswered: usize },
    /// At rest: the jobs that wait, and those that pullers have.
    Jobs { held: Vec<String>, running: Vec<String> },
}

impl History {
    pub(crate) fn push(&mut self, at: u64, what: What) {
        self.entries.push(Entry { at, what });
    }

    /// The last lines before and at `place`, without what is always the same.
    pub(crate) fn tail(&self, place: usize, lines: usize) -> String {
        let telling =
            self.entries.iter().enumerate().filter(|(number, entry)| *number == place || entry.is_telling());
        let until: Vec<_> = telling.take_while(|(number, _)| *number <= place).collect();
        let last = &until[until.len().saturating_sub(lines)..];
        let lines: Vec<String> = last.iter().map(|(number, entry)| format!("{number:>5} {entry}")).collect();
        lines.join("\n") + "\n"
    }
}

impl Entry {
    /// Whether it says more than that all are alive.
    fn is_telling(&self) -> bool {
        !matches!(
            self.what,
            What::Settled { .. }
                | What::Input { input: Input::Pong { .. } | Input::Timeout, .. }
                | What::Output { output: Out::Ping { .. }, .. }
        )
    }
}

impl fmt::Display for Entry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>7} ms  ", self.at)?;
        match &self.what {
            What::Asked { peer, ask } => write!(f, "{peer} asks   {ask:?}"),
            What::Input { peer, input: Input::Message { socket, message, .. } } => {
                write!(f, "{peer} <-     {socket}: {}", Short(message))
            }
            What::Input { peer, input } => write!(f, "{peer} <-     {input:?}"),
            What::Output { peer, output: Out::Send { socket, message } } => {
                write!(f, "{peer}    -> {socket}: {}", Short(message))
            }
            What::Output { peer, output } => write!(f, "{peer}    -> {output:?}"),
            What::Told { peer, event: Event::Status(Status::Connected(_)) } => {
                write!(f, "{peer} told   Connected")
            }
            What::Told { peer, event } => write!(f, "{peer} told   {event:?}"),
            What::Router(Truth::Took { wire, message }) => {
                write!(f, "router   {}.{}: {}", wire.peer, wire.socket, Short(message))
            }
            What::Settled { peer, waiting, next } => {
                write!(f, "{peer}        waiting {waiting}, next {next:?}")
            }
            What::Router(truth) => write!(f, "router   {truth:?}"),
            What::Fate(text) => write!(f, "-- {text}"),
            What::Rest => write!(f, "== rest"),
            What::End => write!(f, "== end"),
        }
    }
}

/// A message without what is always the same.
struct Short<'m>(&'m wamp::Message);

impl fmt::Display for Short<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            wamp::Message::Hello(_) | wamp::Message::Welcome(_) => f.write_str(self.0.name()),
            // As JSON it is half as long as a struct.
            other => f.write_str(&String::from_utf8_lossy(&other.encode(wamp::Serializer::Json))),
        }
    }
}

/// The first word of a payload's only text, by which everything is recognised.
pub(crate) fn token(payload: &wamp::Payload) -> String {
    let message = wamp::bridge::to_raw(payload);
    first_word(message.as_str().unwrap_or_default())
}

/// The first word of a content's text.
pub(crate) fn token_of(content: &petasus_protocol::session::Content) -> String {
    first_word(content.to_message().as_str().unwrap_or_default())
}

fn first_word(text: &str) -> String {
    text.split(' ').next().unwrap_or_default().to_owned()
}
