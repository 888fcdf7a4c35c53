//! Many runs.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use petasus_protocol::session::{Error, Event, Outcome, Status};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::history::{Ask, History, Truth, What};
use crate::judge::{Verdict, judge};
use crate::script::{Script, play, scripts};
use crate::world::World;

/// How many lines of a history are shown.
const LINES: usize = 60;

/// What a run showed.
pub(crate) struct Shown {
    pub(crate) history: History,
    pub(crate) verdicts: Vec<Verdict>,
    pub(crate) mutations: u64,
}

/// Plays a script and judges it.
pub(crate) fn show(script: &Script, prepare: impl FnOnce(&mut World)) -> Shown {
    let world = play(script, prepare);
    let verdicts = judge(&world.history);
    Shown { history: world.history, verdicts, mutations: world.mutations }
}

/// The runner whose first script is that of a seed.
pub(crate) fn runner(seed: u64) -> TestRunner {
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    TestRunner::new_with_rng(Config::default(), TestRng::from_seed(RngAlgorithm::ChaCha, &bytes))
}

/// The rule that a script breaks, if it does.
fn broken(script: &Script) -> Option<&'static str> {
    match catch_unwind(AssertUnwindSafe(|| show(script, |_| {}))) {
        Ok(shown) => shown.verdicts.first().map(|verdict| verdict.rule),
        Err(_) => Some("panic"),
    }
}

/// Makes a failing script shorter, as long as it breaks the same rule.
fn shortest(mut tree: impl ValueTree<Value = Script>, rule: &'static str) -> Script {
    let mut best = tree.current();
    for _ in 0..2_000 {
        let script = tree.current();
        let is_broken = broken(&script) == Some(rule);
        if is_broken {
            best = script;
        }
        let goes_on = if is_broken { tree.simplify() } else { tree.complicate() };
        if !goes_on {
            break;
        }
    }
    best
}

fn report(seed: u64, script: &Script) -> String {
    let steps: Vec<String> = script.steps.iter().map(|(peer, step)| format!("  {peer} {step:?}")).collect();
    let steps = steps.join("\n") + "\n";
    let begin = format!("PETASUS_SEED={seed}; its own seed {}, steps:\n{steps}", script.seed);
    let Ok(shown) = catch_unwind(AssertUnwindSafe(|| show(script, |_| {}))) else {
        return format!("{begin}it panicked");
    };
    let line = |verdict: &Verdict| format!("{}: {} (at {})", verdict.rule, verdict.text, verdict.place);
    let verdicts = shown.verdicts.iter().take(8).map(line).collect::<Vec<_>>().join(
        "
",
    );
    let place = shown.verdicts.first().map_or(0, |verdict| verdict.place);
    format!("{begin}{}{verdicts}", shown.history.tail(place, LINES))
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} has to be a number")))
}

/// All rules hold in every run.
///
/// REQ-ACK-001 (as the client sees it), REQ-SUB-001, REQ-RPC-002.
#[test]
fn every_rule_holds_whatever_comes_when() {
    let first = number("PETASUS_SEED");
    let runs = number("PETASUS_RUNS").unwrap_or(if first.is_some() { 1 } else { 3_000 });
    let first = first.unwrap_or(0);
    let (mut steps, mut mutations, mut reach) = (0, 0, Reach::default());
    for seed in first..first + runs {
        let tree = scripts().new_tree(&mut runner(seed)).expect("scripts can be made");
        let script = tree.current();
        let played = catch_unwind(AssertUnwindSafe(|| show(&script, |_| {})));
        let rule = match &played {
            Ok(shown) => shown.verdicts.first().map(|verdict| verdict.rule),
            Err(_) => Some("panic"),
        };
        if let Some(rule) = rule {
            let script = shortest(tree, rule);
            panic!("{}", report(seed, &script));
        }
        let shown = played.expect("it was looked at");
        steps += script.steps.len();
        mutations += shown.mutations;
        reach.count(&shown.history);
    }
    println!(
        "{runs} runs, {steps} steps, {mutations} mutations of sessions, {} entries judged",
        reach.entries
    );
    println!("{:#?}", reach.counts);
    if runs >= 3_000 {
        reach.assert_wide();
    }
}

/// What the runs came upon: rules hold easily where nothing happens.
#[derive(Default)]
struct Reach {
    entries: usize,
    counts: BTreeMap<&'static str, u32>,
}

/// What three thousand runs have to come upon.
const WIDE: [&str; 26] = [
    "again",
    "Connected",
    "Err(Closed)",
    "Err(GaveUp)",
    "Err(Lost)",
    "Err(NotConnected)",
    "Err(QueueFull)",
    "Err(Refused)",
    "Err(TimedOut)",
    "Err(Unsupported)",
    "Handed",
    "Held",
    "Interrupted",
    "Invocation",
    "InvocationMore",
    "job done",
    "Message",
    "Progress",
    "Published",
    "Registered",
    "RegistrationEnded",
    "Result",
    "Stale",
    "Subscribed",
    "SubscriptionEnded",
    "Waiting",
];

impl Reach {
    fn count(&mut self, history: &History) {
        self.entries += history.entries.len();
        for name in history.entries.iter().filter_map(|entry| name(&entry.what)) {
            *self.counts.entry(name).or_default() += 1;
        }
    }

    fn assert_wide(&self) {
        for name in WIDE {
            assert!(self.counts.contains_key(name), "no run came upon {name}");
        }
    }
}

fn name(what: &What) -> Option<&'static str> {
    Some(match what {
        What::Asked { ask: Ask::Publish { result: Err(Error::QueueFull { .. }), .. }, .. } => {
            "Err(QueueFull)"
        }
        What::Asked { ask: Ask::Answer { result: Err(Error::Stale), .. }, .. } => "Stale",
        What::Router(Truth::JobDone { .. }) => "job done",
        What::Told { event, .. } => match event {
            Event::Status(Status::Connected(_)) => "Connected",
            Event::Status(Status::Waiting { .. }) => "Waiting",
            Event::Status(Status::Closed { failure: Some(_) }) => "Closed for good",
            Event::Subscribed { again: true, .. } | Event::Registered { again: true, .. } => "again",
            Event::Subscribed { .. } => "Subscribed",
            Event::SubscriptionEnded { .. } => "SubscriptionEnded",
            Event::Message { .. } => "Message",
            Event::Registered { .. } => "Registered",
            Event::RegistrationEnded { .. } => "RegistrationEnded",
            Event::Invocation { .. } => "Invocation",
            Event::InvocationMore { .. } => "InvocationMore",
            Event::Interrupted { .. } => "Interrupted",
            Event::Progress { .. } => "Progress",
            Event::Done { outcome, .. } => match outcome {
                Ok(Outcome::Published) => "Published",
                Ok(Outcome::Handed) => "Handed",
                Ok(Outcome::Held) => "Held",
                Ok(Outcome::Result(_)) => "Result",
                Err(Error::Lost) => "Err(Lost)",
                Err(Error::TimedOut) => "Err(TimedOut)",
                Err(Error::Refused(_)) => "Err(Refused)",
                Err(Error::Closed) => "Err(Closed)",
                Err(Error::Unsupported { .. }) => "Err(Unsupported)",
                Err(Error::GaveUp(_)) => "Err(GaveUp)",
                Err(Error::NotConnected) => "Err(NotConnected)",
                _ => "another end",
            },
            _ => return None,
        },
        _ => return None,
    })
}
