//! HTTP and WebSocket of the client's side as bytes in and bytes out, for drivers that have sockets but no
//! WebSocket (RFC 6455). Cargo feature `websocket`.
//!
//! * [`Handshake`] makes the request that asks for a WebSocket and reads the answer.
//! * [`Connection`] makes frames of messages and messages of frames, answers pings and closes.
//! * [`Post`] is one POST and its answer: a message for a broker without a WebSocket.
//!
//! All three do no input or output themselves: give them what the socket gave, and write to the socket what they
//! give. They know no time either: a driver sets its own deadlines. Neither extensions nor redirects are supported.
//!
//! For a [`Session`](crate::session::Session) the errors become its [`Failure`](crate::session::Failure) by `into`;
//! an [`Event::Closed`] without a code is 1005 there, a socket that ends without one is 1006 (RFC 6455 7.4.1).
//!
//! # Random bytes
//!
//! [`Handshake::new`] takes 16 random bytes, [`Connection::new`] a source of them. Both must be unpredictable for
//! others (RFC 6455 5.3, 10.3): use the random numbers of the operating system or a generator made for cryptography.
//! Masks that a script can foresee let it write what looks like a request to a proxy on the way.
//!
//! ```
//! use petasus_protocol::Message;
//! use petasus_protocol::websocket::{Connection, Event, Handshake, Target};
//!
//! # fn os_random(bytes: &mut [u8]) { bytes.fill(7) }
//! # fn read() -> &'static [u8] {
//! #     b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
//! #       Sec-WebSocket-Accept: CdXSYUsvsaMthlEXWDNURGWA/1o=\r\n\r\n\x81\x05hello"
//! # }
//! # fn write(_: &[u8]) {}
//! let mut nonce = [0; 16];
//! os_random(&mut nonce);
//! let (mut handshake, request) = Handshake::new(&Target::new("localhost:8080", "/bus/news"), &[], nonce)?;
//! write(&request);
//! let (_opened, rest) = loop {
//!     if let Some(opened) = handshake.receive(read())? {
//!         break opened;
//!     }
//! };
//!
//! let mut connection = Connection::new(16 << 20, os_random);
//! connection.receive(&rest);
//! connection.send(&Message::from("good day"));
//! while let Some(bytes) = connection.poll_transmit() {
//!     write(bytes);
//! }
//! assert_eq!(connection.poll_event(), Some(Event::Message(Message::from("hello"))));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod answer;
mod connection;
mod error;
mod frames;
mod handshake;
mod head;
mod mask;
mod post;
mod request;

pub use answer::Answer;
pub use connection::{Connection, Event};
pub use error::{CloseError, HandshakeError, HttpError, RequestError, WebSocketError};
pub use handshake::{Handshake, Opened};
pub use post::Post;
pub use request::Target;
