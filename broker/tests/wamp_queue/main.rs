//! Queues over WAMP, end to end: raw and WAMP pullers in one ring, jobs that are answered, and jobs that come back.

#[path = "../wamp/client.rs"]
mod client;
#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/running.rs"]
mod running;

mod answers;
mod bounds;
mod bridge;
mod giving_back;

use petasus_broker::config::{Config, WithoutPuller};
use petasus_protocol::wamp::{Dict, Serializer};

use client::Wamp;
use raw::{Raw, request};
use running::{Running, config};

/// A broker with `without_puller = "hold"`, if said.
async fn start(hold: bool) -> Running {
    start_with(hold, |_| {}).await
}

async fn start_with(hold: bool, change: impl FnOnce(&mut Config)) -> Running {
    let mut config = config("http://127.0.0.1:0");
    config.queue.without_puller = if hold { WithoutPuller::Hold } else { WithoutPuller::Drop };
    change(&mut config);
    Running::start(config).await
}

async fn json(running: &Running) -> Wamp {
    Wamp::join(running.address, Serializer::Json, "default").await
}

/// Options of a REGISTER or CALL about a queue.
fn queue() -> Dict {
    Dict::new().with("_pattern", "queue")
}

/// Options of a CALL that waits until its job is done.
fn done() -> Dict {
    queue().with("_ack", "done")
}

/// Posts a job; the status of the answer.
async fn post(running: &Running, path: &str, body: &str) -> u16 {
    let mut raw = Raw::connect(running.address).await;
    raw.send(request("POST", path, "", body)).await;
    raw.answer().await.status
}
