//! From an upgraded HTTP connection to a WebSocket connection's own small task.

use std::sync::Arc;

use hyper::body::Bytes;
use hyper::upgrade::{OnUpgrade, Upgraded};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpStream, UnixStream};

use super::patient::Patient;
use crate::connection::{ByteStream, Connection, Conversation, Stream};
use crate::core::{Core, Listed};

/// Waits for the 101 to be written, then serves the connection. If the client is gone before, dropping the
/// conversation takes it out of the hub.
pub(super) fn spawn(core: Arc<Core>, conversation: Conversation, listed: Listed, on_upgrade: OnUpgrade) {
    tokio::spawn(async move {
        let upgraded = match core.until_cut_off(on_upgrade).await {
            Some(Ok(upgraded)) => upgraded,
            Some(Err(error)) => {
                tracing::debug!(%error, "the client left during its handshake");
                return;
            }
            None => return,
        };
        core.metrics.accepted();
        let (stream, early) = into_stream(upgraded);
        if let Stream::Tcp(stream) = &stream {
            // Somebody else's server may not have done so, as axum's does not; small messages would wait.
            let _ = stream.set_nodelay(true);
        }
        // A task of its own: this one carries the remains of the HTTP connection.
        tokio::spawn(Connection::new(core, conversation, stream, listed).run(early));
    });
}

/// The socket itself where it can be had, so that any task can write to it.
fn into_stream(upgraded: Upgraded) -> (Stream, Bytes) {
    let upgraded = match upgraded.downcast::<TokioIo<Patient<TcpStream>>>() {
        Ok(parts) => return (Stream::Tcp(parts.io.into_inner().into_inner()), parts.read_buf),
        Err(upgraded) => upgraded,
    };
    let upgraded = match upgraded.downcast::<TokioIo<Patient<UnixStream>>>() {
        Ok(parts) => return (Stream::Unix(parts.io.into_inner().into_inner()), parts.read_buf),
        Err(upgraded) => upgraded,
    };
    let upgraded = match upgraded.downcast::<TokioIo<Patient<super::tls::TlsStream>>>() {
        Ok(parts) => return (Stream::Other(Box::new(parts.io.into_inner().into_inner())), parts.read_buf),
        Err(upgraded) => upgraded,
    };
    let upgraded = match upgraded.downcast::<TokioIo<Patient<Box<dyn ByteStream>>>>() {
        Ok(parts) => return (Stream::Other(parts.io.into_inner().into_inner()), parts.read_buf),
        Err(upgraded) => upgraded,
    };
    // Somebody else's server has its sockets bare, or wraps them in something of its own, as axum's does.
    let upgraded = match upgraded.downcast::<TokioIo<TcpStream>>() {
        Ok(parts) => return (Stream::Tcp(parts.io.into_inner()), parts.read_buf),
        Err(upgraded) => upgraded,
    };
    match hyper_util::server::conn::auto::upgrade::downcast::<TokioIo<TcpStream>>(upgraded) {
        Ok(parts) => (Stream::Tcp(parts.io.into_inner()), parts.read_buf),
        Err(upgraded) => (Stream::Other(Box::new(TokioIo::new(upgraded))), Bytes::new()),
    }
}
