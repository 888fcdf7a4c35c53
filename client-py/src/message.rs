//! Messages as they come.

use std::borrow::Cow;

use petasus_protocol::Message as Raw;
use petasus_protocol::session::{Content, Delivery, Incoming};
use petasus_protocol::wamp::{DecodeError, Limits, Payload, Serializer, Value, bridge};
use pyo3::exceptions::PyTypeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::error::content_error;
use crate::value::{of_dict, of_list, to_object};

/// A message that came, the answer of a call, or what a call or job asks for. Its content is read when it is asked for.
#[pyclass(frozen, module = "petasus")]
pub(crate) struct Message {
    pub(crate) content: Content,
    topic: Option<petasus_protocol::Topic>,
    #[pyo3(get)]
    publisher: Option<u64>,
    #[pyo3(get)]
    publication: Option<u64>,
    #[pyo3(get)]
    missed: u64,
    #[pyo3(get)]
    gap: bool,
}

impl Message {
    pub(crate) fn of_content(content: Content) -> Message {
        Message { content, topic: None, publisher: None, publication: None, missed: 0, gap: false }
    }

    pub(crate) fn of_delivery(delivery: Delivery) -> Message {
        let Delivery { content, topic, publisher, publication, .. } = delivery;
        Message { content, topic, publisher, publication, missed: 0, gap: false }
    }

    pub(crate) fn of_incoming(incoming: &Incoming) -> Message {
        Message { publisher: incoming.caller, ..Message::of_content(incoming.content.clone()) }
    }

    fn payload(&self) -> Cow<'_, Payload> {
        match &self.content {
            Content::Plain(_) => self.content.to_payload(Serializer::MsgPack),
            Content::Arguments(payload) => Cow::Borrowed(payload),
        }
    }
}

#[pymethods]
impl Message {
    /// The text; a value is its JSON text.
    #[getter]
    fn text<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyString>> {
        match self.content.to_message().as_str() {
            Some(text) => Ok(PyString::new(py, text)),
            None => Err(content_error(py, "read", "it is binary: see Message.data")),
        }
    }

    /// The bytes, those of a text as UTF-8.
    #[getter]
    fn data<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        PyBytes::new(py, self.content.to_message().payload())
    }

    #[getter]
    fn is_text(&self) -> bool {
        self.content.is_text()
    }

    /// The value that was sent, whatever way it was sent.
    fn json<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyAny>> {
        let wrong = |error: DecodeError| content_error(py, "read", &error.to_string());
        let payload = match &self.content {
            Content::Plain(message) => return of_text(py, message),
            Content::Arguments(payload) => payload,
        };
        let args = payload.arg_values().map_err(wrong)?;
        match args.as_slice() {
            [] => {
                let kwargs = payload.kwarg_values().map_err(wrong)?;
                if kwargs.is_empty() {
                    Ok(py.None().into_bound(py))
                } else {
                    Ok(of_dict(py, &kwargs)?.into_any())
                }
            }
            [Value::Text(_) | Value::Bytes(_)] => {
                of_text(py, &bridge::to_raw(&Payload { kwargs: None, ..payload.clone() }))
            }
            [value] => to_object(py, value),
            several => Ok(of_list(py, several)?.into_any()),
        }
    }

    #[getter]
    fn args<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let args = self.payload().arg_values();
        of_list(py, &args.map_err(|error| content_error(py, "read", &error.to_string()))?)
    }

    #[getter]
    fn kwargs<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let kwargs = self.payload().kwarg_values();
        of_dict(py, &kwargs.map_err(|error| content_error(py, "read", &error.to_string()))?)
    }

    #[getter]
    fn topic(&self) -> Option<&str> {
        self.topic.as_ref().map(petasus_protocol::Topic::as_str)
    }

    /// The same message with what went before it; for drivers.
    fn _after(&self, missed: u64, gap: bool) -> Message {
        Message { content: self.content.clone(), topic: self.topic.clone(), missed, gap, ..*self }
    }

    #[staticmethod]
    fn __reduce__() -> PyResult<()> {
        Err(PyTypeError::new_err("a message can not be pickled: take its text, data or json()"))
    }

    fn __repr__(&self) -> String {
        let message = self.content.to_message();
        let topic = self.topic.as_ref().map_or(String::new(), |topic| format!(" topic={:?}", topic.as_str()));
        let shown = match message.as_str() {
            Some(text) => format!("{:?}", text.chars().take(60).collect::<String>()),
            None => "binary".to_owned(),
        };
        format!("<Message{topic} {} bytes: {shown}>", message.len())
    }
}

/// A text, or binary that is UTF-8, is read as JSON, or else is the text itself.
fn of_text<'py>(py: Python<'py>, message: &Raw) -> PyResult<Bound<'py, PyAny>> {
    let limits = Limits { max_depth: Limits::MAX_DEPTH, max_bytes: Limits::MAX_BYTES };
    if let Ok(value) = Value::decode(Serializer::Json, message.payload(), &limits) {
        return to_object(py, &value);
    }
    match std::str::from_utf8(message.payload()) {
        Ok(text) => Ok(PyString::new(py, text).into_any()),
        Err(_) => Err(content_error(py, "read", "it is binary: see Message.data")),
    }
}
