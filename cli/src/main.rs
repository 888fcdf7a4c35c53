//! The `petasus` command: the broker, its configuration, and small clients for the shell.

mod broker;
mod client;
mod logging;
mod open_files;
mod settings;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A WebSocket message broker and its clients. Without a command: the broker in development mode.
#[derive(Parser)]
#[command(name = "petasus", version, after_help = EXIT_CODES)]
struct Cli {
    #[command(subcommand)]
    command: Option<Command>,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done; 1 a file, an address or the configuration can not be used; 2 wrong arguments; \
3 no connection; 4 the broker refused; 5 the connection was lost; 130 interrupted twice.";

#[derive(Subcommand)]
enum Command {
    /// Run the broker
    Broker(broker::Args),
    /// Check the configuration and say OK, or every problem
    Check(settings::CheckArgs),
    /// Print every configuration key with type, default and meaning
    ConfigDoc,
    /// Publish messages to the subscribers of a topic
    Pub(client::SendArgs),
    /// Print the messages of a topic and of the topics below it
    Sub(client::ReceiveArgs),
    /// Talk to the other peers of a bus: standard input to them, their messages to standard output
    Bus(client::BusArgs),
    /// Put messages on a queue; each goes to one puller
    ///
    /// Each message is posted and its answer awaited. The first that is not taken, for example because nobody pulls,
    /// ends the command with exit code 4; standard error says which it was, why, and how many were taken before it.
    /// One that the broker holds for a puller counts as taken.
    Push(client::SendArgs),
    /// Take messages from a queue, in turn with its other pullers
    Pull(client::ReceiveArgs),
    /// Call a procedure and print its result (WAMP)
    Call(client::CallArgs),
    /// Offer a procedure that answers each call with its arguments, to try things out (WAMP)
    ///
    /// With --verbose the arguments of each call are printed, one line each.
    RegisterEcho(client::EchoArgs),
    /// Measure how many messages a broker takes, and how long they take
    Bench(client::BenchArgs),
    /// Show sessions, subscriptions and registrations of a realm, and how fast they change (WAMP)
    Top(client::TopArgs),
}

/// What a command ends with unless all went well.
struct Failure {
    /// For standard error; empty says nothing.
    text: String,
    /// The exit code.
    code: u8,
}

impl Failure {
    /// Something on this machine can not be used.
    fn local(error: impl std::fmt::Display) -> Self {
        Self { text: error.to_string(), code: 1 }
    }
}

fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        None => broker::run(&broker::Args::default(), true),
        Some(Command::Broker(args)) => broker::run(&args, false),
        Some(Command::Check(args)) => settings::check(&args),
        Some(Command::ConfigDoc) => settings::print(&petasus_broker::config::reference()),
        Some(Command::Pub(args)) => client::publish(&args),
        Some(Command::Sub(args)) => client::subscribe(&args),
        Some(Command::Bus(args)) => client::bus(&args),
        Some(Command::Push(args)) => client::push(&args),
        Some(Command::Pull(args)) => client::pull(&args),
        Some(Command::Call(args)) => client::call(&args),
        Some(Command::RegisterEcho(args)) => client::echo(&args),
        Some(Command::Bench(args)) => client::bench(&args),
        Some(Command::Top(args)) => client::top(&args),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(Failure { text, code }) => {
            for line in text.lines() {
                eprintln!("petasus: {line}");
            }
            ExitCode::from(code)
        }
    }
}
