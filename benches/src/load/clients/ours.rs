//! Our client, as its documentation shows it: `connect`, `publish`, `subscribe`, `call`, `register`. All options but
//! the dialect and the serializer are the defaults.

use std::time::{Duration, Instant};

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use petasus::{Client, Dialect, Message, Serializer};

use crate::error::LoadError;
use crate::stamp::Stamp;

use super::client::{
    Acknowledged, Callee, Caller, Connection, Deadline, Inbox, Messages, Publisher, Seat, TOPIC,
};
use super::contestant::Contestant;

/// How long the last messages may take to leave.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection.
pub(super) struct Ours {
    client: Client,
    seat: Seat,
}

/// A subscription; it keeps its connection.
pub(super) struct Subscription {
    seat: Seat,
    messages: petasus::Subscription,
}

/// A registered procedure; it keeps its connection.
pub(super) struct Procedure {
    seat: Seat,
    calls: petasus::Calls,
}

impl Connection for Ours {
    async fn connect(seat: &Seat) -> Result<Self, LoadError> {
        let client = Client::builder(&format!("ws://{}", seat.address));
        let client = match seat.contestant {
            Contestant::Mercury => client.dialect(Dialect::Mercury),
            Contestant::Cbor => client.serializer(Serializer::Cbor),
            _ => client.serializer(Serializer::Json),
        };
        let client = client.connect().await.map_err(|error| seat.error(error))?;
        Ok(Self { client, seat: seat.clone() })
    }
}

impl Publisher for Ours {
    /// In the mode for those who publish much and need no answer: it waits for room only.
    async fn send(&self, payload: &[u8]) -> Result<(), LoadError> {
        let queued = self.client.publish(TOPIC, text(payload)).queued().await;
        queued.map_err(|error| self.seat.error(error))
    }

    async fn settle(&self) -> Result<(), LoadError> {
        self.client.drain(PATIENCE).await.map_err(|error| self.seat.error(error))
    }
}

impl Acknowledged for Ours {
    async fn flood(&self, mut messages: Messages, until: Instant) -> Result<u64, LoadError> {
        let mut deadline = Deadline::at(until);
        let mut flying = FuturesUnordered::new();
        let mut acknowledged = 0;
        loop {
            while flying.len() < self.seat.window && !deadline.is_passed() {
                flying.push(self.client.publish(TOPIC, text(messages.next())).into_future());
            }
            let Some(landed) = flying.next().await else { return Ok(acknowledged) };
            landed.map_err(|error| self.seat.error(error))?;
            acknowledged += 1;
        }
    }
}

impl Inbox for Subscription {
    async fn open(seat: &Seat) -> Result<Self, LoadError> {
        let ours = Ours::connect(seat).await?;
        let messages = ours.client.subscribe(TOPIC).await.map_err(|error| seat.error(error))?;
        Ok(Self { seat: seat.clone(), messages })
    }

    async fn next(&mut self) -> Result<Option<Stamp>, LoadError> {
        let message = self.messages.next().await.ok_or_else(|| self.seat.error("the subscription ended"))?;
        Ok(stamp(&message))
    }
}

impl Caller for Ours {
    async fn call(&self, payload: &[u8]) -> Result<Option<Stamp>, LoadError> {
        let answer = self.client.call(TOPIC).args((text(payload),)).await;
        Ok(stamp(&answer.map_err(|error| self.seat.error(error))?))
    }
}

impl Callee for Procedure {
    async fn offer(seat: &Seat) -> Result<Self, LoadError> {
        let ours = Ours::connect(seat).await?;
        let calls = ours.client.register(TOPIC).await.map_err(|error| seat.error(error))?;
        Ok(Self { seat: seat.clone(), calls })
    }

    /// One after the other, as all the callees do: the answers are ready at once.
    async fn serve(mut self) -> Result<(), LoadError> {
        while let Some(call) = self.calls.next().await {
            let content = call.content().clone();
            call.reply(content).await.map_err(|error| self.seat.error(error))?;
        }
        Err(self.seat.error("the registration ended"))
    }
}

/// The payloads are ASCII; what the check costs is part of the cost of having bytes and a client that sends texts.
fn text(payload: &[u8]) -> &str {
    std::str::from_utf8(payload).expect("messages are made of ASCII")
}

fn stamp(message: &Message) -> Option<Stamp> {
    Stamp::read(message.text()?.as_bytes())
}
