//! Hooks of one connection run in the order of its messages, and hold up nobody else.

use std::sync::{Arc, OnceLock};

use petasus_broker::Broker;
use petasus_broker::auth::{Action, Denied, Operation};
use petasus_protocol::{Message, Topic};
use tokio::sync::{Semaphore, mpsc};

use crate::raw::{CLOSE, FIN, Raw, TEXT, close, message, soon};
use crate::running::{Running, config, seconds};
use crate::{SENDING, start};

/// A hook that tells what it is asked about, and answers about `slow...` when it is let go.
struct Gate {
    asked: mpsc::UnboundedReceiver<String>,
    open: Arc<Semaphore>,
}

impl Gate {
    async fn start(action: Action) -> (Running, Gate) {
        let (tell, asked) = mpsc::unbounded_channel();
        let open = Arc::new(Semaphore::new(0));
        let gate = Gate { asked, open: open.clone() };
        let hook = move |operation: Operation| {
            let (tell, open) = (tell.clone(), open.clone());
            async move {
                let text = operation.message.unwrap().as_str().unwrap().to_owned();
                let slow = text.starts_with("slow");
                tell.send(text).unwrap();
                if slow {
                    open.acquire().await.unwrap().forget();
                }
                Ok(())
            }
        };
        let mut config = config("http://127.0.0.1:0?dialects=mercury,pinghub:/hub");
        config.outbox.bytes = 1 << 26;
        // However slow the machine is, only the gate answers.
        config.hooks.timeout = seconds(3600.0);
        (start(Broker::builder().config(config).on(action, hook)).await, gate)
    }

    async fn expect_question(&mut self, text: &str) {
        assert_eq!(soon("a question", self.asked.recv()).await.unwrap(), text);
    }
}

/// REQ-HOOK-003, REQ-HOOK-005
#[tokio::test]
async fn messages_of_a_connection_wait_for_each_other_and_for_nobody_else() {
    for (from, to, action) in SENDING {
        let (running, mut gate) = Gate::start(action).await;
        let mut receiver = Raw::open(running.address, to).await;
        let mut sender = Raw::open(running.address, from).await;
        let mut other = Raw::open(running.address, from).await;
        let messages = ["slow one", "two", "slow three", "four"].map(|text| message(TEXT, text.as_bytes()));
        // In two writes, so that some come while the first is asked about.
        sender.send(messages[..2].concat()).await;
        gate.expect_question("slow one").await;
        sender.send(messages[2..].concat()).await;

        other.send(message(TEXT, b"meanwhile")).await;
        gate.expect_question("meanwhile").await;
        receiver.expect(TEXT, "meanwhile").await;
        let mut http = Raw::connect(running.address).await;
        assert_eq!(http.post(from, "posted").await, 200);
        gate.expect_question("posted").await;
        receiver.expect(TEXT, "posted").await;
        assert!(gate.asked.is_empty(), "two is not asked about before one is answered");

        gate.open.add_permits(1);
        for text in ["two", "slow three"] {
            gate.expect_question(text).await;
        }
        for text in ["slow one", "two"] {
            receiver.expect(TEXT, text).await;
        }
        gate.open.add_permits(1);
        gate.expect_question("four").await;
        for text in ["slow three", "four"] {
            receiver.expect(TEXT, text).await;
        }
    }
}

/// REQ-HOOK-005, REQ-BUS-005: a pending question is about sending; receiving goes on.
#[tokio::test]
async fn a_connection_receives_while_its_hook_is_asked() {
    let (running, mut gate) = Gate::start(Action::Send).await;
    let mut waiting = Raw::open(running.address, "/bus/t").await;
    let mut other = Raw::open(running.address, "/bus/t").await;
    waiting.send(message(TEXT, b"slow")).await;
    gate.expect_question("slow").await;
    for text in ["a", "b"] {
        other.send(message(TEXT, text.as_bytes())).await;
        waiting.expect(TEXT, text).await;
    }
    // More than the sockets take unread: the rest is for the waiting connection's own task to write.
    let large = "x".repeat(250_000);
    for _ in 0..32 {
        other.send(message(TEXT, large.as_bytes())).await;
    }
    other.settle().await;
    for _ in 0..32 {
        waiting.expect(TEXT, &large).await;
    }
    gate.open.add_permits(1);
    other.expect(TEXT, "slow").await;
}

/// REQ-HOOK-005
#[tokio::test]
async fn what_was_sent_before_its_sender_hung_up_is_delivered_once_it_is_allowed() {
    let (running, mut gate) = Gate::start(Action::Publish).await;
    let mut subscriber = Raw::open(running.address, "/sub/t").await;
    let mut publisher = Raw::open(running.address, "/pub/t").await;
    publisher.send(message(TEXT, b"slow last words")).await;
    gate.expect_question("slow last words").await;
    drop(publisher);
    // The broker could know of it by now.
    subscriber.settle().await;
    gate.open.add_permits(1);
    subscriber.expect(TEXT, "slow last words").await;
}

