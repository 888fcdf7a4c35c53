//! The judge: of every message and every listener, whether it arrived, once, and in its publisher's order.

use std::ops::Range;

/// What one arriving message was to its listener.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    /// The next one of its publisher.
    InOrder,
    /// Later than one or more that have not arrived (yet).
    AfterGap,
    /// One that had been missing: it was overtaken.
    Late,
    /// One that has arrived before.
    Duplicate,
    /// From a publisher this listener should not hear.
    Foreign,
}

/// The final count of a run.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Verdict {
    pub(crate) lost: u64,
    pub(crate) duplicated: u64,
    pub(crate) reordered: u64,
    /// Messages that nobody in this run should have sent to their listener.
    pub(crate) foreign: u64,
}

/// What one listener has heard of one publisher.
#[derive(Debug, Clone, Default)]
struct Hearing {
    /// Whether the listener shares the publisher's topic.
    expected: bool,
    /// The sequence number after the highest that arrived.
    next: u64,
    /// What is missing below `next`, in rising order. Empty on a healthy run.
    gaps: Vec<Range<u64>>,
}

impl Hearing {
    fn hear(&mut self, sequence: u64) -> Arrival {
        if sequence == self.next {
            self.next += 1;
            return Arrival::InOrder;
        }
        if sequence > self.next {
            self.gaps.push(self.next..sequence);
            self.next = sequence + 1;
            return Arrival::AfterGap;
        }
        let Some(at) = self.gaps.iter().position(|gap| gap.contains(&sequence)) else {
            return Arrival::Duplicate;
        };
        let gap = self.gaps.remove(at);
        let halves = [gap.start..sequence, sequence + 1..gap.end];
        self.gaps.splice(at..at, halves.into_iter().filter(|half| !half.is_empty()));
        Arrival::Late
    }

    fn missing_of(&self, published: u64) -> u64 {
        let gaps: u64 = self.gaps.iter().map(|gap| gap.end - gap.start).sum();
        gaps + published.saturating_sub(self.next)
    }
}

/// Keeps the books of a run: one line for each listener and publisher.
#[derive(Debug)]
pub(crate) struct Judge {
    publishers: usize,
    /// By listener, then publisher.
    hearings: Vec<Hearing>,
    /// First arrivals, which are what is delivered.
    delivered: u64,
    counted: Verdict,
}

impl Judge {
    /// Books for `listeners` and `publishers`; `expected` says who should hear whom.
    pub(crate) fn new(listeners: usize, publishers: usize, expected: impl Fn(usize, usize) -> bool) -> Self {
        let pairs = (0..listeners).flat_map(|listener| (0..publishers).map(move |p| (listener, p)));
        let hearings = pairs
            .map(|(listener, publisher)| Hearing {
                expected: expected(listener, publisher),
                ..Hearing::default()
            })
            .collect();
        Self { publishers, hearings, delivered: 0, counted: Verdict::default() }
    }

    /// Enters the arrival of message `sequence` of `publisher` at `listener`.
    pub(crate) fn hear(&mut self, listener: usize, publisher: usize, sequence: u64) -> Arrival {
        let hearing = match self.hearings.get_mut(listener * self.publishers + publisher) {
            Some(hearing) if hearing.expected && publisher < self.publishers => hearing,
            _ => {
                self.counted.foreign += 1;
                return Arrival::Foreign;
            }
        };
        let arrival = hearing.hear(sequence);
        match arrival {
            Arrival::Duplicate => self.counted.duplicated += 1,
            Arrival::Late => self.counted.reordered += 1,
            Arrival::InOrder | Arrival::AfterGap | Arrival::Foreign => {}
        }
        if arrival != Arrival::Duplicate {
            self.delivered += 1;
        }
        arrival
    }

    /// Enters the arrival of a message without a stamp.
    pub(crate) fn hear_foreign(&mut self) {
        self.counted.foreign += 1;
    }

    /// How many listeners should hear `publisher`.
    pub(crate) fn audience_of(&self, publisher: usize) -> usize {
        let of_publisher = self.hearings.iter().skip(publisher).step_by(self.publishers);
        of_publisher.filter(|hearing| hearing.expected).count()
    }

