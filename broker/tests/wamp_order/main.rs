//! What WAMP promises about order (WAMP, Ordering Guarantees), and that all subscribers of a topic see one order.
//!
//! Broker and clients share two threads.

#[path = "../wamp/client.rs"]
mod client;
#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/running.rs"]
mod running;
#[path = "../wamp/verbs.rs"]
mod verbs;

mod calls;
mod events;
mod openings;
mod rounds;
mod stream;

use petasus_protocol::wamp::{Dict, Payload, Serializer, Value};

use running::{Running, config};

/// A broker for clients that hear much before they read it.
async fn start() -> Running {
    let mut config = config("http://127.0.0.1:0");
    config.outbox.bytes = 16 << 20;
    Running::start(config).await
}

/// The payload of message `number` of a sender.
fn numbered(serializer: Serializer, sender: usize, number: usize) -> Payload {
    let args = [sender, number].map(|number| Value::from(number as u64));
    Payload::of_values(serializer, &args, &Dict::new())
}

/// Who sent a message, and which of its messages it is.
fn read(payload: &Payload) -> (usize, usize) {
    let args = payload.arg_values().unwrap();
    let number = |place: usize| args[place].as_id().unwrap() as usize;
    (number(0), number(1))
}

fn pattern(policy: &str) -> Dict {
    Dict::new().with("match", policy)
}
