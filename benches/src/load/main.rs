//! `petasus-load`: loads a WebSocket message broker and says what it did.
//!
//! The path of a run: [`lineup`] connects the clients of a [`fleet`]; [`drive`] sends at a [`pace`] and lets the
//! [`judge`] hear what arrives; [`report`] prints. The server's cost is read from outside, by [`server`].

mod arguments;
mod churn;
mod client;
mod clients;
mod clock;
mod compare;
mod drive;
mod error;
mod fleet;
mod idle;
mod instructions;
mod judge;
mod latency;
mod lineup;
mod pace;
mod report;
mod rpc;
mod server;
mod slow;
mod stamp;
mod target;
mod traffic;
mod transport;
mod wamp;
mod wire;

use std::process::ExitCode;

use clap::Parser;
use serde::Serialize;

use arguments::{Arguments, Mode, Traffic};
use error::LoadError;
use report::{Line, Report};
use traffic::Pacing;

fn main() -> ExitCode {
    match run(Arguments::parse().mode) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("petasus-load: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(mode: Mode) -> Result<(), LoadError> {
    match mode {
        Mode::Paced { rate, traffic } => {
            let report = traffic::run(&traffic, Pacing::Rate(rate))?;
            print(&traffic, &report, &[], &Report::lines(&[&report]));
        }
        Mode::Closed { window, traffic } => {
            let report = traffic::run(&traffic, Pacing::Window(window))?;
            print(&traffic, &report, &[], &Report::lines(&[&report]));
        }
        Mode::Slow { rate, slow, receive_buffer, traffic } => {
            let report = slow::run(&traffic, rate, slow, receive_buffer)?;
            print(&traffic, &report, &["without", "with slow ones"], &report.lines());
        }
        Mode::Churn { rate, cycles, at_once, traffic } => {
            let report = churn::run(&traffic, rate, cycles, at_once)?;
            print(&traffic, &report, &[], &report.lines());
        }
        Mode::Idle { url, connections, seconds, topics, reach } => {
            let report = idle::run(&url, connections, topics, arguments::seconds(seconds)?, &reach)?;
            if reach.json {
                report::print_json(&report);
            } else {
                report::print_table(&[], &report.lines());
            }
        }
        Mode::Compare(arguments) => compare::run(&arguments)?,
        Mode::Instructions(arguments) => instructions::run(&arguments)?,
        Mode::Rpc(arguments) => rpc::run(&arguments)?,
        Mode::Clients(arguments) => clients::run(&arguments)?,
        Mode::Part(part) => clients::play(&part)?,
    }
    Ok(())
}

fn print(traffic: &Traffic, report: &impl Serialize, head: &[&str], lines: &[Line]) {
    if traffic.reach.json {
        return report::print_json(report);
    }
    println!(
        "{} publishers, {} subscribers, {} topics, {} bytes, {} s",
        traffic.publishers, traffic.subscribers, traffic.topics, traffic.size, traffic.seconds
    );
    report::print_table(head, lines);
}
