//! Mercury: one WebSocket for each role at a topic, bare payloads.
//!
//! Barriers: membership begins before the 101 (REQ-LIF-003), so that opening proves it. A ping that is answered proves
//! that everything before it was read, as one connection is read in order.

use std::fmt::Write as _;

use super::bare::{self, Line};
use super::socket::{Listener, Socket, handshake};
use super::{About, Driver, Fut, Inbox, OpenError, Opened, Opening, Seen, Target};
use crate::caps::Caps;
use crate::history::Proof;
use crate::model::{Kind, Role};
use crate::plan::Spelling;
use crate::raw::Frame;

/// The driver.
#[derive(Clone, Copy, Debug, Default)]
pub struct Mercury;

impl Driver for Mercury {
    fn about(&self) -> About {
        About { name: "mercury", profiles: &["ws", "mercury"] }
    }

    fn claims(&self) -> Caps {
        Caps::of([
            "bus",
            "bus.echo",
            "bus.total_order",
            "pubsub",
            "pubsub.hierarchy",
            "pushpull",
            "pushpull.strict",
            "http.post",
            "origin",
            "payload.binary",
            "payload.empty",
            "utf8.strict",
            "limits.message",
            "limits.topic",
            "close_codes",
            "raw",
            "tcp",
        ])
    }

    fn path(&self, opening: &Opening<'_>) -> Option<String> {
        path(opening).ok()
    }

    fn open<'a>(
        &'a self,
        target: &'a Target,
        opening: &'a Opening<'a>,
        inbox: Inbox,
    ) -> Fut<'a, Result<Opened, OpenError>> {
        Box::pin(async move {
            let shaken = handshake(target, &format!("{}{}", target.path, path(opening)?), None).await?;
            let socket = Socket::start(shaken, Bare { inbox });
            Ok(Opened { port: Box::new(Line { socket, takes: |_, _| true }), proof: Proof::Proved })
        })
    }
}

/// The path and the query of an address.
fn path(opening: &Opening<'_>) -> Result<String, OpenError> {
    let door = opening.door;
    let role = match door.role {
        Role::Bus => "bus",
        Role::Pub => "pub",
        Role::Sub => "sub",
        Role::Push => "push",
        Role::Pull => "pull",
        Role::Session => return Err(OpenError::Unrepresentable("requests".to_owned())),
    };
    let topic = escaped(door.topic.as_str(), opening.spelling);
    let mut path = format!("/{role}/{}/{topic}", opening.namespace);
    path.push_str(opening.suffix);
    if door.echo {
        path.push_str("?echo=1");
    }
    Ok(path)
}

/// A topic as it is written in an address.
pub(super) fn escaped(topic: &str, spelling: Spelling) -> String {
    let mut path = String::with_capacity(topic.len());
    for letter in topic.chars() {
        let as_it_is = match spelling {
            Spelling::Usual => letter == '/' || letter.is_ascii_alphanumeric() || "-_.~".contains(letter),
            // What ends a path, a request line or an escape cannot stand for itself.
            Spelling::Raw => !"?#% ".contains(letter) && !letter.is_control(),
            Spelling::Escaped => letter == '/',
        };
        if as_it_is {
            path.push(letter);
            continue;
        }
        for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
            write!(path, "%{byte:02X}").expect("a string takes all");
        }
    }
    path
}

/// Payloads without an envelope.
struct Bare {
    inbox: Inbox,
}

impl Listener for Bare {
    fn pong(&mut self, payload: &[u8]) {
        bare::pong(&self.inbox, payload);
    }

    fn message(&mut self, kind: Kind, bytes: Vec<u8>) -> Result<Vec<Frame>, String> {
        self.inbox.put(Seen::Message(kind, bytes));
        Ok(Vec::new())
    }

    fn end(&mut self, end: Seen) {
        self.inbox.put(end);
    }
}
