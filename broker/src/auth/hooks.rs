//! Hooks: asked before an upgrade or POST, and before each join, subscription and message.

use std::fmt;
use std::future::{Future, poll_fn};
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::{HeaderMap, Method, StatusCode, Uri};
use petasus_protocol::Message;
use thiserror::Error;

use super::Question;
use crate::dialect::{Answer, Pattern, Role};

/// A client, as its request showed it.
#[derive(Debug, Clone)]
pub struct Client {
    /// Where it comes from; `None` over a UNIX socket, or if the embedding program did not say.
    pub remote: Option<SocketAddr>,
    /// The URI of its request.
    pub uri: Uri,
    /// The headers of its request.
    pub headers: HeaderMap,
}

/// A request for an upgrade, or a POST, before anything is done about it.
#[derive(Debug, Clone)]
pub struct RequestHead {
    /// The method.
    pub method: Method,
    /// Who asks, with the URI and the headers.
    pub client: Arc<Client>,
}

/// The answer to a [`RequestHead`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The request goes on as it is.
    Allow,
    /// The request goes on as if it had asked for this path, and query: the ones it came with are gone. It begins
    /// with a slash, its segments are percent-encoded, and what it leads to is checked like any other request:
    /// origin, limits, 404.
    Rewrite(String),
}

/// Why, and with which HTTP answer, a request is refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    status: StatusCode,
    reason: String,
}

impl Refusal {
    /// Refuses with a status and a line of text. A status that does not refuse (1xx, 2xx, 3xx) becomes 403.
    pub fn new(status: StatusCode, reason: impl Into<String>) -> Self {
        let refuses = status.is_client_error() || status.is_server_error();
        Self { status: if refuses { status } else { StatusCode::FORBIDDEN }, reason: reason.into() }
    }

    pub(crate) fn answer(self) -> Answer {
        Answer::text(self.status, self.reason)
    }
}

/// What a connection, or a POST, is about to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Join a bus or a custom pattern.
    Join,
    /// Send to a bus or in a custom pattern.
    Send,
    /// Subscribe.
    Subscribe,
    /// Publish.
    Publish,
    /// Pull from a queue.
    Pull,
    /// Push to a queue.
    Push,
    /// Register a procedure.
    Register,
    /// Call a procedure.
    Call,
}

impl Action {
    const COUNT: usize = 8;
}

/// An action on a topic. The namespace belongs to it: rights on the topic `x` are none on the queue `x`.
#[derive(Debug, Clone)]
pub struct Operation {
    /// What is to be done.
    pub action: Action,
    /// In which namespace.
    pub pattern: Pattern,
    /// The topic, or of a subscription the filter.
    pub topic: String,
    /// The message, for [`Action::Send`], [`Action::Publish`] and [`Action::Push`].
    pub message: Option<Message>,
    /// Who asks.
    pub client: Arc<Client>,
}

/// Why an operation is not allowed. The client is told: in the body of a 403, or in a close frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Denied(Refusal);

impl Denied {
    /// Denies with a reason, of which a close frame carries 123 bytes.
    pub fn new(reason: impl Into<String>) -> Self {
        Self(Refusal::new(StatusCode::FORBIDDEN, reason))
    }

    pub(crate) fn reason(self) -> String {
        self.0.reason
    }

    pub(crate) fn answer(self) -> Answer {
        self.0.answer()
    }
}

/// Why a hook gave no answer. It refuses then, with 503 (REQ-HOOK-003).
#[derive(Debug, Clone, Copy, Error)]
enum Broken {
    #[error("the authorisation did not answer in time")]
    Late,
    #[error("the authorisation failed")]
    Panicked,
}

impl From<Broken> for Refusal {
    fn from(broken: Broken) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, broken.to_string())
    }
}

/// A hook that is being asked.
pub(crate) type Asking = BoxFuture<Result<(), Denied>>;

type BoxFuture<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type RequestHook = dyn Fn(RequestHead) -> BoxFuture<Result<Verdict, Refusal>> + Send + Sync;
type OperationHook = dyn Fn(Operation) -> BoxFuture<Result<(), Denied>> + Send + Sync;

/// The installed hooks. Where there is none, nothing is asked and nothing is awaited.
#[derive(Clone, Default)]
pub(crate) struct Hooks {
    request: Option<Arc<RequestHook>>,
    operations: [Option<Arc<OperationHook>>; Action::COUNT],
    pub(crate) timeout: Duration,
    request_timeout: Option<Duration>,
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}

impl Hooks {
    pub(crate) fn set_request<F, R>(&mut self, hook: F)
    where
        F: Fn(RequestHead) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Verdict, Refusal>> + Send + 'static,
    {
        self.request = Some(Arc::new(move |head| Box::pin(hook(head))));
    }

    pub(crate) fn set_operation<F, R>(&mut self, action: Action, hook: F)
    where
        F: Fn(Operation) -> R + Send + Sync + 'static,
        R: Future<Output = Result<(), Denied>> + Send + 'static,
    {
        self.operations[action as usize] = Some(Arc::new(move |operation| Box::pin(hook(operation))));
    }

