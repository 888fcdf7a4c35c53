//! The handle.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use petasus_protocol::session::Status;

use crate::shared::{Shared, millis};
use crate::{
    Builder, Call, Error, IntoContent, IntoTopic, Join, Json, Publish, Pull, Push, Register, StatusWatch,
    Subscribe,
};

/// A client of a broker. Cheap to clone: all clones are the same client, and all methods take `&self`.
///
/// It connects again when the connection is lost, and takes up its subscriptions and registrations again. When the
/// last handle is gone, it closes in the background; subscriptions and registrations are handles too.
#[derive(Clone)]
pub struct Client {
    handle: Arc<Owner>,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.shared().fmt(f)
    }
}

/// The client is closed when the last one of these is gone; the tasks hold none.
struct Owner(Arc<Shared>);

impl Drop for Owner {
    fn drop(&mut self) {
        self.0.with(|state, now| state.session.close(now));
    }
}

impl Client {
    pub(crate) fn new(shared: Arc<Shared>) -> Client {
        Client { handle: Arc::new(Owner(shared)) }
    }

    /// Connects with the defaults: WAMP, realm `default`, nobody in particular. See [`Builder::connect`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// # let url = client.url();
    /// let client = petasus::Client::connect(&url).await?; // such as "ws://127.0.0.1:3000"
    /// client.publish("news", "good day").await?;
    /// # Ok(()) });
    /// ```
    pub async fn connect(url: &str) -> Result<Client, Error> {
        Client::builder(url).connect().await
    }

    /// The URL that it was built with.
    pub fn url(&self) -> String {
        self.shared().settings.url.clone()
    }

    /// For everything that is not the default. `url` is `ws://HOST:PORT` or `wss://HOST`, with a path if the broker
    /// has one of its own.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// # let url = client.url();
    /// use std::time::Duration;
    ///
    /// let client = petasus::Client::builder(&url)
    ///     .realm("default")
    ///     .serializer(petasus::Serializer::Cbor)
    ///     .connect_within(Duration::from_secs(3))
    ///     .connect()
    ///     .await?;
    /// # drop(client);
    /// # Ok(()) });
    /// ```
    pub fn builder(url: &str) -> Builder {
        Builder::new(url)
    }

    /// How the connection stands, now and when it changes.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// use petasus::Status;
    ///
    /// let mut status = client.status();
    /// assert!(matches!(status.now(), Status::Connected(_)));
    /// client.close().await?;
    /// assert!(matches!(status.now(), Status::Closed { failure: None }));
    /// # Ok(()) });
    /// ```
    pub fn status(&self) -> StatusWatch {
        StatusWatch::new(self.shared().status.subscribe())
    }

    /// Waits for a connection. A dropped future changes nothing.
    ///
    /// # Errors
    /// [`Error::GaveUp`] if there will be none, [`Error::Closed`] if the client was closed.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// # let url = client.url();
    /// let client = petasus::Client::builder(&url).start()?; // returns at once
    /// client.connected().await?;
    /// # Ok(()) });
    /// ```
    pub async fn connected(&self) -> Result<(), Error> {
        let mut status = self.status();
        let here = |status: &Status| matches!(status, Status::Connected(_) | Status::Closed { .. });
        match status.wait_for(here).await.as_ref() {
            Ok(Status::Connected(_)) => Ok(()),
            Ok(Status::Closed { failure: Some(failure) }) => Err(Error::GaveUp(failure.clone())),
            _ => Err(Error::Closed),
        }
    }

    /// The network may have changed, or the machine slept: looks now whether the connection is alive, and does not
    /// wait with the next attempt to connect.
    pub fn check(&self) {
        self.shared().with(|state, now| state.session.check(now));
    }

