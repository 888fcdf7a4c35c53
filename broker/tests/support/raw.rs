//! A client on bare TCP: HTTP and RFC 6455 frames made and read by hand, so that nothing which the broker has
//! wrong can be wrong here in the same way.
#![allow(dead_code, reason = "each test takes the part that it needs")]

use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

/// The key and its answer of RFC 6455 1.3.
const KEY: &str = "dGhlIHNhbXBsZSBub25jZQ==";
const ACCEPT: &str = "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=";

/// The mask of every frame: not zero, so that a receiver that forgets to unmask is found out.
const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];

/// First bytes of frames: FIN and opcode (RFC 6455 5.2).
pub(crate) const CONTINUATION: u8 = 0x00;
pub(crate) const TEXT: u8 = 0x01;
pub(crate) const BINARY: u8 = 0x02;
pub(crate) const CLOSE: u8 = 0x88;
pub(crate) const PING: u8 = 0x89;
pub(crate) const PONG: u8 = 0x8a;
pub(crate) const FIN: u8 = 0x80;

/// A connection, over TCP unless said.
pub(crate) struct Raw<S = TcpStream> {
    stream: S,
    received: Vec<u8>,
}

/// An HTTP answer.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

/// A frame from the broker.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Frame {
    /// The first byte: FIN, RSV bits and opcode.
    pub(crate) first: u8,
    pub(crate) payload: Vec<u8>,
}

/// Fails a test that would otherwise hang. Nothing is measured by it.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    let patience = Duration::from_secs(30);
    tokio::time::timeout(patience, future).await.unwrap_or_else(|_| panic!("waited in vain for {what}"))
}

/// A frame as a client sends it: masked, with the shortest length form.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = frame_head(first, payload.len() as u64);
    bytes.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
    bytes
}

/// The head of a masked frame whose payload would have `len` bytes.
pub(crate) fn frame_head(first: u8, len: u64) -> Vec<u8> {
    let mut bytes = vec![first];
    match len {
        0..=125 => bytes.push(0x80 | len as u8),
        126..=0xffff => {
            bytes.push(0x80 | 0x7e);
            bytes.extend((len as u16).to_be_bytes());
        }
        _ => {
            bytes.push(0x80 | 0x7f);
            bytes.extend(len.to_be_bytes());
        }
    }
    bytes.extend(MASK);
    bytes
}

/// A whole message in one frame.
pub(crate) fn message(opcode: u8, payload: &[u8]) -> Vec<u8> {
    frame(FIN | opcode, payload)
}

/// A Close frame.
pub(crate) fn close(code: u16, reason: &[u8]) -> Vec<u8> {
    frame(CLOSE, &[&code.to_be_bytes(), reason].concat())
}

/// A correct handshake; `extra` are more header lines, each with its line end.
pub(crate) fn handshake(path: &str, extra: &str) -> String {
    format!(
        "GET {path} HTTP/1.1\r\nHost: petasus\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {KEY}\r\n{extra}\r\n"
    )
}

/// A request with a body.
pub(crate) fn request(method: &str, path: &str, extra: &str, body: &str) -> String {
    let length = body.len();
    format!("{method} {path} HTTP/1.1\r\nHost: petasus\r\nContent-Length: {length}\r\n{extra}\r\n{body}")
}

