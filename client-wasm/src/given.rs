//! What JavaScript laid down.

use std::vec::IntoIter;

use bytes::Bytes;
use petasus_protocol::session::Content;
use petasus_protocol::wamp::{Payload, RawDict, Serializer};
use petasus_protocol::{Message, Topic, TopicError, TopicLimits};

/// Texts and bytes, in the order in which they were laid down. What is missing is empty.
pub(crate) struct Given {
    all: IntoIter<Message>,
    plain: bool,
}

impl Given {
    pub(crate) fn new(all: Vec<Message>, plain: bool) -> Given {
        Given { all: all.into_iter(), plain }
    }

    /// Whether contents are messages as they are: over Mercury.
    #[cfg(feature = "mercury")]
    pub(crate) fn is_plain(&self) -> bool {
        self.plain
    }

    pub(crate) fn message(&mut self) -> Message {
        self.all.next().unwrap_or_else(|| Message::assume_text(Bytes::new()))
    }

    pub(crate) fn text(&mut self) -> String {
        // What was laid down as a text is UTF-8.
        self.message().as_str().unwrap_or_default().to_owned()
    }

    /// What is left, as texts.
    pub(crate) fn texts(&mut self) -> Vec<String> {
        let mut texts = Vec::new();
        while self.all.len() > 0 {
            texts.push(self.text());
        }
        texts
    }

    pub(crate) fn topic(&mut self) -> Result<Topic, TopicError> {
        Topic::parse(&self.text(), &TopicLimits::default())
    }

    /// A dict as JSON. Only the face writes one, by `JSON.stringify`.
    pub(crate) fn dict(&mut self) -> RawDict {
        RawDict::checked(Serializer::Json, self.message().into_payload())
    }

    /// A message as it is over Mercury, else `args` and `kwargs` as JSON, either of which may be empty.
    pub(crate) fn content(&mut self) -> Content {
        if self.plain {
            return Content::Plain(self.message());
        }
        let args = self.bytes();
        let kwargs = self.bytes();
        Content::Arguments(Payload { serializer: Serializer::Json, args, kwargs })
    }

    fn bytes(&mut self) -> Option<Bytes> {
        let bytes = self.message().into_payload();
        (!bytes.is_empty()).then_some(bytes)
    }
}
