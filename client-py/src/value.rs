//! Python's values as those of WAMP, and back.

use bytes::Bytes;
use petasus_protocol::wamp::{Dict, Value};
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::{
    PyBool, PyByteArray, PyBytes, PyDict, PyFloat, PyInt, PyList, PyMemoryView, PyString, PyTuple,
};

use crate::error::content_error;

/// Lists in lists, and dicts in dicts, that are taken. The brokers' own limit is about this; a list that contains
/// itself has no end.
const MAX_DEPTH: usize = 64;

/// Reads a value. `verb` of the error is `written`.
pub(crate) fn to_value(object: &Bound<'_, PyAny>) -> PyResult<Value> {
    nested(object, MAX_DEPTH)
}

fn nested(object: &Bound<'_, PyAny>, depth: usize) -> PyResult<Value> {
    let py = object.py();
    if object.is_none() {
        return Ok(Value::Null);
    }
    if let Ok(text) = object.cast::<PyString>() {
        return text_of(text).map(Value::Text);
    }
    if let Ok(boolean) = object.cast::<PyBool>() {
        return Ok(Value::Bool(boolean.is_true()));
    }
    if let Ok(integer) = object.cast::<PyInt>() {
        return to_integer(integer).map(Value::Integer);
    }
    if let Ok(float) = object.cast::<PyFloat>() {
        return Ok(Value::Float(float.value()));
    }
    if let Some(bytes) = to_bytes(object)? {
        return Ok(Value::Bytes(bytes));
    }
    let Some(below) = depth.checked_sub(1) else {
        return Err(content_error(py, "written", "it is nested too deeply, or contains itself"));
    };
    if object.is_instance_of::<PyList>() || object.is_instance_of::<PyTuple>() {
        let items = object.try_iter()?.map(|item| nested(&item?, below));
        return items.collect::<PyResult<_>>().map(Value::List);
    }
    if let Ok(dict) = object.cast::<PyDict>() {
        return to_dict_within(dict, below).map(Value::Dict);
    }
    let name = object.get_type().name()?;
    let reason =
        format!("a {name} has no form on the wire: make text, bytes, numbers, lists and dicts of it");
    Err(content_error(py, "written", &reason))
}

/// Reads a dict whose keys are text.
pub(crate) fn to_dict(dict: &Bound<'_, PyDict>) -> PyResult<Dict> {
    to_dict_within(dict, MAX_DEPTH)
}

fn to_dict_within(dict: &Bound<'_, PyDict>, depth: usize) -> PyResult<Dict> {
    let mut entries = Vec::with_capacity(dict.len());
    // A copy: what is read may be code of the program, which changes the dict meanwhile.
    for entry in dict.items() {
        let (key, value): (Bound<'_, PyAny>, Bound<'_, PyAny>) = entry.extract()?;
        let Ok(key) = key.cast::<PyString>() else {
            return Err(content_error(dict.py(), "written", "the keys of a dict must be text"));
        };
        entries.push((text_of(key)?, nested(&value, depth)?));
    }
    Ok(Dict::from_entries(entries))
}

/// Reads a text; one with a lone surrogate has no form on any wire.
pub(crate) fn text_of(text: &Bound<'_, PyString>) -> PyResult<String> {
    let reason = "the text has a lone surrogate, which is not Unicode";
    text.to_str().map(str::to_owned).map_err(|_| content_error(text.py(), "written", reason))
}

/// Reads bytes, if it is any of what holds some.
pub(crate) fn to_bytes(object: &Bound<'_, PyAny>) -> PyResult<Option<Bytes>> {
    if let Ok(bytes) = object.cast::<PyBytes>() {
        return Ok(Some(Bytes::copy_from_slice(bytes.as_bytes())));
    }
    if object.is_instance_of::<PyByteArray>() || object.is_instance_of::<PyMemoryView>() {
        let bytes = object.py().get_type::<PyBytes>().call1((object,))?;
        let bytes = bytes.cast_into::<PyBytes>().map_err(PyTypeError::from_cast)?;
        return Ok(Some(Bytes::copy_from_slice(bytes.as_bytes())));
    }
    Ok(None)
}

/// Makes Python's error of a failed cast.
trait FromCast {
    fn from_cast(error: pyo3::CastIntoError<'_>) -> PyErr;
}

impl FromCast for PyTypeError {
    fn from_cast(error: pyo3::CastIntoError<'_>) -> PyErr {
        PyTypeError::new_err(error.to_string())
    }
}

fn to_integer(integer: &Bound<'_, PyInt>) -> PyResult<i128> {
    let py = integer.py();
    if let Ok(small) = integer.extract::<i64>() {
        return Ok(small.into());
    }
    // Also where the stable interface has no wide integers.
    let too_wide = || content_error(py, "written", "the number is too large for any wire");
    // Python itself refuses to write thousands of digits.
    let text = integer.str().map_err(|_| too_wide())?;
    text.to_str()?.parse().map_err(|_| too_wide())
}

/// Makes an object of a value.
pub(crate) fn to_object<'py>(py: Python<'py>, value: &Value) -> PyResult<Bound<'py, PyAny>> {
    Ok(match value {
        Value::Null => py.None().into_bound(py),
        Value::Bool(boolean) => PyBool::new(py, *boolean).to_owned().into_any(),
        Value::Integer(integer) => of_integer(py, *integer)?,
        Value::Float(float) => PyFloat::new(py, *float).into_any(),
        Value::Text(text) => PyString::new(py, text).into_any(),
        Value::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
        Value::List(list) => of_list(py, list)?.into_any(),
        Value::Dict(dict) => of_dict(py, dict)?.into_any(),
    })
}

/// Makes a list of values.
pub(crate) fn of_list<'py>(py: Python<'py>, list: &[Value]) -> PyResult<Bound<'py, PyList>> {
    let items: Vec<_> = list.iter().map(|item| to_object(py, item)).collect::<PyResult<_>>()?;
    PyList::new(py, items)
}

/// Makes a dict.
pub(crate) fn of_dict<'py>(py: Python<'py>, dict: &Dict) -> PyResult<Bound<'py, PyDict>> {
    let object = PyDict::new(py);
    for (key, value) in dict.iter() {
        object.set_item(key, to_object(py, value)?)?;
    }
    Ok(object)
}

fn of_integer(py: Python<'_>, integer: i128) -> PyResult<Bound<'_, PyAny>> {
    if let Ok(small) = i64::try_from(integer) {
        return Ok(small.into_pyobject(py)?.into_any());
    }
    let wrong = |error: PyErr| PyOverflowError::new_err(error.to_string());
    py.get_type::<PyInt>().call1((integer.to_string(),)).map_err(wrong)
}
