//! One connection: a task that reads, decodes and sends, and sees that its outbox is written.
//!
//! The only room that names the WebSocket crate. One task per connection, generic over its stream; an idle
//! one holds no buffer. See `outbox` for how others write to it.

mod batch;
mod closing;
mod conversation;
mod decoder;
mod far_end;
pub(crate) mod handshake;
mod header;
mod inbox;
mod keepalive;
mod member;
mod outbox;
mod parcel;
mod pending;
mod presence;
mod rawsocket;
mod saying;
mod scratch;
mod socket;
mod talk;
mod wire;

use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll};

use bytes::Bytes;
use tokio::time::{Instant, Sleep};

pub(crate) use batch::{Batch, Counts};
pub(crate) use conversation::Conversation;
pub(crate) use far_end::{FarEnd, Takes, frame};
pub(crate) use keepalive::Pace;
pub(crate) use outbox::{Answer, Job, Outbox};
pub(crate) use parcel::{Parcel, Publication};
pub(crate) use presence::{Farewell, Revoked};
pub(crate) use socket::{ByteStream, Stream};
pub(crate) use wire::{Framing, Wire};

use crate::core::{Core, Listed};
use closing::{Ending, GOING_AWAY, IDLE, TOO_SLOW};
use decoder::{Incoming, Unfinished};
use inbox::Step;
use keepalive::{Due, Keepalive};
use outbox::{Look, Signals};
use pending::{PING, PONG};
use socket::Receiver;
use wire::Frames;

/// A connection after its handshake.
pub(crate) struct Connection {
    core: Arc<Core>,
    conversation: Conversation,
    outbox: Outbox,
    receiver: Receiver,
    frames: Frames,
    /// Since when a message is arriving that is not complete.
    arriving_since: Option<Instant>,
    keepalive: Keepalive,
    /// An owner-only stream may buffer what was written to it.
    unflushed: bool,
    /// Its place in the list of connections; given back when it is gone.
    _listed: Listed,
}

/// What one turn of the task came to.
#[expect(clippy::large_enum_variant, reason = "it lives for a moment, and a box would be one for each read")]
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
    pub(crate) fn new(core: Arc<Core>, conversation: Conversation, stream: Stream, listed: Listed) -> Self {
        let outbox = conversation.outbox().clone();
        let (receiver, sender) = stream.split();
        outbox.0.attach(sender);
        Self {
            core,
            conversation,
            receiver,
            frames: Frames::of(outbox.wire()),
            outbox,
            arriving_since: None,
            keepalive: Keepalive::new(Instant::now()),
            unflushed: false,
            _listed: listed,
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
        let mut timer =
            pin!(tokio::time::sleep_until(self.keepalive.next(self.conversation.pace(&self.core))));
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
            Turn::Inbox(step) => self.on_step(step),
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
        if self.conversation.is_waiting() {
            if let Poll::Ready(step) = self.conversation.poll(cx) {
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
        self.keepalive.on_bytes(self.conversation.pace(&core), now);
        let mut frames = std::mem::take(&mut self.frames);
        // Between its fragments, other frames do not bring a message forward.
        let inside = frames.unfinished() == Unfinished::Message;
        let mut ending = None;
        let mut complete = false;
        let result = frames.feed(bytes, self.conversation.message_limit(&core), &mut |incoming| {
            complete |= !inside || matches!(incoming, Incoming::Message(_));
            match incoming {
                Incoming::Message(message) => {
                    self.keepalive.on_message(now);
                    ending = self.conversation.on_message(message, &mut batch);
                }
                Incoming::Ping(payload) => {
                    // Whoever sees the pong may count on it that what came before the ping is routed, and others may
                    // flush this outbox at any time.
                    ending = self.conversation.on_read(None, &mut batch);
                    self.outbox.0.push_control(PONG, payload);
                }
                Incoming::Pong => self.keepalive.on_pong(now),
                Incoming::Close(number, reason) => ending = Some(Ending::ClosedByPeer(number, reason)),
            }
            ending.is_none()
        });
        self.arriving_since = match frames.unfinished() {
            Unfinished::Nothing => None,
            _ => self.arriving_since.filter(|_| !complete).or(Some(now)),
        };
        self.frames = frames;
        let ending = ending.or_else(|| result.err().map(Ending::from));
        let ending = self.conversation.on_read(ending, &mut batch);
        (batch, ending)
    }

    /// A message that waited may go on, or may not.
    fn on_step(&mut self, step: Step) -> Option<Ending> {
        let mut batch = Batch::new();
        let ending = self.conversation.on_step(step, &mut batch);
        batch.flush_now(&self.core.metrics);
        if !self.conversation.is_waiting() {
            // It could not arrive while nothing was read.
            self.arriving_since = self.arriving_since.map(|_| Instant::now());
        }
        ending
    }

    fn on_signals(&mut self, signals: Signals) -> Option<Ending> {
        if signals.broken || signals.cut_off {
            return Some(Ending::Gone);
        }
        let mut batch = Batch::new();
        let mut ending = None;
        if signals.drain {
            self.conversation.on_drain(&mut batch);
            ending = Some(GOING_AWAY.into());
        } else if signals.overflowed {
            ending = Some(self.conversation.overflow());
        } else {
            if signals.told {
                ending = self.conversation.on_told(&mut batch);
            }
            if signals.room_for_jobs {
                self.conversation.ready(&mut batch);
            }
            if signals.resumed {
                self.conversation.resume();
            }
        }
        batch.flush_now(&self.core.metrics);
        ending
    }

    fn on_timer(&mut self) -> Option<Ending> {
        let now = Instant::now();
        if let Some(ending) = self.conversation.on_deadline(now) {
            return Some(ending);
        }
        if self.arrival_deadline().is_some_and(|deadline| now >= deadline) {
            return Some(TOO_SLOW.into());
        }
        // While nothing is read, no sign of life can be seen.
        if self.conversation.is_waiting() {
            self.keepalive.on_pong(now);
        }
        match self.keepalive.due(self.conversation.pace(&self.core), now, self.outbox.0.take_sent()) {
            Due::Nothing => None,
            Due::Ping => {
                self.outbox.0.push_control(PING, Bytes::new());
                None
            }
            Due::Gone => Some(Ending::Gone),
            Due::Idle => Some(IDLE.into()),
        }
    }

    fn next_deadline(&self) -> Instant {
        let keepalive = self.keepalive.next(self.conversation.pace(&self.core));
        let others = [self.conversation.deadline(), self.arrival_deadline()];
        others.into_iter().flatten().fold(keepalive, Instant::min)
    }

    /// When the message that is arriving must be complete; none while nothing is read.
    fn arrival_deadline(&self) -> Option<Instant> {
        let since = self.arriving_since.filter(|_| !self.conversation.is_waiting())?;
        Some(since + self.core.config.timeouts.body.duration())
    }
}
