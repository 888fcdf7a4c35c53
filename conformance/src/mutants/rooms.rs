//! Who hears whom, rightly and wrongly.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use super::Mutant;
use super::broker::Remembered;
use super::outbox::Outbox;
use crate::raw::{Frame, Opcode};

/// A connection, by number.
pub(super) type Id = u64;

/// Whoever posts is no connection.
const POSTED: Id = Id::MAX;

/// The five endpoints.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Endpoint {
    Bus,
    Pub,
    Sub,
    Push,
    Pull,
}

/// Somebody who receives.
struct Member {
    id: Id,
    endpoint: Endpoint,
    topic: String,
    echo: bool,
    out: Outbox,
    /// What a mutant holds back.
    held: Option<(Id, Frame)>,
    deliveries: u64,
}

/// A queue's pullers and whose turn it is.
#[derive(Default)]
struct Ring {
    pullers: Vec<Id>,
    cursor: usize,
    /// For mutants.
    turns: u64,
    drops: bool,
    is_leaky: bool,
    apart: BTreeMap<Id, usize>,
}

/// All members.
pub(super) struct Rooms {
    mutant: Mutant,
    members: Vec<Member>,
    rings: BTreeMap<String, Ring>,
    publications: u64,
    /// Topics that somebody left, for a mutant.
    left: Vec<String>,
    /// The same.
    cursor: usize,
    random: fastrand::Rng,
    /// Bytes that may wait for one.
    outbox: usize,
    /// Somebody's outbox was full.
    is_full: bool,
    /// What was said before the last restart, and since, for a mutant.
    before: Vec<Remembered>,
    remembered: Arc<Mutex<Vec<Remembered>>>,
}

/// Bytes that may wait for one connection if nothing was said of it.
const OUTBOX: usize = 1 << 26;

/// The same for a mutant that minds.
const NARROW: usize = 1 << 16;

/// The code for somebody who reads too slowly, and the reason.
const TOO_SLOW: (u16, &str) = (3100, "reads too slowly");

impl Rooms {
    pub(super) fn new(
        mutant: Mutant,
        outbox: Option<usize>,
        remembered: Arc<Mutex<Vec<Remembered>>>,
    ) -> Self {
        let before = remembered.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let usual = if mutant == Mutant::FrozenBlocks { NARROW } else { OUTBOX };
        Self {
            outbox: outbox.unwrap_or(usual),
            is_full: false,
            before,
            remembered,
            mutant,
            members: Vec::new(),
            rings: BTreeMap::new(),
            publications: 0,
            left: Vec::new(),
            cursor: 0,
            random: fastrand::Rng::with_seed(7),
        }
    }

    pub(super) fn join(&mut self, id: Id, endpoint: Endpoint, topic: String, echo: bool, out: Outbox) {
        if endpoint == Endpoint::Pull {
            let ring = self.rings.entry(topic.clone()).or_default();
            let place = if self.mutant == Mutant::NewPullersFirst { 0 } else { ring.pullers.len() };
            ring.pullers.insert(place, id);
            if self.mutant == Mutant::ResetOnJoin {
                ring.cursor = 0;
            }
        }
        for (_, _, frame) in self.before.iter().filter(|(of, at, _)| *of == endpoint && *at == topic) {
            let _ = out.send(frame.clone());
        }
        self.members.push(Member { id, endpoint, topic, echo, out, held: None, deliveries: 0 });
    }

    /// Everybody is told to go.
    pub(super) fn stop(&mut self) {
        for member in &self.members {
            let _ = member.out.send(Frame::close(Some(1001)));
        }
    }

    pub(super) fn leave(&mut self, id: Id) {
        let Some(place) = self.members.iter().position(|member| member.id == id) else { return };
        let gone = self.members.remove(place);
        if gone.endpoint == Endpoint::Pull {
            self.leave_ring(&gone);
        }
        self.left.push(gone.topic);
    }

    /// Somebody is gone; without a word, if nobody took the leave before.
    pub(super) fn gone(&mut self, id: Id) {
        let puller = self.members.iter().find(|member| member.id == id && member.endpoint == Endpoint::Pull);
        let topic = puller.map(|member| member.topic.clone());
        self.leave(id);
        if let Some(ring) = topic.and_then(|topic| self.rings.get_mut(&topic)) {
            ring.is_leaky = self.mutant == Mutant::LeaksAfterVanish;
        }
    }

    fn leave_ring(&mut self, gone: &Member) {
        let mutant = self.mutant;
        let Some(ring) = self.rings.get_mut(&gone.topic) else { return };
        let Some(place) = ring.pullers.iter().position(|&id| id == gone.id) else { return };
        ring.pullers.remove(place);
        if mutant == Mutant::PerlCursor {
            // The first place never adjusts, and nothing checks the end.
            ring.cursor -= usize::from(place > 0 && ring.cursor >= place);
        } else {
            ring.cursor -= usize::from(ring.cursor > place);
            ring.cursor += usize::from(mutant == Mutant::SkipOnLeave);
            ring.cursor = ring.cursor.checked_rem(ring.pullers.len()).unwrap_or(0);
        }
        ring.drops = mutant == Mutant::DropAfterLeave;
    }

