//! Throw-away certificates, and clients that trust exactly one of them.
#![allow(dead_code, reason = "each test takes the part that it needs")]

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::raw::Raw;

/// The files of a certificate for `localhost`.
pub(crate) struct Certificate {
    pub(crate) cert: PathBuf,
    pub(crate) key: PathBuf,
    /// What a client sees and trusts.
    pub(crate) der: CertificateDer<'static>,
}

impl Certificate {
    /// Makes a new one and writes it to `NAME.pem` and `NAME.key` in a folder, over what is there.
    pub(crate) fn write(folder: &Path, name: &str) -> Certificate {
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
        let (cert, key) = (folder.join(format!("{name}.pem")), folder.join(format!("{name}.key")));
        std::fs::write(&cert, made.cert.pem()).unwrap();
        std::fs::write(&key, made.signing_key.serialize_pem()).unwrap();
        Certificate { cert, key, der: made.cert.der().clone() }
    }

    /// The URL of a listener on a free port that shows it.
    pub(crate) fn listen(&self) -> String {
        format!("https://127.0.0.1:0?cert={}&key={}", self.cert.display(), self.key.display())
    }

    /// Connects; fails if the broker shows another certificate.
    pub(crate) async fn try_connect(&self, address: SocketAddr) -> io::Result<Raw<TlsStream<TcpStream>>> {
        self.secure(TcpStream::connect(address).await?).await
    }

    /// Begins TLS on a stream.
    pub(crate) async fn secure(&self, stream: TcpStream) -> io::Result<Raw<TlsStream<TcpStream>>> {
        let mut roots = RootCertStore::empty();
        roots.add(self.der.clone()).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(roots)
            .with_no_client_auth();
        let name = ServerName::try_from("localhost").unwrap();
        let stream = TlsConnector::from(Arc::new(config)).connect(name, stream).await?;
        Ok(Raw::over(stream))
    }

    /// Connects and opens a WebSocket.
    pub(crate) async fn open(&self, address: SocketAddr, path: &str) -> Raw<TlsStream<TcpStream>> {
        let mut raw = self.try_connect(address).await.unwrap();
        raw.upgrade(path, "").await;
        raw
    }
}
