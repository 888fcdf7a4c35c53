//! What WELCOME says.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::speech::Speech;
use super::words;
use crate::check::{Card, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::Line;
use crate::plan::{Plan, Step};
use crate::raw::wamp::{Serialization, Value, code};

/// Sessions whose ids lie all within such a distance were not drawn at random: of 2^53 numbers that happens once in
/// 2^29 times to two of them, and in a run nobody sees it.
const NEAR: u64 = 1 << 20;

/// The check of WELCOME.
#[derive(Clone, Copy, Debug)]
pub(super) struct Welcome;

/// How many sessions there are, and how they write.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Script(pub(super) Vec<Serialization>);

impl Family for Welcome {
    type Script = Script;

    fn card(&self) -> Card {
        Card {
            name: "wamp_session.welcome",
            about: "WELCOME says who the client is, what the router can, and a session id that nobody guesses.",
            requirements: &["REQ-WAMP-011", "REQ-LIVE-001"],
            caps: &["messages"],
            any_of: &[],
            weight: 25,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        prop::collection::vec(select(Serialization::ALL.to_vec()), 1..4).prop_map(Script).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        vec![Script(vec![Serialization::Json; 3])]
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let mut steps = Vec::new();
        for (conn, written) in (0..).map(Conn).zip(&script.0) {
            steps.extend([
                Step::Connect { conn, line: Line::of(*written) },
                Step::Tell { conn, messages: vec![words::hello()] },
                Step::Heed { conn, begins: vec![Value::Int(code::WELCOME)] },
            ]);
        }
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let (mut violations, mut ids) = (Vec::new(), Vec::new());
        for speech in (0..).map_while(|conn| Speech::of(history, Conn(conn))).filter(Speech::is_open) {
            let of = |said, kind| {
                let turn = speech.turns.iter().find(|turn| turn.is_said == said && turn.kind() == Some(kind));
                turn.and_then(|turn| turn.items.as_deref())
            };
            let Some([_, realm, ..]) = of(true, code::HELLO) else { continue };
            let Some(welcome) = of(false, code::WELCOME) else {
                violations.push(Violation::liveness("REQ-LIVE-001", "HELLO was not answered by WELCOME"));
                continue;
            };
            let wrong = wrong(welcome, realm);
            ids.extend(welcome.get(1).and_then(Value::id));
            violations.extend(wrong.map(|what| Violation::safety("REQ-WAMP-011", what)));
        }
        let near = |pair: &[u64]| pair[0].abs_diff(pair[1]) < NEAR;
        if ids.len() >= 3 && ids.windows(2).all(near) {
            let text = format!("the session ids {ids:?} are not drawn at random");
            violations.push(Violation::safety("REQ-WAMP-011", text));
        }
        violations
    }
}

/// What WELCOME lacks.
fn wrong(welcome: &[Value], realm: &Value) -> Option<String> {
    let [_, id, details] = welcome else { return Some(format!("WELCOME has {} items", welcome.len())) };
    if id.id().is_none() {
        return Some(format!("the session id is {id:?}"));
    }
    if details.at("realm") != Some(realm) {
        return Some(format!("the realm is {:?}, not {realm:?}", details.at("realm")));
    }
    let names = ["authid", "authrole", "authmethod", "authprovider"];
    let no_text = |name: &&str| details.at(name).and_then(Value::text).is_none();
    if let Some(name) = names.iter().find(|name| no_text(name)) {
        return Some(format!("`{name}` is {:?}", details.at(name)));
    }
    let roles = details.at("roles");
    let is_role = |role: &str| matches!(roles.and_then(|roles| roles.at(role)), Some(Value::Map(_)));
    let lacks = ["broker", "dealer"].into_iter().find(|role| !is_role(role));
    lacks.map(|role| format!("there is no role `{role}`"))
}
