//! Does what the session wants: sockets and POSTs on the one hand, those who wait on the other.

use std::sync::Arc;
use std::sync::atomic::Ordering::Relaxed;

use petasus_protocol::session::{
    self, Event, Failure, Incoming, InvocationId, Output, RegistrationId, RequestId, SocketId, Status,
    SubscriptionId,
};
use petasus_protocol::wamp::uri;

use crate::Error;
use crate::auth::Challenge;
use crate::buffer::Pushed;
use crate::call::Part;
use crate::duty::{Asked, Asking};
use crate::shared::{After, Shared, Standing, State, Waiting};
use crate::socket::{self, Order, Outbox};
use crate::{Message, post};

impl Shared {
    /// Until the session wants nothing more.
    pub(crate) fn settle(self: &Arc<Self>, state: &mut State, now: u64, after: &mut After) {
        loop {
            if let Some(output) = state.session.poll_output() {
                self.obey(state, output, now, after);
            } else if let Some(event) = state.session.poll_event() {
                self.tell(state, event, now, after);
            } else {
                return;
            }
        }
    }

    fn obey(self: &Arc<Self>, state: &mut State, output: Output, now: u64, after: &mut After) {
        match output {
            Output::Open { socket, url, subprotocols } => {
                if let Some(identity) = self.settings.auth.fresh_identity() {
                    state.session.identify(identity);
                }
                let task = self.runtime.spawn(socket::run(self.clone(), socket, url, subprotocols));
                state.sockets.insert(socket, Outbox::new(task.abort_handle()));
            }
            Output::Send { socket, message } => state.put(socket, Order::Send(message), now, after),
            // Who reads nothing sees no pong.
            Output::Ping { socket } if state.stalled > 0 => state.session.handle_pong(socket, now),
            Output::Ping { socket } => state.put(socket, Order::Ping, now, after),
            Output::Close { socket, code, reason } => {
                if state.sockets.get(&socket).is_some_and(|outbox| outbox.open) {
                    state.put(socket, Order::Close(code, reason), now, after);
                } else {
                    state.forget_socket(socket);
                    let failure =
                        Failure::Broken { reason: "it was given up while it was opened".to_owned() };
                    state.session.handle_closed(socket, failure, now);
                }
            }
            Output::Drop { socket } => state.forget_socket(socket),
            Output::Post { exchange, url, message } => {
                let task = self.runtime.spawn(post::run(self.clone(), exchange, url, message));
                state.exchanges.insert(exchange, task.abort_handle());
            }
            Output::Abandon { exchange } => {
                if let Some(task) = state.exchanges.remove(&exchange) {
                    task.abort();
                }
            }
            _ => {}
        }
    }

    fn tell(self: &Arc<Self>, state: &mut State, event: Event, now: u64, after: &mut After) {
        match event {
            Event::Status(status) => self.change(state, status),
            Event::Challenge { method, extra } => {
                self.challenge(state, Challenge { method, extra: extra.to_dict() });
            }
            Event::Subscribed { subscription, again } => {
                if let Some(standing) = state.subscriptions.get_mut(&subscription) {
                    standing.stand(again);
                }
            }
            Event::Registered { registration, again } => {
                if let Some(standing) = state.registrations.get_mut(&registration) {
                    standing.stand(again);
                }
            }
            Event::SubscriptionEnded { subscription, error } => {
                if let Some(standing) = state.subscriptions.remove(&subscription) {
                    standing.end(error.into(), after);
                }
            }
            Event::RegistrationEnded { registration, error } => {
                if let Some(standing) = state.registrations.remove(&registration) {
                    standing.end(error.into(), after);
                }
            }
            Event::Unsubscribed { subscription } => state.left(subscription.as_u64()),
            Event::Unregistered { registration } => state.left(registration.as_u64()),
            Event::Message { subscription, delivery } => state.deliver(subscription, delivery, after),
            Event::Invocation { registration, invocation, incoming } => {
                state.ask(registration, invocation, incoming, now, after);
            }
            Event::InvocationMore { invocation, content, more } => {
                if let Some(asking) = state.invocations.get(&invocation) {
                    asking.more(content, more, after);
                }
            }
            Event::Interrupted { invocation } => {
                if let Some(asking) = state.invocations.remove(&invocation) {
                    asking.interrupt(after);
                }
            }
            Event::Progress { request, content } => {
                if let Some(Waiting::Parts(parts)) = state.requests.get(&request) {
                    let pushed = parts.push(Ok(Part::Progress(Message::of_content(content))));
                    state.note(pushed, "a call", after);
                }
            }
            Event::Done { request, outcome } => state.done(request, outcome, after),
            _ => {}
        }
    }

