//! One WebSocket client: handshake, the opening of a WAMP session if it has one, then frames. Knows nothing of epoll; reads and writes when told to.

use std::io::{self, ErrorKind, Read, Write};
use std::mem;

use crate::error::LoadError;
use crate::target::Target;
use crate::transport::Transport;
use crate::wamp::{self, Next, Part, Seat};
use crate::wire::{self, Frame, Opcode};

/// The example key of RFC 6455 1.3 and the answer to it: nothing is proven by a fresh one here.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// Hears what happens to the clients of a fleet.
pub(crate) trait Audience {
    /// The server answered 101, and a WAMP session is joined and subscribed.
    fn opened(&mut self, _client: usize) {}
    /// One read returned bytes of an open connection.
    fn read(&mut self, _client: usize) {}
    /// A message arrived; `at` is when its read returned, in nanoseconds of the fleet's clock.
    fn message(&mut self, _client: usize, _payload: &[u8], _at: u64) {}
    /// The connection is gone; with the code of the server's close frame, if one came.
    fn closed(&mut self, _client: usize, _code: Option<u16>) {}
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Handshake,
    /// The WAMP session is not open yet.
    Joining,
    Open,
    /// A close frame was sent; the server closes the TCP connection (RFC 6455 7.1.1).
    Closing,
}

/// What a turn at the socket left the client in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Alive,
    Gone,
}

pub(crate) struct Client {
    pub(crate) transport: Transport,
    path: String,
    /// The WAMP session, if this is one.
    seat: Option<Box<Seat>>,
    state: State,
    /// Received bytes of an unfinished head or frame. No capacity is held while it is empty and was never needed.
    partial: Vec<u8>,
    /// Bytes that the socket did not take yet.
    pending: Vec<u8>,
    pub(crate) close_code: Option<u16>,
    /// Whether the fleet watches for the socket to take more; kept here, used by the fleet.
    pub(crate) watched_for_writing: bool,
    /// State of the mask generator: masks need not be secret here, only varied.
    mask: u32,
}

impl Client {
    /// A client on a connected stream, with its handshake queued.
    pub(crate) fn new(transport: Transport, target: &Target, number: usize) -> Self {
        let Target { path, authority, .. } = target;
        let seat = target.wamp.clone().map(|wamp| Box::new(Seat::new(wamp)));
        let subprotocol = match &seat {
            Some(seat) => format!("Sec-WebSocket-Protocol: {}\r\n", seat.serializer().subprotocol(false)),
            None => String::new(),
        };
        let request = format!(
            "GET {path} HTTP/1.1\r\nHost: {authority}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{subprotocol}\r\n"
        );
        Self {
            transport,
            path: path.clone(),
            seat,
            state: State::Handshake,
            partial: Vec::new(),
            pending: request.into_bytes(),
            close_code: None,
            watched_for_writing: false,
            mask: 0x9e37_79b9 ^ number as u32,
        }
    }

    /// Queues a message, in the form that a WAMP session gives it; nothing is written before [`Self::flush`].
    pub(crate) fn queue(&mut self, opcode: Opcode, payload: &[u8]) {
        let mask = self.next_mask();
        match &mut self.seat {
            Some(seat) => {
                let opcode = wamp::opcode(seat.serializer());
                wire::encode(&mut self.pending, opcode, mask, seat.outgoing(payload));
            }
            None => wire::encode(&mut self.pending, opcode, mask, payload),
        }
    }

    /// Queues a frame as it is.
    fn queue_frame(&mut self, opcode: Opcode, payload: &[u8]) {
        let mask = self.next_mask();
        wire::encode(&mut self.pending, opcode, mask, payload);
    }

    fn next_mask(&mut self) -> [u8; 4] {
        self.mask = self.mask.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.mask.to_be_bytes()
    }

    /// Queues a close frame.
    pub(crate) fn close(&mut self, code: u16) {
        self.queue_frame(Opcode::Close, &code.to_be_bytes());
        self.state = State::Closing;
    }

