//! The dealer before its judge and beside a plain one: random scripts, planted faults, and examples.

mod bounds;
mod examples;
mod faults;
mod judge;
mod log;
mod plain;
mod plain_effects;
mod script;
mod stage;

use std::collections::BTreeMap;

use proptest::prelude::*;

use self::faults::Fault;
use self::judge::{JUDGED, judge};
use self::log::{Act, Event};
use self::plain::PlainDealer;
use self::script::{Script, busy, narrow, scripts, shared, timed, wild};
use self::stage::{RealDealer, play};
use crate::planted::{Breach, Hunt, cases};

/// The rule of whatever shows only beside the plain dealer.
const PLAIN: &str = "plain";

type Scripts = fn() -> BoxedStrategy<Script>;

/// Each fault, the scripts that look for it, and what it breaks.
const FAULTS: [(Fault, Scripts, &[&str]); 29] = [
    (Fault::NewestFirst, busy, &["order", PLAIN]),
    (Fault::IgnoresConcurrency, busy, &["concurrency", PLAIN]),
    (Fault::ProgressFreesThePlace, busy, &["concurrency", PLAIN]),
    (Fault::SkipFreesThePlace, busy, &["concurrency", PLAIN]),
    (Fault::ForgetsThatTheCalleeLeft, shared, &["one answer", "pieces", PLAIN]),
    (Fault::AnswersAfterTimeout, timed, &["one answer", PLAIN]),
    (Fault::AnswersTheGone, wild, &["gone", "leftovers", PLAIN]),
    (Fault::PassesProgressUnasked, timed, &["progress"]),
    (Fault::SticksToOne, shared, &["rotation", PLAIN]),
    (Fault::ResetsTurnOnLeave, shared, &[PLAIN]),
    (Fault::DeafToReady, narrow, &[PLAIN]),
    (Fault::LosesTheQueueOnLeave, busy, &["one answer", PLAIN]),
    (Fault::KeepsTheQueueOfTheDead, busy, &["one answer", PLAIN]),
    (Fault::SkipInterrupts, shared, &[PLAIN]),
    (Fault::KillAnswersAtOnce, shared, &["one answer", PLAIN]),
    (Fault::TriesTheSameAgain, shared, &[PLAIN]),
    (Fault::UnavailableIsVerbatim, shared, &[PLAIN]),
    (Fault::NewNumberForEachPiece, narrow, &["numbers", "pieces", "verbatim", "one answer"]),
    (Fault::ShortestPrefix, wild, &[PLAIN]),
    (Fault::WildcardBeforePrefix, wild, &[PLAIN]),
    (Fault::TimeoutGoesOn, timed, &[PLAIN]),
    (Fault::DisclosesAll, wild, &["disclosed"]),
    (Fault::QueuesWithoutEnd, busy, &[PLAIN]),
    (Fault::TakesLatePieces, narrow, &["one answer", "pieces", "gone", PLAIN]),
    (Fault::MixesPayloads, wild, &["verbatim"]),
    (Fault::TooLongIsFull, busy, &["one answer", PLAIN]),
    (Fault::LongResultsAreLost, busy, &["one answer", PLAIN]),
    (Fault::CallerTakesAll, busy, &[PLAIN]),
    (Fault::SparesAll, shared, &[PLAIN]),
];

/// By whose they are, and None: what the act came to.
type Effects = BTreeMap<Option<usize>, Vec<Event>>;

/// What everybody got in each act, and what the act came to. Who is served first in one act means nothing; the order
/// of what one session gets does.
fn by_act(log: Vec<Event>) -> Vec<(Act, Effects)> {
    let mut acts: Vec<(Act, Effects)> = Vec::new();
    for event in log {
        match event {
            Event::Act(act) => acts.push((act, Effects::new())),
            Event::Refused { .. } | Event::Unfit { .. } | Event::Settled => {}
            event => {
                let (_, effects) = acts.last_mut().expect("an act comes first");
                effects.entry(event.to()).or_default().push(event);
            }
        }
    }
    acts
}

