//! Taking jobs.

use std::ops::Deref;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use petasus_protocol::Topic;
use petasus_protocol::session::{self, Answer, Content};
use petasus_protocol::wamp::uri;

use crate::duty::{Asked, Duty, failed};
use crate::register::Taking;
use crate::{Client, Error, IntoContent, Message, Overflow};

/// What becomes of a [`Job`] that is dropped without an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Default)]
pub enum OnDrop {
    /// It failed, with `wamp.error.canceled`.
    #[default]
    Fail,
    /// It is done.
    Complete,
}

/// A place among the pullers of a queue to be taken: await it for a stream of [`Jobs`].
///
/// If the future is dropped before it is ready, no place is taken.
///
/// # Errors
/// [`Error::Topic`], [`Error::Refused`] by the broker, [`Error::TimedOut`] if it does not answer,
/// [`Error::Unsupported`] if the WAMP router is not Petasus, [`Error::Closed`], [`Error::GaveUp`].
#[derive(Debug)]
#[must_use = "await it"]
pub struct Pull<'a> {
    client: &'a Client,
    topic: Result<Topic, Error>,
    concurrency: u32,
    on_drop: OnDrop,
}

impl<'a> Pull<'a> {
    pub(crate) fn new(client: &'a Client, topic: Result<Topic, Error>) -> Self {
        Pull { client, topic, concurrency: 1, on_drop: OnDrop::default() }
    }

    /// The most jobs that are not answered at one time, 1 at least. Default 1. Over Mercury jobs come as the broker
    /// hands them.
    pub fn concurrency(mut self, jobs: u32) -> Self {
        self.concurrency = jobs.max(1);
        self
    }

    /// What becomes of a job that is dropped without an answer. Default [`OnDrop::Fail`].
    pub fn on_drop(mut self, on_drop: OnDrop) -> Self {
        self.on_drop = on_drop;
        self
    }

    async fn make(self) -> Result<Jobs, Error> {
        let topic = self.topic?;
        let name = topic.as_str().to_owned();
        // Mercury's jobs can not be refused: what finds no room has to stay in the network.
        let register = session::Register::Queue { topic, concurrency: self.concurrency };
        Ok(Jobs {
            taking: Taking::begin(self.client, register, name, Overflow::Wait).await?,
            on_drop: self.on_drop,
        })
    }
}

impl<'a> IntoFuture for Pull<'a> {
    type Output = Result<Jobs, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}

/// A place among the pullers of a queue: take jobs by [`Jobs::next`], or as a [`Stream`].
///
/// It survives the loss of the connection. Dropped, the place is given up without waiting for it; jobs that were not
/// answered go to another puller (WAMP).
#[derive(Debug)]
pub struct Jobs {
    taking: Taking,
    on_drop: OnDrop,
}

impl Jobs {
    /// The next job; `None` when it is over: [`Jobs::error`] says why. If the future is dropped, no job is lost.
    pub async fn next(&mut self) -> Option<Job> {
        std::future::poll_fn(|cx| self.poll_job(cx)).await
    }

    /// Gives the place up, and waits until the broker has confirmed that. If the future is dropped, it is given up all
    /// the same.
    ///
    /// # Errors
    /// None so far; an end that nobody confirms is an end too.
    pub async fn leave(self) -> Result<(), Error> {
        self.taking.unregister().await;
        Ok(())
    }

    /// Why it is over, unless the program ended it itself.
    pub fn error(&self) -> Option<Error> {
        self.taking.error()
    }

    fn poll_job(&mut self, cx: &mut Context<'_>) -> Poll<Option<Job>> {
        let asked = ready!(self.taking.poll_asked(cx));
        Poll::Ready(asked.map(|asked| Job::new(&self.taking.client, asked, self.on_drop)))
    }
}

impl Stream for Jobs {
    type Item = Job;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Job>> {
        self.poll_job(cx)
    }
}

/// A job: all that [`Message`] can do is here too. Over Mercury nobody waits for its answer.
#[derive(Debug)]
pub struct Job {
    message: Message,
    answerable: bool,
    duty: Duty,
}

impl Job {
    fn new(client: &Client, asked: Asked, on_drop: OnDrop) -> Job {
        let Asked { invocation, incoming, asking } = asked;
        let if_dropped = match on_drop {
            OnDrop::Fail => failed(uri::error::CANCELED, "the puller gave the job up"),
            OnDrop::Complete => Answer::Result(Content::empty()),
        };
        let duty = Duty::new(client.clone(), invocation, asking, if_dropped);
        let message = Message::of_asked(incoming.content, incoming.caller);
        Job { message, answerable: incoming.answerable, duty }
    }

    /// Whether an answer reaches anybody: not over Mercury.
    pub fn answerable(&self) -> bool {
        self.answerable
    }

    /// It is done. Waits as long as the network is slow; if the future is dropped then, the answer goes out all the
    /// same.
    ///
    /// # Errors
    /// [`Error::Stale`] if it is not this puller's any more: the connection was lost.
    pub async fn complete(self) -> Result<(), Error> {
        self.complete_with(()).await
    }

    /// It is done, and this is for a pusher who waits for that.
    ///
    /// # Errors
    /// As [`Job::complete`]; [`Error::Content`], [`Error::TooLarge`].
    pub async fn complete_with(self, content: impl IntoContent) -> Result<(), Error> {
        let content = self.duty.content(content)?;
        self.duty.answer(Answer::Result(content)).await
    }

    /// It failed: the URI of the error, and what goes along, a text for people mostly.
    ///
    /// # Errors
    /// As [`Job::complete_with`].
    pub async fn fail(self, uri: impl Into<String>, content: impl IntoContent) -> Result<(), Error> {
        let content = self.duty.content(content)?;
        self.duty.answer(Answer::Failed { uri: uri.into(), content }).await
    }

    /// Waits until the job is not this puller's any more.
    pub async fn interrupted(&self) {
        self.duty.interrupted().await;
    }
}

impl Deref for Job {
    type Target = Message;

    fn deref(&self) -> &Message {
        &self.message
    }
}
