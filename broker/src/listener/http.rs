//! From an HTTP request to its answer: routing, origin, hooks, body, upgrade.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use http_body::Body;
use http_body_util::{BodyExt, Full, LengthLimitError, Limited};
use hyper::body::Bytes;
use parking_lot::Mutex;

use super::longpoll::{PollStep, Polls};
use super::{host, page, upgrade};
use crate::auth::{Client, RequestHead, Verdict};
use crate::config::Dialects;
use crate::connection::{Batch, Conversation, Framing, Outbox, Wire, handshake};
use crate::core::{Core, Counted, Listed};
use crate::dialect::wamp::Subprotocol;
use crate::dialect::{Answer, Dialect, Head, Posted, Role, Route};
use crate::endpoint::Endpoints;
use crate::hub::Pushed;
use crate::session::{Session, Transport};

/// What is served at an address.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) core: Arc<Core>,
    pub(crate) dialects: Dialects,
    pub(crate) endpoints: Arc<Endpoints>,
    pub(crate) polls: Arc<Polls>,
}

/// What a socket takes of `limits.connections`: given back once the WebSocket that it becomes has a place of its
/// own, before the client knows of it. Empty for the sockets of somebody else's server.
pub(crate) type Place = Mutex<Option<Counted>>;

/// A request's line and headers, and where it comes from.
pub(super) struct Asked {
    method: Method,
    version: Version,
    /// Whether it asks for a WebSocket.
    upgrade: bool,
    /// Path and query, as the client sent it or as a hook rewrote it.
    target: String,
    headers: HeaderMap,
    pub(super) remote: Option<SocketAddr>,
    pub(super) client: Option<Arc<Client>>,
    /// Whether the origin was looked at and may come in.
    origin_passed: bool,
}

/// A request that opens something or sends something.
enum Wanted {
    Open(Dialect, Role),
    Post(Dialect, Role),
    /// WAMP, in the subprotocol that was chosen.
    Session(Subprotocol),
    /// WAMP by long-poll.
    Poll(PollStep),
    /// A page of another origin asks whether it may POST here (Fetch standard, CORS-preflight fetch).
    Preflight,
}

impl Asked {
    /// Whether it is about a POST that is still to come.
    fn is_preflight(&self) -> bool {
        self.method == Method::OPTIONS
            && self.headers.get(header::ACCESS_CONTROL_REQUEST_METHOD).is_some_and(|method| method == "POST")
    }
}

