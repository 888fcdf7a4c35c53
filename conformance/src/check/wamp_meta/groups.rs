//! Subscriptions and registrations that come and go, and somebody who asks for them and is told.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::answers::{notices, wrong};
use super::expected::Walk;
use super::{differs, looks};
use crate::check::asking::{Asking, conn_of};
use crate::check::talk::Talk;
use crate::check::{Card, Family, Params, Violation};
use crate::history::{History, Leave};
use crate::model::{Group, Look, Match, Of, Policy, Request, Watched};
use crate::plan::{Awaited, Plan, Step};

/// What there is to subscribe to or to register.
const NAMES: [(Match, &str); 6] = [
    (Match::Exact, "a.b"),
    (Match::Exact, "a"),
    (Match::Prefix, "a.b"),
    (Match::Prefix, "a"),
    (Match::Wildcard, "a."),
    (Match::Wildcard, ".b"),
];

/// What is looked for.
const FOUND: [&str; 4] = ["a.b", "a", "a.c", "c"];

/// Who asks; those before it are members.
pub(super) const WATCHER: usize = 3;

/// The check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Groups {
    pub(super) kind: Group,
}

/// What is done.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) enum Op {
    /// Somebody becomes a member, unless it is one.
    Join(usize, usize),
    /// Somebody is a member no more of one of those that it is a member of.
    Leave(usize, usize),
    /// Somebody goes: with a word, or without.
    Part(usize, bool),
    /// All are asked for.
    List,
    /// One name is looked up.
    Lookup(usize),
    /// What a name matches.
    Match(usize),
    /// One that was granted, and its members: the last ones first.
    About(usize),
}

impl Family for Groups {
    type Script = Vec<Op>;

