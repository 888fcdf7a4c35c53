//! Binding listen addresses, with a clear word when one cannot be had.

use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::{Path, PathBuf};

use thiserror::Error;
use tokio::net::{TcpListener, TcpSocket, UnixListener, UnixStream, lookup_host};

use super::tls::TlsError;
use crate::config::{Endpoint, HostPort};

/// Connections that the kernel keeps waiting to be accepted.
const BACKLOG: u32 = 1024;

/// Why an address cannot be listened on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BindError {
    /// Somebody else listens there.
    #[error("{address} is in use: stop the other program, or choose another address")]
    InUse {
        /// The address.
        address: String,
    },
    /// The system does not allow it.
    #[error(
        "{address} may not be bound: ports below 1024 and foreign folders need more rights; choose another"
    )]
    Forbidden {
        /// The address.
        address: String,
    },
    /// The host is no name or address of this machine.
    #[error(
        "{address} is no address of this machine: {source}; use 127.0.0.1, [::1], or * for all interfaces"
    )]
    NotHere {
        /// The address.
        address: String,
        /// What the system says.
        source: io::Error,
    },
    /// A file that is no socket is in the way of a UNIX socket.
    #[error("{} exists and is no socket: remove it, or choose another path", path.display())]
    NoSocket {
        /// The file.
        path: PathBuf,
    },
    /// The certificate of an https address.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// Something else that the system says.
    #[error("{address} cannot be listened on: {source}")]
    Other {
        /// The address.
        address: String,
        /// What the system says.
        source: io::Error,
    },
}

/// A bound socket.
pub(super) enum Bound {
    Tcp(TcpListener),
    Unix(UnixListener, SocketFile),
}

/// A socket's file, removed when the listener is dropped, unless it is somebody else's by then.
pub(super) struct SocketFile {
    path: PathBuf,
    /// Device and inode.
    identity: Option<(u64, u64)>,
}

impl SocketFile {
    fn new(path: &Path) -> Self {
        Self { path: path.to_owned(), identity: identity(path) }
    }
}

fn identity(path: &Path) -> Option<(u64, u64)> {
    std::fs::symlink_metadata(path).ok().map(|file| (file.dev(), file.ino()))
}

impl Drop for SocketFile {
    fn drop(&mut self) {
        if self.identity.is_some() && identity(&self.path) == self.identity {
            // If it is gone just now, somebody else has cleaned up.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

impl BindError {
    fn from_io(address: impl Into<String>, source: io::Error) -> Self {
        let address = address.into();
        match source.kind() {
            io::ErrorKind::AddrInUse => Self::InUse { address },
            io::ErrorKind::PermissionDenied => Self::Forbidden { address },
            io::ErrorKind::AddrNotAvailable => Self::NotHere { address, source },
            _ => Self::Other { address, source },
        }
    }
}

pub(super) async fn bind(endpoint: &Endpoint) -> Result<Bound, BindError> {
    match endpoint {
        Endpoint::Tcp { host, port } => tcp(host, *port).await.map(Bound::Tcp),
        Endpoint::Unix { path } => unix(path).await,
    }
}

/// `*` is all interfaces: IPv6 with IPv4 where there is IPv6, else IPv4.
pub(super) async fn tcp(host: &str, port: u16) -> Result<TcpListener, BindError> {
    let name = HostPort { host: host.to_owned(), port }.to_string();
    if host == "*" {
        return match listen(([0_u16; 8], port).into()) {
            Ok(listener) => Ok(listener),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => Err(BindError::from_io(name, error)),
            Err(_) => listen(([0_u8; 4], port).into()).map_err(|error| BindError::from_io(name, error)),
        };
    }
    let addresses = lookup_host((host, port))
        .await
        .map_err(|source| BindError::NotHere { address: name.clone(), source })?;
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match listen(address) {
            Ok(listener) => return Ok(listener),
            // With the next address of the name, two programs would share the name between them.
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                return Err(BindError::from_io(name, error));
            }
            Err(error) => last = error,
        }
    }
    Err(BindError::from_io(name, last))
}

fn listen(address: std::net::SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv6() { TcpSocket::new_v6()? } else { TcpSocket::new_v4()? };
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// A socket file that nobody listens on is replaced; one that somebody answers on is refused.
async fn unix(path: &Path) -> Result<Bound, BindError> {
    let name = path.display().to_string();
    if let Ok(found) = std::fs::symlink_metadata(path) {
        if !found.file_type().is_socket() {
            return Err(BindError::NoSocket { path: path.to_owned() });
        }
        match UnixStream::connect(path).await {
            Ok(_) => return Err(BindError::InUse { address: name }),
            // Somebody listens, but has too many waiting already.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(BindError::InUse { address: name });
            }
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {
                std::fs::remove_file(path).map_err(|error| BindError::from_io(name.clone(), error))?;
            }
            Err(error) => return Err(BindError::from_io(name, error)),
        }
    }
    let listener = UnixListener::bind(path).map_err(|error| BindError::from_io(name, error))?;
    Ok(Bound::Unix(listener, SocketFile::new(path)))
}
