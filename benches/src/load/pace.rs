//! When a publisher sends: by the clock, or as soon as its window allows.

use std::time::Duration;

/// A message that is to be sent now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Due {
    pub(crate) publisher: usize,
    pub(crate) sequence: u64,
    /// When it should have been sent, in nanoseconds of the run's clock: the time its latency counts from.
    pub(crate) at: u64,
}

/// What decides when messages are sent.
#[derive(Debug)]
pub(crate) enum Pace {
    /// So many messages a second, all publishers together, whatever the server does.
    Rate(Rate),
    /// So many messages in flight per publisher.
    Window(Window),
}

impl Pace {
    /// The schedule begins at `start`, in nanoseconds of the run's clock.
    pub(crate) fn start(&mut self, start: u64) {
        if let Self::Rate(rate) = self {
            rate.start = start;
        }
    }

    /// The next message that is due by `now`.
    pub(crate) fn next_due(&mut self, now: u64) -> Option<Due> {
        match self {
            Self::Rate(rate) => rate.next_due(now),
            Self::Window(window) => window.next_due(now),
        }
    }

    /// Hears of a first arrival: the window may open.
    pub(crate) fn arrived(&mut self, publisher: usize, sequence: u64) {
        if let Self::Window(window) = self {
            window.arrived(publisher, sequence);
        }
    }

    /// How long until the next message is due without another arrival; `None`: only an arrival makes one due.
    pub(crate) fn wait(&self, now: u64) -> Option<Duration> {
        match self {
            Self::Rate(rate) => Some(Duration::from_nanos(rate.due_at(rate.next).saturating_sub(now))),
            Self::Window(_) => None,
        }
    }

    /// Messages sent so far, by publisher.
    pub(crate) fn published(&self) -> Vec<u64> {
        match self {
            Self::Rate(rate) => {
                let (each, rest) = (rate.next / rate.publishers, rate.next % rate.publishers);
                (0..rate.publishers).map(|publisher| each + u64::from(publisher < rest)).collect()
            }
            Self::Window(window) => window.publishers.iter().map(|publisher| publisher.sent).collect(),
        }
    }
}

/// A fixed rate, spread evenly over time and, in turn, over the publishers.
#[derive(Debug)]
pub(crate) struct Rate {
    start: u64,
    per_second: f64,
    publishers: u64,
    next: u64,
}

impl Rate {
    /// `per_second` messages by `publishers` in turn.
    pub(crate) fn new(per_second: f64, publishers: usize) -> Self {
        Self { start: 0, per_second, publishers: publishers as u64, next: 0 }
    }

    fn due_at(&self, message: u64) -> u64 {
        self.start + (message as f64 * 1e9 / self.per_second) as u64
    }

    fn next_due(&mut self, now: u64) -> Option<Due> {
        let at = self.due_at(self.next);
        (at <= now).then(|| {
            let message = self.next;
            self.next += 1;
            Due { publisher: (message % self.publishers) as usize, sequence: message / self.publishers, at }
        })
    }
}

/// A credit window: each publisher has at most `slots` messages that not every listener has received. The slowest
/// listener therefore sets the pace, and no listener is ever more than the window behind.
#[derive(Debug)]
pub(crate) struct Window {
    publishers: Vec<Credit>,
    /// How many messages each publisher sends at most.
    most: u64,
}

#[derive(Debug)]
struct Credit {
    /// Listeners of this publisher.
    audience: u32,
    /// By sequence number modulo the window: how many listeners have still to receive that message.
    outstanding: Vec<u32>,
    sent: u64,
}

impl Window {
    /// A window of `slots` messages for each publisher; `audiences[publisher]` listeners hear each.
    pub(crate) fn new(slots: usize, audiences: &[usize]) -> Self {
        let credit =
            |audience: &usize| Credit { audience: *audience as u32, outstanding: vec![0; slots], sent: 0 };
        Self { publishers: audiences.iter().map(credit).collect(), most: u64::MAX }
    }

    /// The same window, closed for good when each publisher has sent `most` messages.
    pub(crate) fn ending_after(self, most: u64) -> Self {
        Self { most, ..self }
    }

    fn next_due(&mut self, now: u64) -> Option<Due> {
        for (publisher, credit) in self.publishers.iter_mut().enumerate() {
            let slots = credit.outstanding.len() as u64;
            let slot = &mut credit.outstanding[(credit.sent % slots) as usize];
            // A publisher that nobody hears would never wait.
            if *slot == 0 && credit.audience > 0 && credit.sent < self.most {
                *slot = credit.audience;
                credit.sent += 1;
                return Some(Due { publisher, sequence: credit.sent - 1, at: now });
            }
        }
        None
    }

    fn arrived(&mut self, publisher: usize, sequence: u64) {
        let credit = &mut self.publishers[publisher];
        let slots = credit.outstanding.len() as u64;
        let slot = &mut credit.outstanding[(sequence % slots) as usize];
        *slot = slot.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_kept_whatever_the_delay_and_counts_from_the_schedule() {
        let mut pace = Pace::Rate(Rate::new(1000.0, 2));
        pace.start(1_000);
        assert_eq!(pace.next_due(999), None);
        assert_eq!(pace.wait(0), Some(Duration::from_micros(1)));
        // Called 2.5 ms late: three are due, each with the time it should have been sent at.
        let due: Vec<_> = std::iter::from_fn(|| pace.next_due(2_501_000)).collect();
        let expected = [(0, 0, 1_000), (1, 0, 1_001_000), (0, 1, 2_001_000)];
        assert_eq!(due, expected.map(|(publisher, sequence, at)| Due { publisher, sequence, at }));
        assert_eq!(pace.published(), [2, 1]);
        assert_eq!(pace.wait(2_501_000), Some(Duration::from_micros(500)));
    }

    #[test]
    fn a_window_opens_when_the_slowest_listener_has_received() {
        let mut pace = Pace::Window(Window::new(2, &[3]));
        let sent = |pace: &mut Pace| std::iter::from_fn(|| pace.next_due(9)).count();
        assert_eq!(sent(&mut pace), 2);
        pace.arrived(0, 0);
        pace.arrived(0, 0);
        assert_eq!(sent(&mut pace), 0, "two of three have it");
        pace.arrived(0, 0);
        assert_eq!(sent(&mut pace), 1);
        assert_eq!(pace.published(), [3]);
        assert_eq!(pace.wait(9), None);
    }

    #[test]
    fn a_window_with_an_end_closes_there() {
        let mut pace = Pace::Window(Window::new(2, &[1]).ending_after(3));
        for sequence in 0..5 {
            while pace.next_due(0).is_some() {}
            pace.arrived(0, sequence);
        }
        assert_eq!(pace.published(), [3]);
    }

    #[test]
    fn every_publisher_has_a_window_of_its_own() {
        let mut pace = Pace::Window(Window::new(1, &[1, 1, 0]));
        let sent: Vec<_> = std::iter::from_fn(|| pace.next_due(0)).map(|due| due.publisher).collect();
        assert_eq!(sent, [0, 1]);
        pace.arrived(1, 0);
        assert_eq!(pace.next_due(5), Some(Due { publisher: 1, sequence: 1, at: 5 }));
    }
}
