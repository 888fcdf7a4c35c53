//! One row: what is sent, and what must come back.

use std::net::SocketAddr;

use petasus_protocol::wamp::{Message, Serializer};

use crate::client::Wamp;
use crate::raw::{BINARY, TEXT, message as frame};
use crate::start;
use crate::witness::Witness;

/// A row of the table.
pub(crate) struct Row {
    pub(crate) id: &'static str,
    /// For people.
    what: &'static str,
    serializer: Serializer,
    begins: Begins,
    frames: Vec<u8>,
    answer: Answer,
    requirement: &'static str,
}

/// How far the client has come.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Begins {
    /// The WebSocket is open.
    Connected,
    /// It has joined, too.
    Joined,
}

/// What must come back.
#[derive(Clone, Copy)]
pub(crate) enum Answer {
    /// ABORT with this URI, then a Close frame with this code.
    Abort(&'static str, u16),
    /// A Close frame with this code, and nothing before it.
    Close(u16),
    /// ERROR for a request of this type, with this URI; the session goes on.
    Error(u64, &'static str),
    /// A message of this type; the session goes on.
    Message(u64),
    /// Nothing; the session goes on.
    Nothing,
}

/// What nearly everything gets that is no WAMP.
pub(crate) const VIOLATION: Answer = Answer::Abort("wamp.error.protocol_violation", 1002);

/// A row whose client sends one JSON text.
pub(crate) fn text(
    id: &'static str,
    begins: Begins,
    what: &'static str,
    json: impl AsRef<[u8]>,
    answer: Answer,
    requirement: &'static str,
) -> Row {
    let frames = frame(TEXT, json.as_ref());
    Row { id, what, serializer: Serializer::Json, begins, frames, answer, requirement }
}

/// A row whose client sends these frames.
pub(crate) fn frames(
    id: &'static str,
    serializer: Serializer,
    what: &'static str,
    frames: Vec<u8>,
    answer: Answer,
    requirement: &'static str,
) -> Row {
    Row { id, what, serializer, begins: Begins::Joined, frames, answer, requirement }
}

/// A row whose client sends one binary message.
pub(crate) fn binary(
    id: &'static str,
    serializer: Serializer,
    what: &'static str,
    bytes: impl AsRef<[u8]>,
    requirement: &'static str,
) -> Row {
    frames(id, serializer, what, frame(BINARY, bytes.as_ref()), VIOLATION, requirement)
}

impl Row {
    /// Its line in the document.
    pub(crate) fn markdown(&self) -> String {
        let before = if self.begins == Begins::Connected { ", before HELLO" } else { "" };
        let serializer = match self.serializer {
            Serializer::Json => "",
            Serializer::MsgPack => "MessagePack: ",
            Serializer::Cbor => "CBOR: ",
        };
        let answer = match self.answer {
            Answer::Abort(uri, code) => format!("ABORT `{uri}`, then {code}"),
            Answer::Close(code) => format!("{code}"),
            Answer::Error(kind, uri) => format!("ERROR for {kind}, `{uri}`"),
            Answer::Message(kind) => format!("message {kind}"),
            Answer::Nothing => "nothing".to_owned(),
        };
        format!("| `{}` | {serializer}{}{before} | {answer} | {} |", self.id, self.what, self.requirement)
    }

    async fn run(&self, address: SocketAddr) {
        let mut client = match self.begins {
            Begins::Connected => Wamp::connect(address, self.serializer).await,
            Begins::Joined => Wamp::join(address, self.serializer, "default").await,
        };
        client.raw().send(&self.frames).await;
        match self.answer {
            Answer::Abort(uri, code) => client.aborted(uri, code).await,
            Answer::Close(code) => client.closed(code).await,
            Answer::Error(kind, uri) => {
                match client.hear().await {
                    Message::Error(error) => {
                        assert_eq!((error.kind, error.error.as_str()), (kind, uri), "{error:?}");
                    }
                    other => panic!("{other:?} instead of ERROR"),
                }
                self.goes_on(client).await;
            }
            Answer::Message(kind) => {
                let message = client.hear().await;
                assert_eq!(message.code(), kind, "{message:?}");
                self.goes_on(client).await;
            }
            Answer::Nothing => self.goes_on(client).await,
        }
    }

    /// Whatever comes next is the answer to what is asked next.
    async fn goes_on(&self, mut client: Wamp) {
        while client.request() < 100 {}
        if self.begins == Begins::Connected {
            client.hello("default").await;
        }
        let count = client.ask("wamp.session.count", &[]).await;
        assert_eq!(count[0].as_id(), Some(1 + crate::witness::SESSIONS));
    }
}

/// Runs rows one after the other, to the last, and watches others meanwhile.
pub(crate) async fn run(rows: Vec<Row>) {
    let running = start().await;
    let mut witness = Witness::new(&running).await;
    let mut failed = Vec::new();
    for row in rows {
        let (id, address) = (row.id, running.address);
        if tokio::spawn(async move { row.run(address).await }).await.is_err() {
            failed.push(id);
        }
        witness.check(id).await;
        witness.is_alone().await;
    }
    assert!(failed.is_empty(), "failed, see above: {failed:?}");
    witness.leave().await;
    running.stop().await;
}
