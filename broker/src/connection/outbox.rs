//! The outbox of one connection: what waits to be written, bounded in bytes, and the write path.
//!
//! Messages wait as shared payloads; frames are made in a buffer of the writing thread when they are
//! written, so an idle connection holds no buffer and a publish costs no allocation per receiver. A task
//! that published flushes the outboxes it touched; what a socket does not take at once is left to the
//! task that owns the connection.
//!
//! Lock order: a hub lock may be held while an outbox is locked, never the other way round, and nothing
//! is written while an outbox is locked.

mod jobs;

use std::io;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use parking_lot::Mutex;
use tungstenite::protocol::frame::coding::OpCode;

use super::batch::Batch;
use super::parcel::{Encoded, Parcel};
use super::pending::{Added, CLOSE, Item, Pending};
use super::presence::Presence;
use super::scratch;
use super::socket::{Sender, Socket};
use super::wire::Wire;
use crate::config::OverflowPolicy;
use crate::hub::Via;

pub(crate) use jobs::{Answer, Job};

/// The longest run of small messages that is framed as one, in bytes. A run is dropped as a whole.
const LONGEST_RUN: usize = 16 * 1024;

/// The sending side of one connection, shared by its own task and by everybody who sends to it.
pub(crate) struct Peer {
    wire: Wire,
    /// What others know of the session, if it is WAMP that is spoken.
    pub(super) presence: Option<Box<Presence>>,
    overflow: OverflowPolicy,
    /// The bound of the outbox in bytes.
    capacity: usize,
    /// Set once the handshake is through; until then messages wait.
    socket: OnceLock<Sender>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    pending: Pending,
    pipe: Pipe,
    intake: Intake,
    /// Some batch will flush this outbox.
    touched: bool,
    /// A message was put in since the owner last asked.
    sent: bool,
    /// A job was refused since there was last room.
    refused_job: bool,
    /// What the owner has to look at.
    signals: Signals,
    /// The owner's task, while it waits.
    owner: Option<Waker>,
}

/// Whether the socket can be written to.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Pipe {
    #[default]
    Free,
    /// Somebody is writing, outside the lock.
    Writing,
    /// The socket takes no more until its owner hears that it does.
    Blocked,
}

/// Whether messages are taken, and who may write them.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd)]
enum Intake {
    #[default]
    Open,
    /// The outbox has overflowed: no message is taken any more.
    Overflowed,
    /// The owner is closing: nobody else writes any more.
    Closing,
    /// The peer is gone: nothing more reaches it.
    Gone,
}

/// What others want the owner of a connection to know.
#[expect(clippy::struct_excessive_bools, reason = "independent events, any of which may be new")]
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Signals {
    /// The overflow policy says to close.
    pub(crate) overflowed: bool,
    /// The broker shuts down.
    pub(crate) drain: bool,
    /// It has shut down: there is no time left for anything.
    pub(crate) cut_off: bool,
    /// The queue on which a push waited has room.
    pub(crate) resumed: bool,
    /// Writing failed: the peer is gone.
    pub(crate) broken: bool,
    /// A job had been refused, and there is room again; the hub wants to hear of it.
    pub(crate) room_for_jobs: bool,
    /// The session is sent away, or a subscription was taken from it.
    pub(crate) told: bool,
}

/// What the owner of an outbox finds when it looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Look {
    /// Somebody wants it to know something.
    Signals(Signals),
    /// There is something to write, and nobody else does it.
    Write,
    /// There is something to write once the socket takes more.
    Blocked,
    /// All is written, or somebody else is about to.
    Nothing,
}

/// What a flush came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flushed {
    /// Nothing is left, or somebody else is writing and will see to the rest.
    Done,
    /// There is more to write.
    More,
    /// The socket takes no more for now.
    Blocked,
}

/// The handle by which the hub knows a connection.
#[derive(Clone)]
pub(crate) struct Outbox(pub(super) Arc<Peer>);

