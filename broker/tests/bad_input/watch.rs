//! Those who must not notice anything.

use std::net::SocketAddr;

use crate::raw::{Raw, TEXT, message};

/// Connections that look on while somebody else misbehaves.
pub(crate) struct Watch(Vec<Pair>);

/// What the sender says is the next thing that the receiver hears; so nothing else was delivered in between.
struct Pair {
    sender: Raw,
    /// `None`: the sender hears itself.
    receiver: Option<Raw>,
}

/// One pair on another topic, and one per namespace on the topic `row` that the rows use.
const MERCURY: [[&str; 2]; 4] = [
    ["/bus/bystander", "/bus/bystander"],
    ["/bus/row", "/bus/row"],
    ["/pub/row", "/sub/row"],
    ["/push/row", "/pull/row"],
];

impl Watch {
    /// Watches the bus, pub/sub and queue `row`, and another topic. Takes eight connections.
    pub(crate) async fn mercury(address: SocketAddr, extra: &str) -> Watch {
        let mut pairs = Vec::new();
        for [sender, receiver] in MERCURY {
            let mut receiving = Raw::connect(address).await;
            receiving.upgrade(receiver, extra).await;
            let mut sending = Raw::connect(address).await;
            sending.upgrade(sender, extra).await;
            pairs.push(Pair { sender: sending, receiver: Some(receiving) });
        }
        Watch(pairs)
    }

    /// Watches the channel `/row` and another one.
    pub(crate) async fn pinghub(address: SocketAddr) -> Watch {
        let mut pairs = Vec::new();
        for path in ["/bystander", "/row"] {
            pairs.push(Pair { sender: Raw::open(address, path).await, receiver: None });
        }
        Watch(pairs)
    }

    /// Everything works as before, and nothing of the row `id` has come.
    pub(crate) async fn check(&mut self, id: &str) {
        for Pair { sender, receiver } in &mut self.0 {
            sender.send(message(TEXT, id.as_bytes())).await;
            receiver.as_mut().unwrap_or(sender).expect(TEXT, id).await;
        }
    }
}
