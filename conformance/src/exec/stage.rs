//! The connections of one run, and what is known of them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout};

use super::lines::Lines;
use super::lingering::Late;
use super::talk::{Talk, note};
use super::wire::Wire;
use super::{At, Counts, ExecError, Outcome, Timing, fatal, micros};
use crate::driver::{Driver, Inbox, OpenError, Opening, Port, PortError, Seen, Target};
use crate::fault::Link;
use crate::history::{Conn, Event, History, Leave, Proof, Wait, What};
use crate::launch::Broker;
use crate::model::{Door, Fill, Kind, Payload, Role};
use crate::plan::Spelling;

/// An open connection.
pub(super) struct Live {
    pub(super) port: Box<dyn Port>,
    pub(super) door: Door,
    /// How many messages it sent.
    sent: u32,
    /// It sent something that no mark has passed since.
    pub(super) dirty: bool,
    /// The highest mark that passed, and how sure that is.
    passed: Option<(u64, Proof)>,
}

/// The run.
pub(super) struct Stage<'a> {
    pub(super) driver: &'a dyn Driver,
    pub(super) target: &'a Target,
    /// The broker, if it is this case's own.
    pub(super) own: Option<&'a mut dyn Broker>,
    pub(super) timing: Timing,
    pub(super) history: History,
    pub(super) begin: Instant,
    pub(super) live: BTreeMap<Conn, Live>,
    /// Those who speak word by word.
    pub(super) wires: BTreeMap<Conn, Wire>,
    /// Who is to be disturbed, and by what.
    pub(super) proxied: BTreeSet<Conn>,
    pub(super) links: BTreeMap<Conn, Link>,
    /// The broker does not start again.
    pub(super) is_dead: bool,
    /// What the broker needs, by what it was told, before it ends anybody.
    pub(super) slack: Duration,
    /// Those on which messages are said one by one.
    pub(super) lines: Lines,
    pub(super) to: UnboundedSender<(Conn, Seen)>,
    from: UnboundedReceiver<(Conn, Seen)>,
    pub(super) counts: Counts,
    next_mark: u64,
    /// Who received which message of whom.
    seen: BTreeSet<(Conn, Conn, u32)>,
    /// The messages that some puller is owed, by sender and number.
    owed: BTreeSet<(Conn, u32)>,
    /// How many of them have no tag and have arrived.
    untagged: usize,
    /// Requests, calls and their answers.
    pub(super) talk: Talk,
    /// A puller went without a word. What the broker gave it before it noticed is lost, and nobody knows how much.
    forgiven: bool,
    /// Why nothing can be said of the broker any more.
    lost: Option<String>,
}

impl<'a> Stage<'a> {
    pub(super) fn new(driver: &'a dyn Driver, at: At<'a>, timing: Timing, history: History) -> Self {
        let (to, from) = unbounded_channel();
        Self {
            driver,
            target: at.target,
            own: at.own,
            timing,
            history,
            begin: Instant::now(),
            live: BTreeMap::new(),
            wires: BTreeMap::new(),
            proxied: BTreeSet::new(),
            links: BTreeMap::new(),
            is_dead: false,
            slack: Duration::ZERO,
            lines: Lines::new(),
            to,
            from,
            counts: Counts { runs: 1, ..Counts::default() },
            next_mark: 0,
            seen: BTreeSet::new(),
            owed: BTreeSet::new(),
            untagged: 0,
            talk: Talk::default(),
            forgiven: false,
            lost: None,
        }
    }

    pub(super) async fn open(
        &mut self,
        conn: Conn,
        door: &Door,
        spelling: Spelling,
        suffix: &str,
    ) -> Result<(), ExecError> {
        let door = &self.driver.door(door);
        self.note(Some(conn), What::Opening { door: door.clone() });
        self.counts.connects += 1;
        let namespace = self.history.namespace.clone();
        let opening = Opening { door, namespace: &namespace, spelling, suffix };
        let inbox = Inbox::new(conn, self.to.clone());
        let target = self.way(conn).await?;
        let began = Instant::now();
        let opened = timeout(self.timing.deadline, self.driver.open(&target, &opening, inbox)).await;
        match opened {
            Ok(Ok(opened)) => {
                self.note(Some(conn), What::Opened { proof: opened.proof });
                let (port, door) = (opened.port, door.clone());
                self.live.insert(conn, Live { port, door, sent: 0, dirty: false, passed: None });
            }
            Ok(Err(error)) => {
                if let Some(fatal) = fatal(&error) {
                    return Err(fatal);
                }
                let status = match error {
                    OpenError::Rejected { status } => Some(status),
                    _ => None,
                };
                self.note(Some(conn), What::Refused { status, why: error.to_string() });
            }
            Err(_) => {
                self.counts.waited += began.elapsed();
                let why = "no answer before the deadline".to_owned();
                self.note(Some(conn), What::Refused { status: None, why });
            }
        }
        Ok(())
    }

