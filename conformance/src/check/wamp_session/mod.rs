//! Sessions: how they begin and end, what is refused, and what ends them.
//!
//! Connection 0 speaks WAMP message by message; connection 1 is an ordinary session that must notice nothing, and
//! connection 2 opens behind all.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::{Card, Check, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::{Door, Item, Line, Message, Publish, Request, Role, Topic};
use crate::plan::{Plan, Step};
use crate::raw::wamp::{Serialization, Value, code};

mod batches;
mod fate;
mod hostile;
mod judge;
mod offers;
mod realms;
pub(super) mod speech;
mod welcome;
pub(super) mod words;

/// Who speaks message by message, who is there before, and who comes behind.
pub(super) const SPEAKER: Conn = Conn(0);
pub(super) const WITNESS: Conn = Conn(1);
const NEXT: Conn = Conn(2);

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(Sessions::Requests),
        Box::new(Sessions::Ends),
        Box::new(Sessions::Violations),
        Box::new(offers::Offers),
        Box::new(welcome::Welcome),
        Box::new(realms::Realms),
        Box::new(batches::Batches),
    ]
}

/// The check of what may end more than a session; it comes behind all others.
pub fn last() -> Vec<Box<dyn Check>> {
    vec![Box::new(hostile::Hostile)]
}

/// A check of sessions.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Sessions {
    /// What is granted and what is refused.
    Requests,
    /// Begins and ends.
    Ends,
    /// What ends a session by ABORT.
    Violations,
}

/// What the speaker does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Op {
    /// A request of the list.
    Ask(usize),
    /// Ends the session by GOODBYE.
    Goodbye,
    /// Ends it by ABORT.
    Abort,
    /// Somebody else publishes.
    Elsewhere,
    /// A message of the list of wrong ones, before HELLO if there is no session yet.
    Wrong(usize),
    /// A HELLO: with no roles, none at all, or roles that are a list.
    Bare(usize),
    /// A call under the number of one that is not answered.
    Again,
}

/// How messages are written, and what is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// In which serialisation.
    pub written: Serialization,
    /// In order.
    pub ops: Vec<Op>,
}

impl Family for Sessions {
    type Script = Script;

