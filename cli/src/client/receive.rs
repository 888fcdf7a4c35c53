//! `sub` and `pull`: messages come in, nothing goes out.

use petasus::Overflow;
use petasus::protocol::Role;

use super::line::{Line, Purpose, endpoint};
use super::{Interrupts, ReceiveArgs, error::ClientError, output::Output, source::Source, until_interrupted};

/// Runs the command until it has its count, is interrupted, or loses the connection.
pub(super) async fn run(role: Role, args: &ReceiveArgs) -> Result<(), ClientError> {
    let mut interrupts = Interrupts::install()?;
    let endpoint = endpoint(role, &args.topic)?;
    let mut line = Line::open(&Purpose::endpoint(&args.wire, &endpoint, true))?;
    line.announce_later();
    let mut output = Output::new(&args.topic, args.format, args.count);
    let conversation = async {
        let client = line.client();
        let mut source = match role {
            Role::Pull => Source::Queue(line.watch(client.pull(endpoint.topic.clone())).await?),
            // A slow reader of standard output slows the broker down, which has a bound for that.
            _ => Source::Topic(
                line.watch(client.subscribe(endpoint.topic.clone()).overflow(Overflow::Wait)).await?,
            ),
        };
        line.announce();
        receive_all(&mut line, &mut source, &mut output).await
    };
    let outcome = until_interrupted(&mut interrupts, conversation).await;
    if matches!(outcome, Ok(_) | Err(ClientError::OutputClosed)) {
        interrupts.patiently(line.close()).await;
    }
    outcome.map(|_| ())
}

async fn receive_all(line: &mut Line, source: &mut Source, output: &mut Output) -> Result<(), ClientError> {
    while !output.is_done() {
        let received = tokio::select! {
            biased;
            received = source.next() => received,
            lost = line.lost() => return Err(lost),
        };
        match received {
            Some(received) => output.print(received, source).await?,
            None => return Err(ended(line, source)),
        }
    }
    Ok(())
}

/// Why nothing more comes.
pub(super) fn ended(line: &Line, source: &Source) -> ClientError {
    match source.error() {
        Some(error) => line.explain(error),
        None => ClientError::Lost("the broker ended it".to_owned()),
    }
}
