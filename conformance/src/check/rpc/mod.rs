//! Calls: one callee each, one answer each, for the caller alone.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::{Card, Check, Family, Params, Violation};
use crate::history::{Conn, History, Leave};
use crate::model::{Door, Give, Match, Policy, Request, Role, Topic};
use crate::plan::{Plan, Step};

mod judge;
mod shared;
mod turns;
mod ways;

/// The procedures.
const PROCEDURES: [&str; 3] = ["p", "p.q", "pq"];

/// How many sessions there are.
const SESSIONS: usize = 4;

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    let ways = ways::checks();
    let shared = shared::checks();
    [Box::new(Calls) as Box<dyn Check>].into_iter().chain(ways).chain(shared).collect()
}

/// Callees and callers who come, call and go.
#[derive(Clone, Copy, Debug)]
pub struct Calls;

/// What is done; sessions are named by their number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// Registers a procedure.
    Register(usize, usize),
    /// Takes back one of its registrations; one that nobody has, if it has none.
    Unregister(usize, usize),
    /// Calls, and is answered: with the result, or with an error.
    Call(usize, usize, bool),
    /// Calls, and is answered later.
    Hold(usize, usize),
    /// The oldest call that is held is answered.
    Finish,
    /// Leaves.
    Leave(usize),
    /// Is gone without a word.
    Vanish(usize),
}

impl Family for Calls {
    type Script = Vec<Op>;