    /// Whether what is sent at an endpoint has somebody to go to.
    pub(super) fn has_receivers(&self, endpoint: Endpoint, topic: &str) -> bool {
        match endpoint {
            Endpoint::Push => self.rings.get(topic).is_some_and(|ring| !ring.pullers.is_empty()),
            _ => self.members.iter().any(|member| self.is_due(POSTED, endpoint, topic, member)),
        }
    }

    /// A message that was posted.
    pub(super) fn post(&mut self, endpoint: Endpoint, topic: &str, frame: &Frame) {
        self.say(POSTED, endpoint, topic, frame);
    }

    /// A message from an endpoint. False: a mutant reads no more from this sender.
    pub(super) fn say(&mut self, from: Id, endpoint: Endpoint, topic: &str, frame: &Frame) -> bool {
        if self.mutant == Mutant::EmptyDropped && frame.payload.is_empty() {
            return true;
        }
        self.publications += 1;
        if self.mutant == Mutant::ReplaysOld {
            let heard = match endpoint {
                Endpoint::Pub => Endpoint::Sub,
                Endpoint::Push => Endpoint::Pull,
                other => other,
            };
            let mut remembered = self.remembered.lock().unwrap_or_else(PoisonError::into_inner);
            remembered.push((heard, topic.to_owned(), frame.clone()));
        }
        match endpoint {
            Endpoint::Bus | Endpoint::Pub => self.broadcast(from, endpoint, topic, frame),
            Endpoint::Push => return self.push(from, topic, frame),
            // What is sent there is for nobody.
            Endpoint::Sub | Endpoint::Pull => {}
        }
        !std::mem::take(&mut self.is_full)
    }

    fn broadcast(&mut self, from: Id, endpoint: Endpoint, topic: &str, frame: &Frame) {
        if self.mutant == Mutant::SilentAfterLeave && self.left.iter().any(|left| left == topic) {
            return;
        }
        let (hears, strangers): (Vec<&Member>, Vec<&Member>) =
            self.members.iter().partition(|member| self.is_due(from, endpoint, topic, member));
        let mut hears: Vec<Id> = hears.into_iter().map(|member| member.id).collect();
        // A stranger of the same kind, the nearest in time.
        let stranger = strangers.into_iter().rev().find(|m| m.endpoint == Endpoint::Sub).map(|m| m.id);
        match self.mutant {
            Mutant::LastPeerMissed if endpoint == Endpoint::Bus && hears.len() > 2 => drop(hears.pop()),
            Mutant::Every11thToStranger if self.publications.is_multiple_of(11) => hears.extend(stranger),
            Mutant::LateToStranger if self.publications.is_multiple_of(5) => self.later(stranger, frame),
            Mutant::EchoTwice if hears.contains(&from) => hears.push(from),
            Mutant::OrderDiffers if self.publications.is_multiple_of(3) => {
                return self.swap_for_one(0, hears, from, frame);
            }
            Mutant::AnswersOvertake if self.publications.is_multiple_of(3) => {
                return self.swap_for_one(hears.len().saturating_sub(1), hears, from, frame);
            }
            _ => {}
        }
        for id in hears {
            self.deliver(id, from, frame);
        }
    }

    /// One of the receivers gets this message behind the next one.
    fn swap_for_one(&mut self, one: usize, hears: Vec<Id>, from: Id, frame: &Frame) {
        for (place, id) in hears.into_iter().enumerate() {
            let member = self.members.iter_mut().find(|member| place == one && member.id == id);
            match member {
                Some(member) if member.held.is_none() => member.held = Some((from, frame.clone())),
                _ => self.deliver(id, from, frame),
            }
        }
    }

    fn is_due(&self, from: Id, endpoint: Endpoint, topic: &str, to: &Member) -> bool {
        let same_map = self.mutant == Mutant::OneMapForAll;
        let kind = match endpoint {
            Endpoint::Bus => to.endpoint == Endpoint::Bus || same_map && to.endpoint == Endpoint::Sub,
            _ => to.endpoint == Endpoint::Sub || same_map && to.endpoint == Endpoint::Bus,
        };
        let own = to.id == from && !to.echo && self.mutant != Mutant::BusEchoes
            || from == POSTED && to.echo && self.mutant == Mutant::PostSparesEcho;
        let folded = |text: &str| {
            if self.mutant == Mutant::CaseFolded { text.to_lowercase() } else { text.to_owned() }
        };
        let (said, heard) = (folded(topic), folded(&to.topic));
        let tree = endpoint != Endpoint::Bus || self.mutant == Mutant::BusHierarchy;
        let matches = said == heard
            || match self.mutant {
                Mutant::NoHierarchy => false,
                Mutant::StringPrefix if tree => said.starts_with(&heard),
                Mutant::ChildrenHearParents if tree && ancestors(&heard).any(|a| a == said) => true,
                _ => tree && ancestors(&said).any(|ancestor| ancestor == heard),
            };
        kind && !own && matches
    }

