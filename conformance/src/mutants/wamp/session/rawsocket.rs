//! WAMP over rawsocket.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::talk::{Flow, Open, Talk};
use super::{Out, Realms};
use crate::mutants::wamp::Defect;
use crate::raw::wamp::{Serialization, rawsocket};

/// What is read at most: 2^18 bytes in a message.
const ROOM: u8 = 9;

pub(super) async fn serve(mut socket: TcpStream, realms: Arc<Realms>) {
    let mut octets = [0; 4];
    if socket.read_exact(&mut octets).await.is_err() {
        return;
    }
    let defect = realms.defect;
    let serializer = Serialization::ALL.get(usize::from(octets[1] & 0x0f).wrapping_sub(1)).copied();
    let is_reserved = octets[2..] != [0, 0] && defect != Some(Defect::RawReservedTaken);
    let (Some(serialization), false) = (serializer, is_reserved) else {
        let error = if is_reserved { 0x30 } else { 0x10 };
        let error = if defect == Some(Defect::RawErrorsAlike) { 0x20 } else { error };
        let _ = socket.write_all(&[rawsocket::MAGIC, error, 0, 0]).await;
        return;
    };
    let (mut read, write) = socket.into_split();
    let (out, messages) = unbounded_channel();
    let mut talk = Talk::new(realms, serialization, out.clone());
    let longest = rawsocket::longest(octets[1]);
    let longest = if defect == Some(Defect::RawLengthIgnored) { usize::MAX } else { longest };
    let reply = vec![rawsocket::MAGIC, ROOM << 4 | octets[1] & 0x0f, 0, 0];
    let writer = tokio::spawn(write_all(write, reply, messages, (serialization, longest), talk.open.clone()));
    let mut bytes = Vec::new();
    while frames(&mut bytes, &mut talk, &out) == Flow::On {
        if !matches!(read.read_buf(&mut bytes).await, Ok(1..)) {
            break;
        }
    }
    talk.leave();
    drop(talk);
    let _ = out.send(Out::Close);
    drop(out);
    let _ = writer.await;
    // What still comes is read, so that the last words are not lost in a reset.
    let mut rest = [0; 4096];
    let all = async { while matches!(read.read(&mut rest).await, Ok(1..)) {} };
    let _ = tokio::time::timeout(std::time::Duration::from_secs(1), all).await;
}

/// Takes the frames that are whole.
fn frames(bytes: &mut Vec<u8>, talk: &mut Talk, out: &UnboundedSender<Out>) -> Flow {
    let defect = talk.realms.defect;
    loop {
        let claims = bytes.first_chunk::<4>().map(|head| u32::from_be_bytes([0, head[1], head[2], head[3]]));
        if claims.is_some_and(|claims| claims as usize > rawsocket::longest(ROOM << 4)) {
            return Flow::End;
        }
        let Some((kind, payload)) = rawsocket::take(bytes) else { return Flow::On };
        match kind {
            rawsocket::MESSAGE if talk.hear(&payload) == Flow::On => {}
            rawsocket::PING if defect == Some(Defect::RawPingsUnanswered) => {}
            rawsocket::PING => drop(out.send(Out::Pong(payload))),
            rawsocket::PONG => {}
            3.. if defect == Some(Defect::RawUnknownTaken) => {}
            _ => return Flow::End,
        }
    }
}

/// Writes the reply, then messages that are not too long, until nobody can send any more.
async fn write_all(
    mut write: OwnedWriteHalf,
    reply: Vec<u8>,
    mut messages: UnboundedReceiver<Out>,
    (serialization, longest): (Serialization, usize),
    open: Open,
) {
    let mut bytes = reply;
    loop {
        if write.write_all(&bytes).await.is_err() {
            return;
        }
        let Some(out) = messages.recv().await else { return };
        bytes.clear();
        match out {
            Out::Message(value) => {
                open.see(&value);
                let message = serialization.encode(&value);
                if message.len() <= longest {
                    rawsocket::put(rawsocket::MESSAGE, &message, &mut bytes);
                }
            }
            Out::Pong(payload) => rawsocket::put(rawsocket::PONG, &payload, &mut bytes),
            Out::Close | Out::Fail(_) => {
                let _ = write.shutdown().await;
                return;
            }
        }
    }
}
