//! The client commands. Each is a client of the crate `petasus`, with its input and output.

mod arguments;
mod bench;
mod bus;
mod call;
mod clock;
mod echo;
mod error;
mod input;
mod line;
mod output;
mod publish;
mod push;
mod receive;
mod source;
mod top;

use std::future::Future;

use petasus::protocol::Role;
use tokio::signal::unix::{Signal, SignalKind, signal};

pub(crate) use self::arguments::{BenchArgs, BusArgs, CallArgs, EchoArgs, ReceiveArgs, SendArgs, TopArgs};
use self::error::ClientError;
use crate::Failure;

/// `petasus pub`
pub(crate) fn publish(args: &SendArgs) -> Result<(), Failure> {
    run(publish::run(args))
}

/// `petasus push`
pub(crate) fn push(args: &SendArgs) -> Result<(), Failure> {
    run(push::run(args))
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

/// `petasus call`
pub(crate) fn call(args: &CallArgs) -> Result<(), Failure> {
    run(call::run(args))
}

/// `petasus register-echo`
pub(crate) fn echo(args: &EchoArgs) -> Result<(), Failure> {
    run(echo::run(args))
}

/// `petasus bench`
pub(crate) fn bench(args: &BenchArgs) -> Result<(), Failure> {
    run_on(tokio::runtime::Builder::new_multi_thread(), bench::run(args))
}

/// `petasus top`
pub(crate) fn top(args: &TopArgs) -> Result<(), Failure> {
    run(top::run(args))
}

fn run(command: impl Future<Output = Result<(), ClientError>>) -> Result<(), Failure> {
    run_on(tokio::runtime::Builder::new_current_thread(), command)
}

fn run_on(
    mut runtime: tokio::runtime::Builder,
    command: impl Future<Output = Result<(), ClientError>>,
) -> Result<(), Failure> {
    let runtime = runtime.enable_all().build().map_err(Failure::local)?;
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

    /// Awaits the end of something; a second interrupt ends the process without it.
    async fn patiently<T>(&mut self, last: impl Future<Output = T>) -> T {
        tokio::select! {
            outcome = last => outcome,
            () = self.second() => std::process::exit(130),
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
