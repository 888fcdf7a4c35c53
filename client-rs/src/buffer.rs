//! What came and was not taken yet: one buffer for each subscription, registration and stream of results.

use std::collections::VecDeque;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;

use crate::Error;

/// How many messages wait for their reader unless it says otherwise.
pub(crate) const CAPACITY: usize = 16_384;

/// What becomes of messages for which the buffer of a subscription has no room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum Overflow {
    /// The oldest one in the buffer is dropped. [`Message::missed`](crate::Message::missed) counts them.
    #[default]
    DropOldest,
    /// The new one is dropped. [`Message::missed`](crate::Message::missed) counts them.
    DropNewest,
    /// Nothing is dropped: **nothing more is read from the network** until there is room, and the broker's own bound
    /// for slow readers begins to count. Answers to everything else that this client does wait as well, and may time
    /// out. So read on while you wait for them, or give this subscription a client of its own. The buffer may hold a
    /// few hundred messages more than it was to: those that had been read already.
    Wait,
}

/// Whether something is over, and why.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum End {
    Open,
    /// With the reason, unless the program ended it itself.
    Over(Option<Error>),
}

impl End {
    /// The first reason counts.
    fn set(&mut self, error: Option<Error>) {
        if !self.is_over() {
            *self = End::Over(error);
        }
    }

    pub(crate) fn is_over(&self) -> bool {
        matches!(self, End::Over(_))
    }

    pub(crate) fn error(&self) -> Option<Error> {
        match self {
            End::Over(error) => error.clone(),
            End::Open => None,
        }
    }
}

/// An item, and what went before it.
#[derive(Debug)]
pub(crate) struct Slot<T> {
    pub(crate) item: T,
    /// How many were dropped right before it.
    pub(crate) missed: u64,
    /// Whether the connection was lost before it, so that others may be missing.
    pub(crate) gap: bool,
}

/// What became of an item.
#[derive(Debug, Default)]
pub(crate) struct Pushed {
    /// Who waits for it.
    pub(crate) waker: Option<Waker>,
    /// The buffer dropped one, for the first time since it was empty.
    pub(crate) overflows: bool,
    /// The buffer is full, and nothing more is to be read.
    pub(crate) stalls: bool,
}

/// A queue with a bound, one writer and one reader.
#[derive(Debug)]
pub(crate) struct Buffer<T> {
    capacity: usize,
    overflow: Overflow,
    inner: Mutex<Inner<T>>,
}

#[derive(Debug)]
struct Inner<T> {
    queue: VecDeque<Slot<T>>,
    /// Dropped since the last item that was put in.
    missed: u64,
    gap: bool,
    end: End,
    waker: Option<Waker>,
    /// Whether the full buffer was reported; until it is empty again.
    overflowed: bool,
    stalled: bool,
}

impl<T> Buffer<T> {
    pub(crate) fn new(capacity: usize, overflow: Overflow) -> Self {
        let inner = Inner {
            queue: VecDeque::new(),
            missed: 0,
            gap: false,
            end: End::Open,
            waker: None,
            overflowed: false,
            stalled: false,
        };
        Buffer { capacity: capacity.max(1), overflow, inner: Mutex::new(inner) }
    }

    /// Puts an item in.
    pub(crate) fn push(&self, item: T) -> Pushed {
        let mut inner = self.inner.lock();
        let mut pushed = Pushed::default();
        if inner.end.is_over() {
            return pushed;
        }
        if inner.queue.len() >= self.capacity {
            match self.overflow {
                Overflow::Wait => pushed.stalls = !std::mem::replace(&mut inner.stalled, true),
                Overflow::DropOldest => {
                    pushed.overflows = !std::mem::replace(&mut inner.overflowed, true);
                    inner.drop_oldest();
                }
                Overflow::DropNewest => {
                    pushed.overflows = !std::mem::replace(&mut inner.overflowed, true);
                    inner.missed += 1;
                    return pushed;
                }
            }
        }
        let (missed, gap) = (std::mem::take(&mut inner.missed), std::mem::take(&mut inner.gap));
        inner.queue.push_back(Slot { item, missed, gap });
        pushed.waker = inner.waker.take();
        pushed
    }

    /// Nothing more comes.
    pub(crate) fn end(&self, error: Option<Error>) -> Option<Waker> {
        let mut inner = self.inner.lock();
        inner.end.set(error);
        inner.waker.take()
    }

