//! Where records go: a list in JavaScript, which whoever calls takes when the call is over.

use petasus_protocol::Message;
use wasm_bindgen::prelude::*;

#[wasm_bindgen(raw_module = "petasus:sink")]
extern "C" {
    /// A new record of this kind.
    pub(crate) fn begin(kind: u32);

    /// A number in the present record.
    pub(crate) fn number(number: f64);

    /// The message that JavaScript keeps under this number, in the present record.
    #[wasm_bindgen(js_name = kept)]
    fn kept_under(number: f64);

    /// Bytes, or a text as UTF-8, in the present record. (One for both: what `wasm-bindgen` writes for texts is larger.)
    fn bytes(bytes: &[u8], is_text: bool);
}

/// A text in the present record.
pub(crate) fn text(text: &str) {
    bytes(text.as_bytes(), true);
}

/// A number, or -1 if there is none.
pub(crate) fn maybe(value: Option<u64>) {
    number(value.map_or(-1.0, |value| value as f64));
}

/// A text, or -1 if there is none.
pub(crate) fn maybe_text(value: Option<&str>) {
    match value {
        Some(value) => text(value),
        None => number(-1.0),
    }
}

/// What a message holds.
pub(crate) fn message(message: &Message) {
    bytes(message.payload(), message.is_text());
}

/// The message that JavaScript keeps; in digits, as it stood in its outline.
pub(crate) fn kept(number: &[u8]) {
    kept_under(number.iter().fold(0.0, |number, digit| number * 10.0 + f64::from(digit & 15)));
}
