//! Calls.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_util::Stream;
use petasus_protocol::session::{self, Content, RequestId};
use petasus_protocol::wamp::Payload;
use serde::Serialize;

use crate::buffer::{self, Buffer};
use crate::request::{self, Pending};
use crate::shared::{Shared, Waiting, millis};
use crate::{Client, Error, IntoContent, Message, Overflow, Upload};

/// A call (WAMP): await it for the result. Arguments, and how long it may take, come before.
///
/// ```
/// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
/// # let _greet = client.register("com.example.greet").serve(async |call: petasus::Invocation| {
/// #     let (name,): (String,) = call.args()?;
/// #     Ok(format!("hello, {name}"))
/// # }).await?;
/// use std::time::Duration;
///
/// let call = client.call("com.example.greet").args(("Amy",)).timeout(Duration::from_secs(2));
/// assert_eq!(call.await?.text().as_deref(), Some("hello, Amy"));
/// # Ok(()) });
/// ```
///
/// If the future is dropped, the call is canceled: the callee is told to stop.
///
/// # Errors
/// [`Error::Refused`] by the broker or the callee, [`Error::TimedOut`] and [`Error::Lost`], after which it may have
/// been done or not, [`Error::Name`], [`Error::Content`], [`Error::TooLarge`], [`Error::QueueFull`],
/// [`Error::Unsupported`] (Mercury has no calls), [`Error::Closed`], [`Error::GaveUp`].
#[derive(Debug)]
#[must_use = "await it, or call progressive() or streaming()"]
pub struct Call<'a> {
    shared: &'a Arc<Shared>,
    request: session::Call,
    /// Whether it was given arguments, or a content.
    given: bool,
    wrong: Option<Error>,
    timeout: Option<Duration>,
    capacity: usize,
}

impl<'a> Call<'a> {
    pub(crate) fn new(client: &'a Client, procedure: String) -> Self {
        let content = Content::empty();
        let request = session::Call {
            procedure,
            content,
            timeout: None,
            progress: false,
            more: false,
            disclose: false,
        };
        let (given, wrong, timeout) = (false, None, None);
        Call { shared: client.shared(), request, given, wrong, timeout, capacity: buffer::CAPACITY }
    }

    /// The positional arguments: anything that serde writes as a list, such as a tuple.
    pub fn args<T: Serialize>(self, args: T) -> Self {
        let serializer = self.shared.serializer;
        self.give(Payload::of_args(serializer, &args).map_err(Error::from), |given, new| {
            given.args = new.args;
        })
    }

    /// The keyword arguments: anything that serde writes as a dict with text keys, such as a struct.
    pub fn kwargs<T: Serialize>(self, kwargs: T) -> Self {
        let kwargs = Payload::new(self.shared.serializer, &None::<bool>, &kwargs).map_err(Error::from);
        self.give(kwargs, |given, new| {
            given.kwargs = new.kwargs;
        })
    }

    /// Everything that is sent along, at once.
    pub fn content(mut self, content: impl IntoContent) -> Self {
        match content.into_content(self.shared.serializer) {
            Ok(content) => (self.request.content, self.given) = (content, true),
            Err(error) => self.wrong = Some(error),
        }
        self
    }

    /// The longest wait, begun anew by each part of a result. Default
    /// [`Builder::request_timeout`](crate::Builder::request_timeout).
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// The callee may learn which session calls.
    pub fn disclose_me(mut self) -> Self {
        self.request.disclose = true;
        self
    }

    /// How many parts of a [`Call::progressive`] result wait for the program at most, 1 at least; when there are more
    /// the oldest one is dropped. Default 16,384.
    pub fn buffer(mut self, parts: usize) -> Self {
        self.capacity = parts;
        self
    }

    /// Takes the result in parts. The call begins at once; if it can not, the only part is the error.
    ///
    /// A dropped stream cancels the call.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// # let mut calls = client.register("com.example.count").await?;
    /// # tokio::spawn(async move {
    /// #     while let Some(call) = calls.next().await {
    /// #         for number in 0..call.args::<(u64,)>()?.0 {
    /// #             call.progress(petasus::Json(number)).await?;
    /// #         }
    /// #         call.reply("done").await?;
    /// #     }
    /// #     Ok::<(), petasus::Error>(())
    /// # });
    /// use petasus::Part;
    ///
    /// let mut parts = client.call("com.example.count").args((3,)).progressive();
    /// let mut numbers = Vec::new();
    /// while let Some(part) = parts.next().await {
    ///     match part? {
    ///         Part::Progress(message) => numbers.push(message.json::<u64>()?),
    ///         Part::Last(message) => assert_eq!(message.text().as_deref(), Some("done")),
    ///         _ => {}
    ///     }
    /// }
    /// assert_eq!(numbers, [0, 1, 2]);
    /// # Ok(()) });
    /// ```
    pub fn progressive(mut self) -> Parts {
        self.request.progress = true;
        self.request.timeout = self.timeout.map(millis);
        let buffer = Arc::new(Buffer::new(self.capacity, Overflow::DropOldest));
        let parts = buffer.clone();
        let request = match self.wrong {
            Some(error) => Err(error),
            None => self.shared.with(|state, now| {
                let request = state.session.call(self.request, now)?;
                state.requests.insert(request, Waiting::Parts(parts));
                Ok(request)
            }),
        };
        let request = match request {
            Ok(request) => Some(request),
            Err(error) => {
                buffer.push(Err(error));
                buffer.end(None);
                None
            }
        };
        Parts { shared: self.shared.clone(), request, buffer }
    }

