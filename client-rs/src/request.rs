//! A request that is waited for.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use petasus_protocol::session::{self, CancelMode, Outcome, RequestId, Session};
use tokio::sync::oneshot;

use crate::Error;
use crate::shared::{Answer, Shared, Waiting};

/// The answer to a request, when it comes. Dropped before that, the request is canceled.
#[derive(Debug)]
pub(crate) struct Pending {
    shared: Arc<Shared>,
    request: RequestId,
    answer: oneshot::Receiver<Answer>,
    over: bool,
}

impl Pending {
    /// Asks the session; waits for room if its queue is full. `ask` gets the time now and how long it may take.
    /// `None` if there is no answer to wait for.
    pub(crate) async fn begin<R: Into<Option<RequestId>>>(
        shared: &Arc<Shared>,
        patience: Option<Duration>,
        mut ask: impl FnMut(&mut Session, u64, u64) -> Result<R, session::Error>,
    ) -> Result<Option<Pending>, Error> {
        let admitted = shared.admit(patience, |state, now, left| {
            let Some(request) = ask(&mut state.session, now, left)?.into() else { return Ok(None) };
            // The answer is told after this, under the same lock.
            let (to, answer) = oneshot::channel();
            state.requests.insert(request, Waiting::Once(to));
            Ok(Some((request, answer)))
        });
        let admitted = admitted.await?;
        Ok(admitted.map(|(request, answer)| Pending { shared: shared.clone(), request, answer, over: false }))
    }

    pub(crate) fn request(&self) -> RequestId {
        self.request
    }
}

impl Future for Pending {
    type Output = Result<Outcome, Error>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let answer = ready!(Pin::new(&mut self.answer).poll(cx));
        self.over = true;
        // It is always answered; the runtime may have been shut down.
        Poll::Ready(answer.unwrap_or(Err(session::Error::Closed)).map_err(Error::from))
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if !self.over {
            cancel(&self.shared, self.request);
        }
    }
}

/// Gives a request up.
pub(crate) fn cancel(shared: &Arc<Shared>, request: RequestId) {
    shared.with(|state, now| {
        if state.requests.remove(&request).is_some() {
            state.session.cancel(request, CancelMode::Kill, now);
        }
    });
}