    fn card(&self) -> Card {
        Card {
            name: "rpc.calls",
            about: "A call has one callee and one answer, whoever comes and goes.",
            requirements: judge::REQUIREMENTS,
            caps: &["rpc"],
            any_of: &[],
            weight: 100,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Vec<Op>> {
        let who = || 0..SESSIONS;
        let procedure = || prop_oneof![3 => Just(0_usize), 1 => 0..PROCEDURES.len()];
        let op = prop_oneof![
            4 => (who(), procedure()).prop_map(|(who, procedure)| Op::Register(who, procedure)),
            1 => (who(), 0..3_usize).prop_map(|(who, nth)| Op::Unregister(who, nth)),
            4 => (who(), procedure(), any::<bool>()).prop_map(|(who, p, ok)| Op::Call(who, p, ok)),
            3 => (who(), procedure()).prop_map(|(who, procedure)| Op::Hold(who, procedure)),
            1 => Just(Op::Finish),
            1 => who().prop_map(Op::Leave),
            1 => who().prop_map(Op::Vanish),
        ];
        prop::collection::vec(op, 1..12).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Vec<Op>> {
        vec![
            vec![Op::Register(0, 0), Op::Call(1, 0, true), Op::Call(2, 0, false), Op::Call(0, 0, true)],
            vec![Op::Call(0, 0, true), Op::Register(0, 0), Op::Register(1, 0), Op::Call(2, 0, true)],
            vec![Op::Register(0, 0), Op::Unregister(0, 0), Op::Register(1, 0), Op::Call(2, 0, true)],
            vec![Op::Register(0, 0), Op::Hold(1, 0), Op::Hold(2, 0), Op::Vanish(0)],
            vec![Op::Register(0, 0), Op::Hold(1, 0), Op::Unregister(0, 0), Op::Call(2, 0, true), Op::Finish],
            vec![Op::Register(0, 0), Op::Hold(1, 0), Op::Leave(0), Op::Call(1, 0, true)],
            vec![Op::Register(0, 0), Op::Hold(1, 0), Op::Hold(2, 0), Op::Leave(1), Op::Finish, Op::Finish],
        ]
    }

    fn plan(&self, script: &Vec<Op>, _: &Params) -> Plan {
        let mut lowering = Lowering::new(SESSIONS);
        for op in script {
            lowering.op(op);
        }
        Plan::new(lowering.finished())
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        judge::judge(history)
    }
}

/// Steps of calls.
struct Lowering {
    steps: Vec<Step>,
    asked: Vec<u32>,
    /// The requests of each session that register.
    registered: Vec<Vec<u32>>,
    gone: Vec<bool>,
    /// The calls that are not answered yet.
    held: Vec<(Conn, u32)>,
    /// All calls.
    calls: Vec<(Conn, u32)>,
}

impl Lowering {
    fn new(sessions: usize) -> Self {
        let session = |conn| Step::open(Conn(conn as u32), Door::new(Role::Session, Topic::new("")));
        Self {
            steps: (0..sessions).map(session).collect(),
            asked: vec![0; sessions],
            registered: vec![Vec::new(); sessions],
            gone: vec![false; sessions],
            held: Vec::new(),
            calls: Vec::new(),
        }
    }

    fn op(&mut self, op: &Op) {
        match *op {
            Op::Register(who, procedure) => self.register(who, procedure, Policy::Single, None),
            Op::Unregister(who, nth) => {
                let who = who % self.asked.len();
                let mine = &self.registered[who];
                // A request of this number was never made.
                let of = mine.get(nth % mine.len().max(1)).copied().unwrap_or(u32::MAX);
                self.ask_and_wait(who, Request::Unregister { of });
            }
            Op::Call(who, procedure, succeeds) => {
                let Some(call) = self.call(who, procedure, false, None) else { return };
                self.serve(call, &[if succeeds { Give::Result } else { Give::Error }]);
                self.steps.push(Step::AwaitAnswer { conn: call.0, number: call.1 });
            }
            Op::Hold(who, procedure) => {
                let Some(call) = self.call(who, procedure, false, None) else { return };
                // Until it has reached its callee.
                self.serve(call, &[]);
                self.held.push(call);
            }
            Op::Finish if self.held.is_empty() => {}
            Op::Finish => {
                let call = self.held.remove(0);
                self.serve(call, &[Give::Result]);
            }
            Op::Leave(who) => self.part(who, Leave::Handshake),
            Op::Vanish(who) => self.part(who, Leave::Abrupt),
        }
    }

    fn register(&mut self, who: usize, procedure: usize, policy: Policy, concurrency: Option<u32>) {
        let who = who % self.asked.len();
        let procedure = PROCEDURES[procedure % PROCEDURES.len()].to_owned();
        let request = Request::Register { procedure, matching: Match::Exact, policy, concurrency };
        if let Some(number) = self.ask_and_wait(who, request) {
            self.registered[who].push(number);
        }
    }

    fn call(
        &mut self,
        who: usize,
        procedure: usize,
        progress: bool,
        timeout_ms: Option<u64>,
    ) -> Option<(Conn, u32)> {
        let who = who % self.asked.len();
        let procedure = PROCEDURES[procedure % PROCEDURES.len()].to_owned();
        let number = self.ask(who, Request::Call { procedure, progress, timeout_ms })?;
        let call = (Conn(who as u32), number);
        self.calls.push(call);
        Some(call)
    }

    fn serve(&mut self, (caller, number): (Conn, u32), gives: &[Give]) {
        self.steps.push(Step::Serve { caller, number, gives: gives.to_vec() });
    }

    fn part(&mut self, who: usize, how: Leave) {
        let who = who % self.asked.len();
        // Somebody has to stay.
        if self.gone[who] || self.gone.iter().filter(|gone| !**gone).count() < 2 {
            return;
        }
        self.gone[who] = true;
        self.steps.push(Step::Leave { conn: Conn(who as u32), how });
    }

    fn ask_and_wait(&mut self, who: usize, request: Request) -> Option<u32> {
        let number = self.ask(who, request)?;
        self.steps.push(Step::AwaitAnswer { conn: Conn(who as u32), number });
        Some(number)
    }

    /// Who is gone asks for nothing.
    fn ask(&mut self, who: usize, request: Request) -> Option<u32> {
        if self.gone[who] {
            return None;
        }
        self.steps.push(Step::ask(Conn(who as u32), request));
        self.asked[who] += 1;
        Some(self.asked[who] - 1)
    }

    /// All that is held is answered, and all answers are waited for.
    fn finished(mut self) -> Vec<Step> {
        for call in std::mem::take(&mut self.held) {
            self.serve(call, &[Give::Result]);
        }
        for &(conn, number) in &self.calls {
            self.steps.push(Step::AwaitAnswer { conn, number });
        }
        self.steps
    }
}
