//! Senders that all talk at once, and what receivers make of it.

use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

use crate::raw::{FIN, PING, PONG, Raw, TEXT, frame, message};

pub(crate) const SENDERS: usize = 4;

/// Messages of each sender.
pub(crate) const EACH: usize = 400;

pub(crate) const ALL: usize = SENDERS * EACH;

/// After so many messages a sender waits for the others, so that none is done before another begins.
const ROUND: usize = 25;

/// How a sender sends.
pub(crate) enum By {
    Socket(Raw),
    /// POSTs to this path.
    Post(Raw, &'static str),
}

/// Message `n` of a sender.
pub(crate) fn text(sender: usize, n: usize) -> String {
    format!("{sender}-{n}")
}

/// All senders send, in rounds. Gives the connections of those on sockets, in order.
pub(crate) async fn talk(senders: Vec<By>) -> Vec<Raw> {
    assert_eq!(senders.len(), SENDERS);
    let barrier = Arc::new(Barrier::new(SENDERS));
    let tasks: Vec<JoinHandle<By>> = senders
        .into_iter()
        .enumerate()
        .map(|(sender, by)| tokio::spawn(send_all(sender, by, barrier.clone())))
        .collect();
    let mut sockets = Vec::new();
    for task in tasks {
        if let By::Socket(raw) = task.await.unwrap() {
            sockets.push(raw);
        }
    }
    sockets
}

async fn send_all(sender: usize, mut by: By, barrier: Arc<Barrier>) -> By {
    let numbers: Vec<usize> = (0..EACH).collect();
    for round in numbers.chunks(ROUND) {
        barrier.wait().await;
        // Now one message to a write, now several.
        for burst in round.chunks(1 + round[0] / ROUND % 7) {
            match &mut by {
                By::Socket(raw) => {
                    let frames = burst.iter().map(|&n| message(TEXT, text(sender, n).as_bytes()));
                    raw.send(frames.collect::<Vec<_>>().concat()).await;
                }
                By::Post(raw, path) => {
                    for &n in burst {
                        assert_eq!(raw.post(path, &text(sender, n)).await, 200);
                    }
                }
            }
        }
    }
    by
}

/// Reads so many text messages, then sees that no other follows.
pub(crate) async fn listen<S>(raw: &mut Raw<S>, count: usize) -> Vec<String>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut heard = Vec::with_capacity(count);
    while heard.len() < count {
        let frame = raw.next().await.expect("the connection is open");
        assert_eq!(frame.first, FIN | TEXT, "{frame:?}");
        heard.push(String::from_utf8(frame.payload).unwrap());
    }
    raw.settle().await;
    heard
}

/// As `listen`, while it pings all the time: what its own task writes, pongs, and what the tasks of others write
/// share one socket.
pub(crate) async fn listen_and_ping(raw: &mut Raw, count: usize) -> Vec<String> {
    /// Pings that are under way.
    const AHEAD: usize = 8;
    let ping = |n: usize| frame(PING, n.to_string().as_bytes());
    raw.send((0..AHEAD).flat_map(ping).collect::<Vec<_>>()).await;
    let mut heard = Vec::with_capacity(count);
    let mut pongs = 0;
    while heard.len() < count {
        let frame = raw.next().await.expect("the connection is open");
        let text = String::from_utf8(frame.payload).unwrap();
        if frame.first == PONG {
            assert_eq!(text, pongs.to_string());
            raw.send(ping(pongs + AHEAD)).await;
            pongs += 1;
        } else {
            assert_eq!(frame.first, FIN | TEXT, "{text}");
            heard.push(text);
        }
    }
    heard
}

/// As `listen`, in a task of its own.
pub(crate) fn listener<S>(mut raw: Raw<S>, count: usize) -> JoinHandle<Vec<String>>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    tokio::spawn(async move { listen(&mut raw, count).await })
}

/// Checks that all heard everything in one order, which keeps each sender's; gives the order.
pub(crate) async fn one_order(listeners: Vec<JoinHandle<Vec<String>>>) -> Vec<String> {
    let mut order: Option<Vec<String>> = None;
    for listener in listeners {
        let heard = listener.await.unwrap();
        match &order {
            None => order = Some(heard),
            Some(order) => assert!(*order == heard, "{}", first_difference(order, &heard)),
        }
    }
    let order = order.expect("there are listeners");
    keeps_each_senders_order(&order);
    order
}

pub(crate) fn keeps_each_senders_order(order: &[String]) {
    for sender in 0..SENDERS {
        let own = order.iter().filter(|text| text.starts_with(&format!("{sender}-")));
        let sent: Vec<String> = (0..EACH).map(|n| text(sender, n)).collect();
        let own: Vec<String> = own.cloned().collect();
        assert!(own == sent, "sender {sender}: {}", first_difference(&sent, &own));
    }
}

fn first_difference(one: &[String], other: &[String]) -> String {
    let place = one.iter().zip(other).position(|(one, other)| one != other);
    let place = place.unwrap_or(one.len().min(other.len()));
    let around = |heard: &[String]| heard[place.saturating_sub(2)..heard.len().min(place + 3)].join(" ");
    format!("at {place}: .. {} .. and .. {} ..", around(one), around(other))
}
