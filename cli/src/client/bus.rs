//! `bus`: messages go out and come in.

use petasus::Overflow;
use petasus::protocol::Role;

use super::line::{Line, Purpose, endpoint};
use super::receive::ended;
use super::{
    BusArgs, End, Interrupts, error::ClientError, input::Input, output::Output, source::Source,
    until_interrupted,
};

/// Runs the command.
pub(super) async fn run(args: &BusArgs) -> Result<(), ClientError> {
    let mut interrupts = Interrupts::install()?;
    let endpoint = endpoint(Role::Bus, &args.topic)?;
    let single = args.message.is_some() || args.format.raw;
    let mut line = Line::open(&Purpose::endpoint(&args.wire, &endpoint, single))?;
    line.announce_later();
    let client = line.client();
    let mut join = client.bus(endpoint.topic.clone()).overflow(Overflow::Wait);
    if args.echo {
        join = join.echo();
    }
    let mut source = tokio::select! {
        bus = line.watch(join) => Source::Bus(bus?),
        () = interrupts.next() => return Ok(()),
    };
    line.announce();
    let mut input = Input::open(args.message.as_deref(), args.format.raw);
    let mut output = Output::new(&args.topic, args.format, args.count);
    let talk = talk(&mut line, &mut source, &mut input, &mut output, args.count);
    let end = until_interrupted(&mut interrupts, talk).await?;
    if end == End::Interrupted || output.is_done() {
        let _ = interrupts.patiently(line.drain()).await;
        return Ok(());
    }
    // The input is at its end. What arrives before the broker's answer, such as our own echo, is still printed.
    let leave = async {
        let (drained, rest) = tokio::join!(line.drain(), print_rest(&mut source, &mut output));
        rest.and(drained)
    };
    until_interrupted(&mut interrupts, leave).await?;
    Ok(())
}

/// Until the count is reached or, without a count, until the input ends.
async fn talk(
    line: &mut Line,
    source: &mut Source,
    input: &mut Input,
    output: &mut Output,
    count: Option<u64>,
) -> Result<(), ClientError> {
    let mut sending = true;
    while !output.is_done() && (sending || count.is_some()) {
        tokio::select! {
            message = input.next(), if sending => match message? {
                Some(message) => line.watch(source.send(message)).await?,
                None => sending = false,
            },
            received = source.next() => match received {
                Some(received) => output.print(received, source).await?,
                None => return Err(ended(line, source)),
            },
            lost = line.lost() => return Err(lost),
        }
    }
    Ok(())
}

async fn print_rest(source: &mut Source, output: &mut Output) -> Result<(), ClientError> {
    while let Some(received) = source.next().await {
        output.print(received, source).await?;
    }
    Ok(())
}
