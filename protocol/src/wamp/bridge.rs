//! How raw messages (Mercury) and WAMP payloads stand for each other.

use std::borrow::Cow;

use bytes::Bytes;

use super::envelope;
use super::pick::Found;
use super::{Payload, Serializer, Shape, transcode};
use crate::Message;

/// A raw message as a payload: its text as a text, or its bytes as binary, in `args[0]`.
///
/// JSON has no binary: there, a text of U+0000 and valid base64 is read as binary by its receivers (WAMP 2.3.2).
pub fn from_raw(message: &Message, serializer: Serializer) -> Payload {
    let mut args = Vec::with_capacity(message.len() + 8);
    envelope::Writer::argument(serializer, message, &mut args);
    Payload { serializer, args: Some(args.into()), kwargs: None }
}

/// A payload as a raw message. A single argument without `kwargs`, or with empty ones, is the message: a text or binary
/// as it is, anything else as its JSON text. Several arguments, none, or `kwargs` are the JSON text
/// `{"args":[...],"kwargs":{...}}` (REQ-WAMP-091).
///
/// What came in JSON keeps its spelling; from the others it is transcoded by the rules of
/// [`transcode`](mod@super::transcode).
///
/// ```
/// use petasus_protocol::Message;
/// use petasus_protocol::wamp::{Payload, Serializer, bridge};
///
/// let raw = |json| bridge::to_raw(&Payload { serializer: Serializer::Json, args: Some(json), kwargs: None });
/// assert_eq!(raw("[{\"a\":1}]".into()), Message::from("{\"a\":1}"));
/// assert_eq!(raw("[\"hello\"]".into()), Message::from("hello"));
/// assert_eq!(raw("[1,2]".into()), Message::from("{\"args\":[1,2],\"kwargs\":{}}"));
/// ```
pub fn to_raw(payload: &Payload) -> Message {
    let kwargs = kwargs(payload);
    if kwargs.is_none()
        && let Some(message) = single(payload)
    {
        return message;
    }
    let args = payload.args.as_ref().and_then(|args| json(payload.serializer, args));
    let args = args.as_deref().unwrap_or(b"[]");
    let kwargs = kwargs.as_deref().unwrap_or(b"{}");
    // JSON that was checked or transcoded is UTF-8.
    Message::assume_text([br#"{"args":"#, args, br#","kwargs":"#, kwargs, b"}"].concat())
}

/// The `kwargs` in JSON, unless they are empty.
fn kwargs(payload: &Payload) -> Option<Bytes> {
    // Some clients send empty ones always.
    let kwargs =
        payload.kwargs.as_ref().filter(|kwargs| !envelope::is_empty_dict(payload.serializer, kwargs))?;
    // Empty dicts have other forms too, but none has a key, and each key has quotes.
    json(payload.serializer, kwargs).filter(|json| json.contains(&b'"'))
}

/// The only argument, if there is just one.
fn single(payload: &Payload) -> Option<Message> {
    let args = payload.args.as_ref()?;
    // A list of arguments is split like the outer list of a message.
    let parts = envelope::split(payload.serializer, args, &transcode::WIDEST).ok()?;
    if parts.len() != 1 {
        return None;
    }
    if !matches!(parts.shape(0), Some(Shape::Text | Shape::Bytes)) {
        return json(payload.serializer, &parts.raw_bytes(0)?).map(Message::assume_text);
    }
    if let Some(Cow::Borrowed(text)) = parts.text(0) {
        return Some(Message::assume_text(args.slice_ref(text.as_bytes())));
    }
    // A text of JSON may be binary (WAMP 2.3.2).
    match parts.pick(0)? {
        Found::Text(text) => Some(Message::from(text)),
        Found::Bytes(bytes) => Some(Message::binary(bytes)),
        _ => None,
    }
}

/// A value in JSON; `None` if it is malformed, which only a payload made by hand can be.
fn json(serializer: Serializer, value: &Bytes) -> Option<Bytes> {
    if serializer == Serializer::Json {
        return Some(value.clone());
    }
    transcode::transcode(serializer, Serializer::Json, value).ok().map(Bytes::from)
}
