//! Messages on their way to many: encoded once for each wire, whoever and how many receive them.

use std::cell::{OnceCell, RefCell};
use std::sync::Arc;

use bytes::Bytes;
use petasus_protocol::wamp::message::encode_event;
use petasus_protocol::wamp::rawsocket::HEADER_LEN;
use petasus_protocol::wamp::{Payload, Serializer, batched, bridge};
use petasus_protocol::{Message, Topic};

use super::header::Header;
use super::pending::{BINARY, Item, TEXT};
use super::rawsocket;
use super::scratch::SHARE_FROM;
use super::wire::{Framing, Wire, put_header};
use crate::dialect::Dialect;
use crate::dialect::wamp::event_details;
use crate::hub::Via;
use crate::session::Identity;

/// Messages of one sender to one topic that came together, in order.
pub(crate) struct Parcel {
    topic: Topic,
    content: Content,
    /// For the bare wires.
    bare: [OnceCell<Encoded>; Dialect::ALL.len()],
    /// For the WAMP wires: the events of the subscription that was served last.
    events: RefCell<Vec<Events>>,
    /// The publications as each serialisation has them.
    publications: [OnceCell<Vec<Publication>>; Serializer::ALL.len()],
    /// The messages as bare wires have them, if they came as publications.
    messages: OnceCell<Vec<Message>>,
    /// The publication ids of what came as messages.
    ids: OnceCell<Vec<u64>>,
}

/// What was sent.
enum Content {
    Messages(Vec<Message>),
    Publications(Vec<Publication>),
}

/// One WAMP event, before it is known who subscribed to it.
#[derive(Debug, Clone)]
pub(crate) struct Publication {
    /// Random, in 1..=2^53 (WAMP: IDs in the global scope).
    pub(crate) id: u64,
    pub(crate) payload: Payload,
    /// The publisher, if the receivers are to know it (WAMP: publisher identification).
    pub(crate) publisher: Option<Arc<Identity>>,
}

/// How the events look on one wire to the subscribers of one filter.
struct Events {
    serializer: Serializer,
    framing: Framing,
    via: Via,
    encoded: Encoded,
}

/// How the messages look on one wire.
#[derive(Default)]
pub(super) struct Encoded {
    /// There is nearly always one item, and it needs no list.
    first: Option<Item>,
    more: Vec<Item>,
    /// How many messages this wire cannot carry.
    pub(super) unrepresentable: u64,
    /// How many are longer than this receiver takes.
    pub(super) too_long: u64,
    /// Bytes of the longest event; not counted for bare wires, whose clients name no limit.
    pub(super) longest: usize,
}

impl Publication {
    pub(crate) fn new(payload: Payload, publisher: Option<Arc<Identity>>) -> Self {
        Self { id: crate::random::id(), payload, publisher }
    }
}

impl Parcel {
    pub(crate) fn new(topic: Topic, messages: Vec<Message>) -> Self {
        Self::of(topic, Content::Messages(messages))
    }

    pub(crate) fn one(topic: Topic, message: Message) -> Self {
        Self::new(topic, vec![message])
    }

    pub(crate) fn publications(topic: Topic, publications: Vec<Publication>) -> Self {
        Self::of(topic, Content::Publications(publications))
    }

    fn of(topic: Topic, content: Content) -> Self {
        Self {
            topic,
            content,
            bare: Default::default(),
            events: RefCell::default(),
            publications: Default::default(),
            messages: OnceCell::new(),
            ids: OnceCell::new(),
        }
    }

    pub(crate) fn topic(&self) -> &Topic {
        &self.topic
    }

    /// How many messages it has.
    pub(crate) fn len(&self) -> usize {
        match &self.content {
            Content::Messages(messages) => messages.len(),
            Content::Publications(publications) => publications.len(),
        }
    }

    /// Its messages, each in a parcel of its own, with the publication id that it has in this one.
    pub(crate) fn singly(&self) -> impl Iterator<Item = Self> {
        (0..self.len()).map(|place| match &self.content {
            Content::Messages(messages) => {
                let single = Self::one(self.topic.clone(), messages[place].clone());
                Self { ids: OnceCell::from(vec![self.ids(messages)[place]]), ..single }
            }
            Content::Publications(events) => {
                Self::publications(self.topic.clone(), vec![events[place].clone()])
            }
        })
    }

    /// The emptied list of messages, for reuse.
    pub(crate) fn into_list(self) -> Vec<Message> {
        match self.content {
            Content::Messages(mut messages) => {
                messages.clear();
                messages
            }
            Content::Publications(_) => Vec::new(),
        }
    }

