//! An answer never comes before what it answers.

use std::collections::HashSet;

use tokio::task::JoinHandle;

use crate::raw::{FIN, PING, PONG, Raw, TEXT, frame, message};
use crate::running::{Running, config};

/// Questions asked.
const QUESTIONS: usize = 300;

/// More watchers than a task writes to in one turn: while the last ones still wait for the question, those who
/// answer have it.
const WATCHERS: usize = 100;

/// Reads questions and answers, each as often as there are `answerers` and each question once before its answers.
fn watcher(mut raw: Raw, answerers: usize) -> JoinHandle<()> {
    tokio::spawn(async move {
        let mut asked = HashSet::new();
        for _ in 0..QUESTIONS * (1 + answerers) {
            let frame = raw.next().await.expect("the connection is open");
            assert_eq!(frame.first, FIN | TEXT, "{frame:?}");
            let text = String::from_utf8(frame.payload).unwrap();
            match text.split_once(' ').unwrap() {
                ("question", number) => assert!(asked.insert(number.to_owned()), "{number} is asked twice"),
                (_, number) => assert!(asked.contains(number), "{text} came before the question"),
            }
        }
        raw.settle().await;
    })
}

/// Answers every question. Gives back its connections: whoever goes with unread messages resets its connection,
/// and what it said last may be lost.
fn answerer(mut ear: Raw, mut mouth: Mouth) -> JoinHandle<(Raw, Mouth)> {
    tokio::spawn(async move {
        let mut answered = 0;
        while answered < QUESTIONS {
            let frame = ear.next().await.expect("the connection is open");
            let text = String::from_utf8(frame.payload).unwrap();
            let Some(number) = text.strip_prefix("question ") else { continue };
            let answer = format!("answer {number}");
            match &mut mouth {
                Mouth::Same => ear.send(message(TEXT, answer.as_bytes())).await,
                Mouth::Socket(raw) => raw.send(message(TEXT, answer.as_bytes())).await,
                Mouth::Post(raw, path) => assert_eq!(raw.post(path, &answer).await, 200),
            }
            answered += 1;
        }
        (ear, mouth)
    })
}

/// Where an answer is said.
enum Mouth {
    Same,
    Socket(Raw),
    Post(Raw, &'static str),
}

/// Asks on this socket, now one question to a write, now several.
async fn ask(raw: &mut Raw) {
    let numbers: Vec<usize> = (0..QUESTIONS).collect();
    for round in numbers.chunks(10) {
        for burst in round.chunks(1 + round[0] / 10 % 3) {
            let frames = burst.iter().map(|n| message(TEXT, format!("question {n}").as_bytes()));
            raw.send(frames.collect::<Vec<_>>().concat()).await;
        }
    }
}

/// All have seen all; until then, nobody who spoke goes.
async fn all_end(watchers: Vec<JoinHandle<()>>, answerers: [JoinHandle<(Raw, Mouth)>; 2]) {
    for watcher in watchers {
        watcher.await.unwrap();
    }
    for answerer in answerers {
        answerer.await.unwrap();
    }
}

/// The answers go to another topic, which the watchers hear too, by way of a common ancestor.
///
/// REQ-ORD-003
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_subscriber_sees_an_answer_before_its_question() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let mut watchers = Vec::new();
    let first = Raw::open(broker.address, "/sub/talk/questions").await;
    for _ in 0..WATCHERS {
        watchers.push(watcher(Raw::open(broker.address, "/sub/talk").await, 2));
    }
    let last = Raw::open(broker.address, "/sub/talk").await;
    let socket = Mouth::Socket(Raw::open(broker.address, "/pub/talk/answers").await);
    let post = Mouth::Post(Raw::connect(broker.address).await, "/pub/talk/answers");
    let answerers = [answerer(first, socket), answerer(last, post)];
    let mut asker = Raw::open(broker.address, "/pub/talk/questions").await;
    ask(&mut asker).await;
    all_end(watchers, answerers).await;
    broker.stop().await;
}

/// REQ-ORD-003, REQ-BUS-001
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_peer_of_the_bus_sees_an_answer_before_its_question() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let mut watchers = Vec::new();
    let first = Raw::open(broker.address, "/bus/talk").await;
    for _ in 0..WATCHERS {
        watchers.push(watcher(Raw::open(broker.address, "/bus/talk").await, 2));
    }
    let last = Raw::open(broker.address, "/bus/talk").await;
    let post = Mouth::Post(Raw::connect(broker.address).await, "/bus/talk");
    let answerers = [answerer(first, Mouth::Same), answerer(last, post)];
    let mut asker = Raw::open(broker.address, "/bus/talk").await;
    ask(&mut asker).await;
    all_end(watchers, answerers).await;
    broker.stop().await;
}

/// REQ-ORD-005
#[tokio::test]
async fn a_pong_comes_behind_what_was_sent_before_its_ping() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let mut raw = Raw::open(broker.address, "/bus/t?echo=1").await;
    for _ in 0..100 {
        // One write, so that the broker reads them together.
        let mut both = message(TEXT, b"before");
        both.extend(frame(PING, b"behind"));
        raw.send(both).await;
        raw.expect(TEXT, "before").await;
        let pong = raw.next().await.unwrap();
        assert_eq!((pong.first, pong.payload.as_slice()), (PONG, &b"behind"[..]));
    }
    broker.stop().await;
}
