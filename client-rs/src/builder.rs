//! What a client can be told before it connects.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use petasus_protocol::session::{Backoff, Config, Dialect, Failure, Heartbeat, Probe, ServerUrl, Status};
use petasus_protocol::wamp::Serializer;
use tokio::time::timeout;
use tokio_tungstenite::tungstenite::http::header::ORIGIN;
use tokio_tungstenite::tungstenite::http::{HeaderMap, HeaderName, HeaderValue};

use crate::settings::{MakeHeader, Settings};
use crate::shared::{Shared, millis, without_query};
use crate::tls::Tls;
use crate::{Auth, Client, Error};

/// Builds a [`Client`]. What can not be used is the error of [`Builder::connect`] and [`Builder::start`].
#[must_use = "call connect() or start()"]
pub struct Builder {
    url: String,
    config: Result<Config, Error>,
    headers: HeaderMap,
    fresh: Fresh,
    roots: Vec<Vec<u8>>,
    /// Whether no others are trusted.
    own_roots: bool,
    auth: Auth,
    receive_bytes: usize,
    within: Duration,
}

#[derive(Default)]
struct Fresh(Vec<(HeaderName, MakeHeader)>);

impl fmt::Debug for Builder {
    /// Of headers only the names: what they say may be secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("url", &without_query(&self.url))
            .field("headers", &self.headers.keys().collect::<Vec<_>>())
            .field("auth", &self.auth)
            .finish_non_exhaustive()
    }
}

impl Builder {
    pub(crate) fn new(url: &str) -> Builder {
        let parsed = ServerUrl::parse(url).map_err(|reason| Error::Url { url: harmless(url), reason });
        Builder {
            url: url.to_owned(),
            config: parsed.map(Config::new),
            headers: HeaderMap::new(),
            fresh: Fresh::default(),
            roots: Vec::new(),
            own_roots: false,
            auth: Auth::anonymous(),
            receive_bytes: 64 << 20,
            within: Duration::from_secs(10),
        }
    }

    fn set(mut self, change: impl FnOnce(&mut Config)) -> Self {
        if let Ok(config) = &mut self.config {
            change(config);
        }
        self
    }

    fn fail(&mut self, what: &'static str, why: String) {
        if self.config.is_ok() {
            self.config = Err(Error::Setting { what, why });
        }
    }

    /// The wire. Default [`Dialect::Wamp`].
    pub fn dialect(self, dialect: Dialect) -> Self {
        self.set(|config| config.dialect = dialect)
    }

    /// The realm (WAMP). Default `default`, which is that of Mercury's sockets.
    pub fn realm(self, realm: impl Into<String>) -> Self {
        self.set(|config| config.realm = realm.into())
    }

    /// The only serializer to offer (WAMP).
    pub fn serializer(self, serializer: Serializer) -> Self {
        self.serializers([serializer])
    }

    /// The serializers to offer, the dearest first (WAMP). Default: all, JSON first.
    pub fn serializers(mut self, serializers: impl IntoIterator<Item = Serializer>) -> Self {
        let serializers: Vec<Serializer> = serializers.into_iter().collect();
        if serializers.is_empty() {
            self.fail("the list of serializers", "it is empty: name one".to_owned());
        }
        self.set(|config| config.serializers = serializers)
    }

    /// The log-in (WAMP). Default [`Auth::anonymous`].
    pub fn auth(mut self, auth: Auth) -> Self {
        let identity = auth.identity();
        self.auth = auth;
        self.set(|config| config.identity = identity)
    }

    /// The header `Origin`, for brokers that let in only some web pages.
    pub fn origin(mut self, origin: &str) -> Self {
        match HeaderValue::from_str(origin) {
            Ok(value) => drop(self.headers.insert(ORIGIN, value)),
            Err(error) => self.fail("the origin", error.to_string()),
        }
        self
    }

    /// Adds a header to all handshakes and POSTs, such as `Authorization`.
    pub fn header(mut self, name: &str, value: &str) -> Self {
        match (header_name(name), HeaderValue::from_str(value)) {
            (Ok(name), Ok(mut value)) => {
                value.set_sensitive(true);
                self.headers.append(name, value);
            }
            (Err(why), _) => self.fail("the name of a header", why),
            (_, Err(error)) => self.fail("the value of a header", error.to_string()),
        }
        self
    }

    /// Adds a header whose value is asked for anew at each handshake and POST, such as a token that runs out. If it
    /// fails, so does the attempt, and the next one asks again.
    pub fn header_from<F, R>(mut self, name: &str, value: F) -> Self
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<String, String>> + Send + 'static,
    {
        match header_name(name) {
            Ok(name) => self.fresh.0.push((name, Arc::new(move || Box::pin(value())))),
            Err(why) => self.fail("the name of a header", why),
        }
        self
    }

    /// Trusts this root certificate (PEM, one or more) beside the system's.
    pub fn root_certificate(mut self, pem: impl Into<Vec<u8>>) -> Self {
        self.roots.push(pem.into());
        self
    }

    /// Trusts the root certificates given by [`Builder::root_certificate`] alone, and none of the system's.
    pub fn without_system_roots(mut self) -> Self {
        self.own_roots = true;
        self
    }

    /// The waits between attempts to connect. Default: full jitter, at most 0.5 s at first and 20 s in the end.
    pub fn backoff(self, backoff: Backoff) -> Self {
        self.set(|config| config.backoff = backoff)
    }

