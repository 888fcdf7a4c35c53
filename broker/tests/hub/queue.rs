//! The queue before the judge: random histories, the examples of PROTOCOL.md, and the planted faults.

use std::time::Duration;

use petasus_broker::hub::{Pushed, Queue, QueueRules};
use petasus_protocol::{Message, Topic};
use proptest::prelude::*;

use crate::history::{Event, Log, RealQueue, Recorded};
use crate::judge::judge;
use crate::outbox::{Tray, job_message};
use crate::planted::{Breach, Hunt, cases};
use crate::ring_faults::FaultyQueue;
use crate::ring_parts::Fault;
use crate::script::{Script, scripts, working_scripts};
use crate::stage::play;

/// Every requirement that the judge knows.
const RULES: [&str; 14] = [
    "REQ-LIF-004",
    "REQ-LIF-005",
    "REQ-RR-001",
    "REQ-RR-002",
    "REQ-RR-003",
    "REQ-RR-004",
    "REQ-RR-005",
    "REQ-RR-006",
    "REQ-RR-007",
    "REQ-RR-008",
    "REQ-RR-009",
    "REQ-RR-011",
    "REQ-RR-013",
    "REQ-RR-014",
];

/// The rules that a ring which turns wrongly breaks, one or several at once.
const TURNING: &[&str] = &["REQ-RR-003", "REQ-RR-004", "REQ-RR-005", "REQ-RR-006", "REQ-RR-009"];

/// The same, if the one whose turn it is gets nothing though a job waits for it.
const LOSING_TURNS: &[&str] =
    &["REQ-RR-001", "REQ-RR-003", "REQ-RR-004", "REQ-RR-005", "REQ-RR-006", "REQ-RR-009", "REQ-RR-011"];

/// Each fault and what it breaks.
const FAULTS: [(Fault, &[&str]); 36] = [
    (Fault::LosesOneAfterLeave, &["REQ-RR-001"]),
    (Fault::LosesBacklogOnLeave, &["REQ-RR-001", "REQ-RR-008", "REQ-RR-011"]),
    (Fault::SaysHandedAndForgets, &["REQ-RR-001"]),
    (Fault::Doubles, &["REQ-RR-002"]),
    (Fault::Broadcasts, &["REQ-RR-002"]),
    (Fault::ReclaimsCopies, &["REQ-RR-008", "REQ-RR-011"]),
    (Fault::MercuryIndex, LOSING_TURNS),
    (Fault::SkipsOneOnLeave, TURNING),
    (Fault::ResetsOnJoin, TURNING),
    (Fault::ResetsOnLeave, TURNING),
    (Fault::Sticky, TURNING),
    (Fault::Starves, LOSING_TURNS),
    (Fault::SkipsAReadyOne, TURNING),
    (Fault::TakesAnyone, TURNING),
    (Fault::NewcomersFirst, TURNING),
    (Fault::OneCursorForAllTopics, TURNING),
    (Fault::OwnCursorForPosts, TURNING),
    (Fault::MixesTopics, &["REQ-RR-001", "REQ-RR-007"]),
    (Fault::ServesTheGone, &["REQ-LIF-004"]),
    (Fault::LosesUnwritten, &["REQ-RR-008", "REQ-RR-011"]),
    (Fault::UnwrittenToTheTail, &["REQ-RR-011"]),
    (Fault::UnwrittenReversed, &["REQ-RR-011"]),
    (Fault::ForgetsReady, LOSING_TURNS),
    (Fault::ReadyWaitsForAPush, &["REQ-RR-001"]),
    (Fault::NewestFirst, &["REQ-RR-011", "REQ-RR-013"]),
    (Fault::TakesOneTooMany, &["REQ-RR-013"]),
    (Fault::CountsNoBytes, &["REQ-RR-013"]),
    (Fault::RefusesEarly, &["REQ-RR-013"]),
    (Fault::NeverExpires, &["REQ-RR-013"]),
    (Fault::ExpiresTheBusy, &["REQ-RR-011", "REQ-RR-013"]),
    (Fault::ExpiresAMomentEarly, &["REQ-RR-011", "REQ-RR-013"]),
    (Fault::HoldsAlways, &["REQ-RR-008"]),
    (Fault::DropsAlways, &["REQ-RR-008"]),
    (Fault::NeverResumes, &["REQ-RR-014"]),
    (Fault::ResumesOnlyTheFirst, &["REQ-RR-014"]),
    (Fault::KeepsEmptyTopics, &["REQ-LIF-005"]),
];

