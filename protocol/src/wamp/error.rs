//! How large a message may be, and why bytes are not a message.

/// How large and how deep a message may be. Both are checked before anything is allocated or descended into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The most levels of lists, dicts and CBOR tags in each other, the outer list of the message being one. More
    /// than [`Limits::MAX_DEPTH`] counts as [`Limits::MAX_DEPTH`].
    pub max_depth: usize,
    /// The most bytes of a message. More than [`Limits::MAX_BYTES`] counts as [`Limits::MAX_BYTES`].
    pub max_bytes: usize,
}

impl Limits {
    /// The deepest nesting that can be allowed: it bounds the stack, whatever the configuration says.
    pub const MAX_DEPTH: usize = 256;

    /// The largest message that can be allowed: 512 MiB, so that all lengths fit 32 bits in every serializer.
    pub const MAX_BYTES: usize = 512 << 20;

    /// The most digits of an integer. Converting costs the square of the length, so that it has to be bounded; 2048
    /// digits hold a number of 6800 bits.
    pub(crate) const MAX_DIGITS: usize = 2048;

    /// Checks the length of a message.
    pub(crate) fn check_bytes(&self, len: usize) -> Result<(), DecodeError> {
        let max_bytes = self.max_bytes.min(Self::MAX_BYTES);
        if len > max_bytes { Err(DecodeError::TooLarge { max_bytes }) } else { Ok(()) }
    }

    /// The depth that is allowed.
    pub(crate) fn depth(&self) -> usize {
        self.max_depth.min(Self::MAX_DEPTH)
    }
}

impl Default for Limits {
    /// 100 levels, which every common library reads (`serde_json` stops at 127), and 16 MiB, the most that a
    /// rawsocket frame holds.
    fn default() -> Self {
        Limits { max_depth: 100, max_bytes: 16 << 20 }
    }
}

/// Why bytes are not a WAMP message, or not a value of their serializer. Offsets count bytes from the start.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// More bytes than [`Limits::max_bytes`].
    #[error("the message is too large: send at most {max_bytes} bytes")]
    TooLarge {
        /// The limit that was exceeded.
        max_bytes: usize,
    },
    /// Deeper than [`Limits::max_depth`].
    #[error("the message is nested too deeply: use at most {max_depth} levels")]
    TooDeep {
        /// The limit that was exceeded.
        max_depth: usize,
    },
    /// An integer of more than 2048 digits.
    #[error("the integer at byte {at} has more than 2048 digits: send it as text")]
    TooManyDigits {
        /// Where the integer begins.
        at: usize,
    },
    /// The bytes end in the middle of a value, or a length claims more bytes than there are.
    #[error("the message ends before the value at byte {at} does: send it whole")]
    Truncated {
        /// Where the value or the length begins.
        at: usize,
    },
    /// Something follows the value.
    #[error("there is more after the message, from byte {at} on: send one message at a time")]
    Trailing {
        /// The first byte that does not belong to the message.
        at: usize,
    },
    /// A text is not UTF-8.
    #[error("a text is not UTF-8 from byte {at} on: send UTF-8, or send it as binary")]
    NotUtf8 {
        /// The first byte at fault.
        at: usize,
    },
    /// The grammar of the serializer is broken.
    #[error("{what} at byte {at}: send well-formed {serializer}")]
    Malformed {
        /// The name of the serializer.
        serializer: &'static str,
        /// What is wrong.
        what: &'static str,
        /// Where.
        at: usize,
    },
    /// The message is not a list, or an empty one.
    #[error("a WAMP message is a list that begins with its type: send such a list")]
    NotAMessage,
    /// The outer list has more elements than any message.
    #[error("a WAMP message has at most {max} elements: send no more")]
    TooManyElements {
        /// The most that are allowed.
        max: usize,
    },
    /// The first element is no message type that we know.
    #[error("there is no WAMP message of type {code}: send one that the specification lists")]
    UnknownType {
        /// The number that was sent.
        code: u64,
    },
    /// An element is missing, or of a wrong type.
    #[error("element {index} of {message} has to be {wanted}: send one")]
    Element {
        /// The name of the message, such as `HELLO`.
        message: &'static str,
        /// The position in the outer list; 0 is the message type.
        index: usize,
        /// What it has to be, such as `a dict`.
        wanted: &'static str,
    },
    /// The message has more elements than its type allows (WAMP, "No Polymorphism").
    #[error("{message} has at most {max} elements: send no more")]
    ExtraElements {
        /// The name of the message, such as `HELLO`.
        message: &'static str,
        /// The most that it has, its type included.
        max: usize,
    },
    /// The bytes are well-formed, but not a value of the Rust type that was asked for.
    #[error("the value is of an unexpected type ({reason}): send the type that the procedure documents")]
    Type {
        /// What the library says.
        reason: String,
    },
}

/// Why a value cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum EncodeError {
    /// The serializer has no form for it, for example JSON for a map with a list as its key.
    #[error("the value cannot be written as {serializer} ({reason}): use another type or serializer")]
    Unsupported {
        /// The name of the serializer.
        serializer: &'static str,
        /// What the library says.
        reason: String,
    },
    /// `args` is not a list, or `kwargs` is not a dict with text keys.
    #[error("{part} has to be {wanted}: give one, or nothing")]
    Shape {
        /// `args` or `kwargs`.
        part: &'static str,
        /// What it has to be.
        wanted: &'static str,
    },
}

/// What is wrong with a message, in words. A page has no room for them (feature `texts`).
pub(crate) const fn words(text: &'static str) -> &'static str {
    if cfg!(feature = "texts") { text } else { "" }
}
