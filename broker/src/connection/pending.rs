//! What waits in an outbox, oldest first: whole messages, and how much of the first is written.

use std::cell::RefCell;
use std::collections::VecDeque;

use bytes::Bytes;
use petasus_protocol::{Message, wamp};
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::header::Header;
use super::outbox::Job;
use super::scratch::Scratch;
use crate::config::OverflowPolicy;

/// What a waiting message costs beside its payload, in bytes: its place here and its frame header.
const OVERHEAD: usize = 64;

/// What waits: frames that are ready, or one that is framed when it is written.
#[derive(Debug, Clone)]
pub(super) enum Item {
    /// Small messages that came together, framed once for all who receive them; or answers and invocations, which
    /// are `fixed`: no policy drops them.
    Run { wire: Bytes, messages: u32, fixed: bool },
    /// One message or control frame. A job of a queue is never dropped, and goes back to the queue if it is
    /// not written.
    Frame { opcode: OpCode, payload: Bytes, job: bool },
    /// A job in its frame that the client answers. The queue keeps it until then.
    Job { wire: Bytes, registration: u32 },
    /// A WAMP job for a client that speaks no WAMP.
    Bridged(Box<Bridged>),
}

/// A job as it is written, and as it was pushed: so it goes back to the queue.
#[derive(Debug, Clone)]
pub(super) struct Bridged {
    opcode: OpCode,
    message: Message,
    original: wamp::Payload,
}

pub(super) const TEXT: OpCode = OpCode::Data(Data::Text);
pub(super) const BINARY: OpCode = OpCode::Data(Data::Binary);
pub(super) const CLOSE: OpCode = OpCode::Control(Control::Close);
pub(super) const PING: OpCode = OpCode::Control(Control::Ping);
pub(super) const PONG: OpCode = OpCode::Control(Control::Pong);

impl Item {
    pub(super) fn control(opcode: OpCode, payload: Bytes) -> Self {
        Self::Frame { opcode, payload, job: false }
    }

    pub(super) fn message(message: &Message, job: bool) -> Self {
        Self::Frame { opcode: opcode_of(message), payload: message.payload().clone(), job }
    }

    /// A WAMP job as a raw message.
    pub(super) fn bridged(message: Message, original: wamp::Payload) -> Self {
        Self::Bridged(Box::new(Bridged { opcode: opcode_of(&message), message, original }))
    }

    /// A job that will be answered, in its frame.
    pub(super) fn job(wire: Bytes, registration: u64) -> Self {
        Self::Job { wire, registration: short(registration) }
    }

    /// How many messages this is.
    pub(super) fn messages(&self) -> usize {
        match self {
            Self::Run { messages, .. } => *messages as usize,
            Self::Frame { .. } | Self::Job { .. } | Self::Bridged(_) => 1,
        }
    }

    /// What it counts against the bound of the outbox, in bytes.
    fn cost(&self) -> usize {
        let len = match self {
            Self::Run { wire: bytes, .. }
            | Self::Frame { payload: bytes, .. }
            | Self::Job { wire: bytes, .. } => bytes.len(),
            Self::Bridged(job) => job.message.len(),
        };
        len + OVERHEAD
    }

    fn fixed_cost(&self) -> usize {
        if self.is_droppable() { 0 } else { self.cost() }
    }

    fn is_job(&self) -> bool {
        matches!(self, Self::Frame { job: true, .. } | Self::Bridged(_))
    }

    fn is_droppable(&self) -> bool {
        match self {
            Self::Run { fixed, .. } => !fixed,
            Self::Frame { opcode, job, .. } => !job && matches!(opcode, OpCode::Data(_)),
            Self::Job { .. } | Self::Bridged(_) => false,
        }
    }

    /// Bytes on the wire.
    pub(super) fn wire_len(&self) -> usize {
        match self {
            Self::Run { wire, .. } | Self::Job { wire, .. } => wire.len(),
            Self::Frame { payload, .. } => framed_len(payload.len()),
            Self::Bridged(job) => framed_len(job.message.len()),
        }
    }
}

fn opcode_of(message: &Message) -> OpCode {
    if message.is_text() { TEXT } else { BINARY }
}

fn framed_len(len: usize) -> usize {
    Header::new(BINARY, len).len() + len
}

