//! Calls and jobs that have to be answered.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use parking_lot::Mutex;
use petasus_protocol::session::{Answer, Content, Incoming, InvocationId};

use crate::buffer::{self, Buffer, Slot};
use crate::shared::After;
use crate::{Client, Error, IntoContent, Overflow};

/// A call or job that came and was not taken yet.
#[derive(Debug)]
pub(crate) struct Asked {
    pub(crate) invocation: InvocationId,
    pub(crate) incoming: Incoming,
    pub(crate) asking: Arc<Asking>,
}

/// What may still come of a call or job.
#[derive(Debug)]
pub(crate) struct Asking {
    /// More pieces of its arguments.
    pieces: Buffer<Content>,
    interrupted: Mutex<Interrupted>,
}

#[derive(Debug, Default)]
struct Interrupted {
    done: bool,
    wakers: Vec<Waker>,
}

impl Asking {
    pub(crate) fn new(more: bool) -> Self {
        let pieces = Buffer::new(buffer::CAPACITY, Overflow::DropOldest);
        if !more {
            pieces.end(None);
        }
        Asking { pieces, interrupted: Mutex::default() }
    }

    pub(crate) fn more(&self, content: Content, more: bool, after: &mut After) {
        after.wake(self.pieces.push(content).waker);
        if !more {
            after.wake(self.pieces.end(None));
        }
    }

    pub(crate) fn interrupt(&self, after: &mut After) {
        let mut interrupted = self.interrupted.lock();
        interrupted.done = true;
        interrupted.wakers.drain(..).for_each(|waker| after.wake(Some(waker)));
        drop(interrupted);
        after.wake(self.pieces.end(Some(Error::Stale)));
    }

    /// The next piece of the arguments.
    pub(crate) fn poll_piece(&self, cx: &mut Context<'_>) -> Poll<Option<Slot<Content>>> {
        self.pieces.poll_pop(cx).map(|(slot, _)| slot)
    }

    fn poll_interrupted(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut interrupted = self.interrupted.lock();
        if interrupted.done {
            return Poll::Ready(());
        }
        if !interrupted.wakers.iter().any(|waker| waker.will_wake(cx.waker())) {
            interrupted.wakers.push(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// A call or a job that nobody has answered yet, and how it is answered if it is dropped.
#[derive(Debug)]
pub(crate) struct Duty {
    client: Client,
    id: InvocationId,
    pub(crate) asking: Arc<Asking>,
    /// Whether it still has to be answered.
    open: Mutex<bool>,
    if_dropped: Option<Answer>,
}

impl Duty {
    pub(crate) fn new(client: Client, id: InvocationId, asking: Arc<Asking>, if_dropped: Answer) -> Self {
        Duty { client, id, asking, open: Mutex::new(true), if_dropped: Some(if_dropped) }
    }

    /// Answers, and waits as long as the network is slow.
    pub(crate) async fn answer(&self, answer: Answer) -> Result<(), Error> {
        self.give(answer)?;
        self.client.shared().unblocked().await;
        Ok(())
    }

    fn give(&self, answer: Answer) -> Result<(), Error> {
        let last = !matches!(answer, Answer::Progress(_));
        if last && !std::mem::replace(&mut *self.open.lock(), false) {
            return Err(Error::Stale);
        }
        self.client.shared().with(|state, now| {
            let answered = state.session.answer(self.id, answer, now);
            if last {
                state.invocations.remove(&self.id);
            }
            Ok(answered?)
        })
    }

    /// Waits until nobody waits for the answer any more.
    pub(crate) async fn interrupted(&self) {
        std::future::poll_fn(|cx| self.asking.poll_interrupted(cx)).await;
    }

    pub(crate) fn content(&self, content: impl IntoContent) -> Result<Content, Error> {
        content.into_content(self.client.shared().serializer)
    }
}

impl Drop for Duty {
    fn drop(&mut self) {
        if *self.open.get_mut()
            && let Some(answer) = self.if_dropped.take()
        {
            // Nobody may wait for it any more.
            let _ = self.give(answer);
        }
    }
}

/// The failure of who does not say what went wrong.
pub(crate) fn failed(uri: &str, text: impl Into<String>) -> Answer {
    Answer::Failed { uri: uri.to_owned(), content: Content::from(text.into()) }
}

/// Something that is done until nobody waits for it any more: `None` then.
pub(crate) async fn unless_interrupted<F: Future>(duty: &Duty, work: Pin<Box<F>>) -> Option<F::Output> {
    tokio::select! {
        biased;
        () = duty.interrupted() => None,
        done = work => Some(done),
    }
}