    fn card(&self) -> Card {
        let (name, about, requirements, caps): (_, _, &[&str], &[&str]) = match self.kind {
            Group::Subscription => (
                "wamp_meta.subscriptions",
                "Who asks learns who subscribed to what, and is told when that changes.",
                &["REQ-WAMP-028", "REQ-WAMP-029"],
                &["meta.subscriptions", "meta.sessions", "pubsub.patterns"],
            ),
            Group::Registration => (
                "wamp_meta.registrations",
                "Who asks learns who registered what, and is told when that changes.",
                &["REQ-WAMP-053", "REQ-WAMP-054"],
                &["meta.registrations", "meta.sessions", "rpc.patterns", "rpc.shared"],
            ),
        };
        Card { name, about, requirements, caps, any_of: &[], weight: 40 }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Vec<Op>> {
        let who = || 0..WATCHER;
        let op = prop_oneof![
            4 => (who(), prop_oneof![0..2_usize, 0..NAMES.len()]).prop_map(|(who, name)| Op::Join(who, name)),
            2 => (who(), 0..3_usize).prop_map(|(who, nth)| Op::Leave(who, nth)),
            1 => (who(), any::<bool>()).prop_map(|(who, politely)| Op::Part(who, politely)),
            1 => Just(Op::List),
            1 => (0..NAMES.len()).prop_map(Op::Lookup),
            1 => (0..FOUND.len()).prop_map(Op::Match),
            2 => (0..4_usize).prop_map(Op::About),
        ];
        prop::collection::vec(op, 1..12).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Vec<Op>> {
        vec![
            vec![
                Op::Join(0, 0),
                Op::Join(1, 0),
                Op::Join(1, 2),
                Op::About(0),
                Op::About(1),
                Op::Lookup(0),
                Op::Lookup(2),
                Op::Match(0),
                Op::Join(0, 4),
                Op::List,
                Op::Leave(0, 0),
                Op::About(1),
            ],
            vec![
                Op::Join(0, 2),
                Op::Lookup(0),
                Op::Leave(0, 0),
                Op::Lookup(2),
                Op::About(0),
                Op::Match(0),
                Op::List,
            ],
            vec![
                Op::Join(0, 0),
                Op::Join(1, 0),
                Op::Part(0, false),
                Op::About(0),
                Op::Part(1, true),
                Op::List,
            ],
        ]
    }

    fn plan(&self, script: &Vec<Op>, _: &Params) -> Plan {
        let mut lowering = Lowering::new(self.kind);
        for op in script {
            lowering.op(op);
        }
        lowering.asking.plan()
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let talk = Talk::of(history);
        let (asks, tells) = match self.kind {
            Group::Subscription => ("REQ-WAMP-028", "REQ-WAMP-029"),
            Group::Registration => ("REQ-WAMP-053", "REQ-WAMP-054"),
        };
        let mut violations = notices(&talk, self.kind, tells);
        for (ask, look) in looks(&talk) {
            let walk = Walk::until(&talk, self.kind, ask.at);
            if let Some(wanted) = wrong(&talk, &walk, ask, look) {
                let text = differs(ask, &wanted);
                let is_silent = ask.last().is_none();
                violations.push(if is_silent {
                    Violation::liveness(asks, text)
                } else {
                    Violation::safety(asks, text)
                });
            }
        }
        violations
    }
}

struct Lowering {
    kind: Group,
    asking: Asking,
    /// Of each member, what it is a member of, and by which request.
    has: [Vec<(usize, u32)>; WATCHER],
    gone: [bool; WATCHER],
    /// The requests that make members.
    joins: Vec<Of>,
    /// How often something was told that somebody did.
    told: BTreeMap<(Watched, usize), u32>,
}

impl Lowering {
    fn new(kind: Group) -> Self {
        let mut asking = Asking::new(WATCHER + 1);
        let all =
            [Watched::Created(kind), Watched::Added(kind), Watched::Removed(kind), Watched::Deleted(kind)];
        for watched in all.into_iter().chain([Watched::Left]) {
            asking.ask_and_wait(WATCHER, Request::Watch(watched));
        }
        Self {
            kind,
            asking,
            has: Default::default(),
            gone: [false; WATCHER],
            joins: vec![],
            told: BTreeMap::new(),
        }
    }

    fn op(&mut self, op: &Op) {
        let kind = self.kind;
        match *op {
            Op::Join(who, name) => self.join(who % WATCHER, name % NAMES.len()),
            Op::Leave(who, nth) => self.leave(who % WATCHER, nth),
            Op::Part(who, politely) => self.part(who % WATCHER, politely),
            Op::List => self.look(Look::Groups(kind)),
            Op::Lookup(name) => {
                let (matching, name) = NAMES[name % NAMES.len()];
                self.look(Look::Lookup(kind, name.to_owned(), matching));
            }
            Op::Match(name) => self.look(Look::Match(kind, FOUND[name % FOUND.len()].to_owned())),
            Op::About(nth) => {
                // Behind the last one is one that was never granted.
                let nobody = Of { conn: conn_of(0), number: u32::MAX };
                let of = self.joins.iter().rev().nth(nth).copied().unwrap_or(nobody);
                self.look(Look::Group(kind, of));
                self.look(Look::Members(kind, of));
                self.look(Look::CountMembers(kind, of));
            }
        }
    }

    fn look(&mut self, look: Look) {
        self.asking.ask_and_wait(WATCHER, Request::Look(look));
    }

    fn join(&mut self, who: usize, name: usize) {
        if self.gone[who] || self.has[who].iter().any(|(has, _)| *has == name) {
            return;
        }
        let (matching, text) = NAMES[name];
        let text = text.to_owned();
        let number = self.asking.ask_and_wait(
            who,
            match self.kind {
                Group::Subscription => Request::Subscribe { topic: text, matching },
                Group::Registration => {
                    let policy = Policy::RoundRobin;
                    Request::Register { procedure: text, matching, policy, concurrency: None }
                }
            },
        );
        self.has[who].push((name, number));
        self.joins.push(Of { conn: conn_of(who), number });
        self.wait(Watched::Added(self.kind), who);
    }

    fn leave(&mut self, who: usize, nth: usize) {
        if self.has[who].is_empty() {
            return;
        }
        let nth = nth % self.has[who].len();
        let (name, of) = self.has[who].remove(nth);
        self.asking.ask_and_wait(
            who,
            match self.kind {
                Group::Subscription => Request::Unsubscribe { of },
                Group::Registration => Request::Unregister { of },
            },
        );
        self.left(who, name);
    }

    fn part(&mut self, who: usize, politely: bool) {
        if std::mem::replace(&mut self.gone[who], true) {
            return;
        }
        let how = if politely { Leave::Handshake } else { Leave::Abrupt };
        self.asking.steps.push(Step::Leave { conn: conn_of(who), how });
        for (name, _) in std::mem::take(&mut self.has[who]) {
            self.left(who, name);
        }
        self.wait(Watched::Left, who);
    }

    /// Waits until it is told, so that what follows is asked in a known state.
    fn left(&mut self, who: usize, name: usize) {
        self.wait(Watched::Removed(self.kind), who);
        if self.has.iter().flatten().all(|(has, _)| *has != name) {
            self.wait(Watched::Deleted(self.kind), who);
        }
    }

    fn wait(&mut self, what: Watched, who: usize) {
        let times = self.told.entry((what, who)).or_default();
        *times += 1;
        let awaited = Awaited::Happened(what, conn_of(who), *times);
        self.asking.steps.push(Step::AwaitNotice { conn: conn_of(WATCHER), awaited });
    }
}
