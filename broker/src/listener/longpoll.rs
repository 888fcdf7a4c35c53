//! WAMP by HTTP long-poll: for clients whose network lets nothing else through (WAMP: HTTP Longpoll Transport).
//!
//! `POST BASE/open` opens a session; its messages are fetched by `POST BASE/ID/receive`, sent by `POST
//! BASE/ID/send`, and it ends by `POST BASE/ID/close`. A session is an ordinary connection inside the broker: see
//! `connection::far_end`.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use data_encoding::BASE64URL_NOPAD;
use http::{Method, StatusCode, header};
use http_body::Body;
use hyper::body::Bytes;
use parking_lot::Mutex;
use petasus_protocol::wamp::{Message, Serializer, batched};
use serde::Deserialize;
use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;

use super::Site;
use super::http::Asked;
use crate::connection::{FarEnd, Takes, frame};
use crate::core::Core;
use crate::dialect::wamp::Subprotocol;
use crate::dialect::{Answer, Dialect};
use crate::session::Transport;

/// How long a poll waits for a message. Autobahn gives up after 12 s.
const LINGER: Duration = Duration::from_secs(10);

/// How long a session lives without a poll, if there are no pings.
const PATIENCE: Duration = Duration::from_mins(1);

/// Bytes that wait to be fetched, beside those in the outbox; the last message may go beyond.
const WAITING: usize = 64 * 1024;

/// Requests to send that wait for each other.
const SENDS: usize = 4;

/// The sessions that are polled, by their transport ids.
#[derive(Default)]
pub(crate) struct Polls(Mutex<HashMap<String, Arc<Poll>>>);

/// What a request wants of the long-poll transport.
pub(super) enum PollStep {
    /// A page's browser asks whether it may.
    Preflight,
    Open,
    Receive(Arc<Poll>),
    Send(Arc<Poll>),
    Close(Arc<Poll>),
}

/// One session.
pub(super) struct Poll {
    id: String,
    protocol: Subprotocol,
    outgoing: mpsc::Sender<Bytes>,
    waiting: Mutex<Waiting>,
    /// Told when there is something to fetch, or never will be.
    arrived: Notify,
    /// Told when something was fetched.
    fetched: Notify,
    /// Told when there is nothing more to do for this session.
    over: Notify,
}

struct Waiting {
    messages: VecDeque<Bytes>,
    bytes: usize,
    /// A request is waiting for messages.
    polled: bool,
    /// Since when none is.
    since: Instant,
    end: Option<End>,
}

/// How a session ended.
#[derive(Clone, Copy)]
enum End {
    /// Its client said so.
    Closed,
    /// The broker said so, or nobody polled.
    Gone,
}

#[derive(Deserialize)]
struct Opening {
    protocols: Vec<String>,
}

impl Site {
    /// What a request to the long-poll transport wants; `None` if the path is not below its base.
    pub(super) fn poll_step(&self, method: &Method, path: &str) -> Option<Result<PollStep, Answer>> {
        let base = &self.core.config.wamp.longpoll;
        let rest = path.strip_prefix(base.as_str()).filter(|_| !base.is_empty())?.strip_prefix('/')?;
        Some(match *method {
            Method::OPTIONS => Ok(PollStep::Preflight),
            Method::POST => self.polls.step(rest),
            _ => Err(Answer::wrong_method("WAMP long-poll is spoken by POST", "POST, OPTIONS")),
        })
    }

