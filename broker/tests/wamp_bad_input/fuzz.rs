//! Scripts of good messages, changed here and there: whatever comes of them, others work and nothing is left.

use petasus_protocol::wamp::{Dict, Limits, Message, Payload, Serializer, Value, message};

use crate::raw::{BINARY, CLOSE, FIN, PING, PONG, Raw, TEXT, frame, handshake};
use crate::start;
use crate::witness::Witness;

/// Connections of each serialiser.
const CONNECTIONS: usize = 250;

const SEED: u64 = 0x5eed_0003;

fn hello() -> Message {
    let roles = ["publisher", "subscriber", "caller", "callee"];
    let roles = roles.into_iter().fold(Dict::new(), |roles, role| roles.with(role, Value::Dict(Dict::new())));
    let details = Dict::new().with("roles", Value::Dict(roles));
    message::Hello { realm: "default".to_owned(), details }.into()
}

/// What a good session says.
fn script(random: &mut fastrand::Rng) -> Vec<Message> {
    let payload = Payload::of_values(
        Serializer::Json,
        &["text".into(), 7.into(), Value::List(vec![Value::Null, true.into()])],
        &Dict::new().with("key", 1.5).with("other", Value::Dict(Dict::new())),
    );
    let name = |random: &mut fastrand::Rng| format!("fuzz.{}", random.lowercase());
    let pattern = |random: &mut fastrand::Rng| match random.u8(..6) {
        0 => Dict::new().with("_pattern", "bus"),
        1 => Dict::new().with("_pattern", "queue"),
        2 => Dict::new().with("match", "prefix"),
        3 => Dict::new().with("acknowledge", true).with("exclude_me", false),
        4 => Dict::new().with("concurrency", 1).with("timeout", 1000).with("receive_progress", true),
        _ => Dict::new(),
    };
    let mut messages = vec![hello()];
    for request in 1..=random.u64(1..12) {
        let (options, topic) = (pattern(random), name(random));
        let payload = payload.clone();
        messages.push(match random.u8(..11) {
            0 | 1 => message::Subscribe { request, options, topic }.into(),
            2 | 3 => message::Publish { request, options, topic, payload }.into(),
            4 => message::Register { request, options, procedure: topic }.into(),
            5 => message::Call { request, options, procedure: topic, payload }.into(),
            6 => message::Unsubscribe { request, subscription: random.u64(..20) }.into(),
            7 => message::Unregister { request, registration: random.u64(..20) }.into(),
            8 => message::Yield { request: random.u64(1..4), options, payload }.into(),
            9 => message::Cancel { request: random.u64(1..12), options }.into(),
            _ => {
                message::Call { request, options, procedure: "wamp.session.count".to_owned(), payload }.into()
            }
        });
    }
    if random.bool() {
        messages
            .push(message::Goodbye { details: Dict::new(), reason: "wamp.close.normal".to_owned() }.into());
        messages.push(hello());
    }
    messages
}

/// Changes bytes in one of many ways; `others` is where to take some from.
fn mutate(random: &mut fastrand::Rng, bytes: &mut Vec<u8>, others: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    let at = random.usize(..bytes.len());
    match random.u8(..7) {
        0 => bytes[at] ^= 1 << random.u8(..8),
        1 => bytes[at] = random.u8(..),
        2 => bytes.truncate(at),
        3 => bytes.insert(at, random.u8(..)),
        4 => drop(bytes.drain(at..(at + random.usize(1..9)).min(bytes.len()))),
        5 => {
            let from = random.usize(..others.len());
            let piece = others[from..(from + random.usize(1..17)).min(others.len())].to_vec();
            bytes.splice(at..at, piece);
        }
        _ => {
            let piece = bytes[at..].to_vec();
            bytes.extend(piece);
        }
    }
}

/// The frames of a script, some messages changed, some left out, twice or in another place.
fn mutated(random: &mut fastrand::Rng, serializer: Serializer) -> Vec<Vec<u8>> {
    let mut bodies: Vec<Vec<u8>> = script(random).iter().map(|message| message.encode(serializer)).collect();
    let all = bodies.concat();
    for _ in 0..random.usize(..4) {
        let place = random.usize(..bodies.len());
        match random.u8(..8) {
            0 if bodies.len() > 1 => drop(bodies.remove(place)),
            1 => bodies.push(bodies[place].clone()),
            2 => bodies.swap(place, 0),
            _ => mutate(random, &mut bodies[place], &all),
        }
    }
    let usual = if serializer.is_text() { TEXT } else { BINARY };
    let opcode = |random: &mut fastrand::Rng| if random.u8(..50) == 0 { usual ^ 3 } else { usual };
    bodies.iter().map(|body| frame(FIN | opcode(random), body)).collect()
}

/// Reads to the end, or to the pong; all messages are good ones. Whether a session was open.
async fn read(raw: &mut Raw, serializer: Serializer) -> bool {
    let mut welcome = false;
    while let Some(frame) = raw.next().await {
        match frame.first {
            PONG | CLOSE => break,
            _ => {
                let message = Message::decode(serializer, &frame.payload.into(), &Limits::default()).unwrap();
                welcome |= matches!(message, Message::Welcome(_));
            }
        }
    }
    welcome
}

/// REQ-WAMP-004, REQ-WAMP-015, REQ-LIVE-001, REQ-LIVE-002
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changed_scripts_do_no_harm() {
    let running = start().await;
    let mut witness = Witness::new(&running).await;
    for serializer in Serializer::ALL {
        let mut opened = 0;
        for number in 0..CONNECTIONS {
            // With its own seed, one connection can be had again alone.
            let mut random = fastrand::Rng::with_seed(SEED ^ (number as u64) << 8 ^ serializer as u64);
            let mut raw = Raw::connect(running.address).await;
            raw.send(handshake(
                "/ws",
                &format!("Sec-WebSocket-Protocol: wamp.2.{}\r\n", serializer.as_str()),
            ))
            .await;
            assert_eq!(raw.answer_head().await.status, 101);
            let frames = mutated(&mut random, serializer);
            if random.bool() {
                raw.send(frames.concat()).await;
            } else {
                for frame in frames {
                    raw.send(frame).await;
                }
            }
            if random.u8(..4) > 0 {
                raw.send(frame(PING, b"fuzz")).await;
                opened += usize::from(read(&mut raw, serializer).await);
            }
            if random.bool() {
                raw.reset();
            }
            if number % 25 == 0 {
                witness.check("fuzz").await;
            }
        }
        assert!(opened > CONNECTIONS / 4, "only {opened} came as far as a session");
        witness.is_alone().await;
    }
    witness.leave().await;
    running.stop().await;
}
