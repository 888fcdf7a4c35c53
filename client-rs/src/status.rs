//! How the connection stands, to be watched.

use petasus_protocol::session::Status;
use tokio::sync::watch;

use crate::Error;

/// How the connection stands, and what becomes of it. Cloning it gives another one that has seen the same.
///
/// It shows only what is the case now: what was the case for a moment between two looks is not told.
#[derive(Clone, Debug)]
pub struct StatusWatch {
    /// It gives nothing but copies: who holds what it lends stops the client.
    receiver: watch::Receiver<Status>,
}

impl StatusWatch {
    pub(crate) fn new(receiver: watch::Receiver<Status>) -> Self {
        StatusWatch { receiver }
    }

    /// How it stands now.
    pub fn now(&self) -> Status {
        self.receiver.borrow().clone()
    }

    /// How it stands now; [`StatusWatch::changed`] waits until that is otherwise.
    pub fn look(&mut self) -> Status {
        self.receiver.borrow_and_update().clone()
    }

    /// Waits until it stands otherwise than at the last [look](StatusWatch::look). May be dropped and called again.
    ///
    /// # Errors
    /// [`Error::Closed`] if the client is gone.
    pub async fn changed(&mut self) -> Result<(), Error> {
        self.receiver.changed().await.map_err(|_| Error::Closed)
    }

    /// Waits until it stands as `wanted`, which it may do already.
    ///
    /// # Errors
    /// [`Error::Closed`] if the client is gone before.
    pub async fn wait_for(&mut self, wanted: impl FnMut(&Status) -> bool) -> Result<Status, Error> {
        Ok(self.receiver.wait_for(wanted).await.map_err(|_| Error::Closed)?.clone())
    }
}
