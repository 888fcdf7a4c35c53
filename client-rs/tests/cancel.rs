//! Futures that are dropped at any await leave the client sound.
//!
//! Random operations are polled a random number of times, and dropped. Afterwards no answer reaches the wrong call,
//! what is asked for anew works, and nothing is left behind: not in the client, and not at the broker.

mod support;

use std::pin::pin;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;
use std::task::Poll;
use std::time::Duration;

use petasus::{Client, Error, Json, Message, Part};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use support::broker::Running;
use support::soon;
use tokio::runtime::Builder;

/// What is begun.
#[derive(Clone, Copy, Debug)]
enum Operation {
    Publish,
    PublishQueued,
    Call,
    SlowCall,
    Never,
    Parts,
    Upload,
    NeverUpload,
    Subscribe,
    Exact,
    Unsubscribe,
    Hear,
    Bus,
    Push,
    PushDone,
    Pull,
    Job,
    Register,
    Serve,
    Unregister,
    Answer,
}

const OPERATIONS: [Operation; 21] = [
    Operation::Publish,
    Operation::PublishQueued,
    Operation::Call,
    Operation::SlowCall,
    Operation::Never,
    Operation::Parts,
    Operation::Upload,
    Operation::NeverUpload,
    Operation::Subscribe,
    Operation::Exact,
    Operation::Unsubscribe,
    Operation::Hear,
    Operation::Bus,
    Operation::Push,
    Operation::PushDone,
    Operation::Pull,
    Operation::Job,
    Operation::Register,
    Operation::Serve,
    Operation::Unregister,
    Operation::Answer,
];

/// An operation, and when it is dropped.
#[derive(Clone, Copy, Debug)]
struct Step {
    operation: Operation,
    /// How often it is polled at most.
    polls: u32,
    /// How often others have their turn between two polls.
    turns: u32,
}

fn step() -> impl Strategy<Value = Step> {
    // Few turns reach the awaits before something is sent, many those that wait for an answer.
    let turns = prop_oneof![3 => 0_u32..3, 2 => 3_u32..30];
    (proptest::sample::select(&OPERATIONS[..]), 0_u32..8, turns).prop_map(|(operation, polls, turns)| Step {
        operation,
        polls,
        turns,
    })
}

/// How long the end of something may take to get around: shorter than the client waits for any answer, so that what was
/// not given up is still there.
const SETTLING: Duration = Duration::from_secs(5);

static CANCELED: AtomicUsize = AtomicUsize::new(0);
static FINISHED: AtomicUsize = AtomicUsize::new(0);

/// Polls a future a few times, and drops it; what came of it if it was ready.
async fn cut<F: Future>(step: Step, future: F) -> Option<F::Output> {
    {
        let mut future = pin!(future);
        for _ in 0..step.polls {
            let polled = std::future::poll_fn(|cx| Poll::Ready(future.as_mut().poll(cx))).await;
            if let Poll::Ready(output) = polled {
                FINISHED.fetch_add(1, Relaxed);
                return Some(output);
            }
            for _ in 0..step.turns {
                tokio::task::yield_now().await;
            }
        }
    }
    CANCELED.fetch_add(1, Relaxed);
    None
}

#[test]
fn a_future_that_is_dropped_anywhere_leaves_the_client_sound() {
    // A case that fails takes long, so that few simpler ones are tried.
    let config = Config { cases: 100, failure_persistence: None, max_shrink_iters: 6, ..Config::default() };
    let mut runner = TestRunner::new(config);
    runner
        .run(&vec(step(), 40..80), |steps| {
            // One thread, so that nothing happens but when a turn is given.
            Builder::new_current_thread().enable_all().build().unwrap().block_on(case(&steps));
            Ok(())
        })
        .unwrap();
    let (canceled, finished) = (CANCELED.load(Relaxed), FINISHED.load(Relaxed));
    println!("{canceled} futures were dropped, {finished} were ready before");
    assert!(canceled >= 1000, "only {canceled}");
    assert!(finished >= 100, "only {finished} came so far");
}

/// Calls that are never answered, and were not given up yet.
static RUNNING: AtomicUsize = AtomicUsize::new(0);

struct Run;

impl Run {
    fn begin() -> Run {
        RUNNING.fetch_add(1, Relaxed);
        Run
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        RUNNING.fetch_sub(1, Relaxed);
    }
}