    /// Shows `take` the messages encoded for a wire, in runs of at most `longest` bytes.
    pub(super) fn encoded<R>(
        &self,
        wire: Wire,
        via: Via,
        longest: usize,
        take: impl FnOnce(&Encoded) -> R,
    ) -> R {
        match wire {
            Wire::Bare(dialect) => {
                let encode = || Encoded::bare(self.bare_messages(), dialect, longest);
                take(self.bare[dialect as usize].get_or_init(encode))
            }
            Wire::Wamp(serializer, framing) => {
                let mut events = self.events.borrow_mut();
                let known = events.iter().position(|e| e.serializer == serializer && e.framing == framing);
                let place = known.unwrap_or_else(|| {
                    let encoded = self.encode_events(serializer, framing, via, longest);
                    events.push(Events { serializer, framing, via, encoded });
                    events.len() - 1
                });
                if events[place].via != via {
                    events[place].via = via;
                    events[place].encoded = self.encode_events(serializer, framing, via, longest);
                }
                take(&events[place].encoded)
            }
        }
    }

    fn bare_messages(&self) -> &[Message] {
        match &self.content {
            Content::Messages(messages) => messages,
            Content::Publications(publications) => self
                .messages
                .get_or_init(|| publications.iter().map(|event| bridge::to_raw(&event.payload)).collect()),
        }
    }

    /// The events in a serialisation; transcoded once, if they came in another. What came as messages gets its
    /// publication ids here, the same for all serialisations.
    fn events_in(&self, serializer: Serializer) -> &[Publication] {
        let converted = &self.publications[serializer as usize];
        match &self.content {
            Content::Publications(own) if own.iter().all(|event| event.payload.serializer == serializer) => {
                own
            }
            Content::Publications(own) => converted.get_or_init(|| {
                let transcoded = |event: &Publication| Publication {
                    payload: event.payload.transcoded(serializer).into_owned(),
                    ..event.clone()
                };
                own.iter().map(transcoded).collect()
            }),
            Content::Messages(messages) => converted.get_or_init(|| {
                let event = |(message, &id): (&Message, &u64)| Publication {
                    id,
                    payload: bridge::from_raw(message, serializer),
                    publisher: None,
                };
                messages.iter().zip(self.ids(messages)).map(event).collect()
            }),
        }
    }

    /// The publication ids of its messages, the same for all who get them as events.
    fn ids(&self, messages: &[Message]) -> &[u64] {
        self.ids.get_or_init(|| messages.iter().map(|_| crate::random::id()).collect())
    }

    fn encode_events(&self, serializer: Serializer, framing: Framing, via: Via, longest: usize) -> Encoded {
        let topic = (!via.exact).then(|| self.topic.to_wamp());
        let mut encoded = Encoded::default();
        let mut run = Run::default();
        let mut body = Vec::new();
        let events = self.events_in(serializer);
        for event in events {
            let details = event_details(topic.as_deref(), event.publisher.as_deref().map(Identity::receiver));
            body.clear();
            encode_event(serializer, via.subscription, event.id, &details, &event.payload, &mut body);
            encoded.longest = encoded.longest.max(body.len());
            if run.wire.len() + body.len() > longest {
                encoded.push(run.finish_as(serializer, framing));
            }
            if run.messages == 0 {
                // Those that come together are mostly of one length.
                run.wire.reserve(((body.len() + 14) * events.len()).min(longest + body.len()));
            }
            if framing == Framing::Batched {
                batched::append(serializer, &body, &mut run.wire);
            } else {
                framing.put(serializer, &body, &mut run.wire);
            }
            run.messages += 1;
        }
        encoded.push(run.finish_as(serializer, framing));
        encoded
    }
}

impl Encoded {
    fn bare(messages: &[Message], dialect: Dialect, longest: usize) -> Self {
        let mut encoded = Self::default();
        let mut run = Run::default();
        for message in messages {
            let Some(message) = dialect.outgoing(message) else {
                encoded.unrepresentable += 1;
                continue;
            };
            if message.len() >= SHARE_FROM {
                encoded.push(run.finish());
                encoded.push(Some(Item::message(&message, false)));
                continue;
            }
            if run.wire.len() + message.len() > longest {
                encoded.push(run.finish());
            }
            run.add(&message);
        }
        encoded.push(run.finish());
        encoded
    }

    fn push(&mut self, item: Option<Item>) {
        if self.first.is_none() {
            self.first = item;
        } else {
            self.more.extend(item);
        }
    }