/// REQ-HOOK-005, REQ-WS-006, REQ-WS-014: the end waits for what was sent before it, also in the same segment.
#[tokio::test]
async fn what_was_sent_right_before_the_end_is_delivered_before_the_connection_ends() {
    for (from, to, action) in SENDING {
        let (running, mut gate) = Gate::start(action).await;
        let mut receiver = Raw::open(running.address, to).await;
        for (end, code) in [(close(1000, b""), 1000), (vec![FIN | 0x07, 0x80, 1, 2, 3, 4], 1002_u16)] {
            let mut sender = Raw::open(running.address, from).await;
            sender.send([message(TEXT, b"slow last"), message(TEXT, b"words"), end].concat()).await;
            gate.expect_question("slow last").await;
            gate.open.add_permits(1);
            gate.expect_question("words").await;
            assert_eq!(sender.expect_close().await[..2], code.to_be_bytes(), "{from}");
            for text in ["slow last", "words"] {
                receiver.expect(TEXT, text).await;
            }
        }
    }
}

/// The reply to an empty message of Pinghub waits for the messages before it, and holds none behind it up.
///
/// REQ-HOOK-005, REQ-PING-003
#[tokio::test]
async fn an_empty_message_is_answered_in_its_turn() {
    let (running, mut gate) = Gate::start(Action::Send).await;
    let mut channel = Raw::open(running.address, "/hub/t").await;
    let messages = ["slow one", "", "", "slow two", ""].map(|text| message(TEXT, text.as_bytes()));
    channel.send(messages.concat()).await;
    gate.expect_question("slow one").await;
    gate.open.add_permits(1);
    for text in ["slow one", "", ""] {
        channel.expect(TEXT, text).await;
    }
    gate.expect_question("slow two").await;
    gate.open.add_permits(1);
    for text in ["slow two", ""] {
        channel.expect(TEXT, text).await;
    }
    channel.settle().await;
}

/// REQ-DRAIN-001
#[tokio::test]
async fn a_pending_hook_does_not_hold_up_the_drain() {
    let (running, mut gate) = Gate::start(Action::Send).await;
    let mut waiting = Raw::open(running.address, "/bus/t").await;
    waiting.send(message(TEXT, b"slow")).await;
    gate.expect_question("slow").await;
    let stopped = running.begin_to_stop();
    let goodbye = waiting.next().await.expect("a Close frame");
    assert_eq!((goodbye.first, &goodbye.payload[..2]), (CLOSE, &1001_u16.to_be_bytes()[..]));
    drop(waiting);
    let _ = soon("the broker to stop", stopped).await.unwrap();
}

/// REQ-HOOK-002, REQ-HOOK-005: a hook sends to the topic that it is asked about, first when it is called and
/// then when it is awaited.
async fn a_hook_sends_to_the_topic_that_it_is_asked_about() {
    let itself: Arc<OnceLock<Broker>> = Arc::default();
    let hook = {
        let itself = itself.clone();
        move |operation: Operation| {
            let broker = itself.get().unwrap().clone();
            let topic = Topic::new(&operation.topic);
            broker.send(&topic, &Message::text("called").unwrap());
            async move {
                broker.send(&topic, &Message::text("awaited").unwrap());
                Ok::<_, Denied>(())
            }
        }
    };
    let broker = Broker::builder().config(config("http://127.0.0.1:0")).on(Action::Join, hook.clone());
    let running = start(broker.on(Action::Send, hook)).await;
    itself.get_or_init(|| running.broker.clone());
    let mut first = Raw::open(running.address, "/bus/t?echo=1").await;
    let mut second = Raw::open(running.address, "/bus/t").await;
    first.expect(TEXT, "called").await;
    first.expect(TEXT, "awaited").await;
    for text in ["one", "two"] {
        first.send(message(TEXT, text.as_bytes())).await;
        for peer in [&mut first, &mut second] {
            for text in ["called", "awaited", text] {
                peer.expect(TEXT, text).await;
            }
        }
    }
    let mut http = Raw::connect(running.address).await;
    assert_eq!(http.post("/bus/t", "three").await, 200);
    for text in ["called", "awaited", "three"] {
        second.expect(TEXT, text).await;
    }
    // Many at once, from both sides.
    let burst: Vec<u8> = (0..100).flat_map(|n: u32| message(TEXT, n.to_string().as_bytes())).collect();
    first.send(&burst).await;
    second.send(&burst).await;
    for (peer, messages) in [(&mut first, 600), (&mut second, 500)] {
        for _ in 0..messages {
            assert_eq!(peer.next().await.expect("the connection is open").first, FIN | TEXT);
        }
    }
}

#[tokio::test]
async fn a_hook_may_send_to_the_topic_that_it_is_asked_about() {
    a_hook_sends_to_the_topic_that_it_is_asked_about().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hook_may_send_to_the_topic_that_it_is_asked_about_from_several_threads() {
    a_hook_sends_to_the_topic_that_it_is_asked_about().await;
}