/// Every fault, planted once, is found, and for what it breaks; every rule finds something.
#[test]
fn each_planted_fault_is_found() {
    let mut hunt = Hunt::new("queue");
    for (fault, breaks) in FAULTS {
        hunt.expect(fault, breaks, &scripts(), |script| {
            judge(&script.rules, &play(&script, |rules| FaultyQueue::new(fault, rules)))
        });
    }
    hunt.end(&RULES);
}

/// Each fault of answers and what it breaks.
const ANSWER_FAULTS: [(Fault, &[&str]); 17] = [
    (Fault::LosesUnanswered, &["REQ-RR-008", "REQ-WAMP-096"]),
    (Fault::UnansweredToTheTail, &["REQ-WAMP-096"]),
    (Fault::UnansweredReversed, &["REQ-WAMP-096"]),
    (Fault::AnsweredComesBack, &["REQ-LIF-005", "REQ-RR-002", "REQ-RR-008"]),
    (Fault::GivesOneTooMany, &["REQ-WAMP-094"]),
    (Fault::AnswerFreesNobody, &["REQ-RR-001"]),
    (Fault::AsksAnybody, &["REQ-WAMP-099"]),
    (Fault::AskedBlocks, &["REQ-RR-001", "REQ-RR-014"]),
    (Fault::AskedCostsTheTurn, TURNING),
    (Fault::KeepsAnswers, &["REQ-WAMP-099"]),
    (Fault::TellsTwice, &["REQ-WAMP-099"]),
    (Fault::TellsTooEarly, &["REQ-WAMP-099"]),
    (Fault::DropsInSilence, &["REQ-WAMP-099"]),
    (Fault::AskedWaitsForNobody, &["REQ-RR-008"]),
    (
        Fault::CanceledComesStill,
        &["REQ-LIF-005", "REQ-RR-001", "REQ-RR-008", "REQ-RR-013", "REQ-RR-014", "REQ-WAMP-100"],
    ),
    (Fault::CancelSaysNothing, &["REQ-WAMP-100"]),
    (Fault::CanceledIsToldTwice, &["REQ-WAMP-100"]),
];

/// The same for pullers that answer, and pushers that wait for that.
#[test]
fn each_planted_fault_of_answers_is_found() {
    let mut hunt = Hunt::new("queue with answers");
    for (fault, breaks) in ANSWER_FAULTS {
        hunt.expect(fault, breaks, &working_scripts(), |script| {
            judge(&script.rules, &play(&script, |rules| FaultyQueue::new(fault, rules)))
        });
    }
    hunt.end(&["REQ-WAMP-094", "REQ-WAMP-096", "REQ-WAMP-099", "REQ-WAMP-100"]);
}

proptest! {
    #![proptest_config(cases(1500))]

    /// REQ-RR-001 to REQ-RR-009, REQ-RR-010, REQ-RR-011, REQ-RR-012, REQ-RR-013, REQ-RR-014, REQ-LIF-004, REQ-LIF-005,
    /// REQ-WAMP-094, REQ-WAMP-095, REQ-WAMP-096, REQ-WAMP-099, REQ-WAMP-100
    #[test]
    fn the_queue_keeps_every_rule(script in prop_oneof![scripts(), working_scripts()]) {
        let history = play(&script, RealQueue::new);
        prop_assert_eq!(judge(&script.rules, &history), Ok(()), "in {:#?}", history);
    }
}

proptest! {
    #![proptest_config(cases(400))]

    /// The judge has nothing against a plain queue without a fault.
    #[test]
    fn the_faults_are_what_the_judge_finds(script in prop_oneof![scripts(), working_scripts()]) {
        let history = play(&script, |rules| FaultyQueue::new(Fault::None, rules));
        prop_assert_eq!(judge(&script.rules, &history), Ok(()), "in {:#?}", history);
    }
}

