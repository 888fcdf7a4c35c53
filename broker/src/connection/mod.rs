//! One connection: a task that reads, decodes and sends, and sees that its outbox is written.
//!
//! The only room that names the WebSocket crate. One task per connection, generic over its stream; an idle
//! one holds no buffer. See `outbox` for how others write to it.

mod batch;
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

use std::borrow::Cow;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

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
use decoder::{Decoder, Incoming, Violation};
use inbox::{Inbox, Step};
use keepalive::{Due, Keepalive};
use outbox::{Look, Signals};
use pending::{PING, PONG};
use socket::Receiver;

/// How long a closing connection waits for its peer to take what is pending, and then to hang up.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// Reconnecting is fine after codes from 3100 to 3499 (REQ-WS-017).
const OVERFLOW: (u16, &str) = (3100, "reads too slowly");
const IDLE: (u16, &str) = (3101, "idle for too long");
const QUEUE_FULL: (u16, &str) = (3102, "the queue was full for too long");
/// The registered code for "forbidden".
const REFUSED: u16 = 3003;
const GOING_AWAY: (u16, &str) = (1001, "the broker is shutting down");

/// A WebSocket connection after its handshake.
pub(crate) struct Connection {
    core: Arc<Core>,
    dialect: Dialect,
    membership: Membership,
    outbox: Outbox,
    receiver: Receiver,
    decoder: Decoder,
    keepalive: Keepalive,
    /// Messages that were read and could not go to the hub at once. Nothing is read while there are any.
    inbox: Option<Box<Inbox>>,
    /// Who is connected, if a hook wants to know.
    client: Option<Arc<Client>>,
    /// An owner-only stream may buffer what was written to it.
    unflushed: bool,
}

