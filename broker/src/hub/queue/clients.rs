//! Those who answer jobs, and those who wait for answers.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use petasus_protocol::Topic;
use slab::Slab;

use super::puller::{Task, Work};
use super::{Ended, FIRST_JOB, JobEnd, PullerId, Pushed, Queue};

/// The number of a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientId(usize);

/// How much one client may have at one time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientLimits {
    /// Pullers.
    pub pullers: usize,
    /// Pushes that wait until their jobs are done.
    pub pushes: usize,
}

/// Why a client does not pull.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PullRefused {
    /// One client has one turn.
    #[error("this session pulls from this queue already: unregister first, or use another session")]
    Again,
    /// It has as many pullers as it may have.
    #[error("a session has at most {0} registrations of queues: use another session")]
    TooMany(usize),
}

/// Why a client does not push.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PushRefused {
    /// A push with this request waits already.
    #[error("request {0} waits for its job already: count on with each request")]
    Again(u64),
    /// It has as many pushes as it may have.
    #[error("a session waits for at most {0} jobs: wait for one of them first")]
    TooMany(usize),
}

pub(super) struct Clients<O> {
    all: Slab<Client<O>>,
    /// The pushes that wait until their jobs are done.
    errands: HashMap<u64, Errand>,
    next_errand: u64,
}

struct Client<O> {
    outbox: O,
    limits: ClientLimits,
    next_invocation: u64,
    /// Its pullers, by their registrations.
    pullers: HashMap<u64, usize>,
    /// The rings in which they are.
    rings: HashSet<usize>,
    /// Which of its pullers has not answered a job.
    running: HashMap<u64, usize>,
    /// Its pullers that were refused a job because its outbox was full.
    full: Vec<usize>,
    /// The errands of its pushes, by their requests.
    pushes: HashMap<u64, u64>,
}

struct Errand {
    client: usize,
    request: u64,
    ring: usize,
}

impl<O: JobEnd> Clients<O> {
    pub(super) fn new() -> Self {
        Self { all: Slab::new(), errands: HashMap::new(), next_errand: 0 }
    }

    pub(super) fn running(&self) -> usize {
        self.all.iter().map(|(_, client)| client.running.len()).sum()
    }

    /// The number that the next job of a client gets.
    pub(super) fn next_invocation(&self, client: usize) -> u64 {
        self.all[client].next_invocation
    }

    /// A puller took the job with the next number.
    pub(super) fn assigned(&mut self, client: usize, puller: usize) {
        let client = &mut self.all[client];
        client.running.insert(client.next_invocation, puller);
        client.next_invocation += 1;
    }

    /// A puller's outbox took no job.
    pub(super) fn is_full(&mut self, client: usize, puller: usize) {
        self.all[client].full.push(puller);
    }

    /// A puller has left its ring.
    pub(super) fn left<J>(&mut self, work: &Work<J>, puller: usize) {
        let client = &mut self.all[work.client];
        for invocation in work.running.keys() {
            client.running.remove(invocation);
        }
        client.full.retain(|&full| full != puller);
    }

    /// Tells the pusher of a job how it ended, if one still waits for that.
    pub(super) fn settle(&mut self, task: &Task<O::Job>, ended: Ended<'_, O::Answer>, batch: &mut O::Batch) {
        let Some(errand) = task.errand.and_then(|number| self.errands.remove(&number)) else { return };
        let client = &mut self.all[errand.client];
        client.pushes.remove(&errand.request);
        client.outbox.settle(errand.request, ended, batch);
    }
}

impl<O: JobEnd> Queue<O> {
    /// Opens an account for one who answers jobs or waits for answers.
    pub fn enter(&mut self, outbox: O, limits: ClientLimits) -> ClientId {
        ClientId(self.clients.all.insert(Client {
            outbox,
            limits,
            next_invocation: FIRST_JOB,
            pullers: HashMap::new(),
            rings: HashSet::new(),
            running: HashMap::new(),
            full: Vec::new(),
            pushes: HashMap::new(),
        }))
    }

    /// Ends everything of a client. What it has not answered goes back to the heads of the queues; what it pushed
    /// goes on. Returns how many jobs were dropped because nobody is left to take them.
    pub fn exit(&mut self, client: ClientId, now: Duration, batch: &mut O::Batch) -> usize {
        let Some(gone) = self.clients.all.get_mut(client.0) else { return 0 };
        for (_, errand) in gone.pushes.drain() {
            self.clients.errands.remove(&errand);
        }
        let mut registrations: Vec<u64> = gone.pullers.keys().copied().collect();
        registrations.sort_unstable();
        let stop = |registration| self.unregister(client, registration, now, batch).unwrap_or(0);
        let dropped = registrations.into_iter().map(stop).sum();
        self.clients.all.remove(client.0);
        dropped
    }

