//! One connection: a task that reads, decodes and sends, and sees that its outbox is written.
//!
//! The only room that names the WebSocket crate. One task per connection, generic over its stream; an idle
//! one holds no buffer. See `outbox` for how others write to it.

mod batch;
mod closing;
mod decoder;
pub(crate) mod handshake;
mod header;
mod inbox;
mod keepalive;
mod outbox;
mod parcel;
mod pending;
mod scratch;
mod socket;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::time::{Instant, Sleep};

pub(crate) use batch::{Batch, Counts};
pub(crate) use keepalive::Pace;
pub(crate) use outbox::Outbox;
pub(crate) use parcel::Parcel;
pub(crate) use socket::{ByteStream, Stream};

use crate::auth::Client;
use crate::core::Core;
use crate::dialect::{Dialect, Received};
use crate::realm::Membership;
use closing::{Ending, GOING_AWAY, IDLE, OVERFLOW, QUEUE_FULL, REFUSED, TOO_SLOW};
use decoder::{Decoder, Incoming, Unfinished, Violation};
use inbox::{Entry, Inbox, Step};
use keepalive::{Due, Keepalive};
use outbox::{Look, Signals};
use pending::{PING, PONG};
use socket::Receiver;

/// A WebSocket connection after its handshake.
pub(crate) struct Connection {
    core: Arc<Core>,
    dialect: Dialect,
    membership: Membership,
    outbox: Outbox,
    receiver: Receiver,
    decoder: Decoder,
    /// Since when a message is arriving that is not complete.
    arriving_since: Option<Instant>,
    keepalive: Keepalive,
    /// Messages that were read and could not go to the hub at once. Nothing is read while there are any.
    inbox: Option<Box<Inbox>>,
    /// Who is connected, if a hook wants to know.
    client: Option<Arc<Client>>,
    /// An owner-only stream may buffer what was written to it.
    unflushed: bool,
}

/// What one turn of the task came to.
enum Turn {
    /// Something was written; look again.
    Wrote,
    /// Something was read, and this is to be flushed.
    Read(Batch, Option<Ending>),
    Signals(Signals),
    Inbox(Step),
    Timer,
}

/// What the task does next. It is kept small, as it is part of every connection's future.
enum After {
    /// The next turn.
    Next,
    /// As `Next`, once others have had theirs if this task has been busy for long.
    Breathe,
    /// Flushes more, and then ends if there is an ending.
    Flush(Pin<Box<dyn Future<Output = Option<Ending>> + Send>>),
    End(Ending),
}

impl Connection {
    pub(crate) fn new(
        core: Arc<Core>,
        dialect: Dialect,
        membership: Membership,
        client: Option<Arc<Client>>,
        stream: Stream,
    ) -> Self {
        let outbox = membership.outbox().clone();
        let (receiver, sender) = stream.split();
        outbox.0.attach(sender);
        Self {
            core,
            dialect,
            membership,
            outbox,
            receiver,
            decoder: Decoder::default(),
            arriving_since: None,
            keepalive: Keepalive::new(Instant::now()),
            inbox: None,
            client,
            unflushed: false,
        }
    }

    /// Serves the connection to its end. `early` is what came behind the handshake.
    ///
    /// Of what an `async fn` takes its future holds two copies, and there is one of these for each connection.
    pub(crate) fn run(mut self, early: Bytes) -> impl Future<Output = ()> + Send {
        // Also when it is empty it may hold the buffer into which the handshake was read: it ends here.
        let first = if early.is_empty() { After::Next } else { self.on_bytes(&mut Vec::from(early)) };
        async move {
            let ending = self.serve(first).await;
            self.core.metrics.closed(ending.code());
            tracing::debug!(?ending, "connection ends");
            Box::pin(self.finish(ending)).await;
        }
    }

