//! Our broker in memory, on a clock that stands still: all families in each dialect, in little time and without sockets.

use std::sync::Arc;
use std::time::Duration;

use petasus_conformance::driver::{Dial, Duplex, Fut, Target};
use petasus_conformance::history::{Event, History, What};
use petasus_conformance::launch::Wanted;
use petasus_conformance::mem::{self, Starter};
use petasus_conformance::run::{CheckResult, Pace, Session, Verdict};
use petasus_conformance::settings::{Settings, Setup};
use petasus_conformance::{Requirements, check};

/// The settings for a driver, and a broker of its dialect.
fn place(driver: &str, seed: u64) -> (Setup, Target) {
    let settings = Settings { driver: Some(driver.to_owned()), seed: Some(seed), ..Settings::default() };
    let mut setup = settings.parse().unwrap();
    let starter = Starter::of(&*setup.driver);
    let target = starter.start(&Wanted::default()).unwrap().target();
    setup.launcher = Some(Arc::new(starter));
    (setup, target)
}

/// Does something with a session in memory.
fn with<T>(driver: &str, seed: u64, work: impl AsyncFnOnce(Session<'_>) -> T) -> T {
    let list = Requirements::built_in();
    let (setup, target) = place(driver, seed);
    mem::runtime(seed).block_on(async {
        let pace = Pace::measure(&*setup.driver, &target, setup.patterns()).await.unwrap();
        work(setup.session(&target, &list, Some(&pace))).await
    })
}

/// What is wrong with a check, in words.
fn problem(result: &CheckResult) -> Option<String> {
    let is_well = matches!(result.verdict, Verdict::Pass | Verdict::Info | Verdict::Unsupported);
    let found: Vec<String> =
        result.findings.iter().map(|f| format!("{} {}", f.violation, f.script)).collect();
    (!is_well).then(|| format!("{}: {:?} {:?} {found:?}", result.card.name, result.verdict, result.reason))
}

/// All checks with a few cases: what is wrong, and how many were tried.
fn hold(driver: &str, seed: u64, cases: u32) -> (Vec<String>, usize) {
    with(driver, seed, async |mut session| {
        session.budget.cases = cases;
        let (mut problems, mut tried) = (Vec::new(), 0);
        for check in check::all() {
            let result = session.check(&*check).await;
            tried += usize::from(result.verdict != Verdict::Unsupported);
            problems.extend(problem(&result).map(|problem| format!("{driver}, seed {seed}: {problem}")));
        }
        (problems, tried)
    })
}

#[test]
fn our_broker_holds_in_every_dialect() {
    for (driver, at_least) in [
        ("mercury", 25),
        ("pinghub", 8),
        ("pinghub-late", 8),
        ("wamp", 15),
        ("wamp-msgpack", 15),
        ("wamp-cbor", 15),
    ] {
        let (problems, tried) = hold(driver, 7, 6);
        assert_eq!(problems, Vec::<String>::new());
        println!("{driver}: {tried} checks");
        assert!(tried >= at_least, "{driver}: only {tried} checks were tried");
    }
}

/// Takes out the one thing that comes from the calendar: HTTP answers say the time of day.
fn undate(event: &mut Event) {
    if let What::Responded { fields, .. } = &mut event.what {
        fields.retain(|(name, _)| name != "date");
    }
}

/// One history of each check that is tried, made in a run time of its own.
fn histories(driver: &str, seed: u64) -> Vec<History> {
    with(driver, seed, async |session| {
        let mut histories = Vec::new();
        for check in check::all().iter().filter(|check| session.skips(&check.card()).is_none()) {
            let script = check.scripts(seed, &session.params, false).next().script();
            // Some scripts no dialect can say.
            if let Ok((mut history, _)) = session.replay(&**check, &script).await {
                history.events.iter_mut().for_each(undate);
                histories.push(history);
            }
        }
        histories
    })
}

/// What the broker draws by lot itself, the ids of sessions and registrations in tables of chance, is not among this.
#[test]
fn the_same_seed_gives_the_same_histories_to_the_microsecond() {
    let (one, other) = (histories("mercury", 11), histories("mercury", 11));
    assert!(one.len() >= 25, "{}", one.len());
    for (one, other) in one.iter().zip(&other) {
        assert_eq!(one, other, "{}", one.check);
    }
    assert_ne!(histories("mercury", 12), other);
}

/// A target that takes connections and says nothing.
struct Silent;

impl Dial for Silent {
    fn dial(&self) -> Fut<'_, std::io::Result<Box<dyn Duplex>>> {
        Box::pin(async {
            let (ours, theirs) = tokio::io::duplex(64);
            tokio::spawn(async move {
                std::future::pending::<()>().await;
                drop(theirs);
            });
            Ok(Box::new(ours) as Box<dyn Duplex>)
        })
    }
}

#[test]
fn a_deadline_of_a_day_is_met_by_the_clock_and_not_by_waiting() {
    let (setup, _) = place("mercury", 1);
    let (list, target) = (Requirements::built_in(), Target::through(Arc::new(Silent)));
    mem::runtime(1).block_on(async {
        let mut session = setup.session(&target, &list, None);
        session.timing.deadline = Duration::from_hours(24);
        let began = tokio::time::Instant::now();
        let result = session.check(&*check::named("bus.exchange").unwrap()).await;
        assert_eq!(result.verdict, Verdict::Inconclusive);
        assert!(result.reason.unwrap().contains("does not answer"), "{:?}", result.findings);
        assert!(began.elapsed() >= Duration::from_hours(24));
    });
}