    /// How a dead network is noticed: by no sign of life for `patience` after `idle` without a message. Default 20 s
    /// and 10 s.
    pub fn heartbeat(self, idle: Duration, patience: Duration) -> Self {
        let heartbeat = Heartbeat { idle: millis(idle), patience: millis(patience), probe: Probe::Ping };
        self.set(|config| config.heartbeat = heartbeat)
    }

    /// The longest wait for one attempt: name, TCP, TLS, handshake, log-in. Default 10 s.
    pub fn connect_timeout(self, timeout: Duration) -> Self {
        self.set(|config| config.connect_timeout = millis(timeout))
    }

    /// How long requests wait for their answer that name no time of their own. Default 30 s.
    pub fn request_timeout(self, timeout: Duration) -> Self {
        self.set(|config| config.request_timeout = millis(timeout))
    }

    /// The most bytes that wait to be sent, offline or because the network is slow. Default 4 MiB.
    pub fn queue_bytes(self, bytes: usize) -> Self {
        self.set(|config| config.queue_bytes = bytes)
    }

    /// The longest message to be sent, in bytes; longer ones are refused at once. Default 16 MiB.
    pub fn message_bytes(self, bytes: usize) -> Self {
        self.set(|config| config.message_bytes = bytes)
    }

    /// The longest message to be taken, in bytes; with a longer one the connection is given up. Default 64 MiB.
    pub fn receive_bytes(mut self, bytes: usize) -> Self {
        self.receive_bytes = bytes;
        self
    }

    /// The first attempt is the only one. Default: attempts go on until one succeeds or it is clear that none will
    /// (a wrong password, an unknown realm).
    pub fn fail_fast(self) -> Self {
        self.set(|config| config.fail_fast = true)
    }

    /// How long [`Builder::connect`] waits for the first connection. Default 10 s.
    pub fn connect_within(mut self, within: Duration) -> Self {
        self.within = within;
        self
    }

    /// Connects, and returns when there is a connection.
    ///
    /// A dropped future gives it up.
    ///
    /// # Errors
    /// What can not be used of the settings; [`Error::GaveUp`] with the last failure if there is no connection in
    /// [`Builder::connect_within`], or if there will never be one.
    pub async fn connect(self) -> Result<Client, Error> {
        let within = self.within;
        let client = self.start()?;
        let failure = {
            let mut last = None;
            let waited = timeout(within, first_connection(&client, &mut last)).await;
            match waited {
                Ok(result) => return result.map(|()| client),
                Err(_) => last.unwrap_or(Failure::ConnectTimedOut),
            }
        };
        Err(Error::GaveUp(failure))
    }

    /// Returns at once, and connects in the background. [`Client::connected`] waits for it.
    ///
    /// # Errors
    /// What can not be used of the settings.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn start(self) -> Result<Client, Error> {
        let config = self.config?;
        let settings = Settings {
            url: self.url,
            headers: self.headers,
            fresh: self.fresh.0,
            tls: Tls::new(config.url.is_secure(), &self.roots, self.own_roots)?,
            auth: self.auth,
            receive_bytes: self.receive_bytes,
            message_bytes: config.message_bytes,
        };
        Ok(Client::new(Shared::start(config, settings)))
    }
}

/// Reads the name of a header that is the program's to add.
fn header_name(name: &str) -> Result<HeaderName, String> {
    const OURS: [&str; 6] =
        ["host", "connection", "upgrade", "content-type", "content-length", "transfer-encoding"];
    let name = HeaderName::from_bytes(name.as_bytes()).map_err(|error| error.to_string())?;
    match name.as_str() {
        "origin" => Err("give the origin by origin()".to_owned()),
        text if OURS.contains(&text) || text.starts_with("sec-websocket-") => {
            Err(format!("{text} is written by the client itself: leave it out"))
        }
        _ => Ok(name),
    }
}

/// Waits for the first connection, and takes down why attempts failed.
async fn first_connection(client: &Client, last: &mut Option<Failure>) -> Result<(), Error> {
    let mut status = client.status();
    loop {
        match &status.look() {
            Status::Connected(_) => return Ok(()),
            Status::Closed { failure: Some(failure) } => return Err(Error::GaveUp(failure.clone())),
            Status::Closed { failure: None } => return Err(Error::Closed),
            Status::Waiting { failure, .. } => *last = Some(failure.clone()),
            _ => {}
        }
        if status.changed().await.is_err() {
            return Err(Error::Closed);
        }
    }
}

/// What of a text that is no URL may be shown: neither a log-in nor a query.
fn harmless(url: &str) -> String {
    let url = without_query(url);
    match (url.find("://"), url.rfind('@')) {
        (Some(scheme), Some(at)) if scheme + 3 <= at => [&url[..scheme + 3], "...", &url[at..]].concat(),
        _ => url.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_secret_is_not_in_the_debug_form() {
        let builder = Builder::new("ws://h/ws?token=hush").header("Authorization", "Bearer hush");
        let shown = format!("{:?}", builder.auth(Auth::ticket("joe", "hush")));
        assert!(shown.contains("ws://h/ws") && shown.contains("joe") && !shown.contains("hush"), "{shown}");
        assert_eq!(harmless("ws://joe:hush@h/a?t=hush"), "ws://...@h/a");
        assert_eq!(harmless("nothing@all"), "nothing@all");
    }
}
