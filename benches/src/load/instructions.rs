//! The command `instructions`: how many instructions each server executes for a delivery, counted by callgrind.
//!
//! A count is the same on a busy machine as on a quiet one. It covers the server's own code and its libraries, not the
//! kernel. Each server runs twice, with few and with many messages; what the runs differ by is divided by the
//! deliveries they differ by, so that starting, connecting and ending cancel out.

use crate::arguments::Programs as Arguments;
use crate::arguments::{Reach, Traffic};
use crate::compare::launch::{Contender, Launched, Programs};
use crate::drive::Run;
use crate::error::LoadError;
use crate::lineup::Lineup;
use crate::pace::{Pace, Window};

const SUBSCRIBERS: usize = 100;
/// Messages of the shorter run; it is also what warms up caches and pools in both.
const FEW: u64 = 128;
/// Messages of the longer run.
const MANY: u64 = FEW + 512;

/// Counts, and prints a Markdown table.
pub(crate) fn run(arguments: &Arguments) -> Result<(), LoadError> {
    let programs = Programs::find(arguments)?;
    println!("| load | figure | Petasus | tokio-tungstenite | ratio |\n|---|---|---|---|---|");
    for (title, window) in [("1 to 100, 128 B, one at a time", 1), ("1 to 100, 128 B, 64 in flight", 64)] {
        let ours = per_delivery(&programs, Contender::Petasus, window)?;
        let peer = per_delivery(&programs, Contender::Tungstenite, window)?;
        println!("| {title} | instructions per delivery | {ours:.0} | {peer:.0} | **{:.2}** |", ours / peer);
    }
    Ok(())
}

fn per_delivery(programs: &Programs, contender: Contender, window: usize) -> Result<f64, LoadError> {
    let few = count(programs, contender, window, FEW)?;
    let many = count(programs, contender, window, MANY)?;
    let deliveries = (MANY - FEW) * SUBSCRIBERS as u64;
    Ok((many as f64 - few as f64) / deliveries as f64)
}

/// Instructions of a server that delivers `messages`, from its start to its end.
fn count(programs: &Programs, contender: Contender, window: usize, messages: u64) -> Result<u64, LoadError> {
    let counted = programs.start_counted(contender)?;
    deliver(&counted.server, window, messages)?;
    counted.finish()
}

fn deliver(server: &Launched, window: usize, messages: u64) -> Result<(), LoadError> {
    let traffic = Traffic {
        publish: Some(server.url("/pub/load")),
        subscribe: Some(server.url("/sub/load")),
        subscribers: SUBSCRIBERS,
        reach: Reach { pid: Some(server.pid()), ..Reach::default() },
        ..Traffic::default()
    };
    let lineup = Lineup::connect(&traffic)?;
    let pace = Pace::Window(Window::new(window, &[SUBSCRIBERS]).ending_after(messages));
    let verdict = Run::new(lineup, pace, &traffic).deliver_all()?;
    if verdict.total() > 0 {
        return Err(LoadError::Wire("not every message once and in order"));
    }
    Ok(())
}
