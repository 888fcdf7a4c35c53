//! The broker as a value: built from a configuration, run by itself or inside another program.

use std::convert::Infallible;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http::{Request, Response};
use http_body::Body;
use http_body_util::Full;
use parking_lot::Mutex;
use petasus_protocol::{Message, OriginError, Topic};
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncWrite};

use crate::auth::{
    AccessError, Action, Denied, Hooks, Operation, Refusal, RequestHead, SharedAccess, Subrequest, Verdict,
};
use crate::config::{Config, Dialects};
use crate::core::Core;
use crate::dialect::{Posted, Role};
use crate::endpoint::Endpoints;
use crate::hub::Pushed;
use crate::listener::{self, BindError, Certificate, Place, Polls, Server, Site, TlsError};
use crate::local::{LocalError, LocalOptions, LocalSession};

/// A broker. Cheap to clone; all clones are the same broker.
#[derive(Clone)]
pub struct Broker {
    core: Arc<Core>,
    endpoints: Arc<Endpoints>,
    polls: Arc<Polls>,
    certificates: Arc<Mutex<Vec<Arc<Certificate>>>>,
}

/// Puts a broker together.
#[derive(Default)]
pub struct Builder {
    config: Config,
    hooks: Hooks,
    endpoints: Endpoints,
}

