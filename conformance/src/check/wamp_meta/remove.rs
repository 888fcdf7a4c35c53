//! Members that another takes out.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::{differs, looks, told};
use crate::check::asking::{Asking, conn_of};
use crate::check::talk::{Ask, Talk};
use crate::check::{Card, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::{Calling, Give, Group, Look, Match, Of, Policy, Publish, Request};
use crate::plan::{Awaited, Plan, Step};

const NAME: &str = "taken";

const REASON: &str = "com.example.out";

/// The check. Session 0 takes out others, which are members.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remove {
    pub(super) kind: Group,
}

/// The members: whether each announces that it understands being taken out; and who is taken out.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Script {
    announces: Vec<bool>,
    out: Vec<usize>,
}

impl Family for Remove {
    type Script = Script;

    fn card(&self) -> Card {
        let (name, about, requirements, caps): (_, _, &[&str], &[&str]) = match self.kind {
            Group::Subscription => (
                "wamp_meta.unsubscribed",
                "A subscriber that is taken out hears nothing more, and is told if it understands that.",
                &["REQ-WAMP-030"],
                &["meta.subscriptions.remove", "meta.subscriptions"],
            ),
            Group::Registration => (
                "wamp_meta.unregistered",
                "A callee that is taken out is called no more, and is told if it understands that.",
                &["REQ-WAMP-055"],
                &["meta.registrations.remove", "meta.registrations", "rpc.shared"],
            ),
        };
        Card { name, about, requirements, caps, any_of: &[], weight: 30 }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        (prop::collection::vec(any::<bool>(), 1..4), prop::collection::vec(0..3_usize, 1..4))
            .prop_map(|(announces, out)| Script { announces, out })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        let script =
            |announces: &[bool], out: &[usize]| Script { announces: announces.to_vec(), out: out.to_vec() };
        vec![script(&[true, false], &[0, 1]), script(&[false, true, true], &[0, 2])]
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let modest: Vec<bool> = [false].into_iter().chain(script.announces.iter().map(|one| !one)).collect();
        let n = script.announces.len();
        let mut asking = Asking::with(&modest);
        let mut by = Vec::new();
        for who in 1..=n {
            let name = NAME.to_owned();
            by.push(asking.ask_and_wait(
                who,
                match self.kind {
                    Group::Subscription => Request::Subscribe { topic: name, matching: Match::Exact },
                    Group::Registration => {
                        let (matching, policy) = (Match::Exact, Policy::RoundRobin);
                        Request::Register { procedure: name, matching, policy, concurrency: None }
                    }
                },
            ));
        }
        let mut is_out = vec![false; n];
        for &who in &script.out {
            let who = who % n;
            if std::mem::replace(&mut is_out[who], true) {
                continue;
            }
            let (conn, of) = (conn_of(1 + who), Of { conn: conn_of(1 + who), number: by[who] });
            let look = Look::Remove(self.kind, of, conn, REASON.to_owned());
            asking.ask_and_wait(0, Request::Look(look));
            // Only who understands it can be waited for: of the others it is known by no sign when they are out.
            if script.announces[who] {
                asking.steps.push(Step::AwaitNotice { conn, awaited: Awaited::Revoked });
            }
            self.try_all(&mut asking, is_out.iter().filter(|out| !**out).count());
        }
        asking.plan()
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let talk = Talk::of(history);
        let rule = match self.kind {
            Group::Subscription => "REQ-WAMP-030",
            Group::Registration => "REQ-WAMP-055",
        };
        let mut violations = Vec::new();
        let mut told_out: Vec<(Conn, u64)> = Vec::new();
        for (ask, look) in looks(&talk) {
            let Look::Remove(_, of, whom, _) = look else { continue };
            let id = talk.asks.get(&(of.conn, of.number)).and_then(Ask::granted).and_then(|(_, id)| id);
            if told(ask).is_none() {
                let is_silent = ask.last().is_none();
                let told = if is_silent { Violation::liveness } else { Violation::safety };
                violations.push(told(rule, differs(ask, "that it is so")));
                continue;
            }
            told_out.push((*whom, id.unwrap_or_default()));
        }
        for conn in talk.sessions.keys() {
            let out = told_out.iter().find(|(whom, _)| whom == conn);
            violations.extend(one(&talk, self.kind, rule, *conn, out.map(|(_, id)| *id)));
        }
        violations
    }
}

impl Remove {
    /// Something for all members, so that it shows who they are.
    fn try_all(self, asking: &mut Asking, members: usize) {
        match self.kind {
            Group::Subscription => {
                let topic = NAME.to_owned();
                asking.ask(0, Request::Publish(Publish { topic, ..Publish::default() }));
                asking.steps.push(Step::Flush);
            }
            Group::Registration => {
                for _ in 0..members.max(1) {
                    let calling = Calling { procedure: NAME.to_owned(), ..Calling::default() };
                    let number = asking.ask(0, Request::CallWith(calling));
                    asking.serve(0, number, &[Give::Result]);
                    asking.wait(0, number);
                }
            }
        }
    }
}

/// Whether somebody who is out is told so, and reached no more; and nobody else is told.
fn one(talk: &Talk, kind: Group, rule: &'static str, conn: Conn, out: Option<u64>) -> Option<Violation> {
    let is_modest = talk.ledger.members.get(&conn).is_some_and(|member| member.door.modest);
    let told: Vec<_> =
        talk.revoked.iter().filter(|revoked| revoked.by == conn && revoked.group == kind).collect();
    let who = conn.0;
    let safety = |what: String| Some(Violation::safety(rule, format!("{who} {what}")));
    let Some(id) = out else {
        return if told.is_empty() { None } else { safety("was told to be out, and is not".to_owned()) };
    };
    match told.first() {
        Some(_) if is_modest => {
            return safety("was told to be out, and did not announce that it understands".to_owned());
        }
        Some(_) if told.len() > 1 => return safety("was told twice to be out".to_owned()),
        Some(revoked) if revoked.id != id || revoked.reason.as_deref() != Some(REASON) => {
            return safety(format!(
                "was told to be out of {} for {:?}, not of {id}",
                revoked.id, revoked.reason
            ));
        }
        None if !is_modest => {
            return Some(Violation::liveness(rule, format!("{who} was not told to be out")));
        }
        _ => {}
    }
    let since = told.first()?.at;
    let heard =
        talk.heard.iter().any(|heard| heard.by == conn && heard.at > since && heard.subscription == id);
    let called =
        talk.invoked.iter().any(|one| one.callee == conn && one.at > since && one.registration == id);
    let is_reached = match kind {
        Group::Subscription => heard,
        Group::Registration => called,
    };
    if is_reached { safety("was reached after it was told to be out".to_owned()) } else { None }
}
