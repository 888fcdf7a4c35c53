//! Messages to standard output.

use std::io;

use data_encoding::BASE64;
use petasus_protocol::Message;
use serde::Serialize;
use tokio::io::{AsyncWriteExt, Stdout};

use super::{FormatArgs, clock, error::ClientError, link::Link};

/// Bytes collected before they are written although more messages are there.
const BATCH: usize = 64 * 1024;

/// Prints messages in one of the three forms.
pub(super) struct Output {
    topic: String,
    format: FormatArgs,
    /// Messages still wanted; `None` is all.
    wanted: Option<u64>,
    stdout: Stdout,
    /// Bytes to write.
    batch: Vec<u8>,
}

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    topic: &'a str,
    time: String,
    kind: &'a str,
    payload: &'a str,
}

impl Output {
    pub(super) fn new(topic: &str, format: FormatArgs, wanted: Option<u64>) -> Self {
        let stdout = tokio::io::stdout();
        Self { topic: topic.to_owned(), format, wanted, stdout, batch: Vec::new() }
    }

    /// Prints this message and those that have arrived behind it, in one write. Stops at the wanted count.
    pub(super) async fn print(&mut self, message: &Message, link: &mut Link) -> Result<(), ClientError> {
        self.add(message)?;
        let mut trouble = None;
        while !self.is_done() && self.batch.len() < BATCH {
            match link.next_ready() {
                Ok(Some(message)) => self.add(&message)?,
                Ok(None) => break,
                // What came before it is printed first.
                Err(error) => {
                    trouble = Some(error);
                    break;
                }
            }
        }
        self.write().await?;
        trouble.map_or(Ok(()), Err)
    }

    /// Whether all wanted messages are printed.
    pub(super) fn is_done(&self) -> bool {
        self.wanted == Some(0)
    }

    fn add(&mut self, message: &Message) -> Result<(), ClientError> {
        self.wanted = self.wanted.map(|wanted| wanted.saturating_sub(1));
        let encoded = || BASE64.encode(message.payload());
        match (self.format, message.as_str()) {
            (FormatArgs { raw: true, .. }, _) => {
                self.batch.extend_from_slice(message.payload());
                return Ok(());
            }
            (FormatArgs { json: true, .. }, Some(text)) => self.add_json("text", text)?,
            (FormatArgs { json: true, .. }, None) => self.add_json("binary", &encoded())?,
            (_, Some(text)) => self.batch.extend_from_slice(text.as_bytes()),
            (_, None) => self.batch.extend_from_slice(encoded().as_bytes()),
        }
        self.batch.push(b'\n');
        Ok(())
    }

    fn add_json(&mut self, kind: &str, payload: &str) -> Result<(), ClientError> {
        let line = Line { topic: &self.topic, time: clock::now(), kind, payload };
        serde_json::to_writer(&mut self.batch, &line).map_err(|error| ClientError::Output(error.into()))
    }

    async fn write(&mut self) -> Result<(), ClientError> {
        let written = async {
            self.stdout.write_all(&self.batch).await?;
            self.stdout.flush().await
        };
        let outcome = written.await;
        self.batch.clear();
        outcome.map_err(|error| match error.kind() {
            io::ErrorKind::BrokenPipe => ClientError::OutputClosed,
            _ => ClientError::Output(error),
        })
    }
}
