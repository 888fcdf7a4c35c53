//! One row: what is sent, and what must come back.

use std::net::SocketAddr;

use crate::raw::{Raw, TEXT, message};
use crate::watch::Watch;

/// A row of the table.
pub(crate) struct Row {
    pub(crate) id: &'static str,
    pub(crate) sent: Sent,
    pub(crate) answered: Answered,
}

/// What is sent on a fresh connection.
pub(crate) enum Sent {
    Bytes(Vec<u8>),
    /// Bytes, then the end of the sending direction.
    BytesAndEnd(Vec<u8>),
    /// Bytes behind a WebSocket handshake on this path.
    Frames(&'static str, Vec<u8>),
}

/// What must come back.
pub(crate) enum Answered {
    Http(Expected),
    /// A Close frame with this code, then the end.
    Close(u16),
}

/// An HTTP answer.
pub(crate) struct Expected {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: Body,
    then: Then,
}

/// What the body must be.
enum Body {
    /// One line of text for people (REQ-HTTP-012).
    Line,
    /// Exactly this.
    Exactly(&'static str),
    /// None, as behind HEAD.
    Absent,
    /// Not ours to say.
    Any,
}

/// What the connection must do after the answer.
enum Then {
    /// Serve the next request (REQ-HTTP-014).
    Serves,
    Closes,
    /// Either.
    Whatever,
}

/// An error answer with a line of text.
pub(crate) fn answer(status: u16) -> Expected {
    Expected { status, headers: Vec::new(), body: Body::Line, then: Then::Serves }
}

impl Expected {
    pub(crate) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    pub(crate) fn body(mut self, body: &'static str) -> Self {
        self.body = Body::Exactly(body);
        self
    }

    /// Whatever the body says.
    pub(crate) fn any_body(mut self) -> Self {
        self.body = Body::Any;
        self
    }

    pub(crate) fn without_body(mut self) -> Self {
        self.body = Body::Absent;
        self
    }

    /// The answer comes from the HTTP parser: any text, and the connection closes.
    pub(crate) fn by_the_parser(self) -> Self {
        self.any_body().then_closes()
    }

    /// Says no more about the connection: it may close, since the request was not read to its end.
    pub(crate) fn then_whatever(mut self) -> Self {
        self.then = Then::Whatever;
        self
    }

    pub(crate) fn then_closes(mut self) -> Self {
        self.then = Then::Closes;
        self
    }

    /// Reads the answer from a connection and compares.
    pub(crate) async fn check(&self, id: &str, raw: &mut Raw) {
        let got =
            if matches!(self.body, Body::Absent) { raw.answer_head().await } else { raw.answer().await };
        assert_eq!(got.status, self.status, "{id}: {got:?}");
        for (name, value) in &self.headers {
            assert_eq!(got.header(name), Some(*value), "{id}: {got:?}");
        }
        let body = String::from_utf8_lossy(&got.body);
        match self.body {
            Body::Line => {
                assert_eq!(got.header("content-type"), Some("text/plain; charset=utf-8"), "{id}: {got:?}");
                assert!(body.len() > 1 && body.find('\n') == Some(body.len() - 1), "{id}: {body:?}");
            }
            Body::Exactly(expected) => assert_eq!(body, expected, "{id}"),
            Body::Absent | Body::Any => {}
        }
        match self.then {
            Then::Serves => {
                raw.send("GET //nowhere HTTP/1.1\r\nHost: petasus\r\n\r\n").await;
                let again = raw.answer().await;
                assert!([404, 301].contains(&again.status), "{id}: {again:?}");
            }
            Then::Closes => raw.expect_end().await,
            Then::Whatever => {}
        }
    }
}

impl Row {
    pub(crate) fn http(id: &'static str, bytes: impl Into<Vec<u8>>, expected: Expected) -> Row {
        Row { id, sent: Sent::Bytes(bytes.into()), answered: Answered::Http(expected) }
    }

    pub(crate) fn frames(id: &'static str, path: &'static str, bytes: Vec<u8>, code: u16) -> Row {
        Row { id, sent: Sent::Frames(path, bytes), answered: Answered::Close(code) }
    }

    async fn run(&self, address: SocketAddr) {
        let mut raw = Raw::connect(address).await;
        match &self.sent {
            Sent::Bytes(bytes) => raw.send(bytes).await,
            Sent::BytesAndEnd(bytes) => {
                raw.send(bytes).await;
                raw.finish().await;
            }
            Sent::Frames(path, bytes) => {
                raw.upgrade(path, "").await;
                raw.send(bytes).await;
                // Nothing is taken from a connection that has failed (REQ-WS-014).
                raw.send(message(TEXT, b"after the end")).await;
            }
        }
        match &self.answered {
            Answered::Http(expected) => expected.check(self.id, &mut raw).await,
            Answered::Close(code) => {
                let payload = raw.expect_close().await;
                assert_eq!(payload.first_chunk(), Some(&code.to_be_bytes()), "{}: {payload:?}", self.id);
                assert!(std::str::from_utf8(&payload[2..]).is_ok(), "{}: the reason is UTF-8", self.id);
            }
        }
    }
}

/// Runs rows one after the other, to the last, and watches the rest of the broker meanwhile.
pub(crate) async fn run(rows: Vec<Row>, address: SocketAddr, mut watch: Watch) {
    let mut failed = Vec::new();
    for row in rows {
        let id = row.id;
        if tokio::spawn(async move { row.run(address).await }).await.is_err() {
            failed.push(id);
        }
        watch.check(id).await;
    }
    assert!(failed.is_empty(), "failed, see above: {failed:?}");
}
