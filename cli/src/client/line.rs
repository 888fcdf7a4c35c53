//! From command line arguments to a client, and what becomes of its connection.

use std::future::IntoFuture;
use std::path::Path;
use std::time::Duration;

use petasus::protocol::session::ServerUrl;
use petasus::protocol::{Endpoint, Role, Topic};
use petasus::{Auth, Backoff, Builder, Client, Dialect, Failure, Status, StatusWatch};
use tokio::time::{Instant, sleep, timeout};

use super::arguments::{ServerArgs, WireArgs};
use super::error::ClientError;

/// The longest message, which is what the protocol bounds and not what a broker takes.
const LONGEST: usize = 1 << 30;
/// How much may wait to be sent if the messages are lines; a single message may be as long as it likes.
const LINES: usize = 64 << 20;
/// The longest wait for the broker to take anything of what waits, and for the first connection.
const PATIENCE: Duration = Duration::from_secs(15);

/// A client and its connection.
pub(super) struct Line {
    client: Client,
    /// As people read it.
    url: String,
    status: StatusWatch,
    reconnect: bool,
    announcement: Announcement,
    /// Whether there was a connection.
    met: bool,
    /// Whether standard error was told that it was lost.
    away: bool,
}

/// When standard error is told that the connection stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Announcement {
    /// As soon as it does.
    Eager,
    /// When [`Line::announce`] is called.
    Later,
    /// Never, or not again.
    Done,
}

/// What a [`Line`] is for.
pub(super) struct Purpose<'a> {
    pub(super) server: &'a ServerArgs,
    pub(super) dialect: Dialect,
    pub(super) reconnect: bool,
    /// Mercury's, for the URL that people read.
    pub(super) endpoint: Option<&'a Endpoint>,
    /// Whether there is one message only, which may be long.
    pub(super) single: bool,
}

impl<'a> Purpose<'a> {
    /// For a command that speaks WAMP only.
    pub(super) fn wamp(server: &'a ServerArgs) -> Self {
        Purpose { server, dialect: Dialect::Wamp, reconnect: false, endpoint: None, single: true }
    }

    /// For a command on one endpoint.
    pub(super) fn endpoint(wire: &'a WireArgs, endpoint: &'a Endpoint, single: bool) -> Self {
        let (server, reconnect) = (&wire.server, wire.reconnect);
        Purpose { server, dialect: wire.dialect.into(), reconnect, endpoint: Some(endpoint), single }
    }
}

/// The endpoint of a command; the topic is taken as it is written.
pub(super) fn endpoint(role: Role, topic: &str) -> Result<Endpoint, ClientError> {
    Ok(Endpoint::new(role, Topic::new(topic))?)
}

impl Line {
    /// Begins to connect.
    pub(super) fn open(purpose: &Purpose<'_>) -> Result<Self, ClientError> {
        let url = shown_url(purpose)?;
        let mut builder = builder(purpose.server, purpose.dialect)?;
        builder = builder.message_bytes(LONGEST).receive_bytes(LONGEST);
        builder = builder.queue_bytes(if purpose.single { 2 * LONGEST } else { LINES });
        if !purpose.reconnect {
            // The first loss, or attempt in vain, is the end, so it must not be over before it is seen.
            let long = 1 << 40;
            builder = builder.backoff(Backoff { base: long, cap: long, stable: 0 });
        }
        let client = builder.start()?;
        let status = client.status();
        let announcement = if purpose.server.verbose { Announcement::Eager } else { Announcement::Done };
        let reconnect = purpose.reconnect;
        Ok(Line { client, url, status, reconnect, announcement, met: false, away: false })
    }

    pub(super) fn client(&self) -> Client {
        self.client.clone()
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }

    /// The connection is announced by [`Line::announce`] only.
    pub(super) fn announce_later(&mut self) {
        if self.announcement == Announcement::Eager {
            self.announcement = Announcement::Later;
        }
    }

    /// Says on standard error that the connection stands, once and if that was asked for.
    pub(super) fn announce(&mut self) {
        if std::mem::replace(&mut self.announcement, Announcement::Done) != Announcement::Done {
            eprintln!("petasus: connected to {}", self.url);
        }
    }

    /// Awaits the loss of the connection, or that there will be none. With `--reconnect` losses are told on standard
    /// error, and are no reason to end. Can be dropped and called again.
    pub(super) async fn lost(&mut self) -> ClientError {
        loop {
            let status = self.status.look();
            match status {
                Status::Connected(_) => self.stands(),
                Status::Waiting { failure, .. } if self.reconnect => self.stay(failure),
                Status::Waiting { failure, .. } | Status::Closed { failure: Some(failure) } => {
                    return self.failed(failure);
                }
                _ => {}
            }
            if self.status.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
        }
    }

    fn stands(&mut self) {
        self.met = true;
        if self.announcement == Announcement::Eager {
            self.announce();
        }
        if std::mem::take(&mut self.away) {
            eprintln!("petasus: connected again; messages of the time between may be missing");
        }
    }

    fn stay(&mut self, failure: Failure) {
        if !std::mem::replace(&mut self.away, true) {
            eprintln!("petasus: {}\npetasus: trying to connect again", self.failed(failure));
        }
    }

