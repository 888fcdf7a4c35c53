//! How connections and the session end: losses, GOODBYE, drain and close.

use super::super::core::{Core, Phase};
use super::super::line::After;
use super::super::{Failure, Output, Status, readable};
use super::Wamp;
use super::link::Stage;
use super::sending::Element::{Number, Options, Text};
use crate::wamp::heard::Heard;
use crate::wamp::message::Goodbye;
use crate::wamp::uri::{self, close};

impl Wamp {
    /// Gives up the connection: its socket is closed, and all goes on as after a loss. The close code is 1000 whatever
    /// happened, as a page may send no other of RFC 6455; what happened is said in ABORT or GOODBYE.
    pub(super) fn fail(&mut self, core: &mut Core, failure: Failure, reason: &'static str, now: u64) {
        if let Some(socket) = self.line.socket() {
            core.output(Output::Close { socket, code: 1000, reason });
            self.closing.push((now.saturating_add(core.config.close_timeout), socket));
        }
        self.lost(core, failure, now);
    }

    /// The router broke the protocol.
    pub(super) fn violation(&mut self, core: &mut Core, reason: &str, now: u64) {
        self.abort(core, uri::error::PROTOCOL_VIOLATION);
        let failure = Failure::Protocol { reason: reason.to_owned() };
        self.fail(core, failure, "protocol violation", now);
    }

    /// The connection, or the attempt to get one, is over.
    pub(super) fn lost(&mut self, core: &mut Core, failure: Failure, now: u64) {
        if matches!(core.phase, Phase::Closed { .. }) {
            return self.finish(core);
        }
        self.challenged = false;
        let is_too_long = matches!(failure, Failure::Closed { code: 1009, .. });
        let too_long = is_too_long.then_some(self.link.longest);
        self.link.end();
        self.invocations.handle_lost(core);
        self.requests.handle_lost(core, &mut self.link, too_long);
        self.subscriptions.handle_lost(core, &mut self.link);
        self.registrations.handle_lost(core, &mut self.link, now);
        match self.line.lost(core, &failure, now) {
            After::Wait(wait) => core.status(Status::Waiting { failure, wait }),
            After::GiveUp => {
                core.phase = Phase::Closed { failure: Some(failure) };
                self.end_all(core);
                self.finish(core);
            }
        }
    }

    /// GOODBYE.
    pub(super) fn handle_goodbye(&mut self, core: &mut Core, goodbye: &Heard<'_>, now: u64) {
        if self.link.stage == Stage::Goodbye {
            return self.close_line(core, now);
        }
        self.say_goodbye(core, close::GOODBYE_AND_OUT);
        let (uri, text) = reason_of(goodbye);
        self.fail(core, Failure::Goodbye { uri, text }, "goodbye", now);
    }

    /// Begins to end all in an orderly way.
    pub(super) fn begin_to_drain(&mut self, core: &mut Core, now: u64) {
        core.status(Status::Draining);
        self.registrations.drain(core, &mut self.link, now);
        self.subscriptions.drain(core, &mut self.link);
    }

    /// Goes on with the drain, after anything that may have brought it further.
    pub(super) fn go_on_draining(&mut self, core: &mut Core, now: u64) {
        let Phase::Draining { until } = core.phase else { return };
        if now < until {
            for id in self.registrations.queues() {
                if self.invocations.has_none_of(id) {
                    self.registrations.let_go(core, &mut self.link, id, now);
                }
            }
            let done = self.requests.is_empty()
                && self.invocations.is_empty()
                && self.registrations.is_empty()
                && self.subscriptions.is_empty();
            if !done {
                return;
            }
        }
        core.phase = Phase::Closed { failure: None };
        self.end(core, now);
    }

    /// Ends all, and says goodbye if there is anybody to hear it.
    pub(super) fn end(&mut self, core: &mut Core, now: u64) {
        self.end_all(core);
        if self.link.is_welcome() {
            self.say_goodbye(core, close::NORMAL);
            self.link.stage = Stage::Goodbye;
            self.goodbye = Some(now.saturating_add(core.config.close_timeout));
        } else {
            self.close_line(core, now);
        }
    }

    /// The router did not answer GOODBYE in time: nothing is to be expected of it any more.
    pub(super) fn stop_waiting(&mut self, core: &mut Core, now: u64) {
        if self.goodbye.is_some_and(|until| until <= now) {
            if let Some(socket) = self.line.socket() {
                core.output(Output::Drop { socket });
            }
            self.finish(core);
        }
    }

    /// Closes the socket, and is finished when it is closed.
    fn close_line(&mut self, core: &mut Core, now: u64) {
        // The time for GOODBYE and for this is one.
        let begin = self.goodbye.take().map_or(now, |until| until.saturating_sub(core.config.close_timeout));
        if !self.line.close(core, 1000, "goodbye", begin) {
            self.finish(core);
        }
    }

    /// All that the program has asked for ends.
    fn end_all(&mut self, core: &mut Core) {
        self.challenged = false;
        self.invocations.handle_lost(core);
        self.requests.close(core, &mut self.link);
        self.subscriptions.close(core, &mut self.link);
        self.registrations.end_all(core, &mut self.link);
    }

    /// The session is over, for good.
    pub(super) fn finish(&mut self, core: &mut Core) {
        if std::mem::replace(&mut self.finished, true) {
            return;
        }
        self.line.ended();
        self.link.end();
        self.link.timers.clear();
        self.goodbye = None;
        for (_, socket) in std::mem::take(&mut self.closing) {
            core.output(Output::Drop { socket });
        }
        if let Phase::Closed { failure } = &core.phase {
            let failure = failure.clone();
            core.status(Status::Closed { failure });
        }
    }

    fn say_goodbye(&mut self, core: &mut Core, reason: &str) {
        self.link.send(core, &[Number(Goodbye::CODE), Options(&[]), Text(reason)]);
    }
}

/// What ABORT and GOODBYE say: a URI, and a text for people.
pub(super) fn reason_of(message: &Heard<'_>) -> (String, String) {
    let text = message.details(1).text("message").unwrap_or_default();
    (readable(&message.text(2)), readable(&text))
}
