//! A WebSocket without an envelope: what is sent is the payload. Shared by the dialects that are addresses, Mercury and
//! Pinghub.

use super::socket::Socket;
use super::{Fut, Inbox, Port, PortError, Seen};
use crate::history::Proof;
use crate::model::Kind;
use crate::raw::{Frame, Opcode};

/// What the pings of barriers begin with.
const MARK: &str = "mark ";

/// One socket at one address.
pub(super) struct Line {
    pub(super) socket: Socket,
    /// What its broker takes; what it does not is passed over.
    pub(super) takes: fn(Kind, &[u8]) -> bool,
}

impl Port for Line {
    fn can_say(&self, kind: Kind, payload: &[u8]) -> bool {
        (self.takes)(kind, payload)
    }

    fn send<'a>(&'a mut self, kind: Kind, payload: &'a [u8], pieces: u8) -> Fut<'a, Result<(), PortError>> {
        let opcode = match kind {
            Kind::Text => Opcode::TEXT,
            Kind::Binary => Opcode::BINARY,
        };
        Box::pin(async move { self.socket.write(&Frame::message(opcode, payload, pieces)).await })
    }

    fn mark(&mut self, mark: u64) -> Fut<'_, Result<(), PortError>> {
        Box::pin(async move { self.socket.write(&[Frame::new(Opcode::PING, format!("{MARK}{mark}"))]).await })
    }

    fn leave(&mut self) -> Fut<'_, Result<(), PortError>> {
        Box::pin(async move { self.socket.write(&[Frame::close(Some(1000))]).await })
    }
}

/// A pong: that of a barrier proves that what was sent before its ping was read.
pub(super) fn pong(inbox: &Inbox, payload: &[u8]) {
    let text = String::from_utf8_lossy(payload);
    if let Some(mark) = text.strip_prefix(MARK).and_then(|mark| mark.parse().ok()) {
        inbox.put(Seen::Passed(mark, Proof::Proved));
    }
}