/// Where two logs part.
fn difference(one: Vec<Event>, other: Vec<Event>) -> Option<String> {
    let (one, other) = (by_act(one), by_act(other));
    let place = one.iter().zip(&other).position(|(one, other)| one != other)?;
    Some(format!("act {place}: {:#?}\ninstead of {:#?}", one[place], other[place]))
}

/// Every fault, planted once, is found; every rule finds something.
#[test]
fn each_planted_fault_is_found() {
    let mut hunt = Hunt::new("dealer");
    for (fault, scripts, breaks) in FAULTS {
        hunt.expect(fault, breaks, &scripts(), |script: Script| {
            let log = play(&script, PlainDealer::new(fault));
            judge(&log)?;
            match difference(log, play(&script, PlainDealer::new(Fault::None))) {
                Some(what) => Err(vec![Breach::new(PLAIN, what)]),
                None => Ok(()),
            }
        });
    }
    let rules: Vec<&str> = JUDGED.into_iter().chain([PLAIN]).collect();
    hunt.end(&rules);
}

proptest! {
    #![proptest_config(cases(1000))]

    /// REQ-WAMP-040, REQ-WAMP-045, REQ-WAMP-046, REQ-WAMP-047, REQ-WAMP-049, REQ-WAMP-050, REQ-WAMP-051, REQ-WAMP-052, REQ-RPC-002, REQ-RPC-004, REQ-RPC-007, REQ-RPC-008.
    #[test]
    fn the_dealer_keeps_every_rule_and_does_what_the_plain_one_does(script in scripts()) {
        let log = play(&script, RealDealer::new());
        prop_assert_eq!(judge(&log), Ok(()), "in {:#?}", log);
        let plain = play(&script, PlainDealer::new(Fault::None));
        prop_assert_eq!(judge(&plain), Ok(()), "in {:#?}", plain);
        if let Some(what) = difference(log, plain) {
            prop_assert!(false, "{}", what);
        }
    }
}

/// The scripts reach everything that can happen to a call: a judge that sees nothing finds nothing.
#[test]
fn the_scripts_reach_every_outcome() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut seen = std::collections::BTreeSet::new();
    for _ in 0..300 {
        let script: Script = scripts().new_tree(&mut runner).unwrap().current();
        for event in play(&script, RealDealer::new()) {
            seen.insert(match event {
                Event::Error { uri, payload, .. } => format!("{uri} {}", payload.is_some()),
                Event::Answered { answer, .. } => answer,
                Event::Result { progress, .. } => format!("Result {progress}"),
                Event::Interrupted { mode, reason, .. } => format!("{mode:?} {reason}"),
                Event::Invoked(invoked) if invoked.timeout.is_some() => "Forwarded".to_owned(),
                Event::Invoked(invoked) if invoked.procedure.is_some() => "Pattern".to_owned(),
                _ => continue,
            });
        }
    }
    for outcome in [
        "wamp.error.no_such_procedure false",
        "wamp.error.canceled false",
        "wamp.error.timeout false",
        "wamp.error.no_available_callee false",
        "wamp.error.unavailable false",
        "wamp.error.unavailable true",
        "wamp.error.feature_not_supported false",
        "wamp.error.payload_size_exceeded false",
        "app.error true",
        "Result true",
        "Result false",
        "Kill wamp.error.canceled",
        "KillNoWait wamp.error.canceled",
        "KillNoWait wamp.error.timeout",
        "KillNoWait wamp.error.unavailable",
        "KillNoWait wamp.error.payload_size_exceeded",
        "Forwarded",
        "Pattern",
        "Err(AlreadyExists)",
        "Err(OtherPolicy)",
        "Err(TooMany)",
        "Err(NoSuchRegistration)",
        "Err(RequestInUse)",
        "Err(NoSuchInvocation)",
        "Ok(Unregistered { deleted: true })",
        "Ok(Unregistered { deleted: false })",
    ] {
        assert!(seen.contains(outcome), "{outcome} is not among {seen:#?}");
    }
}
