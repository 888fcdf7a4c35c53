//! A plain router, written for these tests alone: no realms, no rights, no clock, every subscription and call looked
//! up by going through all of them. It shares nothing with the broker and the session but the message codec.

mod procedures;
mod queues;
mod topics;

use std::collections::BTreeMap;

use petasus_protocol::wamp::message::{Abort, Authenticate, Challenge, Error, Goodbye, Hello, Welcome};
use petasus_protocol::wamp::{Dict, Message, Payload, Value, uri};

use crate::history::{Truth, Wire, WireFilter};
use procedures::Procedures;
use queues::Queues;
use topics::Topics;

/// How the router behaves.
#[derive(Clone, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
pub(crate) struct Manners {
    /// Whether it asks for a ticket.
    pub(crate) challenge: bool,
    /// Whether it has buses and queues, and says so.
    pub(crate) pattern: bool,
    /// Whether a job without a puller waits (or is refused).
    pub(crate) hold: bool,
    /// How many of the next requests it refuses.
    pub(crate) refuse: u32,
    /// How many of the next HELLOs it refuses.
    pub(crate) abort: u32,
    /// A planted fault: it answers calls twice.
    pub(crate) twice: bool,
    /// A planted fault: it gives each result to the caller before.
    pub(crate) swap: bool,
}

/// What the router sends.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    pub(crate) wire: Wire,
    /// A message, or only the end.
    pub(crate) message: Option<Message>,
    /// What the subscription of an EVENT stands for.
    pub(crate) about: Option<WireFilter>,
    /// Close the socket behind it.
    pub(crate) last: bool,
}

#[derive(Debug)]
pub(crate) struct Router {
    pub(crate) manners: Manners,
    /// What it wants to send.
    pub(crate) said: Vec<Said>,
    /// What it knows.
    pub(crate) truths: Vec<Truth>,
    seats: BTreeMap<Wire, Seat>,
    topics: Topics,
    procedures: Procedures,
    queues: Queues,
    sessions: u64,
    publications: u64,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    New,
    Challenged,
    Joined,
    Leaving,
}

/// A connection.
#[derive(Debug)]
struct Seat {
    stage: Stage,
    /// The last request number, which has to rise by one (WAMP 5.1.2, ids in the session scope).
    request: u64,
    /// The last number of an INVOCATION.
    invocation: u64,
}

impl Router {
    pub(crate) fn new(manners: Manners) -> Router {
        Router {
            manners,
            said: Vec::new(),
            truths: Vec::new(),
            seats: BTreeMap::new(),
            topics: Topics::default(),
            procedures: Procedures::default(),
            queues: Queues::default(),
            sessions: 0,
            publications: 0,
        }
    }

    pub(crate) fn connected(&mut self, wire: Wire) {
        self.seats.insert(wire, Seat { stage: Stage::New, request: 0, invocation: 0 });
    }

    /// The socket is gone.
    pub(crate) fn disconnected(&mut self, wire: Wire) {
        if self.seats.remove(&wire).is_some() {
            self.forget(wire);
            self.truths.push(Truth::Left { wire });
        }
    }

    /// Forgets everything, as if it were started anew.
    pub(crate) fn restart(&mut self) {
        self.seats.clear();
        self.topics = Topics::default();
        self.procedures = Procedures::default();
        for token in self.queues.tokens() {
            self.truths.push(Truth::JobGone { token });
        }
        self.queues = Queues::default();
        self.truths.push(Truth::Restarted);
    }

    pub(crate) fn handle(&mut self, wire: Wire, message: Message) {
        let Some(seat) = self.seats.get(&wire) else { return };
        let stage = seat.stage;
        self.truths.push(Truth::Took { wire, message: message.clone() });
        match (stage, message) {
            (Stage::New, Message::Hello(hello)) => self.hello(wire, &hello),
            (Stage::Challenged, Message::Authenticate(proof)) => self.proof(wire, &proof),
            (Stage::Joined, Message::Goodbye(_)) => {
                let reason = uri::close::GOODBYE_AND_OUT.to_owned();
                self.leave(wire, Some(Goodbye { details: Dict::new(), reason }.into()));
            }
            (Stage::New | Stage::Challenged, Message::Abort(_)) | (Stage::Leaving, Message::Goodbye(_)) => {
                self.leave(wire, None);
            }
            // Between its own GOODBYE and the client's, it listens to nothing else.
            (Stage::Leaving, _) => {}
            (Stage::Joined, message) => self.request(wire, message),
            (stage, message) => self.violation(wire, format!("{} while {stage:?}", message.name())),
        }
    }

    fn request(&mut self, wire: Wire, message: Message) {
        match message {
            Message::Subscribe(subscribe) => self.subscribe(wire, &subscribe),
            Message::Unsubscribe(unsubscribe) => self.unsubscribe(wire, &unsubscribe),
            Message::Publish(publish) => self.publish(wire, &publish),
            Message::Register(register) => self.register(wire, &register),
            Message::Unregister(unregister) => self.unregister(wire, &unregister),
            Message::Call(call) => self.call(wire, &call),
            Message::Cancel(cancel) => self.cancel(wire, &cancel),
            Message::Yield(answer) => self.answered(wire, answer.request, &Ok(answer)),
            Message::Error(error) => self.answered(wire, error.request, &Err(error)),
            other => self.violation(wire, format!("{} from a client", other.name())),
        }
    }

