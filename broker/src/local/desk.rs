//! What a local session waits for, and who gets what comes.

use std::collections::HashMap;
use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use parking_lot::Mutex;
use petasus_protocol::wamp::{Dict, Limits, Message, Payload, Serializer, Value, message, uri};
use tokio::sync::{Notify, mpsc, oneshot};

use super::{Event, Invocation, LocalError, RUNTIME_ERROR, Registration, Subscription, WampError};
use crate::connection::{FarEnd, Takes, frame};

/// Messages that wait to be read by the broker.
const OUTGOING: usize = 64;

const SERIALIZER: Serializer = Serializer::Cbor;

/// What is known of a session that is open.
pub(super) struct Desk {
    outgoing: mpsc::Sender<Bytes>,
    /// Bytes of the longest message that the broker takes.
    longest: usize,
    /// Events that wait for each subscription.
    events: usize,
    state: Mutex<State>,
    /// Told when nobody needs the session any more.
    over: Notify,
}

#[derive(Default)]
struct State {
    last_request: u64,
    waiting: HashMap<u64, Waiting>,
    opening: Option<Reply<u64>>,
    leaving: Option<oneshot::Sender<()>>,
    listeners: HashMap<u64, Vec<Listener>>,
    last_listener: u64,
    procedures: HashMap<u64, Run>,
    ended: bool,
}

type Reply<T> = oneshot::Sender<Result<T, WampError>>;

/// A procedure.
pub(super) type Run =
    Arc<dyn Fn(Invocation) -> Pin<Box<dyn Future<Output = Result<Payload, WampError>> + Send>> + Send + Sync>;

/// Who waits for the answer to a request.
pub(super) enum Waiting {
    Publish(Reply<u64>),
    Subscribe(Reply<Subscription>),
    Register(Reply<Registration>, Run),
    Call(Reply<Payload>),
}

/// One [`Subscription`]: several of one topic share their id.
struct Listener {
    number: u64,
    events: mpsc::Sender<Event>,
    missed: u64,
}

impl fmt::Debug for Desk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Desk").finish_non_exhaustive()
    }
}

impl Desk {
    /// A desk, and a task that carries its messages.
    pub(super) fn open(far_end: FarEnd, longest: usize, events: usize) -> Arc<Self> {
        let (outgoing, frames) = mpsc::channel(OUTGOING);
        let desk = Arc::new(Self { outgoing, longest, events, state: Mutex::default(), over: Notify::new() });
        let serving = desk.clone();
        tokio::spawn(async move {
            tokio::select! {
                () = far_end.run(frames, serving.outgoing.downgrade(), &serving) => {}
                () = serving.over.notified() => {}
            }
            serving.end();
        });
        desk
    }

    /// Joins a realm; the id of the session.
    pub(super) async fn join(&self, realm: &str) -> Result<u64, LocalError> {
        let (reply, answer) = oneshot::channel();
        self.state.lock().opening = Some(reply);
        let cancels = Dict::new().with("features", Dict::new().with("call_canceling", true));
        let roles = Dict::new()
            .with("publisher", Dict::new())
            .with("subscriber", Dict::new())
            .with("caller", cancels)
            .with("callee", Dict::new());
        let details = Dict::new().with("roles", Value::Dict(roles));
        self.send(&message::Hello { realm: realm.to_owned(), details }.into()).await?;
        answer.await.map_err(|_| LocalError::Over)?.map_err(LocalError::Refused)
    }

    /// Says goodbye and waits for the answer, or for the end.
    pub(super) async fn goodbye(&self) {
        let (reply, answer) = oneshot::channel();
        self.state.lock().leaving = Some(reply);
        let reason = uri::close::CLOSE_REALM.to_owned();
        if self.send(&message::Goodbye { details: Dict::new(), reason }.into()).await.is_ok() {
            let _ = answer.await;
        }
    }

    pub(super) fn hang_up(&self) {
        self.over.notify_one();
    }

    /// Sends a request, with the next number, and notes who waits for its answer.
    pub(super) async fn ask(
        &self,
        waiting: Waiting,
        request: impl FnOnce(u64) -> Message,
    ) -> Result<u64, LocalError> {
        let place = self.outgoing.reserve().await.map_err(|_| LocalError::Over)?;
        let mut state = self.state.lock();
        if state.ended {
            return Err(LocalError::Over);
        }
        let number = state.last_request + 1;
        let frame = self.framed(&request(number))?;
        // Requests are numbered in the order in which they are sent (WAMP 2.1.2).
        state.last_request = number;
        state.waiting.insert(number, waiting);
        place.send(frame);
        Ok(number)
    }