    pub(super) async fn poll<B>(&self, asked: &Asked, step: PollStep, body: B) -> Result<Answer, Answer>
    where
        B: Body<Data = Bytes> + Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        match step {
            PollStep::Preflight => Ok(Answer::preflight()),
            PollStep::Open => self.open_poll(asked, &self.body(Dialect::Mercury, body).await?),
            PollStep::Receive(poll) => poll.receive(linger(&self.core)).await,
            PollStep::Send(poll) => poll.send(&self.core, self.body(Dialect::Mercury, body).await?).await,
            PollStep::Close(poll) => {
                poll.end(End::Closed);
                self.polls.forget(&poll.id);
                poll.over.notify_one();
                Ok(done())
            }
        }
    }

    fn open_poll(&self, asked: &Asked, body: &[u8]) -> Result<Answer, Answer> {
        let bad = |line: &str| Answer::text(StatusCode::BAD_REQUEST, line);
        let opening: Opening = serde_json::from_slice(body)
            .map_err(|_| bad(r#"send a JSON object such as {"protocols": ["wamp.2.json"]}"#))?;
        let protocol = opening.protocols.iter().find_map(|name| Subprotocol::parse(name)).ok_or_else(|| {
            bad("name a protocol that is spoken here: wamp.2.json, wamp.2.msgpack or wamp.2.cbor, each also with .batched")
        })?;
        let transport =
            Transport { kind: Transport::LONGPOLL, serializer: protocol.serializer, remote: asked.remote };
        let far_end = FarEnd::open(&self.core, transport, asked.client.clone(), None).map_err(|line| {
            self.core.metrics.refused();
            Answer::text(StatusCode::SERVICE_UNAVAILABLE, line).with(header::RETRY_AFTER, "1")
        })?;
        let (outgoing, frames) = mpsc::channel(SENDS);
        let poll = Arc::new(Poll::new(protocol, outgoing));
        self.polls.0.lock().insert(poll.id.clone(), poll.clone());
        let answer = serde_json::json!({ "protocol": protocol.name(), "transport": &poll.id }).to_string();
        let (polls, patience) = (self.polls.clone(), patience(&self.core));
        tokio::spawn(async move {
            poll.serve(far_end, frames, patience).await;
            polls.forget(&poll.id);
        });
        Ok(content("application/json", answer.into_bytes()))
    }
}

/// A poll plays the part of a pong: the session of a client without one for two periods is dropped.
fn patience(core: &Core) -> Duration {
    core.config.timeouts.ping.unless_zero().map_or(PATIENCE, |ping| ping * 2)
}

fn linger(core: &Core) -> Duration {
    core.config.timeouts.ping.unless_zero().map_or(LINGER, |ping| ping.min(LINGER))
}

impl Polls {
    /// What follows the base: `open`, or an id and what is wanted of it.
    fn step(&self, rest: &str) -> Result<PollStep, Answer> {
        if rest == "open" {
            return Ok(PollStep::Open);
        }
        let (id, verb) = rest.split_once('/').unwrap_or((rest, ""));
        let poll = self.0.lock().get(id).cloned().ok_or_else(gone)?;
        match verb {
            "receive" => Ok(PollStep::Receive(poll)),
            "send" => Ok(PollStep::Send(poll)),
            "close" => Ok(PollStep::Close(poll)),
            _ => Err(Answer::text(StatusCode::NOT_FOUND, "nothing is here: POST to receive, send or close")),
        }
    }

    fn forget(&self, id: &str) {
        self.0.lock().remove(id);
    }
}

impl Poll {
    fn new(protocol: Subprotocol, outgoing: mpsc::Sender<Bytes>) -> Self {
        let mut id = [0; 18];
        getrandom::fill(&mut id).expect("the operating system has random bytes");
        Self {
            id: BASE64URL_NOPAD.encode(&id),
            protocol,
            outgoing,
            waiting: Mutex::new(Waiting {
                messages: VecDeque::new(),
                bytes: 0,
                polled: false,
                since: Instant::now(),
                end: None,
            }),
            arrived: Notify::new(),
            fetched: Notify::new(),
            over: Notify::new(),
        }
    }

    /// Carries messages between the connection and the requests, to the end of both.
    async fn serve(&self, far_end: FarEnd, outgoing: mpsc::Receiver<Bytes>, patience: Duration) {
        tokio::select! {
            () = far_end.run(outgoing, self.outgoing.downgrade(), self) => {}
            () = self.over.notified() => return,
            () = self.forsaken(patience) => return self.end(End::Gone),
        }
        self.end(End::Gone);
        // The last words of the connection are there to be fetched.
        if !self.waiting.lock().messages.is_empty() {
            tokio::select! {
                () = self.over.notified() => {}
                () = self.forsaken(patience) => {}
            }
        }
    }

    /// Waits until nobody has polled for so long.
    async fn forsaken(&self, patience: Duration) {
        loop {
            let now = Instant::now();
            let due = {
                let waiting = self.waiting.lock();
                let since = if waiting.polled { now } else { waiting.since };
                since + patience
            };
            if due <= now {
                return;
            }
            tokio::time::sleep_until(due).await;
        }
    }

    fn end(&self, end: End) {
        self.waiting.lock().end.get_or_insert(end);
        self.arrived.notify_one();
    }

    /// The next message, or the batch of all that wait; empty if none comes for a while.
    async fn receive(&self, linger: Duration) -> Result<Answer, Answer> {
        let _turn = self.begin_to_poll()?;
        let found = tokio::time::timeout(linger, async {
            loop {
                if let Some(found) = self.fetch() {
                    return found;
                }
                self.arrived.notified().await;
            }
        });
        match found.await {
            Ok(Ok(body)) => Ok(content(media_type(self.protocol.serializer), body)),
            Ok(Err(End::Closed)) | Err(_) => Ok(done()),
            Ok(Err(End::Gone)) => Err(gone()),
        }
    }

    fn begin_to_poll(&self) -> Result<Turn<'_>, Answer> {
        if std::mem::replace(&mut self.waiting.lock().polled, true) {
            return Err(Answer::text(
                StatusCode::BAD_REQUEST,
                "one request at a time receives: wait for the other",
            ));
        }
        Ok(Turn(self))
    }

    /// What is there; `None` if that is nothing so far.
    fn fetch(&self) -> Option<Result<Vec<u8>, End>> {
        let mut waiting = self.waiting.lock();
        let Subprotocol { serializer, batched } = self.protocol;
        let Some(first) = waiting.messages.pop_front() else { return waiting.end.map(Err) };
        waiting.bytes -= first.len();
        let mut body = Vec::with_capacity(first.len());
        if batched {
            batched::append(serializer, &first, &mut body);
            while let Some(message) = waiting.messages.pop_front() {
                batched::append(serializer, &message, &mut body);
            }
            waiting.bytes = 0;
        } else {
            body.extend_from_slice(&first);
        }
        self.fetched.notify_one();
        if waiting.messages.is_empty() && waiting.end.is_some() {
            self.over.notify_one();
        }
        Some(Ok(body))
    }

    /// Sends what a request brought, all of it or nothing.
    async fn send(&self, core: &Core, body: Bytes) -> Result<Answer, Answer> {
        let frames = self.frames(core, body).map_err(|text| Answer::text(StatusCode::BAD_REQUEST, text))?;
        let patience = core.config.timeouts.body.duration();
        match tokio::time::timeout(patience, self.outgoing.reserve()).await {
            Ok(Ok(place)) => {
                place.send(frames.into());
                Ok(done())
            }
            Ok(Err(_)) => Err(gone()),
            Err(_) => Err(Answer::text(
                StatusCode::SERVICE_UNAVAILABLE,
                "the session is busy: send that again later",
            )
            .with(header::RETRY_AFTER, "1")),
        }
    }

    /// The messages of a body in their frames; the error says what is wrong with one.
    fn frames(&self, core: &Core, body: Bytes) -> Result<Vec<u8>, String> {
        let Subprotocol { serializer, batched } = self.protocol;
        let messages = if batched {
            batched::split(serializer, body)
                .collect::<Result<Vec<_>, _>>()
                .map_err(|error| error.to_string())?
        } else {
            vec![body]
        };
        let limits = core.wamp_limits();
        let mut frames = Vec::new();
        for message in messages {
            Message::decode(serializer, &message, &limits).map_err(|error| error.to_string())?;
            frame(&message, &mut frames);
        }
        Ok(frames)
    }
}

