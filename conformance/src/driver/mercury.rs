//! Mercury: one WebSocket for each role at a topic, bare payloads.
//!
//! Barriers: membership begins before the 101 (REQ-LIF-003), so that opening proves it. A ping that is answered proves
//! that everything before it was read, as one connection is read in order.

use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;

use data_encoding::BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::Mutex;
use tokio::task::JoinHandle;

use super::{About, Driver, Fut, Inbox, OpenError, Opened, Opening, Port, PortError, Seen, Target};
use crate::caps::Caps;
use crate::history::Proof;
use crate::model::{Kind, Role};
use crate::plan::Spelling;
use crate::raw::{Decoder, Frame, Opcode, Side, accept_key, read_head};

/// What the pings of barriers begin with.
const MARK: &str = "mark ";

/// The driver.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mercury;

impl Driver for Mercury {
    fn about(&self) -> About {
        About { name: "mercury", profiles: &["ws", "mercury"] }
    }

    fn claims(&self) -> Caps {
        Caps::of([
            "bus",
            "bus.echo",
            "bus.total_order",
            "pubsub",
            "pubsub.hierarchy",
            "pushpull",
            "pushpull.strict",
            "http.post",
            "origin",
            "payload.binary",
            "payload.empty",
            "utf8.strict",
            "limits.message",
            "limits.topic",
            "close_codes",
        ])
    }

    fn open<'a>(
        &'a self,
        target: &'a Target,
        opening: &'a Opening<'a>,
        inbox: Inbox,
    ) -> Fut<'a, Result<Opened, OpenError>> {
        Box::pin(async move {
            let (socket, rest) = handshake(target, &path(opening)).await?;
            let (read, write) = socket.into_split();
            let write = Arc::new(Mutex::new(write));
            let leaving = Arc::new(AtomicBool::new(false));
            let reader = Reader {
                read,
                write: Arc::clone(&write),
                leaving: Arc::clone(&leaving),
                decoder: Decoder::new(Side::Server, &rest),
                partial: None,
                inbox,
            };
            let reader = tokio::spawn(reader.run());
            Ok(Opened { port: Box::new(Socket { write, leaving, reader }), proof: Proof::Proved })
        })
    }
}

/// The path and the query of an address.
fn path(opening: &Opening<'_>) -> String {
    let door = opening.door;
    let role = match door.role {
        Role::Bus => "bus",
        Role::Pub => "pub",
        Role::Sub => "sub",
        Role::Push => "push",
        Role::Pull => "pull",
    };
    let mut path = format!("/{role}/{}/", opening.namespace);
    for letter in door.topic.as_str().chars() {
        let as_it_is = match opening.spelling {
            Spelling::Usual => letter == '/' || letter.is_ascii_alphanumeric() || "-_.~".contains(letter),
            // What ends a path, a request line or an escape cannot stand for itself.
            Spelling::Raw => !"?#% ".contains(letter) && !letter.is_control(),
            Spelling::Escaped => letter == '/',
        };
        if as_it_is {
            path.push(letter);
            continue;
        }
        for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
            write!(path, "%{byte:02X}").expect("a string takes all");
        }
    }
    path.push_str(opening.suffix);
    if door.echo {
        path.push_str("?echo=1");
    }
    path
}

/// Opens a WebSocket. The bytes are what came behind the answer.
async fn handshake(target: &Target, path: &str) -> Result<(TcpStream, Vec<u8>), OpenError> {
    let unreachable = |error: std::io::Error| OpenError::Unreachable(error.to_string());
    let mut socket = TcpStream::connect(target.address).await.map_err(unreachable)?;
    socket.set_nodelay(true).map_err(unreachable)?;
    let key = BASE64.encode(&fastrand::u128(..).to_be_bytes());
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n",
        target.host
    );
    let broken = |error: std::io::Error| OpenError::Protocol(error.to_string());
    socket.write_all(request.as_bytes()).await.map_err(broken)?;
    let head = read_head(&mut socket).await.map_err(|error| OpenError::Protocol(error.to_string()))?;
    match head.status() {
        Some(101) if head.field("sec-websocket-accept") == Some(&*accept_key(&key)) => {
            Ok((socket, head.rest))
        }
        Some(101) => Err(OpenError::Protocol("101 with a wrong Sec-WebSocket-Accept".to_owned())),
        Some(status) => Err(OpenError::Rejected { status }),
        None => Err(OpenError::Protocol(head.start)),
    }
}

/// The sending side.
struct Socket {
    write: Arc<Mutex<OwnedWriteHalf>>,
    /// Whether the close handshake was begun here: its reply is not replied to.
    leaving: Arc<AtomicBool>,
    reader: JoinHandle<()>,
}

