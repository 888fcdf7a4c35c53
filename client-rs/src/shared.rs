//! What all handles, tasks and streams of a client share: the session, and who waits for what.

use std::collections::HashMap;
use std::fmt;
use std::pin::pin;
use std::sync::Arc;
use std::task::Waker;
use std::time::Duration;

use parking_lot::Mutex;
use petasus_protocol::session::{
    self, Config, Delivery, ExchangeId, Failure, InvocationId, Outcome, RegistrationId, RequestId, Session,
    SocketId, Status, SubscriptionId,
};
use petasus_protocol::wamp::Serializer;
use tokio::runtime::Handle;
use tokio::sync::{Notify, oneshot, watch};
use tokio::task::AbortHandle;
use tokio::time::{Instant, sleep_until, timeout};

use crate::Error;
use crate::buffer::Buffer;
use crate::call::Part;
use crate::duty::{Asked, Asking};
use crate::settings::Settings;
use crate::socket::Outbox;

/// The answer to a request.
pub(crate) type Answer = Result<Outcome, session::Error>;

/// What all parts of a client share.
pub(crate) struct Shared {
    /// Never held across an await. Inside it only the locks of buffers are taken, one at a time.
    state: Mutex<State>,
    /// The time 0 of the session.
    born: Instant,
    pub(crate) status: watch::Sender<Status>,
    /// Told when there is room in the queue again, or a socket takes more again.
    room: Notify,
    /// Told when the next timeout is earlier than before, and when the status is another one.
    timer: Notify,
    /// All that is logged without a socket belongs to this.
    pub(crate) span: tracing::Span,
    pub(crate) runtime: Handle,
    pub(crate) settings: Settings,
    /// What values are written in: the core transcodes if the router chose another one.
    pub(crate) serializer: Serializer,
    request_timeout: Duration,
}

/// The session, and who waits for what.
pub(crate) struct State {
    pub(crate) session: Session,
    pub(crate) sockets: HashMap<SocketId, Outbox>,
    pub(crate) exchanges: HashMap<ExchangeId, AbortHandle>,
    pub(crate) subscriptions: HashMap<SubscriptionId, Standing<Delivery>>,
    pub(crate) registrations: HashMap<RegistrationId, Standing<Asked>>,
    /// Who waits for the confirmation of an end. Subscriptions and registrations draw their numbers from one row.
    pub(crate) leaving: HashMap<u64, oneshot::Sender<()>>,
    pub(crate) requests: HashMap<RequestId, Waiting>,
    /// The calls and jobs that are not answered yet.
    pub(crate) invocations: HashMap<InvocationId, Arc<Asking>>,
    /// The task that works on the answer to a challenge.
    pub(crate) challenge: Option<AbortHandle>,
    /// What the program is to be told of the connection.
    pub(crate) statuses: Vec<Status>,
    /// How many buffers want that nothing more is read.
    pub(crate) stalled: usize,
    /// How many sockets take no more.
    pub(crate) blocked: usize,
    /// When the timer wakes up.
    armed: u64,
    /// What waited to be sent when it was looked at last.
    waiting: usize,
}

/// A subscription or registration.
#[derive(Debug)]
pub(crate) struct Standing<T> {
    /// Who waits for it to stand for the first time.
    pub(crate) begun: Option<oneshot::Sender<Result<(), Error>>>,
    pub(crate) buffer: Arc<Buffer<T>>,
    /// How it is called in the log.
    pub(crate) name: String,
    /// How often it was made again.
    pub(crate) again: Arc<std::sync::atomic::AtomicU64>,
}

/// Who waits for the answer to a request.
#[derive(Debug)]
pub(crate) enum Waiting {
    Once(oneshot::Sender<Answer>),
    Parts(Arc<Buffer<Result<Part, Error>>>),
}

/// What is to be done when the lock is free again.
#[derive(Debug, Default)]
pub(crate) struct After {
    /// Most of the time it is one socket's, and that needs no memory.
    first: Option<Waker>,
    wakers: Vec<Waker>,
    answers: Vec<(oneshot::Sender<Answer>, Answer)>,
}

