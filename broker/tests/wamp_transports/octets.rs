//! A rawsocket client on any stream, its handshake and headers made by hand.

use petasus_protocol::wamp::{Limits, Message, Serializer};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

use crate::hello;
use crate::raw::soon;

pub(crate) const MESSAGE: u8 = 0;
pub(crate) const PING: u8 = 1;
pub(crate) const PONG: u8 = 2;

pub(crate) struct Octets<S> {
    pub(crate) stream: S,
    serializer: Serializer,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Octets<S> {
    /// Shakes hands; takes messages of 16 MiB.
    pub(crate) async fn open(stream: S, serializer: Serializer) -> Self {
        let mut octets = Self { stream, serializer };
        let reply = octets.shake(0xF0 | number(serializer)).await;
        assert_eq!((reply[0], reply[1] & 0x0F, &reply[2..]), (0x7F, number(serializer), &[0, 0][..]));
        octets
    }

    /// On a stream on which a handshake was sent already.
    pub(crate) async fn open_after(stream: S, serializer: Serializer) -> Self {
        let mut octets = Self { stream, serializer };
        let reply = octets.four().await.expect("an answer to the handshake");
        assert_eq!((reply[0], reply[1] & 0x0F), (0x7F, number(serializer)));
        octets
    }

    /// As `open`, with a session in the realm `default`.
    pub(crate) async fn join(stream: S, serializer: Serializer) -> Self {
        let mut octets = Self::open(stream, serializer).await;
        octets.say(&hello("default")).await;
        let welcome = octets.hear().await;
        assert!(matches!(welcome, Message::Welcome(_)), "{welcome:?}");
        octets
    }

    /// Sends a handshake with this second octet; the answer.
    async fn shake(&mut self, second: u8) -> [u8; 4] {
        self.stream.write_all(&[0x7F, second, 0, 0]).await.unwrap();
        self.four().await.expect("an answer to the handshake")
    }

    pub(crate) async fn say(&mut self, message: &Message) {
        self.send(MESSAGE, &message.encode(self.serializer)).await;
    }

    pub(crate) async fn send(&mut self, kind: u8, payload: &[u8]) {
        let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
        let frame = [&[kind, length[1], length[2], length[3]], payload].concat();
        soon("the broker to read", self.stream.write_all(&frame)).await.unwrap();
    }

    /// The next message, which must come; pings are answered.
    pub(crate) async fn hear(&mut self) -> Message {
        loop {
            let (kind, payload) = self.frame().await.expect("the connection is open");
            match kind {
                PING => self.send(PONG, &payload).await,
                MESSAGE => {
                    return Message::decode(self.serializer, &payload.into(), &Limits::default())
                        .expect("WAMP");
                }
                kind => panic!("a frame of type {kind}"),
            }
        }
    }

    pub(crate) async fn frame(&mut self) -> Option<(u8, Vec<u8>)> {
        let [kind, high, middle, low] = self.four().await?;
        let mut payload = vec![0; u32::from_be_bytes([0, high, middle, low]) as usize];
        soon("a frame", self.stream.read_exact(&mut payload)).await.unwrap();
        Some((kind, payload))
    }

    /// The connection ends, and nothing comes before.
    pub(crate) async fn expect_end(&mut self) {
        assert_eq!(self.four().await, None);
    }

    async fn four(&mut self) -> Option<[u8; 4]> {
        let mut four = [0; 4];
        soon("four octets", self.stream.read_exact(&mut four)).await.ok().map(|_| four)
    }
}

pub(crate) fn number(serializer: Serializer) -> u8 {
    match serializer {
        Serializer::Json => 1,
        Serializer::MsgPack => 2,
        Serializer::Cbor => 3,
    }
}
