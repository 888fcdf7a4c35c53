//! Over WebSocket, one message in each of its messages or several.

use data_encoding::BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;

use super::super::PATH;
use super::Tongue;
use crate::driver::{
    Fut, Greeting, Inbox, Met, OpenError, PortError, ReadSide, Seen, Speaker, Spelled, Target, WriteSide,
};
use crate::model::{Form, Line, Message};
use crate::raw::wamp::{Batch, Value};
use crate::raw::{Decoder, Frame, Opcode, Side, read_answer};

/// Opens one, with whatever answer.
pub(super) async fn open(
    target: &Target,
    line: &Line,
    tongue: Tongue,
    inbox: Inbox,
) -> Result<Met, OpenError> {
    let path = if target.path.is_empty() { PATH } else { &target.path };
    let unreachable = |error: std::io::Error| OpenError::Unreachable(error.to_string());
    let mut stream = target.dial().await.map_err(unreachable)?;
    let batched = if line.batched { ".batched" } else { "" };
    let usual = || vec![format!("{}{batched}", tongue.serialization.subprotocol())];
    let offers = line.offers.clone().unwrap_or_else(usual);
    let offers = match offers.len() {
        0 => String::new(),
        _ => format!("Sec-WebSocket-Protocol: {}\r\n", offers.join(", ")),
    };
    let origin = target.origin.as_ref().map_or_else(String::new, |origin| format!("Origin: {origin}\r\n"));
    let key = BASE64.encode(&fastrand::u128(..).to_be_bytes());
    let request = format!(
        "GET {path} HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n{offers}{origin}\r\n",
        target.host
    );
    let broken = |why: String| OpenError::Protocol(why);
    stream.write.write_all(request.as_bytes()).await.map_err(|error| broken(error.to_string()))?;
    let answer = read_answer(Vec::new(), &mut stream.read, false).await;
    let answer = answer.map_err(|error| broken(error.to_string()))?;
    let status = answer.head.status().unwrap_or_default();
    let greeting = Greeting::Http { status, fields: answer.head.fields, body: answer.body };
    if status != 101 {
        return Ok(Met { greeting, speaker: None });
    }
    let decoder = Decoder::new(Side::Server, &answer.head.rest);
    let reader = tokio::spawn(read(stream.read, decoder, tongue.clone(), line.batched, inbox));
    let speaker = WebSocket { write: stream.write, reader, tongue, batched: line.batched };
    Ok(Met { greeting, speaker: Some(Box::new(speaker)) })
}

struct WebSocket {
    write: WriteSide,
    reader: JoinHandle<()>,
    tongue: Tongue,
    batched: bool,
}

impl Drop for WebSocket {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Speaker for WebSocket {
    fn spell(&self, message: &Message, heard: &[Vec<Value>]) -> Spelled {
        self.tongue.spell(message, heard)
    }

    fn write<'a>(&'a mut self, said: &'a [Spelled]) -> Fut<'a, Result<(), PortError>> {
        let mut bytes = Vec::new();
        let frames = if self.batched {
            let messages: Vec<Vec<u8>> = said.iter().map(|one| one.bytes.clone()).collect();
            let form = self.tongue.form();
            vec![Spelled { form, bytes: Batch::join(self.tongue.serialization, &messages) }]
        } else {
            said.to_vec()
        };
        for Spelled { form, bytes: payload } in frames {
            let opcode = match form {
                Form::Text => Opcode::TEXT,
                Form::Binary => Opcode::BINARY,
                Form::Ping => Opcode::PING,
                Form::Pong => Opcode::PONG,
                Form::Octets => {
                    bytes.extend(payload);
                    continue;
                }
            };
            Frame::new(opcode, payload).encode(Some(fastrand::u32(..).to_be_bytes()), &mut bytes);
        }
        Box::pin(
            async move { self.write.write_all(&bytes).await.map_err(|error| PortError(error.to_string())) },
        )
    }
}

/// Reads until the end. A Close frame is the end; the client's side of it is said by going.
async fn read(mut read: ReadSide, mut decoder: Decoder, tongue: Tongue, batched: bool, inbox: Inbox) {
    let mut partial = Vec::new();
    let mut form = Form::Binary;
    loop {
        let frame = match decoder.frame() {
            Ok(Some(frame)) => frame,
            Ok(None) => match read.read_buf(decoder.buffer()).await {
                Ok(0) => return inbox.put(Seen::Eof(false)),
                Ok(_) => continue,
                Err(_) => return inbox.put(Seen::Eof(true)),
            },
            Err(error) => return inbox.put(Seen::Broken(error.to_string())),
        };
        match frame.opcode {
            Opcode::CLOSE => return inbox.put(Seen::Closed(frame.close_code())),
            // Nobody waits for an answer while a case runs.
            Opcode::PING => continue,
            Opcode::PONG => {
                inbox.put(Seen::Heard(Form::Pong, frame.payload, Vec::new()));
                continue;
            }
            Opcode::TEXT => form = Form::Text,
            Opcode::BINARY => form = Form::Binary,
            _ => {}
        }
        partial.extend(frame.payload);
        if !frame.fin {
            continue;
        }
        let bytes = std::mem::take(&mut partial);
        let batch = if batched { Batch::split(tongue.serialization, &bytes) } else { None };
        match batch {
            Some(messages) => {
                for one in messages {
                    inbox.put(tongue.heard(form, one.to_vec()));
                }
            }
            None => inbox.put(tongue.heard(form, bytes)),
        }
    }
}
