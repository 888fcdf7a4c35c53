//! Publishers and callers that go on until they are told to stop.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use petasus_protocol::wamp::{Dict, Message, Serializer, message};
use tokio::task::JoinHandle;

use crate::client::{Wamp, text};
use crate::numbered;
use crate::running::Running;

/// Messages that are sent together.
const TOGETHER: usize = 4;

/// Clients that send all the time.
#[derive(Default)]
pub(crate) struct Stream {
    stop: Arc<AtomicBool>,
    tasks: Vec<JoinHandle<usize>>,
}

impl Stream {
    /// `count` clients publish to a topic.
    pub(crate) async fn of_events(running: &Running, topic: &'static str, count: usize) -> Stream {
        let mut stream = Stream::default();
        for number in 0..count {
            let client = Wamp::join(running.address, Serializer::ALL[number % 3], "default").await;
            stream.tasks.push(tokio::spawn(publish(client, number, topic, stream.stop.clone())));
        }
        stream
    }

    /// `count` clients call a procedure. Each call must be answered: with `text`, or that there is no callee.
    pub(crate) async fn of_calls(running: &Running, procedure: &'static str, count: usize) -> Stream {
        let mut stream = Stream::default();
        for number in 0..count {
            let client = Wamp::join(running.address, Serializer::ALL[number % 3], "default").await;
            stream.tasks.push(tokio::spawn(call(client, number, procedure, stream.stop.clone())));
        }
        stream
    }

    /// Stops all; how many of their messages had an answer.
    pub(crate) async fn stop(self) -> usize {
        self.stop.store(true, Ordering::Relaxed);
        let mut sum = 0;
        for task in self.tasks {
            sum += crate::raw::soon("the last answers", task).await.unwrap();
        }
        sum
    }
}

/// The last event of each burst is acknowledged, so that nobody runs ahead of the broker.
async fn publish(mut client: Wamp, number: usize, topic: &str, stop: Arc<AtomicBool>) -> usize {
    let mut answers = 0;
    while !stop.load(Ordering::Relaxed) {
        let mut bytes = Vec::new();
        for place in 1..=TOGETHER {
            let options = Dict::new().with("acknowledge", place == TOGETHER);
            let (request, topic) = (client.request(), topic.to_owned());
            let payload = numbered(client.serializer, number, request as usize);
            bytes.extend(client.frame(message::Publish { request, options, topic, payload }));
        }
        client.raw().send(bytes).await;
        let answer = client.hear().await;
        assert!(matches!(answer, Message::Published(_)), "{answer:?}");
        answers += 1;
    }
    answers
}

async fn call(mut client: Wamp, number: usize, procedure: &str, stop: Arc<AtomicBool>) -> usize {
    let mut answers = 0;
    while !stop.load(Ordering::Relaxed) {
        for _ in 0..TOGETHER {
            let payload = numbered(client.serializer, number, answers);
            client.call(procedure, Dict::new(), payload).await;
        }
        for _ in 0..TOGETHER {
            match client.hear().await {
                Message::Result(result) => {
                    assert_eq!(result.payload.arg_values().unwrap(), text("answer").arg_values().unwrap());
                    answers += 1;
                }
                Message::Error(error) => assert_eq!(error.error, "wamp.error.no_such_procedure"),
                other => panic!("{other:?} instead of an answer"),
            }
        }
    }
    answers
}