impl After {
    pub(crate) fn wake(&mut self, waker: Option<Waker>) {
        match (&self.first, waker) {
            (_, None) => {}
            (None, waker) => self.first = waker,
            (Some(_), Some(waker)) => self.wakers.push(waker),
        }
    }

    pub(crate) fn answer(&mut self, to: oneshot::Sender<Answer>, answer: Answer) {
        self.answers.push((to, answer));
    }

    fn run(self) {
        for (to, answer) in self.answers {
            // Who does not wait any more has lost interest.
            let _ = to.send(answer);
        }
        self.first.into_iter().chain(self.wakers).for_each(Waker::wake);
    }
}

impl Shared {
    /// Begins to connect. The tasks that it needs end when the session is over.
    pub(crate) fn start(config: Config, settings: Settings) -> Arc<Shared> {
        let span = tracing::info_span!("petasus.client", url = without_query(&settings.url));
        let serializer = config.serializers.first().copied().unwrap_or(Serializer::Json);
        let request_timeout = Duration::from_millis(config.request_timeout);
        let state = State {
            session: Session::new(config, fastrand::u64(..)),
            sockets: HashMap::new(),
            exchanges: HashMap::new(),
            subscriptions: HashMap::new(),
            registrations: HashMap::new(),
            leaving: HashMap::new(),
            requests: HashMap::new(),
            invocations: HashMap::new(),
            challenge: None,
            statuses: Vec::new(),
            stalled: 0,
            blocked: 0,
            armed: u64::MAX,
            waiting: 0,
        };
        let shared = Arc::new(Shared {
            state: Mutex::new(state),
            born: Instant::now(),
            status: watch::Sender::new(Status::Connecting { attempt: 0 }),
            room: Notify::new(),
            timer: Notify::new(),
            span,
            runtime: Handle::current(),
            settings,
            serializer,
            request_timeout,
        });
        shared.with(|state, now| state.session.connect(now));
        let last = LastWord(shared.clone());
        let time = shared.clone().keep_time();
        shared.runtime.spawn(async move {
            let _last = last;
            time.await;
        });
        shared
    }

    /// Does something with the session, and then all that the session wants.
    pub(crate) fn with<R>(self: &Arc<Self>, act: impl FnOnce(&mut State, u64) -> R) -> R {
        let mut after = After::default();
        let mut state = self.state.lock();
        let now = self.now();
        let result = act(&mut state, now);
        self.pump(&mut state, now, &mut after);
        drop(state);
        after.run();
        result
    }

    /// As [`Shared::with`], for a task that has more to do before the lock is free.
    pub(crate) fn with_after<R>(self: &Arc<Self>, act: impl FnOnce(&mut State, u64, &mut After) -> R) -> R {
        let mut after = After::default();
        let mut state = self.state.lock();
        let now = self.now();
        let result = act(&mut state, now, &mut after);
        drop(state);
        after.run();
        result
    }

    /// Does what the session wants, and looks after those who wait for room or for a time.
    pub(crate) fn pump(self: &Arc<Self>, state: &mut State, now: u64, after: &mut After) {
        let blocked = state.blocked;
        self.settle(state, now, after);
        let waiting = state.session.waiting();
        if waiting < state.waiting || state.blocked < blocked {
            self.room.notify_waiters();
        }
        state.waiting = waiting;
        let due = state.session.poll_timeout().unwrap_or(u64::MAX);
        if due < state.armed {
            state.armed = due;
            self.timer.notify_one();
        }
    }

    /// Asks the session for something; if its queue is full, waits for room first, no longer than `patience`.
    /// `act` gets what is left of it, in milliseconds.
    pub(crate) async fn admit<R>(
        self: &Arc<Self>,
        patience: Option<Duration>,
        mut act: impl FnMut(&mut State, u64, u64) -> Result<R, session::Error>,
    ) -> Result<R, Error> {
        let patience = patience.unwrap_or(self.request_timeout);
        let mut attempt = |left: Duration| self.with(|state, now| act(state, now, millis(left)));
        let full = match attempt(patience) {
            Err(session::Error::QueueFull { waiting }) => Error::QueueFull { waiting },
            other => return Ok(other?),
        };
        let begun = Instant::now();
        let waited = timeout(patience, async {
            loop {
                let mut room = pin!(self.room.notified());
                // Before the look, so that no word is missed.
                room.as_mut().enable();
                match attempt(patience.saturating_sub(begun.elapsed())) {
                    Err(session::Error::QueueFull { .. }) => room.await,
                    other => return other,
                }
            }
        });
        waited.await.map_or(Err(full), |result| Ok(result?))
    }

