//! RFC 6455, and WAMP, of our own: the harness must not share its codecs with a broker, or both would be wrong alike.

pub mod frame;
pub mod handshake;
pub mod http;
pub mod wamp;

pub use frame::{Decoder, Frame, FrameError, Opcode, Side};
pub(crate) use handshake::read_head_after;
pub use handshake::{HandshakeError, Head, accept_key, read_head};
pub use http::{Answer, read_answer};
