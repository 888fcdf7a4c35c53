//! Offering procedures.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::task::{Context, Poll, ready};

use futures_util::Stream;
use petasus_protocol::session::{self, Answer, Invoke, RegistrationId};
use petasus_protocol::wamp::uri;
use petasus_protocol::wamp::uri::Match;
use tokio::sync::oneshot;

use crate::buffer::{self, Buffer};
use crate::duty::{Asked, failed};
use crate::shared::Standing;
use crate::{CallError, Client, Error, IntoContent, Invocation, Overflow, Registration};

/// A procedure to be offered (WAMP): await it for a stream of [`Calls`], or let it [serve](Register::serve).
///
/// If the future is dropped before it is ready, nothing is registered.
///
/// # Errors
/// [`Error::Name`], [`Error::Refused`] by the broker (the name is taken), [`Error::TimedOut`] if it does not answer,
/// [`Error::Unsupported`] (Mercury has no calls), [`Error::Closed`], [`Error::GaveUp`].
#[derive(Debug)]
#[must_use = "await it, or call serve()"]
pub struct Register<'a> {
    client: &'a Client,
    uri: String,
    matching: Match,
    invoke: Invoke,
    concurrency: Option<u32>,
}

impl<'a> Register<'a> {
    pub(crate) fn new(client: &'a Client, uri: String) -> Self {
        Register { client, uri, matching: Match::Exact, invoke: Invoke::Single, concurrency: None }
    }

    /// All procedures whose URI begins with the text: [`Invocation::procedure`] says which one was called.
    pub fn prefix(mut self) -> Self {
        self.matching = Match::Prefix;
        self
    }

    /// All procedures whose URI has these components; an empty one, as in `a..c`, stands for any.
    pub fn wildcard(mut self) -> Self {
        self.matching = Match::Wildcard;
        self
    }

    /// How several callees of the procedure share its calls. Default: there is one only.
    pub fn invoke(mut self, invoke: Invoke) -> Self {
        self.invoke = invoke;
        self
    }

    /// The most calls at one time, 1 at least; the others go to other callees, or are refused. Default: no limit.
    pub fn concurrency(mut self, calls: u32) -> Self {
        self.concurrency = Some(calls.max(1));
        self
    }

    /// Answers each call by `answer`, each on a task of its own, at most [`Register::concurrency`] (default 1024) at
    /// one time; a call that nobody waits for any more is stopped.
    ///
    /// It goes on until the [`Registration`] is dropped or unregistered, or until it is over.
    ///
    /// ```
    /// # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
    /// use petasus::{Invocation, Json};
    ///
    /// let add = client.register("com.example.add").serve(async |call: Invocation| {
    ///     let (a, b): (i64, i64) = call.args()?;
    ///     Ok(Json(a + b))
    /// });
    /// let _add = add.await?; // it goes on until this is dropped
    /// assert_eq!(client.call("com.example.add").args((2, 3)).await?.json::<i64>()?, 5);
    /// # Ok(()) });
    /// ```
    ///
    /// # Errors
    /// As for [`Register`] itself.
    pub async fn serve<F, R, C>(self, answer: F) -> Result<Registration, Error>
    where
        F: Fn(Invocation) -> R + Send + Sync + 'static,
        R: Future<Output = Result<C, CallError>> + Send + 'static,
        C: IntoContent + Send + 'static,
    {
        let places = self.concurrency.unwrap_or(1024) as usize;
        let calls = self.make().await?;
        Ok(Registration::serve(calls, answer, places))
    }

    async fn make(self) -> Result<Calls, Error> {
        let Register { client, uri, matching, invoke, concurrency } = self;
        let name = uri.clone();
        let register = session::Register::Procedure { uri, matching, invoke, concurrency };
        // What finds no room is refused, and its caller told so.
        Ok(Calls { taking: Taking::begin(client, register, name, Overflow::DropNewest).await? })
    }
}

impl<'a> IntoFuture for Register<'a> {
    type Output = Result<Calls, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(self.make())
    }
}

