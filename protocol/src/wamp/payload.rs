//! Payloads: `args` and `kwargs` as their sender wrote them.

use std::borrow::Cow;

use bytes::Bytes;

use super::{DecodeError, Dict, Serializer, Value, transcode};

/// The arguments of a call, an event, a result or an error. Cloning is cheap: the bytes are shared.
///
/// The fields hold well-formed bytes of `serializer` if the payload comes from a message or from a constructor;
/// whoever fills the fields by hand promises the same.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Payload {
    /// What `args` and `kwargs` are written in.
    pub serializer: Serializer,
    /// A list; `None` if the sender gave none (or null).
    pub args: Option<Bytes>,
    /// A dict whose keys are text; `None` if the sender gave none (or null).
    pub kwargs: Option<Bytes>,
}

impl Payload {
    /// No arguments.
    pub const fn empty() -> Payload {
        Payload { serializer: Serializer::Json, args: None, kwargs: None }
    }

    /// Values; an empty list or dict becomes absent.
    pub fn of_values(serializer: Serializer, args: &[Value], kwargs: &Dict) -> Payload {
        let args = (!args.is_empty()).then(|| {
            let mut out = Vec::new();
            transcode::write_list(serializer, args, &mut out);
            Bytes::from(out)
        });
        let kwargs = (!kwargs.is_empty()).then(|| Bytes::from(kwargs.encode(serializer)));
        Payload { serializer, args, kwargs }
    }

    /// Whether there are neither `args` nor `kwargs`.
    pub fn is_empty(&self) -> bool {
        self.args.is_none() && self.kwargs.is_none()
    }

    /// How many elements of a message it takes: 0, 1 or 2 (`kwargs` never goes without `args`).
    pub fn elements(&self) -> usize {
        match (&self.args, &self.kwargs) {
            (_, Some(_)) => 2,
            (Some(_), None) => 1,
            (None, None) => 0,
        }
    }

    /// The bytes of both.
    pub fn len(&self) -> usize {
        self.args.as_ref().map_or(0, Bytes::len) + self.kwargs.as_ref().map_or(0, Bytes::len)
    }

    /// The same arguments in the serializer `to`: borrowed if they are already. The rules are those of
    /// [`transcode`]. Bytes that are not well-formed, which only a payload made by hand can hold, become absent.
    pub fn transcoded(&self, to: Serializer) -> Cow<'_, Payload> {
        if self.serializer == to {
            return Cow::Borrowed(self);
        }
        let part = |bytes: &Option<Bytes>| {
            let bytes = bytes.as_ref()?;
            let transcoded = transcode::transcode(self.serializer, to, bytes);
            debug_assert!(transcoded.is_ok(), "a payload holds malformed bytes: {transcoded:?}");
            transcoded.ok().map(Bytes::from)
        };
        Cow::Owned(Payload { serializer: to, args: part(&self.args), kwargs: part(&self.kwargs) })
    }

    /// The positional arguments as values; none if absent.
    pub fn arg_values(&self) -> Result<Vec<Value>, DecodeError> {
        match self.read(self.args.as_ref())? {
            Some(Value::List(list)) => Ok(list),
            Some(_) => Err(DecodeError::Type { reason: "args is not a list".to_owned() }),
            None => Ok(Vec::new()),
        }
    }

    /// The keyword arguments as values; none if absent.
    pub fn kwarg_values(&self) -> Result<Dict, DecodeError> {
        match self.read(self.kwargs.as_ref())? {
            Some(Value::Dict(dict)) => Ok(dict),
            Some(_) => Err(DecodeError::Type { reason: "kwargs is not a dict".to_owned() }),
            None => Ok(Dict::new()),
        }
    }

    fn read(&self, bytes: Option<&Bytes>) -> Result<Option<Value>, DecodeError> {
        bytes.map(|bytes| Value::decode(self.serializer, bytes, &transcode::WIDEST)).transpose()
    }
}

impl Default for Payload {
    fn default() -> Self {
        Payload::empty()
    }
}
