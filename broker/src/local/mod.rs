//! WAMP sessions of the program that embeds the broker.
//!
//! Such a session is a session like any other, without a socket: it takes a place of `limits.connections`, others see
//! it in the meta API (its transport is `internal`), and it is told to go when the broker drains. It is who the
//! program says it is. With the role [`TRUSTED`], which is the default, no rule and no hook restricts it; with
//! another one it may what the access file allows that role.
//!
//! ```
//! # tokio::runtime::Runtime::new()?.block_on(async {
//! use std::time::Duration;
//!
//! use petasus_broker::Broker;
//! use petasus_broker::local::LocalOptions;
//! use petasus_protocol::wamp::{Dict, Payload, Serializer};
//!
//! let broker = Broker::builder().build()?;
//! let session = broker.session("default", LocalOptions::default()).await?;
//!
//! let _registration = session
//!     .register("com.example.add", Dict::new(), |invocation| async move {
//!         let (a, b): (i64, i64) = invocation.payload.decode_args()?;
//!         Ok(Payload::of_args(Serializer::Cbor, &[a + b])?)
//!     })
//!     .await?;
//! let payload = Payload::of_args(Serializer::Cbor, &[2, 3])?;
//! let sum = session.call("com.example.add", Dict::new(), payload, Duration::from_secs(10)).await?;
//! assert_eq!(sum.decode_args::<(i64,)>()?, (5,));
//!
//! let mut events = session.subscribe("com.example.news", Dict::new()).await?;
//! let other = broker.session("default", LocalOptions::default()).await?;
//! other.publish("com.example.news", Dict::new(), Payload::of_args(Serializer::Cbor, &["hello"])?).await?;
//! let event = events.next().await.ok_or("the session is over")?;
//! assert_eq!(event.payload.decode_args::<(String,)>()?.0, "hello");
//! session.leave().await;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! # }).unwrap();
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod desk;

use std::sync::Arc;
use std::time::Duration;

use petasus_protocol::wamp::{DecodeError, Dict, EncodeError, Payload, Serializer, message, uri};
use thiserror::Error;
use tokio::sync::{mpsc, oneshot};

use crate::auth::Who;
use crate::connection::FarEnd;
use crate::core::Core;
use crate::session::Transport;
use desk::{Desk, Waiting};

/// The role of a session that may do everything.
pub const TRUSTED: &str = "trusted";

/// What is wrong with a procedure that fails in a way of its own: a custom of Autobahn's.
const RUNTIME_ERROR: &str = "wamp.error.runtime_error";

/// Calls that a registration takes at one time, unless its option `concurrency` says otherwise.
const CONCURRENCY: u64 = 64;

/// Who a session is, and what it has room for.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct LocalOptions {
    /// As others see it: `internal` unless set.
    pub authid: String,
    /// [`TRUSTED`], which may do everything, unless set.
    pub authrole: String,
    /// Events that wait for each subscription, at least 1: what comes while there are so many is not delivered, and
    /// counted by [`Subscription::missed`]. 1000 unless set.
    pub events: usize,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self { authid: "internal".to_owned(), authrole: TRUSTED.to_owned(), events: 1000 }
    }
}

impl LocalOptions {
    /// Sets who the session is, and its role.
    #[must_use]
    pub fn identity(mut self, authid: impl Into<String>, authrole: impl Into<String>) -> Self {
        (self.authid, self.authrole) = (authid.into(), authrole.into());
        self
    }

    /// Sets how many events wait for each subscription.
    #[must_use]
    pub fn events(mut self, events: usize) -> Self {
        self.events = events.max(1);
        self
    }
}

/// An ERROR: why something was refused, or failed.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{uri}{}", text_of(payload))]
pub struct WampError {
    /// What went wrong.
    pub uri: String,
    /// More about it; by custom, a text for people comes first.
    pub payload: Payload,
}

impl WampError {
    /// An error with a text for people.
    pub fn new(uri: impl Into<String>, text: &str) -> Self {
        Self { uri: uri.into(), payload: Payload::of_values(Serializer::Cbor, &[text.into()], &Dict::new()) }
    }
}

/// Arguments that are not what a procedure takes.
impl From<DecodeError> for WampError {
    fn from(error: DecodeError) -> Self {
        Self::new(uri::error::INVALID_ARGUMENT, &error.to_string())
    }
}

/// A result that cannot be written.
impl From<EncodeError> for WampError {
    fn from(error: EncodeError) -> Self {
        Self::new(RUNTIME_ERROR, &error.to_string())
    }
}

fn text_of(payload: &Payload) -> String {
    let first = payload.arg_values().ok().and_then(|args| args.into_iter().next());
    first.as_ref().and_then(|first| first.as_text()).map(|text| format!(": {text}")).unwrap_or_default()
}

/// Why a session cannot do something.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LocalError {
    /// The broker has no room for another connection, or shuts down.
    #[error("no session can be opened: {0}")]
    NoRoom(&'static str),
    /// The session was refused, as there is no such realm.
    #[error("the session was refused: {0}")]
    Refused(WampError),
    /// The broker, or the callee, answered with an error.
    #[error(transparent)]
    Failed(#[from] WampError),
    /// The call was not answered in time. It was cancelled.
    #[error("the call was not answered within {} s: allow more, or ask its callee", .0.as_secs_f64())]
    TimedOut(Duration),
    /// The message is longer than `limits.message`.
    #[error("the message has {len} bytes, more than limits.message ({max}): send less, or raise it")]
    TooLong {
        /// Bytes of the message.
        len: usize,
        /// Bytes that it may have.
        max: usize,
    },
    /// The session is over: it was sent away, or the broker shuts down.
    #[error("the session is over: open another, unless the broker shuts down")]
    Over,
}

/// An event.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Event {
    /// The publication.
    pub publication: u64,
    /// `topic` for a pattern, and the publisher if it is disclosed.
    pub details: Dict,
    /// What was published.
    pub payload: Payload,
}