/// A registered procedure: take its calls by [`Calls::next`], or as a [`Stream`].
///
/// It survives the loss of the connection. Dropped, it is unregistered without waiting for it, and the calls that
/// were not taken fail with `wamp.error.unavailable`.
#[derive(Debug)]
pub struct Calls {
    taking: Taking,
}

impl Calls {
    /// The next call; `None` when the registration is over: [`Calls::error`] says why. If the future is dropped, no
    /// call is lost.
    pub async fn next(&mut self) -> Option<Invocation> {
        std::future::poll_fn(|cx| self.poll_call(cx)).await
    }

    /// Takes the procedure back, and waits until the broker has confirmed that. If the future is dropped, it is taken
    /// back all the same.
    ///
    /// # Errors
    /// None so far; an end that nobody confirms is an end too.
    pub async fn unregister(self) -> Result<(), Error> {
        self.taking.unregister().await;
        Ok(())
    }

    /// Why it is over, unless the program ended it itself.
    pub fn error(&self) -> Option<Error> {
        self.taking.error()
    }

    fn poll_call(&mut self, cx: &mut Context<'_>) -> Poll<Option<Invocation>> {
        let asked = ready!(self.taking.poll_asked(cx));
        Poll::Ready(asked.map(|asked| Invocation::new(&self.taking.client, asked)))
    }
}

impl Stream for Calls {
    type Item = Invocation;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Invocation>> {
        self.poll_call(cx)
    }
}

/// A registration, or a place among pullers, as the stream that it is.
#[derive(Debug)]
pub(crate) struct Taking {
    pub(crate) client: Client,
    id: RegistrationId,
    buffer: Arc<Buffer<Asked>>,
}

impl Taking {
    pub(crate) async fn begin(
        client: &Client,
        register: session::Register,
        name: String,
        overflow: Overflow,
    ) -> Result<Taking, Error> {
        let (begun, stands) = oneshot::channel();
        let buffer = Arc::new(Buffer::new(buffer::CAPACITY, overflow));
        let id = client.shared().with(|state, now| -> Result<RegistrationId, session::Error> {
            let id = state.session.register(register, now)?;
            let (buffer, again) = (buffer.clone(), Arc::new(AtomicU64::new(0)));
            state.registrations.insert(id, Standing { begun: Some(begun), buffer, name, again });
            Ok(id)
        })?;
        // From here on dropping it undoes it.
        let taking = Taking { client: client.clone(), id, buffer };
        stands.await.unwrap_or(Err(Error::Closed))?;
        Ok(taking)
    }

    pub(crate) async fn unregister(self) {
        let (left, gone) = oneshot::channel();
        let id = self.id;
        self.client.shared().with(|state, now| {
            if state.registrations.remove(&id).is_some() {
                state.leaving.insert(id.as_u64(), left);
                state.session.unregister(id, now);
            }
        });
        // Who was not there needs no confirmation.
        let _ = gone.await;
    }

    pub(crate) fn error(&self) -> Option<Error> {
        self.buffer.error()
    }

    pub(crate) fn poll_asked(&mut self, cx: &mut Context<'_>) -> Poll<Option<Asked>> {
        let (slot, resumes) = ready!(self.buffer.poll_pop(cx));
        if resumes {
            self.client.shared().resume();
        }
        Poll::Ready(slot.map(|slot| slot.item))
    }
}

impl Drop for Taking {
    fn drop(&mut self) {
        let (id, shared) = (self.id, self.client.shared());
        shared.with(|state, now| {
            if state.registrations.remove(&id).is_some() {
                state.session.unregister(id, now);
            }
        });
        let (left, stalled) = self.buffer.close();
        if stalled {
            shared.resume();
        }
        if left.is_empty() {
            return;
        }
        shared.with(|state, now| {
            for slot in left {
                let id: session::InvocationId = slot.item.invocation;
                state.invocations.remove(&id);
                let answer: Answer = failed(uri::error::UNAVAILABLE, "the callee takes no more calls");
                // A job went to another puller, and is stale here.
                let _ = state.session.answer(id, answer, now);
            }
        });
    }
}