    /// Waits as long as a socket takes no more, so that who answers much is slowed down by a slow network.
    pub(crate) async fn unblocked(&self) {
        loop {
            let mut room = pin!(self.room.notified());
            room.as_mut().enable();
            if self.state.lock().blocked == 0 {
                return;
            }
            room.await;
        }
    }

    /// A buffer that was full is not any more.
    pub(crate) fn resume(self: &Arc<Self>) {
        self.with_after(|state, _, after| {
            state.stalled = state.stalled.saturating_sub(1);
            if state.stalled == 0 {
                state.sockets.values_mut().for_each(|outbox| after.wake(outbox.waker.take()));
            }
        });
    }

    /// Waits for the end of the session.
    pub(crate) async fn ended(&self) -> Option<Failure> {
        let mut status = self.status.subscribe();
        // `self` holds the sender.
        let last = status.wait_for(|status| matches!(status, Status::Closed { .. })).await;
        match last.as_deref() {
            Ok(Status::Closed { failure }) => failure.clone(),
            _ => None,
        }
    }

    /// Tells the session the time when it wants to know, and the program how the connection stands, until it is over.
    ///
    /// That a task of its own tells the status, with no lock held, matters: the program may call anything while it
    /// looks at the one before, which holds the lock of that.
    async fn keep_time(self: Arc<Self>) {
        loop {
            let changed = self.timer.notified();
            let (due, statuses) = {
                let mut state = self.state.lock();
                (state.armed, std::mem::take(&mut state.statuses))
            };
            for status in statuses {
                self.status.send_replace(status);
            }
            if matches!(*self.status.borrow(), Status::Closed { .. }) {
                return;
            }
            if due == u64::MAX {
                changed.await;
                continue;
            }
            tokio::select! {
                () = changed => continue,
                () = sleep_until(self.born + Duration::from_millis(due)) => {}
            }
            self.with(|state, now| {
                // It is armed again after this, by what the session says then.
                state.armed = u64::MAX;
                state.session.handle_timeout(now);
            });
        }
    }

    /// The status is another one.
    pub(crate) fn announce(&self, state: &mut State, status: Status) {
        state.statuses.push(status);
        self.timer.notify_one();
    }

    fn now(&self) -> u64 {
        millis(self.born.elapsed())
    }
}

/// Ends the client when its runtime is shut down, which drops all tasks: nobody is to wait for ever on another one.
struct LastWord(Arc<Shared>);

impl Drop for LastWord {
    fn drop(&mut self) {
        let shared = &self.0;
        shared.with(|state, now| {
            state.session.close(now);
            // Nobody is left who would hear the server confirm it.
            state.session.handle_timeout(u64::MAX);
        });
        for status in shared.with(|state, _| std::mem::take(&mut state.statuses)) {
            shared.status.send_replace(status);
        }
    }
}

impl fmt::Debug for Shared {
    /// How much there is of everything. What it is may be secret: messages, tokens in a query.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut client = f.debug_struct("Client");
        client.field("url", &without_query(&self.settings.url));
        // Whoever holds the lock may be the one who prints.
        if let Some(state) = self.state.try_lock() {
            client
                .field("sockets", &state.sockets.len())
                .field("posts", &state.exchanges.len())
                .field("subscriptions", &state.subscriptions.len())
                .field("registrations", &state.registrations.len())
                .field("leaving", &state.leaving.len())
                .field("requests", &state.requests.len())
                .field("invocations", &state.invocations.len())
                .field("waiting", &state.session.waiting());
        }
        client.finish_non_exhaustive()
    }
}

/// What of a URL may be shown: a query may hold a token.
pub(crate) fn without_query(url: &str) -> &str {
    url.split('?').next().unwrap_or_default()
}

/// A time in the unit of the session. What is longer than half a billion years is as good as that.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
