//! Subscriptions by name, prefix and wildcard, and publications that choose their receivers.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::events;
use super::{Card, Check, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::{Door, Match, Publish, Request, Role, Topic};
use crate::plan::{Plan, Step};

/// What is published to: names that a careless broker takes for one another.
const TOPICS: [&str; 7] = ["a", "a.b", "ab", "a.bc", "a.b.c", "b.b", "A.b"];

/// What is subscribed to by prefix.
const PREFIXES: [&str; 5] = ["a", "a.", "a.b", "", "a.b.c"];

/// What is subscribed to by wildcard.
const WILDCARDS: [&str; 6] = ["a.", ".b", "a..c", "a.b", ".", ".."];

/// How many sessions there are.
const SESSIONS: usize = 3;

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(Matching { patterns: false }),
        Box::new(Matching { patterns: true }),
        Box::new(Listing { discloses: false }),
        Box::new(Listing { discloses: true }),
    ]
}

/// Who subscribes to what, and hears what.
#[derive(Clone, Copy, Debug)]
pub struct Matching {
    /// Whether there are other subscriptions than exact ones.
    patterns: bool,
}

/// What is done; sessions are named by their number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Subscribes to something of the list of its kind.
    Sub(usize, Match, usize),
    /// Subscribes no more to one of what it subscribed to; to something that nobody has, if there is none.
    Unsub(usize, usize),
    /// Publishes to something of the list; the publisher may hear itself, or not.
    Pub(usize, usize, bool),
}

const REQUIREMENTS: &[&str] = &[
    "REQ-WAMP-001",
    "REQ-WAMP-002",
    "REQ-WAMP-020",
    "REQ-WAMP-021",
    "REQ-WAMP-022",
    "REQ-WAMP-023",
    "REQ-WAMP-026",
    "REQ-WAMP-027",
    "REQ-LIVE-001",
];

impl Family for Matching {
    type Script = Vec<Op>;

