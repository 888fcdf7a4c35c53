//! Acknowledged publications: answered if and only if that was asked for, and never delivered when they were refused.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::talk::{Ask, Talk};
use super::{Card, Check, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::{Answer, Door, Match, Publish, Request, Role, Topic};
use crate::plan::{Plan, Step};

/// Names of topics, then names that are none (WAMP, URIs).
const NAMES: [&str; 7] = ["a", "a.b", "b", "a..b", "a b", "a#b", "a."];

/// How many of them are names.
const GOOD: usize = 3;

/// Who hears everything.
const WITNESS: Conn = Conn(0);

/// The refusal of a name that is none.
const INVALID: &str = "wamp.error.invalid_uri";

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(Acknowledged)]
}

/// Publications of all kinds, under names of all kinds.
#[derive(Clone, Copy, Debug)]
pub struct Acknowledged;

/// Which of two publishers, under which name, and whether an answer is wanted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script(Vec<(usize, usize, bool)>);

impl Family for Acknowledged {
    type Script = Script;

    fn card(&self) -> Card {
        Card {
            name: "ack.publish",
            about: "Publications are answered if that is asked for, and heard if they are not refused.",
            requirements: &[
                "REQ-ACK-001",
                "REQ-WAMP-001",
                "REQ-WAMP-002",
                "REQ-WAMP-005",
                "REQ-WAMP-009",
                "REQ-WAMP-020",
                "REQ-LIVE-001",
            ],
            caps: &["publish.ack", "pubsub"],
            any_of: &[],
            weight: 60,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let name = prop_oneof![3 => 0..GOOD, 1 => GOOD..NAMES.len()];
        prop::collection::vec((0..2_usize, name, any::<bool>()), 1..8).prop_map(Script).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        vec![Script(vec![
            (0, 0, true),
            (0, 3, true),
            (1, 1, false),
            (1, 4, false),
            (0, 5, true),
            (1, 2, true),
        ])]
    }

    fn plan(&self, script: &Script, params: &Params) -> Plan {
        let session = |conn| Step::open(conn, Door::new(Role::Session, Topic::new("")));
        let mut steps = vec![session(WITNESS), session(Conn(1)), session(Conn(2))];
        let subscribe = |topic: &str, matching| Request::Subscribe { topic: topic.to_owned(), matching };
        let subscriptions = if params.patterns.hierarchy {
            vec![subscribe("", Match::Prefix)]
        } else {
            NAMES[..GOOD].iter().map(|name| subscribe(name, Match::Exact)).collect()
        };
        for (number, request) in (0..).zip(subscriptions) {
            steps.extend([Step::ask(WITNESS, request), Step::AwaitAnswer { conn: WITNESS, number }]);
        }
        let mut asked = [0; 2];
        let mut waits = Vec::new();
        for &(who, name, acknowledge) in &script.0 {
            let conn = Conn(1 + (who % 2) as u32);
            let topic = NAMES[name % NAMES.len()].to_owned();
            steps.push(Step::ask(
                conn,
                Request::Publish(Publish { topic, acknowledge, ..Publish::default() }),
            ));
            if acknowledge {
                waits.push(Step::AwaitAnswer { conn, number: asked[who % 2] });
            }
            asked[who % 2] += 1;
        }
        steps.extend(waits);
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let talk = Talk::of(history);
        let mut violations = talk.basics("REQ-ACK-001");
        ended_for_names(&talk, &mut violations);
        for ask in talk.asks.values() {
            if let Request::Publish(publish) = &ask.request {
                violations.extend(answered(&talk, ask, publish));
                violations.extend(heard(&talk, ask, publish));
            }
        }
        violations
    }
}

fn is_name(topic: &str) -> bool {
    !topic.contains([' ', '#']) && topic.split('.').all(|component| !component.is_empty())
}

/// Who says a name that is none is to be refused, not sent away.
fn ended_for_names(talk: &Talk, violations: &mut Vec<Violation>) {
    let says_none = |conn: Conn| {
        talk.asks
            .values()
            .filter(|ask| ask.id.0 == conn)
            .any(|ask| matches!(&ask.request, Request::Publish(publish) if !is_name(&publish.topic)))
    };
    let sent_away: Vec<Conn> =
        talk.ledger.members.values().filter(|m| m.ended.is_some()).map(|m| m.conn).collect();
    if sent_away.iter().any(|conn| says_none(*conn)) {
        violations.retain(|violation| violation.requirement != "REQ-LIVE-001");
        let text = format!("{sent_away:?} said a name that is none, and the session was ended for it");
        violations.push(Violation::safety("REQ-WAMP-005", text));
    }
}

/// What is wrong with the answer of a publication.
fn answered(talk: &Talk, ask: &Ask, publish: &Publish) -> Vec<Violation> {
    let text = ask.text();
    let is_there = talk.gone(ask.id.0).is_none();
    let safety = |rule, what: &str| vec![Violation::safety(rule, format!("{text} {what}"))];
    match ask.last() {
        Some(_) if !publish.acknowledge => safety("REQ-WAMP-009", "asked for no answer and has one"),
        None if publish.acknowledge && is_there => {
            vec![Violation::liveness("REQ-ACK-001", format!("{text} has no answer"))]
        }
        Some((_, Answer::Granted { .. })) if !is_name(&publish.topic) => {
            safety("REQ-WAMP-005", "names no topic and was acknowledged")
        }
        Some((_, Answer::Refused { uri, .. })) if is_name(&publish.topic) => {
            safety("REQ-ACK-001", &format!("was refused with {uri}"))
        }
        Some((_, Answer::Refused { uri, .. })) if uri != INVALID => {
            safety("REQ-WAMP-005", &format!("was refused with {uri}, not {INVALID}"))
        }
        _ => Vec::new(),
    }
}

/// What is wrong with what the witness heard of it.
fn heard(talk: &Talk, ask: &Ask, publish: &Publish) -> Vec<Violation> {
    let is_its = |payload| talk.ask_of(payload).is_some_and(|of| of.id == ask.id);
    let events: Vec<_> =
        talk.heard.iter().filter(|heard| heard.by == WITNESS && is_its(&heard.payload)).collect();
    let text = ask.text();
    let mut violations = Vec::new();
    let mut safety = |rule, what: String| violations.push(Violation::safety(rule, format!("{text} {what}")));
    if events.len() > 1 {
        safety("REQ-WAMP-020", format!("was heard {} times", events.len()));
    }
    if ask.refused().is_some() && !events.is_empty() {
        safety("REQ-ACK-001", "was refused and is delivered".to_owned());
    }
    if ask.last().is_none() && !is_name(&publish.topic) && !events.is_empty() {
        safety("REQ-WAMP-005", "names no topic and was delivered".to_owned());
    }
    if let (Some((_, Some(id))), Some(event)) = (ask.granted(), events.first())
        && event.publication != id
    {
        safety(
            "REQ-WAMP-020",
            format!("is publication {id} to its publisher, {} to others", event.publication),
        );
    }
    let is_due = is_name(&publish.topic) && ask.refused().is_none();
    if is_due && events.is_empty() && talk.gone(ask.id.0).is_none() {
        let rule = if ask.granted().is_some() { "REQ-ACK-001" } else { "REQ-WAMP-020" };
        violations.push(Violation::liveness(rule, format!("{text} was not heard")));
    }
    violations
}