    fn push(&mut self, from: Id, topic: &str, frame: &Frame) -> bool {
        let mutant = self.mutant;
        let publications = self.publications;
        let is_empty = |topic: &str| self.rings.get(topic).is_none_or(|ring| ring.pullers.is_empty());
        let topic = match ancestors(topic).last() {
            Some(above) if mutant == Mutant::QueueHierarchy && is_empty(topic) => above,
            _ => topic,
        };
        let ring = self.rings.entry(topic.to_owned()).or_default();
        let n = ring.pullers.len();
        if n == 0 {
            return mutant != Mutant::StallsWithoutPuller;
        }
        let cursor = match mutant {
            Mutant::PushersApart => ring.apart.entry(from).or_default(),
            Mutant::OneCursorForAll => &mut self.cursor,
            _ => &mut ring.cursor,
        };
        match mutant {
            Mutant::RandomPuller | Mutant::AtRandom => *cursor = self.random.usize(..n),
            // The first one has two tickets.
            Mutant::Lopsided => *cursor = self.random.usize(..=n) % n,
            _ => {}
        }
        if mutant == Mutant::PerlCursor && *cursor >= n {
            return true;
        }
        let place = *cursor % n;
        ring.turns += 1;
        if mutant != Mutant::StickyTwice || ring.turns.is_multiple_of(2) {
            *cursor = (place + 1) % n;
        }
        let mut takers = vec![ring.pullers[place]];
        match mutant {
            Mutant::ToAllPullers => takers.clone_from(&ring.pullers),
            Mutant::CopyToSecond if publications.is_multiple_of(9) && n > 1 => {
                takers.push(ring.pullers[(place + 1) % n]);
            }
            _ => {}
        }
        if std::mem::take(&mut ring.drops) {
            return true;
        }
        if ring.is_leaky && publications.is_multiple_of(2) {
            return true;
        }
        for id in takers {
            self.deliver(id, from, frame);
        }
        true
    }

    fn deliver(&mut self, to: Id, from: Id, frame: &Frame) {
        let mutant = self.mutant;
        let Some(member) = self.members.iter_mut().find(|member| member.id == to) else { return };
        member.deliveries += 1;
        let n = member.deliveries;
        if member.out.bytes() + frame.payload.len() > self.outbox {
            return self.overflow(to);
        }
        let mut frame = frame.clone();
        match mutant {
            Mutant::DropEvery13th if self.publications.is_multiple_of(13) => return,
            Mutant::DoubleEvery7th if self.publications.is_multiple_of(7) => {
                let _ = member.out.send(frame.clone());
            }
            Mutant::HoldAndSwap if n.is_multiple_of(5) => {
                member.held = Some((from, frame));
                return;
            }
            Mutant::CutAt40 => frame.payload.truncate(40),
            Mutant::BinaryAsText if frame.opcode == Opcode::BINARY => {
                let text: String = frame.payload.iter().map(|&byte| char::from(byte)).collect();
                frame = Frame::new(Opcode::TEXT, text);
            }
            _ => {}
        }
        // Whoever has gone needs nothing.
        let _ = match member.held.take() {
            // Only what several senders say changes places.
            Some((by, held))
                if by == from && matches!(mutant, Mutant::OrderDiffers | Mutant::AnswersOvertake) =>
            {
                member.out.send(held).and_then(|()| member.out.send(frame))
            }
            Some((_, held)) => member.out.send(frame).and_then(|()| member.out.send(held)),
            None => member.out.send(frame),
        };
    }

    /// Somebody reads too slowly: what it has is no more than the begin of what was said.
    fn overflow(&mut self, of: Id) {
        match self.mutant {
            Mutant::FrozenBlocks => self.is_full = true,
            Mutant::OverflowSilent => {}
            mutant => {
                let Some(member) = self.members.iter().find(|member| member.id == of) else { return };
                let (code, why) = TOO_SLOW;
                let code = if mutant == Mutant::OverflowOther { 1008 } else { code };
                let reason = [&code.to_be_bytes()[..], why.as_bytes()].concat();
                let _ = member.out.send(Frame::new(Opcode::CLOSE, reason));
                self.leave(of);
            }
        }
    }

    fn later(&self, to: Option<Id>, frame: &Frame) {
        let Some(member) = self.members.iter().find(|member| Some(member.id) == to) else { return };
        let (out, frame) = (member.out.clone(), frame.clone());
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(30)).await;
            let _ = out.send(frame);
        });
    }
}

/// The topics above: first segments, trailing empty ones not counted.
fn ancestors(topic: &str) -> impl Iterator<Item = &str> {
    let trimmed = topic.trim_end_matches('/');
    trimmed.match_indices('/').map(|(end, _)| &trimmed[..end])
}
