//! Pinghub's munin lines: current counts, and five-minute averages of rates per second.

use std::time::Duration;

use super::Metrics;

/// How often the averages are brought up to date; the original does the same.
pub(crate) const BEAT: Duration = Duration::from_secs(5);

/// The averaging time.
const WINDOW: Duration = Duration::from_mins(5);

/// Exponentially weighted rates.
#[derive(Debug, Default)]
pub(crate) struct Rates {
    last: [u64; 4],
    rates: [f64; 4],
}

impl Rates {
    /// Takes the counters one [`BEAT`] after the last time.
    pub(crate) fn beat(&mut self, metrics: &Metrics) {
        let (messages, posts, deliveries, drops) = metrics.totals();
        self.take([drops, posts, deliveries, messages.saturating_sub(posts)]);
    }

    fn take(&mut self, totals: [u64; 4]) {
        let weight = 1.0 - (-BEAT.as_secs_f64() / WINDOW.as_secs_f64()).exp();
        for ((rate, last), total) in self.rates.iter_mut().zip(&mut self.last).zip(totals) {
            let now = total.saturating_sub(*last) as f64 / BEAT.as_secs_f64();
            *rate += weight * (now - *rate);
            *last = total;
        }
    }

    /// The six lines.
    pub(crate) fn lines(&self, channels: usize, websockets: usize) -> String {
        let [drops, posts, sends, messages] = self.rates;
        format!(
            "channels.value {channels}\ndrops5m.value {drops:.3}\npostmsgs5m.value {posts:.3}\n\
             sends5m.value {sends:.3}\nwebsocketmsgs5m.value {messages:.3}\nwebsockets.value {websockets}\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// REQ-PING-006
    #[test]
    fn a_steady_rate_is_reached_slowly_and_forgotten_slowly() {
        let mut rates = Rates::default();
        for beat in 1..=600 {
            rates.take([0, 50 * beat, 0, 0]);
        }
        assert!((rates.rates[1] - 10.0).abs() < 0.1, "{rates:?}");
        for _ in 0..60 {
            rates.take([0, 30_000, 0, 0]);
        }
        assert!((rates.rates[1] - 10.0 / std::f64::consts::E).abs() < 0.1, "{rates:?}");
        assert_eq!(rates.lines(2, 3).lines().count(), 6);
    }
}
