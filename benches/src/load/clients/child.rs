//! A client process of a run, seen from the process that started it.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child as Process, ChildStdin, ChildStdout, Command, Stdio};

use crate::error::LoadError;

use super::console::{Order, READY};
use super::part::Part;
use super::tally::Tally;

/// A running part; ended when dropped.
pub(super) struct Child {
    process: Process,
    input: ChildStdin,
    output: BufReader<ChildStdout>,
    what: String,
}

impl Child {
    /// Starts this program again to play `part`, and waits until it is connected.
    pub(super) fn start(part: &Part) -> Result<Self, LoadError> {
        let what = format!("{} as {:?}", part.contestant.title(), part.role);
        let mut process = Command::new(std::env::current_exe()?)
            .args(part.arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let missing = || LoadError::Options("a child process has no standard streams");
        let input = process.stdin.take().ok_or_else(missing)?;
        let output = BufReader::new(process.stdout.take().ok_or_else(missing)?);
        let mut child = Self { process, input, output, what };
        let line = child.line()?;
        if line.trim() == READY { Ok(child) } else { Err(child.failed(&line)) }
    }

    /// Tells it something.
    pub(super) fn order(&mut self, order: Order) -> Result<(), LoadError> {
        Ok(self.input.write_all(order.line().as_bytes())?)
    }

    /// Waits for its count.
    pub(super) fn tally(&mut self) -> Result<Tally, LoadError> {
        let line = self.line()?;
        serde_json::from_str(&line).map_err(|_| self.failed(&line))
    }

    fn line(&mut self) -> Result<String, LoadError> {
        let mut line = String::new();
        self.output.read_line(&mut line)?;
        Ok(line)
    }

    /// What it wrote to standard error says why.
    fn failed(&self, line: &str) -> LoadError {
        let why = format!("it said {line:?}, and above why");
        LoadError::Launch { program: self.what.clone(), why }
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
