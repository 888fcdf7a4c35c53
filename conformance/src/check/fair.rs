//! Queues that promise no strict turns: each puller's share of many messages is what chance allows.

use std::collections::BTreeMap;

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::ledger::{Ledger, Origin};
use super::{Card, Check, Family, Params, Violation, delivery};
use crate::history::{Conn, History};
use crate::model::{Door, Role, Topic};
use crate::plan::{Plan, Step};

/// The chance at which a good broker is blamed, for one case. Nothing is repeated until it passes.
const ALPHA: f64 = 1e-9;

/// At least so many messages, and this many for each puller: enough to find one that has twice its share.
const MESSAGES: u32 = 600;
const FOR_EACH: u32 = 250;

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(Fair)]
}

/// Many messages to pullers that stay.
#[derive(Clone, Copy, Debug)]
pub struct Fair;

/// How many pull, 2 to 6.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// So many.
    pub pullers: u8,
}

impl Family for Fair {
    type Script = Script;

    fn card(&self) -> Card {
        Card {
            name: "pushpull.fair",
            about: "Pullers that stay share many messages as chance would share them.",
            requirements: &["REQ-RR-015", "REQ-RR-001", "REQ-RR-002"],
            caps: &["pushpull", "pushpull.fair"],
            any_of: &[],
            weight: 10,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        (2..=6_u8).prop_map(|pullers| Script { pullers }).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        vec![Script { pullers: 4 }]
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let pullers = u32::from(script.pullers.max(2));
        let topic = Topic::new("q");
        let pusher = Conn(pullers);
        let mut steps: Vec<Step> = (0..pullers)
            .map(|number| Step::open(Conn(number), Door::new(Role::Pull, topic.clone())))
            .collect();
        steps.push(Step::open(pusher, Door::new(Role::Push, topic)));
        steps.extend((0..MESSAGES.max(FOR_EACH * pullers)).map(|_| Step::say(pusher)));
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let mut violations = delivery::judge(history);
        violations.extend(shares(&Ledger::of(history)));
        violations
    }
}

/// Who has too few or too many. Nobody is judged if somebody came later or went.
fn shares(ledger: &Ledger) -> Vec<Violation> {
    let pullers: Vec<Conn> = ledger.in_role(Role::Pull).map(|member| member.conn).collect();
    let has_changed =
        ledger.in_role(Role::Pull).any(|member| member.opened.is_none() || member.over.is_some());
    if pullers.len() < 2 || has_changed {
        return Vec::new();
    }
    let mut counts: BTreeMap<Conn, u32> = pullers.iter().map(|&conn| (conn, 0)).collect();
    for delivery in ledger.deliveries.iter().filter(|delivery| matches!(delivery.of, Origin::Message(_))) {
        if let Some(count) = counts.get_mut(&delivery.to) {
            *count += 1;
        }
    }
    let (all, n) = (counts.values().sum(), counts.len() as u32);
    let (low, high) = bounds(all, n);
    let is_odd = |count: u32| count < low || count > high;
    let odd = counts.iter().filter(|(_, count)| is_odd(**count));
    odd.map(|(conn, count)| {
        let text = format!(
            "puller {} of {n} had {count} of {all} messages, where chance gives {low} to {high}",
            conn.0
        );
        Violation::safety("REQ-RR-015", text)
    })
    .collect()
}

/// Between which counts one of `n` that are drawn alike is after `all` draws, but for a chance of [`ALPHA`] over all `n`:
/// the exact two-sided bound of the binomial distribution with p = 1/n, alpha / 2n on each side.
fn bounds(all: u32, n: u32) -> (u32, u32) {
    let mut ln_factorial = vec![0.0_f64];
    for number in 1..=all {
        ln_factorial.push(ln_factorial[number as usize - 1] + f64::from(number).ln());
    }
    let (p, side) = (1.0 / f64::from(n), ALPHA / (2.0 * f64::from(n)));
    let chance = |count: u32| {
        let choices =
            ln_factorial[all as usize] - ln_factorial[count as usize] - ln_factorial[(all - count) as usize];
        (choices + f64::from(count) * p.ln() + f64::from(all - count) * (1.0 - p).ln()).exp()
    };
    let within = |counts: &mut dyn Iterator<Item = u32>| {
        let mut tail = 0.0;
        counts
            .take_while(|&count| {
                tail += chance(count);
                tail <= side
            })
            .count() as u32
    };
    let (below, above) = (within(&mut (0..=all)), within(&mut (0..=all).rev()));
    (below, all - above)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bounds_are_those_of_the_binomial_distribution() {
        assert_eq!(bounds(1000, 4), (167, 340));
        // Strict turns are always within them, and so is nothing at all.
        for n in 2..7 {
            let (low, high) = bounds(64 * n, n);
            assert!(low < 64 && 64 < high && low > 16, "{n}: {low} {high}");
            assert_eq!(bounds(0, n), (0, 0));
        }
    }
}