/// Another client: it answers calls by their token, and completes jobs by it.
async fn peer(running: &Running) -> Client {
    let peer = Client::connect(&running.url).await.unwrap();
    for (procedure, turns) in [("peer.echo", 0), ("peer.slow", 40)] {
        let served = peer.register(procedure).serve(move |mut call| async move {
            let content = call.content().clone();
            if call.progressive() {
                // Whoever does not listen any more is no reason to stop.
                let _ = call.progress(&content).await;
            }
            while call.more().await.is_some() {}
            for _ in 0..turns {
                tokio::task::yield_now().await;
            }
            Ok(content)
        });
        let registration = served.await.unwrap();
        tokio::spawn(async move { registration.ended().await });
    }
    let never = peer.register("peer.never").serve(|_| async {
        let _run = Run::begin();
        std::future::pending::<Result<(), petasus::CallError>>().await
    });
    let never = never.await.unwrap();
    tokio::spawn(async move { never.ended().await });
    let mut jobs = peer.pull("peer/jobs").concurrency(16).await.unwrap();
    tokio::spawn(async move {
        while let Some(job) = jobs.next().await {
            let content = job.content().clone();
            let _ = job.complete_with(content).await;
        }
    });
    peer
}

async fn case(steps: &[Step]) {
    let running = Running::start().await;
    let peer = peer(&running).await;
    let client = Client::connect(&running.url).await.unwrap();
    sound(&client, &peer, 0).await;
    let before = Left::of(&client, &peer, &running).await;
    for (number, step) in steps.iter().enumerate() {
        perform(*step, &client, &peer, 1000 + number as u64).await;
    }
    sound(&client, &peer, 1).await;
    let mut left = Left::of(&client, &peer, &running).await;
    let settled = tokio::time::timeout(SETTLING, async {
        while left != before {
            left = Left::of(&client, &peer, &running).await;
        }
    });
    assert!(settled.await.is_ok(), "something is left behind: {left:?}, before it was {before:?}");
    drop((client, peer));
    running.stop().await;
}

/// An answer must be that of this call, however it ended.
fn is_answer(token: u64, answer: &Result<Message, Error>) {
    match answer {
        Ok(message) => assert_eq!(message.args::<(u64,)>().unwrap(), (token,), "an answer to another call"),
        Err(error) => panic!("{error}"),
    }
}

async fn perform(step: Step, client: &Client, peer: &Client, token: u64) {
    let own = format!("own.p{token}");
    match step.operation {
        Operation::Publish => drop(cut(step, client.publish("t", token.to_string()).into_future()).await),
        Operation::PublishQueued => drop(cut(step, client.publish("t", token.to_string()).queued()).await),
        Operation::Call | Operation::SlowCall => {
            let procedure = if matches!(step.operation, Operation::Call) { "peer.echo" } else { "peer.slow" };
            if let Some(answer) = cut(step, client.call(procedure).args((token,)).into_future()).await {
                is_answer(token, &answer);
            }
        }
        Operation::Never => {
            let answer = cut(step, client.call("peer.never").into_future()).await;
            assert!(answer.is_none(), "{answer:?} to a call that is never answered");
        }
        Operation::NeverUpload => {
            cut(step, async {
                let mut upload = client.call("peer.never").streaming().await.unwrap();
                upload.send((token,)).await.unwrap();
                panic!("{:?} to a call that is never answered", upload.finish((token,)).await);
            })
            .await;
        }
        Operation::Parts => parts(step, client, token).await,
        Operation::Upload => {
            cut(step, async {
                let mut upload = client.call("peer.slow").args((token,)).streaming().await.unwrap();
                upload.send((0,)).await.unwrap();
                is_answer(token, &upload.finish((0,)).await);
            })
            .await;
        }
        Operation::Subscribe => drop(cut(step, client.subscribe("t").into_future()).await),
        Operation::Exact => drop(cut(step, client.subscribe("t").exact().into_future()).await),
        Operation::Unsubscribe => {
            let news = client.subscribe("t").await.unwrap();
            cut(step, news.unsubscribe()).await;
        }
        Operation::Hear => hear(step, client, peer, token).await,
        Operation::Bus => {
            cut(step, async {
                let room = client.bus("room").await.unwrap();
                room.send(token.to_string()).await.unwrap();
                room.leave().await.unwrap();
            })
            .await;
        }
        Operation::Push => {
            drop(cut(step, client.push("peer/jobs", petasus::Args((token,))).into_future()).await);
        }
        Operation::PushDone => {
            let push = client.push("peer/jobs", petasus::Args((token,))).done();
            if let Some(answer) = cut(step, push.into_future()).await {
                is_answer(token, &answer);
            }
        }
        Operation::Pull => drop(cut(step, client.pull(own).into_future()).await),
        Operation::Job => job(step, client, peer, &own).await,
        Operation::Register => drop(cut(step, client.register(own).into_future()).await),
        Operation::Serve => drop(cut(step, client.register(own).serve(|_| async { Ok(()) })).await),
        Operation::Unregister => {
            let registration = client.register(own).serve(|_| async { Ok(()) }).await.unwrap();
            cut(step, registration.unregister()).await;
        }
        Operation::Answer => answer(step, client, peer, &own).await,
    }
}

