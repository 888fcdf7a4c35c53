//! How a connection to a target is made: by TCP, unless the target comes with a way of its own.

use std::fmt;
use std::io;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;

use super::{Fut, Target};

/// A stream of bytes in both directions. Whoever drops it ends the connection.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// Another way to a broker than TCP: a pipe in memory, a tunnel.
pub trait Dial: Send + Sync {
    /// Opens a connection, on which nothing was said yet.
    ///
    /// # Errors
    /// Nobody is there.
    fn dial(&self) -> Fut<'_, io::Result<Box<dyn Duplex>>>;
}

/// The way to a target: TCP to its address, unless there is another.
#[derive(Clone, Default)]
pub struct Dialer(Option<Arc<dyn Dial>>);

/// An open connection, by its two sides.
pub(crate) struct Stream {
    pub(crate) read: ReadSide,
    pub(crate) write: WriteSide,
}

/// What is read from.
pub(crate) type ReadSide = Box<dyn AsyncRead + Send + Unpin>;

/// What is written to. Dropping it says that nothing more will be.
pub(crate) type WriteSide = Box<dyn AsyncWrite + Send + Unpin>;

impl Dialer {
    /// This way.
    pub fn through(dial: Arc<dyn Dial>) -> Self {
        Self(Some(dial))
    }

    /// Whether connections are sockets, which can be counted, reset and passed through a proxy.
    pub fn is_tcp(&self) -> bool {
        self.0.is_none()
    }
}

impl Target {
    /// Opens a connection.
    ///
    /// # Errors
    /// Nobody is there.
    pub(crate) async fn dial(&self) -> io::Result<Stream> {
        if let Some(dial) = &self.dialer.0 {
            let (read, write) = tokio::io::split(dial.dial().await?);
            return Ok(Stream { read: Box::new(read), write: Box::new(write) });
        }
        let socket = TcpStream::connect(self.address).await?;
        // A socket that does not take the option is only slower.
        let _ = socket.set_nodelay(true);
        let (read, write) = socket.into_split();
        Ok(Stream { read: Box::new(read), write: Box::new(write) })
    }
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_tcp() { "Tcp" } else { "Other" })
    }
}

impl PartialEq for Dialer {
    fn eq(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            (None, None) => true,
            (Some(one), Some(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl Eq for Dialer {}