    /// Sends GOODBYE to one of its sessions.
    pub(crate) fn shut_down(&mut self, wire: Wire) {
        let Some(seat) = self.seats.get_mut(&wire) else { return };
        if seat.stage == Stage::Joined {
            seat.stage = Stage::Leaving;
            self.forget(wire);
            let reason = uri::close::SYSTEM_SHUTDOWN.to_owned();
            self.say(wire, Goodbye { details: Dict::new(), reason });
        }
    }

    fn hello(&mut self, wire: Wire, hello: &Hello) {
        if self.manners.abort > 0 {
            self.manners.abort -= 1;
            let (details, reason) = (Dict::new(), uri::error::UNAVAILABLE.to_owned());
            let abort = Abort { details, reason, payload: Payload::empty() };
            return self.leave(wire, Some(abort.into()));
        }
        let methods = hello.details.texts("authmethods").ok().flatten().unwrap_or_default();
        if self.manners.challenge && methods.contains(&"ticket") {
            self.seat(wire).stage = Stage::Challenged;
            return self.say(wire, Challenge { method: "ticket".to_owned(), extra: Dict::new() });
        }
        self.welcome(wire);
    }

    fn proof(&mut self, wire: Wire, proof: &Authenticate) {
        if proof.signature == "secret" {
            return self.welcome(wire);
        }
        let (details, reason) = (Dict::new(), uri::error::AUTHENTICATION_DENIED.to_owned());
        self.leave(wire, Some(Abort { details, reason, payload: Payload::empty() }.into()));
    }

    fn welcome(&mut self, wire: Wire) {
        self.sessions += 1;
        let session = self.sessions;
        let features = |names: &[&str]| {
            let features: Dict = names.iter().map(|name| (*name, true)).collect();
            Dict::new().with("features", features)
        };
        let broker = features(&[
            "pattern_based_subscription",
            "publisher_exclusion",
            "publisher_identification",
            "subscription_revocation",
        ]);
        let dealer = features(&[
            "call_canceling",
            "call_timeout",
            "caller_identification",
            "pattern_based_registration",
            "progressive_call_invocations",
            "progressive_call_results",
            "registration_revocation",
            "shared_registration",
        ]);
        let mut details = Dict::new().with("realm", "default").with("authid", "joe").with("agent", "model");
        details.set("roles", Dict::new().with("broker", broker).with("dealer", dealer));
        if self.manners.pattern {
            details.set("_pattern", vec![Value::from("bus"), Value::from("queue")]);
        }
        self.seat(wire).stage = Stage::Joined;
        self.say(wire, Welcome { session, details });
    }

    /// Takes the number of a request; `false` if it is to be refused, which is done.
    fn begin(&mut self, wire: Wire, kind: u64, request: u64, answered: bool) -> bool {
        let seat = self.seat(wire);
        seat.request += 1;
        let wanted = seat.request;
        if request != wanted {
            self.seat(wire).request = request;
            self.violation(wire, format!("request {request} where {wanted} comes next"));
        }
        if answered && self.manners.refuse > 0 {
            self.manners.refuse -= 1;
            self.refuse(wire, kind, request, "wamp.error.not_authorized");
            return false;
        }
        true
    }

    /// The session is over; the socket is closed behind `message`.
    fn leave(&mut self, wire: Wire, message: Option<Message>) {
        self.forget(wire);
        self.said.push(Said { wire, message, about: None, last: true });
        self.seat(wire).stage = Stage::Leaving;
    }

    fn forget(&mut self, wire: Wire) {
        self.topics.leave(wire);
        self.callee_left(wire);
        self.puller_left(wire);
    }

    fn refuse(&mut self, wire: Wire, kind: u64, request: u64, error: &str) {
        self.truths.push(Truth::Refused { wire, kind, request });
        let (details, error) = (Dict::new(), error.to_owned());
        self.say(wire, Error { kind, request, details, error, payload: Payload::empty() });
    }

    fn violation(&mut self, wire: Wire, why: String) {
        self.truths.push(Truth::Violation { wire, why });
    }

    fn say(&mut self, wire: Wire, message: impl Into<Message>) {
        self.said.push(Said { wire, message: Some(message.into()), about: None, last: false });
    }

    fn seat(&mut self, wire: Wire) -> &mut Seat {
        self.seats.get_mut(&wire).expect("whoever speaks has a seat")
    }

    fn is_joined(&self, wire: Wire) -> bool {
        self.seats.get(&wire).is_some_and(|seat| seat.stage == Stage::Joined)
    }

    /// All joined sessions.
    pub(crate) fn joined(&self) -> Vec<Wire> {
        self.seats.iter().filter(|(_, seat)| seat.stage == Stage::Joined).map(|(wire, _)| *wire).collect()
    }

    /// Writes down what everybody has.
    pub(crate) fn take_stock(&mut self) {
        for wire in self.joined() {
            let filters = self.topics.of(wire);
            let mut procedures = self.procedures.of(wire);
            procedures.extend(self.queues.of(wire));
            let unanswered = self.procedures.unanswered(wire) + self.queues.unanswered(wire);
            self.truths.push(Truth::Has { wire, filters, procedures, unanswered });
        }
        let (held, running) = self.queues.jobs();
        self.truths.push(Truth::Jobs { held, running });
    }
}
