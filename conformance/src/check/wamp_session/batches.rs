//! Several messages in one of the WebSocket's.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::speech::Speech;
use super::{SPEAKER, judge, words};
use crate::check::{Card, Family, Params, Violation};
use crate::history::History;
use crate::model::Line;
use crate::plan::{Plan, Step};
use crate::raw::wamp::{Serialization, Value, code};

/// The check of batches.
#[derive(Clone, Copy, Debug)]
pub(super) struct Batches;

/// How messages are written, and how many requests of the list are in each batch.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Script {
    pub(super) written: Serialization,
    pub(super) batches: Vec<Vec<usize>>,
}

impl Family for Batches {
    type Script = Script;

    fn card(&self) -> Card {
        Card {
            name: "wamp_session.batches",
            about: "A batch holds any number of messages, and each of them is answered.",
            requirements: &["REQ-WAMP-085"],
            caps: &["messages", "transport.batched"],
            any_of: &[],
            weight: 50,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let batch = prop::collection::vec(0..9_usize, 0..6);
        (select(Serialization::ALL.to_vec()), prop::collection::vec(batch, 1..4))
            .prop_map(|(written, batches)| Script { written, batches })
            .boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Script> {
        let batches = vec![vec![0, 1, 3], vec![2], vec![3; 20]];
        Serialization::ALL.map(|written| Script { written, batches: batches.clone() }).to_vec()
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let line = Line { batched: true, ..Line::of(script.written) };
        let mut steps = vec![Step::Connect { conn: SPEAKER, line }];
        let mut number = 0;
        let mut tell = |messages, begins: [Value; 2], length| {
            steps.push(Step::Tell { conn: SPEAKER, messages });
            steps.push(Step::Heed { conn: SPEAKER, begins: begins[..length].to_vec() });
        };
        tell(vec![words::hello()], [Value::Int(code::WELCOME), Value::Null], 1);
        for batch in &script.batches {
            let mut messages = Vec::new();
            for which in batch {
                number += 1;
                messages.push(words::request(*which, number));
            }
            number += 1;
            messages.push(words::mark(number));
            tell(messages, [Value::Int(code::PUBLISHED), number.into()], 2);
        }
        Plan::new(steps)
    }

    /// Whatever is wrong with answers here is right without batches, or is found there.
    fn judge(&self, history: &History) -> Vec<Violation> {
        let Some(speech) = Speech::of(history, SPEAKER) else { return Vec::new() };
        if let Some(answer) = speech.answer.filter(|answer| answer.status != 101) {
            let text = format!("the subprotocol with batches was answered {}", answer.status);
            return vec![Violation::safety("REQ-WAMP-085", text)];
        }
        let is_lost = |violation: &Violation| {
            matches!(violation.requirement, "REQ-LIVE-001" | "REQ-WAMP-011" | "REQ-WAMP-001")
        };
        let mut violations = judge::judge(history);
        violations.retain(is_lost);
        for violation in &mut violations {
            violation.requirement = "REQ-WAMP-085";
        }
        violations
    }
}
