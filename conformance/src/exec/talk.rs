//! Requests, calls, and whoever plays the callee.

use std::collections::{BTreeMap, BTreeSet};

use tokio::time::timeout;

use super::stage::Stage;
use crate::driver::{Asking, Reply, Seen};
use crate::history::{Conn, Wait, What};
use crate::model::{Answer, Blob, Fill, Give, Identity, Notice, Payload, Request};
use crate::plan::Awaited;

/// The answers of callees are numbered from here, so that their payloads differ from all others.
const GIVEN: u32 = 1_000_000;

/// Who asked, and the number of the request.
type Ask = (Conn, u32);

/// What is known of requests.
#[derive(Default)]
pub(super) struct Talk {
    /// The names of connections.
    sessions: BTreeMap<Conn, Identity>,
    /// The ids that were granted.
    granted: BTreeMap<Ask, u64>,
    /// How many requests each made.
    asked: BTreeMap<Conn, u32>,
    /// How many answers callees gave.
    given: u32,
    /// Those that have their last answer, or nobody who could have it.
    over: BTreeSet<Ask>,
    /// Who was called last for which call, and the number of the invocation.
    invoked: BTreeMap<Ask, (Conn, u64)>,
    /// What was told of others, to whom.
    noticed: Vec<(Conn, Notice)>,
    /// Who was told to be out of a group.
    revoked: BTreeSet<Conn>,
    /// Who heard whose event.
    heard: BTreeSet<(Conn, Ask)>,
    /// The invocations that were taken back.
    interrupted: BTreeSet<(Conn, u64)>,
    /// Who is gone.
    gone: BTreeSet<Conn>,
}

impl Talk {
    pub(super) fn see(&mut self, conn: Conn, seen: &Seen) {
        match seen {
            Seen::Named(identity) => drop(self.sessions.insert(conn, identity.clone())),
            Seen::Answered(number, reply) if !matches!(reply, Reply::Progress(_)) => {
                if let Reply::Granted(Some(id)) = reply {
                    self.granted.insert((conn, *number), *id);
                }
                self.over.insert((conn, *number));
            }
            Seen::Invoked { invocation, payload, .. } => {
                if let Some(tag) = Payload::of(payload).tag() {
                    self.invoked.insert((tag.conn, tag.number), (conn, *invocation));
                }
            }
            Seen::Noticed(notice) => self.noticed.push((conn, notice.clone())),
            Seen::Revoked { .. } => drop(self.revoked.insert(conn)),
            Seen::Notified { payload, .. } => {
                if let Some(tag) = Payload::of(payload).tag() {
                    self.heard.insert((conn, (tag.conn, tag.number)));
                }
            }
            Seen::Interrupted(invocation) => drop(self.interrupted.insert((conn, *invocation))),
            _ => {}
        }
    }

    /// Somebody is gone.
    pub(super) fn part(&mut self, conn: Conn) {
        self.gone.insert(conn);
    }

    fn is_over(&self, ask: Ask) -> bool {
        self.over.contains(&ask) || self.gone.contains(&ask.0)
    }

    /// Whether somebody has heard of something, or is not there to hear.
    fn has_heard(&self, conn: Conn, awaited: Awaited) -> bool {
        self.gone.contains(&conn)
            || match awaited {
                Awaited::Happened(what, whom, times) => {
                    let Some(id) = self.sessions.get(&whom).map(|known| known.session) else { return true };
                    let is_it = |(by, notice): &&(Conn, Notice)| {
                        *by == conn && notice.what == what && notice.session == id
                    };
                    self.noticed.iter().filter(is_it).count() >= times as usize
                }
                Awaited::Revoked => self.revoked.contains(&conn),
                Awaited::Event(from, number) => self.heard.contains(&(conn, (from, number))),
                Awaited::End => false,
            }
    }

    /// Whoever has a call, if that is somebody who is there.
    fn callee(&self, ask: Ask) -> Option<(Conn, u64)> {
        self.invoked.get(&ask).copied().filter(|(conn, _)| !self.gone.contains(conn))
    }
}

