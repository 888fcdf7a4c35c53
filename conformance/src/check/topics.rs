//! Topics: three families that share nothing, spellings that mean the same, letters that do not, and addresses that are
//! none.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::ledger::Ledger;
use super::{Card, Check, Family, Nature, Params, Violation, delivery};
use crate::history::{Conn, History};
use crate::model::{Door, Role, Topic};
use crate::params::Patterns;
use crate::plan::{Plan, Spelling, Step};

/// Topics of one to three segments, with what addresses have to escape and what must not be folded together.
const NAMES: [&str; 16] = [
    "t", "T", "t/u", "é", "e\u{301}", "t.u", "t%2Fu", "t+u", "t u", "t?u", "t#u", "*", "#", "🪽/x", "..",
    "t//u",
];

/// What is put behind an address to make it wrong, and the role it is tried with.
const WRONG: [&str; 6] = ["%FF", "%C3", "%zz", "%4", "%ED%A0%80", "x%E2%82"];

const ROLES: [Role; 5] = [Role::Bus, Role::Pub, Role::Sub, Role::Push, Role::Pull];

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(Families), Box::new(Spellings), Box::new(Refused)]
}

/// The bus `x`, the topic `x` and the queue `x` share nothing.
#[derive(Clone, Copy, Debug)]
pub struct Families;

/// One name for all, and who sends in which order (0 bus, 1 publisher, 2 pusher).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct FamilyScript {
    /// Of the list of names.
    pub name: usize,
    /// Senders.
    pub says: Vec<usize>,
}

impl Family for Families {
    type Script = FamilyScript;

