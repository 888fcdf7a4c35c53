//! What the driver is told, as tuples: the kind first. Messages of one subscription that came together are one event.

use std::collections::VecDeque;

use petasus_protocol::session::{Event, Outcome, Status, Welcome};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyString, PyTuple};

use crate::error::{exception, failed};
use crate::link::Note;
use crate::message::Message;
use crate::value::of_dict;

/// Makes all events.
pub(crate) fn to_list<'py>(
    py: Python<'py>,
    dirty: &[u64],
    mut notes: VecDeque<Note>,
) -> PyResult<Bound<'py, PyList>> {
    let list = PyList::empty(py);
    while let Some(note) = notes.pop_front() {
        let event = match note {
            Note::Open { number, host, port, secure } => tuple(py, "open", (number, host, port, secure))?,
            Note::Drop { number } => tuple(py, "drop", (number,))?,
            Note::Finish { number, bytes } => tuple(py, "finish", (number, bytes.as_slice()))?,
            Note::Room => tuple(py, "room", PyTuple::empty(py))?,
            Note::Event(Event::Message { subscription, delivery }) => {
                let messages = PyList::empty(py);
                messages.append(Bound::new(py, Message::of_delivery(delivery))?)?;
                while let Some(delivery) = next_of(&mut notes, subscription) {
                    messages.append(Bound::new(py, Message::of_delivery(delivery))?)?;
                }
                tuple(py, "messages", (subscription.as_u64(), messages))?
            }
            Note::Event(event) => match to_event(py, event)? {
                Some(event) => event,
                None => continue,
            },
        };
        list.append(event)?;
    }
    for &number in dirty {
        list.append(tuple(py, "write", (number,))?)?;
    }
    Ok(list)
}

/// The next message, if it is for the same subscription.
fn next_of(
    notes: &mut VecDeque<Note>,
    wanted: petasus_protocol::session::SubscriptionId,
) -> Option<petasus_protocol::session::Delivery> {
    match notes.front() {
        Some(Note::Event(Event::Message { subscription, .. })) if *subscription == wanted => {}
        _ => return None,
    }
    match notes.pop_front() {
        Some(Note::Event(Event::Message { delivery, .. })) => Some(delivery),
        _ => None,
    }
}

fn to_event(py: Python<'_>, event: Event) -> PyResult<Option<Bound<'_, PyTuple>>> {
    let event = match event {
        Event::Status(status) => to_status(py, status)?,
        Event::Challenge { method, extra } => {
            tuple(py, "challenge", (method, of_dict(py, &extra.to_dict())?))?
        }
        Event::Subscribed { subscription, again } => tuple(py, "stands", (subscription.as_u64(), again))?,
        Event::Registered { registration, again } => tuple(py, "stands", (registration.as_u64(), again))?,
        Event::SubscriptionEnded { subscription, error } => {
            tuple(py, "ended", (subscription.as_u64(), exception(py, &error)?))?
        }
        Event::RegistrationEnded { registration, error } => {
            tuple(py, "ended", (registration.as_u64(), exception(py, &error)?))?
        }
        Event::Unsubscribed { subscription } => tuple(py, "left", (subscription.as_u64(),))?,
        Event::Unregistered { registration } => tuple(py, "left", (registration.as_u64(),))?,
        Event::Invocation { registration, invocation, incoming } => {
            let message = Bound::new(py, Message::of_incoming(&incoming))?;
            let flags = (incoming.progress, incoming.more, incoming.answerable);
            let asked = (registration.as_u64(), invocation.as_u64(), message, incoming.procedure, flags);
            tuple(py, "invocation", asked)?
        }
        Event::InvocationMore { invocation, content, more } => {
            let message = Bound::new(py, Message::of_content(content))?;
            tuple(py, "more", (invocation.as_u64(), message, more))?
        }
        Event::Interrupted { invocation } => tuple(py, "interrupted", (invocation.as_u64(),))?,
        Event::Progress { request, content } => {
            tuple(py, "progress", (request.as_u64(), Bound::new(py, Message::of_content(content))?))?
        }
        Event::Done { request, outcome } => {
            let request = request.as_u64();
            match outcome {
                Ok(outcome) => tuple(py, "done", (request, to_outcome(py, outcome)?, py.None()))?,
                Err(error) => tuple(py, "done", (request, py.None(), exception(py, &error)?))?,
            }
        }
        _ => return Ok(None),
    };
    Ok(Some(event))
}

fn to_outcome(py: Python<'_>, outcome: Outcome) -> PyResult<Bound<'_, PyAny>> {
    Ok(match outcome {
        Outcome::Published => PyString::intern(py, "published").into_any(),
        Outcome::Handed => PyString::intern(py, "handed").into_any(),
        Outcome::Held => PyString::intern(py, "held").into_any(),
        Outcome::Result(content) => Bound::new(py, Message::of_content(content))?.into_any(),
        _ => py.None().into_bound(py),
    })
}

/// `("status", name, facts)`.
fn to_status(py: Python<'_>, status: Status) -> PyResult<Bound<'_, PyTuple>> {
    let facts = PyDict::new(py);
    let name = match status {
        Status::Connecting { attempt } => {
            facts.set_item("attempt", attempt)?;
            "connecting"
        }
        Status::Connected(welcome) => {
            welcomed(&facts, &welcome)?;
            "connected"
        }
        Status::Waiting { failure, wait } => {
            facts.set_item("error", failed(py, &failure)?)?;
            facts.set_item("wait", wait as f64 / 1000.0)?;
            "waiting"
        }
        Status::Draining => "draining",
        Status::Closed { failure } => {
            if let Some(failure) = failure {
                facts.set_item("error", failed(py, &failure)?)?;
            }
            "closed"
        }
        _ => "other",
    };
    tuple(py, "status", (name, facts))
}

fn welcomed(facts: &Bound<'_, PyDict>, welcome: &Welcome) -> PyResult<()> {
    facts.set_item("session", welcome.session)?;
    facts.set_item("realm", &welcome.realm)?;
    facts.set_item("authid", &welcome.authid)?;
    facts.set_item("authrole", &welcome.authrole)?;
    facts.set_item("authmethod", &welcome.authmethod)?;
    facts.set_item("agent", &welcome.agent)
}

/// The kind and what belongs to it: `(kind, arguments)`.
fn tuple<'py, A>(py: Python<'py>, kind: &str, arguments: A) -> PyResult<Bound<'py, PyTuple>>
where
    A: IntoPyObject<'py, Target = PyTuple, Output = Bound<'py, PyTuple>>,
    PyErr: From<A::Error>,
{
    let arguments = arguments.into_pyobject(py)?;
    PyTuple::new(py, [PyString::intern(py, kind).into_any(), arguments.into_any()])
}
