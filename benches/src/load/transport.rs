//! A non-blocking byte stream, plain or TLS.

use std::io::{self, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::{CryptoProvider, ring, verify_tls12_signature, verify_tls13_signature};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{ClientConfig, ClientConnection, DigitallySignedStruct, SignatureScheme, StreamOwned};
use socket2::{Domain, Protocol, Socket, Type};

use crate::error::LoadError;
use crate::target::Target;

/// How connections are opened.
#[derive(Clone, Default)]
pub(crate) struct Dialing {
    /// Source addresses, used in turn: each has ports of its own. Empty: the system chooses.
    pub(crate) sources: Vec<IpAddr>,
    /// Configuration of `wss`; `None` when TLS was not allowed for.
    pub(crate) tls: Option<Arc<ClientConfig>>,
}

/// The stream of one client.
pub(crate) enum Transport {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

impl Transport {
    /// Connects the `number`th client, then makes the socket non-blocking. `receive_buffer` in bytes is set before
    /// connecting, while it still bounds the window; `None` leaves the system's.
    ///
    /// Connecting blocks: on one machine it takes a system call, as the listener's backlog answers.
    pub(crate) fn connect(
        target: &Target,
        dialing: &Dialing,
        number: usize,
        receive_buffer: Option<usize>,
    ) -> Result<Self, LoadError> {
        let refused = |source| LoadError::Connect { address: target.address, source };
        let stream =
            connect_tcp(target.address, &dialing.sources, number, receive_buffer).map_err(refused)?;
        if !target.tls {
            return Ok(Self::Plain(stream));
        }
        let config = dialing.tls.clone().ok_or(LoadError::Options(
            "petasus-load checks no certificates: say so with --insecure to use wss",
        ))?;
        let name = ServerName::IpAddress(target.address.ip().into());
        let session = ClientConnection::new(config, name)?;
        Ok(Self::Tls(Box::new(StreamOwned::new(session, stream))))
    }

    /// Whether one read may leave bytes behind that epoll does not know of.
    pub(crate) fn holds_back(&self) -> bool {
        matches!(self, Self::Tls(_))
    }
}

impl Read for Transport {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Transport {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Plain(stream) => stream.write(bytes),
            Self::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Self::Plain(_) => Ok(()),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

impl AsFd for Transport {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match self {
            Self::Plain(stream) => stream.as_fd(),
            Self::Tls(stream) => stream.sock.as_fd(),
        }
    }
}

fn connect_tcp(
    address: SocketAddr,
    sources: &[IpAddr],
    number: usize,
    receive_buffer: Option<usize>,
) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if let Some(bytes) = receive_buffer {
        socket.set_recv_buffer_size(bytes)?;
    }
    if !sources.is_empty() {
        socket.bind(&SocketAddr::new(sources[number % sources.len()], 0).into())?;
    }
    socket.connect(&address.into())?;
    socket.set_tcp_nodelay(true)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// A TLS configuration that takes any certificate: what is measured is the server on this machine.
pub(crate) fn tls_without_checks() -> Result<Arc<ClientConfig>, LoadError> {
    let provider = Arc::new(ring::default_provider());
    let config = ClientConfig::builder_with_provider(Arc::clone(&provider))
        .with_safe_default_protocol_versions()?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(AnyCertificate(provider)))
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// Takes every certificate; signatures of the handshake are still checked.
#[derive(Debug)]
struct AnyCertificate(Arc<CryptoProvider>);

impl ServerCertVerifier for AnyCertificate {
    fn verify_server_cert(
        &self,
        _end_entity: &CertificateDer<'_>,
        _intermediates: &[CertificateDer<'_>],
        _server_name: &ServerName<'_>,
        _ocsp_response: &[u8],
        _now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        Ok(ServerCertVerified::assertion())
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.0.signature_verification_algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.0.signature_verification_algorithms.supported_schemes()
    }
}
