//! REGISTER, UNREGISTER, CALL, CANCEL, YIELD and the ERROR of a callee.

use petasus_protocol::wamp::{Dict, Payload, message};

use super::{Identity, Received, Session, State, meta};
use crate::connection::Batch;
use crate::core::Core;
use crate::dialect::wamp::{Offer, Wish};
use crate::hub::{CallOptions, CancelMode, MemberId, RegisterOptions};
use crate::realm::Realm;

impl Session {
    pub(super) fn register(&mut self, request: u64, what: Offer, batch: &mut Batch) {
        match what {
            Offer::Procedure { uri, options } => self.register_procedure(request, &uri, options, batch),
            Offer::Jobs { topic, concurrency } => self.pull(request, &topic, concurrency, batch),
        }
    }

    fn register_procedure(&self, request: u64, uri: &str, mut options: RegisterOptions, batch: &mut Batch) {
        let State::Joined(joined) = &self.state else { return };
        options.created = crate::clock::since_epoch();
        let registered = joined.realm.dealer.lock().register(joined.member, request, uri, &options, batch);
        match registered {
            Ok(registered) => {
                meta::on_register(&joined.realm, joined.identity.session, registered, batch);
            }
            Err(error) => {
                self.refuse(message::Register::CODE, request, error.uri(), &error.to_string(), batch);
            }
        }
    }

    pub(super) fn unregister(&mut self, request: u64, registration: u64, batch: &mut Batch) {
        if self.stop_pulling(request, registration, batch) {
            return;
        }
        let State::Joined(joined) = &self.state else { return };
        let unregistered = joined.realm.dealer.lock().unregister(joined.member, registration, batch);
        match unregistered {
            Ok(unregistered) => {
                self.say(&message::Unregistered { request, details: Dict::new() }.into(), batch);
                meta::on_unregister(
                    &joined.realm,
                    joined.identity.session,
                    registration,
                    unregistered.deleted,
                    batch,
                );
            }
            Err(error) => {
                self.refuse(message::Unregister::CODE, request, error.uri(), &error.to_string(), batch);
            }
        }
    }

    pub(super) fn call(&mut self, request: u64, what: Wish, payload: Payload, batch: &mut Batch) -> Received {
        match what {
            Wish::Procedure { uri, options } => {
                return self.call_procedure(request, &uri, options, payload, batch);
            }
            Wish::Meta { uri } => self.call_meta(request, &uri, &payload, batch),
            Wish::Job { topic, done } => self.push_job(request, &topic, done, payload, batch),
        }
        Received::Done
    }

    fn call_procedure(
        &mut self,
        request: u64,
        uri: &str,
        options: CallOptions,
        payload: Payload,
        batch: &mut Batch,
    ) -> Received {
        let State::Joined(joined) = &self.state else { return Received::Done };
        let now = self.core.clock.now();
        let mut dealer = joined.realm.dealer.lock();
        let random = crate::random::id();
        let timed = options.timeout.is_some();
        let called = dealer.call(joined.member, request, uri, options, payload, now, random, batch);
        drop(dealer);
        if timed {
            self.core.call_due();
        }
        match called {
            Ok(()) => Received::Done,
            Err(problem) => self.violation(&problem.to_string(), batch),
        }
    }

    /// A procedure of the broker's own.
    fn call_meta(&mut self, request: u64, procedure: &str, payload: &Payload, batch: &mut Batch) {
        let trusted = self.is_trusted();
        let State::Joined(joined) = &mut self.state else { return };
        match meta::call(&self.core, joined, trusted, procedure, payload, batch) {
            Ok(payload) => {
                self.say(&message::CallResult { request, details: Dict::new(), payload }.into(), batch);
            }
            Err(failed) => self.refuse(message::Call::CODE, request, failed.uri, &failed.text, batch),
        }
    }

    pub(super) fn cancel(&mut self, request: u64, mode: CancelMode, batch: &mut Batch) {
        if self.cancel_push(request, batch) {
            return;
        }
        let State::Joined(joined) = &self.state else { return };
        joined.realm.dealer.lock().cancel(joined.member, request, mode, batch);
    }

    pub(super) fn yielded(
        &mut self,
        invocation: u64,
        progress: bool,
        payload: &Payload,
        batch: &mut Batch,
    ) -> Received {
        if self.job_is_done(invocation, progress, payload, batch) {
            return Received::Done;
        }
        let State::Joined(joined) = &self.state else { return Received::Done };
        let now = self.core.clock.now();
        let mut dealer = joined.realm.dealer.lock();
        let yielded = dealer.yield_(joined.member, invocation, progress, payload, now, batch);
        drop(dealer);
        match yielded {
            Ok(()) => Received::Done,
            Err(unknown) => self.violation(&unknown.to_string(), batch),
        }
    }

    pub(super) fn failed(&mut self, error: &message::Error, batch: &mut Batch) -> Received {
        if self.job_has_failed(error, batch) {
            return Received::Done;
        }
        let State::Joined(joined) = &self.state else { return Received::Done };
        let now = self.core.clock.now();
        let mut dealer = joined.realm.dealer.lock();
        let failed = dealer.fail(joined.member, error.request, &error.error, &error.payload, now, batch);
        drop(dealer);
        match failed {
            Ok(()) => Received::Done,
            Err(unknown) => self.violation(&unknown.to_string(), batch),
        }
    }

    /// The outbox has room again: invocations and jobs that it refused may come.
    pub(crate) fn ready(&mut self, batch: &mut Batch) {
        let State::Joined(joined) = &self.state else { return };
        joined.realm.dealer.lock().ready(joined.member, batch);
        self.ready_for_jobs(batch);
    }
}

/// A session leaves the dealer: its callers are told, and the meta events are published.
pub(super) fn leave(realm: &Realm, member: MemberId, identity: &Identity, batch: &mut Batch) {
    let removed = realm.dealer.lock().leave(member, batch);
    for removed in removed {
        meta::on_unregister(realm, identity.session, removed.registration, removed.deleted, batch);
    }
}

impl Core {
    /// Ends the calls of a realm that ran out of time.
    pub(crate) fn expire_calls(&self, realm: &Realm, batch: &mut Batch) -> Option<std::time::Duration> {
        let mut dealer = realm.dealer.lock();
        dealer.expire(self.clock.now(), batch);
        dealer.next_deadline()
    }
}