impl Site {
    /// Answers a request. Never fails: every mistake of a client has its answer.
    pub(crate) async fn respond<B>(
        &self,
        mut request: Request<B>,
        remote: Option<SocketAddr>,
        place: &Place,
    ) -> Response<Full<Bytes>>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let upgrade = hyper::upgrade::on(&mut request);
        let (parts, body) = request.into_parts();
        let target = parts.uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        let client = self
            .core
            .hooks
            .any()
            .then(|| Arc::new(Client { remote, uri: parts.uri.clone(), headers: parts.headers.clone() }));
        let mut asked = Asked {
            method: parts.method,
            version: parts.version,
            upgrade: handshake::is_asked(parts.version, &parts.headers),
            target,
            headers: parts.headers,
            remote,
            client,
            origin_passed: false,
        };
        let outcome = match self.wanted(&mut asked).await {
            Err(answer) => Err(answer),
            Ok(Wanted::Open(dialect, role)) => match self.open(&asked, dialect, role, upgrade, place).await {
                Ok(accept) => return handshake::accepted(accept, None),
                Err(answer) => Err(answer),
            },
            Ok(Wanted::Session(subprotocol)) => {
                match self.open_session(&asked, subprotocol, upgrade, place) {
                    Ok(accept) => return handshake::accepted(accept, Some(subprotocol.name())),
                    Err(answer) => Err(answer),
                }
            }
            Ok(Wanted::Poll(step)) => self.poll(&asked, step, body).await,
            Ok(Wanted::Preflight) => Ok(Answer::preflight()),
            Ok(Wanted::Post(dialect, role)) => self.post(&asked, dialect, role, body).await,
        };
        let answer = outcome.unwrap_or_else(|answer| {
            tracing::debug!(remote = ?asked.remote, status = answer.status.as_u16(), "request refused");
            answer
        });
        self.response(answer, &asked)
    }

    /// Finds out what is asked for and whether the client may ask.
    async fn wanted(&self, asked: &mut Asked) -> Result<Wanted, Answer> {
        host::check(asked.version, &asked.headers)?;
        let wanted = self.permitted(asked)?;
        // Whoever knows the id of a long-poll session was asked about when it was opened. A preflight has no
        // credentials, ever, and what it asks for is asked about when it comes.
        let is_asked_elsewhere = match &wanted {
            Wanted::Poll(step) => !matches!(step, PollStep::Open),
            Wanted::Preflight => true,
            _ => false,
        };
        let asks = self.core.hooks.wants_requests() && !is_asked_elsewhere;
        let Some(client) = asked.client.clone().filter(|_| asks) else {
            return Ok(wanted);
        };
        // Nobody is asked about a handshake that fails anyway.
        if let Wanted::Open(..) | Wanted::Session(_) = wanted {
            handshake::check(&asked.headers).map_err(|error| wanted.dialect().bad_handshake(error))?;
        }
        let head = RequestHead { method: asked.method.clone(), client };
        match self.core.hooks.about_request(head).await {
            Ok(Verdict::Allow) => Ok(wanted),
            Ok(Verdict::Rewrite(target)) => self.rewritten(asked, target),
            Err(refusal) => {
                self.core.metrics.refused();
                Err(refusal.answer())
            }
        }
    }

    /// What is asked for, unless its origin forbids it.
    fn permitted(&self, asked: &mut Asked) -> Result<Wanted, Answer> {
        asked.origin_passed = false;
        let preflight = asked.is_preflight();
        if preflight {
            asked.method = Method::POST;
        }
        let wanted = self.route(asked)?;
        self.check_origin(asked, &wanted)?;
        asked.origin_passed = true;
        Ok(if preflight { Wanted::Preflight } else { wanted })
    }

    /// What a hook has made of a request: all goes on as if the client had asked for that (REQ-HOOK-001). The
    /// new path may belong to another dialect, which has an origin rule of its own.
    fn rewritten(&self, asked: &mut Asked, target: String) -> Result<Wanted, Answer> {
        let from = std::mem::replace(&mut asked.target, target);
        let result = if asked.target.starts_with('/') {
            self.permitted(asked)
        } else {
            Err(Answer::text(StatusCode::SERVICE_UNAVAILABLE, "the authorisation rewrote the path to none"))
        };
        result.inspect_err(|answer| {
            let (from, to, status) = (path_of(&from), path_of(&asked.target), answer.status.as_u16());
            tracing::warn!(from, to, status, "a request was rewritten to a path that does not take it");
        })
    }

    fn route(&self, asked: &Asked) -> Result<Wanted, Answer> {
        let upgrade = asked.upgrade;
        let path = path_of(&asked.target);
        if let Some(role) = self.endpoints.find(path, &self.core.rules.topics)? {
            return added(asked, role);
        }
        if self.dialects.wamp
            && let Some(wanted) = self.wamp(asked, path)
        {
            return wanted;
        }
        if let Some(mount) = &self.dialects.pinghub
            && let Some(target) = below(&asked.target, mount)
        {
            let head = Head { method: &asked.method, mount, target, upgrade };
            return resolved(Dialect::Pinghub, Dialect::Pinghub.route(&head, &self.core.rules));
        }
        if !self.dialects.mercury {
            return Err(Answer::text(StatusCode::NOT_FOUND, "nothing is here"));
        }
        if self.core.serves_example()
            && matches!(asked.method, Method::GET | Method::HEAD)
            && let Some(answer) = page::answer(path)
        {
            return Err(answer);
        }
        let head = Head { method: &asked.method, mount: "", target: &asked.target, upgrade };
        resolved(Dialect::Mercury, Dialect::Mercury.route(&head, &self.core.rules))
    }

    /// What is asked for, if the path is WAMP's.
    fn wamp(&self, asked: &Asked, path: &str) -> Option<Result<Wanted, Answer>> {
        if self.is_wamp_path(path) {
            return Some(session(asked).map(Wanted::Session));
        }
        Some(self.poll_step(&asked.method, path)?.map(Wanted::Poll))
    }

    /// Whether WAMP is spoken over WebSocket on a path.
    pub(super) fn is_wamp_path(&self, target: &str) -> bool {
        self.core.config.wamp.paths.iter().any(|at| at == path_of(target))
    }

    /// REQ-ORG-001 to -005; Pinghub does not check POSTs and lets a missing Origin pass.
    fn check_origin(&self, asked: &Asked, wanted: &Wanted) -> Result<(), Answer> {
        let (dialect, allowed) = match wanted {
            Wanted::Open(Dialect::Mercury, _)
            | Wanted::Post(Dialect::Mercury, _)
            | Wanted::Session(_)
            | Wanted::Poll(_)
            | Wanted::Preflight => {
                let origin = joined(&asked.headers, &header::ORIGIN);
                (Dialect::Mercury, self.core.origins.allows(origin.as_deref()))
            }
            Wanted::Open(Dialect::Pinghub, _) => {
                let origin = asked.headers.get(header::ORIGIN).map(HeaderValue::as_bytes);
                (Dialect::Pinghub, pinghub_origin(&self.core.config.pinghub.origin, origin))
            }
            Wanted::Post(Dialect::Pinghub, _) => return Ok(()),
        };
        if allowed {
            return Ok(());
        }
        self.core.metrics.refused();
        tracing::info!(
            remote = ?asked.remote,
            origin = joined(&asked.headers, &header::ORIGIN).map(|origin| shortened(&origin)),
            "origin refused"
        );
        Err(dialect.origin_refused())
    }

    /// Joins, then answers: whoever sees the 101 is a member (REQ-BUS-005).
    async fn open(
        &self,
        asked: &Asked,
        dialect: Dialect,
        role: Role,
        on_upgrade: hyper::upgrade::OnUpgrade,
        place: &Place,
    ) -> Result<HeaderValue, Answer> {
        let core = &self.core;
        let accept = handshake::check(&asked.headers).map_err(|error| dialect.bad_handshake(error))?;
        core.access.may_role(&role).map_err(|denied| {
            core.metrics.refused();
            denied.answer()
        })?;
        if let Some(client) = &asked.client {
            core.hooks.about_role(&role, client).await.map_err(|denied| {
                core.metrics.refused();
                denied.answer()
            })?;
        }
        let outbox = core.new_outbox(dialect);
        let listed = self.list(&outbox, place)?;
        let client = asked.client.clone().filter(|_| core.hooks.wants(&role));
        let mut batch = Batch::new();
        let membership = core.realm.join(role, outbox, core.clock, &core.metrics, &mut batch);
        batch.flush(&core.metrics).await;
        let conversation = Conversation::member(core.clone(), dialect, membership, client);
        upgrade::spawn(core.clone(), conversation, listed, on_upgrade);
        Ok(accept)
    }

    /// Opens a connection for WAMP sessions. Whoever is there has joined nothing yet.
    fn open_session(
        &self,
        asked: &Asked,
        subprotocol: Subprotocol,
        on_upgrade: hyper::upgrade::OnUpgrade,
        place: &Place,
    ) -> Result<HeaderValue, Answer> {
        let core = &self.core;
        let accept =
            handshake::check(&asked.headers).map_err(|error| Dialect::Mercury.bad_handshake(error))?;
        let Subprotocol { serializer, batched } = subprotocol;
        let framing = if batched { Framing::Batched } else { Framing::Message };
        let outbox = core.new_session_outbox(Wire::Wamp(serializer, framing), usize::MAX);
        let listed = self.list(&outbox, place)?;
        let transport = Transport { kind: "websocket", serializer, remote: asked.remote };
        let session = Session::new(core.clone(), outbox, transport, asked.client.clone());
        let conversation = Conversation::session(core, session, batched);
        upgrade::spawn(core.clone(), conversation, listed, on_upgrade);
        Ok(accept)
    }

    /// A place among the connections, for the one that the socket has taken.
    fn list(&self, outbox: &Outbox, place: &Place) -> Result<Listed, Answer> {
        let listed = self.core.list(outbox).map_err(|line| {
            self.core.metrics.refused();
            Answer::text(StatusCode::SERVICE_UNAVAILABLE, line).with(header::RETRY_AFTER, "1")
        })?;
        drop(place.lock().take());
        Ok(listed)
    }

    async fn post<B>(&self, asked: &Asked, dialect: Dialect, role: Role, body: B) -> Result<Answer, Answer>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let body = self.body(dialect, body).await?;
        let content_type = asked.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
        self.core.metrics.posted();
        let Some(message) = dialect.posted(body, content_type)? else {
            return Ok(dialect.post_answer(Posted::Nothing));
        };
        self.core.access.may_post(&role).map_err(|denied| {
            self.core.metrics.refused();
            denied.answer()
        })?;
        if self.core.hooks.wants(&role) {
            let allowed = self.core.hooks.about_message(&role, &message, asked.client.as_ref()).await;
            allowed.map_err(|denied| {
                self.core.metrics.refused();
                denied.answer()
            })?;
        }
        Ok(dialect.post_answer(self.core.post(&role, &message).await))
    }

    pub(super) async fn body<B>(&self, dialect: Dialect, body: B) -> Result<Bytes, Answer>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let limit = self.core.message_limit(dialect);
        let patience = self.core.config.timeouts.body.duration();
        let too_large = || {
            Answer::text(
                StatusCode::PAYLOAD_TOO_LARGE,
                format_args!(
                    "the message is longer than {limit} bytes: send less, or raise the broker's limit"
                ),
            )
            // What is left of the body is not read: nothing can follow it (RFC 9112 9.6).
            .with(header::CONNECTION, "close")
        };
        // A client that announces too much need not send it first.
        if body.size_hint().lower() > limit as u64 {
            return Err(too_large());
        }
        let collected = tokio::time::timeout(patience, Limited::new(body, limit).collect()).await;
        match collected {
            Ok(Ok(body)) => Ok(unpinned(body.to_bytes())),
            Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
            Ok(Err(_)) => Err(dialect.broken_body()),
            Err(_) => Err(Answer::text(
                StatusCode::REQUEST_TIMEOUT,
                format_args!("the body did not arrive within {} s", patience.as_secs_f64()),
            )
            .with(header::CONNECTION, "close")),
        }
    }

    /// REQ-HTTP-015: a page may read the answer once its origin has passed, also where no origin is asked about.
    fn response(&self, answer: Answer, asked: &Asked) -> Response<Full<Bytes>> {
        let body = match answer.body {
            std::borrow::Cow::Borrowed(body) => Bytes::from_static(body),
            std::borrow::Cow::Owned(body) => Bytes::from(body),
        };
        let mut response = Response::new(Full::new(body));
        *response.status_mut() = answer.status;
        response.headers_mut().extend(answer.headers);
        if (asked.origin_passed || !self.asks_origins())
            && let Some(origin) = asked.headers.get(header::ORIGIN)
        {
            response.headers_mut().insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin.clone());
            response.headers_mut().insert(header::VARY, HeaderValue::from_static("Origin"));
        }
        response
    }

    /// Whether some origins are refused by what is served here.
    fn asks_origins(&self) -> bool {
        let config = &self.core.config;
        let pinghub = self.dialects.pinghub.is_some() && !config.pinghub.origin.is_empty();
        pinghub || !config.allow_origin.is_empty()
    }
}

