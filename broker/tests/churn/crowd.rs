//! Those who come and go, and those who post meanwhile.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::AsyncReadExt;
use tokio::sync::Semaphore;

use crate::raw::{CLOSE, Raw, TEXT, close, handshake, message, soon};

/// Tasks that connect and disconnect.
const CHURNERS: usize = 8;

/// Tasks that post.
pub(crate) const POSTERS: usize = 6;

/// Messages that are posted for each connection that comes.
const POSTS: usize = 2;

/// Where the crowd goes to, and where is posted meanwhile.
#[derive(Clone, Copy)]
pub(crate) struct Crowd {
    pub(crate) joins: &'static str,
    pub(crate) posts: &'static str,
}

/// How many messages each poster posted, all of which were accepted.
pub(crate) type Posted = [usize; POSTERS];

/// `cycles` connections come and go while others post.
pub(crate) async fn churn(address: SocketAddr, crowd: Crowd, cycles: usize) -> Posted {
    let visit = move |cycle| come_and_go(address, crowd.joins, cycle / CHURNERS);
    churn_by(address, crowd.posts, cycles, visit).await
}

/// As `churn`; each connection is one `visit`, which is given its number.
pub(crate) async fn churn_by<V, R>(
    address: SocketAddr,
    posts: &'static str,
    cycles: usize,
    visit: V,
) -> Posted
where
    V: Fn(usize) -> R + Clone + Send + 'static,
    R: Future<Output = ()> + Send,
{
    let turns = Arc::new(Semaphore::new(0));
    let posters: Vec<_> =
        (0..POSTERS).map(|poster| tokio::spawn(post(address, posts, poster, turns.clone()))).collect();
    let churners: Vec<_> = (0..CHURNERS)
        .map(|churner| {
            let (turns, visit) = (turns.clone(), visit.clone());
            tokio::spawn(async move {
                for cycle in (churner..cycles).step_by(CHURNERS) {
                    turns.add_permits(POSTS);
                    visit(cycle).await;
                }
            })
        })
        .collect();
    for churner in churners {
        churner.await.unwrap();
    }
    turns.close();
    let mut posted = [0; POSTERS];
    for (poster, task) in posters.into_iter().enumerate() {
        posted[poster] = task.await.unwrap();
    }
    posted
}

/// Posts, as often as it has a turn, until there will be none; every one must be accepted.
async fn post(address: SocketAddr, path: &str, poster: usize, turns: Arc<Semaphore>) -> usize {
    let mut raw = Raw::connect(address).await;
    let mut posted = 0;
    while let Ok(turn) = turns.acquire().await {
        turn.forget();
        assert_eq!(raw.post(path, &format!("{poster} {posted}")).await, 200);
        posted += 1;
    }
    posted
}

/// One connection, which ends in one of the ways there are.
async fn come_and_go(address: SocketAddr, path: &str, cycle: usize) {
    let mut raw = Raw::connect(address).await;
    raw.send(handshake(path, "")).await;
    let way = cycle % 8;
    match way {
        0 => return,
        1 => return raw.reset(),
        _ => raw.check_accepted(path).await,
    }
    match way {
        // As it should be.
        2 | 3 => drop(leave(raw).await),
        // No more is said, but all is heard.
        4 => {
            raw.finish().await;
            let mut rest = Vec::new();
            // A reset is an end as well.
            let _ = soon("the broker to end it", raw.stream().read_to_end(&mut rest)).await;
        }
        5 => raw.reset(),
        6 => {
            let last_words = [message(TEXT, b"noise"), close(1000, b"")];
            raw.send(last_words.concat()).await;
            raw.reset();
        }
        // Whatever is in the air may or may not be lost.
        _ => raw.send([message(TEXT, b"noise"), close(1000, b"")].concat()).await,
    }
}

/// Closes, and waits for the reply and the end; gives the messages that came before.
pub(crate) async fn leave(mut raw: Raw) -> Vec<String> {
    raw.send(close(1000, b"")).await;
    let mut heard = Vec::new();
    loop {
        let frame = raw.next().await.expect("the reply to a Close frame before the end");
        if frame.first == CLOSE {
            assert_eq!(frame.payload, 1000_u16.to_be_bytes());
            raw.expect_end().await;
            return heard;
        }
        heard.push(String::from_utf8(frame.payload).unwrap());
    }
}
