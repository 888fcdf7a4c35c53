//! Keys that can be switched off: in the file `""` or `"none"`, in Rust `None`.

use std::{fmt::Display, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// Writes `None` as the empty text.
#[allow(clippy::ref_option)] // serde calls it with a reference to the field
pub(super) fn serialize<T: Display, S: Serializer>(
    value: &Option<T>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => serializer.collect_str(value),
        None => "".serialize(serializer),
    }
}

/// Reads the empty text and `none` as `None`.
pub(super) fn deserialize<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: FromStr<Err: Display>,
    D: Deserializer<'de>,
{
    let text = String::deserialize(deserializer)?;
    match text.trim() {
        "" | "none" => Ok(None),
        value => value.parse().map(Some).map_err(|error| {
            de::Error::custom(format_args!("`{value}`: {error}; correct it, or write \"\" to switch it off"))
        }),
    }
}
