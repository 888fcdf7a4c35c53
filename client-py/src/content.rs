//! What can be sent: text, bytes, values, arguments, and what came.

use petasus_protocol::Message as Raw;
use petasus_protocol::session::Content;
use petasus_protocol::wamp::{Dict, Payload, Serializer, Value};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyString, PyTuple};

use crate::error::content_error;
use crate::message::Message;
use crate::value::{text_of, to_bytes, to_dict, to_value};

/// Positional and keyword arguments (WAMP), where a message is to carry more than one value.
#[pyclass(frozen, module = "petasus")]
pub(crate) struct Args {
    #[pyo3(get)]
    args: Py<PyTuple>,
    #[pyo3(get)]
    kwargs: Option<Py<PyDict>>,
}

#[pymethods]
impl Args {
    #[new]
    #[pyo3(signature = (*args, **kwargs))]
    fn new(args: Py<PyTuple>, kwargs: Option<Py<PyDict>>) -> Args {
        Args { args, kwargs }
    }

    /// How it is copied and pickled.
    fn __getnewargs_ex__(&self, py: Python<'_>) -> (Py<PyTuple>, Py<PyDict>) {
        let kwargs =
            self.kwargs.as_ref().map_or_else(|| PyDict::new(py).unbind(), |kwargs| kwargs.clone_ref(py));
        (self.args.clone_ref(py), kwargs)
    }

    fn __repr__(&self, py: Python<'_>) -> PyResult<String> {
        let kwargs = self
            .kwargs
            .as_ref()
            .map_or(Ok(String::new()), |kwargs| kwargs.bind(py).repr().map(|text| format!(", **{text}")))?;
        Ok(format!("Args(*{}{kwargs})", self.args.bind(py).repr()?))
    }
}

impl Args {
    fn payload(&self, py: Python<'_>, serializer: Serializer) -> PyResult<Payload> {
        let args: Vec<Value> =
            self.args.bind(py).iter().map(|item| to_value(&item)).collect::<PyResult<_>>()?;
        let kwargs = self.kwargs.as_ref().map_or(Ok(Dict::new()), |kwargs| to_dict(kwargs.bind(py)))?;
        args.iter()
            .chain(kwargs.iter().map(|(_, value)| value))
            .try_for_each(|value| check(py, value, serializer))?;
        Ok(Payload::of_values(serializer, &args, &kwargs))
    }
}

/// Makes the content of what a program wants to send. Values are written in `serializer`, and transcoded by the core
/// if the router chose another one.
pub(crate) fn to_content(object: &Bound<'_, PyAny>, serializer: Serializer) -> PyResult<Content> {
    if let Ok(text) = object.cast::<PyString>() {
        return Ok(Content::Plain(Raw::from(text_of(text)?)));
    }
    if let Some(bytes) = to_bytes(object)? {
        return Ok(Content::Plain(Raw::binary(bytes)));
    }
    if let Ok(message) = object.cast::<Message>() {
        return Ok(message.get().content.clone());
    }
    if let Ok(args) = object.cast::<Args>() {
        return args.get().payload(object.py(), serializer).map(Content::from);
    }
    let value = to_value(object)?;
    check(object.py(), &value, serializer)?;
    Ok(Payload::of_values(serializer, &[value], &Dict::new()).into())
}

/// Refuses what the serializer would silently make another value of: JSON has no NaN and no infinity.
fn check(py: Python<'_>, value: &Value, serializer: Serializer) -> PyResult<()> {
    match value {
        Value::Float(float) if !float.is_finite() && serializer == Serializer::Json => {
            let reason = format!("JSON has no {float}: connect with serializers=[\"cbor\"], or send a text");
            Err(content_error(py, "written", &reason))
        }
        Value::List(list) => list.iter().try_for_each(|item| check(py, item, serializer)),
        Value::Dict(dict) => dict.iter().try_for_each(|(_, item)| check(py, item, serializer)),
        _ => Ok(()),
    }
}