    /// Whether a connection has a way to say this.
    pub(super) fn can_say(&self, conn: Conn, kind: Kind, fill: &Fill) -> bool {
        let Some(live) = self.live.get(&conn) else { return true };
        live.port.can_say(kind, &fill.bytes(&self.history.namespace, conn, live.sent))
    }

    /// Sends a message. A connection that is gone sends nothing.
    pub(super) async fn send(&mut self, conn: Conn, kind: Kind, fill: &Fill, pieces: u8) -> Option<u32> {
        let live = self.live.get_mut(&conn)?;
        let number = live.sent;
        live.sent += 1;
        live.dirty = true;
        if live.door.role == Role::Push && self.has_puller(conn) {
            self.owed.insert((conn, number));
        }
        let bytes = fill.bytes(&self.history.namespace, conn, number);
        self.note(Some(conn), What::Sending { number, kind, payload: Payload::of(&bytes), pieces });
        self.counts.sent += 1;
        let deadline = self.timing.deadline;
        let live = self.live.get_mut(&conn)?;
        let sent = timeout(deadline, live.port.send(kind, &bytes, pieces)).await;
        self.written(conn, &sent);
        Some(number)
    }

    fn has_puller(&self, pusher: Conn) -> bool {
        let topic = &self.live[&pusher].door.topic;
        self.live.values().any(|live| live.door.role == Role::Pull && live.door.topic == *topic)
    }

    /// What became of writing: an error is told by the reading side too.
    pub(super) fn written<E>(&mut self, conn: Conn, result: &Result<Result<(), PortError>, E>) {
        if result.is_err() {
            self.counts.waited += self.timing.deadline;
            self.note(Some(conn), What::Missed { wait: Wait::Room });
        }
    }

    /// Waits until the broker has read all that was sent.
    pub(super) async fn flush(&mut self) {
        let dirty: Vec<Conn> =
            self.live.iter().filter(|(_, live)| live.dirty).map(|(&conn, _)| conn).collect();
        self.pass(&dirty).await;
    }

    /// Waits until the broker has answered a mark on each of these connections.
    pub(super) async fn pass(&mut self, conns: &[Conn]) {
        let mark = self.next_mark;
        self.next_mark += 1;
        for &conn in conns {
            let Some(live) = self.live.get_mut(&conn) else { continue };
            let sent = timeout(self.timing.deadline, live.port.mark(mark)).await;
            self.written(conn, &sent);
        }
        let has_passed = |live: &Live| live.passed.is_some_and(|(passed, _)| passed >= mark);
        self.until(|stage| conns.iter().all(|conn| stage.live.get(conn).is_none_or(has_passed))).await;
        for &conn in conns {
            let Some(live) = self.live.get_mut(&conn) else { continue };
            match live.passed {
                Some((passed, proof)) if passed >= mark => {
                    live.dirty = false;
                    self.note(Some(conn), What::Flushed { proof });
                }
                _ => self.note(Some(conn), What::Missed { wait: Wait::Ingress }),
            }
        }
    }

    pub(super) async fn await_message(&mut self, conn: Conn, from: Conn, number: u32) {
        let has = |stage: &Self| stage.has(conn, from, number) || !stage.live.contains_key(&conn);
        // Where connections are disturbed, one who waited in vain once does not wait again: the others are held up too.
        let missed = |event: &Event| event.conn == Some(conn) && matches!(event.what, What::Missed { .. });
        let is_hopeless = !self.proxied.is_empty() && self.history.events.iter().any(missed);
        let patience = if is_hopeless { Duration::ZERO } else { self.timing.deadline };
        if !self.until_within(patience, has).await {
            self.note(Some(conn), What::Missed { wait: Wait::Delivery });
        }
    }

    /// Whether somebody received a message of somebody.
    pub(super) fn has(&self, conn: Conn, from: Conn, number: u32) -> bool {
        self.seen.contains(&(conn, from, number))
    }

    pub(super) async fn leave(&mut self, conn: Conn, how: Leave) {
        let Some(live) = self.live.get_mut(&conn) else { return };
        self.history.events.push(Event {
            at_us: micros(self.begin),
            conn: Some(conn),
            what: What::Leaving { how },
        });
        if how == Leave::Abrupt {
            self.part(conn, true);
            self.talk.part(conn);
            return self.note(Some(conn), What::Left { code: None });
        }
        let sent = timeout(self.timing.deadline, live.port.leave()).await;
        self.written(conn, &sent);
        if !self.until(|stage| !stage.live.contains_key(&conn)).await {
            self.part(conn, true);
            self.note(Some(conn), What::Missed { wait: Wait::CloseReply });
        }
    }

