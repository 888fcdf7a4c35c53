//! Calls whose arguments come in pieces.

use std::sync::Arc;
use std::time::Duration;

use petasus_protocol::session::{self, Content};
use serde::Serialize;

use crate::call::start;
use crate::request::Pending;
use crate::shared::Shared;
use crate::{Args, Error, IntoContent, Message};

/// A call whose arguments are sent in pieces: [`Upload::send`], at last [`Upload::finish`]. Dropped before that, the
/// call is canceled.
#[derive(Debug)]
pub struct Upload {
    shared: Arc<Shared>,
    call: session::Call,
    pending: Option<Pending>,
    timeout: Option<Duration>,
}

impl Upload {
    pub(crate) fn new(shared: Arc<Shared>, call: session::Call, timeout: Option<Duration>) -> Self {
        Upload { shared, call, pending: None, timeout }
    }

    /// Begins the call with what it holds.
    pub(crate) async fn begin(&mut self) -> Result<(), Error> {
        self.call.more = true;
        self.pending = Some(start(&self.shared, self.call.clone(), self.timeout).await?);
        Ok(())
    }

    /// Sends a piece: positional arguments, anything that serde writes as a list. Waits for room if the queue is full.
    ///
    /// If the future is dropped before it is ready, the piece is not sent.
    ///
    /// # Errors
    /// As [`Call`](crate::Call); [`Error::Stale`] if the call is over: [`Upload::finish`] says what came of it.
    pub async fn send<T: Serialize>(&mut self, piece: T) -> Result<(), Error> {
        let piece = Args(piece).into_content(self.shared.serializer)?;
        self.pass(piece).await
    }

    /// As [`Upload::send`], for any content.
    ///
    /// # Errors
    /// As [`Upload::send`].
    pub async fn send_content(&mut self, piece: impl IntoContent) -> Result<(), Error> {
        let piece = piece.into_content(self.shared.serializer)?;
        self.pass(piece).await
    }

    /// Sends the last piece, and waits for the result.
    ///
    /// # Errors
    /// As [`Call`](crate::Call).
    pub async fn finish<T: Serialize>(self, piece: T) -> Result<Message, Error> {
        let piece = Args(piece).into_content(self.shared.serializer)?;
        self.end(piece).await
    }

    /// As [`Upload::finish`], for any content.
    ///
    /// # Errors
    /// As [`Call`](crate::Call).
    pub async fn finish_content(self, piece: impl IntoContent) -> Result<Message, Error> {
        let piece = piece.into_content(self.shared.serializer)?;
        self.end(piece).await
    }

    async fn pass(&mut self, piece: Content) -> Result<(), Error> {
        if self.pending.is_none() {
            self.call.content = piece;
            return self.begin().await;
        }
        self.more(piece, true).await
    }

    async fn end(mut self, piece: Content) -> Result<Message, Error> {
        if self.pending.is_some() {
            match self.more(piece, false).await {
                // What came of it says more.
                Ok(()) | Err(Error::Stale) => {}
                Err(error) => return Err(error),
            }
        } else {
            self.call.content = piece;
            self.pending = Some(start(&self.shared, self.call.clone(), self.timeout).await?);
        }
        let pending = self.pending.take().ok_or(Error::Stale)?;
        Ok(Message::of_outcome(pending.await?))
    }

    async fn more(&mut self, piece: Content, more: bool) -> Result<(), Error> {
        let request = self.pending.as_ref().ok_or(Error::Stale)?.request();
        self.shared
            .admit(self.timeout, |state, now, _| state.session.call_more(request, piece.clone(), more, now))
            .await
    }
}