    /// How many deliveries are due when each publisher has sent `published[publisher]` messages.
    pub(crate) fn due(&self, published: &[u64]) -> u64 {
        published.iter().enumerate().map(|(p, sent)| sent * self.audience_of(p) as u64).sum()
    }

    /// Deliveries so far: arrivals, each message once for each listener.
    pub(crate) fn delivered(&self) -> u64 {
        self.delivered
    }

    /// The verdict when each publisher has sent `published[publisher]` messages and nothing more will arrive.
    pub(crate) fn verdict(&self, published: &[u64]) -> Verdict {
        let expected = self.hearings.iter().zip(published.iter().cycle());
        let lost =
            expected.filter(|(hearing, _)| hearing.expected).map(|(hearing, sent)| hearing.missing_of(*sent));
        Verdict { lost: lost.sum(), ..self.counted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One listener that hears one publisher: the verdict over what arrived when `published` were sent.
    fn judged(arrivals: &[u64], published: u64) -> Verdict {
        let mut judge = Judge::new(1, 1, |_, _| true);
        for &sequence in arrivals {
            judge.hear(0, 0, sequence);
        }
        judge.verdict(&[published])
    }

    const CLEAN: Verdict = Verdict { lost: 0, duplicated: 0, reordered: 0, foreign: 0 };

    #[test]
    fn a_clean_run_has_a_clean_verdict() {
        assert_eq!(judged(&[0, 1, 2, 3], 4), CLEAN);
        assert_eq!(judged(&[], 0), CLEAN);
    }

    #[test]
    fn planted_losses_are_found_at_the_head_in_the_middle_and_at_the_tail() {
        assert_eq!(judged(&[1, 2, 3], 4), Verdict { lost: 1, ..CLEAN });
        assert_eq!(judged(&[0, 3], 4), Verdict { lost: 2, ..CLEAN });
        assert_eq!(judged(&[0, 1], 4), Verdict { lost: 2, ..CLEAN });
        assert_eq!(judged(&[], 4), Verdict { lost: 4, ..CLEAN });
    }

    #[test]
    fn planted_duplicates_are_found() {
        assert_eq!(judged(&[0, 0, 1, 2, 1], 3), Verdict { duplicated: 2, ..CLEAN });
    }

    #[test]
    fn a_planted_swap_is_a_reordering_and_no_loss() {
        assert_eq!(judged(&[0, 2, 1, 3], 4), Verdict { reordered: 1, ..CLEAN });
        assert_eq!(judged(&[4, 2, 0, 1, 3], 5), Verdict { reordered: 4, ..CLEAN });
    }

    #[test]
    fn faults_of_all_kinds_are_told_apart() {
        // 0 twice, 1 late, 3 never, 5 never.
        assert_eq!(judged(&[0, 2, 0, 1, 4], 6), Verdict { lost: 2, duplicated: 1, reordered: 1, ..CLEAN });
    }

    #[test]
    fn a_late_message_that_arrives_twice_is_a_duplicate_the_second_time() {
        assert_eq!(judged(&[1, 0, 0], 2), Verdict { reordered: 1, duplicated: 1, ..CLEAN });
    }

    #[test]
    fn listeners_and_publishers_are_judged_each_by_itself() {
        let mut judge = Judge::new(2, 2, |_, _| true);
        judge.hear(0, 0, 0);
        judge.hear(0, 1, 0);
        judge.hear(1, 1, 0);
        assert_eq!(judge.verdict(&[1, 1]), Verdict { lost: 1, ..CLEAN });
        assert_eq!(judge.delivered(), 3);
        assert_eq!(judge.due(&[1, 1]), 4);
    }

    #[test]
    fn a_message_of_another_topic_is_foreign_and_owes_nothing() {
        let mut judge = Judge::new(2, 2, |listener, publisher| listener == publisher);
        assert_eq!(judge.audience_of(0), 1);
        assert_eq!(judge.hear(0, 1, 0), Arrival::Foreign);
        assert_eq!(judge.hear(0, 7, 0), Arrival::Foreign);
        judge.hear(0, 0, 0);
        judge.hear(1, 1, 0);
        assert_eq!(judge.verdict(&[1, 1]), Verdict { foreign: 2, ..CLEAN });
    }
}
