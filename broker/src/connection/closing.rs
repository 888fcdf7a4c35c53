//! Why a connection ends, and how: it leaves the hub, says goodbye, and waits for its peer to hang up.

use std::borrow::Cow;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::Bytes;

use super::batch::Batch;
use super::decoder::Violation;
use super::outbox::Look;
use super::{Connection, scratch};

/// How long a closing connection waits for its peer to take what is pending, and then to hang up.
const CLOSE_PATIENCE: Duration = Duration::from_secs(5);

/// Reconnecting is fine after codes from 3100 to 3499 (REQ-WS-017).
pub(super) const OVERFLOW: (u16, &str) = (3100, "reads too slowly");
pub(super) const IDLE: (u16, &str) = (3101, "idle for too long");
pub(super) const QUEUE_FULL: (u16, &str) = (3102, "the queue was full for too long");
pub(super) const TOO_SLOW: (u16, &str) = (3103, "a message took too long to arrive");
pub(super) const NOT_JOINED: (u16, &str) = (3104, "no session was opened in time");
/// The registered code for "forbidden".
pub(super) const REFUSED: u16 = 3003;
pub(super) const GOING_AWAY: (u16, &str) = (1001, "the broker is shutting down");

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum Ending {
    /// The peer is not there any more.
    Gone,
    /// The peer said goodbye.
    ClosedByPeer(Option<u16>, String),
    /// We say goodbye; without a code the frame is empty.
    Close(Option<u16>, Cow<'static, str>),
}

/// What became of a closing connection's last words.
enum Said {
    All,
    /// The peer is gone, or there is no time left.
    NotAll,
}

impl Connection {
    /// Leaves the hub, then closes: membership is over when the peer sees the close frame (REQ-LIF-004).
    pub(super) async fn finish(mut self, ending: Ending) {
        self.outbox.0.close(matches!(ending, Ending::Gone));
        poll_fn(|cx| self.outbox.0.poll_quiet(cx)).await;
        if matches!(ending, Ending::Close(Some(code), _) if code == GOING_AWAY.0) {
            // The other pullers are told to go as well: a puller gets what waits for it (REQ-DRAIN-001).
            self.outbox.0.keep_jobs();
        }
        let mut batch = Batch::new();
        batch.counts.unsent = self.conversation.leave(&mut batch) as u64;
        batch.flush(&self.core.metrics).await;
        let (payload, hurry) = match ending {
            Ending::Gone => return,
            Ending::ClosedByPeer(code, reason) => {
                (close_payload(code, self.conversation.close_reason(&reason)), true)
            }
            Ending::Close(code, reason) => (close_payload(code, &reason), false),
        };
        self.outbox.0.push_close(payload, hurry);
        // A peer that takes nothing any more is left behind.
        let drain = self.core.config.drain_timeout.duration();
        let patience = if self.core.is_draining() { drain } else { CLOSE_PATIENCE };
        if let Ok(Said::All) = tokio::time::timeout(patience, poll_fn(|cx| self.poll_drain(cx))).await {
            let _ = tokio::time::timeout(CLOSE_PATIENCE, poll_fn(|cx| self.poll_hang_up(cx))).await;
        }
    }

    /// Writes all that is pending.
    fn poll_drain(&mut self, cx: &mut Context<'_>) -> Poll<Said> {
        loop {
            match self.outbox.0.look(cx) {
                Look::Signals(signals) if signals.broken || signals.cut_off => {
                    return Poll::Ready(Said::NotAll);
                }
                Look::Signals(_) => {}
                Look::Write | Look::Blocked => {
                    if self.poll_write(cx).is_pending() {
                        return Poll::Pending;
                    }
                }
                Look::Nothing if self.outbox.0.is_empty() => break,
                Look::Nothing => return Poll::Pending,
            }
        }
        self.receiver.poll_shutdown(cx).map(|_| Said::All)
    }

    /// Reads to the end: closing a socket with unread input would take back the close frame.
    fn poll_hang_up(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        // Until there is no signal, nobody is woken by the next one.
        while let Look::Signals(signals) = self.outbox.0.look(cx) {
            if signals.cut_off {
                return Poll::Ready(());
            }
        }
        loop {
            let read = scratch::with_read_buffer(|buffer| self.receiver.poll_read(cx, buffer));
            match read {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Ok(0) | Err(_)) => return Poll::Ready(()),
                Poll::Ready(Ok(_)) => {}
            }
        }
    }
}

/// RFC 6455 5.5.1: a code and a reason of at most 123 bytes.
fn close_payload(code: Option<u16>, reason: &str) -> Bytes {
    let Some(code) = code else { return Bytes::new() };
    let mut end = reason.len().min(123);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    [&code.to_be_bytes(), &reason.as_bytes()[..end]].concat().into()
}

impl Ending {
    /// The close code, for the metrics; `None` for a connection that broke off.
    pub(super) fn code(&self) -> Option<u16> {
        match self {
            Self::Gone => None,
            Self::ClosedByPeer(code, _) | Self::Close(code, _) => Some(code.unwrap_or(1005)),
        }
    }
}

impl From<(u16, &'static str)> for Ending {
    fn from((code, reason): (u16, &'static str)) -> Self {
        Self::Close(Some(code), reason.into())
    }
}

impl From<Violation> for Ending {
    fn from(violation: Violation) -> Self {
        Self::Close(Some(violation.close_code()), violation.to_string().into())
    }
}

#[cfg(test)]
mod tests;
