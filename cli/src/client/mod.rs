//! The client commands: `pub`, `sub`, `bus` and `pull`, each one WebSocket on one topic, and `push`, which posts.

mod bus;
mod clock;
mod connect;
mod error;
mod input;
mod link;
mod output;
mod post;
mod receive;
mod send;
mod tls;

use std::{future::Future, path::PathBuf};

use petasus_protocol::Role;
use tokio::signal::unix::{Signal, SignalKind, signal};

use self::{error::ClientError, link::Link};
use crate::Failure;

/// Where the broker is and how to knock.
#[derive(clap::Args)]
pub(crate) struct ServerArgs {
    /// URL of the broker: ws://HOST:PORT or wss://HOST:PORT, also with a path before the topic; http:// and https://
    /// are the same
    #[arg(long, value_name = "URL", env = "PETASUS_URL", default_value = "ws://127.0.0.1:3000")]
    server: String,
    /// Origin to name, for a broker with `allow_origin`
    #[arg(long, value_name = "URL")]
    origin: Option<String>,
    /// Header to send with the handshake, or with each message that is pushed; may be repeated
    #[arg(long = "header", value_name = "'NAME: VALUE'")]
    headers: Vec<String>,
    /// PEM file with the root certificates to trust instead of the system's
    #[arg(long, value_name = "FILE")]
    ca: Option<PathBuf>,
    /// Say on standard error when the connection stands, and how many pushed messages were handed and held
    #[arg(short, long)]
    verbose: bool,
}

/// Arguments of `pub` and `push`.
#[derive(clap::Args)]
pub(crate) struct SendArgs {
    /// Topic, as in news/sport
    topic: String,
    /// Message to send; without it, each line of standard input is one
    message: Option<String>,
    /// Send the whole of standard input as one message, as binary if it is not UTF-8
    #[arg(long)]
    raw: bool,
    /// Stop after that many messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Arguments of `sub` and `pull`.
#[derive(clap::Args)]
pub(crate) struct ReceiveArgs {
    /// Topic, as in news/sport
    topic: String,
    #[command(flatten)]
    format: FormatArgs,
    /// Stop after that many messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    #[command(flatten)]
    server: ServerArgs,
}

/// Arguments of `bus`.
#[derive(clap::Args)]
pub(crate) struct BusArgs {
    /// Topic, as in news/sport
    topic: String,
    /// Message to send; without it, each line of standard input is one. At its end the bus is left, unless --count
    /// asks for messages that are still to come
    message: Option<String>,
    #[command(flatten)]
    format: FormatArgs,
    /// Stop after that many messages received
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Receive one's own messages too
    #[arg(long)]
    echo: bool,
    #[command(flatten)]
    server: ServerArgs,
}

/// How messages are printed: by default one line each, binary ones as base64.
#[derive(clap::Args, Clone, Copy)]
pub(crate) struct FormatArgs {
    /// Print payloads as they are, binary ones too, and add no newline; for `bus` also: the whole of standard input
    /// is one message
    #[arg(long, conflicts_with = "json")]
    raw: bool,
    /// Print a JSON object per line: topic, time (RFC 3339, UTC), kind (text or binary), payload (binary: base64)
    #[arg(long)]
    json: bool,
}

/// `petasus pub`
pub(crate) fn publish(args: &SendArgs) -> Result<(), Failure> {
    run(send::run(args))
}

/// `petasus push`
pub(crate) fn push(args: &SendArgs) -> Result<(), Failure> {
    run(post::run(args))
}

/// `petasus sub`
pub(crate) fn subscribe(args: &ReceiveArgs) -> Result<(), Failure> {
    run(receive::run(Role::Sub, args))
}

/// `petasus pull`
pub(crate) fn pull(args: &ReceiveArgs) -> Result<(), Failure> {
    run(receive::run(Role::Pull, args))
}

/// `petasus bus`
pub(crate) fn bus(args: &BusArgs) -> Result<(), Failure> {
    run(bus::run(args))
}

fn run(command: impl Future<Output = Result<(), ClientError>>) -> Result<(), Failure> {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(Failure::local)?;
    let outcome = runtime.block_on(command);
    // A read of standard input or a write to a stalled reader must not keep the process.
    runtime.shutdown_background();
    match outcome {
        Ok(()) | Err(ClientError::OutputClosed) => Ok(()),
        Err(error) => Err(Failure { text: error.to_string(), code: error.exit_code() }),
    }
}

/// Ctrl-C and SIGTERM, which end a client command in good order.
struct Interrupts {
    interrupt: Signal,
    terminate: Signal,
    /// How many there were.
    seen: usize,
}

impl Interrupts {
    fn install() -> Result<Self, ClientError> {
        let install = |kind| signal(kind).map_err(ClientError::Signals);
        let (interrupt, terminate) = (install(SignalKind::interrupt())?, install(SignalKind::terminate())?);
        Ok(Self { interrupt, terminate, seen: 0 })
    }

    /// Awaits the next one.
    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
        self.seen += 1;
    }

    /// Awaits the second one since the start; the first may have come already.
    async fn second(&mut self) {
        while self.seen < 2 {
            self.next().await;
        }
    }
}

/// What made a conversation end without an error.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    /// Everything was done.
    Done,
    /// Ctrl-C or SIGTERM.
    Interrupted,
}

/// Awaits the conversation or an interrupt, whichever is first.
async fn until_interrupted(
    interrupts: &mut Interrupts,
    conversation: impl Future<Output = Result<(), ClientError>>,
) -> Result<End, ClientError> {
    tokio::select! {
        outcome = conversation => outcome.map(|()| End::Done),
        () = interrupts.next() => Ok(End::Interrupted),
    }
}

/// Closes the connection; a second interrupt does not wait for the broker's answer.
async fn close(link: &mut Link, interrupts: &mut Interrupts) -> Result<(), ClientError> {
    tokio::select! {
        outcome = link.close() => outcome,
        () = interrupts.second() => std::process::exit(130),
    }
}