/// The scripts reach everything that can happen to a queue: a judge that sees nothing finds nothing.
#[test]
fn the_scripts_reach_every_outcome() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..300 {
        let script: Script = scripts().new_tree(&mut runner).unwrap().current();
        for event in play(&script, RealQueue::new) {
            seen.insert(match event {
                Event::Return { answer, .. } => format!("{answer:?}"),
                effect => format!("{effect:?}").split(' ').next().unwrap_or_default().to_owned(),
            });
        }
    }
    for _ in 0..300 {
        let script: Script = working_scripts().new_tree(&mut runner).unwrap().current();
        for event in play(&script, RealQueue::new) {
            if let Event::Settled { how, .. } = event {
                seen.insert(format!("{how:?}"));
            }
        }
    }
    for outcome in ["Answered", "NoPuller", "Expired", "Canceled"] {
        assert!(seen.contains(outcome), "{outcome} is not among {seen:?}");
    }
    let outcomes = ["Handed", "Held", "NoPuller", "Full"].map(|pushed| format!("Pushed({pushed})"));
    let effects = ["Assigned", "Refused", "Resumed", "Wrote", "GiveUp", "Dropped(2)"].map(str::to_owned);
    for outcome in outcomes.iter().chain(&effects) {
        assert!(seen.contains(outcome), "{outcome} is not among {seen:?}");
    }
}

const WIDE: QueueRules = QueueRules {
    hold: false,
    hold_messages: 100,
    hold_bytes: 10_000,
    hold_age: Duration::from_mins(1),
    hold_total: usize::MAX,
};

/// Plays a line like `+A +B . -A . .`: a puller comes or goes, or a job is pushed. Returns who is served.
fn served(line: &str) -> String {
    let log = Log::default();
    let mut queue = Recorded::new(RealQueue::new(WIDE), &log);
    let mut trays: Vec<Tray> = Vec::new();
    for (job, step) in line.split(' ').enumerate() {
        let name = usize::from(step.as_bytes()[step.len() - 1]);
        match step.as_bytes()[0] {
            b'+' => {
                trays.push(Tray::new(name, 100, &log));
                queue.pull(0, &trays[trays.len() - 1], Duration::ZERO);
            }
            b'-' => queue.leave(name, Duration::ZERO),
            _ => drop(queue.push(0, (job, &job_message(job, 1)), Duration::ZERO, None)),
        }
        for tray in &trays {
            tray.write(usize::MAX);
        }
    }
    let history = log.take();
    assert_eq!(judge(&WIDE, &history), Ok(()));
    let served = history.iter().filter_map(|event| match event {
        Event::Assigned { puller, .. } => char::from_u32(u32::try_from(*puller).ok()?),
        _ => None,
    });
    served.collect()
}

/// REQ-RR-004, REQ-RR-005, REQ-RR-009: the examples of PROTOCOL.md, and all that was measured on Mercury where it
/// does not lose, skip or repeat.
#[test]
fn a_puller_that_comes_or_goes_leaves_the_turns_to_the_others() {
    for (line, expected) in [
        ("+A +B +C . . . . . . .", "ABCABCA"),
        ("+A +B . +C . . . . .", "ABCABC"),
        ("+A +B . . +C . . . . .", "ABABCAB"),
        ("+A +B +C -A . . .", "BCB"),
        ("+A +B +C -B . . .", "ACA"),
        ("+A +B +C -C . . .", "ABA"),
        ("+A +B +C . -A . . . .", "ABCBC"),
        ("+A +B +C . -B . . . .", "ACACA"),
        ("+A +B +C . -C . . . .", "ABABA"),
        ("+A +B +C . . -A . . .", "ABCBC"),
        ("+A +B +C . . -B . . .", "ABCAC"),
        ("+A +B +C . . -C . . .", "ABABA"),
        ("+A +B +C . . . -A . .", "ABCBC"),
        ("+A +B . -A . . +D . . .", "ABBBDB"),
        ("+A +B . -A -B +C . . +D . .", "ACCCD"),
        ("+A +B . +D . . .", "ABDA"),
        ("+A +B +C . . -A -B -C +X +Y +Z . . . .", "ABXYZX"),
        ("+A . -A . +A .", "AA"),
    ] {
        assert_eq!(served(line), expected, "{line}");
    }
}