/// How WAMP is to be spoken: the first of the client's subprotocols that the broker knows (RFC 6455 4.2.2).
fn session(asked: &Asked) -> Result<Subprotocol, Answer> {
    if asked.method != Method::GET {
        return Err(Answer::wrong_method("open a WebSocket here (GET)", "GET"));
    }
    if !asked.upgrade {
        return Err(Answer::text(
            StatusCode::UPGRADE_REQUIRED,
            "WAMP is spoken over WebSocket here: connect to this URL with ws:// or wss://",
        )
        .with(header::UPGRADE, "websocket")
        .with(header::CONNECTION, "Upgrade"));
    }
    let offered = joined(&asked.headers, &header::SEC_WEBSOCKET_PROTOCOL).unwrap_or_default();
    offered.split(',').find_map(|name| Subprotocol::parse(name.trim())).ok_or_else(|| {
        Answer::text(
            StatusCode::BAD_REQUEST,
            "offer a subprotocol that is spoken here: wamp.2.json, wamp.2.msgpack or wamp.2.cbor",
        )
    })
}

impl Wanted {
    /// Whose words an answer has.
    fn dialect(&self) -> Dialect {
        match self {
            Self::Open(dialect, _) | Self::Post(dialect, _) => *dialect,
            Self::Session(_) | Self::Poll(_) | Self::Preflight => Dialect::Mercury,
        }
    }
}

