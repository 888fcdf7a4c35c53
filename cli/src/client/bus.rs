//! `bus`: messages go out and come in.

use petasus_protocol::Role;

use super::{
    BusArgs, End, Interrupts, close, connect::connect, error::ClientError, input::Input, link::Link,
    output::Output, until_interrupted,
};

/// Runs the command.
pub(super) async fn run(args: &BusArgs) -> Result<(), ClientError> {
    let mut interrupts = Interrupts::install()?;
    let mut link = connect(&args.server, Role::Bus, &args.topic, args.echo).await?;
    let mut input = Input::open(args.message.as_deref(), args.format.raw);
    let mut output = Output::new(&args.topic, args.format, args.count);
    let outcome =
        until_interrupted(&mut interrupts, talk(&mut link, &mut input, &mut output, args.count)).await?;
    if outcome == End::Interrupted || output.is_done() {
        let _ = close(&mut link, &mut interrupts).await;
        return Ok(());
    }
    // The input is at its end. What arrives before the broker's answer, such as our own echo, is still printed.
    link.start_close().await?;
    until_interrupted(&mut interrupts, receive_rest(&mut link, &mut output)).await?;
    Ok(())
}

/// Until the count is reached or, without a count, until the input ends.
async fn talk(
    link: &mut Link,
    input: &mut Input,
    output: &mut Output,
    count: Option<u64>,
) -> Result<(), ClientError> {
    let mut sending = true;
    while !output.is_done() && (sending || count.is_some()) {
        tokio::select! {
            message = input.next(), if sending => match message? {
                Some(message) => {
                    link.feed(message).await?;
                    link.flush().await?;
                }
                None => sending = false,
            },
            message = link.next() => match message? {
                Some(message) => output.print(&message, link).await?,
                None => return Ok(()),
            },
        }
    }
    Ok(())
}

async fn receive_rest(link: &mut Link, output: &mut Output) -> Result<(), ClientError> {
    while let Some(message) = link.next().await? {
        output.print(&message, link).await?;
    }
    Ok(())
}
