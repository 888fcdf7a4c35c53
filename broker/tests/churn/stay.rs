//! The one who stays.

use std::net::SocketAddr;

use tokio::task::JoinHandle;

use crate::crowd::{POSTERS, Posted};
use crate::raw::{FIN, Raw, TEXT};

/// The last message of all.
const END: &str = "end";

/// A connection that is there the whole time.
pub(crate) struct Staying(JoinHandle<Heard>);

/// What it heard.
#[derive(Default)]
pub(crate) struct Heard {
    /// All messages.
    pub(crate) messages: usize,
    /// The numbers of each poster's messages, in the order in which they came.
    numbers: [Vec<usize>; POSTERS],
}

impl Staying {
    pub(crate) async fn join(address: SocketAddr, path: &str) -> Staying {
        let raw = Raw::open(address, path).await;
        Staying(tokio::spawn(listen(raw)))
    }

    /// Leaves, and checks that it heard each message of these rounds of posting once and in order.
    pub(crate) async fn heard_all_of(self, rounds: &[Posted], address: SocketAddr, path: &str) -> Heard {
        // Nobody else posts any more: what was posted comes before this.
        assert_eq!(Raw::connect(address).await.post(path, END).await, 200);
        let heard = self.0.await.unwrap();
        for (poster, numbers) in heard.numbers.iter().enumerate() {
            let posted: Vec<usize> = rounds.iter().flat_map(|round| 0..round[poster]).collect();
            let wrong = numbers.iter().zip(&posted).position(|(heard, posted)| heard != posted);
            assert_eq!(wrong, None, "poster {poster}: the first wrong message of {}", posted.len());
            assert_eq!(numbers.len(), posted.len(), "poster {poster}: some are missing at the end, or twice");
        }
        heard
    }
}

async fn listen(mut raw: Raw) -> Heard {
    let mut heard = Heard::default();
    loop {
        let frame = raw.next().await.expect("nobody disconnects the one who stays");
        assert_eq!(frame.first, FIN | TEXT, "{frame:?}");
        heard.messages += 1;
        let text = String::from_utf8(frame.payload).unwrap();
        match text.split_once(' ') {
            Some((poster, number)) => {
                heard.numbers[poster.parse::<usize>().unwrap()].push(number.parse().unwrap());
            }
            None if text == END => break,
            // From those who come and go.
            None => assert_eq!(text, "noise"),
        }
    }
    raw.leave().await;
    heard
}
