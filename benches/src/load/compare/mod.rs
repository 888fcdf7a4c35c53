//! The command `compare`: Petasus and the tuned tokio-tungstenite peer, in turn, under the same load.
//!
//! Every run has a fresh server process. The two servers take turns, and the first of a pair is the second of the
//! next, so that whatever else the machine does falls on both. The table has medians.

pub(crate) mod launch;
mod machine;
mod table;
mod workload;

use clap::ValueEnum;

use crate::arguments::Compare;
use crate::error::LoadError;

use launch::{Contender, Programs};
use table::Table;
use workload::Figures;

pub(crate) use workload::Workload;

/// Runs what the command line asks for and prints the table.
pub(crate) fn run(arguments: &Compare) -> Result<(), LoadError> {
    let programs = Programs::find(&arguments.programs)?;
    let workloads: &[Workload] =
        if arguments.only.is_empty() { Workload::value_variants() } else { &arguments.only };
    println!("{}", machine::describe(arguments)?);
    println!("{}", Table::HEAD);
    for &workload in workloads {
        let table = measure(workload, arguments, &programs)?;
        print!("{table}");
    }
    println!("\nLoad average at the end: {}.", machine::load_average()?);
    Ok(())
}

/// All runs of one workload.
fn measure(workload: Workload, arguments: &Compare, programs: &Programs) -> Result<Table, LoadError> {
    let mut ours = Vec::new();
    let mut peers = Vec::new();
    for run in 0..arguments.runs {
        let mut order = [Contender::Petasus, Contender::Tungstenite];
        if run % 2 == 1 {
            order.reverse();
        }
        for contender in order.into_iter().filter(|contender| workload.is_run_by(*contender)) {
            let figures = measure_once(workload, contender, arguments, programs)?;
            let first = figures.first().map(|figure| format!("{} {:.3}", figure.name, figure.value));
            eprintln!("{}, run {}, {contender:?}: {}", workload.title(), run + 1, first.unwrap_or_default());
            match contender {
                Contender::Petasus => ours.push(figures),
                Contender::Tungstenite => peers.push(figures),
            }
        }
    }
    Ok(Table::new(workload, &ours, &peers))
}

fn measure_once(
    workload: Workload,
    contender: Contender,
    arguments: &Compare,
    programs: &Programs,
) -> Result<Figures, LoadError> {
    let server = programs.start(contender, arguments.threads, workload.is_tls())?;
    workload.run(&server, arguments.seconds)
}
