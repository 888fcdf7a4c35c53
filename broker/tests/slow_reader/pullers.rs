//! Pullers that stop reading: no job is lost, whatever the overflow policy, and the others get the rest.

use petasus_broker::config::OverflowPolicy;

use crate::metrics::{Metrics, until};
use crate::raw::{Raw, TEXT, close, message};
use crate::running::Running;
use crate::{FLOOD, next_number, numbered, numbers, small, stalled};

/// Two pullers, one of which does not read, and all jobs handed out.
struct Scene {
    broker: Running,
    pusher: Raw,
    slow: Raw,
    reader: Raw,
    /// What the reader has read so far.
    read: Vec<usize>,
}

impl Scene {
    async fn set() -> Scene {
        // A policy that would lose jobs if it applied to them.
        let broker = Running::start(small("http://127.0.0.1:0", OverflowPolicy::DropOldest)).await;
        let slow = stalled(broker.address, "/pull/a").await;
        let mut reader = Raw::open(broker.address, "/pull/a").await;
        let mut pusher = Raw::open(broker.address, "/push/a").await;
        for number in 0..FLOOD {
            pusher.send(message(TEXT, numbered(number).as_bytes())).await;
        }
        pusher.settle().await;
        let mut read = Vec::new();
        let metrics = loop {
            let metrics = Metrics::of(&broker.broker);
            if metrics.value("petasus_deliveries_total") == FLOOD as u64 {
                break metrics;
            }
            read.extend(numbers(&mut reader, 1).await);
        };
        assert_eq!([metrics.value("petasus_queue_held"), metrics.value("petasus_dropped_total")], [0, 0]);
        Scene { broker, pusher, slow, reader, read }
    }
}

/// Pushes a last job and reads all that come before it: only the reader is left.
async fn read_to_the_end(pusher: &mut Raw, reader: &mut Raw, read: &mut Vec<usize>) {
    pusher.send(message(TEXT, numbered(FLOOD).as_bytes())).await;
    loop {
        match next_number(reader).await.expect("the connection stays open") {
            FLOOD => break,
            number => read.push(number),
        }
    }
    reader.settle().await;
}

/// The reader's own jobs came in order, then those that came back, in order too. Gives the latter.
fn came_back(read: &[usize]) -> &[usize] {
    let turn = read.windows(2).position(|pair| pair[0] > pair[1]).expect("some came back") + 1;
    let (own, back) = read.split_at(turn);
    assert!(own.is_sorted() && back.is_sorted(), "own: {own:?}, came back: {back:?}");
    back
}

/// REQ-RR-001, REQ-RR-002, REQ-RR-011, REQ-RR-012, REQ-FLOW-001, REQ-LIF-004
#[tokio::test]
async fn what_a_leaving_puller_was_not_written_goes_to_the_others() {
    let Scene { broker, mut pusher, mut slow, mut reader, mut read } = Scene::set().await;
    slow.send(close(1000, b"")).await;
    // What it was written is its own, whenever it reads that.
    let mut own = Vec::new();
    let payload = loop {
        match next_number(&mut slow).await {
            Ok(number) => own.push(number),
            Err(payload) => break payload,
        }
    };
    assert_eq!(payload, 1000_u16.to_be_bytes());
    read_to_the_end(&mut pusher, &mut reader, &mut read).await;
    came_back(&read);
    let mut all = [own, read].concat();
    all.sort_unstable();
    assert!(all == (0..FLOOD).collect::<Vec<_>>(), "each job is done once");
    assert_eq!(Metrics::of(&broker.broker).value("petasus_dropped_total"), 0);
    broker.stop().await;
}

/// REQ-RR-001, REQ-RR-002, REQ-RR-011
#[tokio::test]
async fn what_a_puller_that_breaks_off_was_not_written_goes_to_the_others() {
    let Scene { broker, mut pusher, slow, mut reader, mut read } = Scene::set().await;
    slow.reset();
    let pullers = "petasus_members{pattern=\"queue\"}";
    until(&broker.broker, "the puller to be gone", |metrics| metrics.value(pullers) == 1).await;
    read_to_the_end(&mut pusher, &mut reader, &mut read).await;
    let first_back = came_back(&read)[0];
    read.sort_unstable();
    assert!(read.is_sorted_by(|one, next| one < next), "no job is done twice");
    // What is missing was written to the one who broke off, before anything that came back.
    let missing = (0..FLOOD).filter(|number| read.binary_search(number).is_err());
    assert!(missing.max().is_some_and(|missing| missing < first_back));
    assert_eq!(Metrics::of(&broker.broker).value("petasus_dropped_total"), 0);
    broker.stop().await;
}

/// REQ-RR-002, REQ-RR-004, REQ-RR-012
#[tokio::test]
async fn a_puller_that_reads_again_takes_its_turns_again() {
    let Scene { broker, mut pusher, mut slow, mut reader, mut read } = Scene::set().await;
    let mut own = Vec::new();
    while own.len() + read.len() < FLOOD {
        tokio::select! {
            number = next_number(&mut slow) => own.push(number.unwrap()),
            number = next_number(&mut reader) => read.push(number.unwrap()),
        }
    }
    assert!(own.is_sorted() && read.is_sorted());
    // The broker knows by now that both have room.
    slow.settle().await;
    reader.settle().await;
    for number in 0..8 {
        pusher.send(message(TEXT, numbered(number).as_bytes())).await;
    }
    let mut turns = [numbers(&mut slow, 4).await, numbers(&mut reader, 4).await];
    turns.sort_unstable();
    assert_eq!(turns, [[0, 2, 4, 6], [1, 3, 5, 7]]);
    broker.stop().await;
}
