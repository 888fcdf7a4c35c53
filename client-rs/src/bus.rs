//! The bus: every other peer hears.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_util::Stream;
use petasus_protocol::Topic;

use crate::{Client, Error, IntoContent, Message, Overflow, Publish, Subscribe, Subscription};

/// A bus to be joined: await it. Where there is no connection it waits for one.
///
/// If the future is dropped before it is ready, the bus is not joined.
///
/// # Errors
/// As [`Subscribe`]; [`Error::Unsupported`] if the WAMP router is not Petasus.
#[derive(Debug)]
#[must_use = "await it"]
pub struct Join<'a> {
    client: &'a Client,
    topic: Result<Topic, Error>,
    echo: bool,
    capacity: Option<usize>,
    overflow: Overflow,
}

impl<'a> Join<'a> {
    pub(crate) fn new(client: &'a Client, topic: Result<Topic, Error>) -> Self {
        Join { client, topic, echo: false, capacity: None, overflow: Overflow::default() }
    }

    /// Hears also what it sends itself.
    pub fn echo(mut self) -> Self {
        self.echo = true;
        self
    }

    /// How many messages wait for the program at most, 1 at least. Default 16,384.
    pub fn buffer(mut self, messages: usize) -> Self {
        self.capacity = Some(messages);
        self
    }

    /// What becomes of those that find no room. Default [`Overflow::DropOldest`].
    pub fn overflow(mut self, overflow: Overflow) -> Self {
        self.overflow = overflow;
        self
    }
}

impl<'a> IntoFuture for Join<'a> {
    type Output = Result<Bus, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let mut subscribe = Subscribe::bus(self.client, self.topic, self.echo).overflow(self.overflow);
        if let Some(messages) = self.capacity {
            subscribe = subscribe.buffer(messages);
        }
        Box::pin(async { Ok(Bus { subscription: subscribe.await? }) })
    }
}

/// A place on a bus: take messages by [`Bus::next`], or as a [`Stream`]; send by [`Bus::send`].
///
/// It survives the loss of the connection, as a [`Subscription`] does. Dropped, it leaves without waiting for it. A
/// client is one peer of a bus, however often it joined.
#[derive(Debug)]
pub struct Bus {
    subscription: Subscription,
}

impl Bus {
    /// The next message; `None` when it is over: [`Bus::error`] says why.
    ///
    /// If the future is dropped, no message is lost.
    pub async fn next(&mut self) -> Option<Message> {
        self.subscription.next().await
    }

    /// Sends to the other peers. Awaited as it is, it is [queued](Publish::queued), as Mercury's buses confirm nothing;
    /// or choose one of the three ways first: see [`Publish`].
    pub fn send(&self, content: impl IntoContent) -> Publish<'_> {
        let client = self.subscription.client();
        Publish::to_bus(client, self.subscription.id(), content.into_content(client.shared().serializer))
    }

    /// Leaves, and waits until the broker has confirmed that. If the future is dropped, it leaves all the same.
    ///
    /// # Errors
    /// As [`Subscription::unsubscribe`].
    pub async fn leave(self) -> Result<(), Error> {
        self.subscription.unsubscribe().await
    }

    /// How often it was joined again, after the connection had been lost.
    pub fn resumed(&self) -> u64 {
        self.subscription.resumed()
    }

    /// Why it is over, unless the program left itself.
    pub fn error(&self) -> Option<Error> {
        self.subscription.error()
    }
}

impl Stream for Bus {
    type Item = Message;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Message>> {
        Pin::new(&mut self.subscription).poll_next(cx)
    }
}