impl Outbox {
    pub(crate) fn new(wire: Wire, overflow: OverflowPolicy, capacity: usize) -> Self {
        Self::with(wire, None, overflow, capacity)
    }

    /// For a WAMP session whose client takes messages of at most `longest` bytes.
    pub(crate) fn for_session(wire: Wire, longest: usize, overflow: OverflowPolicy, capacity: usize) -> Self {
        Self::with(wire, Some(Box::new(Presence::new(longest))), overflow, capacity)
    }

    fn with(wire: Wire, presence: Option<Box<Presence>>, overflow: OverflowPolicy, capacity: usize) -> Self {
        let (socket, state) = (OnceLock::new(), Mutex::default());
        Self(Arc::new(Peer { wire, presence, overflow, capacity, socket, state }))
    }
}

impl Outbox {
    /// Tells the connection that the broker shuts down.
    pub(crate) fn drain(&self) {
        self.0.signal(|signals| signals.drain = true);
    }

    /// Tells the connection to end at once, without a word.
    pub(crate) fn cut_off(&self) {
        self.0.signal(|signals| signals.cut_off = true);
    }

    /// What is spoken on the connection.
    pub(super) fn wire(&self) -> Wire {
        self.0.wire
    }

    /// Bytes that wait to be written.
    pub(crate) fn depth(&self) -> usize {
        self.0.state.lock().pending.cost()
    }
}

impl crate::hub::Outbox for Outbox {
    type Batch = Batch;
    type Parcel = Parcel;

    fn append(&self, parcel: &Parcel, via: Via, batch: &mut Batch) {
        let longest = LONGEST_RUN.min(self.0.capacity / 4);
        parcel.encoded(self.0.wire, via, longest, |encoded| self.append_encoded(encoded, batch));
    }

    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Outbox {
    fn append_encoded(&self, encoded: &Encoded, batch: &mut Batch) {
        if let Some(presence) = &self.0.presence
            && encoded.longest > presence.longest
        {
            return self.append_encoded(&encoded.at_most(presence.longest), batch);
        }
        batch.counts.unrepresentable += encoded.unrepresentable;
        batch.counts.too_long += encoded.too_long;
        let mut state = self.0.state.lock();
        if state.intake != Intake::Open {
            return;
        }
        for item in encoded.items() {
            let messages = item.messages() as u64;
            state.sent = true;
            match state.pending.add(item, self.0.capacity, self.0.overflow) {
                Added::Fits => batch.counts.deliveries += messages,
                Added::InsteadOf(dropped) => {
                    batch.counts.deliveries += messages;
                    batch.counts.dropped_oldest += dropped as u64;
                }
                Added::Dropped => batch.counts.dropped_newest += messages,
                Added::Overflow => {
                    batch.counts.overflows += 1;
                    state.intake = Intake::Overflowed;
                    state.signals.overflowed = true;
                    wake(state);
                    return;
                }
            }
        }
        self.touch(state, batch);
    }

    /// Appends an item that no policy drops; if there is no room for it, the connection is closed.
    pub(super) fn append_fixed(&self, item: &Item, batch: &mut Batch) {
        let mut state = self.0.state.lock();
        if state.intake != Intake::Open {
            return;
        }
        state.sent = true;
        if let Added::Fits = state.pending.add(item, self.0.capacity, OverflowPolicy::Close) {
            self.touch(state, batch);
            return;
        }
        batch.counts.overflows += 1;
        state.intake = Intake::Overflowed;
        state.signals.overflowed = true;
        wake(state);
    }

    /// Appends an item if there is room for it now.
    pub(super) fn offer_item(&self, item: Item, len: usize, batch: &mut Batch) -> bool {
        let mut state = self.0.state.lock();
        if state.intake != Intake::Open {
            return false;
        }
        if !state.pending.fits(len, self.0.capacity) {
            state.refused_job = true;
            return false;
        }
        state.sent = true;
        state.pending.push(item);
        batch.counts.deliveries += 1;
        self.touch(state, batch);
        true
    }

    fn touch(&self, mut state: parking_lot::MutexGuard<'_, State>, batch: &mut Batch) {
        if !std::mem::replace(&mut state.touched, true) {
            drop(state);
            batch.touched.push(self.clone());
        }
    }
}

/// Wakes the owner, after the lock is released.
fn wake(mut state: parking_lot::MutexGuard<'_, State>) {
    let owner = state.owner.take();
    drop(state);
    if let Some(owner) = owner {
        owner.wake();
    }
}

impl Peer {
    /// Gives the outbox its socket once the handshake is through.
    pub(super) fn attach(&self, sender: Sender) {
        // A second handshake on one connection is impossible, and the first socket would stay.
        let _ = self.socket.set(sender);
    }

