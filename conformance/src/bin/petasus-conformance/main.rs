//! The harness as a program.
//!
//! Exit status: 0 conformant, 1 a failure or an expectation out of date, 2 wrong usage, 3 it could not be found out,
//! 4 nothing was tried.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

mod doctor;
mod expect;
mod explain;
mod init;
#[cfg(feature = "mutants")]
mod mutants;
mod output;
mod place;
mod replay;
mod reports;
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
    /// Make pages and other forms of a report again.
    Report(reports::Args),
    /// Make one page of several reports, with a column for each broker.
    Matrix(reports::MatrixArgs),
    /// Print or write the expected failures that fit a report.
    Expect(expect::Args),
    /// Print the badge of a report, in the form that shields.io reads.
    Badge {
        /// What `run --report json=FILE` wrote.
        file: std::path::PathBuf,
    },
    /// Measure a broker's pace, and say what would be tried.
    Doctor(doctor::Args),
    /// Say what a requirement, a check or a replay token is.
    Explain(explain::Args),
    /// Write a conformance.toml to fill in.
    Init,
    /// Show that each check can fail: the kill matrix.
    #[cfg(feature = "mutants")]
    Mutants(mutants::Args),
}

fn main() -> ExitCode {
    let told = match Cli::parse().command {
        Command::Run(args) => run::run(args),
        Command::Replay(args) => replay::run(args),
        Command::Report(args) => reports::report(&args),
        Command::Matrix(args) => reports::matrix(&args),
        Command::Expect(args) => expect::run(&args),
        Command::Badge { file } => reports::badge(&file),
        Command::Doctor(args) => doctor::run(args),
        Command::Explain(args) => explain::run(&args),
        Command::Init => init::run(),
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