    /// Sends the arguments in pieces ("Progressive Call Invocations"). The call begins at once if it was given
    /// arguments, else with the first piece.
    ///
    /// # Errors
    /// As for the call itself.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// # let mut calls = client.register("com.example.sum").await?;
    /// # tokio::spawn(async move {
    /// #     while let Some(mut call) = calls.next().await {
    /// #         let mut sum = call.args::<(i64,)>()?.0;
    /// #         while let Some(piece) = call.more().await {
    /// #             sum += piece.args::<(i64,)>()?.0;
    /// #         }
    /// #         call.reply_json(&sum).await?;
    /// #     }
    /// #     Ok::<(), petasus::Error>(())
    /// # });
    /// let mut upload = client.call("com.example.sum").streaming().await?;
    /// upload.send((1,)).await?;
    /// upload.send((2,)).await?;
    /// assert_eq!(upload.finish((3,)).await?.json::<i64>()?, 6);
    /// # Ok(()) });
    /// ```
    pub async fn streaming(self) -> Result<Upload, Error> {
        let given = self.given;
        let (shared, timeout) = (self.shared.clone(), self.timeout);
        let mut upload = Upload::new(shared, self.ready()?, timeout);
        if given {
            upload.begin().await?;
        }
        Ok(upload)
    }

    async fn result(self) -> Result<Message, Error> {
        let (shared, timeout) = (self.shared, self.timeout);
        let call = self.ready()?;
        Ok(Message::of_outcome(start(shared, call, timeout).await?.await?))
    }

    fn ready(self) -> Result<session::Call, Error> {
        self.wrong.map_or(Ok(self.request), Err)
    }

    fn give(mut self, new: Result<Payload, Error>, put: impl FnOnce(&mut Payload, Payload)) -> Self {
        match new {
            Ok(new) => {
                let mut payload = match self.request.content {
                    Content::Arguments(payload) if self.given => payload,
                    _ => Payload { serializer: new.serializer, args: None, kwargs: None },
                };
                put(&mut payload, new);
                (self.request.content, self.given) = (payload.into(), true);
            }
            Err(error) => self.wrong = Some(error),
        }
        self
    }
}

/// Begins a call.
pub(crate) async fn start(
    shared: &Arc<Shared>,
    asked: session::Call,
    patience: Option<Duration>,
) -> Result<Pending, Error> {
    let pending = Pending::begin(shared, patience, |session, now, left| {
        session.call(session::Call { timeout: Some(left), ..asked.clone() }, now)
    });
    pending.await?.ok_or(Error::Closed)
}

impl<'a> IntoFuture for Call<'a> {
    type Output = Result<Message, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.result())
    }
}

/// A part of the result of a call.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Part {
    /// More comes.
    Progress(Message),
    /// The end of the result.
    Last(Message),
}

impl Part {
    /// The message, whichever part it is.
    pub fn into_message(self) -> Message {
        match self {
            Part::Progress(message) | Part::Last(message) => message,
        }
    }
}

/// A result in parts: [`Parts::next`], or a [`Stream`]. The last item is [`Part::Last`] or an error; then `None`.
/// Dropped before that, the call is canceled.
#[derive(Debug)]
pub struct Parts {
    shared: Arc<Shared>,
    request: Option<RequestId>,
    buffer: Arc<Buffer<Result<Part, Error>>>,
}

impl Parts {
    /// The next part; `None` after the last one. If the future is dropped, no part is lost.
    pub async fn next(&mut self) -> Option<Result<Part, Error>> {
        std::future::poll_fn(|cx| self.poll_part(cx)).await
    }

    fn poll_part(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Part, Error>>> {
        let (slot, _) = ready!(self.buffer.poll_pop(cx));
        Poll::Ready(slot.map(|slot| slot.item))
    }
}

impl Stream for Parts {
    type Item = Result<Part, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.poll_part(cx)
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        if let Some(request) = self.request {
            request::cancel(&self.shared, request);
        }
    }
}
