//! The life of a session: its statuses, its sockets, its timers, its end.

use std::collections::BTreeMap;

use petasus_protocol::session::{Destination, Event, Status};
use petasus_protocol::wamp::{Dict, Message};

use super::{Judge, Moment, Turn, Wrong};
use crate::history::{Ask, History, Input, Out, Truth, token};
use crate::plain::PLAIN;

pub(super) struct Life {
    sessions: BTreeMap<usize, Session>,
    lateness: u64,
    close_timeout: u64,
}

#[derive(Default)]
#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
struct Session {
    status: Option<Status>,
    is_draining: bool,
    /// The socket in use, and whether it was opened.
    socket: Option<u64>,
    is_open: bool,
    /// Those that a Close frame was sent to.
    closing: Vec<u64>,
    is_blocked: bool,
    has_patterns: bool,
    /// When it has to be over.
    deadline: Option<u64>,
    /// Whether it was drained and nothing else.
    drains: bool,
    /// Publications that were taken into the queue and not sent, and whether they are for a bus.
    queued: Vec<(String, bool)>,
}

impl Life {
    pub(super) fn new(history: &History) -> Life {
        let (lateness, close_timeout) = (history.lateness, history.close_timeout);
        Life { sessions: BTreeMap::new(), lateness, close_timeout }
    }

    fn turn(&mut self, turn: &Turn<'_>, wrong: &mut Wrong) {
        let session = self.sessions.entry(turn.peer).or_default();
        if let Some(ask) = turn.asked() {
            session.asked(turn.at, ask, self.close_timeout + 3 * self.lateness);
        }
        let is_ghost = turn.input().is_some_and(|input| session.is_ghost(input));
        if is_ghost && !(turn.outputs.is_empty() && turn.told.is_empty()) {
            wrong.note("ghost", turn.place, "what comes from a socket that was given up means nothing");
        }
        let was_over = session.is_over();
        if was_over && !turn.told.is_empty() {
            wrong.note("after_end", turn.place, "something is told after the end");
        }
        if let Some(input) = turn.input().filter(|_| !is_ghost) {
            session.input(input);
        }
        for (place, output) in &turn.outputs {
            if was_over {
                wrong.note("after_end", *place, "something is done after the end");
            }
            session.output(*place, output, wrong);
        }
        for (place, told) in &turn.told {
            session.told(turn.at, *place, told, wrong);
        }
        session.settled(turn, wrong);
    }

    fn at_rest(&self, place: usize, wrong: &mut Wrong) {
        for (peer, session) in &self.sessions {
            let connected = matches!(session.status, Some(Status::Connected(_)));
            if !connected && !session.is_over() {
                wrong.note("at_rest", place, format!("{peer} is {:?}", session.status));
            }
        }
    }

    fn at_end(&self, place: usize, wrong: &mut Wrong) {
        for (peer, session) in &self.sessions {
            if !session.is_over() {
                wrong.note("end", place, format!("{peer} never ended"));
            }
        }
    }
}

impl Session {
    fn is_over(&self) -> bool {
        matches!(self.status, Some(Status::Closed { .. }))
    }

    fn asked(&mut self, at: u64, ask: &Ask, slack: u64) {
        match ask {
            Ask::Drain { timeout } if self.deadline.is_none() && !self.is_over() => {
                self.deadline = Some(at + timeout + slack);
                self.drains = true;
            }
            Ask::Close if !self.is_over() => {
                let deadline = at + slack;
                self.deadline = Some(self.deadline.map_or(deadline, |there| there.min(deadline)));
                self.drains = false;
            }
            Ask::Publish { token, to, result: Ok(None), .. } => {
                self.queued.push((token.clone(), matches!(to, Destination::Bus(_))));
            }
            _ => {}
        }
    }

    fn is_ghost(&self, input: &Input) -> bool {
        match input {
            Input::Timeout => false,
            Input::Closed { socket, .. } => self.socket != Some(*socket) && !self.closing.contains(socket),
            Input::Opened { socket }
            | Input::Message { socket, .. }
            | Input::Pong { socket }
            | Input::Blocked { socket, .. } => self.socket != Some(*socket),
        }
    }

    fn input(&mut self, input: &Input) {
        match input {
            Input::Opened { .. } => (self.is_open, self.is_blocked) = (true, false),
            Input::Message { message: Message::Welcome(welcome), .. } => {
                self.has_patterns = welcome.details.has("_pattern");
            }
            Input::Closed { socket, .. } => {
                self.closing.retain(|there| there != socket);
                if self.socket == Some(*socket) {
                    self.socket = None;
                }
            }
            Input::Blocked { blocked, .. } => self.is_blocked = *blocked,
            _ => {}
        }
    }

