//! WAMP over WebSocket (WAMP, WebSocket Transport), also in batches.

use std::sync::Arc;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::talk::{Flow, Open, Talk};
use super::{Out, Realms};
use crate::mutants::wamp::Defect;
use crate::raw::wamp::{Batch, Serialization};
use crate::raw::{Decoder, Frame, Head, Opcode, Side, accept_key, read_head};

/// What was agreed on.
#[derive(Clone, Copy)]
struct Spoken {
    serialization: Serialization,
    /// Whether messages come in batches.
    batched: bool,
}

impl Spoken {
    fn all() -> impl Iterator<Item = Self> {
        let both = |serialization| [false, true].map(|batched| Self { serialization, batched });
        Serialization::ALL.into_iter().flat_map(both)
    }

    fn name(self) -> String {
        let name = self.serialization.subprotocol();
        if self.batched { format!("{name}.batched") } else { name.to_owned() }
    }

    /// The first that is known of those that are offered.
    fn of(head: &Head, defect: Option<Defect>) -> Option<Self> {
        let offered: Vec<&str> = head
            .fields
            .iter()
            .filter(|(name, _)| name == "sec-websocket-protocol")
            .flat_map(|(_, value)| value.split(',').map(str::trim))
            .collect();
        if defect == Some(Defect::OffersInOurOrder) {
            return Self::all().find(|known| offered.contains(&&*known.name()));
        }
        let known = offered.iter().find_map(|name| Self::all().find(|known| known.name() == *name));
        known.or_else(|| (defect == Some(Defect::AnyOfferTaken)).then(|| Self::all().next())?)
    }
}

pub(super) async fn serve(mut socket: TcpStream, realms: Arc<Realms>) {
    let Ok(head) = read_head(&mut socket).await else { return };
    let defect = realms.defect;
    let (Some(spoken), Some(key)) = (Spoken::of(&head, defect), head.field("sec-websocket-key")) else {
        let known: Vec<String> = Spoken::all().map(Spoken::name).collect();
        let text = format!("offer one of {}\n", known.join(", "));
        let answer = format!("HTTP/1.1 400 Bad Request\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        let _ = socket.write_all(answer.as_bytes()).await;
        return;
    };
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Protocol: {}\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        spoken.name(),
        accept_key(key)
    );
    let (mut read, write) = socket.into_split();
    let (out, messages) = unbounded_channel();
    let mut talk = Talk::new(realms, spoken.serialization, out.clone());
    let writer = tokio::spawn(write_all(write, answer, messages, spoken, talk.open.clone()));
    let mut decoder = Decoder::new(Side::Client, &head.rest);
    let mut partial = Vec::new();
    let mut is_own = true;
    'reading: loop {
        while let Ok(Some(frame)) = decoder.frame() {
            match frame.opcode {
                Opcode::CLOSE => break 'reading,
                Opcode::PING | Opcode::PONG => continue,
                Opcode::CONTINUATION => {}
                opcode => is_own = opcode == spoken.opcode(),
            }
            if !is_own && talk.violated(Defect::KindsUnchecked) == Flow::End {
                break 'reading;
            }
            partial.extend(frame.payload);
            if frame.fin && spoken.hear(&mut talk, &std::mem::take(&mut partial)) == Flow::End {
                break 'reading;
            }
        }
        if !matches!(read.read_buf(decoder.buffer()).await, Ok(1..)) {
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

impl Spoken {
    fn opcode(self) -> Opcode {
        if self.serialization.is_text() { Opcode::TEXT } else { Opcode::BINARY }
    }

    fn hear(self, talk: &mut Talk, bytes: &[u8]) -> Flow {
        if !self.batched {
            return talk.hear(bytes);
        }
        let Some(messages) = Batch::split(self.serialization, bytes) else {
            return talk.violated(Defect::GarbageTaken);
        };
        let most = if talk.realms.defect == Some(Defect::BatchesOfOne) { 1 } else { usize::MAX };
        for message in messages.into_iter().take(most) {
            if talk.hear(message) == Flow::End {
                return Flow::End;
            }
        }
        Flow::On
    }
}

/// Writes the answer, then messages, until nobody can send any more.
async fn write_all(
    mut write: OwnedWriteHalf,
    answer: String,
    mut messages: UnboundedReceiver<Out>,
    spoken: Spoken,
    open: Open,
) {
    let mut bytes = answer.into_bytes();
    loop {
        if write.write_all(&bytes).await.is_err() {
            return;
        }
        let Some(out) = messages.recv().await else { return };
        bytes.clear();
        let code = match out {
            Out::Message(value) => {
                open.see(&value);
                let mut message = spoken.serialization.encode(&value);
                if spoken.batched {
                    message = Batch::join(spoken.serialization, &[message]);
                }
                Frame::new(spoken.opcode(), message).encode(None, &mut bytes);
                continue;
            }
            Out::Pong(payload) => {
                Frame::new(Opcode::PONG, payload).encode(None, &mut bytes);
                continue;
            }
            Out::Close => 1000,
            Out::Fail(code) => code,
        };
        Frame::close(Some(code)).encode(None, &mut bytes);
        let _ = write.write_all(&bytes).await;
        let _ = write.shutdown().await;
        return;
    }
}
