//! A bar on standard error, if that is a terminal.

use std::io::{IsTerminal, Write};
use std::time::Duration;

const WIDTH: usize = 30;

/// How far a measurement has come.
pub(super) struct Bar {
    whole: Duration,
    shown: bool,
    /// When it was drawn last, with the messages then.
    last: (Duration, u64),
}

impl Bar {
    pub(super) fn new(whole: Duration) -> Self {
        Self { whole, shown: std::io::stderr().is_terminal(), last: (Duration::ZERO, 0) }
    }

    /// Draws it over the one before.
    pub(super) fn draw(&mut self, elapsed: Duration, messages: u64) {
        if !self.shown {
            return;
        }
        let since = elapsed.saturating_sub(self.last.0).as_secs_f64().max(0.001);
        let rate = messages.saturating_sub(self.last.1) as f64 / since;
        self.last = (elapsed, messages);
        let line = line(elapsed, self.whole, rate);
        let mut stderr = std::io::stderr().lock();
        // What can not be shown is not needed.
        let _ = write!(stderr, "\r{line}\x1b[K").and_then(|()| stderr.flush());
    }

    pub(super) fn clear(&self) {
        if self.shown {
            let mut stderr = std::io::stderr().lock();
            let _ = write!(stderr, "\r\x1b[K").and_then(|()| stderr.flush());
        }
    }
}

fn line(elapsed: Duration, whole: Duration, rate: f64) -> String {
    let part = (elapsed.as_secs_f64() / whole.as_secs_f64()).min(1.0);
    let full = (part * WIDTH as f64) as usize;
    let (done, open) = ("#".repeat(full), ".".repeat(WIDTH - full));
    format!("[{done}{open}] {:.1}/{:.1} s  {rate:.0} messages/s", elapsed.as_secs_f64(), whole.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bar_grows_with_the_time_and_not_beyond() {
        let at = |seconds| line(Duration::from_secs(seconds), Duration::from_secs(10), 1234.4);
        assert_eq!(at(5), format!("[{}{}] 5.0/10.0 s  1234 messages/s", "#".repeat(15), ".".repeat(15)));
        assert!(at(11).starts_with(&format!("[{}]", "#".repeat(30))));
    }
}
