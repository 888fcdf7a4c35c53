//! Values of one serializer written in another, in one pass.
//!
//! What is exact, and what is not because the target has no form for it:
//!
//! * Integers keep all their digits between JSON and CBOR (beyond 64 bits: CBOR tags 2 and 3); in `MessagePack` they
//!   do from -2^63 to 2^64-1, and become floats beyond.
//! * Floats stay floats (`1.0` does not become `1`), of 64 bits. NaN and infinities are null in JSON.
//! * Binary is in JSON a string of U+0000 and base64 (WAMP 2.3.2). The other way round, a text that looks like this
//!   becomes binary; a key never does.
//! * The order of keys stays, and so do keys that come twice.
//! * Keys that are not text become text in JSON. A list or dict as a key is refused by all walks.
//! * CBOR tags other than 2 and 3 are dropped, their content stays; undefined becomes null. `MessagePack` extensions
//!   become binary. CBOR is written with definite lengths.

use super::walk::{Shape, Sink, Walk};
use super::{DecodeError, Dict, Limits, Serializer, Value, in_serializer};

/// The limits for bytes that were checked against narrower ones before.
pub(crate) const WIDEST: Limits = Limits { max_depth: Limits::MAX_DEPTH, max_bytes: Limits::MAX_BYTES };

/// Writes the value `bytes`, one of `from`, in `to`. It fails only for bytes that
/// [`split`](super::envelope::split) and [`Serializer::check`] refuse as well.
pub fn transcode(from: Serializer, to: Serializer, bytes: &[u8]) -> Result<Vec<u8>, DecodeError> {
    // JSON is the longest of the three for most values.
    let room = if to == Serializer::Json { bytes.len() + bytes.len() / 4 } else { bytes.len() };
    let mut out = Vec::with_capacity(room);
    in_serializer!(to, format => {
        let mut writer = format::Writer::new(&mut out);
        walk(from, bytes, &WIDEST, &mut writer)?;
        writer.finish();
    });
    Ok(out)
}

/// Walks over the one value that `bytes` are: what it is.
pub(crate) fn walk<S: Sink>(
    serializer: Serializer,
    bytes: &[u8],
    limits: &Limits,
    sink: &mut S,
) -> Result<Shape, DecodeError> {
    limits.check_bytes(bytes.len())?;
    in_serializer!(serializer, format => {
        let mut walk = format::Reader::new(bytes, limits.depth())?;
        let shape = walk.walk(sink)?;
        walk.end()?;
        Ok(shape)
    })
}

/// Appends a value. All its lengths are known, so that no header is late.
pub(crate) fn write_value(serializer: Serializer, value: &Value, out: &mut Vec<u8>) {
    in_serializer!(serializer, format => tell(value, &mut format::Writer::new(out)));
}

/// Appends a dict.
pub(crate) fn write_dict(serializer: Serializer, dict: &Dict, out: &mut Vec<u8>) {
    in_serializer!(serializer, format => tell_dict(dict, &mut format::Writer::new(out)));
}

/// Appends a list.
pub(crate) fn write_list(serializer: Serializer, list: &[Value], out: &mut Vec<u8>) {
    in_serializer!(serializer, format => tell_list(list, &mut format::Writer::new(out)));
}

/// Appends a text.
pub(crate) fn write_text(serializer: Serializer, text: &str, out: &mut Vec<u8>) {
    in_serializer!(serializer, format => format::Writer::new(out).text(text));
}

/// Appends binary.
pub(crate) fn write_bytes(serializer: Serializer, bytes: &[u8], out: &mut Vec<u8>) {
    in_serializer!(serializer, format => format::Writer::new(out).bytes(bytes));
}

/// Appends an integer.
pub(crate) fn write_unsigned(serializer: Serializer, value: u64, out: &mut Vec<u8>) {
    in_serializer!(serializer, format => format::Writer::new(out).unsigned(value));
}

fn tell<S: Sink>(value: &Value, sink: &mut S) {
    match value {
        Value::Null => sink.null(),
        Value::Bool(value) => sink.bool(*value),
        Value::Integer(value) => tell_integer(*value, sink),
        Value::Float(value) => sink.float(*value),
        Value::Text(text) => sink.text(text),
        Value::Bytes(bytes) => sink.bytes(bytes),
        Value::List(list) => tell_list(list, sink),
        Value::Dict(dict) => tell_dict(dict, sink),
    }
}

fn tell_integer<S: Sink>(value: i128, sink: &mut S) {
    if let Ok(value) = u64::try_from(value) {
        sink.unsigned(value);
    } else if let Ok(value) = u64::try_from(!value) {
        sink.negative(value);
    } else {
        sink.big(&value.to_string());
    }
}

fn tell_list<S: Sink>(list: &[Value], sink: &mut S) {
    let mark = sink.list(Some(list.len()));
    for (index, value) in list.iter().enumerate() {
        sink.item(index == 0);
        tell(value, sink);
    }
    sink.list_end(mark, list.len());
}

fn tell_dict<S: Sink>(dict: &Dict, sink: &mut S) {
    let mark = sink.dict(Some(dict.len()));
    for (index, (key, value)) in dict.iter().enumerate() {
        sink.key(index == 0);
        sink.text(key);
        sink.value();
        tell(value, sink);
    }
    sink.dict_end(mark, dict.len());
}