impl Raw {
    pub(crate) async fn connect(address: SocketAddr) -> Raw {
        let stream = TcpStream::connect(address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        Raw { stream, received: Vec::new() }
    }

    /// Connects with a receive buffer as small as the system allows.
    pub(crate) async fn connect_small(address: SocketAddr) -> Raw {
        let socket = TcpSocket::new_v4().unwrap();
        socket.set_recv_buffer_size(2048).unwrap();
        Raw { stream: socket.connect(address).await.unwrap(), received: Vec::new() }
    }

    /// Connects and opens a WebSocket.
    pub(crate) async fn open(address: SocketAddr, path: &str) -> Raw {
        let mut raw = Raw::connect(address).await;
        raw.upgrade(path, "").await;
        raw
    }

    /// Ends the connection with a reset, as a machine that has crashed and come back does.
    pub(crate) fn reset(self) {
        self.stream.set_zero_linger().unwrap();
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Raw<S> {
    /// A client on any stream.
    pub(crate) fn over(stream: S) -> Self {
        Self { stream, received: Vec::new() }
    }

    /// Opens a WebSocket on this connection.
    pub(crate) async fn upgrade(&mut self, path: &str, extra: &str) {
        self.send(handshake(path, extra)).await;
        self.check_accepted(path).await;
    }

    /// Reads a 101 and checks everything about it (REQ-WS-002).
    pub(crate) async fn check_accepted(&mut self, what: &str) {
        let answer = self.answer_head().await;
        assert_eq!(answer.status, 101, "{what}: {answer:?}");
        assert!(answer.header("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket")));
        assert!(answer.header("connection").is_some_and(|value| value.eq_ignore_ascii_case("upgrade")));
        assert_eq!(answer.header("sec-websocket-accept"), Some(ACCEPT));
        assert_eq!(answer.header("sec-websocket-protocol"), None);
        assert_eq!(answer.header("sec-websocket-extensions"), None);
    }

    /// Sends bytes. That the other side has closed is for the reader to find out.
    pub(crate) async fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let _ = soon("the broker to read", self.stream.write_all(bytes.as_ref())).await;
    }

    /// Ends the sending direction.
    pub(crate) async fn finish(&mut self) {
        self.stream.shutdown().await.unwrap();
    }

    /// The stream alone. What was received and not read is gone.
    pub(crate) fn into_stream(self) -> S {
        self.stream
    }

    /// The stream itself.
    pub(crate) fn stream(&mut self) -> &mut S {
        &mut self.stream
    }

    /// Posts a text on this connection, which is kept, and gives the status of the answer.
    pub(crate) async fn post(&mut self, path: &str, body: &str) -> u16 {
        self.send(request("POST", path, "", body)).await;
        self.answer().await.status
    }

    /// Reads an answer with its body.
    pub(crate) async fn answer(&mut self) -> Answer {
        let mut answer = self.answer_head().await;
        if let Some(length) = answer.header("content-length") {
            let length = length.parse().unwrap();
            self.fill(length).await;
            answer.body = self.take(length);
        } else {
            assert_eq!(answer.header("transfer-encoding"), None, "the broker has no reason to chunk");
        }
        answer
    }

    /// Reads an answer without a body, such as the one to HEAD.
    pub(crate) async fn answer_head(&mut self) -> Answer {
        let end = loop {
            if let Some(end) = self.received.windows(4).position(|window| window == b"\r\n\r\n") {
                break end;
            }
            assert!(self.read_more().await, "closed before an answer: {:?}", self.received);
        };
        let head = String::from_utf8(self.take(end + 4)).unwrap();
        let mut lines = head.lines();
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .filter_map(|line| line.split_once(':'))
            .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
            .collect();
        Answer { status, headers, body: Vec::new() }
    }

    /// The next frame; `None` when the connection has ended. What every frame of a server must be is checked
    /// (REQ-WS-012).
    pub(crate) async fn frame(&mut self) -> Option<Frame> {
        if !self.fill(2).await {
            return None;
        }
        let (first, short) = (self.received[0], self.received[1]);
        assert_eq!(first & 0x70, 0, "RSV bits are clear");
        assert_eq!(first & FIN, FIN, "the broker does not fragment");
        assert_eq!(short & 0x80, 0, "frames of a server are not masked");
        let head = match short {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        assert!(self.fill(head).await, "the connection ended inside a frame");
        let extended = &self.received[2..head];
        let length = extended.iter().fold(0, |sum: usize, byte| (sum << 8) | usize::from(*byte));
        match short {
            126 => assert!(length > 125, "the length form is the shortest"),
            127 => assert!(length > 0xffff, "the length form is the shortest"),
            _ => {}
        }
        let length = if head == 2 { usize::from(short) } else { length };
        assert!(self.fill(head + length).await, "the connection ended inside a frame");
        self.take(head);
        Some(Frame { first, payload: self.take(length) })
    }

    /// The next frame that is no ping; pings are answered.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        loop {
            match self.frame().await {
                Some(ping) if ping.first == PING => self.send(frame(PONG, &ping.payload)).await,
                other => return other,
            }
        }
    }

    /// The next message, which must be this one.
    pub(crate) async fn expect(&mut self, opcode: u8, payload: impl AsRef<[u8]>) {
        let frame = self.next().await.expect("the connection is open");
        assert_eq!(frame.first, FIN | opcode, "{frame:?}");
        assert!(frame.payload == payload.as_ref(), "{:?}", String::from_utf8_lossy(&frame.payload));
    }

    /// Comes back when the broker has acted on everything that was sent: it answers in order.
    pub(crate) async fn settle(&mut self) {
        self.send(frame(PING, b"settle")).await;
        assert_eq!(self.next().await, Some(Frame { first: PONG, payload: b"settle".to_vec() }));
    }

    /// The payload of the broker's Close frame, after which the connection must end.
    pub(crate) async fn expect_close(&mut self) -> Vec<u8> {
        let frame = self.next().await.expect("a Close frame before the end");
        assert_eq!(frame.first, CLOSE, "{frame:?}");
        self.expect_end().await;
        frame.payload
    }

    /// The connection ends without another byte.
    pub(crate) async fn expect_end(&mut self) {
        let more = self.read_more().await;
        assert!(!more && self.received.is_empty(), "more came: {:?}", self.received);
    }

    /// Closes as a client should, and waits for the reply and the end.
    pub(crate) async fn leave(mut self) {
        self.send(close(1000, b"")).await;
        assert_eq!(self.expect_close().await, 1000_u16.to_be_bytes());
    }

    async fn fill(&mut self, length: usize) -> bool {
        while self.received.len() < length {
            if !self.read_more().await {
                assert!(
                    self.received.is_empty(),
                    "the connection ended inside something: {:?}",
                    self.received
                );
                return false;
            }
        }
        true
    }

    /// Whether something came; an end and a reset are the same to us.
    async fn read_more(&mut self) -> bool {
        let read = soon("the broker to say something", self.stream.read_buf(&mut self.received)).await;
        read.unwrap_or(0) > 0
    }

    fn take(&mut self, length: usize) -> Vec<u8> {
        self.received.drain(..length).collect()
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}
