//! Publishing, in three ways.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use petasus_protocol::Topic;
use petasus_protocol::session::{
    self, Content, DeliveryMode, Destination, RequestId, Session, SubscriptionId,
};

use crate::request::Pending;
use crate::shared::Shared;
use crate::{Client, Error};

/// A message to be published. Choose how:
///
/// | | without a connection | returns | says that |
/// |---|---|---|---|
/// | [`acknowledged`](Publish::acknowledged), and `.await` on a topic | waits | when the broker has confirmed | the broker gave it to all who were subscribed |
/// | [`queued`](Publish::queued), [`try_queued`](Publish::try_queued), and `.await` on a bus | waits in the queue | when it is in the queue | nothing |
/// | [`fire`](Publish::fire) | [`Error::NotConnected`] | at once | nothing |
///
/// # Errors
/// [`Error::Topic`], [`Error::Content`], [`Error::TooLarge`], [`Error::QueueFull`] (there was no room in time),
/// [`Error::Closed`], [`Error::GaveUp`]; acknowledged also [`Error::Refused`], [`Error::TimedOut`] and
/// [`Error::Lost`], after which it may have been published or not.
#[derive(Debug)]
#[must_use = "await it, or call queued() or fire()"]
pub struct Publish<'a> {
    shared: &'a Arc<Shared>,
    to: Result<Destination, Error>,
    content: Result<Content, Error>,
    to_self: bool,
    /// What becomes of it if it is awaited as it is.
    acknowledged: bool,
    timeout: Option<Duration>,
}

impl<'a> Publish<'a> {
    pub(crate) fn to_topic(
        client: &'a Client,
        topic: Result<Topic, Error>,
        content: Result<Content, Error>,
    ) -> Self {
        let to = topic.map(Destination::Topic);
        Publish { shared: client.shared(), to, content, to_self: true, acknowledged: true, timeout: None }
    }

    pub(crate) fn to_bus(client: &'a Client, bus: SubscriptionId, content: Result<Content, Error>) -> Self {
        let to = Ok(Destination::Bus(bus));
        Publish { shared: client.shared(), to, content, to_self: true, acknowledged: false, timeout: None }
    }

    /// This client's own subscriptions do not hear it (WAMP). On a bus, `echo` says it.
    pub fn exclude_me(mut self) -> Self {
        self.to_self = false;
        self
    }

    /// Waits for the broker's confirmation: the default of publishing to a topic.
    ///
    /// If the future is dropped, the message is taken back if it was not sent yet; else nobody hears what came of it.
    pub fn acknowledged(mut self) -> Self {
        self.acknowledged = true;
        self
    }

    /// The longest wait, for room in the queue, a connection and the confirmation together. Default
    /// [`Builder::request_timeout`](crate::Builder::request_timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Puts it into the queue, where it waits for a connection that takes it; waits itself only for room there.
    ///
    /// If the future is dropped before it is ready, nothing is published.
    ///
    /// # Errors
    /// [`Error::QueueFull`] if there was no room in time.
    pub async fn queued(self) -> Result<(), Error> {
        // Who publishes without end lets others have their turn, also the task that sends it.
        tokio::task::consume_budget().await;
        let (shared, timeout) = (self.shared, self.timeout);
        let mut publish = Some(self.message(DeliveryMode::Queued)?);
        shared
            .admit(timeout, |state, now, _| {
                hand_over(&mut state.session, &mut publish, now, |_| {}).map(drop)
            })
            .await
    }

    /// Puts it into the queue, if there is room.
    ///
    /// # Errors
    /// [`Error::QueueFull`] if there is none.
    pub fn try_queued(self) -> Result<(), Error> {
        self.now(DeliveryMode::Queued)
    }

    /// Sends it now or never.
    ///
    /// # Errors
    /// [`Error::NotConnected`] if there is no connection, or the network is slow.
    pub fn fire(self) -> Result<(), Error> {
        self.now(DeliveryMode::Fire)
    }

    fn now(self, delivery: DeliveryMode) -> Result<(), Error> {
        let shared = self.shared;
        let publish = self.message(delivery)?;
        shared.with(|state, now| state.session.publish(publish, now))?;
        Ok(())
    }

    async fn acknowledge(self) -> Result<(), Error> {
        let (shared, timeout) = (self.shared, self.timeout);
        let mut publish = Some(self.message(DeliveryMode::Acknowledged { timeout: None })?);
        let pending = Pending::begin(shared, timeout, |session, now, left| {
            hand_over(session, &mut publish, now, |publish| {
                publish.delivery = DeliveryMode::Acknowledged { timeout: Some(left) };
            })
        });
        match pending.await? {
            Some(pending) => pending.await.map(drop),
            None => Ok(()),
        }
    }

    fn message(self, delivery: DeliveryMode) -> Result<session::Publish, Error> {
        Ok(session::Publish { to: self.to?, content: self.content?, delivery, to_self: self.to_self })
    }
}

/// Publishes what is there, once there is room for it: until then it stays, and is not cloned for another attempt.
fn hand_over(
    session: &mut Session,
    publish: &mut Option<session::Publish>,
    now: u64,
    last_touch: impl FnOnce(&mut session::Publish),
) -> Result<Option<RequestId>, session::Error> {
    let full = session::Error::QueueFull { waiting: session.waiting() };
    match publish.take() {
        Some(mut ready) if session.has_room(&ready.content) => {
            last_touch(&mut ready);
            session.publish(ready, now)
        }
        still => {
            *publish = still;
            Err(full)
        }
    }
}

impl<'a> IntoFuture for Publish<'a> {
    type Output = Result<(), Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        if self.acknowledged { Box::pin(self.acknowledge()) } else { Box::pin(self.queued()) }
    }
}
