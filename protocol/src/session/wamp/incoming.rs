//! What the router says, and who has to know it.

use super::super::core::Core;
use super::super::{Error, Failure};
use super::Wamp;
use super::ending::reason_of;
use super::link::{Pending, Stage, Violation};
use super::requests::refusal;
use crate::wamp::RawDict;
use crate::wamp::error::words;
use crate::wamp::heard::Heard;
use crate::wamp::message::{
    Abort, CallResult, Challenge, Error as ErrorMessage, Event, Goodbye, Interrupt, Invocation, Published,
    Registered, Subscribed, Unregistered, Unsubscribed, Welcome,
};

impl Wamp {
    /// What the router says.
    pub(super) fn handle(&mut self, core: &mut Core, message: &Heard<'_>, now: u64) {
        match (self.link.stage, message.code()) {
            (Stage::Goodbye | Stage::Welcome, Goodbye::CODE) => self.handle_goodbye(core, message, now),
            // What is under way is for nobody any more.
            (Stage::Goodbye, _) => {}
            (_, Abort::CODE) => self.handle_abort(core, message, now),
            (Stage::Hello, Challenge::CODE) => self.handle_challenge(core, message, now),
            (Stage::Hello, Welcome::CODE) => self.handle_welcome(core, message, now),
            (Stage::Welcome, _) => {
                if let Err(reason) = self.handle_in_session(core, message, now) {
                    self.violation(core, reason, now);
                }
            }
            _ => self.violation(core, words("a message that can not come before WELCOME"), now),
        }
    }

    /// What the router says in an open session. An answer to what nobody asked, or nobody waits for any more, is
    /// ignored.
    fn handle_in_session(&mut self, core: &mut Core, message: &Heard<'_>, now: u64) -> Result<(), Violation> {
        let link = &mut self.link;
        // Of all that comes after WELCOME, but for ERROR, the first is the number of the request or subscription.
        let first = message.number(1);
        match message.code() {
            Event::CODE => self.subscriptions.handle_event(core, message),
            CallResult::CODE => return self.requests.handle_result(core, link, message, now),
            Published::CODE => self.requests.handle_published(core, link, first),
            Invocation::CODE => {
                self.invocations.handle_invocation(core, link, &self.registrations, message);
            }
            Interrupt::CODE => self.invocations.handle_interrupt(core, link, message),
            ErrorMessage::CODE => self.handle_error(core, message, now),
            Subscribed::CODE => {
                if let Some(number) = link.filter(first) {
                    return self.subscriptions.handle_subscribed(core, link, number, message.number(2));
                }
            }
            Unsubscribed::CODE if first == 0 => {
                if let Some((subscription, error)) = revoked(&message.details(2), "subscription") {
                    self.subscriptions.handle_revoked(core, link, subscription, &error);
                }
            }
            Unsubscribed::CODE => {
                if let Some(number) = link.filter(first) {
                    return self.subscriptions.handle_unsubscribed(core, link, number);
                }
            }
            Registered::CODE => {
                if let Some(id) = link.registration(first) {
                    return self.registrations.handle_registered(core, link, id, message.number(2), now);
                }
            }
            Unregistered::CODE if first == 0 => {
                if let Some((registration, error)) = revoked(&message.details(2), "registration") {
                    self.registrations.handle_revoked(core, link, registration, error);
                }
            }
            Unregistered::CODE => {
                if let Some(id) = link.registration(first) {
                    return self.registrations.handle_unregistered(core, link, id, now);
                }
            }
            _ => return Err(words("a message that can not come after WELCOME")),
        }
        Ok(())
    }

    /// ERROR.
    fn handle_error(&mut self, core: &mut Core, error: &Heard<'_>, now: u64) {
        let link = &mut self.link;
        let Some(pending) = link.pending.remove(error.number(2)) else { return };
        let refused = refusal(error.text(4), error.first_text(5), error.payload(5));
        match pending {
            Pending::Filter(number) => self.subscriptions.handle_error(core, link, number, &refused),
            Pending::Registration(id) => self.registrations.handle_error(core, link, id, refused, now),
            Pending::Request(id) => self.requests.handle_error(core, link, id, refused),
            Pending::Probe => {}
        }
    }

    /// ABORT.
    fn handle_abort(&mut self, core: &mut Core, abort: &Heard<'_>, now: u64) {
        let (uri, text) = reason_of(abort);
        self.fail(core, Failure::Aborted { uri, text }, "aborted", now);
    }
}

/// Which one the router took away, and why.
fn revoked(details: &RawDict, key: &str) -> Option<(u64, Error)> {
    let reason = details.text("reason").unwrap_or_default();
    Some((details.id(key)?, Error::Revoked { reason }))
}
