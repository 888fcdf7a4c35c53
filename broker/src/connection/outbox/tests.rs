use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Wake;

use bytes::Bytes;
use petasus_protocol::{Message, Topic};
use tokio::net::{TcpListener, TcpStream};

use super::*;
use crate::admin::Metrics;
use crate::connection::socket::Stream;
use crate::dialect::Dialect;
use crate::hub::Outbox as _;

/// Counts how often a task is woken.
#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

fn parcel(text: &str) -> Parcel {
    Parcel::one(Topic::new("t"), Message::from(text))
}

/// An outbox with a socket, and the other end of that.
async fn connected() -> (Outbox, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let peer = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
    let (stream, _) = listener.accept().await.unwrap();
    let outbox = Outbox::new(Wire::Bare(Dialect::Mercury), OverflowPolicy::Close, 1024);
    let (_receiver, sender) = Stream::Tcp(stream).split();
    outbox.0.attach(sender);
    (outbox, peer)
}

/// Otherwise the Close frame would wait until something else wakes the owner.
#[tokio::test]
async fn an_owner_that_closes_hears_when_others_are_done_with_its_outbox() {
    let (outbox, _peer) = connected().await;
    let mut batch = Batch::new();
    outbox.append(&parcel("last"), Via::NONE, &mut batch);
    outbox.0.close(false);
    outbox.0.push_close(Bytes::new(), false);

    let woken = Arc::new(Count::default());
    let waker = Waker::from(woken.clone());
    let mut cx = Context::from_waker(&waker);
    assert_eq!(outbox.0.look(&mut cx), Look::Nothing, "somebody is about to write");
    batch.flush_now(&Metrics::new());
    assert_eq!(woken.0.load(Ordering::Relaxed), 1);
    assert_eq!(outbox.0.look(&mut cx), Look::Write);
}

/// Otherwise the same bytes would be written twice.
#[tokio::test]
async fn an_owner_never_writes_while_another_does() {
    let (outbox, _peer) = connected().await;
    let mut batch = Batch::new();
    outbox.append(&parcel("once"), Via::NONE, &mut batch);
    outbox.0.state.lock().pipe = Pipe::Writing;
    let mut writes = 0;
    outbox.0.unblock();
    outbox.0.flush_as_owner(&mut writes);
    assert_eq!(writes, 0);
    assert_eq!(outbox.0.state.lock().pipe, Pipe::Writing);
}
