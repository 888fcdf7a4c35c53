//! The lines between the harness and an adapter: one JSON object each. `EXEC.md` shows each by example.

use data_encoding::BASE64;
use serde::{Deserialize, Serialize};

use crate::history::Proof;
use crate::model::{Kind, Role};
use crate::plan::Spelling;

/// The version of the lines.
pub(super) const PROTOCOL: u32 = 1;

/// What the harness asks for.
#[derive(Debug, Serialize)]
#[serde(tag = "op", rename_all = "snake_case")]
pub(super) enum Op<'a> {
    /// Open a connection and wait until it is a member. To be answered.
    Open {
        conn: u64,
        url: &'a str,
        role: Role,
        topic: String,
        echo: bool,
        spelling: Spelling,
        #[serde(skip_serializing_if = "str::is_empty")]
        suffix: &'a str,
    },
    /// Send a message, and do not wait.
    Send {
        conn: u64,
        #[serde(flatten)]
        body: Body,
        pieces: u8,
    },
    /// Say when the broker has read all that this connection sent.
    Mark { conn: u64, mark: u64 },
    /// Leave as the protocol asks for.
    Leave { conn: u64 },
    /// Close the socket without a word. Not answered.
    Abandon { conn: u64 },
}

/// What an adapter says.
#[derive(Debug, Deserialize)]
#[serde(tag = "seen", rename_all = "snake_case")]
pub(super) enum Line {
    Hello {
        protocol: u32,
        #[serde(default)]
        profiles: Vec<String>,
        caps: Vec<String>,
    },
    Opened {
        conn: u64,
        #[serde(default = "proved")]
        proof: Proof,
    },
    Refused {
        conn: u64,
        status: Option<u16>,
        #[serde(default)]
        why: String,
    },
    Unreachable {
        conn: u64,
        why: String,
    },
    Cannot {
        conn: u64,
        why: String,
    },
    Message {
        conn: u64,
        #[serde(flatten)]
        body: Body,
    },
    Passed {
        conn: u64,
        mark: u64,
        #[serde(default = "proved")]
        proof: Proof,
    },
    Closed {
        conn: u64,
        code: Option<u16>,
    },
    Broken {
        conn: u64,
        why: String,
    },
}

/// A payload: `text` if it is a text of Unicode, `base64` otherwise.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Body {
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    text: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

fn proved() -> Proof {
    Proof::Proved
}

impl Op<'_> {
    /// As a line, with its end.
    pub(super) fn line(&self) -> String {
        serde_json::to_string(self).expect("an op is plain values with text keys") + "\n"
    }
}

impl Body {
    pub(super) fn new(kind: Kind, payload: &[u8]) -> Self {
        match (kind, std::str::from_utf8(payload)) {
            (Kind::Text, Ok(text)) => Self { kind, text: Some(text.to_owned()), base64: None },
            _ => Self { kind, text: None, base64: Some(BASE64.encode(payload)) },
        }
    }

    /// Kind and bytes; None unless it has exactly one of the two, in its form.
    pub(super) fn parse(self) -> Option<(Kind, Vec<u8>)> {
        let bytes = match (self.text, self.base64) {
            (Some(text), None) => text.into_bytes(),
            (None, Some(base64)) => BASE64.decode(base64.as_bytes()).ok()?,
            _ => return None,
        };
        Some((self.kind, bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_is_read_back_and_half_a_body_is_none() {
        for (kind, bytes) in [(Kind::Text, &b"a\0"[..]), (Kind::Text, b"\xff"), (Kind::Binary, b"a")] {
            assert_eq!(Body::new(kind, bytes).parse(), Some((kind, bytes.to_vec())));
        }
        for bad in [
            r#"{"kind":"text"}"#,
            r#"{"kind":"binary","base64":"!"}"#,
            r#"{"kind":"text","text":"a","base64":""}"#,
        ] {
            assert_eq!(serde_json::from_str::<Body>(bad).unwrap().parse(), None, "{bad}");
        }
    }

    #[test]
    fn an_op_is_one_line_whatever_it_holds() {
        let body = Body::new(Kind::Text, b"a\nb\r\"");
        let line = Op::Send { conn: 1, body, pieces: 1 }.line();
        assert_eq!(
            line,
            "{\"op\":\"send\",\"conn\":1,\"kind\":\"text\",\"text\":\"a\\nb\\r\\\"\",\"pieces\":1}\n"
        );
    }
}
