//! async-nats, as its documentation shows it: `connect`, `publish`, `flush`, `subscribe`, `request`, and a callee
//! that publishes to the reply subject. All options are the defaults.

use async_nats::{Client, Subscriber};
use bytes::Bytes;
use futures_util::StreamExt;

use crate::error::LoadError;
use crate::stamp::Stamp;

use super::client::{Callee, Caller, Connection, Inbox, Publisher, Seat, TOPIC};

/// A connection.
pub(super) struct Nats {
    client: Client,
    seat: Seat,
}

/// A subscription and its connection.
pub(super) struct Subscription {
    nats: Nats,
    messages: Subscriber,
}

impl Nats {
    async fn subscribe(self) -> Result<Subscription, LoadError> {
        let messages = self.client.subscribe(TOPIC).await.map_err(|error| self.seat.error(error))?;
        // The server answers nothing to a subscription. What it answers to a later request says that it stands.
        let nobody = self.client.request("nobody.there", Bytes::new()).await;
        nobody.err().ok_or_else(|| self.seat.error("a request that nobody should hear was answered"))?;
        Ok(Subscription { nats: self, messages })
    }
}

impl Connection for Nats {
    async fn connect(seat: &Seat) -> Result<Self, LoadError> {
        let client = async_nats::connect(&seat.address).await.map_err(|error| seat.error(error))?;
        Ok(Self { client, seat: seat.clone() })
    }
}

impl Publisher for Nats {
    async fn send(&self, payload: &[u8]) -> Result<(), LoadError> {
        let published = self.client.publish(TOPIC, Bytes::copy_from_slice(payload)).await;
        published.map_err(|error| self.seat.error(error))
    }

    async fn settle(&self) -> Result<(), LoadError> {
        self.client.flush().await.map_err(|error| self.seat.error(error))
    }
}

impl Inbox for Subscription {
    async fn open(seat: &Seat) -> Result<Self, LoadError> {
        Nats::connect(seat).await?.subscribe().await
    }

    async fn next(&mut self) -> Result<Option<Stamp>, LoadError> {
        let message =
            self.messages.next().await.ok_or_else(|| self.nats.seat.error("the subscription ended"))?;
        Ok(Stamp::read(&message.payload))
    }
}

impl Caller for Nats {
    async fn call(&self, payload: &[u8]) -> Result<Option<Stamp>, LoadError> {
        let answer = self.client.request(TOPIC, Bytes::copy_from_slice(payload)).await;
        let answer = answer.map_err(|error| self.seat.error(error))?;
        Ok(Stamp::read(&answer.payload))
    }
}

impl Callee for Subscription {
    async fn offer(seat: &Seat) -> Result<Self, LoadError> {
        Self::open(seat).await
    }

    async fn serve(mut self) -> Result<(), LoadError> {
        while let Some(call) = self.messages.next().await {
            let Some(reply) = call.reply else { continue };
            let published = self.nats.client.publish(reply, call.payload).await;
            published.map_err(|error| self.nats.seat.error(error))?;
        }
        Err(self.nats.seat.error("the subscription ended"))
    }
}
