//! The bus against a list of peers, and planted faults.

use petasus_broker::hub::{Bus, Outbox, PeerId, Via};
use petasus_protocol::{Message, Topic};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::outbox::Tray;
use crate::planted::{Breach, Hunt, cases};

/// Topics that must not be taken for each other (REQ-BUS-003, REQ-TOP-001).
const TOPICS: [&str; 4] = ["a", "a/b", "ab", "A"];

#[derive(Debug, Clone)]
enum Op {
    Join {
        topic: usize,
        echo: bool,
    },
    Leave(usize),
    /// So many messages by one peer.
    Send {
        who: usize,
        count: usize,
    },
    Post {
        topic: usize,
    },
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let topic = || prop_oneof![4 => Just(0), 1 => 1..TOPICS.len()];
    let op = prop_oneof![
        5 => (topic(), any::<bool>()).prop_map(|(topic, echo)| Op::Join { topic, echo }),
        3 => (0usize..12).prop_map(Op::Leave),
        6 => (0usize..12, 1usize..3).prop_map(|(who, count)| Op::Send { who, count }),
        3 => topic().prop_map(|topic| Op::Post { topic }),
    ];
    vec(op, 0..60)
}

/// A bus under test. Peers are known by the names of their outboxes, which are never used twice.
trait Peers {
    fn join(&mut self, topic: &Topic, outbox: &Tray, echo: bool);
    fn leave(&mut self, peer: usize);
    fn send(&mut self, peer: usize, message: &Message);
    fn post(&mut self, topic: &Topic, message: &Message);
    /// How many topics and peers there are.
    fn sizes(&self) -> (usize, usize);
}

#[derive(Default)]
struct RealBus {
    bus: Bus<Tray>,
    ids: Vec<(usize, PeerId)>,
}

impl RealBus {
    fn place(&self, peer: usize) -> usize {
        self.ids.iter().position(|(name, _)| *name == peer).expect("a peer that is there")
    }
}

impl Peers for RealBus {
    fn join(&mut self, topic: &Topic, outbox: &Tray, echo: bool) {
        self.ids.push((outbox.name(), self.bus.join(topic, outbox.clone(), echo)));
    }
    fn leave(&mut self, peer: usize) {
        let (_, id) = self.ids.remove(self.place(peer));
        self.bus.leave(id);
    }
    fn send(&mut self, peer: usize, message: &Message) {
        self.bus.send(self.ids[self.place(peer)].1, message, &mut ());
    }
    fn post(&mut self, topic: &Topic, message: &Message) {
        self.bus.post(topic, message, |_| true, &mut ());
    }
    fn sizes(&self) -> (usize, usize) {
        (self.bus.topics(), self.bus.peers())
    }
}

/// A peer as the judge knows it.
struct Known {
    outbox: Tray,
    topic: usize,
    echo: bool,
}

fn judge(ops: &[Op], mut bus: impl Peers) -> Result<(), Vec<Breach>> {
    let topics = TOPICS.map(Topic::new);
    let mut known: Vec<Known> = Vec::new();
    let mut outboxes: Vec<Tray> = Vec::new();
    for (number, op) in ops.iter().enumerate() {
        match *op {
            Op::Join { topic, echo } => {
                let outbox = Tray::quiet(outboxes.len());
                outboxes.push(outbox.clone());
                bus.join(&topics[topic], &outbox, echo);
                known.push(Known { outbox, topic, echo });
            }
            Op::Leave(who) => {
                if let Some(place) = who.checked_rem(known.len()) {
                    bus.leave(known.remove(place).outbox.name());
                }
            }
            Op::Send { who, count } => {
                let Some(place) = who.checked_rem(known.len()) else { continue };
                let texts: Vec<String> = (0..count).map(|nth| format!("{number}.{nth}")).collect();
                let from = &known[place];
                for text in &texts {
                    bus.send(from.outbox.name(), &Message::from(text.as_str()));
                }
                check(&texts, Some(from), from.topic, &known, &outboxes)?;
            }
            Op::Post { topic } => {
                let texts = [number.to_string()];
                bus.post(&topics[topic], &Message::from(texts[0].as_str()));
                check(&texts, None, topic, &known, &outboxes)?;
            }
        }
        check_sizes(&known, bus.sizes())?;
    }
    for peer in &known {
        bus.leave(peer.outbox.name());
    }
    check_sizes(&[], bus.sizes())
}

