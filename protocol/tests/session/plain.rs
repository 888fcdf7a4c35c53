//! A peer without a session: it speaks to the router directly, publishes, and offers a procedure whose answers are of
//! every kind: at once, late, in parts, errors, none.

use petasus_protocol::wamp::message::{Call, Error, Hello, Invocation, Publish, Register, Yield};
use petasus_protocol::wamp::{Dict, Message, Payload, Serializer};

use crate::history::{Wire, token};
use crate::random::Random;

/// Its number among the peers: behind those of all sessions.
pub(crate) const PLAIN: usize = 100;

/// The procedure that it offers.
pub(crate) const PROCEDURE: &str = "com.plain";

#[derive(Debug)]
pub(crate) struct Plain {
    /// Its present socket; it never loses one but by a restart of the router.
    pub(crate) wire: Wire,
    request: u64,
    random: Random,
}

impl Plain {
    pub(crate) fn new(random: Random) -> Plain {
        Plain { wire: Wire { peer: PLAIN, socket: 0 }, request: 0, random }
    }

    /// A new connection, and the first message on it.
    pub(crate) fn connect(&mut self) -> Message {
        self.wire.socket += 1;
        self.request = 0;
        Hello { realm: "default".to_owned(), details: Dict::new() }.into()
    }

    fn next(&mut self) -> u64 {
        self.request += 1;
        self.request
    }

    pub(crate) fn push(&mut self, topic: &str, text: &str) -> Message {
        let options = Dict::new().with("_pattern", "queue").with("_ack", "handed");
        let (request, procedure) = (self.next(), topic.to_owned());
        Call { request, options, procedure, payload: payload(text) }.into()
    }

    pub(crate) fn publish(&mut self, topic: &str, bus: bool, text: &str) -> Message {
        let mut options = Dict::new();
        if bus {
            options.set("_pattern", "bus");
        }
        Publish { request: self.next(), options, topic: topic.to_owned(), payload: payload(text) }.into()
    }

    /// What it sends upon a message, and after how many milliseconds.
    pub(crate) fn react(&mut self, message: &Message) -> Vec<(u64, Message)> {
        match message {
            Message::Welcome(_) => {
                let request = self.next();
                let procedure = PROCEDURE.to_owned();
                vec![(0, Register { request, options: Dict::new(), procedure }.into())]
            }
            Message::Invocation(invocation) => self.answer(invocation),
            Message::Interrupt(interrupt) => {
                // An interrupted callee answers, or has never heard of such a thing.
                let canceled = error(interrupt.request, "wamp.error.canceled", "canceled");
                if self.random.one_in(3) { Vec::new() } else { vec![(self.random.below(50), canceled)] }
            }
            _ => Vec::new(),
        }
    }

    fn answer(&mut self, invocation: &Invocation) -> Vec<(u64, Message)> {
        let flag = |name: &str| invocation.details.bool(name).ok().flatten().unwrap_or(false);
        if flag("progress") {
            return Vec::new();
        }
        let (token, request) = (token(&invocation.payload), invocation.request);
        let mut after = self.random.below(3) * self.random.below(300);
        let mut answers = Vec::new();
        if flag("receive_progress") {
            for part in 0..self.random.below(4) {
                let options = Dict::new().with("progress", true);
                let payload = payload(&format!("part:{token}:{part}"));
                answers.push((after, Yield { request, options, payload }.into()));
                after += self.random.below(200);
            }
        }
        let text = format!("re:{token}");
        match self.random.below(8) {
            0 => {}
            1 => answers.push((after, error(request, "com.plain.wrong", &text))),
            _ => {
                answers
                    .push((after, Yield { request, options: Dict::new(), payload: payload(&text) }.into()));
            }
        }
        answers
    }
}

fn payload(text: &str) -> Payload {
    Payload::of_args(Serializer::Json, &[text]).expect("a text is an argument")
}

fn error(request: u64, error: &str, text: &str) -> Message {
    let (details, error) = (Dict::new(), error.to_owned());
    Error { kind: Invocation::CODE, request, details, error, payload: payload(text) }.into()
}
