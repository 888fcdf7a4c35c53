//! WAMP message by message, over each of its transports, for scripts that say what a well-behaved client would not.

use super::Wamp;
use super::names::Names;
use crate::driver::{Inbox, Met, OpenError, Seen, Speaking, Spelled, Target};
use crate::model::{Carrier, Form, Item, Message};
use crate::raw::wamp::{Serialization, Value};

mod discover;
mod rawsocket;
mod websocket;

pub(super) use discover::found;

/// An id that nothing has.
const NOBODYS: u64 = 4_503_599_627_370_495;

/// What is put behind the name of the realm for another one.
const OTHER: &str = ".other";

/// How a line says things.
#[derive(Clone, Debug)]
struct Tongue {
    serialization: Serialization,
    realm: String,
    names: Names,
}

/// The name of another realm than that of the target.
pub(super) fn other_realm(target: &Target) -> String {
    format!("{}{OTHER}", target.realm)
}

/// Opens a line.
pub(super) async fn open(
    driver: Wamp,
    target: &Target,
    speaking: &Speaking<'_>,
    inbox: Inbox,
) -> Result<Met, OpenError> {
    let line = speaking.line;
    let tongue = Tongue {
        serialization: line.serialization.unwrap_or(driver.serialization),
        realm: if line.elsewhere { other_realm(target) } else { target.realm.clone() },
        names: Names::new(speaking.namespace.as_str()),
    };
    match line.carrier {
        Carrier::WebSocket => websocket::open(target, line, tongue, inbox).await,
        Carrier::RawSocket(greeting) => rawsocket::open(target, greeting, tongue, inbox).await,
        Carrier::LongPoll => Err(OpenError::Unrepresentable("long-poll".to_owned())),
    }
}

impl Tongue {
    fn form(&self) -> Form {
        if self.serialization.is_text() { Form::Text } else { Form::Binary }
    }

    fn spell(&self, message: &Message, heard: &[Vec<Value>]) -> Spelled {
        match message {
            Message::Bytes(form, bytes) => {
                Spelled { form: form.unwrap_or_else(|| self.form()), bytes: bytes.clone() }
            }
            Message::List(items) => {
                let items = items.iter().map(|item| self.value(item, heard)).collect();
                Spelled { form: self.form(), bytes: self.serialization.encode(&Value::List(items)) }
            }
        }
    }

    fn value(&self, item: &Item, heard: &[Vec<Value>]) -> Value {
        match item {
            Item::Value(value) => value.clone(),
            Item::Name(name) => Value::Text(self.names.uri(name)),
            Item::Realm => Value::Text(self.realm.clone()),
            Item::Of(kind, place) => {
                let last = heard.iter().rfind(|message| message.first() == Some(&Value::Int(*kind)));
                last.and_then(|message| message.get(*place)).cloned().unwrap_or_else(|| NOBODYS.into())
            }
        }
    }

    /// A message that came; what cannot be read has no items.
    fn heard(&self, form: Form, bytes: Vec<u8>) -> Seen {
        let read = self.serialization.decode(&bytes).ok().filter(|_| form == self.form());
        let items = read.as_ref().and_then(Value::items).unwrap_or_default().to_vec();
        Seen::Heard(form, bytes, items)
    }
}
