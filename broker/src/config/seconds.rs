//! A span of time as it is written in a configuration.

use std::{borrow::Cow, fmt, str::FromStr, time::Duration};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

/// A number of seconds, fractions allowed: 0 to [`Seconds::MAX`], to the nanosecond.
///
/// Wherever zero means "never", [`Seconds::unless_zero`] says so in the type.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Seconds(Duration);

/// A number that is no usable span of time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SecondsError {
    /// Not a number at all, or not a finite one.
    #[error("not a number of seconds; write for example 30 or 0.5")]
    NotANumber,
    /// Below zero.
    #[error("a time can not be negative; write 0 or more seconds")]
    Negative,
    /// Longer than [`Seconds::MAX`].
    #[error("longer than ten years; write at most 315360000 seconds")]
    TooLong,
}

impl Seconds {
    /// Ten years: beyond it sums of times and the clocks of some systems overflow, and nobody means it.
    pub const MAX: Self = Self::new(315_360_000);

    /// A whole number of seconds.
    pub const fn new(seconds: u32) -> Self {
        Self(Duration::from_secs(seconds as u64))
    }

    /// A number of seconds with fractions.
    pub fn from_f64(seconds: f64) -> Result<Self, SecondsError> {
        if !seconds.is_finite() {
            return Err(SecondsError::NotANumber);
        }
        if seconds < 0.0 {
            return Err(SecondsError::Negative);
        }
        match Duration::try_from_secs_f64(seconds) {
            Ok(span) if span <= Self::MAX.0 => Ok(Self(span)),
            _ => Err(SecondsError::TooLong),
        }
    }

    /// The span.
    pub const fn duration(self) -> Duration {
        self.0
    }

    /// The span, or `None` for the keys where zero means "never".
    pub fn unless_zero(self) -> Option<Duration> {
        (!self.0.is_zero()).then_some(self.0)
    }

    /// Whether this is zero.
    pub const fn is_zero(self) -> bool {
        self.0.is_zero()
    }
}

impl From<Seconds> for Duration {
    fn from(seconds: Seconds) -> Self {
        seconds.0
    }
}

impl TryFrom<Duration> for Seconds {
    type Error = SecondsError;

    fn try_from(span: Duration) -> Result<Self, SecondsError> {
        if span > Self::MAX.0 { Err(SecondsError::TooLong) } else { Ok(Self(span)) }
    }
}

impl FromStr for Seconds {
    type Err = SecondsError;

    fn from_str(text: &str) -> Result<Self, SecondsError> {
        Self::from_f64(text.trim().parse().map_err(|_| SecondsError::NotANumber)?)
    }
}

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.subsec_nanos() == 0 {
            write!(f, "{}", self.0.as_secs())
        } else {
            write!(f, "{}", self.0.as_secs_f64())
        }
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0.subsec_nanos() == 0 {
            serializer.serialize_u64(self.0.as_secs())
        } else {
            serializer.serialize_f64(self.0.as_secs_f64())
        }
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;

        impl de::Visitor<'_> for Visitor {
            type Value = Seconds;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number of seconds")
            }

            fn visit_i64<E: de::Error>(self, seconds: i64) -> Result<Seconds, E> {
                self.visit_f64(seconds as f64)
            }

            fn visit_u64<E: de::Error>(self, seconds: u64) -> Result<Seconds, E> {
                self.visit_f64(seconds as f64)
            }

            fn visit_f64<E: de::Error>(self, seconds: f64) -> Result<Seconds, E> {
                Seconds::from_f64(seconds).map_err(E::custom)
            }
        }

        deserializer.deserialize_any(Visitor)
    }
}

impl JsonSchema for Seconds {
    fn schema_name() -> Cow<'static, str> {
        "Seconds".into()
    }

    fn inline_schema() -> bool {
        true
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "format": "seconds", "minimum": 0, "maximum": Self::MAX.0.as_secs() })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn negative_infinite_and_absurd_times_are_refused() {
        for (text, error) in [
            ("-1", SecondsError::Negative),
            ("-0.001", SecondsError::Negative),
            ("NaN", SecondsError::NotANumber),
            ("inf", SecondsError::NotANumber),
            ("soon", SecondsError::NotANumber),
            ("", SecondsError::NotANumber),
            ("315360001", SecondsError::TooLong),
            ("1e300", SecondsError::TooLong),
        ] {
            assert_eq!(text.parse::<Seconds>(), Err(error), "{text}");
        }
    }

    #[test]
    fn fractions_are_kept() {
        assert_eq!("0.25".parse::<Seconds>().unwrap().duration(), Duration::from_millis(250));
        assert_eq!("30".parse::<Seconds>().unwrap().to_string(), "30");
        assert_eq!("1.5".parse::<Seconds>().unwrap().to_string(), "1.5");
    }

    #[test]
    fn zero_can_mean_never() {
        assert_eq!(Seconds::new(0).unless_zero(), None);
        assert_eq!(Seconds::new(2).unless_zero(), Some(Duration::from_secs(2)));
    }

    proptest! {
        #[test]
        fn a_time_printed_is_the_time_read(milliseconds in 0_u64..=315_360_000_000) {
            let time = Seconds::try_from(Duration::from_millis(milliseconds)).unwrap();
            let read: Seconds = time.to_string().parse().unwrap();
            prop_assert!(read.duration().abs_diff(time.duration()) < Duration::from_micros(1));
        }
    }
}
