//! The command `clients`: our Rust client beside those of other brokers, each at its own broker.
//!
//! Every run has a fresh server, and each side of the traffic a process of its own: this program again, with the
//! hidden command `part`. What a message costs is therefore known for publisher, subscriber and server apart. The
//! contestants take turns, and each round begins with another, so that whatever else the machine does falls on all.
//!
//! What is measured is a library in the use that its documentation shows, on the runtime of `#[tokio::main]`. The
//! path of a run: [`contest`] starts a [`server`] and the [`child`] processes; in these, a role drives the traits of
//! [`client`], which [`mqtt`], [`nats`] and [`ours`] fill in; [`table`] prints.

mod acknowledged;
mod calls;
mod child;
mod client;
mod console;
mod contest;
mod contestant;
mod hearing;
mod latency;
mod mqtt;
mod nats;
mod ours;
mod part;
mod server;
mod table;
mod tally;
mod throughput;
mod workload;

use clap::ValueEnum;

use crate::arguments::Clients;
use crate::compare::machine;
use crate::error::LoadError;

use contest::Contest;
use table::Table;

pub(crate) use contestant::Contestant;
pub(crate) use part::Part;
pub(crate) use workload::Workload;

/// Plays a part in a run of another process of this program.
pub(crate) fn play(part: &Part) -> Result<(), LoadError> {
    part.play()
}

/// Runs what the command line asks for and prints the tables.
pub(crate) fn run(arguments: &Clients) -> Result<(), LoadError> {
    let contest = Contest::new(arguments)?;
    println!("{}", machine::describe_clients(arguments)?);
    for line in contest.versions() {
        println!("- {line}");
    }
    println!();
    let workloads: &[Workload] =
        if arguments.only.is_empty() { Workload::value_variants() } else { &arguments.only };
    for &workload in workloads {
        print!("{}", measure(workload, &contest, arguments.runs)?);
    }
    println!("Load average at the end: {}.", machine::load_average()?);
    Ok(())
}

/// All runs of one workload.
fn measure(workload: Workload, contest: &Contest, runs: usize) -> Result<Table, LoadError> {
    let entries: Vec<_> = contest.entries().filter(|entry| workload.is_run_by(*entry)).collect();
    let mut figures = vec![Vec::new(); entries.len()];
    for run in 0..runs {
        for place in (0..entries.len()).map(|place| (place + run) % entries.len()) {
            let of_run = contest.run(entries[place], workload)?;
            let said: Vec<_> =
                of_run.iter().map(|figure| format!("{} {:.1}", figure.name, figure.value)).collect();
            eprintln!("{workload:?}, run {}, {:?}: {}", run + 1, entries[place], said.join(", "));
            figures[place].push(of_run);
        }
    }
    Ok(Table::new(workload, entries.into_iter().zip(figures).collect()))
}
