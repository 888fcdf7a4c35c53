//! RFC 6455 of our own: the harness must not share its codec with a broker, or both would be wrong alike.

pub mod frame;
pub mod handshake;

pub use frame::{Decoder, Frame, FrameError, Opcode, Side};
pub use handshake::{HandshakeError, Head, accept_key, read_head};