/// An endpoint of the embedding program: a WebSocket, or a POST where messages can be sent.
fn added(asked: &Asked, role: Role) -> Result<Wanted, Answer> {
    match asked.method {
        Method::GET if asked.upgrade => Ok(Wanted::Open(Dialect::Mercury, role)),
        Method::POST if role.sends() => Ok(Wanted::Post(Dialect::Mercury, role)),
        Method::GET => Err(Answer::text(
            StatusCode::UPGRADE_REQUIRED,
            "this is spoken over WebSocket: connect to this URL with ws:// or wss://",
        )
        .with(header::UPGRADE, "websocket")
        .with(header::CONNECTION, "Upgrade")),
        _ => {
            let allow = if role.sends() { "GET, POST" } else { "GET" };
            Err(Answer::wrong_method("open a WebSocket here (GET)", allow))
        }
    }
}

/// What of a client's text goes into the log.
fn shortened(text: &str) -> String {
    text.chars().take(128).collect()
}

/// A short body may be a piece of the buffer that its request was read into, and would keep all of that alive.
fn unpinned(body: Bytes) -> Bytes {
    if body.len() < 64 * 1024 { Bytes::copy_from_slice(&body) } else { body }
}

fn resolved(dialect: Dialect, route: Route) -> Result<Wanted, Answer> {
    match route {
        Route::Open(role) => Ok(Wanted::Open(dialect, role)),
        Route::Post(role) => Ok(Wanted::Post(dialect, role)),
        Route::Answer(answer) => Err(answer),
    }
}

