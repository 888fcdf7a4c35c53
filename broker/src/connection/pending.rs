//! What waits in an outbox, oldest first: whole messages, and how much of the first is written.

use std::cell::RefCell;
use std::collections::VecDeque;

use bytes::Bytes;
use petasus_protocol::Message;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::scratch::Scratch;
use crate::config::OverflowPolicy;

/// What a waiting message costs beside its payload, in bytes: its place here and its frame header.
const OVERHEAD: usize = 64;

/// Payloads from this size on are written from where they are instead of being copied. A copy is cheaper
/// than one more piece of a vectored write for small ones.
const SHARE_FROM: usize = 4096;

/// One message, or one control frame, to be framed when it is written.
#[derive(Debug, Clone)]
pub(super) struct Frame {
    payload: Bytes,
    opcode: OpCode,
    /// A job of a queue: it is never dropped, and goes back to the queue if it is not written.
    job: bool,
}

impl Frame {
    pub(super) const TEXT: OpCode = OpCode::Data(Data::Text);
    pub(super) const BINARY: OpCode = OpCode::Data(Data::Binary);
    pub(super) const CLOSE: OpCode = OpCode::Control(Control::Close);
    pub(super) const PING: OpCode = OpCode::Control(Control::Ping);
    pub(super) const PONG: OpCode = OpCode::Control(Control::Pong);

    pub(super) const fn new(opcode: OpCode, payload: Bytes, job: bool) -> Self {
        Self { payload, opcode, job }
    }

    /// Bytes of the payload.
    pub(super) fn len(&self) -> usize {
        self.payload.len()
    }

    fn is_control(&self) -> bool {
        matches!(self.opcode, OpCode::Control(_))
    }

    fn header(&self) -> FrameHeader {
        FrameHeader { is_final: true, rsv1: false, rsv2: false, rsv3: false, opcode: self.opcode, mask: None }
    }

    /// Bytes on the wire (RFC 6455 5.2).
    fn wire_len(&self) -> usize {
        self.header().len(self.payload.len() as u64) + self.payload.len()
    }

    fn message(self) -> Message {
        match self.opcode {
            Self::TEXT => Message::assume_text(self.payload),
            _ => Message::binary(self.payload),
        }
    }
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
    frames: VecDeque<Frame>,
    /// Sum of the payloads and the overhead.
    cost: usize,
    /// Bytes of the first frame that are on the wire already.
    head_written: usize,
    /// How many frames are in a write that has not come back yet.
    on_the_way: usize,
}

impl Pending {
    pub(super) fn is_empty(&self) -> bool {
        self.frames.is_empty()
    }

    pub(super) fn cost(&self) -> usize {
        self.cost
    }

    /// Whether a payload of `len` bytes fits. An empty outbox takes any.
    pub(super) fn fits(&self, len: usize, capacity: usize) -> bool {
        self.frames.is_empty() || self.cost + len + OVERHEAD <= capacity
    }

    /// Adds a message, or does what the policy says if there is no room.
    pub(super) fn add(&mut self, frame: Frame, capacity: usize, policy: OverflowPolicy) -> Added {
        let len = frame.payload.len();
        if self.fits(len, capacity) {
            self.push(frame);
            return Added::Fits;
        }
        match policy {
            OverflowPolicy::Close => Added::Overflow,
            OverflowPolicy::DropNewest => Added::Dropped,
            OverflowPolicy::DropOldest => {
                let dropped = self.drop_until_fits(len, capacity);
                if !self.fits(len, capacity) {
                    return Added::Dropped;
                }
                self.push(frame);
                Added::InsteadOf(dropped)
            }
        }
    }

    pub(super) fn push(&mut self, frame: Frame) {
        if self.frames.capacity() == 0 {
            self.frames = pool::take();
        }
        self.cost += frame.payload.len() + OVERHEAD;
        self.frames.push_back(frame);
    }

    /// Drops the oldest messages that are not being written, but never a job or a control frame.
    fn drop_until_fits(&mut self, len: usize, capacity: usize) -> usize {
        let keep = self.untouchable();
        let mut excess = (self.cost + len + OVERHEAD).saturating_sub(capacity);
        let mut dropped = 0;
        let mut place = 0;
        self.frames.retain(|frame| {
            let droppable = place >= keep && excess > 0 && !frame.job && !frame.is_control();
            place += 1;
            if droppable {
                let cost = frame.payload.len() + OVERHEAD;
                excess = excess.saturating_sub(cost);
                self.cost -= cost;
                dropped += 1;
            }
            !droppable
        });
        dropped
    }

    /// How many frames in front are on the wire or on their way there.
    fn untouchable(&self) -> usize {
        self.on_the_way.max(usize::from(self.head_written > 0))
    }

    /// Puts as much as one write should carry into the scratch buffer.
    pub(super) fn fill(&mut self, scratch: &mut Scratch) {
        let mut skip = self.head_written;
        self.on_the_way = 0;
        for frame in &self.frames {
            if scratch.is_full() {
                break;
            }
            let header_len = scratch.put_header(&frame.header(), frame.payload.len(), skip);
            let payload_skip = skip.saturating_sub(header_len);
            if frame.payload.len() >= SHARE_FROM {
                scratch.share(frame.payload.slice(payload_skip..));
            } else {
                scratch.copy(&frame.payload[payload_skip..]);
            }
            skip = 0;
            self.on_the_way += 1;
        }
    }

