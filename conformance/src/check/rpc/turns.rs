//! The judge of shared procedures: whose turn it is, and how many calls a callee has at once.

use std::collections::BTreeMap;

use crate::check::Violation;
use crate::check::talk::{Ask, Invoked, Talk};
use crate::history::{Conn, History};
use crate::model::{Give, Policy, Request};

/// What changes the turns, in time.
enum Turn<'a> {
    Join(Conn),
    Leave(Conn),
    Call(&'a Invoked),
}

/// Whether each call went to the callee that the policy names.
pub(super) fn judge(history: &History) -> Vec<Violation> {
    let talk = Talk::of(history);
    let mut violations = policies(&talk);
    let Some(policy) = policy(&talk) else { return violations };
    let mut members: Vec<Conn> = Vec::new();
    let mut window: Vec<Conn> = Vec::new();
    for (_, turn) in turns(&talk, policy) {
        match turn {
            Turn::Join(conn) => members.push(conn),
            Turn::Leave(conn) => members.retain(|member| *member != conn),
            Turn::Call(invoked) => {
                window.push(invoked.callee);
                if let Some(text) = wrong(policy, &members, &window) {
                    // The same fact under the rule of WAMP and that of all dialects.
                    violations.push(Violation::safety("REQ-WAMP-045", text.clone()));
                    violations.push(Violation::safety("REQ-RPC-008", text));
                }
                continue;
            }
        }
        window.clear();
    }
    violations
}

/// The policy of the first registration.
fn policy(talk: &Talk) -> Option<Policy> {
    let registered = talk.asks.values().filter(|ask| ask.granted().is_some());
    registered.filter_map(|ask| Some((ask.at, registers(ask)?))).min_by_key(|(at, _)| *at).map(|(_, p)| p)
}

fn registers(ask: &Ask) -> Option<Policy> {
    match &ask.request {
        Request::Register { policy, .. } => Some(*policy),
        _ => None,
    }
}

/// Members under one policy have one id; another policy is refused.
fn policies(talk: &Talk) -> Vec<Violation> {
    const OTHER: &str = "wamp.error.procedure_exists_with_different_invocation_policy";
    let mut violations = Vec::new();
    let Some(policy) = policy(talk) else { return violations };
    for ask in talk.asks.values() {
        let Some(of) = registers(ask) else { continue };
        let mut told = |text: String| violations.push(Violation::safety("REQ-WAMP-045", text));
        match (of == policy, ask.refused()) {
            (true, Some(uri)) => told(format!("{} was refused with {uri}", ask.text())),
            (false, None) if ask.granted().is_some() => {
                told(format!("{} was granted beside {policy:?}", ask.text()));
            }
            (false, Some(uri)) if uri != OTHER => told(format!("{} was refused with {uri}", ask.text())),
            _ => {}
        }
    }
    violations
}

fn turns(talk: &Talk, policy: Policy) -> Vec<(usize, Turn<'_>)> {
    let mut turns = Vec::new();
    for ask in talk.asks.values() {
        let Some((at, _)) = ask.granted() else { continue };
        match &ask.request {
            Request::Register { policy: of, .. } if *of == policy => turns.push((at, Turn::Join(ask.id.0))),
            Request::Unregister { .. } => turns.push((at, Turn::Leave(ask.id.0))),
            _ => {}
        }
    }
    turns.extend(talk.invoked.iter().map(|invoked| (invoked.at, Turn::Call(invoked))));
    turns.sort_by_key(|(at, _)| *at);
    turns
}

/// What is wrong with the last call since somebody came or went.
fn wrong(policy: Policy, members: &[Conn], window: &[Conn]) -> Option<String> {
    let callee = *window.last()?;
    let n = members.len();
    let expected = match policy {
        Policy::First => members.first().copied(),
        Policy::Last => members.last().copied(),
        // Nobody again before all others had their turn; then in the same order.
        Policy::RoundRobin if window.len() > n => window.get(window.len() - 1 - n).copied(),
        Policy::RoundRobin if window[..window.len() - 1].contains(&callee) => None,
        _ if members.contains(&callee) => Some(callee),
        _ => None,
    };
    (expected != Some(callee)).then(|| {
        let (members, window): (Vec<u32>, Vec<u32>) =
            (members.iter().map(|c| c.0).collect(), window.iter().map(|c| c.0).collect());
        format!("{policy:?} of {members:?}: the calls went to {window:?}")
    })
}

/// Whether a callee had more calls at once than it takes, and whether calls that waited kept their order.
pub(super) fn crowds(history: &History) -> Vec<Violation> {
    let talk = Talk::of(history);
    let mut violations = Vec::new();
    for ask in talk.asks.values() {
        let (Some((_, Some(id))), Request::Register { concurrency: Some(most), .. }) =
            (ask.granted(), &ask.request)
        else {
            continue;
        };
        let is_its = |invoked: &&Invoked| invoked.callee == ask.id.0 && invoked.registration == id;
        let all: Vec<&Invoked> = talk.invoked.iter().filter(is_its).collect();
        for (i, invoked) in all.iter().enumerate() {
            let open = all[..i].iter().filter(|before| answered(before).is_none_or(|at| at > invoked.at));
            let open = open.count() as u32;
            if open >= *most {
                let text = format!("{} takes {most} calls at once, and had {}", ask.id.0.0, open + 1);
                violations.push(Violation::safety("REQ-RPC-007", text.clone()));
                violations.push(Violation::safety("REQ-WAMP-046", text));
            }
        }
    }
    violations.extend(order(&talk));
    violations
}

/// When a callee gave its last answer.
fn answered(invoked: &Invoked) -> Option<usize> {
    invoked.gave.iter().find(|(_, _, give, _)| *give != Give::Progress).map(|(at, ..)| *at)
}

/// Of one caller to one callee, calls come in their order; and all are answered.
fn order(talk: &Talk) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut last: BTreeMap<(Conn, Conn), u32> = BTreeMap::new();
    for invoked in &talk.invoked {
        let Some(tag) = invoked.payload.tag() else { continue };
        let highest = last.entry((tag.conn, invoked.callee)).or_insert(tag.number);
        if tag.number < *highest {
            let text =
                format!("{} had call {} of {} after {highest}", invoked.callee.0, tag.number, tag.conn.0);
            violations.push(Violation::safety("REQ-WAMP-046", text));
        }
        *highest = (*highest).max(tag.number);
    }
    for ask in talk.asks.values().filter(|ask| matches!(ask.request, Request::Call { .. })) {
        if let Some(uri) = ask.refused() {
            violations.push(Violation::safety("REQ-WAMP-046", format!("{} failed with {uri}", ask.text())));
        }
    }
    violations
}
