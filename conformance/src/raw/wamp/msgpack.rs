//! `MessagePack`, in its shortest forms; all forms are read. Extensions have no meaning in WAMP.

use super::{Reader, Serialization, Value, ValueError};

pub(super) fn encode(value: &Value) -> Vec<u8> {
    let mut bytes = Vec::new();
    put(value, &mut bytes);
    bytes
}

fn put(value: &Value, to: &mut Vec<u8>) {
    match value {
        Value::Null => to.push(0xc0),
        Value::Bool(value) => to.push(0xc2 | u8::from(*value)),
        Value::Int(number) => put_int(*number, to),
        Value::Float(number) => {
            to.push(0xcb);
            to.extend(number.to_be_bytes());
        }
        Value::Text(text) => {
            put_length(text.len(), (0xa0, 32), [Some(0xd9), Some(0xda), Some(0xdb)], to);
            to.extend(text.as_bytes());
        }
        Value::Bytes(bytes) => {
            put_length(bytes.len(), (0, 0), [Some(0xc4), Some(0xc5), Some(0xc6)], to);
            to.extend(bytes);
        }
        Value::List(items) => {
            put_length(items.len(), (0x90, 16), [None, Some(0xdc), Some(0xdd)], to);
            for item in items {
                put(item, to);
            }
        }
        Value::Map(entries) => {
            put_length(entries.len(), (0x80, 16), [None, Some(0xde), Some(0xdf)], to);
            for (key, value) in entries {
                put(&Value::Text(key.clone()), to);
                put(value, to);
            }
        }
        Value::Verbatim(_, Serialization::MsgPack, bytes) => to.extend(bytes),
        Value::Verbatim(value, ..) => put(value, to),
    }
}

fn put_int(number: i128, to: &mut Vec<u8>) {
    let unsigned = |mark: u8, bytes: usize, to: &mut Vec<u8>| {
        to.push(mark);
        to.extend(&number.to_be_bytes()[16 - bytes..]);
    };
    match number {
        -32..=127 => to.push(number as u8),
        128..=0xff => unsigned(0xcc, 1, to),
        0x100..=0xffff => unsigned(0xcd, 2, to),
        0x1_0000..=0xffff_ffff => unsigned(0xce, 4, to),
        0x1_0000_0000.. => unsigned(0xcf, 8, to),
        -0x80..-32 => unsigned(0xd0, 1, to),
        -0x8000..-0x80 => unsigned(0xd1, 2, to),
        -0x8000_0000..-0x8000 => unsigned(0xd2, 4, to),
        _ => unsigned(0xd3, 8, to),
    }
}

/// The mark and the length: in one byte below a bound, else behind a mark for 1, 2 or 4 bytes.
fn put_length(length: usize, (fix, bound): (u8, usize), marks: [Option<u8>; 3], to: &mut Vec<u8>) {
    let bytes = (length as u32).to_be_bytes();
    match (length, marks) {
        (_, _) if length < bound => to.push(fix | bytes[3]),
        (..=0xff, [Some(mark), ..]) => to.extend([mark, bytes[3]]),
        (..=0xffff, [_, Some(mark), _]) => to.extend([mark, bytes[2], bytes[3]]),
        (_, [.., mark]) => {
            to.extend(mark);
            to.extend(bytes);
        }
    }
}

/// Reads the begin of a list; how many items it has.
pub(super) fn list(from: &mut Reader<'_>) -> Result<usize, ValueError> {
    match from.byte()? {
        mark @ 0x90..=0x9f => Ok(usize::from(mark & 0x0f)),
        0xdc => from.length(2),
        0xdd => from.length(4),
        _ => Err(ValueError::Form("the message is no list".to_owned())),
    }
}

pub(super) fn decode(from: &mut Reader<'_>) -> Result<Value, ValueError> {
    let mark = from.byte()?;
    let low = |bits: u8| usize::from(mark & bits);
    // Of the marks for 1, 2, 4 and 8 bytes in a row.
    let size = |first: u8| 1 << (mark - first);
    let signed =
        |number: u64, bytes: u32| i128::from((number << (64 - 8 * bytes)).cast_signed() >> (64 - 8 * bytes));
    match mark {
        0..=0x7f => Ok(Value::Int(mark.into())),
        0x80..=0x8f => from.map(low(0x0f), decode),
        0x90..=0x9f => from.list(low(0x0f), decode),
        0xa0..=0xbf => from.text(low(0x1f)),
        0xc0 => Ok(Value::Null),
        0xc2 | 0xc3 => Ok(Value::Bool(mark == 0xc3)),
        0xc4..=0xc6 => {
            let length = from.length(size(0xc4))?;
            Ok(Value::Bytes(from.take(length)?.to_vec()))
        }
        0xca => Ok(Value::Float(f32::from_bits(from.number(4)? as u32).into())),
        0xcb => Ok(Value::Float(f64::from_bits(from.number(8)?))),
        0xcc..=0xcf => Ok(Value::Int(from.number(size(0xcc))?.into())),
        0xd0..=0xd3 => {
            let bytes = size(0xd0);
            Ok(Value::Int(signed(from.number(bytes)?, bytes as u32)))
        }
        0xd9..=0xdb => {
            let length = from.length(size(0xd9))?;
            from.text(length)
        }
        0xdc | 0xdd => {
            let length = from.length(2 * size(0xdc))?;
            from.list(length, decode)
        }
        0xde | 0xdf => {
            let length = from.length(2 * size(0xde))?;
            from.map(length, decode)
        }
        0xe0.. => Ok(Value::Int(mark.cast_signed().into())),
        _ => Err(ValueError::Form(format!("{mark:#04x} begins nothing that WAMP knows"))),
    }
}
