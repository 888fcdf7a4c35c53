//! Hooks of an embedding program: what they are asked, and what comes of their answers.

#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/running.rs"]
mod running;

mod broken;
mod denied;
mod order;
mod requests;

use std::future::Future;

use petasus_broker::auth::{Action, Denied, Operation};
use petasus_broker::{Broker, Builder};
use raw::{Raw, request};
use running::{Running, config};

const ACTIONS: [Action; 6] =
    [Action::Join, Action::Send, Action::Subscribe, Action::Publish, Action::Pull, Action::Push];

/// The endpoints of those who only receive, with the action that is asked about when they come.
const JOINING: [(&str, Action); 3] =
    [("/bus/t", Action::Join), ("/sub/t", Action::Subscribe), ("/pull/t", Action::Pull)];

/// Where a message goes in, where it comes out, and the action that is asked about when it is sent.
const SENDING: [(&str, &str, Action); 3] = [
    ("/bus/t", "/bus/t", Action::Send),
    ("/pub/t", "/sub/t", Action::Publish),
    ("/push/t", "/pull/t", Action::Push),
];

/// A broker on a free port, to which hooks can be added.
fn builder() -> Builder {
    Broker::builder().config(config("http://127.0.0.1:0"))
}

async fn start(builder: Builder) -> Running {
    Running::start_broker(builder.build().unwrap()).await.unwrap()
}

/// Asks the same hook about everything.
fn on_all<F, R>(builder: Builder, hook: F) -> Builder
where
    F: Fn(Operation) -> R + Clone + Send + Sync + 'static,
    R: Future<Output = Result<(), Denied>> + Send + 'static,
{
    ACTIONS.into_iter().fold(builder, |builder, action| builder.on(action, hook.clone()))
}

/// Posts on a kept connection; the status and the body.
async fn post(raw: &mut Raw, path: &str, body: &str) -> (u16, String) {
    raw.send(request("POST", path, "", body)).await;
    status_and_body(raw).await
}

/// Reads an answer.
async fn status_and_body(raw: &mut Raw) -> (u16, String) {
    let answer = raw.answer().await;
    (answer.status, String::from_utf8(answer.body).unwrap())
}

/// What a Close frame carries.
fn closing(code: u16, reason: &str) -> Vec<u8> {
    [&code.to_be_bytes(), reason.as_bytes()].concat()
}

/// How many peers, subscriptions and pullers there are.
fn members(broker: &Broker) -> [usize; 3] {
    let metrics = broker.metrics();
    ["bus", "pubsub", "queue"].map(|pattern| {
        let name = format!("petasus_members{{pattern=\"{pattern}\"}} ");
        let line = metrics.lines().find_map(|line| line.strip_prefix(&name));
        line.expect("a metric for each pattern").parse().unwrap()
    })
}
