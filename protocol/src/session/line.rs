//! One socket that is kept open: attempts to connect, signs of life, the end.

use super::core::Core;
use super::{Failure, Output, Probe, SocketId};

/// A line to the broker. WAMP has one, Mercury one for each endpoint.
#[derive(Debug)]
pub(super) struct Line {
    state: State,
    /// The attempts since the last connection that stood.
    attempt: u32,
    /// Whether there has ever been a connection.
    before: bool,
}

#[derive(Debug, Clone, Copy)]
enum State {
    /// Not wanted, or not yet.
    Idle,
    /// The next attempt comes at `until`.
    Waiting { until: u64 },
    /// From the attempt until [`Line::ready`], which has to come before `deadline`.
    Opening { socket: SocketId, deadline: u64 },
    /// In use.
    Ready {
        socket: SocketId,
        since: u64,
        /// When something came last.
        heard: u64,
        /// A sign of life was asked for and has to come before this.
        probed: Option<u64>,
    },
    /// A Close frame was sent, and the server's has to come before `deadline`.
    Closing { socket: SocketId, deadline: u64 },
}

/// What is due on a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    /// The next attempt: call [`Line::open`].
    Attempt,
    /// The attempt took too long, or the line is dead: the socket is dropped; go on as after [`Line::lost`].
    Failed,
    /// Ask for a sign of life in a way that only the wire knows ([`Probe::Call`]).
    Call,
    /// The server did not confirm the end: it is over all the same, the socket is dropped.
    Closed,
}

/// What comes after a loss.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum After {
    /// Another attempt, after so many milliseconds.
    Wait(u64),
    /// Nothing: something has to change first, or one attempt was all there should be.
    GiveUp,
}

impl Line {
    pub(super) fn new() -> Line {
        Line { state: State::Idle, attempt: 0, before: false }
    }

    /// Begins an attempt.
    pub(super) fn open(
        &mut self,
        core: &mut Core,
        url: String,
        subprotocols: Vec<&'static str>,
        now: u64,
    ) -> SocketId {
        let socket = core.socket();
        self.state = State::Opening { socket, deadline: now.saturating_add(core.config.connect_timeout) };
        core.output(Output::Open { socket, url, subprotocols });
        socket
    }

    /// The attempt succeeded.
    pub(super) fn ready(&mut self, now: u64) {
        if let State::Opening { socket, .. } = self.state {
            self.state = State::Ready { socket, since: now, heard: now, probed: None };
            self.before = true;
        }
    }

    /// Something came.
    pub(super) fn heard(&mut self, now: u64) {
        if let State::Ready { heard, probed, .. } = &mut self.state {
            *heard = now;
            *probed = None;
        }
    }

    /// The socket, or the attempt, ended. The line waits for its next attempt, or is idle if there is none.
    pub(super) fn lost(&mut self, core: &mut Core, failure: &Failure, now: u64) -> After {
        if let State::Ready { since, .. } = self.state
            && now.saturating_sub(since) >= core.config.backoff.stable
        {
            self.attempt = 0;
        }
        self.state = State::Idle;
        if failure.is_final(self.before) || (core.config.fail_fast && !self.before) {
            return After::GiveUp;
        }
        let wait = core.config.backoff.draw(self.attempt, &mut core.random);
        self.attempt = self.attempt.saturating_add(1);
        self.state = State::Waiting { until: now.saturating_add(wait) };
        After::Wait(wait)
    }

    /// Makes the next attempt due now, if one is waited for.
    pub(super) fn hurry(&mut self, now: u64) {
        if let State::Waiting { until } = &mut self.state {
            *until = now;
        }
    }

    /// Asks for a sign of life now, if that is not under way.
    pub(super) fn check(&mut self, core: &mut Core, now: u64) -> Option<Due> {
        let State::Ready { socket, probed: probed @ None, .. } = &mut self.state else { return None };
        let probe = core.config.heartbeat.probe;
        if probe != Probe::Never {
            *probed = Some(now.saturating_add(core.config.heartbeat.patience));
        }
        match probe {
            Probe::Ping => {
                core.output(Output::Ping { socket: *socket });
                None
            }
            Probe::Call => Some(Due::Call),
            Probe::Never => None,
        }
    }

