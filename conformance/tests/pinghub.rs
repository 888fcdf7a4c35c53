//! Pinghub: our broker, a small one that is good, and one that answers before it subscribes.

use petasus_conformance::check;
use petasus_conformance::driver::pinghub::Pinghub;
use petasus_conformance::driver::{Driver, Target};
use petasus_conformance::launch::{self, LaunchCommand, Wanted};
use petasus_conformance::mutants::{Mutant, Running, matrix};
use petasus_conformance::run::{Session, Verdict};
use petasus_conformance::{Requirements, front};

/// What is found, by check, and how many checks were made.
async fn found(session: &Session<'_>) -> (Vec<String>, usize) {
    let (mut found, mut tried) = (Vec::new(), 0);
    for check in check::all() {
        let result = session.check(&*check).await;
        tried += usize::from(result.verdict != Verdict::Unsupported);
        found.extend(result.reason.filter(|_| result.verdict != Verdict::Unsupported));
        found.extend(
            result.findings.iter().map(|finding| format!("{}: {:?}", result.card.name, finding.violation)),
        );
    }
    (found, tried)
}

/// All checks with a driver at a target, for some seeds.
fn hold(driver: &'static dyn Driver, target: &Target, seeds: std::ops::Range<u64>) -> (Vec<String>, usize) {
    let list = Requirements::built_in();
    let (mut all, mut tried) = (Vec::new(), 0);
    for seed in seeds {
        let session = Session {
            driver,
            // No deadline is met while nothing is lost.
            timing: petasus_conformance::exec::Timing {
                deadline: std::time::Duration::from_secs(20),
                quiet: std::time::Duration::ZERO,
            },
            ..matrix::session(Mutant::PinghubClean, target, &list, seed, matrix::budget(15, true))
        };
        let (found, checks) = front::run(found(&session));
        all.extend(found);
        tried += checks;
    }
    (all, tried)
}

#[test]
fn our_broker_is_clean_over_pinghub() {
    let mut command = launch::petasus().unwrap().command;
    command.truncate(1);
    let listen = "http://127.0.0.1:0?dialects=pinghub";
    command.extend(["broker", "--listen", listen, "--admin", "none"].map(str::to_owned));
    let launch = LaunchCommand { command, ready: "url:listening on ".parse().unwrap(), template: None };
    let broker = launch.start(&Wanted::default()).unwrap();
    let target = Target::parse(&broker.url).unwrap();
    for driver in [&Pinghub::PROMPT, &Pinghub::LATE] {
        let (found, tried) = hold(driver, &target, 0..2);
        assert_eq!(found, Vec::<String>::new());
        assert!(tried >= 2 * 8, "{tried}");
    }
}

/// Serves in a run time of its own, so that each check may have one too.
fn serve(mutant: Mutant) -> Target {
    let (tell, told) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        front::run(async {
            let broker = Running::start(mutant).await.unwrap();
            tell.send(Target::at(broker.address)).unwrap();
            std::future::pending::<()>().await;
        });
    });
    told.recv().unwrap()
}

#[test]
fn a_broker_that_answers_before_it_subscribes_is_found_and_a_probe_makes_up_for_it() {
    let (found, _) = hold(&Pinghub::PROMPT, &serve(Mutant::PinghubClean), 0..1);
    assert_eq!(found, Vec::<String>::new());
    let early = serve(Mutant::PinghubEarly);
    let (found, _) = hold(&Pinghub::LATE, &early, 0..1);
    assert_eq!(found, Vec::<String>::new());
}
