//! What the router says, and who has to know it.

use super::super::core::Core;
use super::super::{Error, Failure, readable};
use super::Wamp;
use super::ending::message_of;
use super::link::{Pending, Stage, Violation};
use super::requests::refusal;
use crate::wamp::Dict;
use crate::wamp::message::{self, Abort, FromRouter};

impl Wamp {
    /// What the router says.
    pub(super) fn handle(&mut self, core: &mut Core, message: FromRouter, now: u64) {
        match (self.link.stage, message) {
            (Stage::Goodbye | Stage::Welcome, FromRouter::Goodbye(goodbye)) => {
                self.handle_goodbye(core, &goodbye, now);
            }
            // What is under way is for nobody any more.
            (Stage::Goodbye, _) => {}
            (_, FromRouter::Abort(abort)) => self.handle_abort(core, &abort, now),
            (Stage::Hello, FromRouter::Challenge(challenge)) => {
                self.handle_challenge(core, challenge, now);
            }
            (Stage::Hello, FromRouter::Welcome(welcome)) => self.handle_welcome(core, welcome, now),
            (Stage::Welcome, message) => {
                if let Err(reason) = self.handle_in_session(core, message, now) {
                    self.violation(core, reason, now);
                }
            }
            _ => self.violation(core, "a message that can not come before WELCOME", now),
        }
    }

    /// What the router says in an open session. An answer to what nobody asked, or nobody waits for any more, is
    /// ignored.
    fn handle_in_session(&mut self, core: &mut Core, message: FromRouter, now: u64) -> Result<(), Violation> {
        let link = &mut self.link;
        match message {
            FromRouter::Event(event) => self.subscriptions.handle_event(core, event),
            FromRouter::Result(result) => return self.requests.handle_result(core, link, result, now),
            FromRouter::Published(published) => {
                self.requests.handle_published(core, link, published.request);
            }
            FromRouter::Invocation(invocation) => {
                self.invocations.handle_invocation(core, link, &self.registrations, invocation);
            }
            FromRouter::Interrupt(interrupt) => self.invocations.handle_interrupt(core, link, &interrupt),
            FromRouter::Error(error) => self.handle_error(core, error, now),
            FromRouter::Subscribed(message::Subscribed { request, subscription }) => {
                if let Some(number) = link.filter(request) {
                    return self.subscriptions.handle_subscribed(core, link, number, subscription);
                }
            }
            FromRouter::Unsubscribed(message::Unsubscribed { request: 0, details }) => {
                if let Some((subscription, error)) = revoked(&details, "subscription") {
                    self.subscriptions.handle_revoked(core, link, subscription, &error);
                }
            }
            FromRouter::Unsubscribed(message::Unsubscribed { request, .. }) => {
                if let Some(number) = link.filter(request) {
                    return self.subscriptions.handle_unsubscribed(core, link, number);
                }
            }
            FromRouter::Registered(message::Registered { request, registration }) => {
                if let Some(id) = link.registration(request) {
                    return self.registrations.handle_registered(core, link, id, registration, now);
                }
            }
            FromRouter::Unregistered(message::Unregistered { request: 0, details }) => {
                if let Some((registration, error)) = revoked(&details, "registration") {
                    self.registrations.handle_revoked(core, link, registration, error);
                }
            }
            FromRouter::Unregistered(message::Unregistered { request, .. }) => {
                if let Some(id) = link.registration(request) {
                    return self.registrations.handle_unregistered(core, link, id, now);
                }
            }
            _ => return Err("a message that can not come after WELCOME"),
        }
        Ok(())
    }

    /// ERROR.
    fn handle_error(&mut self, core: &mut Core, error: message::Error, now: u64) {
        let link = &mut self.link;
        let Some(pending) = link.pending.remove(error.request) else { return };
        let refused = refusal(error.error, error.payload);
        match pending {
            Pending::Filter(number) => self.subscriptions.handle_error(core, link, number, &refused),
            Pending::Registration(id) => self.registrations.handle_error(core, link, id, refused, now),
            Pending::Request(id) => self.requests.handle_error(core, link, id, refused),
            Pending::Probe => {}
        }
    }

    /// ABORT.
    fn handle_abort(&mut self, core: &mut Core, abort: &Abort, now: u64) {
        let text = message_of(&abort.details);
        self.fail(
            core,
            Failure::Aborted { uri: readable(&abort.reason), text: readable(&text) },
            "aborted",
            now,
        );
    }
}

/// Which one the router took away, and why.
fn revoked(details: &Dict, key: &str) -> Option<(u64, Error)> {
    let reason = details.text("reason").ok().flatten().unwrap_or_default().to_owned();
    Some((details.id(key).ok()??, Error::Revoked { reason }))
}
