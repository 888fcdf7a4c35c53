//! Two realms, which share nothing.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::speech::{Speech, Turn};
use super::words;
use crate::check::{Card, Family, Params, Violation};
use crate::history::{Conn, History};
use crate::model::{Item, Line, Message};
use crate::plan::{Plan, Step};
use crate::raw::wamp::{Value, code};

/// How many clients there are: every second one is in the other realm.
const CLIENTS: usize = 4;

/// The check of realms.
#[derive(Clone, Copy, Debug)]
pub(super) struct Realms;

/// What a client does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Op {
    /// Subscribes to the topic.
    Sub(usize),
    /// Publishes to it.
    Pub(usize),
    /// Registers the procedure, once for each realm.
    Reg(usize),
    /// Calls it.
    Call(usize),
}

impl Family for Realms {
    type Script = Vec<Op>;

    fn card(&self) -> Card {
        Card {
            name: "wamp_session.realms",
            about: "Neither events nor calls go from one realm to another, and names in one are free in the other.",
            requirements: &["REQ-WAMP-016", "REQ-LIVE-001"],
            caps: &["messages", "realms", "rpc"],
            any_of: &[],
            weight: 50,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Vec<Op>> {
        let who = || 0..CLIENTS;
        let op = prop_oneof![
            who().prop_map(Op::Sub),
            who().prop_map(Op::Pub),
            who().prop_map(Op::Reg),
            who().prop_map(Op::Call)
        ];
        prop::collection::vec(op, 1..8).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Vec<Op>> {
        vec![
            vec![Op::Sub(0), Op::Sub(1), Op::Pub(0), Op::Pub(3)],
            vec![Op::Reg(0), Op::Call(1), Op::Reg(1), Op::Call(3), Op::Call(2)],
        ]
    }

    fn plan(&self, script: &Vec<Op>, _: &Params) -> Plan {
        let mut lowering = Lowering { steps: Vec::new(), numbers: [0; CLIENTS], taken: [false; 2] };
        for who in 0..CLIENTS {
            let (conn, line) = (Conn(who as u32), Line { elsewhere: is_elsewhere(who), ..Line::default() });
            lowering.steps.push(Step::Connect { conn, line });
            lowering.tell(who, words::hello(), &[Value::Int(code::WELCOME)]);
        }
        for op in script {
            lowering.op(*op);
        }
        // What was sent to anybody comes before the answer to a mark.
        (0..CLIENTS).for_each(|who| lowering.mark(who));
        Plan::new(lowering.steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let mut violations = Vec::new();
        for who in 0..CLIENTS {
            let Some(speech) = Speech::of(history, Conn(who as u32)) else { continue };
            let heard = speech.turns.iter().filter(|turn| !turn.is_said);
            violations.extend(heard.filter_map(|turn| stray(who, turn)));
            if let Some(code) = speech.end {
                violations.push(Violation::safety("REQ-LIVE-001", format!("{who} was ended with {code:?}")));
            }
        }
        violations
    }
}

fn is_elsewhere(who: usize) -> bool {
    who % 2 == 1
}

/// What came from the other realm.
fn stray(who: usize, turn: &Turn<'_>) -> Option<Violation> {
    let items = turn.items.as_deref()?;
    let args = match items {
        [Value::Int(code::EVENT | code::INVOCATION), _, _, _, args, ..]
        | [Value::Int(code::RESULT), _, _, args, ..] => args,
        [Value::Int(code::ERROR), Value::Int(code::REGISTER), ..] => {
            let text = format!("{who} may not register what nobody of its realm has: {}", turn.text());
            return Some(Violation::safety("REQ-WAMP-016", text));
        }
        _ => return None,
    };
    let from = args.items().and_then(|items| items.first()?.int());
    let is_own = from.is_some_and(|from| from.rem_euclid(2) == (who % 2) as i128);
    let text = format!("{who} got what is of the other realm: {}", turn.text());
    (!is_own).then(|| Violation::safety("REQ-WAMP-016", text))
}

struct Lowering {
    steps: Vec<Step>,
    numbers: [u64; CLIENTS],
    /// The realms in which the procedure is registered.
    taken: [bool; 2],
}

impl Lowering {
    fn op(&mut self, op: Op) {
        let (Op::Sub(who) | Op::Pub(who) | Op::Reg(who) | Op::Call(who)) = op;
        let who = who % CLIENTS;
        if matches!(op, Op::Reg(_)) && std::mem::replace(&mut self.taken[who % 2], true) {
            return;
        }
        let number = self.number(who);
        let options = |acknowledge: bool| {
            Item::from(Value::map(acknowledge.then_some(("acknowledge", Value::from(true)))))
        };
        let args = Item::from(Value::List(vec![Value::Int(who as i128)]));
        let say = |kind, acknowledge, name, args: Option<Item>| {
            let fixed = [number.clone(), options(acknowledge), words::name(name)];
            Message::new(kind, fixed.into_iter().chain(args))
        };
        let message = match op {
            Op::Sub(_) => say(code::SUBSCRIBE, false, "t", None),
            Op::Pub(_) => say(code::PUBLISH, true, "t", Some(args)),
            Op::Reg(_) => say(code::REGISTER, false, "p", None),
            // Who is called answers nothing: that it is called is what counts.
            Op::Call(_) => say(code::CALL, false, "p", Some(args)),
        };
        self.steps.push(Step::Tell { conn: Conn(who as u32), messages: vec![message] });
        self.mark(who);
    }

    /// A message whose answer comes behind all that was sent before.
    fn mark(&mut self, who: usize) {
        self.number(who);
        let number = self.numbers[who];
        self.tell(who, words::mark(number), &[Value::Int(code::PUBLISHED), number.into()]);
    }

    fn number(&mut self, who: usize) -> Item {
        self.numbers[who] += 1;
        self.numbers[who].into()
    }

    fn tell(&mut self, who: usize, message: Message, begins: &[Value]) {
        let conn = Conn(who as u32);
        self.steps.push(Step::Tell { conn, messages: vec![message] });
        self.steps.push(Step::Heed { conn, begins: begins.to_vec() });
    }
}
