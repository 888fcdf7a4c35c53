//! How the messages of a connection look on their wire: bare, or WAMP in one of its serialisations and framings.

use bytes::Bytes;
use petasus_protocol::wamp::rawsocket::{FrameHeader, FrameKind};
use petasus_protocol::wamp::{Serializer, batched};
use tungstenite::protocol::frame::coding::OpCode;

use super::decoder::{Decoder, Incoming, Unfinished, Violation};
use super::header::Header;
use super::pending::{BINARY, Item, PING, TEXT};
use super::rawsocket::RawDecoder;
use crate::dialect::Dialect;

/// What is spoken on a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// A WebSocket message is a message.
    Bare(Dialect),
    /// A session speaks WAMP.
    Wamp(Serializer, Framing),
}

/// How WAMP messages are told apart on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Each is a WebSocket message.
    Message,
    /// A WebSocket message holds any number of them (`wamp.2.json.batched`).
    Batched,
    /// Rawsocket: each has a header of four bytes.
    RawSocket,
}

impl Wire {
    /// A ping or pong in its frame.
    pub(super) fn control(self, opcode: OpCode, payload: Bytes) -> Item {
        if self.has_close_frames() {
            return Item::control(opcode, payload);
        }
        let kind = if opcode == PING { FrameKind::Ping } else { FrameKind::Pong };
        let mut wire = Vec::new();
        put_raw(kind, &payload, &mut wire);
        Item::Run { wire: wire.into(), messages: 0, fixed: true }
    }

    /// Rawsocket has none: a connection just ends.
    pub(super) fn has_close_frames(self) -> bool {
        !matches!(self, Self::Wamp(_, Framing::RawSocket))
    }
}

/// What puts incoming messages together.
pub(super) enum Frames {
    WebSocket(Decoder),
    Raw(Box<RawDecoder>),
}

impl Default for Frames {
    fn default() -> Self {
        Self::WebSocket(Decoder::default())
    }
}

impl Frames {
    pub(super) fn of(wire: Wire) -> Self {
        match wire {
            Wire::Wamp(_, Framing::RawSocket) => Self::Raw(Box::default()),
            Wire::Wamp(..) | Wire::Bare(_) => Self::default(),
        }
    }

    pub(super) fn unfinished(&self) -> Unfinished {
        match self {
            Self::WebSocket(decoder) => decoder.unfinished(),
            Self::Raw(decoder) => decoder.unfinished(),
        }
    }

    /// Takes what was read. `sink` gets what is complete, in order, and says whether to go on.
    pub(super) fn feed(
        &mut self,
        input: &mut [u8],
        limit: usize,
        sink: &mut impl FnMut(Incoming) -> bool,
    ) -> Result<(), Violation> {
        match self {
            Self::WebSocket(decoder) => decoder.feed(input, limit, sink),
            Self::Raw(decoder) => decoder.feed(input, limit, sink),
        }
    }
}

impl Framing {
    /// Appends a message in its frame.
    pub(super) fn put(self, serializer: Serializer, body: &[u8], wire: &mut Vec<u8>) {
        match self {
            Self::Message => {
                put_header(serializer, body.len(), wire);
                wire.extend_from_slice(body);
            }
            Self::Batched => {
                let mut message = Vec::with_capacity(body.len() + 4);
                batched::append(serializer, body, &mut message);
                put_header(serializer, message.len(), wire);
                wire.extend_from_slice(&message);
            }
            Self::RawSocket => put_raw(FrameKind::Message, body, wire),
        }
    }
}

/// The header of a WebSocket message of this length.
pub(super) fn put_header(serializer: Serializer, len: usize, wire: &mut Vec<u8>) {
    let header = Header::new(if serializer.is_text() { TEXT } else { BINARY }, len);
    wire.reserve(header.len() + len);
    wire.extend_from_slice(header.bytes());
}

/// A body that is too long for any frame is longer than every client takes, too: it never comes here.
pub(super) fn put_raw(kind: FrameKind, body: &[u8], wire: &mut Vec<u8>) {
    if let Some(header) = (FrameHeader { kind, length: body.len() }).encode() {
        wire.extend_from_slice(&header);
        wire.extend_from_slice(body);
    }
}