    fn output(&mut self, place: usize, output: &Out, wrong: &mut Wrong) {
        match output {
            Out::Open { socket } => {
                if self.socket.is_some() {
                    wrong.note("sockets", place, "a second one");
                }
                (self.socket, self.is_open, self.is_blocked) = (Some(*socket), false, false);
            }
            Out::Send { socket, message } => {
                self.is_for_open(place, *socket, wrong);
                self.sent(place, message, wrong);
            }
            Out::Ping { socket } => self.is_for_open(place, *socket, wrong),
            Out::Close { socket } => {
                self.is_for_open(place, *socket, wrong);
                self.closing.push(*socket);
                self.socket = None;
            }
            Out::Drop { socket } => {
                if self.socket == Some(*socket) {
                    self.socket = None;
                } else if !self.closing.contains(socket) {
                    wrong.note("sockets", place, "one is dropped that is gone");
                }
                self.closing.retain(|there| there != socket);
            }
            Out::Strange(text) => wrong.note("sockets", place, text.clone()),
        }
    }

    fn is_for_open(&self, place: usize, socket: u64, wrong: &mut Wrong) {
        if self.socket != Some(socket) || !self.is_open {
            wrong.note("sockets", place, "it is not open");
        }
    }

    fn sent(&mut self, place: usize, message: &Message, wrong: &mut Wrong) {
        let options: &Dict = match message {
            Message::Publish(publish) => {
                let token = token(&publish.payload);
                self.queued.retain(|(there, _)| *there != token);
                &publish.options
            }
            Message::Call(call) => &call.options,
            Message::Subscribe(subscribe) => &subscribe.options,
            Message::Register(register) => &register.options,
            _ => return,
        };
        if options.has("_pattern") && !self.has_patterns {
            wrong.note("unannounced", place, "the router has no buses and queues");
        }
        if self.is_blocked && matches!(message, Message::Publish(_) | Message::Call(_)) {
            wrong.note("blocked", place, "the socket takes nothing now");
        }
    }

    fn told(&mut self, at: u64, place: usize, event: &Event, wrong: &mut Wrong) {
        let Event::Status(status) = event else { return };
        let fits = match (&self.status, status) {
            (_, Status::Draining) => !std::mem::replace(&mut self.is_draining, true),
            (None, Status::Connecting { attempt: 0 } | Status::Closed { .. })
            | (Some(Status::Connecting { .. }), Status::Connected(_))
            | (Some(Status::Connecting { .. } | Status::Connected(_)), Status::Waiting { .. })
            | (Some(Status::Waiting { .. }), Status::Connecting { .. })
            | (
                Some(Status::Connecting { .. } | Status::Connected(_) | Status::Waiting { .. }),
                Status::Closed { .. },
            ) => true,
            _ => false,
        };
        if !fits {
            wrong.note("status", place, format!("{status:?} after {:?}", self.status));
        }
        if matches!(status, Status::Closed { .. }) {
            self.ended(at, place, status, wrong);
        }
        if *status != Status::Draining {
            self.status = Some(status.clone());
        }
    }

    fn ended(&self, at: u64, place: usize, status: &Status, wrong: &mut Wrong) {
        let Some(deadline) = self.deadline else {
            if matches!(status, Status::Closed { failure: None }) {
                wrong.note("status", place, "the program did not end it");
            }
            return;
        };
        if at > deadline {
            wrong.note("end_in_time", place, format!("{} ms too late", at - deadline));
        }
        // Within its time and with a broker, a drained session leaves nothing behind.
        if self.drains && *status == (Status::Closed { failure: None }) && at + 4_000 < deadline {
            // Without buses nobody can be sent to on one.
            for (token, _) in self.queued.iter().filter(|(_, bus)| self.has_patterns || !bus) {
                wrong.note("drained", place, format!("{token} was never sent"));
            }
        }
    }

    fn settled(&self, turn: &Turn<'_>, wrong: &mut Wrong) {
        if matches!(turn.input(), Some(Input::Timeout)) && turn.next.is_some_and(|next| next <= turn.at) {
            wrong.note("busy", turn.place, format!("at {} it wants to be woken at {:?}", turn.at, turn.next));
        }
        if self.is_over() && turn.next.is_some() {
            wrong.note("after_end", turn.place, "it wants to be woken after the end");
        }
        let idle =
            matches!(self.status, Some(Status::Connected(_))) && !self.is_blocked && self.socket.is_some();
        if turn.waiting > 0 && (self.is_over() || idle) {
            wrong.note("waiting", turn.place, format!("{} bytes wait for nothing", turn.waiting));
        }
    }
}

impl Judge for Life {
    fn see(&mut self, moment: &Moment<'_>, wrong: &mut Wrong) {
        match moment {
            Moment::Turn(turn) => self.turn(turn, wrong),
            Moment::Router { place, truth: Truth::Violation { wire, why } } if wire.peer != PLAIN => {
                wrong.note("violation", *place, why.clone());
            }
            Moment::Router { .. } => {}
            Moment::Rest { place } => self.at_rest(*place, wrong),
            Moment::End { place } => self.at_end(*place, wrong),
        }
    }
}
