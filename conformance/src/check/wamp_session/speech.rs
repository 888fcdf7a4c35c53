//! What was said and heard on a line, in order.

use crate::history::{Conn, History, What};
use crate::model::{Form, Line, Payload};
use crate::raw::wamp::{Serialization, Value};

/// A line.
pub(in crate::check) struct Speech<'a> {
    /// How it was opened.
    pub(in crate::check) line: &'a Line,
    /// Its answer of HTTP, if it had one.
    pub(in crate::check) answer: Option<Answer<'a>>,
    /// In order.
    pub(in crate::check) turns: Vec<Turn<'a>>,
    /// How the broker ended it.
    pub(in crate::check) end: Option<End>,
}

/// An answer of HTTP.
#[derive(Clone, Copy)]
pub(in crate::check) struct Answer<'a> {
    pub(in crate::check) status: u16,
    pub(in crate::check) fields: &'a [(String, String)],
    pub(in crate::check) body: &'a Payload,
}

/// The end: a code, or no word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::check) struct End(pub(in crate::check) Option<u16>);

/// A message.
pub(in crate::check) struct Turn<'a> {
    /// By the client, or by the broker.
    pub(in crate::check) is_said: bool,
    pub(in crate::check) form: Form,
    pub(in crate::check) bytes: &'a [u8],
    /// Its items; none, if it is no list of its serialisation.
    pub(in crate::check) items: Option<Vec<Value>>,
}

impl<'a> Speech<'a> {
    /// That of a connection; none, if it was none.
    pub(in crate::check) fn of(history: &'a History, conn: Conn) -> Option<Self> {
        let mut speech: Option<Self> = None;
        for event in history.events.iter().filter(|event| event.conn == Some(conn)) {
            if let What::Connecting { line } = &event.what {
                speech = Some(Self { line, answer: None, turns: Vec::new(), end: None });
                continue;
            }
            let Some(speech) = &mut speech else { continue };
            match &event.what {
                What::Responded { status, fields, body } => {
                    speech.answer = Some(Answer { status: *status, fields, body });
                }
                What::Said { form, message } => speech.turn(true, *form, &message.0),
                What::Heard { form, message } => speech.turn(false, *form, &message.0),
                What::Ended { code } => speech.end = Some(End(*code)),
                What::Eof { .. } | What::Broken { .. } => speech.end = Some(End(None)),
                _ => {}
            }
        }
        speech
    }

    /// How messages are written there.
    pub(in crate::check) fn written(&self) -> Serialization {
        self.line.serialization.unwrap_or_default()
    }

    /// Whether the broker listens, to what was offered.
    pub(in crate::check) fn is_open(&self) -> bool {
        let Some(answer) = self.answer else { return false };
        let chosen = answer.fields.iter().find(|(name, _)| name == "sec-websocket-protocol");
        let batched = if self.line.batched { ".batched" } else { "" };
        let wanted = format!("{}{batched}", self.written().subprotocol());
        answer.status == 101 && chosen.is_some_and(|(_, name)| *name == wanted)
    }

    fn turn(&mut self, is_said: bool, form: Form, bytes: &'a [u8]) {
        let read = self.written().decode(bytes).ok();
        let items = read.as_ref().and_then(Value::items).map(<[Value]>::to_vec);
        self.turns.push(Turn { is_said, form, bytes, items });
    }
}

impl Turn<'_> {
    /// The number that a message begins with.
    pub(in crate::check) fn kind(&self) -> Option<i128> {
        self.items.as_ref()?.first()?.int()
    }

    /// For people.
    pub(in crate::check) fn text(&self) -> String {
        let text = match &self.items {
            Some(items) => {
                String::from_utf8_lossy(&Serialization::Json.encode(&Value::List(items.clone()))).into()
            }
            None => String::from_utf8_lossy(self.bytes).into_owned(),
        };
        text.chars().take(100).collect()
    }
}