    /// Books `written` bytes as gone.
    pub(super) fn advance(&mut self, written: usize) {
        self.on_the_way = 0;
        self.head_written += written;
        while let Some(frame) = self.frames.front() {
            let len = frame.wire_len();
            if self.head_written < len {
                break;
            }
            self.head_written -= len;
            self.cost -= frame.payload.len() + OVERHEAD;
            self.frames.pop_front();
        }
        if self.frames.is_empty() {
            pool::give(std::mem::take(&mut self.frames));
        }
    }

    /// Takes the jobs out that are not on the wire. A job that is partly written counts as written, unless
    /// the peer is `gone` and can never see the rest.
    pub(super) fn take_jobs(&mut self, gone: bool) -> Vec<Message> {
        let keep = if gone { 0 } else { self.untouchable() };
        if gone {
            self.head_written = 0;
        }
        let mut jobs = Vec::new();
        let mut kept = VecDeque::new();
        for (place, frame) in std::mem::take(&mut self.frames).into_iter().enumerate() {
            if frame.job && place >= keep {
                self.cost -= frame.payload.len() + OVERHEAD;
                jobs.push(frame.message());
            } else {
                kept.push_back(frame);
            }
        }
        self.frames = kept;
        jobs
    }

    /// Drops everything that is not on the wire yet.
    pub(super) fn clear(&mut self) {
        self.frames.truncate(self.untouchable());
        self.cost = self.frames.iter().map(|frame| frame.payload.len() + OVERHEAD).sum();
    }
}

/// Frame lists for reuse, so that an idle connection holds none and a delivery allocates none.
mod pool {
    use super::{Frame, RefCell, VecDeque};

    /// Lists kept per thread, and the longest that is worth keeping.
    const KEPT: usize = 1024;
    const LONGEST: usize = 64;

    thread_local! {
        static POOL: RefCell<Vec<VecDeque<Frame>>> = const { RefCell::new(Vec::new()) };
    }

    pub(super) fn take() -> VecDeque<Frame> {
        POOL.try_with(|pool| pool.borrow_mut().pop()).ok().flatten().unwrap_or_default()
    }

    pub(super) fn give(frames: VecDeque<Frame>) {
        if frames.capacity() > LONGEST {
            return;
        }
        let _ = POOL.try_with(|pool| {
            let mut pool = pool.borrow_mut();
            if pool.len() < KEPT {
                pool.push(frames);
            }
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame(len: usize) -> Frame {
        Frame::new(Frame::BINARY, Bytes::from(vec![7; len]), false)
    }

    fn job(text: &str) -> Frame {
        Frame::new(Frame::TEXT, Bytes::copy_from_slice(text.as_bytes()), true)
    }

    /// Writes everything in steps of `step` bytes, as a socket would take it.
    fn drain(pending: &mut Pending, step: usize) -> Vec<u8> {
        let mut wire = Vec::new();
        while !pending.is_empty() {
            let mut scratch = Scratch::default();
            pending.fill(&mut scratch);
            let bytes = scratch.with_slices(|slices| slices.iter().flat_map(|s| s.to_vec()).collect::<Vec<_>>());
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
        assert_eq!(drain(&mut pieces, 7), expected);
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
        assert_eq!(full().add(frame(10), capacity, OverflowPolicy::Close), Added::Overflow);
        assert_eq!(full().add(frame(10), capacity, OverflowPolicy::DropNewest), Added::Dropped);
        let mut pending = full();
        assert_eq!(pending.add(frame(9), capacity, OverflowPolicy::DropOldest), Added::InsteadOf(1));
        assert_eq!(pending.frames.iter().map(|f| f.payload.len()).collect::<Vec<_>>(), [10, 10, 9]);
    }

    #[test]
    fn what_is_on_the_wire_is_never_dropped() {
        let capacity = 2 * (10 + OVERHEAD);
        let mut pending = Pending::default();
        pending.push(frame(10));
        pending.push(frame(10));
        pending.advance(1);
        assert_eq!(pending.add(frame(9), capacity, OverflowPolicy::DropOldest), Added::InsteadOf(1));
        assert_eq!(pending.frames.iter().map(|f| f.payload.len()).collect::<Vec<_>>(), [10, 9]);
    }

    /// REQ-RR-001
    #[test]
    fn jobs_that_are_not_written_come_back_in_order() {
        let mut pending = Pending::default();
        ["one", "two", "three"].iter().for_each(|text| pending.push(job(text)));
        pending.advance(6);
        let texts = |jobs: Vec<Message>| jobs.iter().map(|m| m.payload().to_vec()).collect::<Vec<_>>();
        assert_eq!(texts(pending.take_jobs(false)), [b"three".to_vec()]);
        assert_eq!(texts(pending.take_jobs(true)), [b"two".to_vec()]);
    }
}
