//! A history of requests put in order: what was asked and answered, which events came, and who was called. It judges
//! only what holds for every request.

use std::collections::BTreeMap;

use super::ledger::Ledger;
use super::{Violation, delivery};
use crate::history::{Conn, Fault, History, What};
use crate::model::{Answer, Give, Group, Identity, Notice, Payload, Request};

/// Who asked, and the number of the request.
pub(super) type AskId = (Conn, u32);

/// A request.
pub(super) struct Ask {
    pub(super) id: AskId,
    pub(super) request: Request,
    pub(super) payload: Payload,
    /// When.
    pub(super) at: usize,
    /// In order, and when.
    pub(super) answers: Vec<(usize, Answer)>,
}

/// An event that came.
pub(super) struct Heard {
    pub(super) by: Conn,
    pub(super) at: usize,
    pub(super) subscription: u64,
    pub(super) publication: u64,
    pub(super) topic: Option<String>,
    pub(super) publisher: Option<u64>,
    pub(super) payload: Payload,
}

/// A call that reached somebody.
pub(super) struct Invoked {
    pub(super) callee: Conn,
    pub(super) at: usize,
    pub(super) invocation: u64,
    pub(super) registration: u64,
    pub(super) progress: bool,
    pub(super) procedure: Option<String>,
    pub(super) more: bool,
    pub(super) caller: Option<Identity>,
    pub(super) payload: Payload,
    /// What was answered, and when.
    pub(super) gave: Vec<(usize, u32, Give, Payload)>,
    /// When it was taken back.
    pub(super) interrupted: Option<usize>,
}

/// Somebody was told that it was taken out of a group.
pub(super) struct Revoked {
    pub(super) by: Conn,
    pub(super) at: usize,
    pub(super) group: Group,
    pub(super) id: u64,
    pub(super) reason: Option<String>,
}

/// The history in order.
pub(super) struct Talk {
    pub(super) ledger: Ledger,
    pub(super) asks: BTreeMap<AskId, Ask>,
    pub(super) heard: Vec<Heard>,
    pub(super) invoked: Vec<Invoked>,
    pub(super) sessions: BTreeMap<Conn, u64>,
    pub(super) identities: BTreeMap<Conn, Identity>,
    /// What was told of others, to whom and when.
    pub(super) noticed: Vec<(Conn, usize, Notice)>,
    pub(super) revoked: Vec<Revoked>,
    /// Who was sent away, and why.
    pub(super) dismissed: Vec<(Conn, String)>,
    unasked: Vec<(Conn, String)>,
    improper: Vec<(Conn, Fault, String)>,
}

impl Talk {
    pub(super) fn of(history: &History) -> Self {
        let mut talk = Self {
            ledger: Ledger::of(history),
            asks: BTreeMap::new(),
            heard: Vec::new(),
            invoked: Vec::new(),
            sessions: BTreeMap::new(),
            identities: BTreeMap::new(),
            noticed: Vec::new(),
            revoked: Vec::new(),
            dismissed: Vec::new(),
            unasked: Vec::new(),
            improper: Vec::new(),
        };
        for (at, event) in history.events.iter().enumerate() {
            if let Some(conn) = event.conn {
                talk.see(at, conn, &event.what);
            }
        }
        talk
    }

