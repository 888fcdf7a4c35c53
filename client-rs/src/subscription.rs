//! Subscriptions.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use petasus_protocol::Topic;
use petasus_protocol::session::{self, Delivery, Filter, SubscriptionId};
use tokio::sync::oneshot;

use crate::buffer::{self, Buffer};
use crate::shared::Standing;
use crate::{Client, Error, Message, Overflow};

/// A subscription to be made: await it. Where there is no connection it waits for one.
///
/// If the future is dropped before it is ready, nothing is subscribed.
///
/// # Errors
/// [`Error::Topic`], [`Error::Unsupported`] (Mercury has no patterns), [`Error::Refused`] by the broker,
/// [`Error::TimedOut`] if it does not answer, [`Error::Closed`] and [`Error::GaveUp`].
#[derive(Debug)]
#[must_use = "await it"]
pub struct Subscribe<'a> {
    client: &'a Client,
    filter: Result<Filter, Error>,
    capacity: usize,
    overflow: Overflow,
}

impl<'a> Subscribe<'a> {
    fn new(client: &'a Client, filter: Result<Filter, Error>) -> Self {
        Subscribe { client, filter, capacity: buffer::CAPACITY, overflow: Overflow::default() }
    }

    pub(crate) fn tree(client: &'a Client, topic: Result<Topic, Error>) -> Self {
        Subscribe::new(client, topic.map(Filter::Tree))
    }

    pub(crate) fn prefix(client: &'a Client, prefix: String) -> Self {
        Subscribe::new(client, Ok(Filter::Prefix(prefix)))
    }

    pub(crate) fn wildcard(client: &'a Client, pattern: String) -> Self {
        Subscribe::new(client, Ok(Filter::Wildcard(pattern)))
    }

    pub(crate) fn bus(client: &'a Client, topic: Result<Topic, Error>, echo: bool) -> Self {
        Subscribe::new(client, topic.map(|topic| Filter::Bus { topic, echo }))
    }

    /// Hears this topic alone, and nothing below it (WAMP).
    pub fn exact(mut self) -> Self {
        self.filter = self.filter.map(|filter| match filter {
            Filter::Tree(topic) => Filter::Exact(topic),
            filter => filter,
        });
        self
    }

    /// How many messages wait for the program at most, 1 at least. Default 16,384.
    pub fn buffer(mut self, messages: usize) -> Self {
        self.capacity = messages;
        self
    }

    /// What becomes of those that find no room. Default [`Overflow::DropOldest`].
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }

    async fn make(self) -> Result<Subscription, Error> {
        let filter = self.filter?;
        let name = name(&filter);
        let (begun, stands) = oneshot::channel();
        let buffer = Arc::new(Buffer::new(self.capacity, self.overflow));
        let again = Arc::new(AtomicU64::new(0));
        let id = self.client.shared().with(|state, now| -> Result<SubscriptionId, session::Error> {
            let id = state.session.subscribe(filter, now)?;
            let (buffer, again) = (buffer.clone(), again.clone());
            state.subscriptions.insert(id, Standing { begun: Some(begun), buffer, name, again });
            Ok(id)
        })?;
        // From here on dropping it undoes it.
        let subscription = Subscription { client: self.client.clone(), id, buffer, again };
        stands.await.unwrap_or(Err(Error::Closed))?;
        Ok(subscription)
    }
}

impl<'a> IntoFuture for Subscribe<'a> {
    type Output = Result<Subscription, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}

/// The name for the log.
fn name(filter: &Filter) -> String {
    match filter {
        Filter::Tree(topic) | Filter::Exact(topic) | Filter::Bus { topic, .. } => topic.as_str().to_owned(),
        Filter::Prefix(text) | Filter::Wildcard(text) => text.clone(),
        _ => String::new(),
    }
}

/// A subscription: take its messages by [`Subscription::next`], or as a [`Stream`].
///
/// It survives the loss of the connection: see [`Subscription::resumed`]. What was published while there was none is
/// missing. A dropped subscription is unsubscribed without waiting for it.
#[derive(Debug)]
pub struct Subscription {
    client: Client,
    id: SubscriptionId,
    buffer: Arc<Buffer<Delivery>>,
    again: Arc<AtomicU64>,
}

impl Subscription {
    /// The next message; `None` when the subscription is over: [`Subscription::error`] says why.
    ///
    /// If the future is dropped, no message is lost.
    pub async fn next(&mut self) -> Option<Message> {
        std::future::poll_fn(|cx| self.poll_message(cx)).await
    }

    /// Ends it, and waits until the broker has confirmed that; messages that were not taken are gone.
    ///
    /// If the future is dropped, it ends all the same.
    ///
    /// # Errors
    /// None so far; an end that nobody confirms is an end too.
    pub async fn unsubscribe(self) -> Result<(), Error> {
        let (left, gone) = oneshot::channel();
        let id = self.id;
        self.client.shared().with(|state, now| {
            if state.subscriptions.remove(&id).is_some() {
                state.leaving.insert(id.as_u64(), left);
                state.session.unsubscribe(id, now);
            }
        });
        // While it held up the network no confirmation could come.
        if self.buffer.close().1 {
            self.client.shared().resume();
        }
        // Who was not there needs no confirmation.
        let _ = gone.await;
        Ok(())
    }

    /// How often it was made again, after the connection had been lost. The first message after that has
    /// [`Message::gap`].
    pub fn resumed(&self) -> u64 {
        self.again.load(Relaxed)
    }

    /// Why it is over, unless the program ended it itself.
    pub fn error(&self) -> Option<Error> {
        self.buffer.error()
    }

    pub(crate) fn id(&self) -> SubscriptionId {
        self.id
    }

    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    fn poll_message(&mut self, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        let (slot, resumes) = ready!(self.buffer.poll_pop(cx));
        if resumes {
            self.client.shared().resume();
        }
        Poll::Ready(slot.map(Message::of_delivery))
    }
}

impl Stream for Subscription {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        self.poll_message(cx)
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let id = self.id;
        self.client.shared().with(|state, now| {
            if state.subscriptions.remove(&id).is_some() {
                state.session.unsubscribe(id, now);
            }
        });
        if self.buffer.close().1 {
            self.client.shared().resume();
        }
    }
}