    /// The side of the socket that any task may write to; `None` before the handshake is through, and
    /// for streams that only their owner may write to.
    pub(super) fn shared_socket(&self) -> Option<&Socket> {
        match self.socket.get() {
            Some(Sender::Shared(socket)) => Some(socket),
            Some(Sender::OwnerOnly) | None => None,
        }
    }

    /// Says something to the owner and wakes it.
    pub(crate) fn signal(&self, say: impl FnOnce(&mut Signals)) {
        let mut state = self.state.lock();
        say(&mut state.signals);
        wake(state);
    }

    /// Takes no further message, and leaves all further writing to the owner. What is pending stays; if the peer is `gone`, it will never be written.
    pub(super) fn close(&self, gone: bool) {
        let mut state = self.state.lock();
        if state.intake != Intake::Gone {
            state.intake = if gone { Intake::Gone } else { Intake::Closing };
        }
    }

    /// The task that was to flush this outbox cannot.
    pub(super) fn leave_to_owner(&self) {
        let mut state = self.state.lock();
        state.touched = false;
        wake(state);
    }

    /// Appends a ping or pong if there is room for it: a peer that asks without reading gets no answer
    /// (RFC 6455 5.5.3 allows to leave pongs out).
    pub(super) fn push_control(&self, opcode: OpCode, payload: Bytes) {
        let mut state = self.state.lock();
        if state.pending.fits(payload.len(), self.capacity) {
            state.pending.push(self.wire.control(opcode, payload));
        }
    }

    /// Appends the close frame, whatever the bound. `hurry` drops what is not on the wire yet.
    pub(super) fn push_close(&self, payload: Bytes, hurry: bool) {
        let mut state = self.state.lock();
        if hurry {
            state.pending.clear();
        }
        if self.wire.has_close_frames() {
            state.pending.push(Item::control(CLOSE, payload));
        }
    }

    /// Whether everything is written.
    pub(super) fn is_empty(&self) -> bool {
        self.state.lock().pending.is_empty()
    }

    /// For the owner: what there is to do. It is woken once that changes, if there is nothing it can do now.
    pub(super) fn look(&self, cx: &mut Context<'_>) -> Look {
        let mut state = self.state.lock();
        let signals = std::mem::take(&mut state.signals);
        if signals != Signals::default() {
            return Look::Signals(signals);
        }
        state.watch(cx);
        if !state.pending.is_empty() && state.pipe == Pipe::Free && !state.touched {
            return Look::Write;
        }
        if state.pipe == Pipe::Blocked { Look::Blocked } else { Look::Nothing }
    }

    /// For the owner: whether a message was sent since the last call; pings and pongs are none (REQ-LIM-003).
    pub(super) fn take_sent(&self) -> bool {
        std::mem::take(&mut self.state.lock().sent)
    }

    /// For the owner: whether somebody else is writing. If so, the owner is woken when that is over.
    pub(super) fn poll_quiet(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.state.lock();
        if state.pipe == Pipe::Writing {
            state.watch(cx);
            return Poll::Pending;
        }
        Poll::Ready(())
    }

    /// For the owner of a stream that only it writes to: the stream takes no more for now.
    pub(super) fn block(&self) {
        self.state.lock().pipe = Pipe::Blocked;
    }

