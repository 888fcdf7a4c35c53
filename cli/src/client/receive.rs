//! `sub` and `pull`: messages come in, nothing goes out.

use petasus_protocol::Role;

use super::{
    End, Interrupts, ReceiveArgs, close, connect::connect, error::ClientError, link::Link, output::Output,
    until_interrupted,
};

/// Runs the command until it has its count, is interrupted, or loses the connection.
pub(super) async fn run(role: Role, args: &ReceiveArgs) -> Result<(), ClientError> {
    let mut interrupts = Interrupts::install()?;
    let mut link = connect(&args.server, role, &args.topic, false).await?;
    let mut output = Output::new(&args.topic, args.format, args.count);
    let outcome = until_interrupted(&mut interrupts, receive_all(&mut link, &mut output)).await;
    if matches!(outcome, Ok(_) | Err(ClientError::OutputClosed)) {
        // Everything wanted is here: what becomes of the connection changes nothing.
        let _ = close(&mut link, &mut interrupts).await;
    }
    outcome.map(|_: End| ())
}

async fn receive_all(link: &mut Link, output: &mut Output) -> Result<(), ClientError> {
    while !output.is_done() {
        match link.next().await? {
            Some(message) => output.print(&message, link).await?,
            None => return Ok(()),
        }
    }
    Ok(())
}
