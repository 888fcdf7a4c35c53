//! rumqttc, as its documentation shows it: an `AsyncClient` that publishes, and an event loop that is polled, by a
//! task where only publishing is wanted. The queue between them has 10 places, as in its examples.
//!
//! Where latency is measured `TCP_NODELAY` is set on both sides: mosquitto.conf(5) says that this reduces it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rumqttc::{AsyncClient, Event, EventLoop, Incoming, MqttOptions, NetworkOptions, Outgoing, QoS};
use tokio::time::sleep;

use crate::error::LoadError;
use crate::stamp::Stamp;

use super::client::{Acknowledged, Connection, Deadline, Inbox, Messages, Publisher, Seat, TOPIC};
use super::contestant::Contestant;

/// The queue of the examples.
const QUEUE: usize = 10;

/// How often the end of a run is looked for, once all is published.
const LOOK: Duration = Duration::from_millis(1);

/// A connection that publishes; a task polls its event loop.
pub(super) struct Mqtt {
    client: AsyncClient,
    seat: Seat,
    /// Messages given to the client.
    sent: AtomicU64,
    progress: Arc<Progress>,
}

/// What the event loop has done.
#[derive(Debug, Default)]
struct Progress {
    written: AtomicU64,
    acknowledged: AtomicU64,
}

/// A connection that subscribes; whoever waits for a message polls its event loop.
pub(super) struct Subscription {
    /// The event loop ends with its last client.
    _client: AsyncClient,
    seat: Seat,
    events: EventLoop,
}

/// Two connections of one process tell each other apart by their number.
static CONNECTIONS: AtomicU64 = AtomicU64::new(0);

/// A client and its event loop, connected.
async fn connect(seat: &Seat) -> Result<(AsyncClient, EventLoop), LoadError> {
    let (host, port) = seat.address.split_once(':').ok_or_else(|| seat.error("no port"))?;
    let port = port.parse().map_err(|error| seat.error(error))?;
    let number = CONNECTIONS.fetch_add(1, Ordering::Relaxed);
    let mut options = MqttOptions::new(format!("load-{}-{number}", std::process::id()), host, port);
    options.set_inflight(u16::try_from(seat.window).unwrap_or(u16::MAX));
    let (client, mut events) = AsyncClient::new(options, QUEUE);
    if seat.hurried {
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        events.set_network_options(network);
    }
    loop {
        let event = events.poll().await.map_err(|error| seat.error(error))?;
        if let Event::Incoming(Incoming::ConnAck(_)) = event {
            return Ok((client, events));
        }
    }
}

fn quality(contestant: Contestant) -> QoS {
    if contestant == Contestant::Qos1 { QoS::AtLeastOnce } else { QoS::AtMostOnce }
}

impl Progress {
    /// Polls for ever; what goes wrong ends the client, which says so at its next publish.
    async fn follow(self: Arc<Self>, mut events: EventLoop) {
        while let Ok(event) = events.poll().await {
            match event {
                // The event loop has flushed before it says so.
                Event::Outgoing(Outgoing::Publish(_)) => self.written.fetch_add(1, Ordering::Relaxed),
                Event::Incoming(Incoming::PubAck(_)) => self.acknowledged.fetch_add(1, Ordering::Relaxed),
                _ => continue,
            };
        }
    }
}

impl Connection for Mqtt {
    async fn connect(seat: &Seat) -> Result<Self, LoadError> {
        let (client, events) = connect(seat).await?;
        let progress = Arc::new(Progress::default());
        tokio::spawn(Arc::clone(&progress).follow(events));
        Ok(Self { client, seat: seat.clone(), sent: AtomicU64::new(0), progress })
    }
}

impl Publisher for Mqtt {
    async fn send(&self, payload: &[u8]) -> Result<(), LoadError> {
        let published = self.client.publish(TOPIC, quality(self.seat.contestant), false, payload).await;
        self.sent.fetch_add(1, Ordering::Relaxed);
        published.map_err(|error| self.seat.error(error))
    }

    async fn settle(&self) -> Result<(), LoadError> {
        while self.progress.written.load(Ordering::Relaxed) < self.sent.load(Ordering::Relaxed) {
            sleep(LOOK).await;
        }
        Ok(())
    }
}

impl Acknowledged for Mqtt {
    /// The event loop keeps as many in flight as the options allow.
    async fn flood(&self, mut messages: Messages, until: Instant) -> Result<u64, LoadError> {
        let mut deadline = Deadline::at(until);
        while !deadline.is_passed() {
            self.send(messages.next()).await?;
        }
        while self.progress.acknowledged.load(Ordering::Relaxed) < messages.sent() {
            sleep(LOOK).await;
        }
        Ok(messages.sent())
    }
}

impl Inbox for Subscription {
    async fn open(seat: &Seat) -> Result<Self, LoadError> {
        let (client, mut events) = connect(seat).await?;
        client.subscribe(TOPIC, quality(seat.contestant)).await.map_err(|error| seat.error(error))?;
        loop {
            let event = events.poll().await.map_err(|error| seat.error(error))?;
            if let Event::Incoming(Incoming::SubAck(_)) = event {
                return Ok(Self { _client: client, seat: seat.clone(), events });
            }
        }
    }

    async fn next(&mut self) -> Result<Option<Stamp>, LoadError> {
        loop {
            let event = self.events.poll().await.map_err(|error| self.seat.error(error))?;
            if let Event::Incoming(Incoming::Publish(message)) = event {
                return Ok(Stamp::read(&message.payload));
            }
        }
    }
}