/// The part of a registration's number in which those of one session differ.
#[expect(clippy::cast_possible_truncation, reason = "that is what it is for")]
fn short(registration: u64) -> u32 {
    registration as u32
}

/// What became of a message that was to be added.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Added {
    Fits,
    /// It fits now, because so many older ones were dropped.
    InsteadOf(usize),
    /// It was dropped itself.
    Dropped,
    /// It does not fit, and the policy is to close.
    Overflow,
}

#[derive(Default)]
pub(super) struct Pending {
    items: VecDeque<Item>,
    /// Sum of the payloads and the overhead.
    cost: usize,
    /// The part of `cost` that no policy drops: jobs and control frames.
    fixed: usize,
    /// Bytes of the first item that are on the wire already.
    head_written: usize,
    /// How many items are in a write that has not come back yet.
    on_the_way: usize,
}

/// Puts a frame into the scratch buffer, without the first `skip` bytes.
fn put_frame(opcode: OpCode, payload: &Bytes, skip: usize, scratch: &mut Scratch) {
    let header = Header::new(opcode, payload.len());
    let header = header.bytes();
    scratch.copy(&header[skip.min(header.len())..]);
    scratch.put(payload, skip.saturating_sub(header.len()));
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    /// Whether a payload of `len` bytes fits. An empty outbox takes any.
    pub(super) fn fits(&self, len: usize, capacity: usize) -> bool {
        self.items.is_empty() || self.cost + len + OVERHEAD <= capacity
    }

    /// Adds an item, or does what the policy says if there is no room.
    pub(super) fn add(&mut self, item: &Item, capacity: usize, policy: OverflowPolicy) -> Added {
        if self.fits(item.cost() - OVERHEAD, capacity) {
            self.push(item.clone());
            return Added::Fits;
        }
        match policy {
            OverflowPolicy::Close => Added::Overflow,
            OverflowPolicy::DropNewest => Added::Dropped,
            OverflowPolicy::DropOldest => {
                self.make_room(item.cost(), capacity).map_or(Added::Dropped, |dropped| {
                    self.push(item.clone());
                    Added::InsteadOf(dropped)
                })
            }
        }
    }

    pub(super) fn push(&mut self, item: Item) {
        if self.items.capacity() == 0 {
            self.items = pool::take();
        }
        self.cost += item.cost();
        self.fixed += item.fixed_cost();
        self.items.push_back(item);
    }

    /// Drops the oldest messages until there is room, and returns how many; `None`, and nothing is dropped, if there
    /// would be no room even then. What is on the wire, jobs and control frames stay. It looks at the items it drops
    /// and at the few it may not, so a full outbox costs no more than a small one.
    fn make_room(&mut self, cost: usize, capacity: usize) -> Option<usize> {
        let mut place = self.untouchable();
        let on_the_wire: usize = self.items.iter().take(place).map(Item::cost).sum();
        if on_the_wire + self.fixed + cost > capacity {
            return None;
        }
        let mut dropped = 0;
        while self.cost + cost > capacity && place < self.items.len() {
            if !self.items[place].is_droppable() {
                place += 1;
            } else if let Some(item) = self.items.remove(place) {
                self.cost -= item.cost();
                dropped += item.messages();
            }
        }
        Some(dropped)
    }

    /// How many items in front are on the wire or on their way there.
    fn untouchable(&self) -> usize {
        self.on_the_way.max(usize::from(self.head_written > 0))
    }

    /// Puts as much as one write should carry into the scratch buffer.
    pub(super) fn fill(&mut self, scratch: &mut Scratch) {
        let mut skip = self.head_written;
        self.on_the_way = 0;
        for item in &self.items {
            if scratch.is_full() {
                break;
            }
            match item {
                Item::Run { wire, .. } | Item::Job { wire, .. } => scratch.put(wire, skip),
                Item::Frame { opcode, payload, .. } => put_frame(*opcode, payload, skip, scratch),
                Item::Bridged(job) => put_frame(job.opcode, job.message.payload(), skip, scratch),
            }
            skip = 0;
            self.on_the_way += 1;
        }
    }

    /// Books `written` bytes as gone.
    pub(super) fn advance(&mut self, written: usize) {
        self.on_the_way = 0;
        self.head_written += written;
        while let Some(item) = self.items.front() {
            let len = item.wire_len();
            if self.head_written < len {
                break;
            }
            self.head_written -= len;
            self.cost -= item.cost();
            self.fixed -= item.fixed_cost();
            self.items.pop_front();
        }
        if self.items.is_empty() {
            pool::give(std::mem::take(&mut self.items));
        }
    }

    /// Takes the jobs out that are not on the wire and of which no answer is expected. A job that is partly written
    /// counts as written, unless the peer is `gone` and can never see the rest.
    pub(super) fn take_jobs(&mut self, gone: bool) -> Vec<Job> {
        let keep = if gone { 0 } else { self.untouchable() };
        if gone {
            self.head_written = 0;
        }
        let back = |item| match item {
            Item::Frame { opcode, payload, .. } if opcode == TEXT => Job::Raw(Message::assume_text(payload)),
            Item::Frame { payload, .. } => Job::Raw(Message::binary(payload)),
            Item::Bridged(job) => Job::Wamp(job.original),
            Item::Run { .. } | Item::Job { .. } => unreachable!("the queue has it"),
        };
        self.take_out(keep, Item::is_job).into_iter().map(back).collect()
    }

    /// Drops the jobs of a registration that are not on the wire.
    pub(super) fn drop_jobs(&mut self, registration: u64) {
        let of = short(registration);
        self.take_out(
            self.untouchable(),
            |item| matches!(item, Item::Job { registration, .. } if *registration == of),
        );
    }

    /// Takes out what is `wanted`, but none of the first `keep` items.
    fn take_out(&mut self, keep: usize, wanted: impl Fn(&Item) -> bool) -> Vec<Item> {
        let mut taken = Vec::new();
        let mut kept = VecDeque::new();
        for (place, item) in std::mem::take(&mut self.items).into_iter().enumerate() {
            if place < keep || !wanted(&item) {
                kept.push_back(item);
                continue;
            }
            self.cost -= item.cost();
            self.fixed -= item.fixed_cost();
            taken.push(item);
        }
        self.items = kept;
        taken
    }

    /// Makes messages like any other of the jobs.
    pub(super) fn keep_jobs(&mut self) {
        for item in &mut self.items {
            match item {
                Item::Frame { job, .. } => *job = false,
                Item::Bridged(bridged) => *item = Item::message(&bridged.message, false),
                Item::Run { .. } | Item::Job { .. } => {}
            }
        }
    }

    /// Drops everything that is not on the wire yet.
    pub(super) fn clear(&mut self) {
        self.items.truncate(self.untouchable());
        self.cost = self.items.iter().map(Item::cost).sum();
        self.fixed = self.items.iter().map(Item::fixed_cost).sum();
    }
}

