//! Calls to be answered.

use std::ops::Deref;
use std::sync::Arc;

use petasus_protocol::session::{Answer, Content};
use petasus_protocol::wamp::uri;

use crate::duty::{Asked, Duty, failed};
use crate::{Client, Error, IntoContent, Json, Message};

/// What a callee answers with that can not do what it was called for: an error URI and what goes along.
#[derive(Clone, Debug, PartialEq)]
pub struct CallError {
    /// The URI of the error, such as `com.example.error.not_found`.
    pub uri: String,
    /// What goes along; a text for people is usual.
    pub content: Content,
}

impl CallError {
    /// An error with a text for people.
    pub fn new(uri: impl Into<String>, text: impl Into<String>) -> CallError {
        CallError { uri: uri.into(), content: Content::from(text.into()) }
    }
}

impl From<Error> for CallError {
    /// Arguments that can not be read are `wamp.error.invalid_argument`; an error that another callee gave goes on as
    /// it is; the rest is `wamp.error.unavailable`.
    fn from(error: Error) -> Self {
        match error {
            Error::Refused(refusal) => CallError { uri: refusal.uri, content: refusal.content },
            Error::Content { verb: "read", .. } => {
                CallError::new(uri::error::INVALID_ARGUMENT, error.to_string())
            }
            error => CallError::new(uri::error::UNAVAILABLE, error.to_string()),
        }
    }
}

/// A call to be answered. All that [`Message`] can do with arguments is here too.
///
/// Dropped without an answer, it fails with `wamp.error.canceled`.
#[derive(Debug)]
pub struct Invocation {
    message: Message,
    procedure: Option<String>,
    progressive: bool,
    duty: Arc<Duty>,
}

impl Invocation {
    pub(crate) fn new(client: &Client, asked: Asked) -> Invocation {
        let Asked { invocation, incoming, asking } = asked;
        let if_dropped = failed(uri::error::CANCELED, "the callee gave no answer");
        let duty = Arc::new(Duty::new(client.clone(), invocation, asking, if_dropped));
        let message = Message::of_asked(incoming.content, incoming.caller);
        Invocation { message, procedure: incoming.procedure, progressive: incoming.progress, duty }
    }

    /// Another one for the same call, which is answered once.
    pub(crate) fn duty(&self) -> Arc<Duty> {
        self.duty.clone()
    }

    /// The procedure that was called, where a registration stands for many.
    pub fn procedure(&self) -> Option<&str> {
        self.procedure.as_deref()
    }

    /// The WAMP session of the caller, if it disclosed it.
    pub fn caller(&self) -> Option<u64> {
        self.message.publisher()
    }

    /// Whether the caller takes the result in parts: [`Invocation::progress`].
    pub fn progressive(&self) -> bool {
        self.progressive
    }

    /// Answers. Waits as long as the network is slow; if the future is dropped then, the answer goes out all the same.
    ///
    /// # Errors
    /// [`Error::Stale`] if nobody waits any more, [`Error::Content`], [`Error::TooLarge`].
    pub async fn reply(self, content: impl IntoContent) -> Result<(), Error> {
        let content = self.duty.content(content)?;
        self.duty.answer(Answer::Result(content)).await
    }

    /// Answers with a value, as the only argument.
    ///
    /// # Errors
    /// As [`Invocation::reply`].
    pub async fn reply_json<T: serde::Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        self.reply(Json(value)).await
    }

    /// Sends a part of the result. Waits as long as the network is slow.
    ///
    /// # Errors
    /// As [`Invocation::reply`]; [`Error::Unsupported`] if the caller takes no parts.
    pub async fn progress(&self, content: impl IntoContent) -> Result<(), Error> {
        let content = self.duty.content(content)?;
        self.duty.answer(Answer::Progress(content)).await
    }

    /// Answers that it failed; a text for people is usual as content.
    ///
    /// # Errors
    /// As [`Invocation::reply`].
    pub async fn fail(self, uri: impl Into<String>, content: impl IntoContent) -> Result<(), Error> {
        let content = self.duty.content(content)?;
        self.duty.answer(Answer::Failed { uri: uri.into(), content }).await
    }

    /// Waits until nobody waits for the answer any more: it was canceled, timed out, or the connection is lost.
    pub async fn interrupted(&self) {
        self.duty.interrupted().await;
    }

    /// The next piece of a call whose arguments come in pieces; `None` when there are no more, or nobody waits any
    /// more. The first one is the invocation itself. If the future is dropped, no piece is lost.
    pub async fn more(&mut self) -> Option<Message> {
        let piece = std::future::poll_fn(|cx| self.duty.asking.poll_piece(cx)).await;
        piece.map(|slot| Message::of_content(slot.item))
    }
}

impl Deref for Invocation {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.message
    }
}
