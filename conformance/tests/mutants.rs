//! Each mutant dies by its own id, and the broker without defects by none.

use petasus_conformance::Requirements;
use petasus_conformance::check;
use petasus_conformance::mutants::{Entry, Mutant, matrix};

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

#[test]
fn the_broker_without_defects_stays_clean() {
    let list = Requirements::built_in();
    for seed in 0..3 {
        let row =
            run(matrix::hunt(matrix::clean(), &check::all(), &list, seed, matrix::budget(40, true))).unwrap();
        assert!(row.sure.is_empty(), "seed {seed}: {}", row.line());
    }
}

#[test]
fn the_router_without_defects_stays_clean() {
    let list = Requirements::built_in();
    let hunters: Vec<_> = (0..20).collect();
    std::thread::scope(|scope| {
        for seeds in hunters.chunks(5) {
            let list = &list;
            scope.spawn(move || {
                for &seed in seeds {
                    let (clean, budget) = (matrix::clean_router(), matrix::budget(10, true));
                    let row = run(matrix::hunt(clean, &check::all(), list, seed, budget)).unwrap();
                    assert!(row.sure.is_empty(), "seed {seed}: {}", row.line());
                }
            });
        }
    });
}

#[test]
fn a_broker_that_draws_at_random_is_fair() {
    let list = Requirements::built_in();
    let entry = Entry { mutant: Mutant::AtRandom, ..matrix::clean() };
    let checks = [check::named("pushpull.fair").unwrap(), check::named("pushpull.churn").unwrap()];
    for seed in 0..3 {
        let row = run(matrix::hunt(entry, &checks, &list, seed, matrix::budget(40, true))).unwrap();
        assert!(row.sure.is_empty(), "seed {seed}: {}", row.line());
    }
}

/// How many mutants are hunted at once: most of their time is spent on deadlines.
const AT_ONCE: usize = 6;

/// Hunts all mutants with these cases for each check, and judges each row.
fn hunt_all(seed: u64, cases: u32) -> Vec<matrix::Row> {
    let list = Requirements::built_in();
    let entries = std::sync::Mutex::new(matrix::entries().into_iter());
    let rows = std::sync::Mutex::new(Vec::new());
    let next = || entries.lock().unwrap().next();
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some(entry) = next() {
                    let row = run(matrix::row(entry, &list, seed, cases)).unwrap();
                    rows.lock().unwrap().push(row);
                }
            });
        }
    });
    let mut rows = rows.into_inner().unwrap();
    rows.sort_by_key(|row| row.entry.number);
    rows
}

#[test]
fn each_mutant_dies_by_its_own_id() {
    let rows = hunt_all(1, 25);
    let mut problems = Vec::new();
    for row in &rows {
        println!("{}", row.line());
        if row.cases_to_kill().is_none() {
            problems.push(format!("{:?} survives: {:?}", row.entry.mutant, row.found));
        }
        if !row.strange().is_empty() {
            let ids: Vec<_> = row.strange().into_iter().map(|id| (id, row.found[id])).collect();
            problems.push(format!("{:?} breaks {ids:?}", row.entry.mutant));
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}
