//! Messages as they come.

use std::borrow::Cow;

use bytes::Bytes;
use petasus_protocol::Topic;
use petasus_protocol::session::{Content, Delivery, Outcome};
use petasus_protocol::wamp::{Limits, Payload, Serializer, Shape, envelope};
use serde::de::value::StringDeserializer;
use serde::de::{DeserializeOwned, IntoDeserializer};

use crate::Error;
use crate::buffer::Slot;

/// A message that came, the answer of a call, or what a job or call asks for. Cloning is cheap: the bytes are shared.
#[derive(Clone, Debug, PartialEq)]
pub struct Message {
    content: Content,
    topic: Option<Topic>,
    publisher: Option<u64>,
    publication: Option<u64>,
    missed: u64,
    gap: bool,
}

impl Message {
    pub(crate) fn of_content(content: Content) -> Message {
        Message { content, topic: None, publisher: None, publication: None, missed: 0, gap: false }
    }

    pub(crate) fn of_delivery(slot: Slot<Delivery>) -> Message {
        let Slot { item, missed, gap } = slot;
        let (publisher, publication) = (item.publisher, item.publication);
        Message { content: item.content, topic: item.topic, publisher, publication, missed, gap }
    }

    pub(crate) fn of_asked(content: Content, caller: Option<u64>) -> Message {
        Message { publisher: caller, ..Message::of_content(content) }
    }

    /// What came of a request; nothing, if it is known only that it happened.
    pub(crate) fn of_outcome(outcome: Outcome) -> Message {
        Message::of_content(match outcome {
            Outcome::Result(content) => content,
            _ => Content::empty(),
        })
    }

    /// Its text; `None` for a binary message. What was sent as a value is its JSON text.
    pub fn text(&self) -> Option<Cow<'_, str>> {
        match self.content.to_message() {
            Cow::Borrowed(message) => message.as_str().map(Cow::Borrowed),
            Cow::Owned(message) => message.as_str().map(|text| Cow::Owned(text.to_owned())),
        }
    }

    /// Its bytes: those of a text as UTF-8. What was sent as a value is its JSON text.
    pub fn bytes(&self) -> Bytes {
        self.content.to_message().into_owned().into_payload()
    }

    /// Whether it is a text, or a value, and not binary.
    pub fn is_text(&self) -> bool {
        self.content.is_text()
    }

    /// The value that was sent, whatever way it was sent:
    ///
    /// * a single argument that is no text is read as it is;
    /// * a text, or binary that is UTF-8, is read as JSON; if that fails, `T` is read from the text itself, so that
    ///   `String` works too (a text that happens to be JSON of a string loses its quotes: see [`Message::text`]);
    /// * several arguments are read as a list, keyword arguments alone as a dict;
    /// * no arguments at all are null, or an empty list.
    ///
    /// # Errors
    /// [`Error::Content`] if `T` is something else.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Error> {
        match &self.content {
            Content::Plain(message) => of_text(message),
            Content::Arguments(_) => of_payload(&self.payload()),
        }
    }

    /// The positional arguments (WAMP), as anything that serde reads from a list, such as a tuple.
    ///
    /// # Errors
    /// [`Error::Content`] if they are something else.
    pub fn args<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Ok(self.payload().decode_args()?)
    }

    /// The keyword arguments (WAMP), as anything that serde reads from a dict, such as a struct.
    ///
    /// # Errors
    /// [`Error::Content`] if they are something else.
    pub fn kwargs<T: DeserializeOwned>(&self) -> Result<T, Error> {
        Ok(self.payload().decode_kwargs()?)
    }

    /// The topic that it was published to; `None` where the wire does not say it (Mercury, below a topic; answers).
    pub fn topic(&self) -> Option<&Topic> {
        self.topic.as_ref()
    }

    /// How many messages the buffer had no room for right before this one: see [`Overflow`](crate::Overflow).
    pub fn missed(&self) -> u64 {
        self.missed
    }

    /// Whether the connection was lost before this message, and made again: others may be missing.
    pub fn gap(&self) -> bool {
        self.gap
    }

    /// The WAMP session of the publisher, or of the caller, if that was disclosed.
    pub fn publisher(&self) -> Option<u64> {
        self.publisher
    }

    /// The number of the publication (WAMP).
    pub fn publication(&self) -> Option<u64> {
        self.publication
    }

    /// What it carries, as it came.
    pub fn content(&self) -> &Content {
        &self.content
    }

    /// What it carries, as it came.
    pub fn into_content(self) -> Content {
        self.content
    }

    fn payload(&self) -> Cow<'_, Payload> {
        match &self.content {
            Content::Plain(_) => self.content.to_payload(Serializer::MsgPack),
            Content::Arguments(payload) => Cow::Borrowed(payload),
        }
    }
}

