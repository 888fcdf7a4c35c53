//! Options and details as a client writes them: from what is at hand, without building a [`Dict`](super::Dict) first.

use super::walk::Format;
use super::{RawDict, Serializer, in_serializer};

/// A key and its value.
pub(crate) type Entry<'a> = (&'a str, Setting<'a>);

/// A value.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Setting<'a> {
    Bool(bool),
    Number(u64),
    Text(&'a str),
    Texts(&'a [String]),
    Dict(&'a [Entry<'a>]),
    Raw(&'a RawDict),
}

/// Appends a dict of `entries`, whose keys differ.
pub(crate) fn write(serializer: Serializer, entries: &[Entry<'_>], out: &mut Vec<u8>) {
    in_serializer!(serializer, format => {
        let mut writer = format::Writer::new(out);
        dict(serializer, entries, &mut writer);
        writer.finish();
    });
}

fn dict<F: Format>(serializer: Serializer, entries: &[Entry<'_>], format: &mut F) {
    let mark = format.dict(Some(entries.len()));
    for (index, (key, setting)) in entries.iter().enumerate() {
        format.key(index == 0);
        format.text(key);
        format.value();
        match *setting {
            Setting::Bool(value) => format.bool(value),
            Setting::Number(value) => format.unsigned(value),
            Setting::Text(text) => format.text(text),
            Setting::Texts(texts) => list(texts, format),
            Setting::Dict(entries) => dict(serializer, entries, format),
            Setting::Raw(raw) => format.raw(&raw.to_bytes(serializer)),
        }
    }
    format.dict_end(mark, entries.len());
}

fn list<F: Format>(texts: &[String], format: &mut F) {
    let mark = format.list(Some(texts.len()));
    for (index, text) in texts.iter().enumerate() {
        format.item(index == 0);
        format.text(text);
    }
    format.list_end(mark, texts.len());
}
