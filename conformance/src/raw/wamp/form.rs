//! The forms of the messages that clients send (WAMP, Messages).

use super::{Value, code};

/// What an element of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// A whole number.
    Int,
    /// An id: 1 to 2^53.
    Id,
    /// Names and values.
    Map,
    /// Text.
    Text,
    /// `args`, `kwargs`, or nothing.
    Payload,
}

use Part::{Id, Int, Map, Payload, Text};

/// What stands behind the number of a message of a client; none, if clients have no such message.
pub fn form(kind: i128) -> Option<&'static [Part]> {
    Some(match kind {
        code::HELLO | AUTHENTICATE => &[Text, Map],
        code::ABORT | code::GOODBYE => &[Map, Text],
        code::ERROR => &[Int, Id, Map, Text, Payload],
        code::PUBLISH | code::CALL => &[Id, Map, Text, Payload],
        code::SUBSCRIBE | code::REGISTER => &[Id, Map, Text],
        code::UNSUBSCRIBE | code::UNREGISTER => &[Id, Id],
        code::CANCEL => &[Id, Map],
        code::YIELD => &[Id, Map, Payload],
        _ => return None,
    })
}

/// Client: a proof.
const AUTHENTICATE: i128 = 5;

/// Whether only routers send messages of this number.
pub fn is_of_routers(kind: i128) -> bool {
    use code::{
        CHALLENGE, EVENT, INTERRUPT, INVOCATION, PUBLISHED, REGISTERED, RESULT, SUBSCRIBED, UNREGISTERED,
        UNSUBSCRIBED, WELCOME,
    };
    [
        WELCOME,
        CHALLENGE,
        PUBLISHED,
        SUBSCRIBED,
        UNSUBSCRIBED,
        EVENT,
        RESULT,
        REGISTERED,
        UNREGISTERED,
        INVOCATION,
        INTERRUPT,
    ]
    .contains(&kind)
}

/// Whether a list has the form of its message. Null stands for an absent payload.
pub fn fits(items: &[Value]) -> bool {
    let [Value::Int(kind), rest @ ..] = items else { return false };
    let Some(parts) = form(*kind) else { return false };
    let fixed = parts.iter().take_while(|part| **part != Payload).count();
    let has_payload = fixed < parts.len();
    let Some((fixed_items, payload)) = rest.split_at_checked(fixed) else { return false };
    let is_list = |value: &Value| matches!(value, Value::Null | Value::List(_));
    let is_map = |value: &Value| matches!(value, Value::Null | Value::Map(_));
    fixed_items.iter().zip(parts).all(|(item, part)| part.is(item))
        && match payload {
            [] => true,
            [args] => has_payload && is_list(args),
            [args, kwargs] => has_payload && is_list(args) && is_map(kwargs),
            _ => false,
        }
}

impl Part {
    fn is(self, value: &Value) -> bool {
        match self {
            Int => matches!(value, Value::Int(_)),
            Id => value.id().is_some(),
            Map => matches!(value, Value::Map(_)),
            Text => matches!(value, Value::Text(_)),
            Payload => true,
        }
    }
}
