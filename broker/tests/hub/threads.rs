//! The queue behind its lock, with threads that push, come and go: the same judge, over what really happened.
//!
//! Everything is recorded inside a lock, so the history is the true order, and the judge knows it also where
//! clients could not (rule F6 of the conformance suite).

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Barrier, Mutex};
use std::thread;
use std::time::Duration;

use petasus_broker::hub::{Pushed, QueueRules};

use crate::history::{Event, Log, RealQueue, Recorded};
use crate::judge::judge;
use crate::outbox::{Tray, job_message};

const PUSHERS: usize = 3;
const PULLERS: usize = 4;
/// Per pusher.
const JOBS: usize = 700;
/// Runs before the test gives up on seeing what it is about.
const MOST_RUNS: usize = 20;

const RULES: QueueRules = QueueRules {
    hold: true,
    hold_messages: 8,
    hold_bytes: 1000,
    hold_age: Duration::from_secs(1),
    hold_total: usize::MAX,
};

/// Everything that the threads share.
struct Floor {
    queue: Mutex<Recorded<RealQueue>>,
    log: Log,
    names: AtomicUsize,
    start: Barrier,
    /// All jobs are pushed.
    pushed: AtomicBool,
}

impl Floor {
    fn new(rules: QueueRules) -> Self {
        let log = Log::default();
        Self {
            queue: Mutex::new(Recorded::new(RealQueue::new(rules), &log)),
            log,
            names: AtomicUsize::new(0),
            start: Barrier::new(PUSHERS + PULLERS),
            pushed: AtomicBool::new(false),
        }
    }

    fn tray(&self, capacity: usize) -> Tray {
        Tray::new(self.names.fetch_add(1, Ordering::Relaxed), capacity, &self.log)
    }

    /// Pushes the jobs of one pusher. Every third is a POST, which tries again if there is no room; with the others
    /// it waits until it is resumed.
    fn push_all(&self, pusher: usize) {
        let place = self.tray(0);
        self.start.wait();
        for number in 0..JOBS {
            let job = number * PUSHERS + pusher;
            let message = job_message(job, 1);
            let waiter = (number % 3 > 0).then_some(&place);
            let push = || self.queue.lock().unwrap().push(job % 2, (job, &message), Duration::ZERO, waiter);
            while push() == Pushed::Full {
                match waiter {
                    Some(place) => place.wait_until_resumed(),
                    None => thread::yield_now(),
                }
            }
        }
    }

    /// Comes and goes until all jobs are pushed. `patience`: how often it looks at most before it leaves.
    /// `writes_all`: it leaves nothing behind.
    fn pull_and_leave(&self, topic: usize, capacity: usize, patience: usize, writes_all: bool) {
        self.start.wait();
        let mut stay = patience;
        while !self.pushed.load(Ordering::Relaxed) {
            let tray = self.tray(capacity);
            self.queue.lock().unwrap().pull(topic, &tray, Duration::ZERO);
            for _ in 0..=stay % patience {
                self.write(&tray, 2);
                thread::yield_now();
            }
            if writes_all {
                self.write(&tray, usize::MAX);
            }
            self.queue.lock().unwrap().leave(tray.name(), Duration::ZERO);
            stay = stay * 5 + 3;
            stay %= 1009;
        }
    }

    fn write(&self, tray: &Tray, count: usize) {
        tray.write(count);
        if tray.take_refused() {
            self.queue.lock().unwrap().ready(tray.name());
        }
    }

    /// Takes what is left.
    fn sweep(&self) {
        for topic in 0..2 {
            let tray = self.tray(usize::MAX);
            self.queue.lock().unwrap().pull(topic, &tray, Duration::ZERO);
            tray.write(usize::MAX);
            self.queue.lock().unwrap().leave(tray.name(), Duration::ZERO);
        }
    }
}

/// Runs everybody; returns the history.
fn run(rules: QueueRules) -> Vec<Event> {
    let floor = Floor::new(rules);
    thread::scope(|scope| {
        let floor = &floor;
        let pushers: Vec<_> =
            (0..PUSHERS).map(|pusher| scope.spawn(move || floor.push_all(pusher))).collect();
        for puller in 0..PULLERS {
            let (topic, capacity) = (puller % 2, 1 + puller);
            scope.spawn(move || floor.pull_and_leave(topic, capacity, 5 + 20 * puller, puller > 1));
        }
        let ends: Vec<_> = pushers.into_iter().map(thread::ScopedJoinHandle::join).collect();
        // Only now, and whatever came of it: the pullers wait for this.
        floor.pushed.store(true, Ordering::Relaxed);
        for end in ends {
            end.expect("a pusher came through");
        }
    });
    floor.sweep();
    floor.log.take()
}

/// REQ-RR-001, REQ-RR-002, REQ-RR-010, REQ-RR-011, REQ-RR-012, REQ-RR-014: with threads that push, come and go at
/// will, every job is written once, and every rule of the rotation holds.
#[test]
fn threads_that_push_come_and_go_lose_and_double_nothing() {
    // What the threads come to do is theirs. Again, until pullers did leave with unwritten jobs and pushers did wait.
    let (mut again, mut woken) = (0, 0);
    for _ in 0..MOST_RUNS {
        let history = run(RULES);
        check(&history);
        let count = |wanted: fn(&Event) -> bool| history.iter().filter(|event| wanted(event)).count();
        again += count(|event| matches!(event, Event::Assigned { .. })) - PUSHERS * JOBS;
        woken += count(|event| matches!(event, Event::Resumed { .. }));
        let left = count(|event| matches!(event, Event::Leave { .. }));
        println!("{left} pullers left, {again} jobs were assigned once more, {woken} pushers were woken");
        if again > 0 && woken > 0 {
            return;
        }
    }
    panic!("{MOST_RUNS} runs, and nobody left with a job or waited for room");
}

fn check(history: &[Event]) {
    let end = &history[history.len().saturating_sub(9)..];
    assert_eq!(judge(&RULES, history), Ok(()), "the last events: {end:#?}");
    // Counted once more without the judge.
    let mut written = BTreeMap::new();
    for event in history {
        if let Event::Wrote { job, .. } = event {
            *written.entry(*job).or_insert(0) += 1;
        }
    }
    assert_eq!(written, (0..PUSHERS * JOBS).map(|job| (job, 1)).collect());
}
