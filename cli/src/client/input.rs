//! Messages from the command line or from standard input.

use std::io::{self, BufRead, IsTerminal, Read};

use petasus::protocol::Message;
use tokio::sync::mpsc;

use super::error::ClientError;

/// Lines read ahead of the network.
const AHEAD: usize = 64;

/// Where the messages to send come from.
pub(super) struct Input {
    messages: mpsc::Receiver<io::Result<Message>>,
}

impl Input {
    /// The one message of the command line, or else standard input: each line a message, or with `raw` all of it.
    pub(super) fn open(message: Option<&str>, raw: bool) -> Self {
        let (sender, messages) = mpsc::channel(AHEAD);
        if let Some(text) = message {
            sender
                .try_send(Ok(to_message(text.as_bytes().to_vec())))
                .expect("the channel has room and a receiver");
            return Self { messages };
        }
        if io::stdin().is_terminal() && io::stderr().is_terminal() {
            eprintln!(
                "petasus: write {}; Ctrl-D ends",
                if raw { "one message" } else { "one message a line" }
            );
        }
        // A thread of its own, because a read of standard input can not be given up: it ends with the process.
        std::thread::spawn(move || {
            let outcome = if raw { read_all(&sender) } else { read_lines(&sender) };
            if let Err(error) = outcome {
                // Without a receiver nobody wants to know.
                let _ = sender.blocking_send(Err(error));
            }
        });
        Self { messages }
    }

    /// The next message, or `None` after the last. Can be dropped and called again.
    pub(super) async fn next(&mut self) -> Result<Option<Message>, ClientError> {
        self.messages.recv().await.transpose().map_err(ClientError::Input)
    }
}

fn read_all(messages: &mpsc::Sender<io::Result<Message>>) -> io::Result<()> {
    let mut bytes = Vec::new();
    io::stdin().lock().read_to_end(&mut bytes)?;
    let _ = messages.blocking_send(Ok(to_message(bytes)));
    Ok(())
}

fn read_lines(messages: &mpsc::Sender<io::Result<Message>>) -> io::Result<()> {
    let mut stdin = io::stdin().lock();
    loop {
        let mut line = Vec::new();
        if stdin.read_until(b'\n', &mut line)? == 0 {
            return Ok(());
        }
        line.pop_if(|byte| *byte == b'\n');
        if messages.blocking_send(Ok(to_message(line))).is_err() {
            return Ok(());
        }
    }
}

/// Text if it is UTF-8, else binary.
fn to_message(bytes: Vec<u8>) -> Message {
    match String::from_utf8(bytes) {
        Ok(text) => Message::assume_text(text),
        Err(error) => Message::binary(error.into_bytes()),
    }
}
