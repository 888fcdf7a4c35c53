//! Pullers that answer: what the random histories do not reach.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::Duration;

use petasus_broker::hub::{
    Assignment, ClientLimits, Ended, FIRST_JOB, JobEnd, Offered, Outbox, PullRefused, PushRefused, Pushed,
    Queue, QueueRules, Via,
};
use petasus_protocol::{Message, Topic};

use crate::history::Log;
use crate::outbox::{Tray, job_message};

const RULES: QueueRules = QueueRules {
    hold: false,
    hold_messages: 100,
    hold_bytes: 10_000,
    hold_age: Duration::from_mins(1),
    hold_total: usize::MAX,
};

const LIMITS: ClientLimits = ClientLimits { pullers: 2, pushes: 2 };

/// An outbox that takes no job longer than `longest`, and keeps what it is told.
#[derive(Clone)]
struct Short {
    longest: usize,
    told: Rc<RefCell<VecDeque<String>>>,
}

impl Short {
    fn new(longest: usize) -> Self {
        Self { longest, told: Rc::default() }
    }

    fn tell(&self, what: String) {
        self.told.borrow_mut().push_back(what);
    }

    fn told(&self) -> Option<String> {
        self.told.borrow_mut().pop_front()
    }
}

impl Outbox for Short {
    type Batch = ();
    type Parcel = ();

    fn append(&self, (): &(), _: Via, (): &mut ()) {}

    fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.told, &other.told)
    }
}

impl JobEnd for Short {
    type Job = Message;
    type Answer = ();

    fn offer(&self, job: &Message, assignment: Option<Assignment>, (): &mut ()) -> Offered {
        if job.len() > self.longest {
            return Offered::Never;
        }
        let number = assignment.map_or(0, |assignment| assignment.invocation - FIRST_JOB + 1);
        self.tell(format!("{number}: {}", job.as_str().expect("text")));
        Offered::Taken
    }

    fn reclaim(&self) -> Vec<Message> {
        Vec::new()
    }

    fn retract(&self, registration: u64) {
        self.tell(format!("retract {}", registration - FIRST_JOB));
    }

    fn resume(&self) {
        self.tell("resume".into());
    }

    fn settle(&self, request: u64, ended: Ended<'_, ()>, (): &mut ()) {
        self.tell(format!("{request} {ended:?}"));
    }
}

fn queue(rules: QueueRules) -> (Queue<Short>, Topic) {
    (Queue::new(rules), Topic::new("jobs"))
}

const NOW: Duration = Duration::ZERO;

/// REQ-LIM-004, REQ-WAMP-112: what is handed over and not answered counts, and whoever waits for room hears of an answer.
#[test]
fn unanswered_jobs_count_against_all_queues_together() {
    let (mut queue, topic) = queue(QueueRules { hold_total: 2 * (10 + 64), ..RULES });
    let (worker, pusher) = (Short::new(100), Short::new(0));
    let client = queue.enter(worker.clone(), LIMITS);
    queue.register(client, &topic, 100, NOW, &mut (), |_, ()| {}).unwrap();
    let job = Message::from("0123456789");
    let push = |queue: &mut Queue<Short>| queue.push(&topic, &job, NOW, Some(&pusher), &mut ());
    assert_eq!(
        [push(&mut queue), push(&mut queue), push(&mut queue)],
        [Pushed::Handed, Pushed::Handed, Pushed::Full]
    );
    assert_eq!(queue.kept_bytes(), 2 * (10 + 64));
    assert_eq!(pusher.told(), None);
    assert!(queue.answer(client, FIRST_JOB, &(), &mut ()));
    assert_eq!(pusher.told().as_deref(), Some("resume"));
    assert_eq!(push(&mut queue), Pushed::Handed);
    // One who does not answer keeps nothing.
    assert_eq!(push(&mut queue), Pushed::Full);
    let silent = Short::new(100);
    queue.pull(&topic, silent.clone(), NOW, &mut ());
    assert_eq!(push(&mut queue), Pushed::Handed);
    assert_eq!(silent.told().as_deref(), Some("0: 0123456789"));
    queue.exit(client, NOW, &mut ());
    assert_eq!((queue.kept_bytes(), queue.running()), (0, 0), "all went to the other");
}