/// Whether everybody got what is meant for them, and nobody else anything.
fn check(
    texts: &[String],
    from: Option<&Known>,
    topic: usize,
    known: &[Known],
    outboxes: &[Tray],
) -> Result<(), Vec<Breach>> {
    for outbox in outboxes {
        let peer = known.iter().find(|peer| peer.outbox.is(outbox));
        let sender = from.is_some_and(|from| from.outbox.is(outbox));
        let due = peer.is_some_and(|peer| peer.topic == topic && (!sender || peer.echo));
        let expected = if due { texts } else { &[] };
        let got: Vec<String> =
            outbox.take().iter().map(|message| message.as_str().unwrap_or_default().to_owned()).collect();
        if got != expected {
            let requirement = match peer {
                None => "REQ-LIF-004",
                Some(peer) if peer.topic != topic => "REQ-BUS-003",
                _ if sender => "REQ-BUS-002",
                _ if from.is_none() => "REQ-BUS-007",
                _ => "REQ-BUS-001",
            };
            let what = format!("peer {} got {got:?} instead of {expected:?}", outbox.name());
            return Err(vec![Breach::new(requirement, what)]);
        }
    }
    Ok(())
}

fn check_sizes(known: &[Known], sizes: (usize, usize)) -> Result<(), Vec<Breach>> {
    let topics = (0..TOPICS.len()).filter(|topic| known.iter().any(|peer| peer.topic == *topic)).count();
    let expected = (topics, known.len());
    if sizes == expected {
        return Ok(());
    }
    Err(vec![Breach::new("REQ-LIF-005", format!("(topics, peers) are {sizes:?} instead of {expected:?}"))])
}

proptest! {
    #![proptest_config(cases(600))]

    /// REQ-BUS-001, REQ-BUS-002, REQ-BUS-003, REQ-BUS-004, REQ-BUS-007, REQ-ORD-001, REQ-LIF-005
    #[test]
    fn every_other_peer_receives_once_and_in_order(ops in ops()) {
        prop_assert_eq!(judge(&ops, RealBus::default()), Ok(()));
    }

}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn the_judge_has_nothing_against_a_list(ops in ops()) {
        prop_assert_eq!(judge(&ops, List::new(Fault::None)), Ok(()));
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    None,
    AlwaysEchoes,
    NeverEchoes,
    EchoesTwice,
    MissesTheLastOfMany,
    TwiceForTheFirst,
    PostsOnlyToEchoing,
    ParentsHearIt,
    IgnoresCase,
    TheWrongOneLeaves,
    SendsToTheGone,
    KeepsTopics,
}

/// A list of peers, with a switch for each fault.
struct List {
    peers: Vec<(Topic, Tray, bool)>,
    /// Those who have left.
    gone: Vec<(Topic, Tray)>,
    fault: Fault,
}

impl List {
    fn new(fault: Fault) -> Self {
        Self { peers: Vec::new(), gone: Vec::new(), fault }
    }

    fn hears(&self, own: &Topic, of: &Topic) -> bool {
        own == of
            || (self.fault == Fault::ParentsHearIt && of.ancestors().any(|ancestor| ancestor == own.as_str()))
            || (self.fault == Fault::IgnoresCase && own.as_str().eq_ignore_ascii_case(of.as_str()))
    }

