//! The command `instructions`: how many instructions servers execute for what they do, counted by callgrind.
//!
//! A count is the same on a busy machine as on a quiet one. It covers the server's own code and its libraries, not the
//! kernel.

mod crowd;
mod delivery;

use clap::ValueEnum;

use crate::arguments::Instructions as Arguments;
use crate::compare::Group;
use crate::compare::launch::Programs;
use crate::error::LoadError;

/// What is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Count {
    /// A delivery of a fan-out, beside the tokio-tungstenite peer.
    Servers,
    /// A delivery of a fan-out, WAMP beside Mercury.
    Dialects,
    /// A WAMP publish to one subscriber, among few and many other subscriptions.
    Crowd,
}

/// Counts, and prints Markdown tables.
pub(crate) fn run(arguments: &Arguments) -> Result<(), LoadError> {
    let programs = Programs::find(&arguments.programs)?;
    let counts: &[Count] = if arguments.only.is_empty() { Count::value_variants() } else { &arguments.only };
    for count in counts {
        match count {
            Count::Servers => delivery::run(&programs, Group::Servers)?,
            Count::Dialects => delivery::run(&programs, Group::Dialects)?,
            Count::Crowd => crowd::run(&programs)?,
        }
        println!();
    }
    Ok(())
}
