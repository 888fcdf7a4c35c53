//! Queues over WAMP: REGISTER pulls, CALL and PUBLISH push, YIELD and ERROR complete a job.

use petasus_protocol::Topic;
use petasus_protocol::wamp::{Dict, Payload, Serializer, message, uri};

use super::{Session, State};
use crate::clock::Clock;
use crate::connection::{Answer, Batch, Job, Outbox};
use crate::dialect::Pattern;
use crate::hub::{ClientId, ClientLimits, FIRST_JOB, PullRefused, Pushed};
use crate::realm::Realm;

/// Pushes of one session that wait until their jobs are done, at most.
const UNANSWERED: usize = 10_000;

/// A session's account with the queues of its realm, opened when it first needs one.
#[derive(Default)]
pub(super) struct Jobs(Option<ClientId>);

impl Jobs {
    fn account(&mut self, realm: &Realm, outbox: &Outbox, pullers: usize) -> ClientId {
        *self.0.get_or_insert_with(|| {
            let limits = ClientLimits { pullers, pushes: UNANSWERED };
            realm.queue.lock().enter(outbox.clone(), limits)
        })
    }

    /// The session leaves: what it has not answered goes to others, and nobody waits for what it pushed.
    pub(super) fn leave(self, realm: &Realm, clock: Clock, batch: &mut Batch) {
        if let Some(account) = self.0 {
            let dropped = realm.queue.lock().exit(account, clock.now(), batch);
            batch.counts.without_puller += dropped as u64;
        }
    }
}

impl Session {
    /// REGISTER with `_pattern: "queue"`. REGISTERED is said while the queues are locked, so that it stands before
    /// the first INVOCATION (WAMP: Ordering Guarantees).
    pub(super) fn pull(&mut self, request: u64, topic: &Topic, concurrency: usize, batch: &mut Batch) {
        let State::Joined(joined) = &mut self.state else { return };
        let limit = self.core.config.wamp.registrations;
        let account = joined.jobs.account(&joined.realm, &self.outbox, limit);
        let say = |registration, batch: &mut Batch| {
            self.outbox.say(&message::Registered { request, registration }.into(), batch);
        };
        let now = self.core.clock.now();
        let pulls = joined.realm.queue.lock().register(account, topic, concurrency, now, batch, say);
        match pulls {
            Ok(expired) => batch.counts.expired += expired as u64,
            Err(refused) => {
                let error = match refused {
                    PullRefused::Again => uri::error::PROCEDURE_ALREADY_EXISTS,
                    PullRefused::TooMany(_) => uri::error::OPTION_NOT_ALLOWED,
                };
                self.refuse(message::Register::CODE, request, error, &refused.to_string(), batch);
            }
        }
    }

    /// UNREGISTER; `false` if it is not about a queue.
    pub(super) fn stop_pulling(&mut self, request: u64, registration: u64, batch: &mut Batch) -> bool {
        let State::Joined(joined) = &self.state else { return false };
        let Some(account) = joined.jobs.0.filter(|_| registration >= FIRST_JOB) else { return false };
        let now = self.core.clock.now();
        let Some(dropped) = joined.realm.queue.lock().unregister(account, registration, now, batch) else {
            return false;
        };
        batch.counts.without_puller += dropped as u64;
        self.say(&message::Unregistered { request, details: Dict::new() }.into(), batch);
        true
    }

    /// CALL with `_pattern: "queue"`: answered at once, or when the job is `done`.
    pub(super) fn push_job(
        &mut self,
        request: u64,
        topic: &Topic,
        done: bool,
        payload: Payload,
        batch: &mut Batch,
    ) {
        let State::Joined(joined) = &mut self.state else { return };
        batch.counts.received(Pattern::Queue, payload.len());
        let (job, now) = (Job::Wamp(payload), self.core.clock.now());
        let pushed = if done {
            let account =
                joined.jobs.account(&joined.realm, &self.outbox, self.core.config.wamp.registrations);
            let pushed = joined.realm.queue.lock().push_and_wait(account, request, topic, &job, now, batch);
            match pushed {
                Ok(pushed) => pushed,
                Err(refused) => {
                    let (kind, error) = (message::Call::CODE, uri::error::UNAVAILABLE);
                    return self.refuse(kind, request, error, &refused.to_string(), batch);
                }
            }
        } else {
            joined.realm.queue.lock().push(topic, &job, now, None, batch)
        };
        let Some(how) = self.how(pushed, message::Call::CODE, request, batch) else { return };
        if !done {
            let payload = Payload::of_values(Serializer::Json, &[how.into()], &Dict::new());
            self.say(&message::CallResult { request, details: Dict::new(), payload }.into(), batch);
        }
    }

