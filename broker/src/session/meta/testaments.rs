//! `wamp.session.add_testament` and `flush_testaments` (WAMP: Testament).

use petasus_protocol::wamp::{Message, Payload, Serializer, Value, message};

use super::{Arguments, Failed, Outcome};
use crate::auth::Question;
use crate::core::Core;
use crate::dialect::wamp::{Destination, Naming, Operation, Publish, Unread};
use crate::session::Joined;
use crate::session::testament::Scope;

/// How many testaments a session may leave.
const MOST: usize = 1000;

pub(super) fn call(
    joined: &mut Joined,
    name: &str,
    arguments: &Arguments,
    core: &Core,
    trusted: bool,
) -> Outcome {
    match name {
        "add_testament" => Some(add(joined, arguments, core, trusted)),
        // The specification asks for no result; crossbar answers how many there were, and so do we.
        "flush_testaments" => {
            Some(scope(arguments).map(|scope| vec![(joined.testaments.flush(scope) as u64).into()]))
        }
        _ => None,
    }
}

/// The publication that a call wants to be made later. It is allowed or refused when it is wanted: later there is
/// nobody to tell.
pub(in crate::session) fn wanted(procedure: &str, payload: &Payload, naming: Naming) -> Option<Operation> {
    if procedure != "wamp.session.add_testament" {
        return None;
    }
    // What cannot be read is refused when the call is carried out.
    let (_, operation) = read(&Arguments::read(payload).ok()?, naming).ok()?;
    Some(operation)
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

/// A testament is read like any publication.
fn read(arguments: &Arguments, mut naming: Naming) -> Result<(Scope, Operation), Failed> {
    let scope = scope(arguments)?;
    let topic = arguments.text(0, "a topic")?.to_owned();
    let args = match arguments.optional(1) {
        None => Vec::new(),
        Some(value) => value.as_list().ok_or_else(|| Failed::argument("argument 2 must be a list"))?.to_vec(),
    };
    let kwargs = arguments.dict(2)?;
    let options = arguments.kwargs.dict("publish_options");
    let options = options.map_err(|wrong| Failed::argument(wrong.to_string()))?.cloned().unwrap_or_default();
    let payload = Payload::of_values(Serializer::Json, &args, &kwargs);
    let publish = Message::Publish(message::Publish { request: 0, options, topic, payload });
    match Operation::read(publish, &mut naming) {
        Ok(operation) => Ok((scope, operation)),
        Err(Unread::Refused { error, text, .. }) => Err(Failed { uri: error, text }),
        Err(Unread::Violation(text)) => Err(Failed::argument(text)),
    }
}

fn add(joined: &mut Joined, arguments: &Arguments, core: &Core, trusted: bool) -> Result<Vec<Value>, Failed> {
    let (scope, operation) = read(arguments, core.naming())?;
    let Operation::Publish(publish) = &operation else { return Ok(Vec::new()) };
    if let Destination::Queue(_) = publish.to {
        return Err(Failed::argument("a testament goes to a topic or to the bus: a queue takes none"));
    }
    let most_bytes = core.config.outbox.bytes;
    if joined.testaments.len() >= MOST || joined.testaments.bytes() + publish.payload.len() > most_bytes {
        return Err(Failed::argument(format!(
            "a session leaves at most {MOST} testaments, and {most_bytes} bytes in all of them"
        )));
    }
    let wanted = publish.disclose;
    let question = Question::about(&operation, &joined.identity).filter(|_| !trusted);
    let disclose =
        question.map_or(wanted, |question| core.access.discloses(&question, joined.realm.name(), wanted));
    if let Operation::Publish(publish) = operation {
        joined.testaments.add(scope, Publish { disclose, ..publish });
    }
    Ok(Vec::new())
}