    /// Hears a topic, and all below it. Await it: see [`Subscribe`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// let mut news = client.subscribe("news").await?;
    /// client.publish("news/sport", "one all").await?;
    /// if let Some(message) = news.next().await {
    ///     assert_eq!(message.text().as_deref(), Some("one all"));
    ///     assert_eq!(message.topic(), Some(&petasus::Topic::new("news/sport")));
    /// }
    /// news.unsubscribe().await?;
    /// # Ok(()) });
    /// ```
    pub fn subscribe(&self, topic: impl IntoTopic) -> Subscribe<'_> {
        Subscribe::tree(self, topic.into_topic())
    }

    /// Hears what the text says, as WAMP means it: all topics whose URI begins with it. See [`Subscribe`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// let mut news = client.subscribe_prefix("news.sp").await?;
    /// client.publish("news.sport", "one all").await?;
    /// # assert!(news.next().await.is_some());
    /// # Ok(()) });
    /// ```
    pub fn subscribe_prefix(&self, prefix: impl Into<String>) -> Subscribe<'_> {
        Subscribe::prefix(self, prefix.into())
    }

    /// Hears all topics whose URI has these components; an empty one, as in `a..c`, stands for any (WAMP). See
    /// [`Subscribe`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// let mut rooms = client.subscribe_wildcard("house..light").await?;
    /// client.publish("house.kitchen.light", "on").await?;
    /// # assert!(rooms.next().await.is_some());
    /// # Ok(()) });
    /// ```
    pub fn subscribe_wildcard(&self, pattern: impl Into<String>) -> Subscribe<'_> {
        Subscribe::wildcard(self, pattern.into())
    }

    /// Publishes. Await it, or choose one of the three ways first: see [`Publish`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// client.publish("news", "the broker has it").await?;
    /// client.publish("news", vec![1, 2, 3]).queued().await?;
    /// client.publish("news", "now or never").fire()?;
    /// # Ok(()) });
    /// ```
    pub fn publish(&self, topic: impl IntoTopic, content: impl IntoContent) -> Publish<'_> {
        Publish::to_topic(self, topic.into_topic(), content.into_content(self.shared().serializer))
    }

    /// Publishes a value: over WAMP as the only argument, over Mercury as its JSON text. See [`Publish`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// # let mut points = client.subscribe("points").await?;
    /// client.publish_json("points", &vec![1.5, 2.5]).await?;
    /// # let message = points.next().await.ok_or(petasus::Error::Closed)?;
    /// let point: Vec<f64> = message.json()?;
    /// # assert_eq!(point, [1.5, 2.5]);
    /// # Ok(()) });
    /// ```
    pub fn publish_json<T: serde::Serialize + ?Sized>(
        &self,
        topic: impl IntoTopic,
        value: &T,
    ) -> Publish<'_> {
        self.publish(topic, Json(value))
    }

    /// Joins the bus of a topic: hears what its other peers send. Await it: see [`Join`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// let mut room = client.bus("room").echo().await?;
    /// room.send("hello, everybody").await?;
    /// assert_eq!(room.next().await.as_ref().and_then(|message| message.text()).as_deref(), Some("hello, everybody"));
    /// room.leave().await?;
    /// # Ok(()) });
    /// ```
    pub fn bus(&self, topic: impl IntoTopic) -> Join<'_> {
        Join::new(self, topic.into_topic())
    }

    /// Pushes a job into a queue. Await it: see [`Push`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// use petasus::Pushed;
    ///
    /// let mut jobs = client.pull("jobs").await?;
    /// assert_eq!(client.push("jobs", "wash up").await?, Pushed::Handed);
    /// # drop(jobs);
    /// # Ok(()) });
    /// ```
    pub fn push(&self, queue: impl IntoTopic, content: impl IntoContent) -> Push<'_> {
        Push::new(self, queue.into_topic(), content.into_content(self.shared().serializer))
    }

    /// Takes a place among the pullers of a queue. Await it: see [`Pull`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// let mut jobs = client.pull("jobs").concurrency(4).await?;
    /// let pusher = client.clone();
    /// let pushed = tokio::spawn(async move { pusher.push("jobs", "wash up").done().await });
    /// if let Some(job) = jobs.next().await {
    ///     assert_eq!(job.text().as_deref(), Some("wash up"));
    ///     job.complete_with("clean").await?;
    /// }
    /// # assert_eq!(pushed.await.expect("it does not panic")?.text().as_deref(), Some("clean"));
    /// jobs.leave().await?;
    /// # Ok(()) });
    /// ```
    pub fn pull(&self, queue: impl IntoTopic) -> Pull<'_> {
        Pull::new(self, queue.into_topic())
    }

    /// Calls a procedure (WAMP). Await it: see [`Call`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// # let _add = client.register("com.example.add").serve(async |call: petasus::Invocation| {
    /// #     let (a, b): (i64, i64) = call.args()?;
    /// #     Ok(petasus::Json(a + b))
    /// # }).await?;
    /// let sum: i64 = client.call("com.example.add").args((2, 3)).await?.json()?;
    /// assert_eq!(sum, 5);
    /// # Ok(()) });
    /// ```
    pub fn call(&self, procedure: impl Into<String>) -> Call<'_> {
        Call::new(self, procedure.into())
    }

    /// Offers a procedure (WAMP). Await it: see [`Register`].
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// let mut calls = client.register("com.example.add").await?;
    /// # let caller = client.clone();
    /// # let called = tokio::spawn(async move { caller.call("com.example.add").args((2, 3)).await });
    /// if let Some(call) = calls.next().await {
    ///     let (a, b): (i64, i64) = call.args()?;
    ///     call.reply_json(&(a + b)).await?;
    /// }
    /// # called.await.expect("it does not panic")?;
    /// # Ok(()) });
    /// ```
    pub fn register(&self, procedure: impl Into<String>) -> Register<'_> {
        Register::new(self, procedure.into())
    }

    /// Ends the client when all that was asked for is finished, within `timeout`: takes back subscriptions and
    /// registrations, sends what waits, waits for answers and for the program's own, says goodbye. From now on nothing
    /// new is taken ([`Error::Closed`]).
    ///
    /// If the future is dropped, the client drains all the same.
    ///
    /// # Errors
    /// [`Error::GaveUp`] if the client had given up its connection.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// use std::time::Duration;
    ///
    /// client.publish("news", "the last").queued().await?;
    /// client.drain(Duration::from_secs(5)).await?;
    /// # Ok(()) });
    /// ```
    pub async fn drain(&self, timeout: Duration) -> Result<(), Error> {
        self.shared().with(|state, now| state.session.drain(millis(timeout), now));
        self.closed().await
    }

    /// Ends the client: what was sent is delivered, what waits is not sent, and what is not answered is
    /// [`Error::Closed`].
    ///
    /// If the future is dropped, the client closes all the same.
    ///
    /// # Errors
    /// [`Error::GaveUp`] if the client had given up its connection.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// client.close().await?;
    /// assert_eq!(client.publish("news", "too late").await, Err(petasus::Error::Closed));
    /// # Ok(()) });
    /// ```
    pub async fn close(&self) -> Result<(), Error> {
        self.shared().with(|state, now| state.session.close(now));
        self.closed().await
    }

    async fn closed(&self) -> Result<(), Error> {
        self.shared().ended().await.map_or(Ok(()), |failure| Err(Error::GaveUp(failure)))
    }

    /// The bytes that wait to be sent, of [`Builder::queue_bytes`] at most.
    pub fn waiting(&self) -> usize {
        self.shared().with(|state, _| state.session.waiting())
    }

    pub(crate) fn shared(&self) -> &Arc<Shared> {
        &self.handle.0
    }
}