/// REQ-RR-012: a job that is too large for one goes to the next, whose turn it costs nothing; and if it is too
/// large for all, it stands in nobody's way.
#[test]
fn jobs_that_are_too_large_for_a_puller() {
    let (mut queue, topic) = queue(RULES);
    let (small, large) = (Short::new(3), Short::new(6));
    queue.pull(&topic, small.clone(), NOW, &mut ());
    let client = queue.enter(large.clone(), LIMITS);
    queue.register(client, &topic, 1, NOW, &mut (), |_, ()| {}).unwrap();
    let mut push = |text: &str| queue.push(&topic, &Message::from(text), NOW, None, &mut ());
    assert_eq!(push("too long"), Pushed::NoPuller);
    assert_eq!(push("long"), Pushed::Handed);
    assert_eq!(large.told().as_deref(), Some("1: long"));
    assert_eq!(push("long"), Pushed::Held, "the one who could take it is busy");
    assert_eq!(push("too long"), Pushed::Held, "that it is too large is not known yet");
    assert_eq!(push("a"), Pushed::Held);
    assert!(queue.answer(client, FIRST_JOB, &(), &mut ()));
    assert_eq!(large.told().as_deref(), Some("2: long"));
    assert!(queue.answer(client, FIRST_JOB + 1, &(), &mut ()));
    assert_eq!(small.told().as_deref(), Some("0: a"));
    assert_eq!(queue.held(), 0);
}

/// REQ-WAMP-105: a client has so many pullers and pushes, one puller in each queue, and one push for each request.
#[test]
fn what_a_client_may_have_is_bounded() {
    let (mut queue, topic) = queue(QueueRules { hold: true, ..RULES });
    let outbox = Short::new(100);
    let client = queue.enter(outbox.clone(), LIMITS);
    let mut register = |topic: &str| queue.register(client, &Topic::new(topic), 1, NOW, &mut (), |_, ()| {});
    let refused = [register("a"), register("a"), register("b"), register("c")].map(Result::err);
    assert_eq!(refused, [None, Some(PullRefused::Again), None, Some(PullRefused::TooMany(2))]);
    assert_eq!(queue.topics(), 2, "nothing is left of what was refused");
    let job = Message::from("job");
    let mut push = |request| queue.push_and_wait(client, request, &topic, &job, NOW, &mut ());
    assert_eq!(push(1), Ok(Pushed::Held));
    assert_eq!(push(1), Err(PushRefused::Again(1)));
    assert_eq!(push(2), Ok(Pushed::Held));
    assert_eq!(push(3), Err(PushRefused::TooMany(2)));
    assert!(queue.cancel(client, 1, &mut ()));
    assert_eq!(outbox.told().as_deref(), Some("1 Canceled"));
    assert!(!queue.cancel(client, 1, &mut ()), "that is over");
    assert_eq!(queue.push_and_wait(client, 3, &topic, &job, NOW, &mut ()), Ok(Pushed::Held));
    queue.exit(client, NOW, &mut ());
    assert_eq!((queue.pullers(), queue.held()), (0, 2), "what was pushed goes on");
    queue.expire(RULES.hold_age * 2, &mut ());
    assert_eq!((queue.topics(), queue.kept_bytes()), (0, 0));
}

/// REQ-WAMP-093: the number of a registration is said before its first job, and those of jobs count for each client.
#[test]
fn the_registration_is_announced_first() {
    let (mut queue, topic) = queue(QueueRules { hold: true, ..RULES });
    queue.push(&topic, &Message::from("job"), NOW, None, &mut ());
    for number in 0..2 {
        let outbox = Short::new(100);
        let client = queue.enter(outbox.clone(), LIMITS);
        let say = |registration, (): &mut ()| outbox.tell(format!("registered {}", registration - FIRST_JOB));
        queue.register(client, &topic, 1, NOW, &mut (), say).unwrap();
        queue.exit(client, NOW, &mut ());
        let told = [outbox.told(), outbox.told(), outbox.told()].map(Option::unwrap);
        assert_eq!(told, [format!("registered {number}"), "1: job".into(), format!("retract {number}")]);
        assert!(!queue.knows(client, FIRST_JOB), "it has gone");
    }
}

/// REQ-RR-014: jobs that wait for one who answers may fill the backlog; a pusher whose job any puller takes is resumed
/// all the same when one is ready.
#[test]
fn a_full_backlog_of_jobs_to_be_answered_stops_no_other() {
    let topic = Topic::new("jobs");
    let mut queue = Queue::new(QueueRules { hold: true, hold_messages: 1, ..RULES });
    let (puller, pusher) = (Tray::new(1, 1, &Log::default()), Tray::quiet(2));
    let client = queue.enter(Tray::quiet(3), LIMITS);
    assert_eq!(queue.push_and_wait(client, 1, &topic, &job_message(1, 1), NOW, &mut ()), Ok(Pushed::Held));
    let (id, _) = queue.pull(&topic, puller.clone(), NOW, &mut ());
    let mut push = |job| queue.push(&topic, &job_message(job, 1), NOW, Some(&pusher), &mut ());
    assert_eq!([push(2), push(3)], [Pushed::Handed, Pushed::Full]);
    puller.write(1);
    queue.ready(id, &mut ());
    assert!(pusher.take_resumed());
    assert_eq!(queue.push(&topic, &job_message(3, 1), NOW, Some(&pusher), &mut ()), Pushed::Handed);
}
