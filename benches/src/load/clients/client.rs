//! What a client library must be able to do to take part.

use std::future::Future;
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::error::LoadError;
use crate::stamp::Stamp;

use super::contestant::Contestant;

/// Where all publish, subscribe and call.
pub(super) const TOPIC: &str = "load";

/// Bytes of a message.
const SIZE: usize = 128;

/// Whom a client is, and where its broker listens.
#[derive(Debug, Clone)]
pub(super) struct Seat {
    pub(super) contestant: Contestant,
    /// `127.0.0.1:PORT`.
    pub(super) address: String,
    /// Acknowledgements that may be outstanding.
    pub(super) window: usize,
    /// Whether latency is what matters.
    pub(super) hurried: bool,
}

impl Seat {
    /// An error of this client.
    pub(super) fn error(&self, error: impl std::fmt::Display) -> LoadError {
        LoadError::Client { name: self.contestant.title(), why: error.to_string() }
    }
}

/// A connection that begins something.
pub(super) trait Connection: Sized + Send + Sync + 'static {
    /// Connects.
    fn connect(seat: &Seat) -> impl Future<Output = Result<Self, LoadError>> + Send;
}

/// Publishes without waiting for acknowledgements.
pub(super) trait Publisher: Connection {
    /// Publishes one message; may wait for room.
    fn send(&self, payload: &[u8]) -> impl Future<Output = Result<(), LoadError>> + Send;
    /// Waits until the system has all that was sent.
    fn settle(&self) -> impl Future<Output = Result<(), LoadError>> + Send;
}

/// Publishes and counts acknowledgements.
pub(super) trait Acknowledged: Publisher {
    /// Publishes until `until`, at most the window of the seat in flight; how many were acknowledged in the end,
    /// which must be all.
    fn flood(
        &self,
        messages: Messages,
        until: Instant,
    ) -> impl Future<Output = Result<u64, LoadError>> + Send;
}

/// A subscription.
pub(super) trait Inbox: Sized + Send + 'static {
    /// Connects and subscribes; the subscription stands when this returns.
    fn open(seat: &Seat) -> impl Future<Output = Result<Self, LoadError>> + Send;
    /// The stamp of the next message; `None` for a message without one.
    fn next(&mut self) -> impl Future<Output = Result<Option<Stamp>, LoadError>> + Send;
}

/// Calls.
pub(super) trait Caller: Connection {
    /// The stamp of the answer; `None` for an answer without one.
    fn call(&self, payload: &[u8]) -> impl Future<Output = Result<Option<Stamp>, LoadError>> + Send;
}

/// Answers calls with what they bring.
pub(super) trait Callee: Sized + Send + 'static {
    /// Connects and offers; calls arrive when this has returned.
    fn offer(seat: &Seat) -> impl Future<Output = Result<Self, LoadError>> + Send;
    /// Answers until the connection ends.
    fn serve(self) -> impl Future<Output = Result<(), LoadError>> + Send;
}

/// The messages of a publisher: numbered, 128 bytes of ASCII each.
#[derive(Debug)]
pub(super) struct Messages {
    clock: Clock,
    sent: u64,
    payload: [u8; SIZE],
}

impl Messages {
    /// From number 0; stamped with the time of `clock`.
    pub(super) fn new(clock: Clock) -> Self {
        Self { clock, sent: 0, payload: [b'.'; SIZE] }
    }

    /// The next message, stamped now.
    pub(super) fn next(&mut self) -> &[u8] {
        Stamp { publisher: 0, sequence: self.sent, due: self.clock.now() }.write(&mut self.payload);
        self.sent += 1;
        &self.payload
    }

    /// How many there were.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }
}

/// When to stop: looks at the clock only now and then, as a look costs a good part of a publish.
#[derive(Debug)]
pub(super) struct Deadline {
    until: Instant,
    looks: u32,
    passed: bool,
}

impl Deadline {
    /// Messages between two looks.
    const STRIDE: u32 = 64;

    /// Passed at `until`.
    pub(super) fn at(until: Instant) -> Self {
        Self { until, looks: 0, passed: false }
    }

    /// Passed after `time`.
    pub(super) fn after(time: Duration) -> Self {
        Self::at(Instant::now() + time)
    }

    /// Whether it has passed, as far as is known.
    pub(super) fn is_passed(&mut self) -> bool {
        self.looks = self.looks.wrapping_add(1);
        self.passed |= self.looks.is_multiple_of(Self::STRIDE) && Instant::now() >= self.until;
        self.passed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_numbered_and_ascii() {
        let mut messages = Messages::new(Clock::new());
        for sequence in 0..3 {
            let payload = messages.next();
            assert_eq!((payload.len(), payload.is_ascii()), (128, true));
            assert_eq!(Stamp::read(payload).map(|stamp| stamp.sequence), Some(sequence));
        }
        assert_eq!(messages.sent(), 3);
    }

    #[test]
    fn a_deadline_that_has_passed_stays_passed() {
        let mut deadline = Deadline::at(Instant::now());
        let looks: Vec<_> = (0..2 * Deadline::STRIDE).map(|_| deadline.is_passed()).collect();
        let first = Deadline::STRIDE as usize - 1;
        assert!(!looks[..first].contains(&true), "it looks now and then only");
        assert!(!looks[first..].contains(&false), "{looks:?}");
    }
}
