//! Whether the target still answers: a broker that froze or died is told, and not waited for again and again.

use tokio::sync::mpsc::unbounded_channel;
use tokio::time::timeout;

use super::Session;
use crate::driver::{Inbox, Opening, Seen};
use crate::history::{Conn, History, What};
use crate::model::{Door, Topic};
use crate::namespace::Namespaces;
use crate::plan::Spelling;

/// By how much more time than a case has the target is given to answer.
const PATIENCE: u32 = 3;

impl Session<'_> {
    /// Why nothing more is to be tried: somebody waited in vain in this history, or was cut off, and now the target takes no new
    /// connection, or answers nothing on it.
    pub(super) async fn froze(&self, history: &History) -> Option<String> {
        let waited = |what: &What| {
            matches!(
                what,
                What::Missed { .. } | What::Refused { status: None, .. } | What::Ended { code: None }
            )
        };
        if !history.events.iter().any(|event| waited(&event.what)) {
            return None;
        }
        let patience = self.timing.deadline * PATIENCE;
        if timeout(patience, self.answers()).await == Ok(true) {
            return None;
        }
        let why = format!("the target does not answer any more (asked for {:.1} s)", patience.as_secs_f64());
        Some(self.gone.get_or_init(|| why).clone())
    }

    async fn answers(&self) -> bool {
        let (to, mut from) = unbounded_channel();
        let (_, role) = self.params.patterns.pair(0);
        let door = Door::new(role, Topic::new("alive"));
        let namespace = Namespaces::new().fresh();
        let opening = Opening { door: &door, namespace: &namespace, spelling: Spelling::Usual, suffix: "" };
        let Ok(mut opened) = self.driver.open(self.target, &opening, Inbox::new(Conn(0), to)).await else {
            return false;
        };
        if opened.port.mark(0).await.is_err() {
            return false;
        }
        while let Some((_, seen)) = from.recv().await {
            if matches!(seen, Seen::Passed(..)) {
                return true;
            }
            if matches!(seen, Seen::Closed(_) | Seen::Broken(_) | Seen::Lost(_)) {
                return false;
            }
        }
        false
    }
}
