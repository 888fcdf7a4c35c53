//! The layouts of the specification as a table of its own, and messages made after it: what the codec is checked
//! against does not come from the codec.

use std::collections::BTreeMap;

use petasus_protocol::wamp::{Dict, MAX_ID, Value};
use proptest::prelude::*;

/// The type of an element, in the specification's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Element {
    /// An id that a session counts.
    Request,
    /// Any other id.
    Id,
    /// `REQUEST.Type`.
    RequestType,
    /// A string or URI.
    Text,
    /// Options, details or extra.
    Dict,
    /// `Arguments` and `ArgumentsKw`, both, one or none.
    Payload,
}

use Element::{Dict as Details, Id, Payload, Request, RequestType, Text};

/// Code, name and elements of every message (WAMP, "Message Definitions" of both profiles).
pub(crate) const LAYOUTS: [(u64, &str, &[Element]); 24] = [
    (1, "HELLO", &[Text, Details]),
    (2, "WELCOME", &[Id, Details]),
    (3, "ABORT", &[Details, Text, Payload]),
    (4, "CHALLENGE", &[Text, Details]),
    (5, "AUTHENTICATE", &[Text, Details]),
    (6, "GOODBYE", &[Details, Text]),
    (8, "ERROR", &[RequestType, Request, Details, Text, Payload]),
    (16, "PUBLISH", &[Request, Details, Text, Payload]),
    (17, "PUBLISHED", &[Request, Id]),
    (32, "SUBSCRIBE", &[Request, Details, Text]),
    (33, "SUBSCRIBED", &[Request, Id]),
    (34, "UNSUBSCRIBE", &[Request, Id]),
    (35, "UNSUBSCRIBED", &[Request]),
    (36, "EVENT", &[Id, Id, Details, Payload]),
    (48, "CALL", &[Request, Details, Text, Payload]),
    (49, "CANCEL", &[Request, Details]),
    (50, "RESULT", &[Request, Details, Payload]),
    (64, "REGISTER", &[Request, Details, Text]),
    (65, "REGISTERED", &[Request, Id]),
    (66, "UNREGISTER", &[Request, Id]),
    (67, "UNREGISTERED", &[Request]),
    (68, "INVOCATION", &[Request, Id, Details, Payload]),
    (69, "INTERRUPT", &[Request, Details]),
    (70, "YIELD", &[Request, Details, Payload]),
];

/// What the values in dicts and payloads may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Binary {
    Yes,
    No,
}

/// Any message as the list of its elements.
pub(crate) fn any_wire(binary: Binary) -> impl Strategy<Value = Vec<Value>> {
    prop::sample::select(LAYOUTS.to_vec()).prop_flat_map(move |(code, _, elements)| {
        let fields: Vec<_> = elements.iter().map(|element| any_element(*element, binary)).collect();
        fields.prop_map(move |fields| {
            std::iter::once(Value::from(code)).chain(fields.into_iter().flatten()).collect()
        })
    })
}

fn any_element(element: Element, binary: Binary) -> BoxedStrategy<Vec<Value>> {
    let one = |value: Value| vec![value];
    match element {
        Request | Id => any_id().prop_map(Value::from).prop_map(one).boxed(),
        RequestType => prop::sample::select(vec![16_u64, 32, 34, 48, 64, 66, 68])
            .prop_map(Value::from)
            .prop_map(one)
            .boxed(),
        Text => any_text().prop_map(Value::from).prop_map(one).boxed(),
        Details => any_dict(any_value(binary)).prop_map(Value::Dict).prop_map(one).boxed(),
        Payload => {
            let args = prop::collection::vec(any_value(binary), 0..4).prop_map(Value::List);
            let kwargs = any_dict(any_value(binary)).prop_map(Value::Dict);
            prop_oneof![
                Just(Vec::new()),
                args.clone().prop_map(one),
                (args, kwargs).prop_map(|(args, kwargs)| vec![args, kwargs]),
            ]
            .boxed()
        }
    }
}

fn any_id() -> impl Strategy<Value = u64> {
    prop_oneof![1..=MAX_ID, 1..=300_u64, prop::sample::select(vec![1, 127, 128, 255, 65_535, 65_536, MAX_ID])]
}

/// Texts that do not begin with U+0000, which in JSON would be binary.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z_]{1,8}(\\.[a-z_]{1,8}){0,3}", "\\PC{0,12}", "[\"\\\\\u{1}-\u{1F}é𝄞]{0,6}"]
}

fn any_value(binary: Binary) -> impl Strategy<Value = Value> + Clone {
    let bytes = prop::collection::vec(any::<u8>(), 0..20).prop_map(|bytes| Value::Bytes(bytes.into()));
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        (-300_i64..300).prop_map(Value::from),
        // Eighths are exact in every parser, also in one that rounds the last digit.
        (-8_000_i32..8_000).prop_map(|eighths| Value::Float(f64::from(eighths) / 8.0)),
        any_text().prop_map(Value::from),
        match binary {
            Binary::Yes => bytes.boxed(),
            Binary::No => Just(Value::from("")).boxed(),
        },
    ];
    leaf.prop_recursive(3, 12, 4, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::List),
            any_dict(inner).prop_map(Value::Dict),
        ]
    })
    .boxed()
}

fn any_dict(value: impl Strategy<Value = Value> + Clone + 'static) -> impl Strategy<Value = Dict> + Clone {
    let entries: BoxedStrategy<BTreeMap<String, Value>> =
        prop::collection::btree_map("[a-z_]{1,8}", value, 0..4).boxed();
    entries.prop_map(|entries| entries.into_iter().rev().collect::<Dict>())
}
