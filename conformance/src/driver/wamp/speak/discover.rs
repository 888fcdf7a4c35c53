//! What a router has beside what WELCOME says: serialisations, transports and realms, each tried once.

use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::unbounded_channel;
use tokio::time::timeout;

use super::super::Wamp;
use crate::driver::{Inbox, Seen, Speaking, Target};
use crate::history::Conn;
use crate::model::{Form, Item, Line, Message};
use crate::namespace::Namespaces;
use crate::raw::wamp::{Serialization, Value, code, rawsocket};

/// How long a router may take to answer; one that does not know a transport may say nothing at all.
const PATIENCE: Duration = Duration::from_secs(2);

/// The capabilities that were found.
pub(in crate::driver::wamp) async fn found(driver: Wamp, target: &Target) -> Vec<String> {
    let mut found = Vec::new();
    for serialization in Serialization::ALL {
        if joins(driver, target, Line::of(serialization)).await {
            found.push(match serialization {
                Serialization::Json => "serializer.json".to_owned(),
                Serialization::MsgPack => "serializer.msgpack".to_owned(),
                Serialization::Cbor => "serializer.cbor".to_owned(),
            });
        }
    }
    if joins(driver, target, Line { batched: true, ..Line::default() }).await {
        found.push("transport.batched".to_owned());
    }
    if joins(driver, target, Line { elsewhere: true, ..Line::default() }).await {
        found.push("realms".to_owned());
    }
    if has_rawsocket(target).await {
        found.push("transport.rawsocket".to_owned());
    }
    found
}

/// Whether a session opens so.
async fn joins(driver: Wamp, target: &Target, line: Line) -> bool {
    let (to, mut from) = unbounded_channel();
    let namespace = Namespaces::new().fresh();
    let speaking = Speaking { line: &line, namespace: &namespace };
    let tried = async {
        let met = super::open(driver, target, &speaking, Inbox::new(Conn(0), to)).await.ok()?;
        let mut speaker = met.speaker?;
        let roles = Value::map([("caller", Value::map([]))]);
        let details = Item::Value(Value::map([("roles", roles)]));
        let hello = speaker.spell(&Message::new(code::HELLO, [Item::Realm, details]), &[]);
        speaker.write(&[hello]).await.ok()?;
        loop {
            match from.recv().await?.1 {
                Seen::Heard(Form::Text | Form::Binary, _, items) => {
                    return (items.first() == Some(&Value::Int(code::WELCOME))).then_some(());
                }
                Seen::Heard(..) => {}
                _ => return None,
            }
        }
    };
    timeout(PATIENCE, tried).await.ok().flatten().is_some()
}

/// Whether a handshake of rawsocket is answered by one. What is behind it makes a server of HTTP answer too.
async fn has_rawsocket(target: &Target) -> bool {
    let tried = async {
        let mut stream = target.dial().await.ok()?;
        stream.write.write_all(&[rawsocket::MAGIC, 0xf1, 0, 0]).await.ok()?;
        stream.write.write_all(b"\r\n\r\n").await.ok()?;
        let mut reply = [0; 4];
        stream.read.read_exact(&mut reply).await.ok()?;
        (reply[0] == rawsocket::MAGIC && reply[1] & 0x0f == 1).then_some(())
    };
    timeout(PATIENCE, tried).await.ok().flatten().is_some()
}
