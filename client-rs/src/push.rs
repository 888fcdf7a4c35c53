//! Pushing jobs.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use petasus_protocol::Topic;
use petasus_protocol::session::{self, Content, Outcome, Until};

use crate::request::Pending;
use crate::shared::Shared;
use crate::{Client, Error, Message};

/// What became of a job.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Pushed {
    /// A puller has it.
    Handed,
    /// The broker holds it until there is a puller.
    Held,
}

/// A job to be pushed: await it until it is [`Pushed`], or wait until it is [done](Push::done).
///
/// If the future is dropped, the job is taken back if nobody has taken charge of it yet.
///
/// # Errors
/// [`Error::Topic`], [`Error::Content`], [`Error::TooLarge`], [`Error::QueueFull`], [`Error::Refused`] (no puller, and
/// the broker holds no jobs), [`Error::TimedOut`] and [`Error::Lost`], after which it may have been handed or not,
/// [`Error::Unsupported`] if the WAMP router is not Petasus, [`Error::Closed`], [`Error::GaveUp`].
#[derive(Debug)]
#[must_use = "await it"]
pub struct Push<'a> {
    shared: &'a Arc<Shared>,
    topic: Result<Topic, Error>,
    content: Result<Content, Error>,
    timeout: Option<Duration>,
}

impl<'a> Push<'a> {
    pub(crate) fn new(
        client: &'a Client,
        topic: Result<Topic, Error>,
        content: Result<Content, Error>,
    ) -> Self {
        Push { shared: client.shared(), topic, content, timeout: None }
    }

    /// Waits until a puller has the job, or the broker holds it: the default, for those who like to say it.
    pub fn handed(self) -> Self {
        self
    }

    /// Waits until the job is done (WAMP): gives the puller's answer. Its failure is [`Error::Refused`].
    pub fn done(self) -> PushDone<'a> {
        PushDone { push: self }
    }

    /// The longest wait. Default [`Builder::request_timeout`](crate::Builder::request_timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    async fn wait(self, until: Until) -> Result<Outcome, Error> {
        let (topic, content) = (self.topic?, self.content?);
        let pending = Pending::begin(self.shared, self.timeout, |session, now, left| {
            let (topic, content) = (topic.clone(), content.clone());
            session.push(session::Push { topic, content, until, timeout: Some(left) }, now)
        });
        pending.await?.ok_or(Error::Closed)?.await
    }
}

impl<'a> IntoFuture for Push<'a> {
    type Output = Result<Pushed, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async {
            Ok(match self.wait(Until::Handed).await? {
                Outcome::Held => Pushed::Held,
                _ => Pushed::Handed,
            })
        })
    }
}

/// A job to be pushed and waited for until it is done: await it. See [`Push`].
#[derive(Debug)]
#[must_use = "await it"]
pub struct PushDone<'a> {
    push: Push<'a>,
}

impl PushDone<'_> {
    /// The longest wait. Default [`Builder::request_timeout`](crate::Builder::request_timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.push.timeout = Some(timeout);
        self
    }
}

impl<'a> IntoFuture for PushDone<'a> {
    type Output = Result<Message, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async { Ok(Message::of_outcome(self.push.wait(Until::Done).await?)) })
    }
}
