//! How a process of a run and the one that started it talk: lines on the standard streams.
//!
//! The child says `ready`, waits for `go`, and says its [`Tally`] as JSON. What only listens is told with
//! `finish N` how many messages there were. A closed stream ends the child, so that none outlives its parent.

use std::io::{self, BufRead, Write};

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use crate::error::LoadError;

use super::tally::Tally;

/// What the parent says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// Begin.
    Go,
    /// So many messages were published.
    Finish(u64),
}

impl Order {
    /// As a line.
    pub(super) fn line(self) -> String {
        match self {
            Self::Go => "go\n".to_owned(),
            Self::Finish(messages) => format!("finish {messages}\n"),
        }
    }

    fn parse(line: &str) -> Option<Self> {
        match line.trim().split_once(' ') {
            None if line.trim() == "go" => Some(Self::Go),
            Some(("finish", messages)) => messages.parse().ok().map(Self::Finish),
            _ => None,
        }
    }
}

/// The child's end.
pub(super) struct Console {
    orders: UnboundedReceiver<Order>,
}

/// What a child says when it can begin.
pub(super) const READY: &str = "ready";

impl Console {
    /// Reads standard input in a thread of its own: it costs nothing while nothing is said.
    pub(super) fn open() -> Self {
        let (sender, orders) = unbounded_channel();
        std::thread::spawn(move || {
            let lines = io::stdin().lock().lines().map_while(Result::ok);
            for order in lines.filter_map(|line| Order::parse(&line)) {
                if sender.send(order).is_err() {
                    return;
                }
            }
        });
        Self { orders }
    }

    /// Says that all is connected, and waits for what to do next.
    pub(super) async fn ready(&mut self) -> Result<Order, LoadError> {
        say(READY)?;
        self.next().await
    }

    /// The next order.
    pub(super) async fn next(&mut self) -> Result<Order, LoadError> {
        self.orders
            .recv()
            .await
            .ok_or(LoadError::Options("`part` is for `clients`: it takes its orders there"))
    }

    /// Says what came of it.
    pub(super) fn report(tally: &Tally) -> Result<(), LoadError> {
        say(&serde_json::to_string(tally).expect("tallies have only string keys"))
    }
}

fn say(line: &str) -> Result<(), LoadError> {
    let mut output = io::stdout().lock();
    writeln!(output, "{line}")?;
    output.flush()?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_is_read_as_it_was_written() {
        for order in [Order::Go, Order::Finish(0), Order::Finish(u64::MAX)] {
            assert_eq!(Order::parse(&order.line()), Some(order));
        }
        for line in ["", "stop", "finish", "finish -1", "go now"] {
            assert_eq!(Order::parse(line), None, "{line}");
        }
    }
}
