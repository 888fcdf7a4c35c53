//! `wamp.session.add_testament` and `flush_testaments` (WAMP: Testament).

use petasus_protocol::wamp::{Message, Payload, Serializer, Value, message};

use super::{Arguments, Failed, Outcome};
use crate::auth::Question;
use crate::core::Core;
use crate::dialect::wamp::{Operation, Unread};
use crate::session::Joined;
use crate::session::testament::Scope;

/// How many testaments a session may leave.
const MOST: usize = 1000;

pub(super) fn call(joined: &mut Joined, name: &str, arguments: &Arguments, core: &Core) -> Outcome {
    match name {
        "add_testament" => Some(add(joined, arguments, core)),
        // The specification asks for no result; crossbar answers how many there were, and so do we.
        "flush_testaments" => {
            Some(scope(arguments).map(|scope| vec![(joined.testaments.flush(scope) as u64).into()]))
        }
        _ => None,
    }
}

fn scope(arguments: &Arguments) -> Result<Scope, Failed> {
    let name = arguments.kwargs.text("scope").map_err(|wrong| Failed::argument(wrong.to_string()))?;
    match name {
        None | Some("destroyed") => Ok(Scope::Destroyed),
        Some("detached") => Ok(Scope::Detached),
        Some(other) => {
            Err(Failed::argument(format!("scope is {other:?}: use \"destroyed\" or \"detached\"")))
        }
    }
}

/// A testament is a publication that is read, and allowed or refused, when it is made.
fn add(joined: &mut Joined, arguments: &Arguments, core: &Core) -> Result<Vec<Value>, Failed> {
    let scope = scope(arguments)?;
    let topic = arguments.text(0, "a topic")?.to_owned();
    let args = match arguments.optional(1) {
        None => Vec::new(),
        Some(value) => value.as_list().ok_or_else(|| Failed::argument("argument 2 must be a list"))?.to_vec(),
    };
    let kwargs = arguments.dict(2)?;
    let options = arguments.kwargs.dict("publish_options");
    let options = options.map_err(|wrong| Failed::argument(wrong.to_string()))?.cloned().unwrap_or_default();
    if joined.testaments.len() >= MOST {
        return Err(Failed::argument(format!("a session leaves at most {MOST} testaments")));
    }
    let payload = Payload::of_values(Serializer::Json, &args, &kwargs);
    let publish = Message::Publish(message::Publish { request: 0, options, topic, payload });
    let operation = match Operation::read(publish, &core.naming()) {
        Ok(operation) => operation,
        Err(Unread::Refused { error, text, .. }) => return Err(Failed { uri: error, text }),
        Err(Unread::Violation(text)) => return Err(Failed::argument(text)),
    };
    if let Some(question) = Question::about(&operation, &joined.identity) {
        core.access.may(&question, joined.realm.name()).map_err(|denied| Failed {
            uri: petasus_protocol::wamp::uri::error::NOT_AUTHORIZED,
            text: denied.reason(),
        })?;
    }
    if let Operation::Publish(publish) = operation {
        joined.testaments.add(scope, publish);
    }
    Ok(Vec::new())
}