impl Drop for Socket {
    fn drop(&mut self) {
        // With the reader goes its half of the socket.
        self.reader.abort();
    }
}

impl Socket {
    async fn write(&self, frames: &[Frame]) -> Result<(), PortError> {
        write(&self.write, frames).await.map_err(|error| PortError(error.to_string()))
    }
}

impl Port for Socket {
    fn send<'a>(&'a mut self, kind: Kind, payload: &'a [u8], pieces: u8) -> Fut<'a, Result<(), PortError>> {
        let opcode = match kind {
            Kind::Text => Opcode::TEXT,
            Kind::Binary => Opcode::BINARY,
        };
        Box::pin(async move { self.write(&Frame::message(opcode, payload, pieces)).await })
    }

    fn mark(&mut self, mark: u64) -> Fut<'_, Result<(), PortError>> {
        Box::pin(async move { self.write(&[Frame::new(Opcode::PING, format!("{MARK}{mark}"))]).await })
    }

    fn leave(&mut self) -> Fut<'_, Result<(), PortError>> {
        self.leaving.store(true, Relaxed);
        Box::pin(async move { self.write(&[Frame::close(Some(1000))]).await })
    }
}

/// Writes frames, masked, in one go.
async fn write(to: &Mutex<OwnedWriteHalf>, frames: &[Frame]) -> std::io::Result<()> {
    let mut bytes = Vec::new();
    for frame in frames {
        frame.encode(Some(fastrand::u32(..).to_be_bytes()), &mut bytes);
    }
    to.lock().await.write_all(&bytes).await
}

/// The receiving side.
struct Reader {
    read: OwnedReadHalf,
    write: Arc<Mutex<OwnedWriteHalf>>,
    leaving: Arc<AtomicBool>,
    decoder: Decoder,
    /// A message that is not whole.
    partial: Option<(Kind, Vec<u8>)>,
    inbox: Inbox,
}

impl Reader {
    async fn run(mut self) {
        let end = loop {
            match self.decoder.frame() {
                Ok(Some(frame)) => match self.frame(frame).await {
                    Ok(None) => {}
                    Ok(Some(end)) | Err(end) => break end,
                },
                Ok(None) => match self.read.read_buf(self.decoder.buffer()).await {
                    Ok(0) | Err(_) => break Seen::Closed(None),
                    Ok(_) => {}
                },
                Err(error) => break Seen::Broken(error.to_string()),
            }
        };
        self.inbox.put(end);
    }

    /// Err: what the broker did wrong. Some: the end.
    async fn frame(&mut self, frame: Frame) -> Result<Option<Seen>, Seen> {
        let wrong = |what: &str| Err(Seen::Broken(what.to_owned()));
        match (frame.opcode, self.partial.take()) {
            (Opcode::PING, partial) => {
                self.partial = partial;
                // A socket that is closed takes no pong; reading tells.
                let _ = write(&self.write, &[Frame::new(Opcode::PONG, frame.payload)]).await;
            }
            (Opcode::PONG, partial) => {
                self.partial = partial;
                let text = String::from_utf8_lossy(&frame.payload);
                if let Some(mark) = text.strip_prefix(MARK).and_then(|mark| mark.parse().ok()) {
                    self.inbox.put(Seen::Passed(mark, Proof::Proved));
                }
            }
            (Opcode::CLOSE, _) => {
                let code = frame.close_code();
                if !self.leaving.load(Relaxed) {
                    let _ = write(&self.write, &[Frame::close(code)]).await;
                }
                return Ok(Some(Seen::Closed(code)));
            }
            (Opcode::CONTINUATION, None) => return wrong("a continuation without a start"),
            (Opcode::CONTINUATION, Some((kind, mut bytes))) => {
                bytes.extend_from_slice(&frame.payload);
                return self.message(kind, bytes, frame.fin);
            }
            (_, Some(_)) => return wrong("a new message inside another"),
            (Opcode::TEXT, None) => return self.message(Kind::Text, frame.payload, frame.fin),
            (_, None) => return self.message(Kind::Binary, frame.payload, frame.fin),
        }
        Ok(None)
    }

    fn message(&mut self, kind: Kind, bytes: Vec<u8>, is_whole: bool) -> Result<Option<Seen>, Seen> {
        if !is_whole {
            self.partial = Some((kind, bytes));
        } else if kind == Kind::Text && std::str::from_utf8(&bytes).is_err() {
            return Err(Seen::Broken("a text message that is not UTF-8".to_owned()));
        } else {
            self.inbox.put(Seen::Message(kind, bytes));
        }
        Ok(None)
    }
}
