//! An open WebSocket of a client.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use tungstenite::protocol::frame::FrameHeader;
use tungstenite::protocol::frame::coding::{Control, Data, OpCode};

use super::frames::{Incoming, Reader, may_be_sent};
use super::mask::{self, Masks};
use super::{CloseError, WebSocketError};
use crate::Message;

/// So much of a large buffer is kept for what is sent next.
const KEPT: usize = 64 * 1024;

/// So many pings are answered one by one; when more come before the socket takes the answers, only the newest one is
/// (RFC 6455 5.5.3 allows it), so that a flood of them does not pile up.
const PONGS: usize = 16;

/// The longest reason in a close frame (RFC 6455 5.5).
const LONGEST_REASON: usize = 123;

/// What happened on a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// A message, whole. Text is UTF-8.
    Message(Message),
    /// A ping with this payload. The answer is on its way.
    Ping(Bytes),
    /// A pong.
    Pong,
    /// The server closed: write what [`Connection::poll_transmit`] gives, and drop the socket. Nothing comes after it.
    Closed {
        /// The close code, if there was one.
        code: Option<u16>,
        /// The reason, or empty.
        reason: String,
    },
    /// The server broke the rules: write what [`Connection::poll_transmit`] gives, which tells the server, and drop the
    /// socket. Nothing comes after it.
    Failed(WebSocketError),
}

/// An open WebSocket, as bytes: [`Connection::receive`] what the socket gave, then drain [`Connection::poll_event`]
/// and [`Connection::poll_transmit`]. After any other `&mut` call, drain the latter.
///
/// A driver whose socket takes no more should stop reading too: then neither answers nor events pile up.
pub struct Connection<R> {
    reader: Reader,
    masks: Masks<R>,
    /// What is to be written.
    out: Vec<u8>,
    /// What is in `out` was given to the driver: the next frame overwrites it.
    is_given: bool,
    /// The pongs in `out`.
    pongs: usize,
    /// The newest ping that has no pong in `out`.
    unanswered: Option<Bytes>,
    events: VecDeque<Event>,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Open,
    /// Our close frame is sent, the server's is to come.
    Closing,
    Ended,
}

impl<R: FnMut(&mut [u8])> Connection<R> {
    /// A connection that takes messages of up to `max_message` bytes. `random` fills what it is given with random
    /// bytes, of which others can foresee none (RFC 6455 10.3; see the [module](super)). It is called once for 64
    /// frames.
    pub fn new(max_message: usize, random: R) -> Self {
        Connection {
            reader: Reader::new(max_message),
            masks: Masks::new(random),
            out: Vec::new(),
            is_given: false,
            pongs: 0,
            unanswered: None,
            events: VecDeque::new(),
            phase: Phase::Open,
        }
    }

    /// Takes what the socket gave, cut anywhere. Ignored once the connection is at its end.
    pub fn receive(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() && self.phase != Phase::Ended {
            match self.reader.next(&mut bytes) {
                Ok(None) => {}
                Ok(Some(Incoming::Message(message))) => self.events.push_back(Event::Message(message)),
                Ok(Some(Incoming::Pong)) => self.events.push_back(Event::Pong),
                Ok(Some(Incoming::Ping(payload))) => {
                    self.answer(payload.clone());
                    self.events.push_back(Event::Ping(payload));
                }
                Ok(Some(Incoming::Close(code, reason))) => {
                    self.write_close(code, "");
                    self.end(Event::Closed { code, reason });
                }
                Err(error) => {
                    self.write_close(Some(error.close_code()), error.close_reason());
                    self.end(Event::Failed(error));
                }
            }
        }
    }

    /// What happened next. In the order in which it came.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// Sends a message, as one frame. `false` if it is not sent, because the connection is at its end or
    /// [`Connection::close`] was called.
    pub fn send(&mut self, message: &Message) -> bool {
        let opcode = if message.is_text() { Data::Text } else { Data::Binary };
        self.write(OpCode::Data(opcode), message.payload())
    }

    /// Sends a ping without payload; [`Event::Pong`] follows. `false` as for [`Connection::send`].
    pub fn ping(&mut self) -> bool {
        self.write(OpCode::Control(Control::Ping), &[])
    }

    /// Closes, after what was sent before. Messages may still come until [`Event::Closed`]. The second call does
    /// nothing.
    pub fn close(&mut self, code: u16, reason: &str) -> Result<(), CloseError> {
        if !may_be_sent(code) {
            return Err(CloseError::Code(code));
        }
        if reason.len() > LONGEST_REASON {
            return Err(CloseError::ReasonTooLong { len: reason.len() });
        }
        self.write_close(Some(code), reason);
        Ok(())
    }

    /// All that is to be written now; it counts as written. Call it until there is nothing, which also frees the
    /// memory of what was large.
    pub fn poll_transmit(&mut self) -> Option<&[u8]> {
        if let Some(payload) = self.unanswered.take() {
            self.write(OpCode::Control(Control::Pong), &payload);
        }
        self.forget_given();
        if self.out.is_empty() {
            return None;
        }
        self.is_given = true;
        self.pongs = 0;
        Some(&self.out)
    }

    /// Whether messages can be sent.
    pub fn is_open(&self) -> bool {
        self.phase == Phase::Open
    }

    /// Answers a ping, at once or when the driver next asks what is to be written.
    fn answer(&mut self, payload: Bytes) {
        if self.pongs >= PONGS {
            self.unanswered = Some(payload);
        } else if self.write(OpCode::Control(Control::Pong), &payload) {
            self.pongs += 1;
        }
    }

    /// Sends the only close frame of ours; nothing goes after it (RFC 6455 5.5.1).
    fn write_close(&mut self, code: Option<u16>, reason: &str) {
        let code = code.map(u16::to_be_bytes);
        let payload = [code.as_ref().map_or(&[][..], |code| code), reason.as_bytes()].concat();
        if self.write(OpCode::Control(Control::Close), &payload) {
            self.phase = Phase::Closing;
        }
    }

    /// Writes a frame, masked where it lies. `false` if it is too late for that.
    fn write(&mut self, opcode: OpCode, payload: &[u8]) -> bool {
        if self.phase != Phase::Open {
            return false;
        }
        self.forget_given();
        let key = self.masks.draw();
        let header = FrameHeader { is_final: true, opcode, mask: Some(key), ..FrameHeader::default() };
        let len = payload.len() as u64;
        self.out.reserve(header.len(len) + payload.len());
        header.format(len, &mut self.out).expect("a vector takes what is written to it");
        let start = self.out.len();
        self.out.extend_from_slice(payload);
        mask::apply(&mut self.out[start..], key);
        true
    }

    /// Makes room where what was given lies.
    fn forget_given(&mut self) {
        if self.is_given {
            self.is_given = false;
            self.out.clear();
            self.out.shrink_to(KEPT);
        }
    }

    /// Nothing more comes, and nothing more goes but what is already in `out`.
    fn end(&mut self, event: Event) {
        self.phase = Phase::Ended;
        self.unanswered = None;
        self.reader = Reader::new(0);
        self.events.push_back(event);
    }
}

impl<R> fmt::Debug for Connection<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (phase, events, out) = (self.phase, self.events.len(), self.out.len());
        f.debug_struct("Connection")
            .field("phase", &phase)
            .field("events", &events)
            .field("out", &out)
            .finish_non_exhaustive()
    }
}
