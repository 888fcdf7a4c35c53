//! What the tests of the client have in common: brokers, a network that can be cut, and patience.
#![allow(dead_code, reason = "each test takes the part that it needs")]

pub(crate) mod binary;
pub(crate) mod broker;
pub(crate) mod network;

use std::time::Duration;

/// How long a test waits for something that must come. Only a hung one waits so long.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Waits for something that must come.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(PATIENCE, future).await.unwrap_or_else(|_| panic!("{what} did not come"))
}

/// Waits until something is so.
pub(crate) async fn until(what: &str, mut reached: impl AsyncFnMut() -> bool) {
    soon(what, async {
        while !reached().await {
            // Other tasks have their turn, and the machine as well.
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    })
    .await;
}

/// A name that no other test uses: brokers are shared.
pub(crate) fn unique(name: &str) -> String {
    format!("t{:016x}/{name}", fastrand::u64(..))
}
