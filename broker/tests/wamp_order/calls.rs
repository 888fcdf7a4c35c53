//! The calls of several callers, and their progressive results.

use petasus_protocol::wamp::{Dict, Message, Serializer, Value, message};
use tokio::task::JoinHandle;

use crate::client::Wamp;
use crate::running::Running;
use crate::{numbered, read, start};

const CALLERS: usize = 4;

/// Calls of each caller.
const EACH: usize = 200;

const PROCEDURES: [&str; 2] = ["calls.one", "calls.two"];

/// Calls both procedures, several calls to a write or one by one, and reads all answers: each is its call's own.
async fn caller(mut client: Wamp, caller: usize) {
    let numbers: Vec<usize> = (0..EACH).collect();
    for burst in numbers.chunks(1 + caller * 3) {
        let mut bytes = Vec::new();
        for &number in burst {
            let payload = numbered(client.serializer, caller, number);
            let (request, procedure) = (client.request(), procedure(caller, number).to_owned());
            bytes.extend(client.frame(message::Call { request, options: Dict::new(), procedure, payload }));
        }
        client.raw().send(bytes).await;
    }
    let mut answered = [false; EACH];
    for _ in 0..EACH {
        let Message::Result(result) = client.hear().await else { panic!("no RESULT") };
        let number = result.request as usize - 1;
        assert_eq!(read(&result.payload), (caller, number));
        assert!(!std::mem::replace(&mut answered[number], true), "answered twice");
    }
}

fn procedure(caller: usize, number: usize) -> &'static str {
    PROCEDURES[(caller + number / 3) % PROCEDURES.len()]
}

async fn call_all(running: &Running) -> Vec<JoinHandle<()>> {
    let mut callers = Vec::new();
    for number in 0..CALLERS {
        let client = Wamp::join(running.address, Serializer::ALL[number % 3], "default").await;
        callers.push(tokio::spawn(caller(client, number)));
    }
    callers
}

/// Checks that an invocation is the next one of its caller.
fn is_next(next: &mut [usize; CALLERS], invocation: &message::Invocation) {
    let (caller, number) = read(&invocation.payload);
    assert_eq!(number, next[caller], "caller {caller}");
    next[caller] += 1;
}

/// Across procedures; the answers come in any order.
///
/// REQ-WAMP-103, REQ-WAMP-058
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_callee_hears_each_caller_in_order_across_procedures() {
    let running = start().await;
    let mut callee = Wamp::join(running.address, Serializer::Json, "default").await;
    for procedure in PROCEDURES {
        callee.register(procedure, Dict::new()).await;
    }
    let callers = call_all(&running).await;
    let mut next = [0; CALLERS];
    let mut unanswered = Vec::new();
    for count in 1..=CALLERS * EACH {
        let invocation = callee.invocation().await;
        assert_eq!(invocation.request, count as u64);
        is_next(&mut next, &invocation);
        unanswered.push(invocation);
        if count % 7 == 0 || count == CALLERS * EACH {
            for invocation in unanswered.drain(..).rev() {
                callee.yield_(invocation.request, invocation.payload).await;
            }
        }
    }
    for caller in callers {
        caller.await.unwrap();
    }
    running.stop().await;
}

/// Of calls that wait because the callee has as many as it takes.
///
/// REQ-WAMP-103, REQ-WAMP-046
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_that_wait_for_a_callee_keep_their_order() {
    let running = start().await;
    let mut callee = Wamp::join(running.address, Serializer::Cbor, "default").await;
    // A prefix: both procedures wait in one line.
    callee.register("calls.", Dict::new().with("match", "prefix").with("concurrency", 2)).await;
    let callers = call_all(&running).await;
    let mut next = [0; CALLERS];
    let mut working: Option<message::Invocation> = None;
    for _ in 0..CALLERS * EACH {
        let invocation = callee.invocation().await;
        is_next(&mut next, &invocation);
        if let Some(done) = working.replace(invocation) {
            callee.yield_(done.request, done.payload).await;
        }
    }
    let done = working.expect("the last one");
    callee.yield_(done.request, done.payload).await;
    for caller in callers {
        caller.await.unwrap();
    }
    running.stop().await;
}

/// Pieces of each result.
const PIECES: usize = 40;

/// REQ-WAMP-103, REQ-WAMP-047
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_pieces_of_each_result_come_in_order_and_the_last_one_last() {
    const CALLS: usize = 5;
    let running = start().await;
    let features = Value::Dict(Dict::new().with("progressive_call_results", true));
    let callee_role = Value::Dict(Dict::new().with("features", features));
    let details = Dict::new().with("roles", Value::Dict(Dict::new().with("callee", callee_role)));
    let mut callee = Wamp::connect(running.address, Serializer::MsgPack).await;
    callee.say(message::Hello { realm: "default".to_owned(), details }).await;
    assert!(matches!(callee.hear().await, Message::Welcome(_)));
    callee.register("calls.long", Dict::new()).await;
    let mut callers = Vec::new();
    for number in 0..CALLERS {
        let mut client = Wamp::join(running.address, Serializer::ALL[number % 3], "default").await;
        callers.push(tokio::spawn(async move {
            for call in 0..CALLS {
                let payload = numbered(client.serializer, number, call);
                client.call("calls.long", Dict::new().with("receive_progress", true), payload).await;
            }
            let mut next = [0; CALLS];
            for _ in 0..CALLS * PIECES {
                let Message::Result(result) = client.hear().await else { panic!("no RESULT") };
                let (call, piece) = read(&result.payload);
                assert_eq!((call + 1) as u64, result.request);
                assert_eq!(piece, next[call], "call {call} of {number}");
                let progress = result.details.bool("progress").unwrap().unwrap_or(false);
                assert_eq!(progress, piece < PIECES - 1, "piece {piece}");
                next[call] += 1;
            }
            client.raw().settle().await;
        }));
    }
    let mut work = Vec::new();
    for _ in 0..CALLERS * CALLS {
        work.push(callee.invocation().await);
    }
    for piece in 0..PIECES {
        // Those of all calls in one write.
        let mut bytes = Vec::new();
        for invocation in &work {
            let (_, call) = read(&invocation.payload);
            let options = Dict::new().with("progress", piece < PIECES - 1);
            let payload = numbered(callee.serializer, call, piece);
            bytes.extend(callee.frame(message::Yield { request: invocation.request, options, payload }));
        }
        callee.raw().send(bytes).await;
    }
    for caller in callers {
        caller.await.unwrap();
    }
    running.stop().await;
}
