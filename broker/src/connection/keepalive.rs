//! When to ping a peer, when to give it up, and when a connection is idle for too long.

use std::time::Duration;

use tokio::time::Instant;

/// The times of a dialect. `None` is never.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pace {
    /// Between pings.
    pub(crate) ping: Option<Duration>,
    /// From the last sign of life to giving the peer up.
    pub(crate) patience: Option<Duration>,
    /// Whether only a pong is a sign of life and pings go out on every beat (Pinghub), or whether any byte
    /// is and only a silent peer is pinged.
    pub(crate) strict: bool,
    /// Without a message in either direction.
    pub(crate) idle: Option<Duration>,
}

/// What is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Due {
    Nothing,
    Ping,
    /// The peer gave no sign of life.
    Gone,
    /// Nothing was said for too long.
    Idle,
}

pub(super) struct Keepalive {
    /// The last sign of life.
    heard: Instant,
    /// The last ping, or the beginning.
    pinged: Instant,
    /// The last message in or out, as far as is known.
    active: Instant,
}

impl Keepalive {
    pub(super) fn new(now: Instant) -> Self {
        Self { heard: now, pinged: now, active: now }
    }

    /// Something was read.
    pub(super) fn on_bytes(&mut self, pace: &Pace, now: Instant) {
        if !pace.strict {
            self.heard = now;
        }
    }

    pub(super) fn on_pong(&mut self, now: Instant) {
        self.heard = now;
    }

    pub(super) fn on_message(&mut self, now: Instant) {
        self.active = now;
    }

    /// What is due now. `sent` says that something went out since the last call; when exactly is not
    /// recorded, so an idle connection is found after once to twice the time.
    pub(super) fn due(&mut self, pace: &Pace, now: Instant, sent: bool) -> Due {
        if sent {
            self.active = now;
        }
        let over = |since: Instant, span: Option<Duration>| span.is_some_and(|span| now >= since + span);
        if over(self.heard, pace.patience) {
            return Due::Gone;
        }
        if over(self.active, pace.idle) {
            return Due::Idle;
        }
        if over(self.last_beat(pace), pace.ping) {
            self.pinged = now;
            return Due::Ping;
        }
        Due::Nothing
    }

    /// When something will be due at the earliest; far away if never.
    pub(super) fn next(&self, pace: &Pace) -> Instant {
        let at = |since: Instant, span: Option<Duration>| span.map(|span| since + span);
        let beats =
            [at(self.heard, pace.patience), at(self.active, pace.idle), at(self.last_beat(pace), pace.ping)];
        beats.into_iter().flatten().min().unwrap_or_else(|| self.active + Duration::from_hours(24 * 365))
    }

    fn last_beat(&self, pace: &Pace) -> Instant {
        if pace.strict { self.pinged } else { self.pinged.max(self.heard) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(n: u64) -> Duration {
        Duration::from_secs(n)
    }

    fn steps(pace: &Pace, heard_at: &[u64]) -> Vec<(u64, Due)> {
        let start = Instant::now();
        let mut keepalive = Keepalive::new(start);
        let mut steps = Vec::new();
        for second in 0..200 {
            let now = start + Duration::from_secs(second);
            if heard_at.contains(&second) {
                keepalive.on_bytes(pace, now);
            }
            let due = keepalive.due(pace, now, false);
            if due != Due::Nothing {
                steps.push((second, due));
            }
            if matches!(due, Due::Gone | Due::Idle) {
                break;
            }
        }
        steps
    }

    /// REQ-LIF-002
    #[test]
    fn a_silent_peer_is_pinged_once_and_given_up_within_two_periods() {
        let pace = Pace { ping: Some(secs(30)), patience: Some(secs(60)), strict: false, idle: None };
        assert_eq!(steps(&pace, &[5]), [(35, Due::Ping), (65, Due::Gone)]);
        assert_eq!(steps(&pace, &[5, 40]), [(35, Due::Ping), (70, Due::Ping), (100, Due::Gone)]);
    }

    #[test]
    fn a_strict_pace_counts_pongs_only() {
        let pace = Pace { ping: Some(secs(27)), patience: Some(secs(30)), strict: true, idle: None };
        assert_eq!(steps(&pace, &[5, 10, 15, 20, 28]), [(27, Due::Ping), (30, Due::Gone)]);
    }

    #[test]
    fn a_connection_without_messages_is_idle() {
        let pace = Pace { ping: None, patience: None, strict: false, idle: Some(secs(50)) };
        assert_eq!(steps(&pace, &[10]), [(50, Due::Idle)]);
    }
}
