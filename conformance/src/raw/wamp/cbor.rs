//! CBOR (RFC 8949). Definite lengths are written; indefinite ones, half floats and tags are read too.

use super::{Reader, Serialization, Value, ValueError};

pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(value, &mut bytes);
    bytes
}

fn put(value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Null => to.push(0xf6),
        Value::Bool(value) => to.push(0xf4 | u8::from(*value)),
        Value::Int(number @ 0..) => head(0, *number as u64, to),
        Value::Int(number) => head(1, (-1 - number) as u64, to),
        Value::Float(number) => {
            to.push(0xfb);
            to.extend(number.to_be_bytes());
        }
        Value::Bytes(bytes) => {
            head(2, bytes.len() as u64, to);
            to.extend(bytes);
        }
        Value::Text(text) => {
            head(3, text.len() as u64, to);
            to.extend(text.as_bytes());
        }
        Value::List(items) => {
            head(4, items.len() as u64, to);
            for item in items {
                put(item, to);
            }
        }
        Value::Map(entries) => {
            head(5, entries.len() as u64, to);
            for (key, value) in entries {
                put(&Value::Text(key.clone()), to);
                put(value, to);
            }
        }
        Value::Verbatim(_, Serialization::Cbor, bytes) => to.extend(bytes),
        Value::Verbatim(value, ..) => put(value, to),
    }
}

/// The major type and its number, in the fewest bytes (RFC 8949 3).
fn head(major: u8, number: u64, to: &mut Vec<u8>) {
    let bytes = number.to_be_bytes();
    let major = major << 5;
    match number {
        ..=23 => to.push(major | number as u8),
        24..=0xff => to.extend([major | 24, bytes[7]]),
        0x100..=0xffff => {
            to.push(major | 25);
            to.extend(&bytes[6..]);
        }
        0x1_0000..=0xffff_ffff => {
            to.push(major | 26);
            to.extend(&bytes[4..]);
        }
        _ => {
            to.push(major | 27);
            to.extend(bytes);
        }
    }
}

/// What ends an indefinite length.
const BREAK: u8 = 0xff;

/// Reads the begin of a list; how many items it has, if that is told.
pub(super) fn list(from: &mut Reader<'_>) -> Result<Option<usize>, ValueError> {
    let first = from.byte()?;
    match first {
        0x80..=0x97 => Ok(Some(usize::from(first & 0x1f))),
        0x98..=0x9b => from.length(1 << (first - 0x98)).map(Some),
        0x9f => Ok(None),
        _ => Err(ValueError::Form("the message is no list".to_owned())),
    }
}

/// Whether a list of unknown length ends here; if so, its end is read.
pub(super) fn ends(from: &mut Reader<'_>) -> bool {
    let ends = from.rest.first() == Some(&BREAK);
    from.rest = &from.rest[usize::from(ends)..];
    ends
}

pub(super) fn decode(from: &mut Reader<'_>) -> Result<Value, ValueError> {
    let first = from.byte()?;
    let (major, short) = (first >> 5, first & 0x1f);
    if major == 7 {
        return simple(short, from);
    }
    let number = match short {
        0..=23 => Some(u64::from(short)),
        24..=27 => Some(from.number(1 << (short - 24))?),
        31 if (2..=5).contains(&major) => None,
        _ => return Err(ValueError::Form(format!("{first:#04x} begins no value of CBOR"))),
    };
    let length = number.map(|number| usize::try_from(number).map_err(|_| ValueError::Cut)).transpose()?;
    match (major, number, length) {
        (0, Some(number), _) => Ok(Value::Int(number.into())),
        (1, Some(number), _) => Ok(Value::Int(-1 - i128::from(number))),
        (2, _, Some(length)) => Ok(Value::Bytes(from.take(length)?.to_vec())),
        (3, _, Some(length)) => from.text(length),
        (4, _, Some(length)) => from.list(length, decode),
        (5, _, Some(length)) => from.map(length, decode),
        (6, ..) => from.nested(decode),
        _ => from.nested(|from| indefinite(major, from)),
    }
}

/// Pieces up to the break: of bytes, of text, items, or names and items (RFC 8949 3.2).
fn indefinite(major: u8, from: &mut Reader<'_>) -> Result<Value, ValueError> {
    let mut items = Vec::new();
    while from.rest.first() != Some(&BREAK) {
        items.push(decode(from)?);
    }
    from.byte()?;
    let wrong = || ValueError::Form("a piece of an indefinite value is of another kind".to_owned());
    match major {
        4 => Ok(Value::List(items)),
        5 if items.len().is_multiple_of(2) => {
            let entry = |pair: &[Value]| Ok((pair[0].text().ok_or_else(wrong)?.to_owned(), pair[1].clone()));
            items.chunks_exact(2).map(entry).collect::<Result<_, _>>().map(Value::Map)
        }
        3 => {
            let texts: Option<Vec<&str>> = items.iter().map(Value::text).collect();
            Ok(Value::Text(texts.ok_or_else(wrong)?.concat()))
        }
        2 => {
            let bytes = |item: &Value| match item {
                Value::Bytes(bytes) => Ok(bytes.clone()),
                _ => Err(wrong()),
            };
            Ok(Value::Bytes(items.iter().map(bytes).collect::<Result<Vec<_>, _>>()?.concat()))
        }
        _ => Err(wrong()),
    }
}

fn simple(short: u8, from: &mut Reader<'_>) -> Result<Value, ValueError> {
    match short {
        20 | 21 => Ok(Value::Bool(short == 21)),
        22 | 23 => Ok(Value::Null),
        25 => Ok(Value::Float(half(from.number(2)? as u16))),
        26 => Ok(Value::Float(f32::from_bits(from.number(4)? as u32).into())),
        27 => Ok(Value::Float(f64::from_bits(from.number(8)?))),
        _ => Err(ValueError::Form(format!("{short} is no simple value of CBOR that WAMP knows"))),
    }
}

/// RFC 8949, appendix D.
fn half(bits: u16) -> f64 {
    let (exponent, mantissa) = (i32::from(bits >> 10 & 0x1f), f64::from(bits & 0x3ff));
    let value = match exponent {
        0 => mantissa * 2_f64.powi(-24),
        31 if mantissa == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (mantissa + 1024.0) * 2_f64.powi(exponent - 25),
    };
    if bits & 0x8000 == 0 { value } else { -value }
}
