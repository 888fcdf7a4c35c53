//! Over a stream of bytes, whose frames have a type and a length (WAMP, Raw Socket Transport).

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use super::Tongue;
use crate::driver::{
    Fut, Greeting, Inbox, Met, OpenError, PortError, ReadSide, Seen, Speaker, Spelled, Target, WriteSide,
};
use crate::model::{Form, Message};
use crate::raw::wamp::{Value, rawsocket};

/// Opens one by these octets. Whatever is answered is told; a reply that takes up the serialiser opens it.
pub(super) async fn open(
    target: &Target,
    greeting: [u8; 4],
    tongue: Tongue,
    inbox: Inbox,
) -> Result<Met, OpenError> {
    let dialled = target.dial().await;
    let mut stream = dialled.map_err(|error| OpenError::Unreachable(error.to_string()))?;
    let broken = |error: std::io::Error| OpenError::Protocol(error.to_string());
    stream.write.write_all(&greeting).await.map_err(broken)?;
    let mut reply = Vec::new();
    while reply.len() < greeting.len() {
        // An end of any kind is an answer: a short one.
        if !matches!(stream.read.read_buf(&mut reply).await, Ok(1..)) {
            break;
        }
    }
    let rest = reply.split_off(reply.len().min(greeting.len()));
    let is_taken = matches!(reply[..], [rawsocket::MAGIC, said, ..] if said & 0x0f == greeting[1] & 0x0f && said & 0x0f != 0);
    let met = Greeting::Octets(reply);
    if !is_taken {
        return Ok(Met { greeting: met, speaker: None });
    }
    let reader = tokio::spawn(read(stream.read, rest, tongue.clone(), inbox));
    Ok(Met { greeting: met, speaker: Some(Box::new(RawSocket { write: stream.write, reader, tongue })) })
}

struct RawSocket {
    write: WriteSide,
    reader: JoinHandle<()>,
    tongue: Tongue,
}

impl Drop for RawSocket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Speaker for RawSocket {
    fn spell(&self, message: &Message, heard: &[Vec<Value>]) -> Spelled {
        self.tongue.spell(message, heard)
    }

    fn write<'a>(&'a mut self, said: &'a [Spelled]) -> Fut<'a, Result<(), PortError>> {
        let mut bytes = Vec::new();
        for one in said {
            match one.form {
                Form::Text | Form::Binary => rawsocket::put(rawsocket::MESSAGE, &one.bytes, &mut bytes),
                Form::Ping => rawsocket::put(rawsocket::PING, &one.bytes, &mut bytes),
                Form::Pong => rawsocket::put(rawsocket::PONG, &one.bytes, &mut bytes),
                Form::Octets => bytes.extend_from_slice(&one.bytes),
            }
        }
        Box::pin(
            async move { self.write.write_all(&bytes).await.map_err(|error| PortError(error.to_string())) },
        )
    }
}

async fn read(mut read: ReadSide, mut bytes: Vec<u8>, tongue: Tongue, inbox: Inbox) {
    loop {
        while let Some((kind, payload)) = rawsocket::take(&mut bytes) {
            match kind {
                rawsocket::MESSAGE => inbox.put(tongue.heard(tongue.form(), payload)),
                rawsocket::PING => inbox.put(Seen::Heard(Form::Ping, payload, Vec::new())),
                // Like a message that begins with its bytes, so that it can be waited for.
                rawsocket::PONG => {
                    let items = vec![Value::Bytes(payload.clone())];
                    inbox.put(Seen::Heard(Form::Pong, payload, items));
                }
                other => return inbox.put(Seen::Broken(format!("a frame of type {other}"))),
            }
        }
        match read.read_buf(&mut bytes).await {
            Ok(0) => return inbox.put(Seen::Eof(false)),
            Ok(_) => {}
            Err(_) => return inbox.put(Seen::Eof(true)),
        }
    }
}
