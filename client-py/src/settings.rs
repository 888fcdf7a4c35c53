//! The options of a client, as a dict that the Python side has completed.

use petasus_protocol::session::{Config, Dialect, ServerUrl};
use petasus_protocol::wamp::Serializer;
use pyo3::exceptions::{PyOverflowError, PyTypeError};
use pyo3::prelude::*;
use pyo3::types::PyDict;

use crate::auth::Auth;
use crate::error::{setting_error, url_error};

/// What a core is made of.
pub(crate) struct Settings {
    pub(crate) config: Config,
    pub(crate) origin: Option<String>,
    pub(crate) receive_bytes: usize,
}

impl Settings {
    /// Reads them. What is not there is the default of the core.
    pub(crate) fn read(url: &str, options: &Bound<'_, PyDict>) -> PyResult<Settings> {
        let py = options.py();
        let url = ServerUrl::parse(url).map_err(|error| url_error(py, url, error))?;
        let mut settings = Settings { config: Config::new(url), origin: None, receive_bytes: 64 << 20 };
        let mut of_wamp = None;
        for (key, value) in options.iter() {
            let key: String = key.extract()?;
            if !value.is_none() {
                settings.set(&key, &value).map_err(|error| of_option(py, &key, error))?;
                of_wamp = of_wamp.or_else(|| wamp_alone(&key));
            }
        }
        match of_wamp {
            Some((key, why)) if settings.config.dialect == Dialect::Mercury => {
                Err(setting_error(py, key, &format!("over Mercury {why}")))
            }
            _ => Ok(settings),
        }
    }

    fn set(&mut self, key: &str, value: &Bound<'_, PyAny>) -> PyResult<()> {
        let (py, config) = (value.py(), &mut self.config);
        match key {
            "dialect" => config.dialect = dialect(value)?,
            "realm" => config.realm = value.extract()?,
            "serializers" => config.serializers = serializers(value)?,
            "auth" => config.identity = value.cast::<Auth>()?.get().identity.clone(),
            "origin" => self.origin = Some(value.extract()?),
            "backoff" => {
                (config.backoff.base, config.backoff.cap) = pair(value, key)?;
                above_zero(py, key, config.backoff.base.min(config.backoff.cap))?;
            }
            "heartbeat" => {
                (config.heartbeat.idle, config.heartbeat.patience) = pair(value, key)?;
                above_zero(py, key, config.heartbeat.idle.min(config.heartbeat.patience))?;
            }
            "connect_timeout" => {
                config.connect_timeout = millis(value, key)?;
                above_zero(py, key, config.connect_timeout)?;
            }
            "request_timeout" => config.request_timeout = millis(value, key)?,
            "close_timeout" => config.close_timeout = millis(value, key)?,
            "queue_bytes" => config.queue_bytes = value.extract()?,
            "message_bytes" => config.message_bytes = value.extract()?,
            "receive_bytes" => self.receive_bytes = value.extract()?,
            "fail_fast" => config.fail_fast = value.extract()?,
            _ => return Err(setting_error(py, "the option", &format!("there is no {key:?}"))),
        }
        Ok(())
    }
}

/// An error that names the option: a value of a wrong type is refused by a conversion that knows no names.
fn of_option(py: Python<'_>, key: &str, error: PyErr) -> PyErr {
    let is_conversion =
        error.is_instance_of::<PyTypeError>(py) || error.is_instance_of::<PyOverflowError>(py);
    if is_conversion { setting_error(py, key, &error.value(py).to_string()) } else { error }
}

fn dialect(value: &Bound<'_, PyAny>) -> PyResult<Dialect> {
    match value.extract::<String>()?.as_str() {
        "wamp" => Ok(Dialect::Wamp),
        "mercury" => Ok(Dialect::Mercury),
        other => {
            let why = format!("{other:?} is none: take \"wamp\" or \"mercury\"");
            Err(setting_error(value.py(), "the dialect", &why))
        }
    }
}

fn serializers(value: &Bound<'_, PyAny>) -> PyResult<Vec<Serializer>> {
    let wrong = |why: &str| setting_error(value.py(), "the list of serializers", why);
    let names: Vec<String> = value.extract()?;
    let mut found = Vec::with_capacity(names.len());
    for name in &names {
        found.push(match name.as_str() {
            "json" => Serializer::Json,
            "msgpack" => Serializer::MsgPack,
            "cbor" => Serializer::Cbor,
            other => return Err(wrong(&format!("{other:?} is none: take json, msgpack or cbor"))),
        });
    }
    if found.is_empty() { Err(wrong("it is empty: name one")) } else { Ok(found) }
}

fn pair(value: &Bound<'_, PyAny>, what: &str) -> PyResult<(u64, u64)> {
    let (first, second): (Bound<'_, PyAny>, Bound<'_, PyAny>) = value.extract()?;
    Ok((millis(&first, what)?, millis(&second, what)?))
}

fn millis(value: &Bound<'_, PyAny>, what: &str) -> PyResult<u64> {
    let seconds: f64 = value.extract()?;
    if seconds.is_nan() || seconds < 0.0 {
        return Err(setting_error(value.py(), what, "it is a time in seconds, 0 at least"));
    }
    Ok(to_millis(seconds))
}

/// Refuses a time with which nothing could ever succeed, or with which the broker would be asked without a pause.
fn above_zero(py: Python<'_>, what: &str, millis: u64) -> PyResult<()> {
    if millis == 0 { Err(setting_error(py, what, "a time has to be a millisecond at least")) } else { Ok(()) }
}

/// An option that has no meaning over Mercury, and why.
fn wamp_alone(key: &str) -> Option<(&'static str, &'static str)> {
    match key {
        "auth" => Some(("auth", "there is no log-in: give headers=, such as Authorization")),
        "realm" => Some(("realm", "there are no realms: all is in that which the broker calls default")),
        "serializers" => Some(("serializers", "there are none: messages go as they are")),
        _ => None,
    }
}

/// Seconds of Python in the unit of the session; what is negative is 0, what is too much is the most.
pub(crate) fn to_millis(seconds: f64) -> u64 {
    (seconds * 1000.0).round() as u64
}
