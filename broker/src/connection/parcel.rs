//! Messages on their way to many: encoded once for each wire, whoever and how many receive them.

use std::cell::OnceCell;

use bytes::Bytes;
use petasus_protocol::Message;

use super::header::Header;
use super::pending::{BINARY, Item, TEXT};
use super::scratch::SHARE_FROM;
use crate::dialect::Dialect;

/// Messages of one sender to one topic that came together, in order.
pub(crate) struct Parcel {
    messages: Vec<Message>,
    encoded: [OnceCell<Encoded>; Dialect::ALL.len()],
}

/// How the messages look on one wire.
pub(super) struct Encoded {
    /// There is nearly always one item, and it needs no list.
    first: Option<Item>,
    more: Vec<Item>,
    /// How many messages this wire cannot carry.
    pub(super) unrepresentable: u64,
}

impl Parcel {
    pub(crate) fn new(messages: Vec<Message>) -> Self {
        Self { messages, encoded: Default::default() }
    }

    pub(crate) fn one(message: Message) -> Self {
        Self::new(vec![message])
    }

    /// The emptied list, for reuse.
    pub(crate) fn into_list(mut self) -> Vec<Message> {
        self.messages.clear();
        self.messages
    }

    /// Encoded for a wire, in runs of at most `longest` bytes.
    pub(super) fn encoded(&self, dialect: Dialect, longest: usize) -> &Encoded {
        self.encoded[dialect as usize].get_or_init(|| Encoded::new(&self.messages, dialect, longest))
    }
}

impl Encoded {
    fn new(messages: &[Message], dialect: Dialect, longest: usize) -> Self {
        let mut encoded = Self { first: None, more: Vec::new(), unrepresentable: 0 };
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

    fn finish(&mut self) -> Option<Item> {
        let messages = std::mem::take(&mut self.messages);
        let wire = Bytes::from(std::mem::take(&mut self.wire));
        (messages > 0).then_some(Item::Run { wire, messages })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lens(parcel: &Parcel, dialect: Dialect, longest: usize) -> Vec<usize> {
        parcel.encoded(dialect, longest).items().map(Item::messages).collect()
    }

    #[test]
    fn small_messages_travel_together_and_large_ones_alone() {
        let small = || Message::from("small");
        let large = Message::binary(vec![0; SHARE_FROM]);
        let parcel = Parcel::new(vec![small(), small(), large, small()]);
        assert_eq!(lens(&parcel, Dialect::Mercury, 1000), [2, 1, 1]);
    }

    #[test]
    fn no_run_is_longer_than_it_may_be() {
        let parcel = Parcel::new(vec![Message::from("0123456789"); 10]);
        assert_eq!(lens(&parcel, Dialect::Mercury, 36), [3, 3, 3, 1]);
    }

    /// REQ-PING-004
    #[test]
    fn what_a_wire_cannot_carry_is_counted() {
        let parcel = Parcel::new(vec![Message::binary(vec![0xFF]), Message::binary("text")]);
        assert_eq!(lens(&parcel, Dialect::Pinghub, 100), [1]);
        assert_eq!(parcel.encoded(Dialect::Pinghub, 100).unrepresentable, 1);
        assert_eq!(lens(&parcel, Dialect::Mercury, 100), [2]);
    }
}