/// Several arguments, one, or none.
fn of_payload<T: DeserializeOwned>(payload: &Payload) -> Result<T, Error> {
    let Some(args) = &payload.args else {
        return match &payload.kwargs {
            Some(_) => Ok(payload.decode_kwargs()?),
            None => of_nothing(payload),
        };
    };
    let limits = Limits { max_depth: Limits::MAX_DEPTH, max_bytes: Limits::MAX_BYTES };
    // A list of arguments is split like the outer list of a message.
    let parts = envelope::split(payload.serializer, args, &limits)?;
    match (parts.len(), parts.shape(0)) {
        (0, _) if payload.kwargs.is_some() => Ok(payload.decode_kwargs()?),
        (0, _) => of_nothing(payload),
        (1, Some(Shape::Text | Shape::Bytes)) => {
            let alone = Payload { kwargs: None, ..payload.clone() };
            of_text(&petasus_protocol::wamp::bridge::to_raw(&alone))
        }
        (1, _) => Ok(payload.decode_args::<(T,)>()?.0),
        _ => Ok(payload.decode_args()?),
    }
}

fn of_nothing<T: DeserializeOwned>(payload: &Payload) -> Result<T, Error> {
    match serde_json::from_str("null") {
        Ok(value) => Ok(value),
        Err(_) => Ok(payload.decode_args()?),
    }
}

fn of_text<T: DeserializeOwned>(message: &petasus_protocol::Message) -> Result<T, Error> {
    let error = match serde_json::from_slice(message.payload()) {
        Ok(value) => return Ok(value),
        Err(error) => error,
    };
    let text = std::str::from_utf8(message.payload())
        .map_err(|_| Error::read("it is binary: see Message::bytes"))?;
    let from_itself: StringDeserializer<serde_json::Error> = text.to_owned().into_deserializer();
    T::deserialize(from_itself).map_err(|_| Error::read(&error))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::{Args, IntoContent, Json, Kwargs};

    fn sent(content: impl IntoContent, serializer: Serializer) -> Message {
        Message::of_content(content.into_content(serializer).unwrap())
    }

    #[test]
    fn a_value_comes_back_however_it_was_sent() {
        let value = json!({"a": [1, null, "x"]});
        for serializer in Serializer::ALL {
            assert_eq!(sent(Json(&value), serializer).json(), Ok(value.clone()));
            assert_eq!(sent(Json(vec![1, 2]), serializer).json(), Ok(vec![1, 2]));
            assert_eq!(sent(Args((1, "x")), serializer).json(), Ok(json!([1, "x"])));
            assert_eq!(sent(Kwargs(&value), serializer).json(), Ok(value.clone()));
            assert_eq!(sent((Args((1,)), Kwargs(&value)), serializer).kwargs(), Ok(value.clone()));
            assert_eq!(sent((), serializer).json(), Ok(()));
            assert_eq!(sent((), serializer).json(), Ok(Vec::<u8>::new()));
        }
        assert_eq!(sent(value.to_string(), Serializer::Json).json(), Ok(value.clone()));
        assert_eq!(sent(value.to_string().into_bytes(), Serializer::Json).json(), Ok(value));
    }

    #[test]
    fn a_text_that_is_no_json_is_read_as_text() {
        for serializer in Serializer::ALL {
            assert_eq!(sent(Json("good day"), serializer).json(), Ok("good day".to_owned()));
            assert_eq!(sent(Json("12"), serializer).json(), Ok("12".to_owned()));
            assert_eq!(sent(Json("12"), serializer).json(), Ok(12));
        }
        assert_eq!(sent("good day", Serializer::Json).json(), Ok(Value::from("good day")));
        assert!(sent("good day", Serializer::Json).json::<u8>().is_err());
        assert!(sent(vec![0xFF], Serializer::Json).json::<Value>().is_err());
    }

    #[test]
    fn the_text_of_a_value_is_its_json() {
        for serializer in Serializer::ALL {
            assert_eq!(sent(Json(vec![1, 2]), serializer).text().as_deref(), Some("[1,2]"));
            assert_eq!(sent(Json("x"), serializer).text().as_deref(), Some("x"));
        }
        assert_eq!(sent(vec![1, 2], Serializer::Json).text(), None);
        assert_eq!(sent("x", Serializer::Json).bytes(), "x");
    }
}