    /// For the owner: the socket takes more again. Somebody else may be writing by now, and goes on.
    pub(super) fn unblock(&self) {
        let mut state = self.state.lock();
        if state.pipe == Pipe::Blocked {
            state.pipe = Pipe::Free;
        }
    }

    /// Writes once what is pending, as far as the socket takes it. Called by any task that touched it.
    pub(super) fn flush(&self, writes: &mut u64) -> Flushed {
        self.write(writes, false)
    }

    /// As `flush`, by the owner.
    pub(super) fn flush_as_owner(&self, writes: &mut u64) -> Flushed {
        self.write(writes, true)
    }

    fn write(&self, writes: &mut u64, by_owner: bool) -> Flushed {
        let Some(socket) = self.shared_socket() else {
            // Not there yet, or not ours to write: its owner sees to it.
            self.leave_to_owner();
            return Flushed::Done;
        };
        scratch::with(|scratch| {
            {
                let mut state = self.state.lock();
                state.touched = false;
                if state.intake >= Intake::Closing && !by_owner {
                    // The owner may have found the outbox touched, and wait for this.
                    wake(state);
                    return Flushed::Done;
                }
                if state.pipe != Pipe::Free || state.pending.is_empty() {
                    return Flushed::Done;
                }
                state.pipe = Pipe::Writing;
                state.pending.fill(scratch);
            }
            *writes += 1;
            let result = scratch.write_to(socket);
            let wanted = scratch.len();
            scratch.clear();
            self.written(result, wanted)
        })
    }

    /// As `flush`, for a stream that only the owner may write to.
    pub(super) fn poll_flush_owned(
        &self,
        cx: &mut Context<'_>,
        writes: &mut u64,
        mut write: impl FnMut(&mut Context<'_>, &[io::IoSlice<'_>]) -> Poll<io::Result<usize>>,
    ) -> Poll<Flushed> {
        scratch::with(|scratch| {
            {
                let mut state = self.state.lock();
                if state.pending.is_empty() {
                    return Poll::Ready(Flushed::Done);
                }
                state.pipe = Pipe::Writing;
                state.pending.fill(scratch);
            }
            *writes += 1;
            let result = scratch.with_slices(|slices| write(cx, slices));
            let wanted = scratch.len();
            scratch.clear();
            match result {
                Poll::Ready(result) => Poll::Ready(match self.written(result, wanted) {
                    Flushed::Blocked => {
                        self.unblock();
                        Flushed::More
                    }
                    flushed => flushed,
                }),
                Poll::Pending => {
                    self.state.lock().pipe = Pipe::Free;
                    Poll::Pending
                }
            }
        })
    }

    /// Books what was written, and decides who writes the rest.
    fn written(&self, result: io::Result<usize>, wanted: usize) -> Flushed {
        let mut state = self.state.lock();
        state.pipe = Pipe::Free;
        let taken = match result {
            Ok(taken) => taken,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => 0,
            Err(_) => {
                state.intake = Intake::Gone;
                state.signals.broken = true;
                wake(state);
                return Flushed::Done;
            }
        };
        state.pending.advance(taken);
        if state.refused_job && state.pending.cost() <= self.capacity / 2 {
            state.refused_job = false;
            state.signals.room_for_jobs = true;
        }
        if taken < wanted {
            state.pipe = Pipe::Blocked;
            wake(state);
            return Flushed::Blocked;
        }
        if state.pending.is_empty() {
            // The owner may wait for the end of this write.
            if state.signals.room_for_jobs || state.intake != Intake::Open {
                wake(state);
            }
            return Flushed::Done;
        }
        wake(state);
        Flushed::More
    }
}

impl State {
    /// Remembers the owner's task, to be woken at the next change.
    fn watch(&mut self, cx: &mut Context<'_>) {
        if self.owner.as_ref().is_none_or(|owner| !owner.will_wake(cx.waker())) {
            self.owner = Some(cx.waker().clone());
        }
    }
}

#[cfg(test)]
mod tests;
