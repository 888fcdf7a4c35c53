//! How raw messages (Mercury) and WAMP payloads stand for each other.

use std::borrow::Cow;

use super::envelope;
use super::{Payload, Serializer, Shape, Value, transcode};
use crate::Message;

/// A raw message as a payload: its text as a text, or its bytes as binary, in `args[0]`.
///
/// JSON has no binary: there, a text of U+0000 and valid base64 is read as binary by its receivers (WAMP 2.3.2).
pub fn from_raw(message: &Message, serializer: Serializer) -> Payload {
    let argument = match message.as_str() {
        Some(text) => Value::from(text),
        None => Value::Bytes(message.payload().clone()),
    };
    let mut args = Vec::with_capacity(message.len() + 8);
    transcode::write_list(serializer, &[argument], &mut args);
    Payload { serializer, args: Some(args.into()), kwargs: None }
}

/// A payload as a raw message: a single argument that is a text or binary, without `kwargs`, as this text or binary;
/// anything else as the JSON text `{"args":[...],"kwargs":{...}}`.
pub fn to_raw(payload: &Payload) -> Message {
    if let Some(message) = single(payload) {
        return message;
    }
    let payload = payload.transcoded(Serializer::Json);
    let args = payload.args.as_deref().unwrap_or(b"[]");
    let kwargs = payload.kwargs.as_deref().unwrap_or(b"{}");
    let json = [br#"{"args":"#, args, br#","kwargs":"#, kwargs, b"}"].concat();
    // JSON that was checked or transcoded is UTF-8.
    Message::assume_text(json)
}

/// The only argument, if it is a text or binary.
fn single(payload: &Payload) -> Option<Message> {
    // Some clients send empty ones always.
    if payload.kwargs.as_deref().is_some_and(|kwargs| !envelope::is_empty_dict(payload.serializer, kwargs)) {
        return None;
    }
    let args = payload.args.as_ref()?;
    // A list of arguments is split like the outer list of a message.
    let parts = envelope::split(payload.serializer, args, &transcode::WIDEST).ok()?;
    if parts.len() != 1 || !matches!(parts.shape(0), Some(Shape::Text | Shape::Bytes)) {
        return None;
    }
    if let Some(Cow::Borrowed(text)) = parts.text(0) {
        return Some(Message::assume_text(args.slice_ref(text.as_bytes())));
    }
    match parts.value(0)? {
        Value::Text(text) => Some(Message::from(text)),
        Value::Bytes(bytes) => Some(Message::binary(bytes)),
        _ => None,
    }
}
