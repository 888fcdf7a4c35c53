//! A WebSocket of a driver: opening, sending, and reading until it is over. What messages mean is the dialect's.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use data_encoding::BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::{OpenError, PortError, ReadSide, Seen, Stream, Target, WriteSide};
use crate::model::Kind;
use crate::raw::{Decoder, Frame, Opcode, Side, accept_key, read_head};

/// What a dialect makes of what comes.
pub(super) trait Listener: Send + 'static {
    /// A Pong frame.
    fn pong(&mut self, _payload: &[u8]) {}

    /// A whole message, text as UTF-8. The frames that are returned are sent.
    ///
    /// # Errors
    /// In words, what the protocol forbids; the connection is over.
    fn message(&mut self, kind: Kind, bytes: Vec<u8>) -> Result<Vec<Frame>, String>;

    /// The end, whoever wanted it.
    fn end(&mut self, end: Seen);
}

/// The sending side. Dropping it ends the connection without a word.
pub(super) struct Socket {
    writer: Writer,
    reader: JoinHandle<()>,
}

/// What sends.
#[derive(Clone)]
struct Writer {
    half: Arc<Mutex<WriteSide>>,
    /// Whether the close handshake was begun here: its reply is not replied to.
    leaving: Arc<AtomicBool>,
}

/// A connection that is open, and not read yet.
pub(super) struct Shaken {
    stream: Stream,
    /// What came behind the answer.
    rest: Vec<u8>,
}

/// Opens a WebSocket. A subprotocol that is asked for has to be chosen.
pub(super) async fn handshake(
    target: &Target,
    path: &str,
    subprotocol: Option<&str>,
) -> Result<Shaken, OpenError> {
    let dialled = target.dial().await;
    let mut stream = dialled.map_err(|error| OpenError::Unreachable(error.to_string()))?;
    let key = BASE64.encode(&fastrand::u128(..).to_be_bytes());
    let field = |name: &str, value: Option<&str>| {
        value.map_or_else(String::new, |value| format!("{name}: {value}\r\n"))
    };
    let wanted = field("Sec-WebSocket-Protocol", subprotocol) + &field("Origin", target.origin.as_deref());
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{wanted}\r\n",
        target.host
    );
    let broken = |error: std::io::Error| OpenError::Protocol(error.to_string());
    stream.write.write_all(request.as_bytes()).await.map_err(broken)?;
    let head = read_head(&mut stream.read).await.map_err(|error| OpenError::Protocol(error.to_string()))?;
    let wrong = |what: &str| Err(OpenError::Protocol(what.to_owned()));
    match head.status() {
        Some(101) if head.field("sec-websocket-accept") != Some(&*accept_key(&key)) => {
            wrong("101 with a wrong Sec-WebSocket-Accept")
        }
        Some(101) if head.field("sec-websocket-protocol") != subprotocol => {
            wrong("101 with another Sec-WebSocket-Protocol than was asked for")
        }
        Some(101) => Ok(Shaken { stream, rest: head.rest }),
        Some(status) => Err(OpenError::Rejected { status }),
        None => Err(OpenError::Protocol(head.start)),
    }
}

impl Socket {
    /// Begins to read.
    pub(super) fn start(shaken: Shaken, listener: impl Listener) -> Self {
        let Stream { read, write } = shaken.stream;
        let writer = Writer { half: Arc::new(Mutex::new(write)), leaving: Arc::new(AtomicBool::new(false)) };
        let decoder = Decoder::new(Side::Server, &shaken.rest);
        let reader = Reader { read, writer: writer.clone(), decoder, partial: None, listener };
        let reader = tokio::spawn(reader.run());
        Self { writer, reader }
    }

    /// Sends frames in one go. After a Close frame of ours the reply ends the connection.
    pub(super) async fn write(&self, frames: &[Frame]) -> Result<(), PortError> {
        self.writer.write(frames).await.map_err(|error| PortError(error.to_string()))
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        // With the reader goes its half of the socket.
        self.reader.abort();
    }
}

impl Writer {
    async fn write(&self, frames: &[Frame]) -> std::io::Result<()> {
        let mut bytes = Vec::new();
        for frame in frames {
            if frame.opcode == Opcode::CLOSE {
                self.leaving.store(true, Relaxed);
            }
            frame.encode(Some(fastrand::u32(..).to_be_bytes()), &mut bytes);
        }
        self.half.lock().await.write_all(&bytes).await
    }
}

/// The receiving side.
struct Reader<L> {
    read: ReadSide,
    writer: Writer,
    decoder: Decoder,
    /// A message that is not whole.
    partial: Option<(Kind, Vec<u8>)>,
    listener: L,
}

impl<L: Listener> Reader<L> {
    async fn run(mut self) {
        let end = loop {
            match self.decoder.frame() {
                Ok(Some(frame)) => match self.frame(frame).await {
                    Ok(None) => {}
                    Ok(Some(end)) => break end,
                    Err(why) => break Seen::Broken(why),
                },
                Ok(None) => match self.read.read_buf(self.decoder.buffer()).await {
                    Ok(0) | Err(_) => break Seen::Closed(None),
                    Ok(_) => {}
                },
                Err(error) => break Seen::Broken(error.to_string()),
            }
        };
        self.listener.end(end);
    }

    /// Err: what the broker did wrong. Some: the end.
    async fn frame(&mut self, frame: Frame) -> Result<Option<Seen>, String> {
        let wrong = |what: &str| Err(what.to_owned());
        match (frame.opcode, self.partial.take()) {
            (Opcode::PING, partial) => {
                self.partial = partial;
                // A socket that is closed takes no pong; reading tells.
                let _ = self.writer.write(&[Frame::new(Opcode::PONG, frame.payload)]).await;
            }
            (Opcode::PONG, partial) => {
                self.partial = partial;
                self.listener.pong(&frame.payload);
            }
            (Opcode::CLOSE, _) => {
                let code = frame.close_code();
                if !self.writer.leaving.load(Relaxed) {
                    let _ = self.writer.write(&[Frame::close(code)]).await;
                }
                return Ok(Some(Seen::Closed(code)));
            }
            (Opcode::CONTINUATION, None) => return wrong("a continuation without a start"),
            (Opcode::CONTINUATION, Some((kind, mut bytes))) => {
                bytes.extend_from_slice(&frame.payload);
                self.piece(kind, bytes, frame.fin).await?;
            }
            (_, Some(_)) => return wrong("a new message inside another"),
            (Opcode::TEXT, None) => self.piece(Kind::Text, frame.payload, frame.fin).await?,
            (_, None) => self.piece(Kind::Binary, frame.payload, frame.fin).await?,
        }
        Ok(None)
    }

    async fn piece(&mut self, kind: Kind, bytes: Vec<u8>, is_whole: bool) -> Result<(), String> {
        if !is_whole {
            self.partial = Some((kind, bytes));
            return Ok(());
        }
        if kind == Kind::Text && std::str::from_utf8(&bytes).is_err() {
            return Err("a text message that is not UTF-8".to_owned());
        }
        let answers = self.listener.message(kind, bytes)?;
        if !answers.is_empty() {
            let _ = self.writer.write(&answers).await;
        }
        Ok(())
    }
}
