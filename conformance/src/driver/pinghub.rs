//! Pinghub: every path is a channel, whoever stands at it sends and receives, and hears itself.
//!
//! Barriers: a ping that is answered proves that everything before it was read. That a peer is a member is proved by the
//! 101 (REQ-LIF-003), which the original does not keep: it answers before it subscribes. For brokers that are late there is
//! the driver `pinghub-late`, which sends a probe until the probe comes back.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::timeout;

use super::bare::{self, Line};
use super::mercury::escaped;
use super::socket::{Listener, Socket, handshake};
use super::{About, Driver, Fut, Inbox, OpenError, Opened, Opening, Seen, Target};
use crate::caps::Caps;
use crate::history::Proof;
use crate::model::{Door, Kind, Role};
use crate::raw::{Frame, Opcode};

/// What probes begin with. No script's payload does.
const PROBE: &str = "pinghub probe ";

/// How long a probe may take before it is sent again: it may have come before its subscription.
const AGAIN: Duration = Duration::from_millis(100);

/// How many characters a path may have, its first slash counted (REQ-PING-007).
const LONGEST: usize = 256;

/// The driver.
#[derive(Clone, Copy, Debug)]
pub struct Pinghub {
    /// Whether a 101 proves nothing.
    is_late: bool,
}

impl Pinghub {
    /// For brokers whose 101 proves membership.
    pub const PROMPT: Self = Self { is_late: false };
    /// For brokers that answer before they subscribe.
    pub const LATE: Self = Self { is_late: true };
}

impl Driver for Pinghub {
    fn about(&self) -> About {
        let name = if self.is_late { "pinghub-late" } else { "pinghub" };
        About { name, profiles: &["ws", "pinghub"] }
    }

    fn claims(&self) -> Caps {
        Caps::of([
            "bus",
            "bus.echo",
            "bus.total_order",
            "utf8.strict",
            "limits.message",
            "limits.topic",
            "close_codes",
            "tcp",
        ])
    }

    fn max_message(&self) -> usize {
        65_536
    }

    /// Whoever sends hears itself.
    fn door(&self, door: &Door) -> Door {
        Door { echo: true, ..door.clone() }
    }

    fn open<'a>(
        &'a self,
        target: &'a Target,
        opening: &'a Opening<'a>,
        inbox: Inbox,
    ) -> Fut<'a, Result<Opened, OpenError>> {
        Box::pin(async move {
            let path = format!("{}{}", target.path, path(opening)?);
            let shaken = handshake(target, &path, None).await?;
            let (echo, echoes) = unbounded_channel();
            let socket = Socket::start(shaken, Channel { inbox, echo });
            // Bytes go out as text, and an empty message comes back to its sender alone.
            let takes = |kind, payload: &[u8]| kind == Kind::Text && !payload.is_empty();
            let port = Box::new(Line { socket, takes });
            if self.is_late {
                joined(&port.socket, echoes).await?;
            }
            Ok(Opened { port, proof: Proof::Proved })
        })
    }
}

/// The path of a channel. What the broker would redirect, or find too long, is no channel.
fn path(opening: &Opening<'_>) -> Result<String, OpenError> {
    let topic = opening.door.topic.as_str();
    let is_clean =
        topic.strip_suffix('/').unwrap_or(topic).split('/').all(|part| !["", ".", ".."].contains(&part));
    let length = opening.namespace.as_str().len() + topic.chars().count() + 2;
    if opening.door.role != Role::Bus || !is_clean || length > LONGEST {
        return Err(OpenError::Unrepresentable(format!("{:?} at {topic:?}", opening.door.role)));
    }
    Ok(format!("/{}/{}{}", opening.namespace, escaped(topic, opening.spelling), opening.suffix))
}

/// Sends probes until one comes back. Those who are there already see it too; it is never told.
async fn joined(socket: &Socket, mut echoes: UnboundedReceiver<String>) -> Result<(), OpenError> {
    let probe = format!("{PROBE}{:016x}", fastrand::u64(..));
    loop {
        let sent = socket.write(&Frame::message(Opcode::TEXT, probe.as_bytes(), 1)).await;
        sent.map_err(|error| OpenError::Protocol(error.to_string()))?;
        let comes_back = async {
            while let Some(echo) = echoes.recv().await {
                if echo == probe {
                    return true;
                }
            }
            false
        };
        match timeout(AGAIN, comes_back).await {
            Ok(true) => return Ok(()),
            Ok(false) => return Err(OpenError::Protocol("the connection ended at once".to_owned())),
            Err(_) => {}
        }
    }
}

/// What comes on a channel.
struct Channel {
    inbox: Inbox,
    /// Where probes go.
    echo: UnboundedSender<String>,
}

impl Listener for Channel {
    fn pong(&mut self, payload: &[u8]) {
        bare::pong(&self.inbox, payload);
    }

    fn message(&mut self, kind: Kind, bytes: Vec<u8>) -> Result<Vec<Frame>, String> {
        match std::str::from_utf8(&bytes) {
            // Nobody may wait for it any more.
            Ok(text) if text.starts_with(PROBE) => drop(self.echo.send(text.to_owned())),
            _ => self.inbox.put(Seen::Message(kind, bytes)),
        }
        Ok(Vec::new())
    }

    fn end(&mut self, end: Seen) {
        self.inbox.put(end);
    }
}