    /// What comes next comes after a gap.
    pub(crate) fn mark_gap(&self) {
        self.inner.lock().gap = true;
    }

    /// Takes an item, if there is one. `None` is the end. The second is whether a buffer that was full has room now.
    pub(crate) fn poll_pop(&self, cx: &mut Context<'_>) -> Poll<(Option<Slot<T>>, bool)> {
        let mut inner = self.inner.lock();
        if let Some(slot) = inner.queue.pop_front() {
            if inner.queue.is_empty() {
                inner.overflowed = false;
            }
            // Half of it, so that it does not go stop and go at each message.
            let resumes = inner.stalled && inner.queue.len() <= self.capacity / 2;
            inner.stalled &= !resumes;
            return Poll::Ready((Some(slot), resumes));
        }
        if inner.end.is_over() {
            return Poll::Ready((None, false));
        }
        if !inner.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            inner.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }

    /// Takes everything, and ends it. The second is whether it was full and had to be waited for.
    pub(crate) fn close(&self) -> (VecDeque<Slot<T>>, bool) {
        let mut inner = self.inner.lock();
        inner.end.set(None);
        (std::mem::take(&mut inner.queue), std::mem::take(&mut inner.stalled))
    }

    /// Whether it has no room, and does not hold up the network until it has.
    pub(crate) fn refuses(&self) -> bool {
        self.overflow != Overflow::Wait && self.inner.lock().queue.len() >= self.capacity
    }

    /// Why it ended.
    pub(crate) fn error(&self) -> Option<Error> {
        self.inner.lock().end.error()
    }
}

impl<T> Inner<T> {
    fn drop_oldest(&mut self) {
        let Some(old) = self.queue.pop_front() else { return };
        let (missed, gap) = match self.queue.front_mut() {
            Some(next) => (&mut next.missed, &mut next.gap),
            None => (&mut self.missed, &mut self.gap),
        };
        *missed += old.missed + 1;
        *gap |= old.gap;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All that is in it: items, what was missed before each, gaps.
    fn all(buffer: &Buffer<u32>) -> Vec<(u32, u64, bool)> {
        let mut cx = Context::from_waker(Waker::noop());
        let mut found = Vec::new();
        while let Poll::Ready((Some(slot), _)) = buffer.poll_pop(&mut cx) {
            found.push((slot.item, slot.missed, slot.gap));
        }
        found
    }

    fn filled(capacity: usize, overflow: Overflow) -> Buffer<u32> {
        let buffer = Buffer::new(capacity, overflow);
        for item in 0..5 {
            if item == 2 {
                buffer.mark_gap();
            }
            buffer.push(item);
        }
        buffer
    }

    #[test]
    fn the_next_message_says_how_many_old_ones_were_dropped() {
        let buffer = filled(2, Overflow::DropOldest);
        assert_eq!(all(&buffer), [(3, 3, true), (4, 0, false)]);
        assert_eq!(all(&filled(1, Overflow::DropOldest)), [(4, 4, true)]);
    }

    #[test]
    fn the_next_message_says_how_many_new_ones_were_dropped() {
        let buffer = filled(2, Overflow::DropNewest);
        assert_eq!(all(&buffer), [(0, 0, false), (1, 0, false)]);
        buffer.push(5);
        assert_eq!(all(&buffer), [(5, 3, true)]);
    }

    #[test]
    fn who_waits_drops_nothing_and_goes_on_when_half_is_taken() {
        let buffer = Buffer::new(4, Overflow::Wait);
        let stalls: Vec<bool> = (0..6).map(|item| buffer.push(item).stalls).collect();
        assert_eq!(stalls, [false, false, false, false, true, false]);
        let mut cx = Context::from_waker(Waker::noop());
        let resumes: Vec<bool> = (0..6)
            .map(|_| match buffer.poll_pop(&mut cx) {
                Poll::Ready((Some(_), resumes)) => resumes,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(resumes, [false, false, false, true, false, false]);
    }

    #[test]
    fn what_is_there_comes_before_the_end() {
        let buffer = Buffer::new(4, Overflow::DropOldest);
        buffer.push(1);
        buffer.end(Some(Error::Closed));
        buffer.end(None);
        buffer.push(2);
        assert_eq!(all(&buffer), [(1, 0, false)]);
        assert_eq!(buffer.error(), Some(Error::Closed));
    }
}