impl Stage<'_> {
    /// Asks for something. A connection that is gone asks for nothing.
    pub(super) async fn ask(&mut self, conn: Conn, request: &Request) {
        if !self.live.contains_key(&conn) {
            return;
        }
        let count = self.talk.asked.entry(conn).or_default();
        let number = *count;
        *count += 1;
        let payload = Fill::Tagged(8).bytes(&self.history.namespace, conn, number);
        let (request_noted, noted) = (request.clone(), Payload::of(&payload));
        self.note(Some(conn), What::Asked { number, request: request_noted, payload: noted });
        let (sessions, granted) = (self.talk.sessions.clone(), self.talk.granted.clone());
        let asking = Asking { number, request, payload: &payload, sessions: &sessions, granted: &granted };
        let deadline = self.timing.deadline;
        let Some(live) = self.live.get_mut(&conn) else { return };
        let sent = timeout(deadline, live.port.ask(asking)).await;
        live.dirty = true;
        self.written(conn, &sent);
    }

    pub(super) async fn await_answer(&mut self, conn: Conn, number: u32) {
        if !self.until(|stage| stage.talk.is_over((conn, number))).await {
            self.note(Some(conn), What::Missed { wait: Wait::Answer });
        }
    }

    /// Waits until a call has reached a callee, which answers it.
    pub(super) async fn serve(&mut self, ask: Ask, gives: &[Give]) {
        let has_come = |stage: &Self| stage.talk.callee(ask).is_some() || stage.talk.is_over(ask);
        if !self.until(has_come).await {
            return self.note(Some(ask.0), What::Missed { wait: Wait::Answer });
        }
        let Some((callee, invocation)) = self.talk.callee(ask) else { return };
        for &give in gives {
            let number = GIVEN + self.talk.given;
            self.talk.given += 1;
            let bytes = Fill::Tagged(8).bytes(&self.history.namespace, callee, number);
            let payload = Payload::of(&bytes);
            self.note(Some(callee), What::Gave { number, invocation, give, payload });
            let deadline = self.timing.deadline;
            let Some(live) = self.live.get_mut(&callee) else { return };
            let sent = timeout(deadline, live.port.give(invocation, give, &bytes)).await;
            if give == Give::Unavailable {
                // It may come to another.
                self.talk.invoked.remove(&ask);
            }
            live.dirty = true;
            self.written(callee, &sent);
        }
    }

    pub(super) async fn await_notice(&mut self, conn: Conn, awaited: Awaited) {
        if !self.until(|stage| stage.talk.has_heard(conn, awaited)).await {
            self.note(Some(conn), What::Missed { wait: Wait::Delivery });
        }
    }

    pub(super) async fn await_interrupt(&mut self, ask: Ask) {
        let is_told = |stage: &Self| {
            let callee = stage.talk.callee(ask);
            callee.is_some_and(|at| stage.talk.interrupted.contains(&at)) || stage.talk.is_over(ask)
        };
        if !self.until(is_told).await {
            self.note(Some(ask.0), What::Missed { wait: Wait::Answer });
        }
    }
}

/// What a port saw of requests, as an event.
pub(super) fn note(seen: Seen) -> What {
    match seen {
        Seen::Named(identity) => What::Named { identity },
        Seen::Answered(number, reply) => What::Answered { number, answer: answer(reply) },
        Seen::Unasked(what) => What::Unasked { what },
        Seen::Notified { subscription, publication, topic, publisher, payload } => {
            What::Notified { subscription, publication, topic, publisher, payload: Payload::of(&payload) }
        }
        Seen::Invoked { invocation, registration, procedure, progress, more, caller, payload } => {
            let payload = Payload::of(&payload);
            What::Invoked { invocation, registration, procedure, progress, more, caller, payload }
        }
        Seen::Interrupted(invocation) => What::Interrupted { invocation },
        Seen::Noticed(notice) => What::Noticed { notice },
        Seen::Revoked { group, id, reason } => What::Revoked { group, id, reason },
        Seen::Dismissed { reason, message } => What::Dismissed { reason, message },
        Seen::Improper(fault, why) => What::Improper { fault, why },
        Seen::Broken(why) | Seen::Lost(why) => What::Broken { why },
        Seen::Closed(code) => What::Ended { code },
        Seen::Message(kind, bytes) => What::Received { kind, payload: Payload::of(&bytes) },
        Seen::Passed(_, proof) => What::Flushed { proof },
        Seen::Frame(frame) => super::wire::told(&frame),
        Seen::Heard(form, bytes, _) => What::Heard { form, message: Blob(bytes) },
        Seen::Eof(reset) => What::Eof { reset },
    }
}

fn answer(reply: Reply) -> Answer {
    match reply {
        Reply::Granted(id) => Answer::Granted { id },
        Reply::Refused(uri, said) => Answer::Refused { uri, payload: said.map(|bytes| Payload::of(&bytes)) },
        Reply::Progress(bytes) => Answer::Progress { payload: Payload::of(&bytes) },
        Reply::Result(bytes) => Answer::Result { payload: Payload::of(&bytes) },
        Reply::Told(told) => Answer::Told { told },
    }
}