impl Takes for Poll {
    fn take(&self, message: Bytes) {
        let mut waiting = self.waiting.lock();
        waiting.bytes += message.len();
        waiting.messages.push_back(message);
        drop(waiting);
        self.arrived.notify_one();
    }

    async fn room(&self) {
        while self.waiting.lock().bytes > WAITING {
            self.fetched.notified().await;
        }
    }
}

/// A request that receives, for as long as it lives.
struct Turn<'a>(&'a Poll);

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut waiting = self.0.waiting.lock();
        waiting.polled = false;
        waiting.since = Instant::now();
    }
}

fn media_type(serializer: Serializer) -> &'static str {
    match serializer {
        Serializer::Json => "application/json",
        Serializer::MsgPack => "application/x-msgpack",
        Serializer::Cbor => "application/cbor",
    }
}

fn content(media_type: &'static str, body: Vec<u8>) -> Answer {
    Answer { status: StatusCode::OK, body: body.into(), headers: Vec::new() }
        .with(header::CONTENT_TYPE, media_type)
        .with(header::CACHE_CONTROL, "no-store")
}

/// The specification says `202 ("no content")`; Autobahn, on both sides, goes by the words and takes 204 alone.
fn done() -> Answer {
    Answer::empty(StatusCode::NO_CONTENT).with(header::CACHE_CONTROL, "no-store")
}

fn gone() -> Answer {
    Answer::text(StatusCode::NOT_FOUND, "there is no such session, or not any more: open another")
}
