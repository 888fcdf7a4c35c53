//! The numbers among the settings: see [`Config`] for what they mean.

use petasus_protocol::session::{Config, Dialect, Probe, ServerUrl, UrlError};

/// The settings for a broker. A page sees no pings.
pub(crate) fn of_url(url: &str, plain: bool) -> Result<Config, UrlError> {
    let mut config = Config::new(ServerUrl::parse(url)?);
    config.dialect = dialect(plain);
    config.heartbeat.probe = Probe::Call;
    Ok(config)
}

#[cfg(feature = "mercury")]
fn dialect(plain: bool) -> Dialect {
    if plain { Dialect::Mercury } else { Dialect::Wamp }
}

#[cfg(not(feature = "mercury"))]
fn dialect(_: bool) -> Dialect {
    Dialect::Wamp
}

/// The place of a setting in this list is its number.
pub(crate) fn set(config: &mut Config, which: u64, value: f64) {
    let millis = millis(value);
    match which {
        0 => config.fail_fast = value != 0.0,
        1 => config.connect_timeout = millis,
        2 => config.request_timeout = millis,
        3 => config.close_timeout = millis,
        4 => config.heartbeat.idle = millis,
        5 => config.heartbeat.patience = millis,
        6 => config.backoff.base = millis,
        7 => config.backoff.cap = millis,
        8 => config.queue_bytes = value as usize,
        _ => config.message_bytes = value as usize,
    }
}

/// A time; what is longer than 30,000 years, as an endless one, is as good as that, and can be added to another.
pub(crate) fn millis(value: f64) -> u64 {
    value.min(1e15) as u64
}
