//! Where messages come from: a subscription, a bus or a queue.

use futures_util::FutureExt;
use petasus::{Bus, Error, IntoContent, Job, Jobs, Message, Subscription};

/// A subscription, a bus or a queue.
pub(super) enum Source {
    Topic(Subscription),
    Bus(Bus),
    Queue(Jobs),
}

/// A message, and perhaps the duty to say that it is done.
pub(super) enum Received {
    Message(Message),
    Job(Job),
}

impl Source {
    /// The next one, or `None` at the end. Can be dropped and called again.
    pub(super) async fn next(&mut self) -> Option<Received> {
        match self {
            Self::Topic(topic) => topic.next().await.map(Received::Message),
            Self::Bus(bus) => bus.next().await.map(Received::Message),
            Self::Queue(jobs) => jobs.next().await.map(Received::Job),
        }
    }

    /// One that is there already.
    pub(super) fn next_ready(&mut self) -> Option<Received> {
        self.next().now_or_never().flatten()
    }

    /// Why it is over.
    pub(super) fn error(&self) -> Option<Error> {
        match self {
            Self::Topic(topic) => topic.error(),
            Self::Bus(bus) => bus.error(),
            Self::Queue(jobs) => jobs.error(),
        }
    }

    /// Sends to the bus; [`Error::Stale`] if it is none.
    pub(super) async fn send(&self, content: impl IntoContent) -> Result<(), Error> {
        match self {
            Self::Bus(bus) => bus.send(content).queued().await,
            _ => Err(Error::Stale),
        }
    }
}

impl Received {
    pub(super) fn message(&self) -> &Message {
        match self {
            Self::Message(message) => message,
            Self::Job(job) => job,
        }
    }

    /// Says that it is done.
    pub(super) async fn done(self) {
        if let Self::Job(job) = self {
            // If the connection was lost it is another puller's.
            let _ = job.complete().await;
        }
    }
}