    fn see(&mut self, at: usize, conn: Conn, what: &What) {
        match what.clone() {
            What::Named { identity } => {
                self.sessions.insert(conn, identity.session);
                self.identities.insert(conn, identity);
            }
            What::Asked { number, request, payload } => {
                let id = (conn, number);
                self.asks.insert(id, Ask { id, request, payload, at, answers: Vec::new() });
            }
            What::Answered { number, answer } => {
                if let Some(ask) = self.asks.get_mut(&(conn, number)) {
                    ask.answers.push((at, answer));
                }
            }
            What::Noticed { notice } => self.noticed.push((conn, at, notice)),
            What::Revoked { group, id, reason } => {
                self.revoked.push(Revoked { by: conn, at, group, id, reason });
            }
            What::Dismissed { reason, .. } => self.dismissed.push((conn, reason)),
            What::Unasked { what } => self.unasked.push((conn, what)),
            What::Improper { fault, why } => self.improper.push((conn, fault, why)),
            What::Notified { subscription, publication, topic, publisher, payload } => {
                self.heard.push(Heard { by: conn, at, subscription, publication, topic, publisher, payload });
            }
            What::Invoked { invocation, registration, procedure, progress, more, caller, payload } => {
                self.invoked.push(Invoked {
                    callee: conn,
                    at,
                    invocation,
                    registration,
                    progress,
                    procedure,
                    more,
                    caller,
                    payload,
                    gave: Vec::new(),
                    interrupted: None,
                });
            }
            What::Interrupted { invocation } => {
                if let Some(invoked) = self.invocation(conn, invocation) {
                    invoked.interrupted = Some(at);
                }
            }
            What::Gave { number, invocation, give, payload } => {
                if let Some(invoked) = self.invocation(conn, invocation) {
                    invoked.gave.push((at, number, give, payload));
                }
            }
            _ => {}
        }
    }

    fn invocation(&mut self, callee: Conn, number: u64) -> Option<&mut Invoked> {
        self.invoked.iter_mut().rev().find(|one| one.callee == callee && one.invocation == number)
    }

    /// When somebody was gone, or began to go.
    pub(super) fn gone(&self, conn: Conn) -> Option<usize> {
        let member = self.ledger.members.get(&conn)?;
        member.leaving.map(|(at, _)| at).or(member.over)
    }

    /// The request that a payload belongs to.
    pub(super) fn ask_of(&self, payload: &Payload) -> Option<&Ask> {
        let tag = payload.tag()?;
        self.asks.get(&(tag.conn, tag.number))
    }

    /// What holds for every request: sessions live, messages have their form, each request has one answer that is its
    /// own. `rule`: what an answer to no request breaks here.
    pub(super) fn basics(&self, rule: &'static str) -> Vec<Violation> {
        let mut violations = delivery::alive(&self.ledger);
        for (conn, what) in &self.unasked {
            violations.push(Violation::safety(rule, format!("{} was sent {what}", conn.0)));
        }
        for (conn, fault, why) in &self.improper {
            let rule = match fault {
                Fault::Null => "REQ-WAMP-002",
                Fault::Form => "REQ-WAMP-001",
            };
            violations.push(Violation::safety(rule, format!("{}: {why}", conn.0)));
        }
        for ask in self.asks.values() {
            let finals = ask.answers.iter().filter(|(_, answer)| answer.is_final()).count();
            if finals > 1 && !matches!(ask.request, Request::Call { .. }) {
                let text = format!("request {} of {} was answered {finals} times", ask.id.1, ask.id.0.0);
                violations.push(Violation::safety(rule, text));
            }
        }
        violations
    }
}

impl Ask {
    /// The last answer, and when it came.
    pub(super) fn last(&self) -> Option<&(usize, Answer)> {
        self.answers.iter().find(|(_, answer)| answer.is_final())
    }

    /// The id that was granted.
    pub(super) fn granted(&self) -> Option<(usize, Option<u64>)> {
        self.answers.iter().find_map(|(at, answer)| match answer {
            Answer::Granted { id } => Some((*at, *id)),
            _ => None,
        })
    }

    /// The URI of a refusal.
    pub(super) fn refused(&self) -> Option<&str> {
        self.answers.iter().find_map(|(_, answer)| match answer {
            Answer::Refused { uri, .. } => Some(uri.as_str()),
            _ => None,
        })
    }

    /// Who asked for what, in words.
    pub(super) fn text(&self) -> String {
        format!("request {} of {} ({:?})", self.id.1, self.id.0.0, self.request)
    }
}

/// Whether two payloads are the same.
pub(super) fn same(one: &Payload, other: &Payload) -> bool {
    one.digest == other.digest && one.len == other.len
}
