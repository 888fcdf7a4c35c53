//! Messages to standard output.

use std::io;

use data_encoding::BASE64;
use petasus::Message;
use serde::Serialize;
use tokio::io::{AsyncWriteExt, Stdout};

use super::arguments::FormatArgs;
use super::clock;
use super::error::ClientError;
use super::source::{Received, Source};

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

    /// Prints this message and those that have arrived behind it, in one write, and then says that they are done.
    /// Stops at the wanted count.
    pub(super) async fn print(&mut self, first: Received, source: &mut Source) -> Result<(), ClientError> {
        let mut printed = Vec::new();
        let mut next = Some(first);
        while let Some(received) = next {
            self.add(received.message())?;
            printed.push(received);
            let more = !self.is_done() && self.batch.len() < BATCH;
            next = if more { source.next_ready() } else { None };
        }
        self.write().await?;
        for received in printed {
            received.done().await;
        }
        Ok(())
    }

    /// Whether all wanted messages are printed.
    pub(super) fn is_done(&self) -> bool {
        self.wanted == Some(0)
    }

    fn add(&mut self, message: &Message) -> Result<(), ClientError> {
        self.wanted = self.wanted.map(|wanted| wanted.saturating_sub(1));
        if self.format.raw {
            self.batch.extend_from_slice(&message.bytes());
            return Ok(());
        }
        let (kind, payload) = match message.text() {
            Some(text) => ("text", text),
            None => ("binary", BASE64.encode(&message.bytes()).into()),
        };
        if self.format.json {
            // Where the wire does not say it, it is the one that was asked for.
            let topic = message.topic().map_or(self.topic.as_str(), |topic| topic.as_str());
            let line = Line { topic, time: clock::now(), kind, payload: &payload };
            serde_json::to_writer(&mut self.batch, &line)
                .map_err(|error| ClientError::Output(error.into()))?;
        } else {
            self.batch.extend_from_slice(payload.as_bytes());
        }
        self.batch.push(b'\n');
        Ok(())
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