/// A call of a procedure.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Invocation {
    /// `procedure` for a pattern, and the caller if it is disclosed.
    pub details: Dict,
    /// The arguments.
    pub payload: Payload,
}

/// A session in a realm. It ends when it is dropped, or by [`LocalSession::leave`], which waits until it has ended.
#[derive(Debug)]
pub struct LocalSession {
    desk: Arc<Desk>,
    id: u64,
}

/// Events of a topic or pattern, until it is dropped.
#[derive(Debug)]
pub struct Subscription {
    desk: Arc<Desk>,
    id: u64,
    number: u64,
    events: mpsc::Receiver<Event>,
}

/// A procedure of this program, until it is dropped.
#[derive(Debug)]
pub struct Registration {
    desk: Arc<Desk>,
    id: u64,
}

impl LocalSession {
    pub(crate) async fn open(
        core: &Arc<Core>,
        realm: &str,
        options: LocalOptions,
    ) -> Result<Self, LocalError> {
        let LocalOptions { authid, authrole, events } = options;
        let who =
            Who { authid, authrole, authmethod: "internal", authprovider: "internal", extra: Dict::new() };
        let transport = Transport { kind: Transport::INTERNAL, serializer: Serializer::Cbor, remote: None };
        let far_end = FarEnd::open(core, transport, None, Some(who)).map_err(LocalError::NoRoom)?;
        let desk = Desk::open(far_end, core.wamp_limits().max_bytes, events.max(1));
        // From here on it ends when this is dropped.
        let mut session = Self { desk, id: 0 };
        session.id = session.desk.join(realm).await?;
        Ok(session)
    }

    /// The session's id, as others see it.
    pub fn id(&self) -> u64 {
        self.id
    }

    /// Publishes, and waits until the event is on its way. Returns the publication's id. `options` are those of
    /// PUBLISH.
    pub async fn publish(&self, topic: &str, options: Dict, payload: Payload) -> Result<u64, LocalError> {
        let (reply, answer) = oneshot::channel();
        let options = options.with("acknowledge", true);
        let topic = topic.to_owned();
        self.desk
            .ask(Waiting::Publish(reply), |request| {
                message::Publish { request, options, topic, payload }.into()
            })
            .await?;
        answer.await.map_err(|_| LocalError::Over)?.map_err(LocalError::from)
    }

    /// Subscribes to a topic; with the option `match`, to a pattern. `options` are those of SUBSCRIBE.
    pub async fn subscribe(&self, topic: &str, options: Dict) -> Result<Subscription, LocalError> {
        let (reply, answer) = oneshot::channel();
        let topic = topic.to_owned();
        self.desk
            .ask(Waiting::Subscribe(reply), |request| message::Subscribe { request, options, topic }.into())
            .await?;
        answer.await.map_err(|_| LocalError::Over)?.map_err(LocalError::from)
    }

    /// Offers a procedure: each call runs `procedure` in a task of its own, at most `concurrency` of them (64, unless
    /// the option says otherwise). `options` are those of REGISTER. A panic is answered as
    /// `wamp.error.runtime_error`.
    pub async fn register<F, R>(
        &self,
        procedure: &str,
        mut options: Dict,
        run: F,
    ) -> Result<Registration, LocalError>
    where
        F: Fn(Invocation) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Payload, WampError>> + Send + 'static,
    {
        if !options.has("concurrency") {
            options.set("concurrency", CONCURRENCY);
        }
        let (reply, answer) = oneshot::channel();
        let procedure = procedure.to_owned();
        let run: desk::Run = Arc::new(move |invocation| Box::pin(run(invocation)));
        self.desk
            .ask(Waiting::Register(reply, run), |request| {
                message::Register { request, options, procedure }.into()
            })
            .await?;
        answer.await.map_err(|_| LocalError::Over)?.map_err(LocalError::from)
    }

    /// Calls a procedure. If it has not answered `within` that time, or the returned future is dropped, the call is
    /// cancelled. `options` are those of CALL.
    pub async fn call(
        &self,
        procedure: &str,
        options: Dict,
        payload: Payload,
        within: Duration,
    ) -> Result<Payload, LocalError> {
        let (reply, answer) = oneshot::channel();
        let procedure = procedure.to_owned();
        let asking = async {
            let request = self
                .desk
                .ask(Waiting::Call(reply), |request| {
                    message::Call { request, options, procedure, payload }.into()
                })
                .await?;
            let _cancels = desk::Cancels { desk: &self.desk, request };
            answer.await.map_err(|_| LocalError::Over)?.map_err(LocalError::from)
        };
        tokio::time::timeout(within, asking).await.unwrap_or(Err(LocalError::TimedOut(within)))
    }

    /// Says goodbye, and waits until the session has left.
    pub async fn leave(self) {
        self.desk.goodbye().await;
    }
}

impl Drop for LocalSession {
    fn drop(&mut self) {
        self.desk.hang_up();
    }
}

impl Subscription {
    /// The next event; `None` when the session is over, or the subscription was taken away.
    pub async fn next(&mut self) -> Option<Event> {
        self.events.recv().await
    }

    /// How many events were not delivered so far, as too many were waiting.
    pub fn missed(&self) -> u64 {
        self.desk.missed(self.id, self.number)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        self.desk.unsubscribe(self.id, self.number);
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        self.desk.unregister(self.id);
    }
}