    async fn serve(&mut self, mut after: After) -> Ending {
        let mut timer = pin!(tokio::time::sleep_until(self.keepalive.next(self.pace())));
        loop {
            match after {
                After::Next => {}
                After::Breathe => tokio::task::coop::consume_budget().await,
                After::Flush(flush) => {
                    if let Some(ending) = flush.await {
                        return ending;
                    }
                }
                After::End(ending) => return ending,
            }
            let next = self.next_deadline();
            if next < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(next);
            }
            after = poll_fn(|cx| self.poll_turn(cx, timer.as_mut()).map(|turn| self.on_turn(turn))).await;
        }
    }

    fn on_turn(&mut self, turn: Turn) -> After {
        let ending = match turn {
            Turn::Wrote => return After::Breathe,
            Turn::Read(batch, ending) => return self.flush(batch, ending),
            Turn::Signals(signals) => self.on_signals(signals),
            Turn::Inbox(step) => self.on_inbox(step),
            Turn::Timer => self.on_timer(),
        };
        ending.map_or(After::Next, After::End)
    }

    fn on_bytes(&mut self, bytes: &mut [u8]) -> After {
        let (batch, ending) = self.take(bytes);
        self.flush(batch, ending)
    }

    /// Flushes what was read. Only what is for very many needs a future.
    fn flush(&self, mut batch: Batch, ending: Option<Ending>) -> After {
        let metrics = &self.core.metrics;
        if !batch.flush_some(metrics) {
            batch.finish(metrics);
            return ending.map_or(After::Next, After::End);
        }
        let metrics = metrics.clone();
        After::Flush(Box::pin(async move {
            tokio::task::yield_now().await;
            batch.flush(&metrics).await;
            ending
        }))
    }

    /// Writes first, then reads: an answer should not wait for the next question.
    fn poll_turn(&mut self, cx: &mut Context<'_>, timer: Pin<&mut Sleep>) -> Poll<Turn> {
        match self.outbox.0.look(cx) {
            Look::Signals(signals) => return Poll::Ready(Turn::Signals(signals)),
            Look::Write | Look::Blocked if self.poll_write(cx).is_ready() => return Poll::Ready(Turn::Wrote),
            _ => {}
        }
        if self.unflushed && self.receiver.poll_flush(cx).is_ready() {
            self.unflushed = false;
        }
        if let Some(inbox) = &mut self.inbox {
            if let Poll::Ready(step) = inbox.poll(cx) {
                return Poll::Ready(Turn::Inbox(step));
            }
        } else if let Poll::Ready(turn) = self.poll_read(cx) {
            return Poll::Ready(turn);
        }
        timer.poll(cx).map(|()| Turn::Timer)
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Turn> {
        scratch::with_read_buffer(|buffer| match self.receiver.poll_read(cx, buffer) {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Ok(0) | Err(_)) => Poll::Ready(Turn::Read(Batch::new(), Some(Ending::Gone))),
            Poll::Ready(Ok(read)) => {
                let (batch, ending) = self.take(&mut buffer[..read]);
                Poll::Ready(Turn::Read(batch, ending))
            }
        })
    }

    /// Writes once, if the stream takes it.
    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let peer = &self.outbox.0;
        let mut writes = 0;
        let ready = if let Some(socket) = peer.shared_socket() {
            // An error here is found, and reported, by the write.
            socket.poll_write_ready(cx).map(|_| {
                peer.unblock();
                peer.flush_as_owner(&mut writes);
            })
        } else {
            let receiver = &mut self.receiver;
            let written =
                peer.poll_flush_owned(cx, &mut writes, |cx, pieces| receiver.poll_write(cx, pieces));
            if written.is_pending() {
                peer.block();
            } else {
                self.unflushed = true;
            }
            written.map(drop)
        };
        self.core.metrics.wrote(writes);
        ready
    }

    /// Decodes what was read and sends it on.
    fn take(&mut self, bytes: &mut [u8]) -> (Batch, Option<Ending>) {
        let mut batch = Batch::new();
        let now = Instant::now();
        let core = self.core.clone();
        let pace = core.pace(self.dialect);
        self.keepalive.on_bytes(pace, now);
        let mut decoder = std::mem::take(&mut self.decoder);
        // Between its fragments, other frames do not bring a message forward.
        let inside = decoder.unfinished() == Unfinished::Message;
        let mut ending = None;
        let mut complete = false;
        let result = decoder.feed(bytes, core.message_limit(self.dialect), &mut |incoming| {
            complete |= !inside || matches!(incoming, Incoming::Message(_));
            match incoming {
                Incoming::Message(message) => {
                    self.keepalive.on_message(now);
                    ending = self.on_message(message, &mut batch);
                }
                Incoming::Ping(payload) => self.outbox.0.push_control(PONG, payload),
                Incoming::Pong => self.keepalive.on_pong(now),
                Incoming::Close(number, reason) => ending = Some(Ending::ClosedByPeer(number, reason)),
            }
            ending.is_none()
        });
        self.arriving_since = match decoder.unfinished() {
            Unfinished::Nothing => None,
            _ => self.arriving_since.filter(|_| !complete).or(Some(now)),
        };
        self.decoder = decoder;
        self.send(&mut batch);
        let ending = ending.or_else(|| result.err().map(Ending::from));
        match (&mut self.inbox, ending) {
            // What was sent before the end is not lost with it.
            (Some(inbox), Some(ending)) => {
                inbox.end(ending);
                (batch, None)
            }
            (_, ending) => (batch, ending),
        }
    }

    fn on_message(&mut self, message: petasus_protocol::Message, batch: &mut Batch) -> Option<Ending> {
        batch.counts.received(self.membership.role(), message.len());
        match self.dialect.receive(self.membership.role(), message) {
            Received::Send(message) => {
                if self.core.hooks.wants(self.membership.role()) {
                    self.inbox.get_or_insert_default().push(Entry::Message(message));
                    self.ask_hook();
                } else {
                    batch.messages.push(message);
                }
            }
            Received::Reply(message) => {
                // In the order in which they came.
                self.send(batch);
                if let Some(inbox) = &mut self.inbox {
                    inbox.push(Entry::Reply(message));
                } else {
                    self.reply(message, batch);
                }
            }
            Received::Ignore => batch.counts.ignored += 1,
            Received::NotText => return Some(Violation::NotUtf8.into()),
        }
        None
    }

    /// Answers the sender itself.
    fn reply(&self, message: petasus_protocol::Message, batch: &mut Batch) {
        crate::hub::Outbox::append(&self.outbox, &Parcel::one(message), batch);
    }

    /// Sends what was read to the hub; what finds its queue full goes to the inbox.
    fn send(&mut self, batch: &mut Batch) {
        if batch.messages.is_empty() {
            return;
        }
        let mut messages = std::mem::take(&mut batch.messages);
        if self.inbox.is_none() {
            self.membership.send(&mut messages, batch);
        }
        if !messages.is_empty() {
            let inbox = self.inbox.get_or_insert_with(|| Box::new(Inbox::waiting(Instant::now())));
            messages.drain(..).for_each(|message| inbox.push(Entry::Message(message)));
        }
        batch.messages = messages;
    }

    /// Asks the hook about the next message in the inbox, unless it is being asked already.
    fn ask_hook(&mut self) {
        let Some(inbox) = &mut self.inbox else { return };
        let (core, client, role) = (&self.core, &self.client, self.membership.role());
        inbox.ask(|message| core.hooks.about_message(role, message, client.as_ref()));
    }

    /// The next message of the inbox may go on, or may not.
    fn on_inbox(&mut self, step: Step) -> Option<Ending> {
        let mut batch = Batch::new();
        let mut messages = Vec::new();
        match step {
            Step::Refused(denied) => return Some(Ending::Close(Some(REFUSED), denied.reason().into())),
            Step::Allowed(message) => {
                messages.push(message);
                self.membership.send(&mut messages, &mut batch);
            }
            Step::Reply(message) => self.reply(message, &mut batch),
        }
        batch.flush_now(&self.core.metrics);
        let inbox = self.inbox.as_mut()?;
        if let Some(message) = messages.pop() {
            inbox.wait(message, Instant::now());
        } else if inbox.is_empty() {
            // It could not arrive while nothing was read.
            self.arriving_since = self.arriving_since.map(|_| Instant::now());
            return self.inbox.take().and_then(|inbox| inbox.into_ending());
        } else {
            inbox.taken();
            if self.core.hooks.wants(self.membership.role()) {
                self.ask_hook();
            }
        }
        None
    }

    fn on_signals(&mut self, signals: Signals) -> Option<Ending> {
        if signals.broken || signals.cut_off {
            return Some(Ending::Gone);
        }
        if signals.drain {
            return Some(GOING_AWAY.into());
        }
        if signals.overflowed {
            let named = self.dialect.names_overflow();
            return Some(if named { OVERFLOW.into() } else { Ending::Close(None, "".into()) });
        }
        if signals.room_for_jobs {
            let mut batch = Batch::new();
            self.membership.ready(&mut batch);
            batch.flush_now(&self.core.metrics);
        }
        if signals.resumed
            && let Some(inbox) = &mut self.inbox
        {
            inbox.resume();
        }
        None
    }

    fn on_timer(&mut self) -> Option<Ending> {
        let now = Instant::now();
        let patience = self.core.push_patience;
        if self.inbox.as_ref().is_some_and(|inbox| inbox.waits_longer_than(patience, now)) {
            return Some(QUEUE_FULL.into());
        }
        if self.arrival_deadline().is_some_and(|deadline| now >= deadline) {
            return Some(TOO_SLOW.into());
        }
        let core = &self.core;
        // While nothing is read, no sign of life can be seen.
        if self.inbox.is_some() {
            self.keepalive.on_pong(now);
        }
        match self.keepalive.due(core.pace(self.dialect), now, self.outbox.0.take_sent()) {
            Due::Nothing => None,
            Due::Ping => {
                self.outbox.0.push_control(PING, Bytes::new());
                None
            }
            Due::Gone => Some(Ending::Gone),
            Due::Idle => Some(IDLE.into()),
        }
    }

    fn pace(&self) -> &Pace {
        self.core.pace(self.dialect)
    }

    fn next_deadline(&self) -> Instant {
        let keepalive = self.keepalive.next(self.pace());
        let push = self.inbox.as_ref().and_then(|inbox| inbox.waiting_since());
        let push = push.map(|since| since + self.core.push_patience);
        [push, self.arrival_deadline()].into_iter().flatten().fold(keepalive, Instant::min)
    }

    /// When the message that is arriving must be complete; none while nothing is read.
    fn arrival_deadline(&self) -> Option<Instant> {
        let since = self.arriving_since.filter(|_| self.inbox.is_none())?;
        Some(since + self.core.config.timeouts.body.duration())
    }
}
