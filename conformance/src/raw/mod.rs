//! RFC 6455, and WAMP, of our own: the harness must not share its codecs with a broker, or both would be wrong alike.

pub mod frame;
pub mod handshake;
pub mod wamp;

pub use frame::{Decoder, Frame, FrameError, Opcode, Side};
pub use handshake::{HandshakeError, Head, accept_key, read_head};