/// Why a broker cannot be built.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum BuildError {
    /// An origin pattern is none.
    #[error("allow_origin: {0}")]
    Origin(#[from] OriginError),
    /// The access file cannot be used.
    #[error(transparent)]
    Access(#[from] AccessError),
    /// Two hooks for the same question.
    #[error("[auth] request and the hook on_request both answer for requests: keep one of them")]
    TwoRequestHooks,
}

/// Why a file could not be read again.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ReloadError {
    /// A certificate or its key.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The access file.
    #[error(transparent)]
    Access(#[from] AccessError),
}

impl Builder {
    /// Sets the configuration; [`Config::default`] is development mode.
    #[must_use]
    pub fn config(mut self, config: Config) -> Self {
        self.config = config;
        self
    }

    /// Asks `hook` before each upgrade and each POST: to go on, to go on with another path, or to refuse.
    #[must_use]
    pub fn on_request<F, R>(mut self, hook: F) -> Self
    where
        F: Fn(RequestHead) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Verdict, Refusal>> + Send + 'static,
    {
        self.hooks.set_request(hook);
        self
    }

    /// Asks `hook` before each operation of this kind.
    ///
    /// A connection asks about its messages one after the other, and reads no further meanwhile. A denied
    /// join, subscription or pull is answered 403; a denied message closes its connection with code 3003 and
    /// the reason, or is answered 403 if it came by POST. A hook may itself publish.
    #[must_use]
    pub fn on<F, R>(mut self, action: Action, hook: F) -> Self
    where
        F: Fn(Operation) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Denied>> + Send + 'static,
    {
        self.hooks.set_operation(action, hook);
        self
    }

    /// Adds an endpoint: `open` gets what follows `prefix` in the (decoded) path and says what a WebSocket, or
    /// a POST, there does; `None` is answered 404. These come before the dialects' own endpoints.
    #[must_use]
    pub fn endpoint(
        mut self,
        prefix: impl Into<String>,
        open: impl Fn(&str) -> Option<Role> + Send + Sync + 'static,
    ) -> Self {
        self.endpoints.add(prefix.into(), open);
        self
    }

    /// Builds the broker. Nothing is bound yet.
    pub fn build(mut self) -> Result<Broker, BuildError> {
        self.hooks.timeout = self.config.hooks.timeout.duration();
        if let Some(uri) = self.config.auth.request.clone() {
            if self.hooks.wants_requests() {
                return Err(BuildError::TwoRequestHooks);
            }
            let subrequest = Subrequest::new(uri);
            self.hooks.timeout_requests_after(self.config.auth.timeout.duration());
            self.hooks.set_request(move |head| subrequest.clone().ask(head));
        }
        let access = SharedAccess::open(&self.config.auth.access)?;
        Ok(Broker {
            core: Arc::new(Core::new(self.config, self.hooks, access)?),
            endpoints: Arc::new(self.endpoints),
            polls: Arc::default(),
            certificates: Arc::default(),
        })
    }
}

impl Broker {
    /// Begins to put a broker together.
    pub fn builder() -> Builder {
        Builder::default()
    }

    /// Binds everything the configuration names. On an error nothing stays bound.
    pub async fn bind(&self) -> Result<Server, BindError> {
        Server::bind(self.core.clone(), self.endpoints.clone(), self.polls.clone(), &self.certificates).await
    }

    /// A [`tower_service::Service`] that answers the requests of another program's HTTP server, WebSocket
    /// upgrades included: mount it in an axum router, or hand it to hyper.
    pub fn service(&self, dialects: Dialects) -> BrokerService {
        let (core, endpoints, polls) = (self.core.clone(), self.endpoints.clone(), self.polls.clone());
        BrokerService { site: Site { core, dialects, endpoints, polls } }
    }

    /// Serves a stream as a listener would that had accepted it: HTTP, upgrades to WebSocket, and rawsocket where WAMP is among
    /// `dialects`. For programs that have their connections from elsewhere: a tunnel, a TLS library of their own, a pipe
    /// in memory ([`tokio::io::duplex`]). `remote` is what hooks and the log are told of the client.
    ///
    /// Returns when the stream has become a WebSocket or rawsocket connection, which has a task of its own, or has ended.
    /// It counts against `limits.connections`, and [`Broker::drain`] tells it to go. It needs a tokio runtime with time,
    /// and keeps to the clock of that: while it is paused, nothing waits for real. Only its own task writes to the stream,
    /// which costs a TCP or UNIX socket a task switch for each message: [`Broker::bind`] has a quicker way for those.
    pub async fn serve<S>(&self, stream: S, remote: Option<SocketAddr>, dialects: Dialects)
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
    {
        self.core.keep_house();
        let (core, endpoints, polls) = (self.core.clone(), self.endpoints.clone(), self.polls.clone());
        let site = Site { core, dialects, endpoints, polls };
        listener::serve(site, Box::new(stream), remote).await;
    }

    /// Reads the certificates and the access file again. Nobody is disconnected; with a wrong file the old one stays
    /// in use.
    pub fn reload(&self) -> Result<(), ReloadError> {
        let certificates: Vec<_> = self.certificates.lock().clone();
        // All of them, also behind a wrong one; of several errors the first is reported.
        let access = self.core.access.reload();
        let results: Vec<_> = certificates.iter().map(|certificate| certificate.reload()).collect();
        results.into_iter().collect::<Result<(), _>>()?;
        Ok(access?)
    }

    /// Tells all connections to go (1001) and waits until they have; those that are left after `drain_timeout` are
    /// cut off. No task of a connection is left when this returns, and the result is how many were cut off. For
    /// programs that run their own server; [`Server::run`] does this by itself.
    pub async fn drain(&self) -> usize {
        self.core.drain();
        self.core.drained().await
    }

    /// Sends to all peers of a topic of the bus.
    pub fn send(&self, topic: &Topic, message: &Message) {
        self.core.post_now(&Role::Bus { topic: topic.clone(), echo: false }, message);
    }

    /// Publishes to all subscribers of a topic.
    pub fn publish(&self, topic: &Topic, message: &Message) {
        self.core.post_now(&Role::Publish { topic: topic.clone() }, message);
    }

    /// Pushes a job to a queue.
    pub fn push(&self, topic: &Topic, message: &Message) -> Pushed {
        match self.core.post_now(&Role::Push { topic: topic.clone() }, message) {
            Posted::Pushed(pushed) => pushed,
            Posted::Sent | Posted::Nothing => Pushed::NoPuller,
        }
    }

    /// Opens a WAMP session of this program itself in a realm: see [`local`](crate::local).
    ///
    /// It needs a tokio runtime that runs for as long as the session does.
    pub async fn session(&self, realm: &str, options: LocalOptions) -> Result<LocalSession, LocalError> {
        self.core.keep_house();
        LocalSession::open(&self.core, realm, options).await
    }

    /// How many connections there are: WebSocket, rawsocket, long-poll, and sessions of this program.
    pub fn connections(&self) -> usize {
        self.core.live().connections
    }

    /// The metrics in the text format of `OpenMetrics`, as the admin listener shows them.
    pub fn metrics(&self) -> String {
        self.core.metrics.text(&self.core.live())
    }
}

/// Answers HTTP requests as a listener of the broker would. Made by [`Broker::service`].
///
/// The client's address for hooks is taken from a [`SocketAddr`] among the request's extensions, if there is one.
#[derive(Clone)]
pub struct BrokerService {
    site: Site,
}

impl<B> tower_service::Service<Request<B>> for BrokerService
where
    B: Body<Data = bytes::Bytes> + Send + 'static,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    type Response = Response<Full<bytes::Bytes>>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<B>) -> Self::Future {
        self.site.core.keep_house();
        let site = self.site.clone();
        let remote = request.extensions().get::<SocketAddr>().copied();
        Box::pin(async move { Ok(site.respond(request, remote, &Place::default()).await) })
    }
}