    /// PUBLISH with `_pattern: "queue"`.
    pub(super) fn push_event(
        &mut self,
        request: u64,
        acknowledge: bool,
        topic: &Topic,
        payload: Payload,
        batch: &mut Batch,
    ) {
        self.flush(batch);
        let State::Joined(joined) = &self.state else { return };
        let now = self.core.clock.now();
        let pushed = joined.realm.queue.lock().push(topic, &Job::Wamp(payload), now, None, batch);
        if !acknowledge {
            count(pushed, batch);
        } else if self.how(pushed, message::Publish::CODE, request, batch).is_some() {
            let publication = crate::random::id();
            self.say(&message::Published { request, publication }.into(), batch);
        }
    }

    /// How a job went on; `None` if it did not, and the client has been told.
    fn how(&self, pushed: Pushed, kind: u64, request: u64, batch: &mut Batch) -> Option<&'static str> {
        count(pushed, batch);
        let text = match pushed {
            Pushed::Handed => return Some("handed"),
            Pushed::Held => return Some("held"),
            Pushed::NoPuller => "no puller is connected that could take the job: push again later",
            Pushed::Full => "the queue is full: push again in a while",
        };
        self.refuse(kind, request, uri::error::UNAVAILABLE, text, batch);
        None
    }

    /// CANCEL; `false` if it is not about a push that waits.
    pub(super) fn cancel_push(&mut self, request: u64, batch: &mut Batch) -> bool {
        let State::Joined(joined) = &self.state else { return false };
        joined.jobs.0.is_some_and(|account| joined.realm.queue.lock().cancel(account, request, batch))
    }

    /// YIELD; `false` if it is not about a job. Progress says nothing to a pusher: it waits for the end.
    pub(super) fn job_is_done(
        &mut self,
        invocation: u64,
        progress: bool,
        payload: &Payload,
        batch: &mut Batch,
    ) -> bool {
        let answer = (!progress).then(|| Answer::Done(payload.clone()));
        self.answer_job(invocation, answer, batch)
    }

    /// ERROR; `false` if it is not about a job.
    pub(super) fn job_has_failed(&mut self, error: &message::Error, batch: &mut Batch) -> bool {
        let (uri, payload) = (error.error.clone(), error.payload.clone());
        self.answer_job(error.request, Some(Answer::Failed { error: uri, payload }), batch)
    }

    /// An answer may come too late: the job was taken back when the session stopped to pull.
    fn answer_job(&mut self, invocation: u64, answer: Option<Answer>, batch: &mut Batch) -> bool {
        let State::Joined(joined) = &self.state else { return false };
        let Some(account) = joined.jobs.0.filter(|_| invocation >= FIRST_JOB) else { return false };
        let mut queue = joined.realm.queue.lock();
        if let Some(answer) = answer {
            batch.counts.ignored += u64::from(!queue.answer(account, invocation, &answer, batch));
        }
        queue.knows(account, invocation)
    }

    /// The outbox has room again.
    pub(super) fn ready_for_jobs(&mut self, batch: &mut Batch) {
        if let State::Joined(joined) = &self.state
            && let Some(account) = joined.jobs.0
        {
            joined.realm.queue.lock().has_room(account, batch);
        }
    }
}

fn count(pushed: Pushed, batch: &mut Batch) {
    batch.counts.without_puller += u64::from(pushed == Pushed::NoPuller);
}
