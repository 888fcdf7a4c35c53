//! What the driver, and not the session, has to know of how the client was built.

use std::fmt;
use std::sync::Arc;

use petasus_protocol::session::Failure;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderName, HeaderValue};

use crate::auth::{Auth, Boxed};
use crate::tls::Tls;

/// Makes the value of a header, such as a fresh token.
pub(crate) type MakeHeader = Arc<dyn Fn() -> Boxed<Result<String, String>> + Send + Sync>;

/// What it takes to open a socket.
pub(crate) struct Settings {
    /// As it was given.
    pub(crate) url: String,
    /// Sent with every handshake and POST: Origin and what the program added.
    pub(crate) headers: HeaderMap,
    /// Asked for at every handshake and POST.
    pub(crate) fresh: Vec<(HeaderName, MakeHeader)>,
    pub(crate) tls: Tls,
    pub(crate) auth: Auth,
    /// The longest message that is taken.
    pub(crate) receive_bytes: usize,
    /// The longest message that is sent.
    pub(crate) message_bytes: usize,
}

impl Settings {
    /// Adds the headers of a handshake or POST.
    pub(crate) async fn add_headers(&self, headers: &mut HeaderMap) -> Result<(), Failure> {
        for (name, value) in &self.headers {
            headers.append(name, value.clone());
        }
        for (name, make) in &self.fresh {
            // That of a token which can not be had now may be had later: the attempt failed, no more.
            let wrong = |reason: String| Failure::Broken {
                reason: format!("the header {name} is missing: {reason}"),
            };
            let text = make().await.map_err(wrong)?;
            let mut value = HeaderValue::from_str(&text).map_err(|error| wrong(error.to_string()))?;
            value.set_sensitive(true);
            headers.insert(name, value);
        }
        Ok(())
    }
}

impl fmt::Debug for Settings {
    /// Headers may be secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings").field("receive_bytes", &self.receive_bytes).finish_non_exhaustive()
    }
}