    async fn send(&self, message: &Message) -> Result<(), LocalError> {
        let frame = self.framed(message)?;
        self.outgoing.send(frame).await.map_err(|_| LocalError::Over)
    }

    /// Sends what nobody waits for, if there is room.
    fn try_send(&self, message: &Message) {
        let _ = self.framed(message).map(|frame| self.outgoing.try_send(frame));
    }

    fn framed(&self, message: &Message) -> Result<Bytes, LocalError> {
        let body = message.encode(SERIALIZER);
        let (len, max) = (body.len(), self.longest);
        if len > max {
            return Err(LocalError::TooLong { len, max });
        }
        let mut frames = Vec::with_capacity(len + 4);
        frame(&body, &mut frames);
        Ok(frames.into())
    }

    /// A request that is not answered by more than its number.
    fn tell(&self, request: impl FnOnce(u64) -> Message) {
        let number = {
            let mut state = self.state.lock();
            state.last_request += 1;
            state.last_request
        };
        self.try_send(&request(number));
    }

    /// Nothing comes any more: whoever waits is told, and every channel ends.
    fn end(&self) {
        let mut state = self.state.lock();
        let ended = std::mem::replace(&mut *state, State { ended: true, ..State::default() });
        drop(state);
        drop(ended);
    }

    pub(super) fn missed(&self, subscription: u64, number: u64) -> u64 {
        let state = self.state.lock();
        let listeners = state.listeners.get(&subscription).into_iter().flatten();
        listeners.filter(|listener| listener.number == number).map(|listener| listener.missed).sum()
    }

    pub(super) fn unsubscribe(&self, subscription: u64, number: u64) {
        if let Some(listeners) = self.state.lock().listeners.get_mut(&subscription) {
            listeners.retain(|listener| listener.number != number);
        }
        self.sweep();
    }

    /// Ends the subscriptions that nobody listens to. Not while one is being made: it may turn out to be the same.
    fn sweep(&self) {
        let mut forsaken = Vec::new();
        {
            let mut state = self.state.lock();
            if state.waiting.values().any(|waiting| matches!(waiting, Waiting::Subscribe(_))) {
                return;
            }
            state.listeners.retain(|subscription, listeners| {
                if listeners.is_empty() {
                    forsaken.push(*subscription);
                }
                !listeners.is_empty()
            });
        }
        for subscription in forsaken {
            self.tell(|request| message::Unsubscribe { request, subscription }.into());
        }
    }

    pub(super) fn unregister(&self, registration: u64) {
        if self.state.lock().procedures.remove(&registration).is_some() {
            self.tell(|request| message::Unregister { request, registration }.into());
        }
    }

    fn on_message(self: &Arc<Self>, message: Message) {
        match message {
            Message::Welcome(welcome) => self.on_opened(Ok(welcome.session)),
            Message::Abort(abort) => {
                let text = abort.details.text("message").ok().flatten().unwrap_or_default();
                self.on_opened(Err(WampError::new(abort.reason, text)));
            }
            Message::Goodbye(_) => drop(self.state.lock().leaving.take()),
            Message::Error(error) => self.on_error(error),
            Message::Published(published) => {
                if let Some(Waiting::Publish(reply)) = self.answered(published.request) {
                    let _ = reply.send(Ok(published.publication));
                }
            }
            Message::Subscribed(subscribed) => self.on_subscribed(&subscribed),
            Message::Unsubscribed(unsubscribed) => {
                // One that the broker took away; the answer to ours changes nothing.
                if let Some(id) = unsubscribed.details.id("subscription").ok().flatten() {
                    drop(self.state.lock().listeners.remove(&id));
                }
            }
            Message::Event(event) => self.on_event(event),
            Message::Registered(registered) => {
                if let Some(Waiting::Register(reply, run)) = self.answered(registered.request) {
                    self.state.lock().procedures.insert(registered.registration, run);
                    // If nobody takes it any more, dropping it ends the registration.
                    let _ = reply.send(Ok(Registration { desk: self.clone(), id: registered.registration }));
                }
            }
            Message::Invocation(invocation) => self.on_invocation(invocation),
            Message::Result(result) => {
                if let Some(Waiting::Call(reply)) = self.answered(result.request) {
                    let _ = reply.send(Ok(result.payload));
                }
            }
            _ => {}
        }
    }

