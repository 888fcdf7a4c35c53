//! The listeners: several at once, addresses that cannot be had, UNIX sockets, TLS, and what operators look at.

#[path = "../support/metrics.rs"]
mod metrics;
#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/running.rs"]
mod running;
#[path = "../support/tls.rs"]
mod tls;

mod addresses;
mod admin;
mod certificates;
mod dialects;
mod exposition;
mod host;
mod unix;

use std::path::Path;

use petasus_broker::config::Config;
use petasus_broker::{BindError, Broker, Server};

/// Binds without serving.
async fn bind(config: Config) -> Result<Server, BindError> {
    Broker::builder().config(config).build().unwrap().bind().await
}

/// What a broker says that cannot bind.
async fn refusal(config: Config) -> String {
    bind(config).await.err().expect("the broker must not start").to_string()
}

/// The URL of a UNIX socket.
fn unix_url(path: &Path) -> String {
    format!("http+unix://{}", path.display())
}