    /// An error if what stands between us and the broker is gone.
    pub(super) fn intact(&mut self) -> Result<(), ExecError> {
        self.drain();
        self.lost.take().map_or(Ok(()), |why| Err(ExecError::Unreachable(why)))
    }

    /// Takes what is there.
    pub(super) fn drain(&mut self) {
        while let Ok((conn, seen)) = self.from.try_recv() {
            self.see(conn, seen);
        }
    }

    /// Waits for something; false if the deadline passed.
    pub(super) async fn until(&mut self, is_so: impl Fn(&Self) -> bool) -> bool {
        self.until_within(self.timing.deadline, is_so).await
    }

    /// The same with another deadline.
    pub(super) async fn until_within(&mut self, patience: Duration, is_so: impl Fn(&Self) -> bool) -> bool {
        let began = Instant::now();
        loop {
            self.drain();
            if is_so(self) || self.lost.is_some() {
                return true;
            }
            let left = patience.saturating_sub(began.elapsed());
            // The stage has a sender itself: the channel does not end.
            let Ok(Some((conn, seen))) = timeout(left, self.from.recv()).await else {
                self.counts.waited += began.elapsed();
                return false;
            };
            self.see(conn, seen);
        }
    }

    /// Listens for a while.
    pub(super) async fn listen(&mut self, quiet: Duration) {
        if !quiet.is_zero() {
            self.until_within(quiet, |_| false).await;
        }
    }

    fn see(&mut self, conn: Conn, seen: Seen) {
        match seen {
            Seen::Message(kind, bytes) => {
                let payload = Payload::of(&bytes);
                let is_puller = self.live.get(&conn).is_some_and(|live| live.door.role == Role::Pull);
                match payload.tag() {
                    Some(tag) => {
                        self.seen.insert((conn, tag.conn, tag.number));
                        self.owed.remove(&(tag.conn, tag.number));
                    }
                    None => self.untagged += usize::from(is_puller),
                }
                self.counts.received += 1;
                self.note(Some(conn), What::Received { kind, payload });
            }
            Seen::Passed(mark, proof) => {
                if let Some(live) = self.live.get_mut(&conn) {
                    live.passed = Some((mark, proof));
                }
            }
            Seen::Heard(form, bytes, items) => self.see_heard(conn, form, bytes, items),
            Seen::Closed(code) => {
                self.see_line_over(conn);
                self.talk.part(conn);
                let is_leaving = self.is_leaving(conn);
                self.part(conn, !is_leaving);
                self.note(Some(conn), if is_leaving { What::Left { code } } else { What::Ended { code } });
            }
            Seen::Frame(frame) => self.see_frame(conn, &frame),
            Seen::Eof(reset) if self.see_line_over(conn) => self.note(Some(conn), What::Eof { reset }),
            Seen::Eof(reset) => self.see_eof(conn, reset),
            Seen::Broken(why) => {
                self.see_line_over(conn);
                self.talk.part(conn);
                self.see_broken(conn);
                self.part(conn, true);
                self.note(Some(conn), What::Broken { why });
            }
            Seen::Lost(why) => self.lost = Some(why),
            other => {
                self.talk.see(conn, &other);
                self.note(Some(conn), note(other));
            }
        }
    }

    /// A connection is gone. What a puller may have taken with it is owed no more, nor what finds no puller.
    fn part(&mut self, conn: Conn, is_abrupt: bool) {
        let Some(gone) = self.live.remove(&conn) else { return };
        let same = |live: &Live| live.door == gone.door;
        if gone.door.role == Role::Push {
            // What it was ended for, or what it took with it.
            self.owed.retain(|(from, _)| *from != conn);
        }
        if gone.door.role != Role::Pull {
            return;
        }
        self.forgiven |= is_abrupt;
        if !self.live.values().any(same) {
            self.owed.clear();
        }
    }

    /// Whether each message that a puller is owed has arrived.
    pub(super) fn is_quit(&self) -> bool {
        self.forgiven || self.owed.len() <= self.untagged
    }

    fn is_leaving(&self, conn: Conn) -> bool {
        let last = self.history.events.iter().rev().find(|event| {
            event.conn == Some(conn) && matches!(event.what, What::Leaving { .. } | What::Opened { .. })
        });
        last.is_some_and(|event| matches!(event.what, What::Leaving { .. }))
    }

    pub(super) fn note(&mut self, conn: Option<Conn>, what: What) {
        self.history.events.push(Event { at_us: micros(self.begin), conn, what });
    }

    pub(super) fn finish(self) -> Outcome {
        let ports = self.live.into_values().map(|live| live.port).collect();
        Outcome {
            history: self.history.clone(),
            counts: self.counts,
            late: Late::new(self.history, self.begin, ports, self.links, self.from),
        }
    }
}
