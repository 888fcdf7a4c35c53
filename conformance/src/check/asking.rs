//! Steps of sessions that ask: numbers are counted, and changes are waited for.

use crate::history::Conn;
use crate::model::{Door, Give, Request, Role, Topic};
use crate::plan::{Plan, Step};

/// Sessions, and what they asked for so far.
pub(super) struct Asking {
    pub(super) steps: Vec<Step>,
    asked: Vec<u32>,
}

impl Asking {
    /// So many sessions, from 0.
    pub(super) fn new(sessions: usize) -> Self {
        Self::with(&vec![false; sessions])
    }

    /// Sessions, of which some understand nothing but the basics.
    pub(super) fn with(modest: &[bool]) -> Self {
        let mut asking = Self { steps: Vec::new(), asked: Vec::new() };
        for &modest in modest {
            asking.open(modest);
        }
        asking
    }

    /// One more; its number.
    pub(super) fn open(&mut self, modest: bool) -> usize {
        let conn = self.asked.len();
        let door = Door { modest, ..Door::new(Role::Session, Topic::new("")) };
        self.steps.push(Step::open(conn_of(conn), door));
        self.asked.push(0);
        conn
    }

    /// How many sessions there are.
    pub(super) fn len(&self) -> usize {
        self.asked.len()
    }

    /// The number that the next request of a session has.
    pub(super) fn next(&self, who: usize) -> u32 {
        self.asked[who]
    }

    /// Asks, and does not wait; the number of the request.
    pub(super) fn ask(&mut self, who: usize, request: Request) -> u32 {
        self.steps.push(Step::ask(conn_of(who), request));
        self.asked[who] += 1;
        self.asked[who] - 1
    }

    /// Asks, and waits for the answer.
    pub(super) fn ask_and_wait(&mut self, who: usize, request: Request) -> u32 {
        let number = self.ask(who, request);
        self.wait(who, number);
        number
    }

    /// Waits for an answer.
    pub(super) fn wait(&mut self, who: usize, number: u32) {
        self.steps.push(Step::AwaitAnswer { conn: conn_of(who), number });
    }

    /// Whoever is called answers.
    pub(super) fn serve(&mut self, caller: usize, number: u32, gives: &[Give]) {
        self.steps.push(Step::Serve { caller: conn_of(caller), number, gives: gives.to_vec() });
    }

    /// All of it.
    pub(super) fn plan(self) -> Plan {
        Plan::new(self.steps)
    }
}

/// The connection of a session.
pub(super) fn conn_of(who: usize) -> Conn {
    Conn(u32::try_from(who).expect("there are few sessions"))
}