    fn card(&self) -> Card {
        Card {
            name: "topics.families",
            about: "The bus, the topic and the queue of one name share nothing.",
            requirements: &["REQ-TOP-003", "REQ-SUB-004", "REQ-RR-007"],
            caps: &["bus", "pubsub", "pushpull"],
            any_of: &[],
            weight: 30,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<FamilyScript> {
        (0..NAMES.len(), prop::collection::vec(0..3_usize, 1..6))
            .prop_map(|(name, says)| FamilyScript { name, says })
            .boxed()
    }

    fn plan(&self, script: &FamilyScript, _: &Params) -> Plan {
        let topic = Topic::new(NAMES[script.name % NAMES.len()]);
        let roles = [Role::Bus, Role::Pub, Role::Push, Role::Bus, Role::Sub, Role::Pull];
        let mut steps: Vec<Step> =
            (0..).zip(roles).map(|(i, role)| Step::open(Conn(i), Door::new(role, topic.clone()))).collect();
        steps.extend(script.says.iter().map(|who| Step::say(Conn((who % 3) as u32))));
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        delivery::judge(history)
    }
}

/// However an address is written, the name it stands for counts, to the letter.
#[derive(Clone, Copy, Debug)]
pub struct Spellings;

/// A sender and two receivers, each with a name and a way to write it (0 usual, 1 raw, 2 escaped).
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct SpellingScript {
    /// On the bus, or else publishers and subscribers.
    pub bus: bool,
    /// Of the list of names, and the spelling.
    pub sender: (usize, usize),
    /// The same for each receiver.
    pub receivers: Vec<(usize, usize)>,
}

impl Family for Spellings {
    type Script = SpellingScript;

    fn card(&self) -> Card {
        Card {
            name: "topics.spellings",
            about: "Escaped or not, an address means its topic, to the letter.",
            requirements: &["REQ-TOP-001", "REQ-TOP-005", "REQ-LIVE-001"],
            caps: &[],
            any_of: &["bus", "pubsub"],
            weight: 60,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<SpellingScript> {
        let spelling = || 0..3_usize;
        // Names that stand next to each other in the list are easily confused.
        (any::<bool>(), 0..NAMES.len(), spelling(), prop::collection::vec((0..4_usize, spelling()), 1..4))
            .prop_map(|(bus, name, spelling, others)| SpellingScript {
                bus,
                sender: (name, spelling),
                receivers: others
                    .into_iter()
                    .map(|(step, s)| ((name + [0, 0, 1, 15][step]) % NAMES.len(), s))
                    .collect(),
            })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<SpellingScript> {
        let of = |sender: usize, receiver: usize| SpellingScript {
            bus: false,
            sender: (sender, 0),
            receivers: vec![(sender, 2), (receiver, 0), (receiver, 1)],
        };
        vec![of(0, 1), of(3, 4), of(2, 6), of(7, 8)]
    }

    fn plan(&self, script: &SpellingScript, params: &Params) -> Plan {
        let (sender, receiver) = Patterns { queue: false, ..params.patterns }.pair(usize::from(!script.bus));
        // Without a hierarchy no topic may be below another.
        let is_flat = sender == Role::Pub && !params.patterns.hierarchy;
        let name = |name: usize| NAMES[name % NAMES.len()].replace('/', if is_flat { "-" } else { "/" });
        let open = |conn: u32, role: Role, (at, spelling): (usize, usize)| Step::Open {
            conn: Conn(conn),
            door: Door::new(role, Topic::new(name(at))),
            spelling: [Spelling::Usual, Spelling::Raw, Spelling::Escaped][spelling % 3],
        };
        let mut steps: Vec<Step> =
            (1..).zip(&script.receivers).map(|(i, &at)| open(i, receiver, at)).collect();
        steps.extend([open(0, sender, script.sender), Step::say(Conn(0))]);
        Plan::new(steps)
    }

    /// A loss here is one of names.
    fn judge(&self, history: &History) -> Vec<Violation> {
        let mut violations = delivery::judge(history);
        for violation in &mut violations {
            let is_loss = violation.nature == Nature::Liveness;
            if is_loss && ["REQ-SUB-001", "REQ-BUS-001"].contains(&violation.requirement) {
                violation.requirement = "REQ-TOP-001";
            }
        }
        let ledger = Ledger::of(history);
        let refused = ledger.members.values().filter(|member| member.opened.is_none());
        violations.extend(refused.map(|member| {
            let text = format!(
                "{:?} at {:?} was refused with {:?}",
                member.door.role, member.door.topic, member.refused
            );
            match member.refused {
                Some(_) => Violation::safety("REQ-TOP-005", text),
                None => Violation::liveness("REQ-LIVE-001", text),
            }
        }));
        violations
    }
}

/// An address that is no topic is answered 4xx.
#[derive(Clone, Copy, Debug)]
pub struct Refused;

/// A role and what is wrong with its address.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RefusedScript {
    /// Of the five.
    pub role: usize,
    /// Of the list of wrong ends.
    pub wrong: usize,
}

impl Family for Refused {
    type Script = RefusedScript;

    fn card(&self) -> Card {
        Card {
            name: "topics.refused",
            about: "An address that is no UTF-8, or escaped wrongly, is answered 4xx.",
            requirements: &["REQ-TOP-002"],
            caps: &["limits.topic"],
            any_of: super::ANY_PATTERN,
            weight: 40,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<RefusedScript> {
        (select((0..ROLES.len()).collect::<Vec<_>>()), 0..WRONG.len())
            .prop_map(|(role, wrong)| RefusedScript { role, wrong })
            .boxed()
    }

    fn plan(&self, script: &RefusedScript, params: &Params) -> Plan {
        let is_there =
            |role: &Role| params.patterns.pairs().iter().any(|&(from, to)| from == *role || to == *role);
        let roles: Vec<Role> = ROLES.into_iter().filter(is_there).collect();
        let role = roles.get(script.role % roles.len().max(1)).copied().unwrap_or(Role::Bus);
        let door = Door::new(role, Topic::new("t"));
        let suffix = WRONG[script.wrong % WRONG.len()].to_owned();
        Plan::new(vec![Step::Knock { conn: Conn(0), door, suffix }])
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let ledger = Ledger::of(history);
        let Some(member) = ledger.members.get(&Conn(0)) else { return Vec::new() };
        let text = match (member.opened, member.refused) {
            (Some(_), _) => "the address was taken for a topic: 101".to_owned(),
            (None, Some(400..=499)) => return Vec::new(),
            (None, status) => format!("the address was answered {status:?}"),
        };
        vec![Violation::safety("REQ-TOP-002", text)]
    }
}
