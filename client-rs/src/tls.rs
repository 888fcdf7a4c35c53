//! Which certificates the client trusts.

use petasus_protocol::session::Failure;
use tokio_tungstenite::MaybeTlsStream;

use crate::Error;
use crate::alive::Alive;

/// TLS as the client was built with.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    #[cfg(feature = "tls")]
    connector: Option<tokio_rustls::TlsConnector>,
}

impl std::fmt::Debug for Tls {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tls").finish_non_exhaustive()
    }
}

#[cfg(not(feature = "tls"))]
impl Tls {
    /// TLS is not there.
    pub(crate) fn new(secure: bool, _roots: &[Vec<u8>], _own: bool) -> Result<Tls, Error> {
        if secure {
            let why = "this program was built without TLS: add the feature `tls` of the crate petasus, \
                       which is there by default";
            return Err(Error::Setting { what: "a wss:// URL", why: why.to_owned() });
        }
        Ok(Tls::default())
    }

    #[expect(clippy::unused_async, reason = "as with the feature")]
    pub(crate) async fn wrap(&self, _: &str, _: Alive) -> Result<MaybeTlsStream<Alive>, Failure> {
        Err(Failure::Tls { reason: "this program was built without TLS".to_owned(), certificate: true })
    }
}

#[cfg(feature = "tls")]
impl Tls {
    /// Reads the root certificates in `roots` (PEM), and the system's unless they are to be the only ones (`own`). Only
    /// if they are needed: it takes a while.
    pub(crate) fn new(secure: bool, roots: &[Vec<u8>], own: bool) -> Result<Tls, Error> {
        use std::sync::Arc;

        let mut store = rustls::RootCertStore::empty();
        for pem in roots {
            add(&mut store, pem)?;
        }
        if !secure {
            return Ok(Tls::default());
        }
        if !own {
            store.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        }
        if store.is_empty() {
            let why = "there are no root certificates: install the system's (ca-certificates), or give one by \
                       root_certificate()";
            return Err(Error::Setting { what: "TLS", why: why.to_owned() });
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::Setting { what: "TLS", why: error.to_string() })?
            .with_root_certificates(store)
            .with_no_client_auth();
        Ok(Tls { connector: Some(Arc::new(config).into()) })
    }

    /// The TLS handshake.
    pub(crate) async fn wrap(&self, host: &str, stream: Alive) -> Result<MaybeTlsStream<Alive>, Failure> {
        use rustls::pki_types::ServerName;

        let wrong = |reason: String| Failure::Tls { reason, certificate: true };
        let connector = self.connector.as_ref().ok_or_else(|| wrong("it was not set up".to_owned()))?;
        let name = ServerName::try_from(host.to_owned()).map_err(|error| wrong(error.to_string()))?;
        match connector.connect(name, stream).await {
            Ok(stream) => Ok(MaybeTlsStream::Rustls(stream)),
            Err(error) => {
                let cause = error.get_ref().and_then(|cause| cause.downcast_ref::<rustls::Error>());
                let certificate = matches!(cause, Some(rustls::Error::InvalidCertificate(_)));
                Err(Failure::Tls { reason: error.to_string(), certificate })
            }
        }
    }
}

#[cfg(feature = "tls")]
fn add(store: &mut rustls::RootCertStore, pem: &[u8]) -> Result<(), Error> {
    use rustls::pki_types::CertificateDer;
    use rustls::pki_types::pem::PemObject;

    let wrong = |why: String| Error::Setting { what: "the root certificate", why };
    let mut any = false;
    for certificate in CertificateDer::pem_slice_iter(pem) {
        let certificate = certificate.map_err(|error| wrong(error.to_string()))?;
        store.add(certificate).map_err(|error| wrong(error.to_string()))?;
        any = true;
    }
    if any { Ok(()) } else { Err(wrong("it holds no certificate: give it as PEM".to_owned())) }
}
