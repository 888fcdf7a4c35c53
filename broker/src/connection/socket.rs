//! The two sides of a connection's stream: one to read, for its owner; one to write, for any task.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpStream, UnixStream, tcp, unix};

/// Any stream of bytes; TLS, a pipe in memory, a wrapped socket.
pub(crate) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// The stream of an upgraded connection.
pub(crate) enum Stream {
    /// A plain TCP socket: any task may write to it.
    Tcp(TcpStream),
    /// A UNIX socket: any task may write to it.
    Unix(UnixStream),
    /// Anything else: only its own task writes to it.
    Other(Box<dyn ByteStream>),
}

/// A socket that any task may write to without waiting.
pub(super) enum Socket {
    Tcp(tcp::OwnedWriteHalf),
    Unix(unix::OwnedWriteHalf),
}

/// Who may write.
pub(super) enum Sender {
    Shared(Socket),
    OwnerOnly,
}

/// The owner's side.
pub(super) enum Receiver {
    Tcp(tcp::OwnedReadHalf),
    Unix(unix::OwnedReadHalf),
    Other(Box<dyn ByteStream>),
}

impl From<TcpStream> for Stream {
    fn from(stream: TcpStream) -> Self {
        Self::Tcp(stream)
    }
}

impl From<UnixStream> for Stream {
    fn from(stream: UnixStream) -> Self {
        Self::Unix(stream)
    }
}

impl From<Box<dyn ByteStream>> for Stream {
    fn from(stream: Box<dyn ByteStream>) -> Self {
        Self::Other(stream)
    }
}

impl Stream {
    pub(super) fn split(self) -> (Receiver, Sender) {
        match self {
            Self::Tcp(stream) => {
                let (read, write) = stream.into_split();
                (Receiver::Tcp(read), Sender::Shared(Socket::Tcp(write)))
            }
            Self::Unix(stream) => {
                let (read, write) = stream.into_split();
                (Receiver::Unix(read), Sender::Shared(Socket::Unix(write)))
            }
            Self::Other(stream) => (Receiver::Other(stream), Sender::OwnerOnly),
        }
    }
}

impl Socket {
    pub(super) fn try_write(&self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_write(bytes),
            Self::Unix(socket) => socket.try_write(bytes),
        }
    }

    pub(super) fn try_write_vectored(&self, pieces: &[IoSlice<'_>]) -> io::Result<usize> {
        match self {
            Self::Tcp(socket) => socket.try_write_vectored(pieces),
            Self::Unix(socket) => socket.try_write_vectored(pieces),
        }
    }

    pub(super) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Tcp(socket) => socket.as_ref().poll_write_ready(cx),
            Self::Unix(socket) => socket.as_ref().poll_write_ready(cx),
        }
    }
}

impl Receiver {
    /// Reads what is there; 0 is the end of the stream.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = ReadBuf::new(buffer);
        let read = match self {
            Self::Tcp(socket) => Pin::new(socket).poll_read(cx, &mut buffer),
            Self::Unix(socket) => Pin::new(socket).poll_read(cx, &mut buffer),
            Self::Other(stream) => Pin::new(stream).poll_read(cx, &mut buffer),
        };
        read.map_ok(|()| buffer.filled().len())
    }

    /// Writes through an owner-only stream.
    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        pieces: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self {
            Self::Other(stream) => Pin::new(stream).poll_write_vectored(cx, pieces),
            Self::Tcp(_) | Self::Unix(_) => Poll::Ready(Ok(0)),
        }
    }

    /// Pushes out what an owner-only stream buffers itself, as TLS does.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Other(stream) => Pin::new(stream).poll_flush(cx),
            Self::Tcp(_) | Self::Unix(_) => Poll::Ready(Ok(())),
        }
    }

    /// Says that nothing more will be written.
    pub(super) fn shutdown_write(&self) {
        // A failure means that the peer is gone, which is what is wanted.
        let _ = match self {
            Self::Tcp(socket) => socket2::SockRef::from(socket.as_ref()).shutdown(std::net::Shutdown::Write),
            Self::Unix(socket) => socket2::SockRef::from(socket.as_ref()).shutdown(std::net::Shutdown::Write),
            Self::Other(_) => Ok(()),
        };
    }

    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self {
            Self::Other(stream) => Pin::new(stream).poll_shutdown(cx),
            Self::Tcp(_) | Self::Unix(_) => {
                self.shutdown_write();
                Poll::Ready(Ok(()))
            }
        }
    }
}
