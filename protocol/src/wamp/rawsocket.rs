//! The rawsocket transport: handshake and frame headers (WAMP Advanced Profile, "`RawSocket` Transport").
//!
//! A connection begins with four octets from the client and four from the router; from then on every message is
//! preceded by a header of four octets. Nothing in here reads or writes: octets in, values out, and back.

use super::Serializer;

/// The first octet of every handshake. No HTTP request begins with it, so a port may be shared with HTTP.
pub const MAGIC: u8 = 0x7F;
/// The octets of a handshake request and of its reply.
pub const HANDSHAKE_LEN: usize = 4;
/// The octets before every message.
pub const HEADER_LEN: usize = 4;
/// The longest message that the transport knows, in bytes: exactly 2^24.
pub const MAX_MESSAGE: usize = 1 << 24;

/// The longest message that a peer is willing to receive: 512 bytes times a power of two, to 16 MiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MaxLength(u8);

impl MaxLength {
    /// 16 MiB.
    pub const LARGEST: MaxLength = MaxLength(15);
    /// 512 bytes.
    pub const SMALLEST: MaxLength = MaxLength(0);

    /// The largest one that is no larger than `bytes`; 512 bytes if there is none.
    pub fn at_most(bytes: usize) -> MaxLength {
        let exponent = bytes.checked_ilog2().unwrap_or(0).clamp(9, 24);
        MaxLength((exponent - 9) as u8)
    }

    /// The smallest one that is no smaller than `bytes`; 16 MiB if there is none.
    pub fn at_least(bytes: usize) -> MaxLength {
        let wanted = bytes.checked_next_power_of_two().unwrap_or(usize::MAX);
        MaxLength::at_most(wanted)
    }

    /// In bytes.
    pub const fn bytes(self) -> usize {
        512 << self.0
    }
}

/// Why a router refuses a client, as the client is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// The router does not speak the serializer.
    #[error("the router does not speak this serializer: ask for JSON (1), MessagePack (2) or CBOR (3)")]
    SerializerUnsupported,
    /// The router's messages do not fit into the client's maximum.
    #[error("the router does not accept the maximum message length: ask for a larger one")]
    LengthUnacceptable,
    /// Octets three and four are not zero.
    #[error("the third and fourth octet of the handshake are reserved: send zeros")]
    ReservedBits,
    /// The router has as many connections as it may have.
    #[error("the router has no room for another connection: try again later")]
    TooManyConnections,
}

impl Refusal {
    const ALL: [Refusal; 4] = [
        Refusal::SerializerUnsupported,
        Refusal::LengthUnacceptable,
        Refusal::ReservedBits,
        Refusal::TooManyConnections,
    ];

    /// The number on the wire, 1 to 4.
    pub const fn code(self) -> u8 {
        match self {
            Refusal::SerializerUnsupported => 1,
            Refusal::LengthUnacceptable => 2,
            Refusal::ReservedBits => 3,
            Refusal::TooManyConnections => 4,
        }
    }

    /// The router's reply that says so.
    pub const fn encode(self) -> [u8; HANDSHAKE_LEN] {
        [MAGIC, self.code() << 4, 0, 0]
    }
}

/// Why a handshake came to nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The first octet is another one. Close the connection without an answer.
    #[error(
        "the first octet is {first:#04x}, not 0x7f: this is no RawSocket handshake, close the connection"
    )]
    NotRawSocket {
        /// The octet that came.
        first: u8,
    },
    /// Of a request: send [`Refusal::encode`], then close. Of a reply: what the router said.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The router refused for a reason that the specification does not know.
    #[error("the router refused the connection with the unknown code {code}: see its log")]
    UnknownRefusal {
        /// 0 or 5 to 15.
        code: u8,
    },
    /// The router answered with another serializer than it was asked for.
    #[error("the router answered with serializer {code}, which was not asked for: close the connection")]
    OtherSerializer {
        /// The number of the serializer, 1 to 15.
        code: u8,
    },
}

/// What a client asks for, and equally what a router that accepts it answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Handshake {
    /// The serializer of all messages; the router repeats the client's.
    pub serializer: Serializer,
    /// The longest message that the sender of the handshake wants to receive.
    pub max_length: MaxLength,
}

impl Handshake {
    /// The four octets, of a request and of an accepting reply.
    pub const fn encode(self) -> [u8; HANDSHAKE_LEN] {
        [MAGIC, (self.max_length.0 << 4) | self.serializer.rawsocket(), 0, 0]
    }

