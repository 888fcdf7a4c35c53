//! A procedure that is served in the background.

use std::sync::Arc;

use petasus_protocol::session::{Answer, Content};
use tokio::sync::{Semaphore, oneshot, watch};
use tokio::task::JoinSet;

use crate::buffer::End;
use crate::duty::unless_interrupted;
use crate::register::Calls;
use crate::{CallError, Error, IntoContent, Invocation};

/// A procedure that is served in the background: see [`Register::serve`](crate::Register::serve). Dropped, it is
/// unregistered without waiting for it, and the calls that are being answered are stopped and fail.
#[derive(Debug)]
pub struct Registration {
    /// Dropped, or told to unregister; then to be told when that is confirmed.
    stop: Option<oneshot::Sender<oneshot::Sender<()>>>,
    /// Whether it ended, and why.
    end: watch::Receiver<End>,
}

impl Registration {
    pub(crate) fn serve<F, R, C>(calls: Calls, answer: F, places: usize) -> Registration
    where
        F: Fn(Invocation) -> R + Send + Sync + 'static,
        R: Future<Output = Result<C, CallError>> + Send + 'static,
        C: IntoContent + Send + 'static,
    {
        let (stop, stopped) = oneshot::channel();
        let (told, end) = watch::channel(End::Open);
        let places = Arc::new(Semaphore::new(places.min(Semaphore::MAX_PERMITS)));
        let serving = Serving { calls, answer: Arc::new(answer), places, tasks: JoinSet::new() };
        tokio::spawn(serving.run(stopped, told));
        Registration { stop: Some(stop), end }
    }

    /// Takes the procedure back, waits until the broker has confirmed that, and until the calls that are being
    /// answered are.
    ///
    /// If the future is dropped, all of that happens in the background.
    ///
    /// # Errors
    /// None so far; an end that nobody confirms is an end too.
    pub async fn unregister(mut self) -> Result<(), Error> {
        let (done, finished) = oneshot::channel();
        if let Some(stop) = self.stop.take()
            && stop.send(done).is_ok()
        {
            // It ends either way.
            let _ = finished.await;
        }
        Ok(())
    }

    /// Waits until the registration is over. Why, unless the program ended it itself.
    pub async fn ended(&self) -> Option<Error> {
        let mut end = self.end.clone();
        end.wait_for(End::is_over).await.ok()?.error()
    }
}

/// The task that takes the calls.
struct Serving<F> {
    calls: Calls,
    answer: Arc<F>,
    /// For so many calls at one time.
    places: Arc<Semaphore>,
    /// The calls that are being answered. They stop with this task, and so with a dropped registration.
    tasks: JoinSet<()>,
}

impl<F, R, C> Serving<F>
where
    F: Fn(Invocation) -> R + Send + Sync + 'static,
    R: Future<Output = Result<C, CallError>> + Send + 'static,
    C: IntoContent + Send + 'static,
{
    async fn run(mut self, mut stopped: oneshot::Receiver<oneshot::Sender<()>>, told: watch::Sender<End>) {
        let done = tokio::select! {
            stop = &mut stopped => match stop {
                Ok(done) => Some(done),
                // Dropped.
                Err(_) => return drop(told.send_replace(End::Over(None))),
            },
            () = self.take() => None,
        };
        let error = self.calls.error();
        // It has no errors.
        let _ = self.calls.unregister().await;
        while self.tasks.join_next().await.is_some() {}
        told.send_replace(End::Over(error));
        if let Some(done) = done {
            let _ = done.send(());
        }
    }

    /// Until there are no more.
    async fn take(&mut self) {
        loop {
            // It is never closed. A place is free before a call is taken.
            let Ok(place) = self.places.clone().acquire_owned().await else { return };
            let invocation = tokio::select! {
                invocation = self.calls.next() => invocation,
                Some(_) = self.tasks.join_next() => continue,
            };
            let Some(invocation) = invocation else { return };
            let answer = self.answer.clone();
            self.tasks.spawn(async move {
                let duty = invocation.duty();
                let work = Box::pin(answer(invocation));
                if let Some(result) = unless_interrupted(&duty, work).await {
                    let content = result.and_then(|content| Ok(duty.content(content)?));
                    // Who stopped waiting meanwhile, or was answered already, needs none.
                    let _ = duty.answer(to_answer(content)).await;
                }
                drop(place);
            });
        }
    }
}

fn to_answer(result: Result<Content, CallError>) -> Answer {
    match result {
        Ok(content) => Answer::Result(content),
        Err(CallError { uri, content }) => Answer::Failed { uri, content },
    }
}
