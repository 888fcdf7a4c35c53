//! The far end of a connection inside this process: rawsocket frames through a pipe in memory.
//!
//! Long-poll and the sessions of an embedding program are such connections, so that nothing of what a session is
//! exists twice.

use std::sync::Arc;

use bytes::{Buf, Bytes, BytesMut};
use petasus_protocol::wamp::rawsocket::{FrameHeader, FrameKind, HEADER_LEN, MAX_MESSAGE};
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf};
use tokio::sync::mpsc;

use super::wire::{Framing, Wire, put_raw};
use super::{Connection, Conversation, Stream};
use crate::auth::{Client, Who};
use crate::core::Core;
use crate::session::{Session, Transport};

/// What the pipe holds in each direction, in bytes.
const PIPE: usize = 16 * 1024;

/// The side of the client.
pub(crate) struct FarEnd(DuplexStream);

/// Where the messages for the client go.
pub(crate) trait Takes: Sync {
    /// A WAMP message.
    fn take(&self, message: Bytes);

    /// Ready when another message may come; until then none is read.
    fn room(&self) -> impl Future<Output = ()> + Send;
}

impl FarEnd {
    /// Opens a connection that takes a place like any other; the error says why there is none. `known`: who the
    /// client is, if nobody has to ask.
    pub(crate) fn open(
        core: &Arc<Core>,
        transport: Transport,
        client: Option<Arc<Client>>,
        known: Option<Who>,
    ) -> Result<Self, &'static str> {
        let wire = Wire::Wamp(transport.serializer, Framing::RawSocket);
        let outbox = core.new_session_outbox(wire, MAX_MESSAGE);
        let listed = core.list(&outbox)?;
        core.metrics.accepted();
        let session = Session::new(core.clone(), outbox, transport, client).known_as(known);
        let conversation = Conversation::session(core, session, false);
        let (near, far) = tokio::io::duplex(PIPE);
        let stream = Stream::Other(Box::new(near));
        tokio::spawn(Connection::new(core.clone(), conversation, stream, listed).run(Bytes::new()));
        Ok(Self(far))
    }

    /// Carries messages until the connection ends, or all senders of `outgoing` are gone. What comes out of that
    /// is frames, as [`frame`] makes them; `pongs` is a sender of it.
    pub(crate) async fn run(
        self,
        mut outgoing: mpsc::Receiver<Bytes>,
        pongs: mpsc::WeakSender<Bytes>,
        to: &impl Takes,
    ) {
        let (reader, mut writer) = tokio::io::split(self.0);
        let write = async {
            while let Some(frames) = outgoing.recv().await {
                if writer.write_all(&frames).await.is_err() {
                    // What the connection said at its end is still to be read.
                    std::future::pending::<()>().await;
                }
            }
        };
        tokio::select! {
            () = write => {}
            () = read(reader, pongs, to) => {}
        }
    }
}

/// A message in its frame; longer ones than [`MAX_MESSAGE`] have none, and are left out.
pub(crate) fn frame(message: &[u8], frames: &mut Vec<u8>) {
    put_raw(FrameKind::Message, message, frames);
}

/// Reads to the end.
async fn read(mut reader: ReadHalf<DuplexStream>, pongs: mpsc::WeakSender<Bytes>, to: &impl Takes) {
    let mut buffer = BytesMut::new();
    loop {
        while let Some((kind, payload)) = next(&mut buffer) {
            match kind {
                FrameKind::Message => {
                    to.take(payload);
                    to.room().await;
                }
                FrameKind::Ping => {
                    let mut pong = Vec::new();
                    put_raw(FrameKind::Pong, &payload, &mut pong);
                    // Whoever has a full pipe of messages to send is alive without it.
                    let _ = pongs.upgrade().map(|pongs| pongs.try_send(pong.into()));
                }
                FrameKind::Pong => {}
            }
        }
        if !matches!(reader.read_buf(&mut buffer).await, Ok(1..)) {
            return;
        }
    }
}

/// Takes a whole frame from the buffer.
fn next(buffer: &mut BytesMut) -> Option<(FrameKind, Bytes)> {
    let header: [u8; HEADER_LEN] = buffer.get(..HEADER_LEN)?.try_into().ok()?;
    let header = FrameHeader::decode(header, MAX_MESSAGE).expect("the broker's own frames are well-formed");
    if buffer.len() < HEADER_LEN + header.length {
        buffer.reserve(HEADER_LEN + header.length - buffer.len());
        return None;
    }
    buffer.advance(HEADER_LEN);
    Some((header.kind, buffer.split_to(header.length).freeze()))
}