    fn card(&self) -> Card {
        let (name, about, requirements): (_, _, &[&str]) = match self {
            Self::Requests => (
                "wamp_session.requests",
                "Options that nobody knows are ignored, wrong values and names of the broker's own refused.",
                &["REQ-WAMP-001", "REQ-WAMP-006", "REQ-WAMP-008", "REQ-WAMP-009", "REQ-LIVE-001"],
            ),
            Self::Ends => (
                "wamp_session.ends",
                "Sessions begin, end, and are over for everybody; another may follow on the same connection.",
                &["REQ-WAMP-011", "REQ-WAMP-013", "REQ-WAMP-014", "REQ-LIVE-001"],
            ),
            Self::Violations => (
                "wamp_session.violations",
                "What is no message, or one out of order, ends its session and nobody else's.",
                &[
                    "REQ-WAMP-003",
                    "REQ-WAMP-013",
                    "REQ-WAMP-015",
                    "REQ-WAMP-019",
                    "REQ-WAMP-057",
                    "REQ-LIVE-001",
                ],
            ),
        };
        Card { name, about, requirements, caps: &["messages"], any_of: &[], weight: 100 }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let ask = || (0..words::REQUESTS).prop_map(Op::Ask);
        let ops = match self {
            Self::Requests => prop::collection::vec(ask(), 1..6).boxed(),
            Self::Ends => {
                let op = prop_oneof![
                    2 => Just(Op::Ask(0)), 1 => (0..4_usize).prop_map(Op::Ask), 2 => Just(Op::Elsewhere),
                    2 => Just(Op::Goodbye), 1 => Just(Op::Abort),
                ];
                let last = prop::option::weighted(0.2, (0..3_usize).prop_map(Op::Bare));
                (prop::collection::vec(op, 1..8), last)
                    .prop_map(|(ops, last)| ops.into_iter().chain(last).collect())
                    .boxed()
            }
            Self::Violations => {
                let last = prop_oneof![
                    8 => (0..words::WRONG).prop_map(Op::Wrong),
                    1 => (0..3_usize).prop_map(Op::Bare),
                    1 => Just(Op::Again),
                ];
                let before = prop::collection::vec((0..9_usize).prop_map(Op::Ask), 0..3);
                (before, last).prop_map(|(ops, last)| ops.into_iter().chain([last]).collect()).boxed()
            }
        };
        (select(Serialization::ALL.to_vec()), ops).prop_map(|(written, ops)| Script { written, ops }).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        let ops: Vec<Vec<Op>> = match self {
            Self::Requests => {
                let all: Vec<Op> = (0..words::REQUESTS).map(Op::Ask).collect();
                vec![all[20..].to_vec(), all[..9].to_vec(), all[9..].to_vec()]
            }
            Self::Ends => vec![
                vec![Op::Ask(0), Op::Goodbye, Op::Elsewhere, Op::Goodbye, Op::Ask(1)],
                vec![Op::Ask(0), Op::Abort, Op::Elsewhere, Op::Ask(3)],
                vec![Op::Bare(0)],
            ],
            Self::Violations => {
                let early = [Op::Wrong(9), Op::Wrong(42), Op::Wrong(29)].map(|op| vec![op]);
                // One of each kind first.
                let first = [7, 28, 43, 22, 40, 23].map(Op::Wrong).map(|op| vec![Op::Ask(0), op]);
                let again = vec![vec![Op::Again], vec![Op::Bare(1)]];
                let rest = (0..words::WRONG).map(|which| vec![Op::Ask(0), Op::Wrong(which)]);
                again.into_iter().chain(first).chain(early).chain(rest).collect()
            }
        };
        ops.into_iter().map(|ops| Script { written: Serialization::Json, ops }).collect()
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let session = |conn| Step::open(conn, Door::new(Role::Session, Topic::new("")));
        let line = Line::of(script.written);
        let steps = vec![session(WITNESS), Step::Connect { conn: SPEAKER, line }];
        let mut lowering = Lowering { steps, written: script.written, joined: false, number: 0, others: 0 };
        for op in &script.ops {
            if !lowering.op(*op) {
                break;
            }
        }
        lowering.elsewhere();
        lowering.steps.push(session(NEXT));
        Plan::new(lowering.steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        judge::judge(history)
    }
}

struct Lowering {
    steps: Vec<Step>,
    written: Serialization,
    /// Whether there is a session.
    joined: bool,
    /// The number of its last request.
    number: u64,
    /// How often somebody else asked.
    others: u32,
}

impl Lowering {
    /// False: nothing may follow.
    fn op(&mut self, op: Op) -> bool {
        match op {
            Op::Ask(which) => {
                self.join();
                self.number += 1;
                let request = words::request(which, self.number);
                self.say(vec![request]);
            }
            Op::Goodbye => {
                self.join();
                self.joined = false;
                self.tell(vec![words::goodbye()], &[Value::Int(code::GOODBYE)]);
            }
            Op::Abort => {
                self.join();
                self.joined = false;
                // What follows shows that it is over.
                self.steps.push(Step::Tell { conn: SPEAKER, messages: vec![words::abort()] });
                self.join();
            }
            Op::Elsewhere => {
                self.elsewhere();
                if self.joined {
                    self.say(Vec::new());
                } else {
                    self.join();
                }
            }
            Op::Wrong(which) => {
                // A second HELLO is the only message that is right before the first.
                if which % words::WRONG == 28 {
                    self.join();
                }
                self.number += 1;
                let wrong = words::wrong(which, self.number, self.written);
                self.say(vec![wrong]);
                return false;
            }
            Op::Bare(which) => {
                if self.joined {
                    self.op(Op::Goodbye);
                }
                let details = match which % 3 {
                    0 => Value::map([]),
                    1 => Value::map([("roles", Value::map([]))]),
                    _ => Value::map([("roles", Value::List(Vec::new()))]),
                };
                self.say(vec![Message::new(code::HELLO, [Item::Realm, details.into()])]);
                return false;
            }
            Op::Again => {
                self.join();
                let number = self.number + 1;
                let call = |number: u64| {
                    let options = Item::from(Value::map([]));
                    Message::new(code::CALL, [number.into(), options, words::name("again")])
                };
                let begin = [Value::Int(code::INVOCATION)];
                self.tell(vec![words::register(number, "again"), call(number + 1)], &begin);
                self.number += 2;
                self.say(vec![call(number + 1)]);
                return false;
            }
        }
        true
    }

    /// Messages, and one behind them whose answer shows that they were read.
    fn say(&mut self, mut messages: Vec<Message>) {
        if !self.joined {
            messages.push(words::hello());
            return self.tell(messages, &[Value::Int(code::WELCOME)]);
        }
        self.number += 1;
        messages.push(words::mark(self.number));
        self.tell(messages, &[Value::Int(code::PUBLISHED), Value::from(self.number)]);
    }

    fn tell(&mut self, messages: Vec<Message>, begins: &[Value]) {
        self.steps.push(Step::Tell { conn: SPEAKER, messages });
        self.steps.push(Step::Heed { conn: SPEAKER, begins: begins.to_vec() });
    }

    fn join(&mut self) {
        if !self.joined {
            self.say(Vec::new());
            (self.joined, self.number) = (true, 0);
        }
    }

    fn elsewhere(&mut self) {
        let publish = Publish { topic: words::TOPIC.to_owned(), acknowledge: true, ..Publish::default() };
        self.steps.push(Step::ask(WITNESS, Request::Publish(publish)));
        self.steps.push(Step::AwaitAnswer { conn: WITNESS, number: self.others });
        self.others += 1;
    }
}
