//! What a message is, and when it has arrived.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use petasus::protocol::Topic;
use petasus::{Client, Error, Invocation, Json, Message, Registration};
use tokio::sync::oneshot;
use tokio::task::AbortHandle;
use tokio::time::timeout;

use super::super::arguments::Load;

/// How long a message may take that nobody answers.
const PATIENCE: Duration = Duration::from_secs(10);

/// The procedure that requests go to.
pub(super) struct Callee {
    pub(super) procedure: String,
    /// It answers until this is dropped.
    #[expect(dead_code, reason = "held, not used")]
    registration: Registration,
}

impl Callee {
    pub(super) async fn register(client: &Client) -> Result<Self, Error> {
        let procedure = format!("petasus.bench.echo{:08x}", fastrand::u32(..));
        let echo = async |call: Invocation| Ok(call.content().clone());
        let registration = client.register(procedure.as_str()).serve(echo).await?;
        Ok(Self { procedure, registration })
    }
}

/// Who waits for which message.
type Expected = Arc<Mutex<HashMap<u64, oneshot::Sender<()>>>>;

/// Where a client sends its messages.
pub(super) struct Target {
    client: Client,
    way: Way,
    next: AtomicU64,
}

enum Way {
    Publish(Topic),
    Deliver { topic: Topic, expected: Expected, reader: AbortHandle },
    Request(String),
}

impl Target {
    pub(super) async fn new(
        client: Client,
        load: Load,
        number: u32,
        callee: Option<String>,
    ) -> Result<Self, Error> {
        let topic = Topic::new(&format!("petasus/bench/{:08x}/{number}", fastrand::u32(..)));
        let way = match (load, callee) {
            (Load::Request, Some(procedure)) => Way::Request(procedure),
            (Load::Deliver, _) => deliver(&client, topic).await?,
            _ => Way::Publish(topic),
        };
        Ok(Self { client, way, next: AtomicU64::new(0) })
    }

    /// Sends a message of that many bytes, and waits for it.
    pub(super) async fn send(&self, size: usize) -> Result<(), Error> {
        let number = self.next.fetch_add(1, Relaxed);
        // The number says which one it is, dots make it as long as it is to be.
        let text = format!("{number:.<size$}");
        match &self.way {
            Way::Publish(topic) => self.client.publish(topic, text).timeout(PATIENCE).await,
            Way::Request(procedure) => {
                let call = self.client.call(procedure.as_str()).content(Json(text)).timeout(PATIENCE);
                call.await.map(drop)
            }
            Way::Deliver { topic, expected, .. } => {
                let (arrived, arrival) = oneshot::channel();
                lock(expected).insert(number, arrived);
                self.client.publish(topic, text).queued().await?;
                if let Ok(Ok(())) = timeout(PATIENCE, arrival).await {
                    return Ok(());
                }
                lock(expected).remove(&number);
                Err(Error::TimedOut)
            }
        }
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        if let Way::Deliver { reader, .. } = &self.way {
            reader.abort();
        }
    }
}

async fn deliver(client: &Client, topic: Topic) -> Result<Way, Error> {
    let mut subscription = client.subscribe(&topic).await?;
    let expected = Expected::default();
    let waiting = expected.clone();
    let reader = tokio::spawn(async move {
        while let Some(message) = subscription.next().await {
            let arrived = number(&message).and_then(|number| lock(&waiting).remove(&number));
            if let Some(arrived) = arrived {
                // It may have been given up.
                let _ = arrived.send(());
            }
        }
    });
    Ok(Way::Deliver { topic, expected, reader: reader.abort_handle() })
}

fn number(message: &Message) -> Option<u64> {
    message.text()?.split('.').next()?.parse().ok()
}

fn lock(expected: &Expected) -> std::sync::MutexGuard<'_, HashMap<u64, oneshot::Sender<()>>> {
    // A map is as good after a panic as before.
    expected.lock().unwrap_or_else(PoisonError::into_inner)
}
