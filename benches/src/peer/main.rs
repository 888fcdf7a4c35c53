//! `peer-tungstenite`: the broker that somebody who knows tokio-tungstenite well would write in an afternoon, to
//! measure Petasus against. It speaks as much of the Mercury dialect as the comparison needs: what arrives on
//! `/pub/T` goes to every `/sub/T`.
//!
//! It is tuned, so that the comparison is fair: 4 KiB read buffers (the library zero-fills the whole buffer at each
//! read; its default is 128 KiB), messages shared and not copied between subscribers, everything a subscriber has
//! queued fed to the socket and flushed once, `TCP_NODELAY`, no allocation while a connection is idle, and the large
//! future of the handshake kept out of the connection's task. It leaves out what Petasus does besides: limits on
//! queues, idle and handshake timeouts, Origin, metrics.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use clap::Parser;
use futures_util::{SinkExt, StreamExt};
use parking_lot::Mutex;
use slab::Slab;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::StatusCode;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async_with_config};

/// Bytes of each connection's read buffer.
const READ_BUFFER: usize = 4096;
/// Messages that a subscriber takes off its queue before it flushes.
const BATCH: usize = 256;

/// The tuned tokio-tungstenite broker that Petasus is compared with.
#[derive(Debug, Parser)]
#[command(name = "peer-tungstenite", version)]
struct Arguments {
    /// Address to listen on; port 0 takes any free one.
    #[arg(short, long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// Worker threads.
    #[arg(long, default_value_t = 1)]
    threads: usize,
}

fn main() -> io::Result<()> {
    let arguments = Arguments::parse();
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(arguments.threads)
        .enable_io()
        .build()?
        .block_on(listen(arguments.listen))
}

async fn listen(address: SocketAddr) -> io::Result<()> {
    let listener = TcpListener::bind(address).await?;
    println!("peer-tungstenite: listening on http://{}", listener.local_addr()?);
    let topics = Arc::new(Topics::default());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        tokio::spawn(shake_hands(stream, Arc::clone(&topics)));
    }
}

/// What a path asks for.
enum Role {
    Publisher(Arc<Topic>),
    Subscriber(Membership, UnboundedReceiver<Message>),
}

impl Role {
    /// A subscriber is a member from here on: before its client sees the 101.
    fn of_path(path: &str, topics: &Topics) -> Option<Self> {
        if let Some(name) = path.strip_prefix("/pub/") {
            return Some(Self::Publisher(topics.topic(name)));
        }
        let topic = topics.topic(path.strip_prefix("/sub/")?);
        let (number, queue) = topic.join();
        Some(Self::Subscriber(Membership { topic, number }, queue))
    }
}

/// A subscriber's place in its topic, left when it is dropped.
struct Membership {
    topic: Arc<Topic>,
    number: usize,
}

impl Drop for Membership {
    fn drop(&mut self) {
        self.topic.leave(self.number);
    }
}

/// Upgrades a connection and hands it to a task of its own, which holds nothing of the handshake.
async fn shake_hands(stream: TcpStream, topics: Arc<Topics>) {
    let mut role = None;
    // The signature is tungstenite's.
    #[allow(clippy::result_large_err)]
    let route = |request: &Request, response: Response| -> Result<Response, ErrorResponse> {
        role = Role::of_path(request.uri().path(), &topics);
        if role.is_some() {
            return Ok(response);
        }
        let mut refusal = ErrorResponse::new(None);
        *refusal.status_mut() = StatusCode::NOT_FOUND;
        Err(refusal)
    };
    let config = WebSocketConfig::default().read_buffer_size(READ_BUFFER);
    let Ok(socket) = accept_hdr_async_with_config(stream, route, Some(config)).await else { return };
    match role {
        Some(Role::Publisher(topic)) => {
            tokio::spawn(publisher(socket, topic));
        }
        Some(Role::Subscriber(membership, queue)) => {
            tokio::spawn(subscriber(socket, membership, queue));
        }
        None => {}
    }
}

/// Reads messages and queues each for all subscribers, whose tasks write them.
async fn publisher(mut socket: WebSocketStream<TcpStream>, topic: Arc<Topic>) {
    while let Some(Ok(message)) = socket.next().await {
        if message.is_text() || message.is_binary() {
            topic.publish(&message);
        }
    }
}

/// Delivers until the connection ends, one way or the other.
async fn subscriber(
    socket: WebSocketStream<TcpStream>,
    membership: Membership,
    queue: UnboundedReceiver<Message>,
) {
    let _ = deliver(socket, queue).await;
    drop(membership);
}

/// Writes what is queued, all of it with one flush, until the client goes.
async fn deliver(
    mut socket: WebSocketStream<TcpStream>,
    mut queue: UnboundedReceiver<Message>,
) -> Result<(), Error> {
    let mut batch = Vec::new();
    loop {
        tokio::select! {
            taken = queue.recv_many(&mut batch, BATCH) => {
                if taken == 0 {
                    return Ok(());
                }
                for message in batch.drain(..) {
                    socket.feed(message).await?;
                }
                socket.flush().await?;
            }
            received = socket.next() => match received {
                Some(received) => drop(received?),
                None => return Ok(()),
            },
        }
    }
}

/// All topics by name; they live as long as the process.
#[derive(Default)]
struct Topics {
    by_name: Mutex<HashMap<String, Arc<Topic>>>,
}

impl Topics {
    fn topic(&self, name: &str) -> Arc<Topic> {
        Arc::clone(self.by_name.lock().entry(name.to_owned()).or_default())
    }
}

/// The subscribers of one topic.
#[derive(Default)]
struct Topic {
    subscribers: Mutex<Slab<UnboundedSender<Message>>>,
}

impl Topic {
    fn join(&self) -> (usize, UnboundedReceiver<Message>) {
        let (sender, receiver) = unbounded_channel();
        (self.subscribers.lock().insert(sender), receiver)
    }

    fn leave(&self, number: usize) {
        self.subscribers.lock().remove(number);
    }

    /// Queues `message` for every subscriber. The payload is shared; the lock keeps one order for all.
    fn publish(&self, message: &Message) {
        for (_, queue) in self.subscribers.lock().iter() {
            // Refused by a subscriber that is about to leave.
            let _ = queue.send(message.clone());
        }
    }
}