    fn spread(&self, from: Option<usize>, topic: &Topic, message: &Message) {
        let hearing = self.peers.iter().filter(|(own, ..)| self.hears(own, topic));
        for (reached, (own, outbox, echo)) in hearing.enumerate() {
            let sender = from == Some(outbox.name());
            let mut copies = usize::from(!sender || *echo);
            match self.fault {
                Fault::AlwaysEchoes => copies = 1,
                Fault::NeverEchoes if sender => copies = 0,
                Fault::EchoesTwice if sender => copies *= 2,
                Fault::MissesTheLastOfMany if reached == 3 => copies = 0,
                Fault::TwiceForTheFirst if reached == 0 && !sender => copies = 2,
                Fault::PostsOnlyToEchoing if from.is_none() && own == topic => copies = usize::from(*echo),
                _ => {}
            }
            (0..copies).for_each(|_| outbox.append(message, Via::NONE, &mut ()));
        }
        if self.fault == Fault::SendsToTheGone {
            let gone = self.gone.iter().filter(|(own, _)| own == topic);
            gone.for_each(|(_, outbox)| outbox.append(message, Via::NONE, &mut ()));
        }
    }
}

impl Peers for List {
    fn join(&mut self, topic: &Topic, outbox: &Tray, echo: bool) {
        self.peers.push((topic.clone(), outbox.clone(), echo));
    }
    fn leave(&mut self, peer: usize) {
        let place = self.peers.iter().position(|(_, outbox, _)| outbox.name() == peer);
        let last = self.peers.len().saturating_sub(1);
        match place {
            Some(_) if self.fault == Fault::TheWrongOneLeaves => drop(self.peers.remove(last)),
            Some(place) => {
                let (topic, outbox, _) = self.peers.remove(place);
                self.gone.push((topic, outbox));
            }
            None => {}
        }
    }
    fn send(&mut self, peer: usize, message: &Message) {
        let found = self.peers.iter().find(|(_, outbox, _)| outbox.name() == peer);
        if let Some((topic, ..)) = found {
            self.spread(Some(peer), topic, message);
        }
    }
    fn post(&mut self, topic: &Topic, message: &Message) {
        self.spread(None, topic, message);
    }
    fn sizes(&self) -> (usize, usize) {
        let gone = self.gone.iter().map(|(topic, _)| topic).filter(|_| self.fault == Fault::KeepsTopics);
        let topics = self.peers.iter().map(|(topic, ..)| topic).chain(gone);
        (topics.collect::<std::collections::BTreeSet<_>>().len(), self.peers.len())
    }
}

/// Each fault and what it breaks.
const FAULTS: [(Fault, &[&str]); 11] = [
    (Fault::AlwaysEchoes, &["REQ-BUS-002"]),
    (Fault::NeverEchoes, &["REQ-BUS-002"]),
    (Fault::EchoesTwice, &["REQ-BUS-002"]),
    (Fault::MissesTheLastOfMany, &["REQ-BUS-001", "REQ-BUS-002", "REQ-BUS-007"]),
    (Fault::TwiceForTheFirst, &["REQ-BUS-001", "REQ-BUS-007"]),
    (Fault::PostsOnlyToEchoing, &["REQ-BUS-007"]),
    (Fault::ParentsHearIt, &["REQ-BUS-003"]),
    (Fault::IgnoresCase, &["REQ-BUS-003"]),
    (Fault::TheWrongOneLeaves, &["REQ-BUS-001", "REQ-BUS-002", "REQ-BUS-007", "REQ-LIF-004", "REQ-LIF-005"]),
    (Fault::SendsToTheGone, &["REQ-LIF-004"]),
    (Fault::KeepsTopics, &["REQ-LIF-005"]),
];

#[test]
fn each_planted_fault_is_found() {
    let mut hunt = Hunt::new("bus");
    for (fault, breaks) in FAULTS {
        hunt.expect(fault, breaks, &ops(), |ops| judge(&ops, List::new(fault)));
    }
    let rules = ["REQ-BUS-001", "REQ-BUS-002", "REQ-BUS-003", "REQ-BUS-007", "REQ-LIF-004", "REQ-LIF-005"];
    hunt.end(&rules);
}
