//! How a launched broker ends, and begins again.

use std::time::Duration;

use super::{Broker, LaunchError, Launched};
use crate::driver::Fut;

/// How often a process that is to end is looked at: there is no event for it without the run time's own processes.
const LOOK: Duration = Duration::from_millis(2);

impl Broker for Launched {
    fn url(&self) -> String {
        self.url.clone()
    }

    fn kill(&mut self) -> Fut<'_, Result<(), LaunchError>> {
        Box::pin(async move { self.end().map_err(LaunchError::Signal) })
    }

    fn stop(&mut self) -> Fut<'_, Result<(), LaunchError>> {
        Box::pin(async move { self.terminate().map_err(LaunchError::Signal) })
    }

    fn stopped(&mut self) -> Fut<'_, Result<Option<i32>, LaunchError>> {
        Box::pin(async move {
            loop {
                if let Some(status) = self.child.try_wait().map_err(LaunchError::Signal)? {
                    return Ok(status.code());
                }
                tokio::time::sleep(LOOK).await;
            }
        })
    }

    fn restart(&mut self) -> Fut<'_, Result<(), LaunchError>> {
        Box::pin(async move {
            self.end().map_err(LaunchError::Signal)?;
            let again = self.command.start_at(&self.wanted, self.address)?;
            // What is left of the first one goes with this value.
            *self = again;
            Ok(())
        })
    }
}

impl Launched {
    fn end(&mut self) -> std::io::Result<()> {
        self.child.kill()?;
        self.child.wait().map(drop)
    }

    #[cfg(unix)]
    fn terminate(&self) -> std::io::Result<()> {
        let gone = || std::io::Error::from(std::io::ErrorKind::NotFound);
        let id =
            i32::try_from(self.child.id()).ok().and_then(rustix::process::Pid::from_raw).ok_or_else(gone)?;
        Ok(rustix::process::kill_process(id, rustix::process::Signal::TERM)?)
    }

    #[cfg(not(unix))]
    fn terminate(&self) -> std::io::Result<()> {
        Err(std::io::ErrorKind::Unsupported.into())
    }
}