/// Lists for reuse, so that an idle connection holds none and a delivery allocates none.
mod pool {
    use super::{Item, RefCell, VecDeque};

    /// Lists kept per thread, and the longest that is worth keeping.
    const KEPT: usize = 1024;
    const LONGEST: usize = 64;

    thread_local! {
        static POOL: RefCell<Vec<VecDeque<Item>>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn take() -> VecDeque<Item> {
        POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten().unwrap_or_default()
    }

    pub(super) fn give(items: VecDeque<Item>) {
        if items.capacity() > LONGEST {
            return;
        }
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < KEPT {
                pool.push(items);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(len: usize) -> Item {
        Item::Frame { opcode: BINARY, payload: Bytes::from(vec![7; len]), job: false }
    }

    fn job(text: &str) -> Item {
        Item::message(&Message::from(text), true)
    }

    fn sizes(pending: &Pending) -> Vec<usize> {
        pending.items.iter().map(|item| item.cost() - OVERHEAD).collect()
    }

    /// Writes everything in steps of `step` bytes, as a socket would take it.
    fn drain(pending: &mut Pending, step: usize) -> Vec<u8> {
        let mut wire = Vec::new();
        while !pending.is_empty() {
            let mut scratch = Scratch::default();
            pending.fill(&mut scratch);
            let bytes =
                scratch.with_slices(|slices| slices.iter().flat_map(|s| s.to_vec()).collect::<Vec<_>>());
            let taken = step.min(bytes.len());
            wire.extend_from_slice(&bytes[..taken]);
            pending.advance(taken);
        }
        wire
    }

    #[test]
    fn partial_writes_give_the_same_bytes_as_one_write() {
        let sizes = [0, 1, 125, 126, 127, 4095, 4096, 65_535, 65_536, 3];
        let fill = |pending: &mut Pending| sizes.iter().for_each(|&n| pending.push(frame(n)));
        let (mut whole, mut pieces) = (Pending::default(), Pending::default());
        fill(&mut whole);
        fill(&mut pieces);
        let expected = drain(&mut whole, usize::MAX);
        assert_eq!(expected.len(), sizes.iter().map(|&n| frame(n).wire_len()).sum::<usize>());
        assert_eq!(drain(&mut pieces, 997), expected);
        assert_eq!((pieces.cost(), pieces.head_written), (0, 0));
    }

    /// REQ-FLOW-002
    #[test]
    fn each_policy_does_what_it_says() {
        let capacity = 3 * (10 + OVERHEAD);
        let full = || {
            let mut pending = Pending::default();
            (0..3).for_each(|_| pending.push(frame(10)));
            pending
        };
        assert_eq!(full().add(&frame(10), capacity, OverflowPolicy::Close), Added::Overflow);
        assert_eq!(full().add(&frame(10), capacity, OverflowPolicy::DropNewest), Added::Dropped);
        let mut pending = full();
        assert_eq!(pending.add(&frame(9), capacity, OverflowPolicy::DropOldest), Added::InsteadOf(1));
        assert_eq!(sizes(&pending), [10, 10, 9]);
    }

    #[test]
    fn what_is_on_the_wire_is_never_dropped() {
        let capacity = 2 * (10 + OVERHEAD);
        let mut pending = Pending::default();
        pending.push(frame(10));
        pending.push(frame(10));
        pending.advance(1);
        assert_eq!(pending.add(&frame(9), capacity, OverflowPolicy::DropOldest), Added::InsteadOf(1));
        assert_eq!(sizes(&pending), [10, 9]);
    }

    /// REQ-FLOW-006
    #[test]
    fn nothing_is_dropped_for_a_message_that_does_not_fit_even_then() {
        let capacity = 200 + 3 * OVERHEAD;
        let mut pending = Pending::default();
        pending.push(frame(150));
        pending.push(frame(10));
        pending.advance(1);
        assert_eq!(pending.add(&frame(150), capacity, OverflowPolicy::DropOldest), Added::Dropped);
        assert_eq!(sizes(&pending), [150, 10]);
    }

    /// REQ-RR-001
    #[test]
    fn jobs_that_are_not_written_come_back_in_order() {
        let mut pending = Pending::default();
        for text in ["one", "two", "three"] {
            pending.push(job(text));
        }
        pending.advance(6);
        let text = |job: Job| match job {
            Job::Raw(message) => message.into_payload().to_vec(),
            Job::Wamp(_) => unreachable!(),
        };
        let texts = |jobs: Vec<Job>| jobs.into_iter().map(text).collect::<Vec<_>>();
        assert_eq!(texts(pending.take_jobs(false)), [b"three".to_vec()]);
        assert_eq!(texts(pending.take_jobs(true)), [b"two".to_vec()]);
    }

    /// REQ-WAMP-096, REQ-WAMP-097
    #[test]
    fn jobs_that_are_answered_are_taken_out_by_their_registration() {
        let (mut pending, first) = (Pending::default(), 1 << 52);
        let payload = wamp::Payload::empty();
        for registration in [first, first, first + 1] {
            pending.push(Item::job(Bytes::from_static(b"job"), registration));
        }
        pending.push(Item::bridged(Message::from("bridged"), payload.clone()));
        pending.advance(1);
        pending.drop_jobs(first);
        assert_eq!(sizes(&pending), [3, 3, 7], "the first is on the wire");
        assert!(matches!(&pending.take_jobs(false)[..], [Job::Wamp(back)] if *back == payload));
        assert_eq!(pending.cost(), 2 * (3 + OVERHEAD));
        pending.push(Item::bridged(Message::from("bridged"), payload));
        pending.keep_jobs();
        assert!(pending.take_jobs(true).is_empty());
    }
}