    /// Without the events that are longer than a client takes. Only rawsocket clients name such a limit, so the
    /// runs are taken apart as rawsocket frames.
    pub(super) fn at_most(&self, longest: usize) -> Self {
        let mut kept = Self { unrepresentable: self.unrepresentable, longest, ..Self::default() };
        for item in self.items() {
            let Item::Run { wire, .. } = item else { continue };
            let mut run = Run::default();
            let mut rest = wire.as_ref();
            while let Some((frame, others)) = rawsocket::split_frame(rest) {
                rest = others;
                if frame.len() - HEADER_LEN > longest {
                    kept.too_long += 1;
                } else {
                    run.wire.extend_from_slice(frame);
                    run.messages += 1;
                }
            }
            kept.push(run.finish());
        }
        kept
    }

    pub(super) fn items(&self) -> impl Iterator<Item = &Item> {
        self.first.iter().chain(&self.more)
    }
}

#[derive(Default)]
struct Run {
    wire: Vec<u8>,
    messages: u32,
}

impl Run {
    fn add(&mut self, message: &Message) {
        let header = Header::new(if message.is_text() { TEXT } else { BINARY }, message.len());
        self.wire.reserve(header.len() + message.len());
        self.wire.extend_from_slice(header.bytes());
        self.wire.extend_from_slice(message.payload());
        self.messages += 1;
    }

    /// Batched, those that come together are one frame: a frame is what costs a browser most.
    fn finish_as(&mut self, serializer: Serializer, framing: Framing) -> Option<Item> {
        if framing == Framing::Batched && self.messages > 0 {
            let messages = std::mem::take(&mut self.wire);
            put_header(serializer, messages.len(), &mut self.wire);
            self.wire.extend_from_slice(&messages);
        }
        self.finish()
    }

    fn finish(&mut self) -> Option<Item> {
        let messages = std::mem::take(&mut self.messages);
        let wire = Bytes::from(std::mem::take(&mut self.wire));
        (messages > 0).then_some(Item::Run { wire, messages, fixed: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens(parcel: &Parcel, dialect: Dialect, longest: usize) -> Vec<usize> {
        parcel.encoded(Wire::Bare(dialect), Via::NONE, longest, |encoded| {
            encoded.items().map(Item::messages).collect()
        })
    }

    fn parcel(messages: Vec<Message>) -> Parcel {
        Parcel::new(Topic::new("t"), messages)
    }

    #[test]
    fn small_messages_travel_together_and_large_ones_alone() {
        let small = || Message::from("small");
        let large = Message::binary(vec![0; SHARE_FROM]);
        let parcel = parcel(vec![small(), small(), large, small()]);
        assert_eq!(lens(&parcel, Dialect::Mercury, 1000), [2, 1, 1]);
    }

    #[test]
    fn no_run_is_longer_than_it_may_be() {
        let parcel = parcel(vec![Message::from("0123456789"); 10]);
        assert_eq!(lens(&parcel, Dialect::Mercury, 36), [3, 3, 3, 1]);
    }

    #[test]
    fn batched_events_that_travel_together_are_one_frame() {
        let parcel = parcel(vec![Message::from("one"), Message::from("two")]);
        let wire = Wire::Wamp(Serializer::Json, Framing::Batched);
        let wires = parcel.encoded(wire, Via::NONE, 1000, |encoded| {
            encoded.items().map(|item| (item.messages(), wire_of(item))).collect::<Vec<_>>()
        });
        let [(2, frame)] = wires.as_slice() else { panic!("{wires:?}") };
        assert_eq!(usize::from(frame[1]), frame.len() - 2, "a short frame has a header of two bytes");
        let events: Vec<_> = batched::split(Serializer::Json, frame.slice(2..)).collect();
        assert_eq!(events.len(), 2);
        for (event, text) in events.into_iter().zip(["one", "two"]) {
            let event = String::from_utf8(event.unwrap().to_vec()).unwrap();
            assert!(event.starts_with("[36,") && event.contains(text), "{event}");
        }
    }

    fn wire_of(item: &Item) -> Bytes {
        match item {
            Item::Run { wire, .. } => wire.clone(),
            _ => panic!("events travel in runs"),
        }
    }

    /// REQ-PING-004
    #[test]
    fn what_a_wire_cannot_carry_is_counted() {
        let parcel = parcel(vec![Message::binary(vec![0xFF]), Message::binary("text")]);
        assert_eq!(lens(&parcel, Dialect::Pinghub, 100), [1]);
        let unrepresentable = |encoded: &Encoded| encoded.unrepresentable;
        assert_eq!(parcel.encoded(Wire::Bare(Dialect::Pinghub), Via::NONE, 100, unrepresentable), 1);
        assert_eq!(lens(&parcel, Dialect::Mercury, 100), [2]);
    }
}
