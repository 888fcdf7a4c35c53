//! The command `compare`: servers and dialects in turn, under the same load.
//!
//! Every run has a fresh server process. Those that are compared take turns, and each round begins with another, so
//! that whatever else the machine does falls on all. The tables have medians.

pub(crate) mod counted;
mod entry;
pub(crate) mod launch;
pub(crate) mod machine;
mod table;
mod workload;

use clap::ValueEnum;

use crate::arguments::Compare;
use crate::error::LoadError;

use launch::Programs;
use table::Table;

pub(crate) use entry::{Entry, Group};
pub(crate) use table::Spread;
pub(crate) use workload::{Figure, Figures, Workload, figure, note};

/// Runs what the command line asks for and prints the tables.
pub(crate) fn run(arguments: &Compare) -> Result<(), LoadError> {
    let programs = Programs::find(&arguments.programs)?;
    let workloads: &[Workload] =
        if arguments.only.is_empty() { Workload::value_variants() } else { &arguments.only };
    println!("{}", machine::describe(arguments)?);
    for group in [Group::Servers, Group::Dialects] {
        let mut of_group = workloads.iter().filter(|workload| workload.group() == group).peekable();
        if of_group.peek().is_some() {
            println!("{}", Table::head(group));
        }
        for &workload in of_group {
            let table = measure(workload, arguments, &programs)?;
            print!("{table}");
        }
        println!();
    }
    println!("Load average at the end: {}.", machine::load_average()?);
    Ok(())
}

/// All runs of one workload.
fn measure(workload: Workload, arguments: &Compare, programs: &Programs) -> Result<Table, LoadError> {
    let entries = workload.group().entries();
    let mut runs = vec![Vec::new(); entries.len()];
    for run in 0..arguments.runs {
        for place in (0..entries.len()).map(|place| (place + run) % entries.len()) {
            let entry = entries[place];
            if !workload.is_run_by(entry) {
                continue;
            }
            let server = programs.start(entry.contender(), arguments.threads, workload.is_tls())?;
            let figures = workload.run(entry, &server, arguments.seconds)?;
            let first = figures.first().map(|figure| format!("{} {:.3}", figure.name, figure.value));
            eprintln!("{}, run {}, {entry:?}: {}", workload.title(), run + 1, first.unwrap_or_default());
            runs[place].push(figures);
        }
    }
    Ok(Table::new(workload.title(), &runs))
}
