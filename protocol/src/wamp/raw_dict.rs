//! Dicts as they were written.

use std::borrow::Cow;

use bytes::Bytes;

use super::outline;
#[cfg(feature = "readers")]
use super::pick;
use super::pick::Found;
use super::walk::{Shape, check_only};
use super::{DecodeError, Dict, Limits, Serializer, in_serializer, transcode};

/// A dict as its sender wrote it. Cloning is cheap: the bytes are shared.
///
/// [`RawDict::to_dict`] gives the values. Two are equal if their values are.
#[derive(Clone, Debug)]
pub struct RawDict {
    serializer: Serializer,
    /// No bytes at all stand for no keys.
    bytes: Bytes,
    /// Whether the bytes are no dict, but an outline of one.
    outlined: bool,
}

impl RawDict {
    /// Without any keys.
    pub const fn new() -> RawDict {
        RawDict { serializer: Serializer::Json, bytes: Bytes::new(), outlined: false }
    }

    /// Takes `bytes` for a dict, after they were found to be one within `limits`.
    pub fn decode(serializer: Serializer, bytes: Bytes, limits: &Limits) -> Result<RawDict, DecodeError> {
        match transcode::walk(serializer, &bytes, limits, &mut check_only())? {
            Shape::Dict | Shape::OddDict => Ok(RawDict::checked(serializer, bytes)),
            _ => Err(DecodeError::Type { reason: "it is not a dict".to_owned() }),
        }
    }

    /// Takes bytes for a dict that were found to be one, or were just written as one. Of others a message is made that
    /// its receiver refuses.
    pub fn checked(serializer: Serializer, bytes: Bytes) -> RawDict {
        RawDict { serializer, bytes, outlined: false }
    }

    /// The entries of an [`outline`] of a dict that the driver has.
    pub(crate) fn outlined(entries: Bytes) -> RawDict {
        RawDict { serializer: Serializer::Json, bytes: entries, outlined: true }
    }

    /// Whether there are certainly no keys, or they are with the driver.
    pub fn is_empty(&self) -> bool {
        self.outlined || self.bytes.is_empty() || super::envelope::is_empty_dict(self.serializer, &self.bytes)
    }

    /// The values.
    pub fn to_dict(&self) -> Dict {
        if self.is_empty() {
            return Dict::new();
        }
        // It was found to be one.
        Dict::decode(self.serializer, &self.bytes, &transcode::WIDEST).unwrap_or_default()
    }

    /// The bytes of this dict in the serializer `to`, by the rules of [`transcode`](mod@super::transcode).
    pub fn to_bytes(&self, to: Serializer) -> Cow<'_, [u8]> {
        if self.is_empty() {
            return Cow::Borrowed(in_serializer!(to, format => format::EMPTY_DICT));
        }
        if self.serializer == to {
            return Cow::Borrowed(&self.bytes);
        }
        // It was found to be well-formed.
        Cow::Owned(transcode::transcode(self.serializer, to, &self.bytes).unwrap_or_default())
    }

    pub(crate) fn text(&self, key: &str) -> Option<String> {
        match self.pick(&[key])? {
            Found::Text(text) => Some(text),
            _ => None,
        }
    }

    /// An id, count or duration: 0 to 2^53.
    pub(crate) fn id(&self, key: &str) -> Option<u64> {
        match self.pick(&[key])? {
            Found::Unsigned(id) if id <= super::MAX_ID => Some(id),
            _ => None,
        }
    }

    /// Whether there is a `true` in the dict of dicts at `path`.
    pub(crate) fn is_true(&self, path: &[&str]) -> bool {
        self.pick(path) == Some(Found::Bool(true))
    }

    /// Whether the list `key` has this text.
    pub(crate) fn list_has(&self, key: &str, element: &str) -> bool {
        if self.outlined {
            return outline::list_has(&self.bytes, key, element);
        }
        #[cfg(feature = "readers")]
        return !self.is_empty() && pick::list_has(self.serializer, &self.bytes, &[key], element);
        #[cfg(not(feature = "readers"))]
        false
    }

    fn pick(&self, path: &[&str]) -> Option<Found> {
        if self.outlined {
            return outline::pick(&self.bytes, path);
        }
        #[cfg(feature = "readers")]
        return if self.is_empty() { None } else { pick::pick(self.serializer, &self.bytes, path) };
        #[cfg(not(feature = "readers"))]
        None
    }
}

impl Default for RawDict {
    fn default() -> Self {
        RawDict::new()
    }
}

impl PartialEq for RawDict {
    fn eq(&self, other: &RawDict) -> bool {
        self.to_dict() == other.to_dict()
    }
}

impl From<&Dict> for RawDict {
    fn from(dict: &Dict) -> RawDict {
        // The last one keeps most: all but JSON tell binary from text.
        let serializer = Serializer::ALL[Serializer::ALL.len() - 1];
        RawDict::checked(serializer, dict.encode(serializer).into())
    }
}

impl From<Dict> for RawDict {
    fn from(dict: Dict) -> RawDict {
        RawDict::from(&dict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dict_is_the_same_in_all_serializers() {
        let dict = Dict::new().with("a", 1).with("b", "x");
        for from in Serializer::ALL {
            let raw = RawDict::decode(from, dict.encode(from).into(), &Limits::default());
            let raw = raw.expect("it is a dict");
            assert_eq!(raw, RawDict::from(&dict));
            assert_eq!((raw.id("a"), raw.text("b"), raw.text("a")), (Some(1), Some("x".to_owned()), None));
            for to in Serializer::ALL {
                assert_eq!(raw.to_bytes(to), dict.encode(to), "{from} {to}");
                assert_eq!(RawDict::new().to_bytes(to), Dict::new().encode(to));
            }
        }
    }

    #[test]
    fn only_dicts_are_taken() {
        let take = |json: &'static str| RawDict::decode(Serializer::Json, json.into(), &Limits::default());
        assert!(take("{\"a\":[]}").is_ok_and(|dict| !dict.is_empty()));
        assert!(take("{}").is_ok_and(|dict| dict.is_empty()));
        for json in ["[]", "1", "{", "{} {}"] {
            assert!(take(json).is_err(), "{json}");
        }
    }
}
