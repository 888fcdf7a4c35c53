//! The harness as a program.
//!
//! Exit status: 0 conformant, 1 a failure or an expectation out of date, 2 wrong usage, 3 it could not be found out,
//! 4 nothing was tried.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod doctor;
mod explain;
#[cfg(feature = "mutants")]
mod mutants;
mod replay;
mod run;
mod target;

/// Holds a message broker against the requirements, and shows the smallest case of each that does not hold.
#[derive(Parser)]
#[command(version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run the checks against a broker.
    Run(run::Args),
    /// Run the script of a replay token again.
    Replay(replay::Args),
    /// Measure a broker's pace, and say what would be tried.
    Doctor(doctor::Args),
    /// Say what a requirement, a check or a replay token is.
    Explain(explain::Args),
    /// Show that each check can fail: the kill matrix.
    #[cfg(feature = "mutants")]
    Mutants(mutants::Args),
}

fn main() -> ExitCode {
    let told = match Cli::parse().command {
        Command::Run(args) => run::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Doctor(args) => doctor::run(args),
        Command::Explain(args) => explain::run(&args),
        #[cfg(feature = "mutants")]
        Command::Mutants(args) => mutants::run(&args),
    };
    match told {
        Ok(status) => ExitCode::from(status),
        Err(problem) => {
            eprintln!("petasus-conformance: {problem}");
            ExitCode::from(2)
        }
    }
}