    fn card(&self) -> Card {
        let (name, about, caps): (_, _, &[&str]) = if self.patterns {
            ("wamp_pubsub.patterns", "Prefixes and wildcards take what they should.", &["pubsub.patterns"])
        } else {
            ("wamp_pubsub.exact", "Exact subscriptions come and go.", &["pubsub", "publish.ack"])
        };
        Card { name, about, requirements: REQUIREMENTS, caps, any_of: &[], weight: 100 }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Vec<Op>> {
        let who = || 0..SESSIONS;
        let kinds = if self.patterns {
            vec![Match::Exact, Match::Prefix, Match::Prefix, Match::Wildcard, Match::Wildcard]
        } else {
            vec![Match::Exact]
        };
        let near = prop_oneof![0..2_usize, 0..TOPICS.len()];
        let op = prop_oneof![
            4 => (who(), select(kinds), near).prop_map(|(who, kind, name)| Op::Sub(who, kind, name)),
            1 => (who(), 0..4_usize).prop_map(|(who, nth)| Op::Unsub(who, nth)),
            5 => (who(), 0..TOPICS.len(), any::<bool>()).prop_map(|(who, name, own)| Op::Pub(who, name, own)),
        ];
        prop::collection::vec(op, 1..12).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Vec<Op>> {
        use Match::{Exact, Prefix, Wildcard};
        let say = |name| Op::Pub(2, name, false);
        if self.patterns {
            return vec![
                vec![Op::Sub(0, Prefix, 0), say(0), say(2), say(5), Op::Unsub(0, 0), say(0)],
                vec![Op::Sub(0, Wildcard, 1), Op::Sub(1, Wildcard, 2), say(1), say(5), say(4), say(0)],
                vec![Op::Sub(0, Exact, 1), Op::Sub(0, Prefix, 2), Op::Sub(0, Wildcard, 3), say(1), say(3)],
            ];
        }
        vec![
            vec![Op::Sub(0, Exact, 0), Op::Sub(1, Exact, 0), Op::Sub(0, Exact, 0), say(0), say(1), say(2)],
            vec![Op::Sub(2, Exact, 0), say(0), Op::Pub(2, 0, true), Op::Unsub(2, 0), say(0), Op::Unsub(2, 0)],
        ]
    }

    fn plan(&self, script: &Vec<Op>, _: &Params) -> Plan {
        let mut lowering = Lowering::new();
        for op in script {
            lowering.op(op);
        }
        Plan::new(lowering.steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        events::judge(history)
    }
}

struct Lowering {
    steps: Vec<Step>,
    asked: [u32; SESSIONS],
    /// The requests of each session that subscribe.
    subscribed: [Vec<u32>; SESSIONS],
}

impl Lowering {
    fn new() -> Self {
        let session = |conn| Step::open(Conn(conn as u32), Door::new(Role::Session, Topic::new("")));
        let steps = (0..SESSIONS).map(session).collect();
        Self { steps, asked: [0; SESSIONS], subscribed: Default::default() }
    }

    fn op(&mut self, op: &Op) {
        match *op {
            Op::Sub(who, matching, name) => {
                let who = who % SESSIONS;
                let names: &[&str] = match matching {
                    Match::Exact => &TOPICS,
                    Match::Prefix => &PREFIXES,
                    Match::Wildcard => &WILDCARDS,
                };
                let topic = names[name % names.len()].to_owned();
                self.subscribed[who].push(self.asked[who]);
                self.change(who, Request::Subscribe { topic, matching });
            }
            Op::Unsub(who, nth) => {
                let who = who % SESSIONS;
                let mine = &self.subscribed[who];
                // A request of this number was never made.
                let of = mine.get(nth % mine.len().max(1)).copied().unwrap_or(u32::MAX);
                self.change(who, Request::Unsubscribe { of });
            }
            Op::Pub(who, name, to_itself) => {
                let topic = TOPICS[name % TOPICS.len()].to_owned();
                let publish = Publish { topic, to_itself, ..Publish::default() };
                self.ask(who % SESSIONS, Request::Publish(publish));
            }
        }
    }

    /// Subscriptions change when all that was published has been routed: so it is known who hears what.
    fn change(&mut self, who: usize, request: Request) {
        self.steps.push(Step::Flush);
        let number = self.ask(who, request);
        self.steps.push(Step::AwaitAnswer { conn: Conn(who as u32), number });
    }

    fn ask(&mut self, who: usize, request: Request) -> u32 {
        self.steps.push(Step::ask(Conn(who as u32), request));
        self.asked[who] += 1;
        self.asked[who] - 1
    }
}

/// Publications that choose among their receivers, or say who published.
#[derive(Clone, Copy, Debug)]
pub struct Listing {
    /// Whether they tell who published, in place of choosing.
    discloses: bool,
}

/// A publication: by whom, to whom only and not to whom (bits by session), and two questions.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Listed {
    /// The publisher.
    pub who: usize,
    /// Only these.
    pub eligible: Option<u8>,
    /// Not these.
    pub exclude: u8,
    /// Whether the publisher may hear itself.
    pub own: bool,
    /// Whether receivers may know who it was.
    pub disclose: bool,
}

impl Family for Listing {
    type Script = Vec<Listed>;

    fn card(&self) -> Card {
        let (name, about, requirements, caps): (_, _, &[&str], &[&str]) = if self.discloses {
            (
                "wamp_pubsub.disclosed",
                "Receivers learn who published if the publisher wants it, and only then.",
                &["REQ-WAMP-025", "REQ-WAMP-020", "REQ-WAMP-021", "REQ-LIVE-001"],
                &["pubsub.disclosure"],
            )
        } else {
            (
                "wamp_pubsub.listing",
                "Those receive whom the publication's lists admit.",
                &["REQ-WAMP-024", "REQ-WAMP-020", "REQ-WAMP-021", "REQ-LIVE-001"],
                &["pubsub.listing"],
            )
        };
        Card { name, about, requirements, caps, any_of: &[], weight: 50 }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Vec<Listed>> {
        let masks = 0..1_u8 << SESSIONS;
        let (eligible, exclude, disclose) = if self.discloses {
            (Just(None).boxed(), Just(0).boxed(), any::<bool>().boxed())
        } else {
            (
                prop::option::of(masks.clone()).boxed(),
                prop_oneof![Just(0), masks].boxed(),
                Just(false).boxed(),
            )
        };
        let listed = (0..SESSIONS, eligible, exclude, any::<bool>(), disclose);
        let listed = listed.prop_map(|(who, eligible, exclude, own, disclose)| Listed {
            who,
            eligible,
            exclude,
            own,
            disclose,
        });
        prop::collection::vec(listed, 1..6).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Vec<Listed>> {
        let plain = Listed { who: 0, eligible: None, exclude: 0, own: false, disclose: false };
        if self.discloses {
            return vec![vec![Listed { disclose: true, ..plain.clone() }, plain]];
        }
        let only = |eligible| Listed { eligible: Some(eligible), ..plain.clone() };
        let but = Listed { exclude: 0b010, ..plain.clone() };
        vec![vec![only(0b010), but.clone(), only(0), Listed { eligible: Some(0b110), ..but }]]
    }

    fn plan(&self, script: &Vec<Listed>, _: &Params) -> Plan {
        let mut lowering = Lowering::new();
        (0..SESSIONS).for_each(|who| lowering.op(&Op::Sub(who, Match::Exact, 0)));
        let conns = |mask: u8| (0..SESSIONS as u32).filter(|i| mask >> i & 1 == 1).map(Conn).collect();
        for listed in script {
            let publish = Publish {
                topic: TOPICS[0].to_owned(),
                acknowledge: false,
                to_itself: listed.own,
                eligible: listed.eligible.map(conns),
                exclude: conns(listed.exclude),
                disclose: listed.disclose,
            };
            lowering.ask(listed.who % SESSIONS, Request::Publish(publish));
        }
        Plan::new(lowering.steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        events::judge(history)
    }
}
