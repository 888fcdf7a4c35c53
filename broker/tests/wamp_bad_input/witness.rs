//! Those who must not notice anything.

use petasus_broker::Broker;
use petasus_protocol::wamp::{Dict, Serializer};

use crate::client::{Wamp, text};
use crate::metrics::until;
use crate::running::Running;
use crate::{json, panics};

/// Sessions that look on while another one misbehaves. They see every topic that begins with `row.`.
pub(crate) struct Witness {
    publisher: Wamp,
    subscriber: Wamp,
    callee: Wamp,
    broker: Broker,
}

/// How many sessions these are.
pub(crate) const SESSIONS: u64 = 3;

/// Its subscriptions and registrations: what `petasus_members` counts.
const MEMBERS: u64 = 1;

impl Witness {
    pub(crate) async fn new(running: &Running) -> Witness {
        let mut subscriber = Wamp::join(running.address, Serializer::MsgPack, "default").await;
        subscriber.subscribe("row.", Dict::new().with("match", "prefix")).await;
        let mut callee = Wamp::join(running.address, Serializer::Cbor, "default").await;
        callee.register("row.callee", Dict::new()).await;
        let (publisher, broker) = (json(running).await, running.broker.clone());
        Witness { publisher, subscriber, callee, broker }
    }

    /// Events and calls work as before, and nothing of the row `id` has come.
    pub(crate) async fn check(&mut self, id: &str) {
        panics::none();
        self.publisher.publish("row.witness", Dict::new(), text(id)).await;
        let event = self.subscriber.event().await;
        assert_eq!(event.payload.arg_values().unwrap(), [id.into()]);
        assert_eq!(event.details.text("topic"), Ok(Some("row.witness")));
        let request = self.publisher.call("row.callee", Dict::new(), text(id)).await;
        let invocation = self.callee.invocation().await;
        assert_eq!(invocation.payload.arg_values().unwrap(), [id.into()]);
        self.callee.yield_(invocation.request, invocation.payload).await;
        assert_eq!(self.publisher.result(request).await.arg_values().unwrap(), [id.into()]);
    }

    /// Publishes, and hears nothing of it itself.
    pub(crate) async fn publish(&mut self, topic: &str) {
        self.publisher.publish(topic, Dict::new(), text("x")).await;
    }

    /// The number that one of the broker's procedures answers.
    pub(crate) async fn ask(&mut self, procedure: &str) -> Option<u64> {
        self.publisher.ask(procedure, &[]).await[0].as_id()
    }

    /// Nobody else is left, and nothing of them.
    pub(crate) async fn is_alone(&mut self) {
        until(&self.broker, "others to be gone", |metrics| {
            let sessions = metrics.value("petasus_sessions");
            let connections = metrics.value("petasus_connections");
            (sessions, connections, metrics.members()) == (SESSIONS, SESSIONS, MEMBERS)
        })
        .await;
        self.check("alone").await;
    }

    /// Leaves too: nothing is left at all.
    pub(crate) async fn leave(mut self) {
        self.is_alone().await;
        let broker = self.broker.clone();
        drop(self);
        until(&broker, "the witness to be gone", |metrics| {
            let gauges = ["sessions", "connections", "topics", "members", "queue_held", "sockets"];
            gauges.iter().all(|gauge| metrics.value(&format!("petasus_{gauge}")) == 0)
        })
        .await;
        panics::none();
    }
}