/// REQ-RR-014: whoever was told that there is no room hears of it when there is, whatever the bounds are.
#[test]
fn a_waiting_pusher_is_resumed_as_soon_as_its_job_fits() {
    let topic = Topic::new("jobs");
    for (hold_messages, hold_bytes) in [(0, 100), (1, 0), (0, 0), (1, 100)] {
        let mut queue = Queue::new(QueueRules { hold_messages, hold_bytes, ..WIDE });
        let (puller, pusher) = (Tray::new(1, 1, &Log::default()), Tray::quiet(2));
        let (id, _) = queue.pull(&topic, puller.clone(), Duration::ZERO, &mut ());
        let mut push = |job| queue.push(&topic, &job_message(job, 1), Duration::ZERO, Some(&pusher), &mut ());
        assert_eq!([1, 2, 3].map(&mut push), [Pushed::Handed, Pushed::Held, Pushed::Full]);
        puller.write(1);
        queue.ready(id, &mut ());
        assert!(pusher.take_resumed(), "room for {hold_messages} jobs of {hold_bytes} bytes");
    }
}

/// REQ-RR-014: an empty job fits where no byte is left.
#[test]
fn a_pusher_with_an_empty_job_is_resumed_when_a_place_is_free() {
    let topic = Topic::new("jobs");
    let mut queue = Queue::new(QueueRules { hold_messages: 2, hold_bytes: 4, ..WIDE });
    let (puller, pusher) = (Tray::new(1, 1, &Log::default()), Tray::quiet(2));
    let (id, _) = queue.pull(&topic, puller.clone(), Duration::ZERO, &mut ());
    let empty = Message::from("");
    let jobs = [job_message(1, 1), empty.clone(), job_message(2, 4), empty];
    let answers = jobs.map(|job| queue.push(&topic, &job, Duration::ZERO, Some(&pusher), &mut ()));
    assert_eq!(answers, [Pushed::Handed, Pushed::Held, Pushed::Held, Pushed::Full]);
    puller.write(1);
    queue.ready(id, &mut ());
    assert!(pusher.take_resumed(), "one of two places is free, and none of four bytes is needed");
}

/// A judge that reads a history in which nothing is wrong, and the same with one event taken out.
#[test]
fn a_history_with_a_hole_is_not_believed() {
    let log = Log::default();
    let mut queue = Recorded::new(RealQueue::new(WIDE), &log);
    let tray = Tray::new(1, 9, &log);
    queue.pull(0, &tray, Duration::ZERO);
    queue.push(0, (0, &job_message(0, 1)), Duration::ZERO, None);
    tray.write(1);
    let history = log.take();
    assert_eq!(judge(&WIDE, &history), Ok(()));
    for (place, event) in history.iter().enumerate() {
        if matches!(event, Event::Assigned { .. } | Event::Wrote { .. }) {
            let mut hole = history.clone();
            hole.remove(place);
            let broken = judge(&WIDE, &hole).unwrap_err();
            let named: Vec<&Breach> =
                broken.iter().filter(|breach| breach.requirement == "REQ-RR-001").collect();
            assert!(!named.is_empty(), "{event:?} is missing, and the judge says {broken:?}");
        }
    }
}

/// REQ-LIM-004: `hold_total` bounds all queues together, and whoever waits for it is resumed by room in any of them.
#[test]
fn all_queues_together_are_bounded() {
    let rules = QueueRules { hold: true, hold_total: 2 * (10 + 64), ..WIDE };
    let mut queue: Queue<Tray> = Queue::new(rules);
    let (one, two) = (Topic::new("one"), Topic::new("two"));
    let pusher = Tray::quiet(1);
    let push = |queue: &mut Queue<Tray>, topic: &Topic| {
        queue.push(topic, &job_message(0, 10), Duration::ZERO, Some(&pusher), &mut ())
    };
    assert_eq!(push(&mut queue, &one), Pushed::Held);
    assert_eq!(push(&mut queue, &one), Pushed::Held);
    assert_eq!(push(&mut queue, &two), Pushed::Full);
    assert!(!pusher.take_resumed());
    queue.pull(&one, Tray::quiet(2), Duration::ZERO, &mut ());
    assert!(pusher.take_resumed(), "the other queue is empty now");
    assert_eq!(push(&mut queue, &two), Pushed::Held);
}
