//! How the small broker ends, and begins again.

use std::io;
use std::sync::atomic::Ordering;

use tokio::net::TcpListener;

use super::Mutant;
use super::broker::{Inside, Running};
use super::connection::lock;
use crate::driver::Fut;
use crate::launch::{Broker, LaunchError};

impl Broker for Running {
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    fn kill(&mut self) -> Fut<'_, Result<(), LaunchError>> {
        Box::pin(async move {
            self.end().await;
            Ok(())
        })
    }

    fn stop(&mut self) -> Fut<'_, Result<(), LaunchError>> {
        Box::pin(async move {
            if self.mutant == Mutant::StopCuts {
                self.end().await;
            }
            match self.serving.as_ref().map(|serving| &serving.inside) {
                Some(Inside::Broker(shared)) => {
                    shared.is_stopping.store(true, Ordering::Relaxed);
                    lock(&shared.rooms).stop();
                    shared.stop.notify_one();
                }
                Some(Inside::Router(router)) => router.stop(),
                None => {}
            }
            Ok(())
        })
    }

    fn stopped(&mut self) -> Fut<'_, Result<Option<i32>, LaunchError>> {
        Box::pin(async move {
            if let Some(serving) = &mut self.serving {
                // One that was aborted has ended too.
                let _ = (&mut serving.task).await;
            }
            self.serving = None;
            Ok(Some(0))
        })
    }

    fn restart(&mut self) -> Fut<'_, Result<(), LaunchError>> {
        Box::pin(async move {
            self.end().await;
            let failed = |why: io::Error| LaunchError::Start { program: format!("{:?}", self.mutant), why };
            let listener = TcpListener::bind(self.address).await.map_err(failed)?;
            self.serve(listener);
            Ok(())
        })
    }
}

impl Running {
    /// Its sockets are closed, and what it knew is gone.
    async fn end(&mut self) {
        if let Some(serving) = self.serving.take() {
            serving.task.abort();
            let _ = serving.task.await;
        }
    }
}