/// The target without its query, which may hold secrets.
fn path_of(target: &str) -> &str {
    target.split_once('?').map_or(target, |(path, _)| path)
}

/// The target below a mount prefix; `None` if it is not below.
fn below<'a>(target: &'a str, mount: &str) -> Option<&'a str> {
    let rest = target.strip_prefix(mount)?;
    (mount.is_empty() || rest.is_empty() || rest.starts_with(['/', '?'])).then_some(rest)
}

/// Several lines of one header count as one list.
fn joined(headers: &HeaderMap, name: &header::HeaderName) -> Option<String> {
    let mut values = headers.get_all(name).into_iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
    let first = values.next()?.into_owned();
    Some(values.fold(first, |list, value| list + ", " + &value))
}

/// Pinghub's rule: no setting or no header passes; else the header is the setting, or has its scheme and host.
fn pinghub_origin(allowed: &str, origin: Option<&[u8]>) -> bool {
    let Some(origin) = origin.filter(|_| !allowed.is_empty()) else { return true };
    let Ok(origin) = std::str::from_utf8(origin) else { return false };
    let parse = |text: &str| -> Option<(String, String)> {
        let (scheme, rest) = text.split_once("://")?;
        let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
        let host = host.rsplit('@').next().unwrap_or_default();
        Some((scheme.to_ascii_lowercase(), host.to_owned()))
    };
    origin == allowed || parse(origin).is_some_and(|origin| Some(origin) == parse(allowed))
}

impl Core {
    /// Sends a message from outside a connection and flushes whom it reached.
    pub(crate) async fn post(&self, role: &Role, message: &petasus_protocol::Message) -> Posted {
        let (posted, batch) = self.route(role, message);
        batch.flush(&self.metrics).await;
        posted
    }

    /// As `post`, for callers that cannot wait.
    pub(crate) fn post_now(&self, role: &Role, message: &petasus_protocol::Message) -> Posted {
        let (posted, batch) = self.route(role, message);
        batch.flush_now(&self.metrics);
        posted
    }

    fn route(&self, role: &Role, message: &petasus_protocol::Message) -> (Posted, Batch) {
        let mut batch = Batch::new();
        batch.counts.received(role.pattern(), message.len());
        let posted = self.realm.post(role, message, self.clock, &mut batch);
        // A custom pattern counts its deliveries itself.
        let elsewhere = matches!(posted, Posted::Pushed(Pushed::Held | Pushed::Full))
            || matches!(role, Role::Custom { .. });
        batch.counts.unheard = u64::from(batch.counts.deliveries == 0 && !elsewhere);
        (posted, batch)
    }
}