    fn answered(&self, request: u64) -> Option<Waiting> {
        self.state.lock().waiting.remove(&request)
    }

    fn on_opened(&self, opened: Result<u64, WampError>) {
        if let Some(reply) = self.state.lock().opening.take() {
            let _ = reply.send(opened);
        }
    }

    fn on_error(&self, error: message::Error) {
        let failed = WampError { uri: error.error, payload: error.payload };
        match self.answered(error.request) {
            None => {}
            Some(Waiting::Publish(reply)) => drop(reply.send(Err(failed))),
            Some(Waiting::Subscribe(reply)) => {
                drop(reply.send(Err(failed)));
                self.sweep();
            }
            Some(Waiting::Register(reply, _)) => drop(reply.send(Err(failed))),
            Some(Waiting::Call(reply)) => drop(reply.send(Err(failed))),
        }
    }

    fn on_subscribed(self: &Arc<Self>, subscribed: &message::Subscribed) {
        let Some(Waiting::Subscribe(reply)) = self.answered(subscribed.request) else { return };
        let id = subscribed.subscription;
        let (sender, events) = mpsc::channel(self.events);
        let number = {
            let mut state = self.state.lock();
            state.last_listener += 1;
            let number = state.last_listener;
            state.listeners.entry(id).or_default().push(Listener { number, events: sender, missed: 0 });
            number
        };
        // If nobody takes it any more, dropping it ends the subscription.
        let _ = reply.send(Ok(Subscription { desk: self.clone(), id, number, events }));
        self.sweep();
    }

    fn on_event(&self, event: message::Event) {
        let mut state = self.state.lock();
        let Some(listeners) = state.listeners.get_mut(&event.subscription) else {
            drop(state);
            // There was no room to say so before.
            self.tell(|request| message::Unsubscribe { request, subscription: event.subscription }.into());
            return;
        };
        let event = Event { publication: event.publication, details: event.details, payload: event.payload };
        for listener in listeners {
            listener.missed += u64::from(listener.events.try_send(event.clone()).is_err());
        }
    }

    /// Runs the procedure in a task of its own. How many there are is bounded by the registration.
    fn on_invocation(self: &Arc<Self>, invocation: message::Invocation) {
        let request = invocation.request;
        let run = self.state.lock().procedures.get(&invocation.registration).cloned();
        let desk = self.clone();
        tokio::spawn(async move {
            let result = match run {
                Some(run) => {
                    let invocation = Invocation { details: invocation.details, payload: invocation.payload };
                    let running = tokio::spawn(async move { run(invocation).await });
                    running.await.unwrap_or_else(|_| {
                        Err(WampError::new(RUNTIME_ERROR, "the procedure panicked: see the log"))
                    })
                }
                None => Err(WampError::new(uri::error::CANCELED, "the procedure is not there any more")),
            };
            desk.answer(request, result).await;
        });
    }

    async fn answer(&self, request: u64, result: Result<Payload, WampError>) {
        let answer = match result {
            Ok(payload) => message::Yield { request, options: Dict::new(), payload }.into(),
            Err(error) => failure(request, error),
        };
        if let Err(error @ LocalError::TooLong { .. }) = self.send(&answer).await {
            let error = WampError::new(uri::error::PAYLOAD_SIZE_EXCEEDED, &error.to_string());
            let _ = self.send(&failure(request, error)).await;
        }
    }
}

fn failure(request: u64, error: WampError) -> Message {
    let WampError { uri: error, payload } = error;
    message::Error { kind: message::Invocation::CODE, request, details: Dict::new(), error, payload }.into()
}

impl Takes for Arc<Desk> {
    fn take(&self, message: Bytes) {
        match Message::decode(SERIALIZER, &message, &Limits { max_bytes: usize::MAX, ..Limits::default() }) {
            Ok(message) => self.on_message(message),
            Err(error) => tracing::error!(%error, "a message of the broker to its own program is malformed"),
        }
    }

    /// Whatever comes has its bounded place already.
    async fn room(&self) {}
}

/// Cancels a call that nobody waits for any more.
pub(super) struct Cancels<'a> {
    pub(super) desk: &'a Desk,
    pub(super) request: u64,
}

impl Drop for Cancels<'_> {
    fn drop(&mut self) {
        if self.desk.answered(self.request).is_some() {
            let options = Dict::new().with("mode", "killnowait");
            self.desk.try_send(&message::Cancel { request: self.request, options }.into());
        }
    }
}