    /// Ends the line in an orderly way: `true` if the server is to confirm it, `false` if there is nothing to wait for.
    pub(super) fn close(&mut self, core: &mut Core, code: u16, reason: &'static str, now: u64) -> bool {
        match self.state {
            State::Ready { socket, .. } => {
                core.output(Output::Close { socket, code, reason });
                let deadline = now.saturating_add(core.config.close_timeout);
                self.state = State::Closing { socket, deadline };
                true
            }
            State::Opening { socket, .. } => {
                core.output(Output::Drop { socket });
                self.state = State::Idle;
                false
            }
            State::Closing { .. } => true,
            State::Idle | State::Waiting { .. } => {
                self.state = State::Idle;
                false
            }
        }
    }

    /// The socket is gone, and no other one is wanted.
    pub(super) fn ended(&mut self) {
        self.state = State::Idle;
    }

    /// Says what is due, one thing at a time: call it until it says nothing.
    pub(super) fn timeout(&mut self, core: &mut Core, now: u64) -> Option<Due> {
        if self.next_timeout(core)? > now {
            return None;
        }
        match self.state {
            State::Idle => None,
            State::Waiting { .. } => {
                self.state = State::Idle;
                Some(Due::Attempt)
            }
            State::Ready { probed: None, .. } => self.check(core, now),
            State::Opening { socket, .. } | State::Ready { socket, .. } => {
                core.output(Output::Drop { socket });
                Some(Due::Failed)
            }
            State::Closing { socket, .. } => {
                core.output(Output::Drop { socket });
                self.state = State::Idle;
                Some(Due::Closed)
            }
        }
    }

    /// When something is due.
    pub(super) fn next_timeout(&self, core: &Core) -> Option<u64> {
        let heartbeat = &core.config.heartbeat;
        match self.state {
            State::Idle => None,
            State::Waiting { until } => Some(until),
            State::Opening { deadline, .. }
            | State::Closing { deadline, .. }
            | State::Ready { probed: Some(deadline), .. } => Some(deadline),
            State::Ready { .. } if heartbeat.probe == Probe::Never => None,
            State::Ready { heard, .. } => Some(heard.saturating_add(heartbeat.idle)),
        }
    }

    /// The failure that goes with [`Due::Failed`], to be asked for before [`Line::lost`].
    pub(super) fn failure(&self) -> Failure {
        match self.state {
            State::Ready { .. } => Failure::Silent,
            _ => Failure::ConnectTimedOut,
        }
    }

    /// Whether this socket is the line's present one. What comes of another is of the past.
    pub(super) fn is(&self, id: SocketId) -> bool {
        self.socket() == Some(id)
    }

    /// The present socket.
    pub(super) fn socket(&self) -> Option<SocketId> {
        match self.state {
            State::Idle | State::Waiting { .. } => None,
            State::Opening { socket, .. } | State::Ready { socket, .. } | State::Closing { socket, .. } => {
                Some(socket)
            }
        }
    }

    /// The socket, if it is in use.
    #[cfg(feature = "mercury")]
    pub(super) fn ready_socket(&self) -> Option<SocketId> {
        match self.state {
            State::Ready { socket, .. } => Some(socket),
            _ => None,
        }
    }

    pub(super) fn is_opening(&self) -> bool {
        matches!(self.state, State::Opening { .. })
    }

    pub(super) fn is_closing(&self) -> bool {
        matches!(self.state, State::Closing { .. })
    }

    pub(super) fn is_idle(&self) -> bool {
        matches!(self.state, State::Idle)
    }

    /// The attempts since the last connection that stood.
    pub(super) fn attempt(&self) -> u32 {
        self.attempt
    }
}