    /// Sets a time of its own for the hook about requests.
    pub(crate) fn timeout_requests_after(&mut self, timeout: Duration) {
        self.request_timeout = Some(timeout);
    }

    /// Whether there is any hook.
    pub(crate) fn any(&self) -> bool {
        self.wants_requests() || self.operations.iter().any(Option::is_some)
    }

    /// Whether the hook about requests is there.
    pub(crate) fn wants_requests(&self) -> bool {
        self.request.is_some()
    }

    /// Whether messages of this role are asked about.
    pub(crate) fn wants(&self, role: &Role) -> bool {
        sending(role).is_some_and(|action| self.operations[action as usize].is_some())
    }

    /// Asks about a request. A hook that is late, or panics, refuses (503).
    pub(crate) async fn about_request(&self, head: RequestHead) -> Result<Verdict, Refusal> {
        let Some(hook) = self.request.clone() else { return Ok(Verdict::Allow) };
        let timeout = self.request_timeout.unwrap_or(self.timeout);
        answer_of(timeout, Box::pin(async move { hook(head).await })).await.unwrap_or_else(|broken| {
            tracing::warn!(%broken, "no answer from the hook about requests; the request is refused");
            Err(broken.into())
        })
    }

    /// Asks whether a connection may take its role.
    pub(crate) async fn about_role(&self, role: &Role, client: &Arc<Client>) -> Result<(), Denied> {
        match joining(role) {
            Some(action) => self.ask(action, role, None, client).await,
            None => Ok(()),
        }
    }

    /// Asks whether a message may go on.
    pub(crate) fn about_message(
        &self,
        role: &Role,
        message: &Message,
        client: Option<&Arc<Client>>,
    ) -> BoxFuture<Result<(), Denied>> {
        let (Some(action), Some(client)) = (sending(role), client) else {
            return Box::pin(std::future::ready(Ok(())));
        };
        self.ask(action, role, Some(message.clone()), client)
    }

    /// Asks about an operation of a WAMP session; `None` if there is nobody to ask.
    pub(crate) fn about_operation(
        &self,
        question: &Question<'_>,
        message: impl FnOnce() -> Option<Message>,
        client: Option<&Arc<Client>>,
    ) -> Option<Asking> {
        let client = client?;
        let hook = self.operations[question.action as usize].as_ref()?;
        let topic = question.text();
        Some(self.asking(hook, question.action, question.pattern, topic, message(), client))
    }

    /// The hook is called when its answer is awaited, not before: then everything is flushed and nothing is lent.
    fn ask(
        &self,
        action: Action,
        role: &Role,
        message: Option<Message>,
        client: &Arc<Client>,
    ) -> BoxFuture<Result<(), Denied>> {
        let Some(hook) = self.operations[action as usize].clone() else {
            return Box::pin(std::future::ready(Ok(())));
        };
        self.asking(&hook, action, role.pattern(), role.topic(), message, client)
    }

    fn asking(
        &self,
        hook: &Arc<OperationHook>,
        action: Action,
        pattern: Pattern,
        topic: String,
        message: Option<Message>,
        client: &Arc<Client>,
    ) -> Asking {
        let operation = Operation { action, pattern, topic, message, client: client.clone() };
        let (hook, timeout) = (hook.clone(), self.timeout);
        Box::pin(async move {
            let asked = Box::pin(async move { hook(operation).await });
            answer_of(timeout, asked).await.unwrap_or_else(|broken| {
                tracing::warn!(?action, %broken, "no answer from a hook; the operation is refused");
                Err(Denied(broken.into()))
            })
        })
    }
}

/// Awaits a hook, but not for ever. What it panics about is its own: the connection that asks lives on.
async fn answer_of<T>(timeout: Duration, mut asked: BoxFuture<T>) -> Result<T, Broken> {
    let answer = poll_fn(|cx| match catch_unwind(AssertUnwindSafe(|| asked.as_mut().poll(cx))) {
        Ok(polled) => polled.map(Ok),
        // It is not polled again, so nobody sees what it left half done.
        Err(_) => Poll::Ready(Err(Broken::Panicked)),
    });
    tokio::time::timeout(timeout, answer).await.unwrap_or(Err(Broken::Late))
}

fn joining(role: &Role) -> Option<Action> {
    match role {
        Role::Bus { .. } | Role::Custom { .. } => Some(Action::Join),
        Role::Subscribe { .. } => Some(Action::Subscribe),
        Role::Pull { .. } => Some(Action::Pull),
        Role::Publish { .. } | Role::Push { .. } => None,
    }
}

fn sending(role: &Role) -> Option<Action> {
    match role {
        Role::Bus { .. } | Role::Custom { .. } => Some(Action::Send),
        Role::Publish { .. } => Some(Action::Publish),
        Role::Push { .. } => Some(Action::Push),
        Role::Subscribe { .. } | Role::Pull { .. } => None,
    }
}