/// Why a connection ends.
#[derive(Debug)]
enum Ending {
    /// The peer is not there any more.
    Gone,
    /// The peer said goodbye.
    ClosedByPeer(Option<u16>, String),
    /// We say goodbye; without a code the frame is empty.
    Close(Option<u16>, Cow<'static, str>),
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
            keepalive: Keepalive::new(Instant::now()),
            inbox: None,
            client,
            unflushed: false,
        }
    }

    /// Serves the connection to its end. `early` is what came behind the handshake.
    pub(crate) async fn run(mut self, early: Bytes) {
        let ending = self.serve(early).await;
        self.core.metrics.closed(ending.code());
        tracing::debug!(?ending, "connection ends");
        Box::pin(self.finish(ending)).await;
    }

    async fn serve(&mut self, early: Bytes) -> Ending {
        let mut timer = pin!(tokio::time::sleep_until(self.keepalive.next(self.pace())));
        if early.is_empty() {
            // Empty as it is, it may hold the buffer into which the handshake was read.
            drop(early);
        } else {
            let (batch, ending) = self.take(&mut Vec::from(early));
            batch.flush(&self.core.metrics).await;
            if let Some(ending) = ending {
                return ending;
            }
        }
        loop {
            let ending = match poll_fn(|cx| self.poll_turn(cx, timer.as_mut())).await {
                Turn::Wrote => {
                    tokio::task::coop::consume_budget().await;
                    None
                }
                Turn::Read(mut batch, ending) => {
                    while batch.flush_some() {
                        tokio::task::yield_now().await;
                    }
                    batch.finish(&self.core.metrics);
                    ending
                }
                Turn::Signals(signals) => self.on_signals(signals),
                Turn::Inbox(step) => self.on_inbox(step),
                Turn::Timer => self.on_timer(),
            };
            if let Some(ending) = ending {
                return ending;
            }
            let next = self.next_deadline();
            if next < timer.deadline() || timer.is_elapsed() {
                timer.as_mut().reset(next);
            }
        }
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
        let mut ending = None;
        let result = decoder.feed(bytes, core.message_limit(self.dialect), &mut |incoming| {
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
                    self.inbox.get_or_insert_default().push(message);
                    self.ask_hook();
                } else {
                    batch.messages.push(message);
                }
            }
            Received::Reply(message) => {
                // In the order in which they came.
                self.send(batch);
                crate::hub::Outbox::append(&self.outbox, &Parcel::one(message), batch);
            }
            Received::Ignore => batch.counts.ignored += 1,
            Received::NotText => return Some(Violation::NotUtf8.into()),
        }
        None
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
            messages.drain(..).for_each(|message| inbox.push(message));
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
        let message = match step {
            Step::Refused(denied) => return Some(Ending::Close(Some(REFUSED), denied.reason().into())),
            Step::Allowed(message) => message,
        };
        let mut batch = Batch::new();
        let mut messages = vec![message];
        self.membership.send(&mut messages, &mut batch);
        batch.flush_now(&self.core.metrics);
        let inbox = self.inbox.as_mut()?;
        if let Some(message) = messages.pop() {
            inbox.wait(message, Instant::now());
        } else if inbox.is_empty() {
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
        if signals.broken {
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
        push.map_or(keepalive, |since| keepalive.min(since + self.core.push_patience))
    }

    /// Leaves the hub, then closes: membership is over when the peer sees the close frame (REQ-LIF-004).
    async fn finish(mut self, ending: Ending) {
        self.outbox.0.close(matches!(ending, Ending::Gone));
        poll_fn(|cx| self.outbox.0.poll_quiet(cx)).await;
        if matches!(ending, Ending::Close(Some(code), _) if code == GOING_AWAY.0) {
            // The other pullers are told to go as well: a puller gets what waits for it (REQ-DRAIN-001).
            self.outbox.0.keep_jobs();
        }
        let mut batch = Batch::new();
        batch.counts.unsent = self.inbox.take().map_or(0, |inbox| inbox.len() as u64);
        self.membership.leave(&mut batch);
        batch.flush(&self.core.metrics).await;
        let (payload, hurry) = match ending {
            Ending::Gone => return,
            Ending::ClosedByPeer(code, reason) => {
                (close_payload(code, self.dialect.close_reason(&reason)), true)
            }
            Ending::Close(code, reason) => (close_payload(code, &reason), false),
        };
        self.outbox.0.push_close(payload, hurry);
        // A peer that takes nothing any more is left behind.
        let drain = self.core.config.drain_timeout.duration();
        let patience = if self.core.is_draining() { drain } else { CLOSE_PATIENCE };
        if tokio::time::timeout(patience, poll_fn(|cx| self.poll_drain(cx))).await.is_ok() {
            let _ = tokio::time::timeout(CLOSE_PATIENCE, poll_fn(|cx| self.poll_hang_up(cx))).await;
        }
    }

    /// Writes all that is pending.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            match self.outbox.0.look(cx) {
                Look::Signals(signals) if signals.broken => return Poll::Ready(()),
                Look::Signals(_) => {}
                Look::Write | Look::Blocked => {
                    if self.poll_write(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
                Look::Nothing if self.outbox.0.is_empty() => break,
                Look::Nothing => return Poll::Pending,
            }
        }
        self.receiver.poll_shutdown(cx).map(drop)
    }

    /// Reads to the end: closing a socket with unread input would take back the close frame.
    fn poll_hang_up(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            let read = scratch::with_read_buffer(|buffer| self.receiver.poll_read(cx, buffer));
            match read {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(_)) => {}
            }
        }
    }
}

/// RFC 6455 5.5.1: a code and a reason of at most 123 bytes.
fn close_payload(code: Option<u16>, reason: &str) -> Bytes {
    let Some(code) = code else { return Bytes::new() };
    let mut end = reason.len().min(123);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    [&code.to_be_bytes(), &reason.as_bytes()[..end]].concat().into()
}

impl Ending {
    /// The close code, for the metrics; `None` for a connection that broke off.
    fn code(&self) -> Option<u16> {
        match self {
            Self::Gone => None,
            Self::ClosedByPeer(code, _) | Self::Close(code, _) => Some(code.unwrap_or(1005)),
        }
    }
}

impl From<(u16, &'static str)> for Ending {
    fn from((code, reason): (u16, &'static str)) -> Self {
        Self::Close(Some(code), reason.into())
    }
}

impl From<Violation> for Ending {
    fn from(violation: Violation) -> Self {
        Self::Close(Some(violation.close_code()), violation.to_string().into())
    }
}