    fn change(&self, state: &mut State, status: Status) {
        let _entered = self.span.enter();
        match &status {
            Status::Connected(welcome) => {
                tracing::info!(realm = welcome.realm, session = welcome.session, "connected");
            }
            Status::Waiting { failure, wait } => tracing::warn!(%failure, wait_ms = wait, "no connection"),
            Status::Closed { failure: Some(failure) } => tracing::error!(%failure, "gave up"),
            _ => {}
        }
        if matches!(status, Status::Closed { .. }) {
            // Nobody confirms anything any more.
            state.leaving.clear();
        }
        if !matches!(status, Status::Connecting { .. }) {
            // What was asked on a connection that is gone needs no answer.
            if let Some(task) = state.challenge.take() {
                task.abort();
            }
        }
        self.announce(state, status);
    }

    fn challenge(self: &Arc<Self>, state: &mut State, challenge: Challenge) {
        let shared = self.clone();
        let task = self.runtime.spawn(async move {
            let proof = shared.settings.auth.answer(challenge).await;
            shared.with(|state, now| match proof {
                Ok(proof) => state.session.authenticate(proof.signature, proof.extra.into(), now),
                Err(reason) => state.session.refuse_challenge(reason, now),
            });
        });
        if let Some(before) = state.challenge.replace(task.abort_handle()) {
            before.abort();
        }
    }
}

impl State {
    /// Forgets a socket and stops its task.
    pub(crate) fn forget_socket(&mut self, socket: SocketId) {
        if let Some(outbox) = self.sockets.remove(&socket) {
            self.blocked -= usize::from(outbox.blocked);
            outbox.task.abort();
        }
    }

    /// Puts an order into the outbox of a socket.
    fn put(&mut self, socket: SocketId, order: Order, now: u64, after: &mut After) {
        let Some(outbox) = self.sockets.get_mut(&socket) else { return };
        after.wake(outbox.waker.take());
        let blocks = outbox.put(order);
        let overflows = outbox.overflows();
        self.blocked += usize::from(blocks);
        if overflows {
            self.forget_socket(socket);
            let reason = "the server asks and asks, and takes no answer".to_owned();
            self.session.handle_closed(socket, Failure::Broken { reason }, now);
        } else if blocks {
            self.session.handle_blocked(socket, true, now);
        }
    }

    /// The end of a subscription or registration is confirmed.
    fn left(&mut self, number: u64) {
        if let Some(waiting) = self.leaving.remove(&number) {
            let _ = waiting.send(());
        }
    }

    fn deliver(&mut self, subscription: SubscriptionId, delivery: session::Delivery, after: &mut After) {
        let Some(standing) = self.subscriptions.get(&subscription) else { return };
        let pushed = standing.buffer.push(delivery);
        if pushed.overflows {
            tracing::warn!(
                subscription = standing.name,
                "messages are dropped: they come faster than the program takes them"
            );
        }
        self.stalled += usize::from(pushed.stalls);
        after.wake(pushed.waker);
    }

    fn note(&mut self, pushed: Pushed, what: &str, after: &mut After) {
        if pushed.overflows {
            tracing::warn!(
                "parts of the result of {what} are dropped: they come faster than the program takes them"
            );
        }
        self.stalled += usize::from(pushed.stalls);
        after.wake(pushed.waker);
    }

    fn ask(
        &mut self,
        registration: RegistrationId,
        invocation: InvocationId,
        incoming: Incoming,
        now: u64,
        after: &mut After,
    ) {
        let standing = self.registrations.get(&registration).filter(|standing| !standing.buffer.refuses());
        let Some(standing) = standing else {
            let uri = uri::error::UNAVAILABLE.to_owned();
            let content = "the callee can take no more calls now".into();
            let answer = session::Answer::Failed { uri, content };
            // Nobody may wait for it any more.
            let _ = self.session.answer(invocation, answer, now);
            return;
        };
        let asking = Arc::new(Asking::new(incoming.more));
        self.invocations.insert(invocation, asking.clone());
        let pushed = standing.buffer.push(Asked { invocation, incoming, asking });
        self.stalled += usize::from(pushed.stalls);
        after.wake(pushed.waker);
    }

    fn done(
        &mut self,
        request: RequestId,
        outcome: Result<session::Outcome, session::Error>,
        after: &mut After,
    ) {
        match self.requests.remove(&request) {
            Some(Waiting::Once(waiting)) => after.answer(waiting, outcome),
            Some(Waiting::Parts(parts)) => {
                let last =
                    outcome.map_err(Error::from).map(|outcome| Part::Last(Message::of_outcome(outcome)));
                after.wake(parts.push(last).waker);
                after.wake(parts.end(None));
            }
            None => {}
        }
    }
}

impl<T> Standing<T> {
    fn stand(&mut self, again: bool) {
        if again {
            self.again.fetch_add(1, Relaxed);
            self.buffer.mark_gap();
        }
        if let Some(begun) = self.begun.take() {
            let _ = begun.send(Ok(()));
        }
    }

    fn end(self, error: Error, after: &mut After) {
        if let Some(begun) = self.begun {
            let _ = begun.send(Err(error.clone()));
        }
        after.wake(self.buffer.end(Some(error)));
    }
}