    /// Whether bytes are queued.
    pub(crate) fn has_queued(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Whether bytes wait for the socket. In a TLS handshake they wait for the server instead.
    pub(crate) fn is_blocked(&self) -> bool {
        match &self.transport {
            Transport::Plain(_) => self.has_queued(),
            Transport::Tls(stream) => {
                !stream.conn.is_handshaking() && (self.has_queued() || stream.conn.wants_write())
            }
        }
    }

    /// Writes what is queued, in one call if the socket takes it.
    pub(crate) fn flush(&mut self) -> Fate {
        while !self.pending.is_empty() {
            match self.transport.write(&self.pending) {
                Ok(0) => return Fate::Gone,
                Ok(written) if written == self.pending.len() => {
                    self.pending = recycled(mem::take(&mut self.pending));
                }
                Ok(written) => drop(self.pending.drain(..written)),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Fate::Alive,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => return Fate::Gone,
            }
        }
        match self.transport.flush() {
            Err(error) if error.kind() != ErrorKind::WouldBlock => Fate::Gone,
            _ => Fate::Alive,
        }
    }

    /// Reads once (TLS: until nothing is left) and tells `audience` what came.
    pub(crate) fn read(
        &mut self,
        buffer: &mut [u8],
        now: impl Fn() -> u64,
        number: usize,
        audience: &mut impl Audience,
    ) -> Result<Fate, LoadError> {
        loop {
            let received = match self.transport.read(buffer) {
                Ok(0) => return Ok(Fate::Gone),
                Ok(received) => received,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(Fate::Alive),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Self::read_failed(error),
            };
            if matches!(self.state, State::Open | State::Closing) {
                audience.read(number);
            }
            self.take(&buffer[..received], now(), number, audience)?;
            if !self.transport.holds_back() {
                return Ok(Fate::Alive);
            }
        }
    }

    /// A reset is one way of ending; a TLS error is not.
    fn read_failed(error: io::Error) -> Result<Fate, LoadError> {
        match error.kind() {
            ErrorKind::ConnectionReset | ErrorKind::BrokenPipe | ErrorKind::UnexpectedEof => Ok(Fate::Gone),
            _ => Err(error.into()),
        }
    }

    fn take(
        &mut self,
        bytes: &[u8],
        at: u64,
        number: usize,
        audience: &mut impl Audience,
    ) -> Result<(), LoadError> {
        if self.partial.is_empty() {
            let used = self.consume(bytes, at, number, audience)?;
            self.partial.extend_from_slice(&bytes[used..]);
        } else {
            let mut joined = mem::take(&mut self.partial);
            joined.extend_from_slice(bytes);
            let used = self.consume(&joined, at, number, audience)?;
            joined.drain(..used);
            self.partial = joined;
        }
        Ok(())
    }

    /// Reads whole heads and frames off `bytes`; how many bytes they took.
    fn consume(
        &mut self,
        bytes: &[u8],
        at: u64,
        number: usize,
        audience: &mut impl Audience,
    ) -> Result<usize, LoadError> {
        let mut used = 0;
        if self.state == State::Handshake {
            let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") else { return Ok(0) };
            used = end + 4;
            self.check_answer(&bytes[..used])?;
            if let Some(seat) = &self.seat {
                self.state = State::Joining;
                self.queue_frame(wamp::opcode(seat.serializer()), &seat.hello());
            } else {
                self.state = State::Open;
                audience.opened(number);
            }
        }
        while let Some((frame, length)) = wire::decode(&bytes[used..])? {
            used += length;
            if matches!(frame.opcode, Opcode::Text | Opcode::Binary) {
                self.hear(frame.payload, at, number, audience)?;
            } else {
                self.answer(&frame);
            }
        }
        Ok(used)
    }

    /// Takes a message: what the audience hears of it depends on the session's part.
    fn hear(
        &mut self,
        payload: &[u8],
        at: u64,
        number: usize,
        audience: &mut impl Audience,
    ) -> Result<(), LoadError> {
        let Some(seat) = &self.seat else {
            audience.message(number, payload, at);
            return Ok(());
        };
        if self.state == State::Joining {
            let opcode = wamp::opcode(seat.serializer());
            match seat.opening(payload)? {
                Next::Say(message) => self.queue_frame(opcode, &message),
                Next::Open => {
                    self.state = State::Open;
                    audience.opened(number);
                }
            }
            return Ok(());
        }
        let event = match seat.part() {
            Part::Subscriber(_) => wamp::hear(seat.serializer(), payload),
            Part::Publisher(_) | Part::Plain => None,
        };
        match event {
            Some(event) => audience.message(number, &event.payload, at),
            None => audience.message(number, payload, at),
        }
        Ok(())
    }

    /// Answers a control frame (RFC 6455 5.5); the fleet flushes.
    fn answer(&mut self, frame: &Frame<'_>) {
        match frame.opcode {
            Opcode::Ping => self.queue_frame(Opcode::Pong, frame.payload),
            Opcode::Close => {
                self.close_code = frame.close_code();
                if self.state == State::Open {
                    self.queue_frame(Opcode::Close, frame.payload.get(..2).unwrap_or_default());
                    self.state = State::Closing;
                }
            }
            Opcode::Pong | Opcode::Text | Opcode::Binary => {}
        }
    }

    fn check_answer(&self, head: &[u8]) -> Result<(), LoadError> {
        let head = String::from_utf8_lossy(head);
        if head.starts_with("HTTP/1.1 101 ") && head.contains(ACCEPT) {
            return Ok(());
        }
        let answer = head.lines().next().unwrap_or_default().to_owned();
        Err(LoadError::Handshake { path: self.path.clone(), answer })
    }
}

/// A buffer to queue in again, unless it has grown past what ten thousand idle clients may hold.
fn recycled(mut buffer: Vec<u8>) -> Vec<u8> {
    buffer.clear();
    buffer.shrink_to(64 * 1024);
    buffer
}
