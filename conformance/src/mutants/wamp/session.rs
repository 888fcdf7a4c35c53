//! One session: handshake, messages in, messages out.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::router::{Router, Session};
use crate::raw::wamp::{Serialization, Value, code};
use crate::raw::{Decoder, Frame, Opcode, Side, accept_key, read_head};

/// A router that sessions share.
pub(super) type Shared = Arc<Mutex<Router>>;

/// What goes to a client.
pub(super) enum Out {
    /// A message.
    Message(Value),
    /// The end.
    Close,
}

pub(super) async fn serve(mut socket: TcpStream, id: u64, router: Shared) {
    let Ok(head) = read_head(&mut socket).await else { return };
    let wanted = head.field("sec-websocket-protocol").map(str::to_owned);
    let known = Serialization::ALL.into_iter().find(|one| wanted.as_deref() == Some(one.subprotocol()));
    let (Some(serialization), Some(key)) = (known, head.field("sec-websocket-key")) else {
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        return;
    };
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Protocol: {}\r\nSec-WebSocket-Accept: {}\r\n\r\n",
        serialization.subprotocol(),
        accept_key(key)
    );
    let _ = socket.set_nodelay(true);
    let (mut read, write) = socket.into_split();
    let (out, messages) = unbounded_channel();
    let writer = tokio::spawn(write_all(write, answer, messages, serialization));
    let mut decoder = Decoder::new(Side::Client, &head.rest);
    let mut partial = Vec::new();
    'reading: loop {
        while let Ok(Some(frame)) = decoder.frame() {
            match frame.opcode {
                Opcode::CLOSE => break 'reading,
                Opcode::PING | Opcode::PONG => continue,
                _ => partial.extend(frame.payload),
            }
            if !frame.fin {
                continue;
            }
            let Ok(message) = serialization.decode(&std::mem::take(&mut partial)) else { break 'reading };
            let items = message.items().unwrap_or_default();
            if items.first() == Some(&Value::Int(code::HELLO)) {
                lock(&router).sessions.insert(id, Session { out: out.clone() });
                let _ = out.send(Out::Message(welcome(id)));
            } else if items.first() == Some(&Value::Int(code::GOODBYE)) {
                lock(&router).leave(id);
                let reason = Value::from("wamp.close.goodbye_and_out");
                let goodbye = [Value::Int(code::GOODBYE), Value::map([]), reason];
                let _ = out.send(Out::Message(Value::List(goodbye.into())));
            } else if !Router::hear(&router, id, items) {
                break 'reading;
            }
        }
        if !matches!(read.read_buf(decoder.buffer()).await, Ok(1..)) {
            break;
        }
    }
    lock(&router).leave(id);
    let _ = out.send(Out::Close);
    drop(out);
    let _ = writer.await;
}

pub(super) fn lock(router: &Mutex<Router>) -> MutexGuard<'_, Router> {
    router.lock().unwrap_or_else(PoisonError::into_inner)
}

fn welcome(id: u64) -> Value {
    let features = |names: &[&str]| {
        let all = Value::map(names.iter().map(|&name| (name, Value::from(true))));
        Value::map([("features", all)])
    };
    let broker = features(&[
        "pattern_based_subscription",
        "subscriber_blackwhite_listing",
        "publisher_identification",
        "publisher_exclusion",
    ]);
    let dealer =
        features(&["progressive_call_results", "call_canceling", "call_timeout", "shared_registration"]);
    let roles = Value::map([("broker", broker), ("dealer", dealer)]);
    Value::List(vec![Value::Int(code::WELCOME), Value::from(id), Value::map([("roles", roles)])])
}

/// Writes the answer, then messages, until nobody can send any more.
async fn write_all(
    mut write: tokio::net::tcp::OwnedWriteHalf,
    answer: String,
    mut messages: UnboundedReceiver<Out>,
    serialization: Serialization,
) {
    let opcode = if serialization.is_text() { Opcode::TEXT } else { Opcode::BINARY };
    let mut bytes = answer.into_bytes();
    loop {
        if write.write_all(&bytes).await.is_err() {
            return;
        }
        let Some(out) = messages.recv().await else { return };
        bytes.clear();
        match out {
            Out::Message(value) => Frame::new(opcode, serialization.encode(&value)).encode(None, &mut bytes),
            Out::Close => {
                Frame::close(Some(1000)).encode(None, &mut bytes);
                let _ = write.write_all(&bytes).await;
                let _ = write.shutdown().await;
                return;
            }
        }
    }
}
