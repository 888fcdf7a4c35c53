//! The other side: tungstenite as a server, on a stream in memory.

use std::collections::VecDeque;
use std::io::{self, Read, Write};

use petasus_protocol::websocket::{Connection, Event};
use tungstenite::WebSocket;
use tungstenite::protocol::Role;

/// The longest message of the connections under test.
pub(crate) const LIMIT: usize = 100_000;

/// Not random, but never twice the same: good enough to test with.
pub(crate) fn counted() -> impl FnMut(&mut [u8]) {
    let mut next = 0_u8;
    move |bytes| {
        for byte in bytes {
            next = next.wrapping_mul(5).wrapping_add(71);
            *byte = next;
        }
    }
}

pub(crate) fn connection() -> Connection<impl FnMut(&mut [u8])> {
    Connection::new(LIMIT, counted())
}

/// What a socket would hold.
#[derive(Default)]
pub(crate) struct Wire {
    pub(crate) to_server: VecDeque<u8>,
    pub(crate) to_client: Vec<u8>,
}

impl Read for Wire {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.to_server.is_empty() {
            Err(io::ErrorKind::WouldBlock.into())
        } else {
            self.to_server.read(into)
        }
    }
}

impl Write for Wire {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.to_client.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

pub(crate) fn server() -> WebSocket<Wire> {
    WebSocket::from_raw_socket(Wire::default(), Role::Server, None)
}

/// All that the server makes of these bytes.
pub(crate) fn read(server: &mut WebSocket<Wire>, bytes: &[u8]) -> Vec<tungstenite::Message> {
    server.get_mut().to_server.extend(bytes);
    let mut messages = Vec::new();
    loop {
        match server.read() {
            Ok(message) => messages.push(message),
            Err(tungstenite::Error::ConnectionClosed) => return messages,
            Err(tungstenite::Error::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                return messages;
            }
            Err(error) => panic!("the server does not take what the client sent: {error}"),
        }
    }
}

pub(crate) fn transmitted(connection: &mut Connection<impl FnMut(&mut [u8])>) -> Vec<u8> {
    let mut all = Vec::new();
    while let Some(bytes) = connection.poll_transmit() {
        all.extend_from_slice(bytes);
    }
    all
}

pub(crate) fn events(connection: &mut Connection<impl FnMut(&mut [u8])>) -> Vec<Event> {
    std::iter::from_fn(|| connection.poll_event()).collect()
}

/// A frame of a server: its first byte, and its payload.
pub(crate) fn frame(first: u8, payload: &[u8]) -> Vec<u8> {
    let len = payload.len();
    let mut wire = match len {
        0..=125 => vec![first, len as u8],
        126..=65_535 => [&[first, 126][..], &(len as u16).to_be_bytes()].concat(),
        _ => [&[first, 127][..], &(len as u64).to_be_bytes()].concat(),
    };
    wire.extend_from_slice(payload);
    wire
}
