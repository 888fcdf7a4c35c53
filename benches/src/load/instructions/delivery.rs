//! Instructions per delivery of a fan-out.
//!
//! Each server runs twice, with few and with many messages; what the runs differ by is divided by the deliveries they
//! differ by, so that starting, connecting and ending cancel out.

use crate::arguments::Traffic;
use crate::compare::counted::Counted;
use crate::compare::launch::Programs;
use crate::compare::{Entry, Group};
use crate::drive::Run;
use crate::error::LoadError;
use crate::lineup::Lineup;
use crate::pace::{Pace, Window};

const SUBSCRIBERS: usize = 100;
/// Messages of the shorter run; it is also what warms up caches and pools in both.
const FEW: u64 = 128;
/// Messages of the longer run.
const MANY: u64 = FEW + 512;

/// Counts the entries of a group, and prints a Markdown table.
pub(super) fn run(programs: &Programs, group: Group) -> Result<(), LoadError> {
    let columns = group.columns();
    println!("| load | figure | {columns}\n|---|---|{}", "---|".repeat(columns.matches('|').count()));
    for (title, window) in [("1 to 100, 128 B, one at a time", 1), ("1 to 100, 128 B, 64 in flight", 64)] {
        let counts: Vec<_> = group
            .entries()
            .iter()
            .map(|entry| per_delivery(programs, *entry, window))
            .collect::<Result<_, _>>()?;
        let mut cells: Vec<_> = counts.iter().map(|count| format!("{count:.0}")).collect();
        if let Some((reference, others)) = counts.split_last() {
            cells.extend(others.iter().map(|count| format!("**{:.2}**", count / reference)));
        }
        println!("| {title} | instructions per delivery | {} |", cells.join(" | "));
    }
    Ok(())
}

fn per_delivery(programs: &Programs, entry: Entry, window: usize) -> Result<f64, LoadError> {
    let few = count(programs, entry, window, FEW)?;
    let many = count(programs, entry, window, MANY)?;
    let deliveries = (MANY - FEW) * SUBSCRIBERS as u64;
    Ok((many as f64 - few as f64) / deliveries as f64)
}

/// Instructions of a server that delivers `messages`, from its start to its end.
fn count(programs: &Programs, entry: Entry, window: usize, messages: u64) -> Result<u64, LoadError> {
    let counted = Counted::start(programs, entry.contender(), true)?;
    deliver(&entry.traffic(&counted.server, SUBSCRIBERS), window, messages)?;
    counted.finish()
}

/// Sends `messages` of one publisher, `window` at a time, and waits for all of them.
pub(super) fn deliver(traffic: &Traffic, window: usize, messages: u64) -> Result<(), LoadError> {
    let lineup = Lineup::connect(traffic)?;
    let pace = Pace::Window(Window::new(window, &[traffic.subscribers]).ending_after(messages));
    let verdict = Run::new(lineup, pace, traffic).deliver_all()?;
    if verdict.total() > 0 {
        return Err(LoadError::Wire("not every message once and in order"));
    }
    Ok(())
}
