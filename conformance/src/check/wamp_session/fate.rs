//! What has to become of a message, by the state of its session. It knows no router's code.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::Form;
use crate::raw::wamp::{Value, code, form};

/// What a client has open.
#[derive(Clone, Debug, Default)]
pub(super) struct State {
    /// Whether there is a session.
    pub(super) joined: bool,
    /// The topics that it subscribed to.
    pub(super) topics: BTreeSet<String>,
    /// The procedures that it registered.
    procedures: BTreeSet<String>,
    /// The calls that are not answered, and whether more pieces were announced.
    calls: BTreeMap<i128, bool>,
}

/// What has to come of a message.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fate {
    /// An answer that begins so; an error has this URI.
    Answer(Vec<Value>, Option<&'static str>),
    /// Nothing.
    Silence,
    /// The end, by ABORT.
    Violation,
}

/// A fate, and the requirement that it stands under.
pub(super) type Ruled = (&'static str, Fate);

impl State {
    /// What becomes of a message; the state afterwards.
    pub(super) fn take(&mut self, is_own_form: bool, form: Form, items: Option<&[Value]>) -> Option<Ruled> {
        if form == Form::Octets || form == Form::Ping || form == Form::Pong {
            return None;
        }
        let violation = |rule| Some((rule, Fate::Violation));
        if !is_own_form {
            return violation("REQ-WAMP-019");
        }
        let Some(items) = items else { return violation("REQ-WAMP-003") };
        let Some(Value::Int(kind)) = items.first() else { return violation("REQ-WAMP-003") };
        if form::is_of_routers(*kind) {
            return violation("REQ-WAMP-015");
        }
        if !form::fits(items) {
            return violation("REQ-WAMP-003");
        }
        match (*kind, self.joined) {
            (code::HELLO, false) => Some(self.hello(&items[2])),
            (code::ABORT, _) => {
                *self = Self::default();
                Some(("REQ-WAMP-014", Fate::Silence))
            }
            (code::GOODBYE, true) => {
                *self = Self::default();
                Some(("REQ-WAMP-014", Fate::Answer(vec![code::GOODBYE.into_value()], None)))
            }
            (_, true) => Some(self.request(*kind, items)),
            _ => violation("REQ-WAMP-015"),
        }
    }

    fn hello(&mut self, details: &Value) -> Ruled {
        let has_roles = matches!(details.at("roles"), Some(Value::Map(roles)) if !roles.is_empty());
        if !has_roles {
            return ("REQ-WAMP-013", Fate::Violation);
        }
        self.joined = true;
        ("REQ-WAMP-011", Fate::Answer(vec![code::WELCOME.into_value()], None))
    }

    fn request(&mut self, kind: i128, items: &[Value]) -> Ruled {
        let number = items[1].clone();
        let id = number.int().unwrap_or_default();
        let (Value::Map(_), Some(Value::Text(uri))) = (&items[2], items.get(3)) else {
            return Self::answer_to_router(kind, items);
        };
        if kind == code::CALL && self.calls.get(&id) == Some(&false) {
            return ("REQ-WAMP-057", Fate::Violation);
        }
        let refused = refused(kind, &items[2], uri);
        let wants_answer = kind != code::PUBLISH || items[2].has("acknowledge");
        if let Some((rule, reason)) = refused {
            let error = vec![code::ERROR.into_value(), kind.into_value(), number];
            return (rule, if wants_answer { Fate::Answer(error, Some(reason)) } else { Fate::Silence });
        }
        let rule = if has_unknown(kind, &items[2]) { "REQ-WAMP-008" } else { "REQ-LIVE-001" };
        let begin = match kind {
            code::SUBSCRIBE => {
                self.topics.insert(uri.clone());
                vec![code::SUBSCRIBED.into_value(), number]
            }
            code::REGISTER => {
                self.procedures.insert(uri.clone());
                vec![code::REGISTERED.into_value(), number]
            }
            code::PUBLISH if wants_answer => vec![code::PUBLISHED.into_value(), number],
            code::PUBLISH => return ("REQ-WAMP-009", Fate::Silence),
            _ if self.procedures.contains(uri) => {
                self.calls.insert(id, items[2].has("progress"));
                vec![code::INVOCATION.into_value()]
            }
            _ => vec![code::ERROR.into_value(), kind.into_value(), number],
        };
        (rule, Fate::Answer(begin, None))
    }

    /// What answers an invocation has to answer one that there was; none of those that are said here does.
    fn answer_to_router(kind: i128, items: &[Value]) -> Ruled {
        match kind {
            code::YIELD | code::ERROR | code::HELLO => ("REQ-WAMP-015", Fate::Violation),
            _ => {
                let error = vec![code::ERROR.into_value(), kind.into_value(), items[1].clone()];
                ("REQ-LIVE-001", Fate::Answer(error, None))
            }
        }
    }
}

/// An option, and whether it may have a value.
type Known = (&'static str, fn(&Value) -> bool);

/// What each known option may be.
fn known(kind: i128) -> &'static [Known] {
    fn is_bool(value: &Value) -> bool {
        matches!(value, Value::Bool(_))
    }
    fn is_list(value: &Value) -> bool {
        value.items().is_some()
    }
    fn is_match(value: &Value) -> bool {
        value.text().is_some_and(|text| ["exact", "prefix", "wildcard"].contains(&text))
    }
    fn is_policy(value: &Value) -> bool {
        value.text().is_some_and(|text| ["single", "first", "last", "roundrobin", "random"].contains(&text))
    }
    fn is_time(value: &Value) -> bool {
        value.int().is_some_and(|number| number >= 0)
    }
    match kind {
        code::PUBLISH => &[("acknowledge", is_bool), ("exclude_me", is_bool), ("eligible", is_list)],
        code::SUBSCRIBE => &[("match", is_match)],
        code::REGISTER => &[("match", is_match), ("invoke", is_policy)],
        code::CALL => &[("receive_progress", is_bool), ("timeout", is_time)],
        _ => &[],
    }
}

/// Whether a request is refused, and why.
fn refused(kind: i128, options: &Value, uri: &str) -> Option<(&'static str, &'static str)> {
    let is_wrong = |(name, fits): &Known| options.at(name).is_some_and(|value| !fits(value));
    if known(kind).iter().any(is_wrong) {
        return Some(("REQ-WAMP-008", "wamp.error.invalid_argument"));
    }
    let is_ours = uri.starts_with("wamp.") || uri.starts_with('$');
    let writes = matches!(kind, code::PUBLISH | code::REGISTER);
    (is_ours && writes).then_some(("REQ-WAMP-006", "wamp.error.invalid_uri"))
}

fn has_unknown(kind: i128, options: &Value) -> bool {
    let Value::Map(entries) = options else { return false };
    entries.iter().any(|(name, _)| known(kind).iter().all(|(known, _)| known != name))
}

/// Numbers as values.
trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for i128 {
    fn into_value(self) -> Value {
        Value::Int(self)
    }
}