    /// Awaits what the client does, unless the connection is lost before.
    pub(super) async fn watch<T>(
        &mut self,
        request: impl IntoFuture<Output = Result<T, petasus::Error>>,
    ) -> Result<T, ClientError> {
        tokio::select! {
            biased;
            outcome = request.into_future() => outcome.map_err(|error| self.explain(error)),
            lost = self.lost() => Err(lost),
        }
    }

    /// Awaits the first connection, for those who had nothing to send by which it would have been seen.
    pub(super) async fn reached(&mut self) -> Result<(), ClientError> {
        let client = self.client();
        let url = self.url.clone();
        match timeout(PATIENCE, self.watch(client.connected())).await {
            Ok(outcome) => outcome,
            Err(_) => Err(ClientError::TimedOut(url, PATIENCE.as_secs())),
        }
    }

    /// Sends what waits, and ends the connection in good order.
    pub(super) async fn drain(&mut self) -> Result<(), ClientError> {
        self.flushed().await?;
        let drained = self.client.drain(PATIENCE).await;
        drained.map_err(|error| self.explain(error))
    }

    /// Awaits that nothing waits to be sent.
    async fn flushed(&mut self) -> Result<(), ClientError> {
        let (mut before, mut moved) = (usize::MAX, Instant::now());
        loop {
            let waiting = self.client.waiting();
            if waiting == 0 {
                return Ok(());
            }
            if waiting < before {
                (before, moved) = (waiting, Instant::now());
            }
            if moved.elapsed() > PATIENCE && !self.reconnect {
                return Err(ClientError::Lost("the broker takes no more messages".to_owned()));
            }
            tokio::select! {
                lost = self.lost() => return Err(lost),
                // Nobody tells.
                () = sleep(Duration::from_millis(2)) => {}
            }
        }
    }

    /// Closes the connection when everything wanted is here: what becomes of it then changes nothing.
    pub(super) async fn close(&mut self) {
        let _ = self.client.close().await;
    }

    /// What an error means to those who gave the command.
    pub(super) fn explain(&self, error: petasus::Error) -> ClientError {
        ClientError::new(&self.url, self.met, error)
    }

    fn failed(&self, failure: Failure) -> ClientError {
        ClientError::of_failure(&self.url, self.met, failure)
    }
}

/// What all clients of a command are built from.
pub(super) fn builder(args: &ServerArgs, dialect: Dialect) -> Result<Builder, ClientError> {
    let mut builder = Client::builder(args.server.trim()).dialect(dialect).realm(&args.realm);
    if let Some(origin) = &args.origin {
        builder = builder.origin(origin);
    }
    for header in &args.headers {
        let (name, value) = header.split_once(':').ok_or_else(|| ClientError::Header(header.clone()))?;
        let (name, value) = (name.trim(), value.trim());
        builder = match name.to_ascii_lowercase().as_str() {
            "origin" => builder.origin(value),
            // Where a message ends is not for --header to say.
            "content-length" | "transfer-encoding" => builder,
            _ => builder.header(name, value),
        };
    }
    if let Some(file) = &args.ca {
        builder = builder.root_certificate(certificates(file)?).without_system_roots();
    }
    match log_in(args, dialect)? {
        Some(auth) => Ok(builder.auth(auth)),
        None => Ok(builder),
    }
}

fn certificates(file: &Path) -> Result<Vec<u8>, ClientError> {
    let wrong = |reason: String| ClientError::Ca { file: file.display().to_string(), reason };
    let pem = std::fs::read(file).map_err(|error| wrong(error.to_string()))?;
    let begin = b"-----BEGIN CERTIFICATE-----";
    let any = pem.windows(begin.len()).any(|window| window == begin);
    if any { Ok(pem) } else { Err(wrong("it has no certificate".to_owned())) }
}

fn log_in(args: &ServerArgs, dialect: Dialect) -> Result<Option<Auth>, ClientError> {
    let Some(user) = &args.user else { return Ok(None) };
    if dialect == Dialect::Mercury {
        return Err(ClientError::LogIn(
            "Mercury has none; credentials go into --header 'Authorization: ...'",
        ));
    }
    match (&args.secret, &args.ticket) {
        (Some(secret), _) => Ok(Some(Auth::wampcra(user, secret))),
        (None, Some(ticket)) => Ok(Some(Auth::ticket(user, ticket))),
        (None, None) => {
            Err(ClientError::LogIn("give --ticket (PETASUS_TICKET) or --secret (PETASUS_SECRET)"))
        }
    }
}

/// The URL for people; a query may hold a token.
fn shown_url(purpose: &Purpose<'_>) -> Result<String, ClientError> {
    let text = purpose.server.server.trim();
    let wrong = |reason| petasus::Error::Url { url: text.to_owned(), reason };
    let server = ServerUrl::parse(text).map_err(wrong)?;
    let url = match purpose.endpoint {
        Some(endpoint) if purpose.dialect == Dialect::Mercury => server.endpoint(endpoint),
        _ => server.wamp(),
    };
    let url = url.split('?').next().unwrap_or_default();
    let posts = purpose.endpoint.is_some_and(|endpoint| endpoint.role == Role::Push);
    if posts && purpose.dialect == Dialect::Mercury {
        return Ok(url.replacen("ws", "http", 1));
    }
    Ok(url.to_owned())
}
