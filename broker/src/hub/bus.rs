//! The bus: every *other* peer of a topic receives, the sender too if it asked for echo (REQ-BUS-001, -002).

use std::collections::HashMap;

use petasus_protocol::Topic;
use slab::Slab;

use super::group::{Group, Seats};
use super::{Outbox, Via};

/// The numbers of rooms begin behind this: they share no number with the subscriptions of pub/sub.
const NUMBERS_AFTER: u64 = 1 << 52;

/// The number of a peer of the bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PeerId(usize);

/// All topics of the bus. Topics have no hierarchy here (REQ-BUS-003) and exist while they have peers.
pub struct Bus<O> {
    by_topic: HashMap<Topic, usize>,
    rooms: Slab<Room<O>>,
    seats: Seats,
    last_number: u64,
}

struct Room<O> {
    topic: Topic,
    number: u64,
    peers: Group<Peer<O>>,
}

struct Peer<O> {
    outbox: O,
    echo: bool,
}

impl<O: Outbox> Default for Bus<O> {
    fn default() -> Self {
        Self { by_topic: HashMap::new(), rooms: Slab::new(), seats: Seats::new(), last_number: NUMBERS_AFTER }
    }
}

impl<O: Outbox> Bus<O> {
    /// Joins a topic. From now on the outbox receives what others send, and with `echo` its own messages too.
    pub fn join(&mut self, topic: &Topic, outbox: O, echo: bool) -> PeerId {
        let place = self.by_topic.get(topic).copied().unwrap_or_else(|| {
            self.last_number += 1;
            let number = self.last_number;
            let place = self.rooms.insert(Room { topic: topic.clone(), number, peers: Group::new() });
            self.by_topic.insert(topic.clone(), place);
            place
        });
        PeerId(self.seats.join(place, &mut self.rooms[place].peers, Peer { outbox, echo }))
    }

    /// What all peers of a topic call it: a number that is never given out again.
    pub fn lookup(&self, topic: &Topic) -> Option<u64> {
        self.by_topic.get(topic).map(|&place| self.rooms[place].number)
    }

    /// Leaves. A peer that is not there (any more) is ignored.
    pub fn leave(&mut self, peer: PeerId) {
        let Some(place) = self.seats.group_of(peer.0) else { return };
        let room = &mut self.rooms[place];
        self.seats.leave(peer.0, &mut room.peers);
        if room.peers.is_empty() {
            self.by_topic.remove(&room.topic);
            self.rooms.remove(place);
        }
    }

    /// Sends as a peer: to all others of its topic, and to itself if it asked for echo.
    pub fn send(&self, from: PeerId, parcel: &O::Parcel, batch: &mut O::Batch) {
        let Some(place) = self.seats.group_of(from.0) else { return };
        let room = &self.rooms[place];
        for (member, peer) in room.peers.iter() {
            if *member != from.0 || peer.echo {
                peer.outbox.append(parcel, room.via(), batch);
            }
        }
    }

    /// Sends from outside (a POST, or one who is in many places): to all peers of the topic that are `wanted`,
    /// whether or not they asked for echo.
    pub fn post(&self, topic: &Topic, parcel: &O::Parcel, wanted: impl Fn(&O) -> bool, batch: &mut O::Batch) {
        let Some(&place) = self.by_topic.get(topic) else { return };
        let room = &self.rooms[place];
        for (_, peer) in room.peers.iter() {
            if wanted(&peer.outbox) {
                peer.outbox.append(parcel, room.via(), batch);
            }
        }
    }

    /// How many topics have peers.
    pub fn topics(&self) -> usize {
        self.rooms.len()
    }

    /// How many peers there are.
    pub fn peers(&self) -> usize {
        self.seats.len()
    }
}

impl<O> Room<O> {
    fn via(&self) -> Via {
        Via { subscription: self.number, exact: true }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::hub::testing::{Memory, text};

    fn bus_of(n: usize) -> (Bus<Memory>, Vec<(PeerId, Memory)>) {
        let mut bus = Bus::default();
        let topic = Topic::new("a");
        let peers = (0..n)
            .map(|_| {
                let outbox = Memory::default();
                (bus.join(&topic, outbox.clone(), false), outbox)
            })
            .collect();
        (bus, peers)
    }

    /// REQ-BUS-001, REQ-BUS-002
    #[test]
    fn a_message_reaches_every_peer_but_its_sender() {
        let (bus, peers) = bus_of(3);
        bus.send(peers[1].0, &text("x"), &mut ());
        assert_eq!(peers.iter().map(|p| p.1.take().len()).collect::<Vec<_>>(), [1, 0, 1]);
    }

    /// REQ-BUS-002
    #[test]
    fn a_peer_with_echo_hears_itself_once() {
        let (mut bus, peers) = bus_of(1);
        let outbox = Memory::default();
        let echoing = bus.join(&Topic::new("a"), outbox.clone(), true);
        bus.send(echoing, &text("x"), &mut ());
        assert_eq!((outbox.take().len(), peers[0].1.take().len()), (1, 1));
    }

    /// REQ-BUS-003
    #[test]
    fn a_child_topic_is_another_topic() {
        let (bus, peers) = bus_of(1);
        bus.post(&Topic::new("a/b"), &text("x"), |_| true, &mut ());
        assert!(peers[0].1.take().is_empty());
    }

    /// REQ-BUS-004
    #[test]
    fn leaving_moves_nobody_else_and_frees_the_topic() {
        let (mut bus, peers) = bus_of(4);
        bus.leave(peers[0].0);
        bus.leave(peers[0].0);
        bus.leave(peers[3].0);
        bus.post(&Topic::new("a"), &text("x"), |_| true, &mut ());
        assert_eq!(peers.iter().map(|p| p.1.take().len()).collect::<Vec<_>>(), [0, 1, 1, 0]);
        bus.leave(peers[1].0);
        bus.leave(peers[2].0);
        assert_eq!((bus.topics(), bus.peers()), (0, 0));
    }
}