    /// Reads a client's request. With [`HandshakeError::Refused`] the client is owed an answer.
    ///
    /// Serializer 0 is "illegal" in the specification, which wants the connection to fail; telling the client so
    /// with [`Refusal::SerializerUnsupported`] does that.
    pub fn parse_request(octets: [u8; HANDSHAKE_LEN]) -> Result<Handshake, HandshakeError> {
        let [first, second, reserved @ ..] = octets;
        if first != MAGIC {
            return Err(HandshakeError::NotRawSocket { first });
        }
        if reserved != [0, 0] {
            return Err(Refusal::ReservedBits.into());
        }
        let serializer = Serializer::from_rawsocket(second & 0x0F).ok_or(Refusal::SerializerUnsupported)?;
        Ok(Handshake { serializer, max_length: MaxLength(second >> 4) })
    }

    /// Reads the router's reply to this request; the result holds what the router wants to receive at most.
    pub fn parse_reply(self, octets: [u8; HANDSHAKE_LEN]) -> Result<Handshake, HandshakeError> {
        let [first, second, reserved @ ..] = octets;
        if first != MAGIC {
            return Err(HandshakeError::NotRawSocket { first });
        }
        if reserved != [0, 0] {
            return Err(Refusal::ReservedBits.into());
        }
        match (second >> 4, second & 0x0F) {
            (code, 0) => match Refusal::ALL.into_iter().find(|refusal| refusal.code() == code) {
                Some(refusal) => Err(refusal.into()),
                None => Err(HandshakeError::UnknownRefusal { code }),
            },
            (length, code) if code == self.serializer.rawsocket() => {
                Ok(Handshake { serializer: self.serializer, max_length: MaxLength(length) })
            }
            (_, code) => Err(HandshakeError::OtherSerializer { code }),
        }
    }
}

/// What a frame carries.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FrameKind {
    /// A WAMP message.
    Message,
    /// To be answered at once with a [`FrameKind::Pong`] of the same payload.
    Ping,
    /// The answer.
    Pong,
}

/// Why a frame header is refused: fail the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// One of the four reserved bits is set.
    #[error("the frame header {first:#04x} has a reserved bit set: send zeros")]
    ReservedBits {
        /// The first octet.
        first: u8,
    },
    /// Types 3 to 7 mean nothing.
    #[error("the frame has the unknown type {kind}: send 0 (message), 1 (ping) or 2 (pong)")]
    UnknownType {
        /// 3 to 7.
        kind: u8,
    },
    /// The bit that stands for 2^24 is set together with others.
    #[error("the frame claims 2^24 bytes and {rest} more: send at most 2^24")]
    BadLength {
        /// The 24 bits, which must be zero here.
        rest: usize,
    },
    /// The frame is longer than what was agreed on.
    #[error("the frame has {length} bytes: send at most {max}, as the handshake says")]
    TooLong {
        /// What the header says, in bytes.
        length: usize,
        /// What was agreed on, in bytes.
        max: usize,
    },
}

/// The four octets before a message: `RRRR XTTT`, then 24 bits of length.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FrameHeader {
    /// What follows.
    pub kind: FrameKind,
    /// Bytes that follow, at most [`MAX_MESSAGE`].
    pub length: usize,
}

impl FrameHeader {
    /// The header of a frame. `None` if `length` is more than [`MAX_MESSAGE`]: such a message cannot be sent.
    pub const fn encode(self) -> Option<[u8; HEADER_LEN]> {
        if self.length > MAX_MESSAGE {
            return None;
        }
        // The 25th bit of the length lands on X, which is bit 3 of the first octet.
        let [overflow, high, middle, low] = (self.length as u32).to_be_bytes();
        let kind = match self.kind {
            FrameKind::Message => 0,
            FrameKind::Ping => 1,
            FrameKind::Pong => 2,
        };
        Some([(overflow << 3) | kind, high, middle, low])
    }

    /// Reads a header. `max` is what the reader asked for in its handshake, in bytes.
    pub fn decode(octets: [u8; HEADER_LEN], max: usize) -> Result<FrameHeader, FrameError> {
        let [first, high, middle, low] = octets;
        if first & 0xF0 != 0 {
            return Err(FrameError::ReservedBits { first });
        }
        let kind = match first & 0x07 {
            0 => FrameKind::Message,
            1 => FrameKind::Ping,
            2 => FrameKind::Pong,
            kind => return Err(FrameError::UnknownType { kind }),
        };
        let rest = u32::from_be_bytes([0, high, middle, low]) as usize;
        let length = match first & 0x08 {
            0 => rest,
            _ if rest == 0 => MAX_MESSAGE,
            _ => return Err(FrameError::BadLength { rest }),
        };
        if length > max {
            return Err(FrameError::TooLong { length, max });
        }
        Ok(FrameHeader { kind, length })
    }
}
