//! From the server's bytes to messages (RFC 6455 5).

use std::io::Cursor;

use bytes::Bytes;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::WebSocketError;
use crate::{Kind, Message};

/// A frame that came in pieces is put together in a buffer of which so much is kept for the next one.
const KEPT: usize = 16 * 1024;

/// What a server says.
pub(super) enum Incoming {
    Message(Message),
    Ping(Bytes),
    Pong,
    Close(Option<u16>, String),
}

/// Finds the frames in what comes, and the messages in the frames.
pub(super) struct Reader {
    /// The longest message.
    limit: usize,
    /// The beginning of a frame that is not complete.
    begun: Vec<u8>,
    /// The fragments of a message that is not complete.
    message: Option<(Kind, Vec<u8>)>,
}

/// A frame whose header is there and allowed.
struct Frame {
    header: FrameHeader,
    /// Where its payload begins, counted from its own beginning.
    start: usize,
    /// Where it ends.
    end: usize,
}

impl Reader {
    pub(super) fn new(limit: usize) -> Self {
        Reader { limit, begun: Vec::new(), message: None }
    }

    /// Takes one frame, or the part of one that is there, from the front of `bytes`. What it completes, if anything.
    pub(super) fn next(&mut self, bytes: &mut &[u8]) -> Result<Option<Incoming>, WebSocketError> {
        if self.begun.is_empty()
            && let Some(frame) = self.open(bytes)?
            && let Some((whole, rest)) = bytes.split_at_checked(frame.end)
        {
            *bytes = rest;
            return self.take(&frame.header, Bytes::copy_from_slice(&whole[frame.start..]));
        }
        loop {
            // A header that is cut is rare and short: it is put together byte by byte.
            let frame = self.open(&self.begun)?;
            let wanted = frame.as_ref().map_or(self.begun.len() + 1, |frame| frame.end);
            let (piece, rest) = bytes.split_at((wanted - self.begun.len()).min(bytes.len()));
            *bytes = rest;
            self.begun.extend_from_slice(piece);
            if self.begun.len() < wanted {
                return Ok(None);
            }
            if let Some(frame) = frame {
                let payload = self.finished(frame.start);
                return self.take(&frame.header, payload);
            }
        }
    }

    /// The frame that begins here, if its header is complete. What is wrong with it is found before its payload comes.
    fn open(&self, bytes: &[u8]) -> Result<Option<Frame>, WebSocketError> {
        let mut cursor = Cursor::new(bytes);
        let Some((header, len)) =
            FrameHeader::parse(&mut cursor).map_err(|_| WebSocketError::Protocol("reserved opcode"))?
        else {
            return Ok(None);
        };
        let start = cursor.position() as usize;
        if header.mask.is_some() {
            return Err(WebSocketError::Protocol("the server masked a frame"));
        }
        if header.rsv1 || header.rsv2 || header.rsv3 {
            return Err(WebSocketError::Protocol("a reserved bit is set, and no extension was agreed on"));
        }
        if len >> 63 != 0 || header.len(len) != start {
            return Err(WebSocketError::Protocol("a length is not in its shortest form"));
        }
        let room = self.room(&header, len)?;
        match usize::try_from(len) {
            Ok(len) if len <= room => Ok(Some(Frame { header, start, end: start + len })),
            _ => Err(WebSocketError::TooLong { limit: self.limit }),
        }
    }

    /// How long the payload may be, if a frame like this may come now (RFC 6455 5.4, 5.5).
    fn room(&self, header: &FrameHeader, len: u64) -> Result<usize, WebSocketError> {
        match (header.opcode, &self.message) {
            (OpCode::Control(_), _) if !header.is_final => Err("a control frame is fragmented"),
            (OpCode::Control(_), _) if len > 125 => Err("a control frame is longer than 125 bytes"),
            (OpCode::Control(_), _) => Ok(125),
            (OpCode::Data(Data::Continue), None) => Err("a continuation came without a message"),
            (OpCode::Data(Data::Continue), Some((_, before))) => Ok(self.limit - before.len()),
            (OpCode::Data(_), Some(_)) => Err("a message began before the last one ended"),
            (OpCode::Data(_), None) => Ok(self.limit),
        }
        .map_err(WebSocketError::Protocol)
    }

    /// The payload of the frame that was put together.
    fn finished(&mut self, start: usize) -> Bytes {
        if self.begun.len() > KEPT {
            let mut whole = std::mem::take(&mut self.begun);
            whole.shrink_to_fit();
            return Bytes::from(whole).slice(start..);
        }
        let payload = Bytes::copy_from_slice(&self.begun[start..]);
        self.begun.clear();
        payload
    }

    /// A complete frame.
    fn take(&mut self, header: &FrameHeader, payload: Bytes) -> Result<Option<Incoming>, WebSocketError> {
        let opcode = match header.opcode {
            OpCode::Control(Control::Ping) => return Ok(Some(Incoming::Ping(payload))),
            OpCode::Control(Control::Pong) => return Ok(Some(Incoming::Pong)),
            OpCode::Control(_) => return close(&payload).map(Some),
            OpCode::Data(opcode) => opcode,
        };
        let kind = if opcode == Data::Text { Kind::Text } else { Kind::Binary };
        let (kind, payload) = match self.message.take() {
            None if header.is_final => (kind, payload),
            before => {
                let (kind, mut message) = before.unwrap_or((kind, Vec::new()));
                message.extend_from_slice(&payload);
                if !header.is_final {
                    self.message = Some((kind, message));
                    return Ok(None);
                }
                (kind, Bytes::from(message))
            }
        };
        let message = match kind {
            Kind::Text => Message::text(payload).map_err(|_| WebSocketError::NotUtf8)?,
            Kind::Binary => Message::binary(payload),
        };
        Ok(Some(Incoming::Message(message)))
    }
}

/// Whether a close frame may carry this code (RFC 6455 7.4, and its registry).
pub(super) fn may_be_sent(code: u16) -> bool {
    matches!(code, 1000..=1003 | 1007..=1014 | 3000..=4999)
}

/// RFC 6455 5.5.1.
fn close(payload: &[u8]) -> Result<Incoming, WebSocketError> {
    let (code, reason) = match payload {
        [] => return Ok(Incoming::Close(None, String::new())),
        [_] => return Err(WebSocketError::Protocol("a close frame has one byte")),
        [high, low, reason @ ..] => (u16::from_be_bytes([*high, *low]), reason),
    };
    if !may_be_sent(code) {
        return Err(WebSocketError::Protocol("a close frame has a code that nobody may send"));
    }
    match std::str::from_utf8(reason) {
        Ok(reason) => Ok(Incoming::Close(Some(code), reason.to_owned())),
        Err(_) => Err(WebSocketError::NotUtf8),
    }
}
