//! `wamp.session.*`: who is there, and sending them away (WAMP: Session Meta API).

use petasus_protocol::wamp::uri::{self, Match, Rule};
use petasus_protocol::wamp::{Dict, Value};

use super::{Arguments, Failed, Outcome};
use crate::connection::{Farewell, Outbox};
use crate::session::{Identity, Joined};

pub(super) fn call(joined: &Joined, name: &str, arguments: &Arguments) -> Outcome {
    Some(match name {
        "count" => sessions(joined, arguments).map(|ids| vec![(ids.len() as u64).into()]),
        "list" => sessions(joined, arguments).map(|ids| vec![Value::List(ids)]),
        "get" => get(joined, arguments),
        "kill" => kill_one(joined, arguments),
        "kill_by_authid" => kill_some(joined, arguments, true, Some(|identity| &identity.authid)),
        "kill_by_authrole" => kill_some(joined, arguments, false, Some(|identity| &identity.authrole)),
        "kill_all" => kill_some(joined, arguments, false, None),
        _ => return None,
    })
}

/// The ids of all sessions, or of those whose role is on the list that is the first argument.
fn sessions(joined: &Joined, arguments: &Arguments) -> Result<Vec<Value>, Failed> {
    let wrong = || Failed::argument("argument 1 must be a list of roles");
    let roles = match arguments.optional(0) {
        None => None,
        Some(value) => {
            let roles = value.as_list().ok_or_else(wrong)?;
            Some(roles.iter().map(|role| role.as_text().ok_or_else(wrong)).collect::<Result<Vec<_>, _>>()?)
        }
    };
    let wanted = |role: &str| roles.as_ref().is_none_or(|roles| roles.contains(&role));
    let mut ids = Vec::new();
    joined.realm.each_session(|_, identity| {
        if wanted(&identity.authrole) {
            ids.push(identity.session.into());
        }
    });
    Ok(ids)
}

fn get(joined: &Joined, arguments: &Arguments) -> Result<Vec<Value>, Failed> {
    let session = arguments.id(0, "session")?;
    let found = joined.realm.session(session).and_then(|outbox| outbox.identity());
    found.map(|identity| vec![identity.details().into()]).ok_or_else(|| no_such(session))
}

fn no_such(session: u64) -> Failed {
    Failed { uri: uri::error::NO_SUCH_SESSION, text: format!("there is no other session {session}") }
}

/// What the sessions that are sent away are told.
fn farewell(kwargs: &Dict) -> Result<Farewell, Failed> {
    let wrong = |wrong: petasus_protocol::wamp::WrongType| Failed::argument(wrong.to_string());
    let reason = kwargs.text("reason").map_err(wrong)?.unwrap_or(uri::close::NORMAL);
    if let Err(error) = uri::check(reason, Rule::Loose, Match::Exact) {
        return Err(Failed { uri: uri::error::INVALID_URI, text: format!("reason: {error}") });
    }
    let message = kwargs.text("message").map_err(wrong)?.map(str::to_owned);
    Ok(Farewell { reason: reason.to_owned(), message })
}

fn kill_one(joined: &Joined, arguments: &Arguments) -> Result<Vec<Value>, Failed> {
    let session = arguments.id(0, "session")?;
    let farewell = farewell(&arguments.kwargs)?;
    if session == joined.identity.session {
        return Err(no_such(session));
    }
    let outbox = joined.realm.session(session).ok_or_else(|| no_such(session))?;
    outbox.dismiss(session, farewell);
    Ok(Vec::new())
}

/// All others, or those of whom `property` is the first argument; their ids if `listed`, else how many.
fn kill_some(
    joined: &Joined,
    arguments: &Arguments,
    listed: bool,
    property: Option<fn(&Identity) -> &String>,
) -> Result<Vec<Value>, Failed> {
    let farewell = farewell(&arguments.kwargs)?;
    let wanted = match property {
        Some(_) => Some(arguments.text(0, "an authid or a role")?),
        None => None,
    };
    let mut condemned: Vec<(u64, Outbox)> = Vec::new();
    joined.realm.each_session(|outbox, identity| {
        let is_meant = property.is_none_or(|property| Some(property(identity).as_str()) == wanted);
        if is_meant && identity.session != joined.identity.session {
            condemned.push((identity.session, outbox.clone()));
        }
    });
    for (session, outbox) in &condemned {
        outbox.dismiss(*session, farewell.clone());
    }
    Ok(vec![if listed {
        Value::List(condemned.iter().map(|(session, _)| (*session).into()).collect())
    } else {
        (condemned.len() as u64).into()
    }])
}
