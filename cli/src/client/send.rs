//! `pub`: messages go out, nothing comes back.

use petasus_protocol::{Message, Role};

use super::{
    Interrupts, SendArgs, close, connect::connect, error::ClientError, input::Input, link::Link,
    until_interrupted,
};

/// Runs the command. It returns after the broker has answered the close frame, which it does after the messages.
pub(super) async fn run(args: &SendArgs) -> Result<(), ClientError> {
    let mut interrupts = Interrupts::install()?;
    let mut link = connect(&args.server, Role::Pub, &args.topic, false).await?;
    let mut input = Input::open(args.message.as_deref(), args.raw);
    until_interrupted(&mut interrupts, send_all(&mut link, &mut input, args.count)).await?;
    close(&mut link, &mut interrupts).await
}

async fn send_all(link: &mut Link, input: &mut Input, count: Option<u64>) -> Result<(), ClientError> {
    let mut left = count.unwrap_or(u64::MAX);
    while left > 0 {
        tokio::select! {
            message = input.next() => match message? {
                Some(message) => send_batch(link, input, message, &mut left).await?,
                None => return Ok(()),
            },
            // Nothing is sent to publishers, but the end of the connection is seen here.
            message = link.next() => drop(message?),
        }
    }
    Ok(())
}

/// Sends this message and those that are ready behind it, in as few writes as possible.
async fn send_batch(
    link: &mut Link,
    input: &mut Input,
    first: Message,
    left: &mut u64,
) -> Result<(), ClientError> {
    let mut next = Some(first);
    while let Some(message) = next {
        link.feed(message).await?;
        *left -= 1;
        next = if *left > 0 { input.next_ready()? } else { None };
    }
    link.flush().await
}
