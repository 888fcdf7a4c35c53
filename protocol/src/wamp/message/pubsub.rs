//! Publish and subscribe.

use super::message;
use crate::wamp::codec::{Arguments, Details, Field, Id, OptionalDetails, Request, Text};
use crate::wamp::envelope::Writer;
use crate::wamp::{Dict, Payload, Serializer};

message! {
    /// A publisher publishes.
    Publish = 16 "PUBLISH" {
        /// The publisher's number of this request.
        request: u64 as Request,
        /// Options such as `acknowledge` and `exclude_me`.
        options: Dict as Details,
        /// The topic.
        topic: String as Text,
        /// The event.
        payload: Payload as Arguments,
    }
}

message! {
    /// The answer to a PUBLISH with `acknowledge`.
    Published = 17 "PUBLISHED" {
        /// The number of the request.
        request: u64 as Request,
        /// The id of the publication.
        publication: u64 as Id,
    }
}

message! {
    /// A subscriber wants the events of a topic, or of all topics that match a pattern.
    Subscribe = 32 "SUBSCRIBE" {
        /// The subscriber's number of this request.
        request: u64 as Request,
        /// Options such as `match`.
        options: Dict as Details,
        /// The topic or pattern.
        topic: String as Text,
    }
}

message! {
    /// The answer to SUBSCRIBE.
    Subscribed = 33 "SUBSCRIBED" {
        /// The number of the request.
        request: u64 as Request,
        /// The id of the subscription, which all its subscribers share.
        subscription: u64 as Id,
    }
}

message! {
    /// A subscriber has enough.
    Unsubscribe = 34 "UNSUBSCRIBE" {
        /// The subscriber's number of this request.
        request: u64 as Request,
        /// The id of the subscription.
        subscription: u64 as Id,
    }
}

message! {
    /// The answer to UNSUBSCRIBE; or, with request 0, the router took the subscription away (WAMP Advanced Profile,
    /// "Subscription Revocation").
    Unsubscribed = 35 "UNSUBSCRIBED" {
        /// The number of the request, or 0.
        request: u64 as Id,
        /// With request 0: `subscription`, and maybe `reason`. Otherwise empty, and not written.
        details: Dict as OptionalDetails,
    }
}

message! {
    /// An event for a subscription.
    Event = 36 "EVENT" {
        /// The id of the subscription.
        subscription: u64 as Id,
        /// The id of the publication, the same for all subscribers.
        publication: u64 as Id,
        /// Details such as `topic` (of a pattern's subscription) and `publisher`.
        details: Dict as Details,
        /// What was published.
        payload: Payload as Arguments,
    }
}

/// Writes an EVENT behind what is in `out` from borrowed parts: what a broker does once per subscription and
/// serializer. With a payload of this serializer ([`Payload::transcoded`]) its bytes are copied as they are.
pub fn encode_event(
    serializer: Serializer,
    subscription: u64,
    publication: u64,
    details: &Dict,
    payload: &Payload,
    out: &mut Vec<u8>,
) {
    out.reserve(48 + Details::size(details) + payload.len());
    let mut writer = Writer::new(serializer, out, 4 + payload.elements());
    writer.unsigned(Event::CODE).unsigned(subscription).unsigned(publication).dict(details).payload(payload);
    writer.finish();
}
