//! What waits for one connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use crate::raw::Frame;

/// Where frames for a connection are put.
#[derive(Clone)]
pub(super) struct Outbox {
    to: UnboundedSender<Frame>,
    bytes: Arc<AtomicUsize>,
}

/// Where its writer takes them from.
pub(super) struct Waiting {
    from: UnboundedReceiver<Frame>,
    bytes: Arc<AtomicUsize>,
}

/// Nobody takes them any more.
pub(super) struct Gone;

pub(super) fn outbox() -> (Outbox, Waiting) {
    let (to, from) = unbounded_channel();
    let bytes = Arc::new(AtomicUsize::new(0));
    (Outbox { to, bytes: Arc::clone(&bytes) }, Waiting { from, bytes })
}

impl Outbox {
    pub(super) fn send(&self, frame: Frame) -> Result<(), Gone> {
        self.bytes.fetch_add(frame.payload.len(), Ordering::Relaxed);
        self.to.send(frame).map_err(|_| Gone)
    }

    /// Bytes that wait, those of the frame that is being written among them.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed)
    }
}

impl Waiting {
    /// The next one; none if nobody can send any more.
    pub(super) async fn next(&mut self) -> Option<Frame> {
        self.from.recv().await
    }

    /// So many bytes have been written.
    pub(super) fn written(&self, bytes: usize) {
        self.bytes.fetch_sub(bytes, Ordering::Relaxed);
    }
}
