//! More of what a WAMP client says, and what it must hear then.
#![allow(dead_code, reason = "each test takes the part that it needs")]

use petasus_protocol::wamp::{Dict, Limits, Message, Payload, Value, message};

use crate::client::Wamp;
use crate::raw::{BINARY, PONG, TEXT, message as frame};

impl Wamp {
    /// SUBSCRIBE, which must be answered by SUBSCRIBED; the subscription.
    pub(crate) async fn subscribe(&mut self, topic: &str, options: Dict) -> u64 {
        let request = self.request();
        self.say(message::Subscribe { request, options, topic: topic.to_owned() }).await;
        match self.hear().await {
            Message::Subscribed(subscribed) if subscribed.request == request => subscribed.subscription,
            other => panic!("{other:?} instead of SUBSCRIBED"),
        }
    }

    /// PUBLISH with `acknowledge`, which must be answered by PUBLISHED.
    pub(crate) async fn publish(&mut self, topic: &str, options: Dict, payload: Payload) {
        let (request, options) = (self.request(), options.with("acknowledge", true));
        self.say(message::Publish { request, options, topic: topic.to_owned(), payload }).await;
        match self.hear().await {
            Message::Published(published) if published.request == request => {}
            other => panic!("{other:?} instead of PUBLISHED"),
        }
    }

    /// The next message, which must be EVENT.
    pub(crate) async fn event(&mut self) -> message::Event {
        match self.hear().await {
            Message::Event(event) => event,
            other => panic!("{other:?} instead of EVENT"),
        }
    }

    /// A call of one of the broker's procedures, which must have a result.
    pub(crate) async fn ask(&mut self, procedure: &str, args: &[Value]) -> Vec<Value> {
        let payload = Payload::of_values(self.serializer, args, &Dict::new());
        let request = self.call(procedure, Dict::new(), payload).await;
        self.result(request).await.arg_values().unwrap()
    }

    /// The next message, which must be ABORT with this reason; then the connection ends with this code.
    pub(crate) async fn aborted(&mut self, reason: &str, code: u16) {
        match self.hear().await {
            Message::Abort(abort) => assert_eq!(abort.reason, reason, "{abort:?}"),
            other => panic!("{other:?} instead of ABORT"),
        }
        self.closed(code).await;
    }

    /// The next message, which must be GOODBYE with this reason.
    pub(crate) async fn goodbye(&mut self, reason: &str) {
        match self.hear().await {
            Message::Goodbye(goodbye) => assert_eq!(goodbye.reason, reason, "{goodbye:?}"),
            other => panic!("{other:?} instead of GOODBYE"),
        }
    }

    /// The connection ends with this code.
    pub(crate) async fn closed(&mut self, code: u16) {
        let close = self.raw().expect_close().await;
        assert_eq!(close[..2], code.to_be_bytes(), "{:?}", String::from_utf8_lossy(&close[2..]));
    }

    /// The frame of a message, to be sent together with others.
    pub(crate) fn frame(&self, message: impl Into<Message>) -> Vec<u8> {
        let opcode = if self.serializer.is_text() { TEXT } else { BINARY };
        frame(opcode, &message.into().encode(self.serializer))
    }

    /// As `aborted`, behind any number of pongs.
    pub(crate) async fn aborted_after_pongs(&mut self, reason: &str, code: u16) {
        let abort = loop {
            let frame = self.raw().next().await.expect("the connection is open");
            if frame.first != PONG {
                break Message::decode(self.serializer, &frame.payload.into(), &Limits::default()).unwrap();
            }
        };
        match abort {
            Message::Abort(abort) => assert_eq!(abort.reason, reason, "{abort:?}"),
            other => panic!("{other:?} instead of ABORT"),
        }
        self.closed(code).await;
    }
}
