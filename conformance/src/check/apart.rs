//! Queues beside each other: what is pushed to one is no turn of another.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::ledger::{Ledger, Origin};
use super::{Card, Check, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::{Door, Role, Topic};
use crate::plan::{Plan, Step};

/// The pushers of the two queues.
const PUSHERS: [Conn; 2] = [Conn(1), Conn(2)];

/// The first pullers of each.
const PULLERS: [u32; 2] = [10, 20];

/// How often everybody has a turn while one queue alone is used: what holds then has to hold beside the other, too.
const ROUNDS_ALONE: u32 = 6;

/// Two queues.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// How many pull from each, from 2.
    pub pullers: (u8, u8),
    /// To which of the two is pushed, after the first was used alone.
    pub turns: Vec<bool>,
}

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(Apart)]
}

/// The check.
#[derive(Clone, Copy, Debug)]
pub struct Apart;

impl Family for Apart {
    type Script = Script;

    fn card(&self) -> Card {
        Card {
            name: "pushpull.apart",
            about: "Two queues have turns of their own.",
            requirements: &["REQ-RR-007"],
            caps: &["pushpull", "pushpull.strict"],
            any_of: &[],
            weight: 10,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        ((2..=3_u8, 2..=3_u8), prop::collection::vec(any::<bool>(), 2..16))
            .prop_map(|(pullers, turns)| Script { pullers, turns })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        vec![Script { pullers: (2, 2), turns: [false, true].repeat(3) }]
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let pullers = [script.pullers.0, script.pullers.1].map(|count| u32::from(count.max(2)));
        let mut steps = Vec::new();
        for (queue, name) in ["a", "b"].into_iter().enumerate() {
            let door = |role| Door::new(role, Topic::new(name));
            let all = (PULLERS[queue]..).take(pullers[queue] as usize);
            steps.extend(all.map(|conn| Step::open(Conn(conn), door(Role::Pull))));
            steps.push(Step::open(PUSHERS[queue], door(Role::Push)));
        }
        steps.extend((0..ROUNDS_ALONE * pullers[0]).map(|_| Step::say(PUSHERS[0])));
        steps.push(Step::Flush);
        for &is_second in &script.turns {
            // One at a time, so that there is one order for both.
            steps.extend([Step::say(PUSHERS[usize::from(is_second)]), Step::Flush]);
        }
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let ledger = Ledger::of(history);
        let Some([first, second]) = turns(&ledger) else { return Vec::new() };
        let count =
            |from: u32| ledger.members.keys().filter(|conn| (from..from + 10).contains(&conn.0)).count();
        let pullers = PULLERS.map(count);
        let alone = ROUNDS_ALONE as usize * pullers[0];
        // Where turns are wrong without another queue, that is another rule's.
        if first.len() < alone || !is_strict(&first[..alone], pullers[0]) {
            return Vec::new();
        }
        let broken = [(0, &first[..]), (1, &second[..])];
        let broken = broken.into_iter().find(|(queue, turns)| !is_strict(turns, pullers[*queue]));
        let told = broken.map(|(_, turns)| {
            let text = format!("with pushes to another queue in between, the turns were {turns:?}");
            Violation::safety("REQ-RR-007", text)
        });
        told.into_iter().collect()
    }
}

/// Who got the messages of each queue, in their order; none if one did not reach exactly one.
fn turns(ledger: &Ledger) -> Option<[Vec<u32>; 2]> {
    let mut turns = [Vec::new(), Vec::new()];
    for (index, message) in ledger.messages.iter().enumerate() {
        let Some(queue) = PUSHERS.iter().position(|pusher| *pusher == message.from) else { continue };
        let mut takers = ledger.deliveries.iter().filter(|delivery| delivery.of == Origin::Message(index));
        let (Some(taker), None) = (takers.next(), takers.next()) else { return None };
        turns[queue].push(taker.to.0);
    }
    Some(turns)
}

/// Whether nobody has a second turn before everybody had one.
fn is_strict(turns: &[u32], pullers: usize) -> bool {
    turns.windows(pullers).all(|window| window.iter().enumerate().all(|(i, one)| !window[..i].contains(one)))
}
