use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use petasus_protocol::Topic;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream};

use crate::auth::{Hooks, SharedAccess};
use crate::config::Config;
use crate::connection::{Batch, Connection, Conversation, Stream};
use crate::core::Core;
use crate::dialect::{Dialect, Role};

/// Long enough for every other patience to end before.
const DRAIN: Duration = Duration::from_mins(1);

fn core() -> Arc<Core> {
    let config = Config {
        drain_timeout: crate::config::Seconds::from_f64(DRAIN.as_secs_f64()).unwrap(),
        ..Config::default()
    };
    Arc::new(Core::new(config, Hooks::default(), SharedAccess::open("").unwrap()).unwrap())
}

/// Serves a publisher on a pipe of a few bytes, as the listener would; gives the client's end.
fn serve(core: &Arc<Core>) -> DuplexStream {
    let (ours, theirs) = tokio::io::duplex(8);
    let outbox = core.new_outbox(Dialect::Mercury);
    let listed = core.list(&outbox).unwrap();
    let role = Role::Publish { topic: Topic::new("a") };
    let membership = core.realm.join(role, outbox, core.clock, &core.metrics, &mut Batch::new());
    let stream = Stream::Other(Box::new(ours));
    let conversation = Conversation::member(core.clone(), Dialect::Mercury, membership, None);
    tokio::spawn(Connection::new(core.clone(), conversation, stream, listed).run(Bytes::new()));
    theirs
}

/// Drains as an embedding program does; how many were cut off.
async fn drain(core: &Core) -> usize {
    core.drain();
    core.drained().await
}

/// A client that takes nothing: its Close frame does not fit into the pipe.
///
/// REQ-DRAIN-001
#[tokio::test(start_paused = true)]
async fn no_task_outlives_the_drain() {
    let core = core();
    let client = serve(&core);
    assert_eq!((drain(&core).await, core.live().connections), (1, 0));
    drop(client);
}

/// A client that goes on sending after our Close frame, which comes late.
///
/// REQ-DRAIN-001
#[tokio::test(start_paused = true)]
async fn a_closing_connection_is_not_read_beyond_the_drain() {
    let core = core();
    let (reader, mut writer) = tokio::io::split(serve(&core));
    let flood = tokio::spawn(async move {
        // The beginning of a long binary message (RFC 6455 5.2), and then more and more of it.
        let _ = writer.write_all(&[0x82, 0xfe, 0xff, 0xff, 0, 0, 0, 0]).await;
        while writer.write_all(b"x").await.is_ok() {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    let late = tokio::spawn(async move {
        tokio::time::sleep(Duration::from_secs(58)).await;
        read_to_end(reader).await
    });
    assert_eq!((drain(&core).await, core.live().connections), (1, 0));
    assert!(late.await.unwrap().ends_with(b"shutting down"));
    flood.await.unwrap();
}

async fn read_to_end(mut reader: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut bytes = Vec::new();
    reader.read_to_end(&mut bytes).await.unwrap();
    bytes
}

/// REQ-DRAIN-001
#[tokio::test(start_paused = true)]
async fn who_goes_in_time_is_not_cut_off() {
    let core = core();
    let client = serve(&core);
    let client = tokio::spawn(read_to_end(client));
    assert_eq!((drain(&core).await, core.live().connections), (0, 0));
    assert!(client.await.unwrap().ends_with(b"shutting down"));
}
