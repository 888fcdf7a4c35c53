//! `register-echo`: answers each call, or job, with what it carries.

use petasus::protocol::{Role, Topic};
use petasus::{Error, Message};

use super::call::{carried, print_line, value};
use super::line::{Line, Purpose, endpoint};
use super::{EchoArgs, Interrupts, error::ClientError, until_interrupted};

/// Jobs that are taken at one time.
const JOBS: u32 = 64;

/// Runs the command until it is interrupted or loses the connection.
pub(super) async fn run(args: &EchoArgs) -> Result<(), ClientError> {
    let mut interrupts = Interrupts::install()?;
    let purpose = Purpose { reconnect: args.reconnect, ..Purpose::wamp(&args.server) };
    let mut line = Line::open(&purpose)?;
    line.announce_later();
    let serve = async {
        if args.queue {
            let endpoint = endpoint(Role::Pull, &args.procedure)?;
            answer_jobs(&mut line, &endpoint.topic, args.server.verbose).await
        } else {
            answer_calls(&mut line, &args.procedure, args.server.verbose).await
        }
    };
    let outcome = until_interrupted(&mut interrupts, serve).await;
    if matches!(outcome, Ok(_) | Err(ClientError::OutputClosed)) {
        // Who called is answered first.
        let _ = interrupts.patiently(line.drain()).await;
    }
    outcome.map(|_| ())
}

async fn answer_calls(line: &mut Line, procedure: &str, verbose: bool) -> Result<(), ClientError> {
    let client = line.client();
    let mut calls = line.watch(client.register(procedure)).await?;
    line.announce();
    loop {
        let call = tokio::select! {
            call = calls.next() => call,
            lost = line.lost() => return Err(lost),
        };
        let Some(call) = call else { return Err(ended(line, calls.error())) };
        tell(&call, verbose)?;
        let content = call.content().clone();
        answered(line, call.reply(content).await)?;
    }
}

async fn answer_jobs(line: &mut Line, queue: &Topic, verbose: bool) -> Result<(), ClientError> {
    let client = line.client();
    let mut jobs = line.watch(client.pull(queue).concurrency(JOBS)).await?;
    line.announce();
    loop {
        let job = tokio::select! {
            job = jobs.next() => job,
            lost = line.lost() => return Err(lost),
        };
        let Some(job) = job else { return Err(ended(line, jobs.error())) };
        tell(&job, verbose)?;
        let content = job.content().clone();
        answered(line, job.complete_with(content).await)?;
    }
}

fn tell(message: &Message, verbose: bool) -> Result<(), ClientError> {
    if !verbose {
        return Ok(());
    }
    let (args, kwargs) = carried(message)?;
    print_line(&value(args, kwargs).to_string())
}

/// Nobody waits for some answers any more, which is no reason to end.
fn answered(line: &Line, outcome: Result<(), Error>) -> Result<(), ClientError> {
    match outcome {
        Ok(()) | Err(Error::Stale) => Ok(()),
        Err(error) => Err(line.explain(error)),
    }
}

fn ended(line: &Line, error: Option<Error>) -> ClientError {
    error.map_or_else(
        || ClientError::Lost("the router ended the registration".to_owned()),
        |error| line.explain(error),
    )
}