    /// Joins the rotation as [`Queue::pull`], with at most `concurrency` unanswered jobs at one time. `announce` is
    /// told the number of the registration before the first job comes. Returns how many jobs had waited too long.
    pub fn register(
        &mut self,
        client: ClientId,
        topic: &Topic,
        concurrency: usize,
        now: Duration,
        batch: &mut O::Batch,
        announce: impl FnOnce(u64, &mut O::Batch),
    ) -> Result<usize, PullRefused> {
        let number = self.ring(topic);
        let account = &mut self.clients.all[client.0];
        if account.rings.contains(&number) {
            return Err(PullRefused::Again);
        }
        if account.pullers.len() >= account.limits.pullers {
            let limit = account.limits.pullers;
            self.tidy(number);
            return Err(PullRefused::TooMany(limit));
        }
        let registration = self.next_registration;
        self.next_registration += 1;
        account.rings.insert(number);
        let outbox = account.outbox.clone();
        announce(registration, batch);
        let (concurrency, running) = (concurrency.max(1), BTreeMap::new());
        let work = Work { client: client.0, registration, concurrency, running };
        let (puller, expired) = self.join(number, outbox, Some(work), now, batch);
        self.clients.all[client.0].pullers.insert(registration, puller);
        Ok(expired)
    }

    /// Ends a registration: what is not answered goes back to the head of the queue. Returns how many jobs were
    /// dropped because nobody is left to take them; `None` if the client has no such registration.
    pub fn unregister(
        &mut self,
        client: ClientId,
        registration: u64,
        now: Duration,
        batch: &mut O::Batch,
    ) -> Option<usize> {
        let account = self.clients.all.get_mut(client.0)?;
        let puller = account.pullers.remove(&registration)?;
        account.rings.remove(&self.pullers[puller]);
        Some(self.leave(PullerId(puller), now, batch))
    }

    /// Whether a client was ever given a job with this number. Answers that come too late are no fault.
    pub fn knows(&self, client: ClientId, invocation: u64) -> bool {
        let next = self.clients.all.get(client.0).map_or(FIRST_JOB, |client| client.next_invocation);
        (FIRST_JOB..next).contains(&invocation)
    }

    /// A client answers a job; `false` if it has no such job, or not any more.
    pub fn answer(
        &mut self,
        client: ClientId,
        invocation: u64,
        answer: &O::Answer,
        batch: &mut O::Batch,
    ) -> bool {
        let account = self.clients.all.get_mut(client.0);
        let Some(puller) = account.and_then(|client| client.running.remove(&invocation)) else {
            return false;
        };
        let (number, rules) = (self.pullers[puller], self.rules);
        self.change(number, |ring, clients| {
            if let Some(task) = ring.answered(puller, invocation) {
                clients.settle(&task, Ended::Answered(answer), batch);
            }
            ring.hand_out(&rules, clients, batch);
        });
        true
    }

    /// The outbox of a client has room again.
    pub fn has_room(&mut self, client: ClientId, batch: &mut O::Batch) {
        let Some(account) = self.clients.all.get_mut(client.0) else { return };
        for puller in std::mem::take(&mut account.full) {
            self.ready(PullerId(puller), batch);
        }
    }

    /// Pushes a job and waits until it is done: only those who answer take it. Unless the answer is
    /// [`Pushed::Handed`] or [`Pushed::Held`], nobody waits.
    pub fn push_and_wait(
        &mut self,
        client: ClientId,
        request: u64,
        topic: &Topic,
        job: &O::Job,
        now: Duration,
        batch: &mut O::Batch,
    ) -> Result<Pushed, PushRefused> {
        let account = &mut self.clients.all[client.0];
        if account.pushes.contains_key(&request) {
            return Err(PushRefused::Again(request));
        }
        if account.pushes.len() >= account.limits.pushes {
            return Err(PushRefused::TooMany(account.limits.pushes));
        }
        let errand = self.clients.next_errand;
        self.clients.next_errand += 1;
        let pushed = self.put(topic, Task { job: job.clone(), errand: Some(errand) }, now, None, batch);
        if let Some(&ring) = self.by_topic.get(topic)
            && matches!(pushed, Pushed::Handed | Pushed::Held)
        {
            self.clients.all[client.0].pushes.insert(request, errand);
            self.clients.errands.insert(errand, Errand { client: client.0, request, ring });
        }
        Ok(pushed)
    }

    /// A pusher does not want its job done any more: if it still waits, it is taken out; if a puller has it, it goes
    /// on. `false` if no such push waits.
    pub fn cancel(&mut self, client: ClientId, request: u64, batch: &mut O::Batch) -> bool {
        let account = self.clients.all.get_mut(client.0);
        let Some(number) = account.and_then(|client| client.pushes.remove(&request)) else { return false };
        let Some(errand) = self.clients.errands.remove(&number) else { return false };
        let rules = self.rules;
        if self.rings.contains(errand.ring) {
            self.change(errand.ring, |ring, _| ring.take_out(number, &rules));
            self.tidy(errand.ring);
        }
        self.clients.all[client.0].outbox.settle(request, Ended::Canceled, batch);
        true
    }
}
