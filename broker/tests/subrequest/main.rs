//! `[auth] request`: a real HTTP server is asked before each upgrade and POST (REQ-HOOK-004).

#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/running.rs"]
mod running;

mod answers;
mod judge;
mod question;
mod rewrite;
mod trouble;

use std::net::SocketAddr;

use petasus_broker::config::Config;
use raw::{Raw, TEXT, message};

/// A broker on a free port that asks the server at this address.
fn asking(judge: SocketAddr) -> Config {
    asking_for(judge, "mercury")
}

fn asking_for(judge: SocketAddr, dialects: &str) -> Config {
    let mut config = running::config(&format!("http://127.0.0.1:0?dialects={dialects}"));
    config.auth.request = Some(format!("http://{judge}/check?by=petasus").parse().unwrap());
    // However slow the machine is.
    config.auth.timeout = running::seconds(3600.0);
    config
}

/// Reads an answer: the status, and the body.
async fn answer(raw: &mut Raw) -> (u16, String) {
    let answer = raw.answer().await;
    (answer.status, String::from_utf8(answer.body).unwrap())
}

/// A sender and a receiver on the topic `t` of each pattern: whatever is refused must not reach them, and they go
/// on meanwhile (REQ-LIVE-002).
struct Watch(Vec<(Raw, Raw)>);

impl Watch {
    async fn open(broker: SocketAddr) -> Watch {
        let mut pairs = Vec::new();
        for [from, to] in [["/bus/t", "/bus/t"], ["/pub/t", "/sub/t"], ["/push/t", "/pull/t"]] {
            let receiver = Raw::open(broker, to).await;
            pairs.push((Raw::open(broker, from).await, receiver));
        }
        Watch(pairs)
    }

    async fn check(&mut self, what: &str) {
        for (sender, receiver) in &mut self.0 {
            sender.send(message(TEXT, what.as_bytes())).await;
            receiver.expect(TEXT, what).await;
        }
    }
}