async fn parts(step: Step, client: &Client, token: u64) {
    let mut parts = client.call("peer.echo").args((token,)).progressive();
    cut(step, async {
        while let Some(part) = parts.next().await {
            let last = matches!(part, Ok(Part::Last(_)));
            is_answer(token, &part.map(Part::into_message));
            if last {
                assert_eq!(parts.next().await, None);
            }
        }
    })
    .await;
}

/// No message is lost by a `next()` that was dropped.
async fn hear(step: Step, client: &Client, peer: &Client, token: u64) {
    let mut news = client.subscribe(format!("hear/{token}")).await.unwrap();
    peer.publish(format!("hear/{token}"), token.to_string()).try_queued().unwrap();
    let message = match cut(step, news.next()).await {
        Some(message) => message,
        None => soon("the message", news.next()).await,
    };
    assert_eq!(message.unwrap().text().unwrap(), token.to_string());
}

/// A job is answered by whatever comes first: the puller, or its end.
async fn job(step: Step, client: &Client, peer: &Client, queue: &str) {
    let mut jobs = client.pull(queue).await.unwrap();
    let pushes = tokio::spawn({
        let (peer, queue) = (peer.clone(), queue.to_owned());
        async move { peer.push(queue, "job").done().await }
    });
    cut(step, async {
        let job = jobs.next().await.unwrap();
        job.complete_with("done").await.unwrap();
    })
    .await;
    drop(jobs);
    match soon("the end of the job", pushes).await.unwrap() {
        Ok(answer) => assert_eq!(answer.text().as_deref(), Some("done")),
        Err(Error::Refused(_)) => {}
        Err(error) => panic!("{error:?}"),
    }
}

/// So is a call.
async fn answer(step: Step, client: &Client, peer: &Client, procedure: &str) {
    let mut calls = client.register(procedure).await.unwrap();
    let asks = tokio::spawn({
        let (peer, procedure) = (peer.clone(), procedure.to_owned());
        async move { peer.call(procedure).progressive().next().await }
    });
    cut(step, async {
        let call = calls.next().await.unwrap();
        // Who has its first part goes.
        let _ = call.progress("part").await;
        let _ = call.reply("done").await;
    })
    .await;
    drop(calls);
    match soon("the end of the call", asks).await.unwrap().unwrap() {
        Ok(part) => drop(part),
        Err(Error::Refused(_)) => {}
        Err(error) => panic!("{error:?}"),
    }
}

/// Everything works.
async fn sound(client: &Client, peer: &Client, round: u64) {
    for (number, procedure) in (10 * round..).zip(["peer.echo", "peer.slow", "peer.echo"]) {
        is_answer(number, &soon("an answer", client.call(procedure).args((number,)).into_future()).await);
    }
    let mut news = client.subscribe("sound").await.unwrap();
    let mut room = client.bus("sound").await.unwrap();
    let other = peer.bus("sound").await.unwrap();
    soon("an acknowledgement", client.publish("sound", Json(round)).into_future()).await.unwrap();
    other.send(Json(round)).await.unwrap();
    assert_eq!(soon("a message", news.next()).await.unwrap().json::<u64>().unwrap(), round);
    assert_eq!(soon("a message", room.next()).await.unwrap().json::<u64>().unwrap(), round);
    let done = client.push("peer/jobs", petasus::Args((round,))).done();
    is_answer(round, &soon("the end of a job", done.into_future()).await);
    let mut calls = client.register("sound").await.unwrap();
    let (answer, ()) = soon("an answer", async {
        tokio::join!(peer.call("sound"), async { calls.next().await.unwrap().reply("fine").await.unwrap() })
    })
    .await;
    assert_eq!(answer.unwrap().text().as_deref(), Some("fine"));
    soon("the end of the room", room.leave()).await.unwrap();
    soon("the end of the other's", other.leave()).await.unwrap();
    soon("the end of the news", news.unsubscribe()).await.unwrap();
    soon("the end of the procedure", calls.unregister()).await.unwrap();
}

/// What there is at the broker and in the client.
#[derive(Debug, PartialEq)]
struct Left {
    members: u64,
    running: usize,
    /// Procedures of the router's own are not among them.
    registrations: usize,
    subscriptions: usize,
    /// What the client holds, as it says itself: sockets, subscriptions, requests and the like.
    client: String,
}

impl Left {
    async fn of(client: &Client, peer: &Client, running: &Running) -> Left {
        let count = async |procedure: &str| {
            let lists: serde_json::Value = peer.call(procedure).await.unwrap().json().unwrap();
            lists.as_object().unwrap().values().map(|list| list.as_array().unwrap().len()).sum()
        };
        Left {
            members: running.metric("petasus_members"),
            running: RUNNING.load(Relaxed),
            registrations: count("wamp.registration.list").await,
            subscriptions: count("wamp.subscription.list").await,
            client: format!("{client:?}"),
        }
    }
}
