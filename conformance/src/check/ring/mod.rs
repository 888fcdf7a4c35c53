//! The judge of queues: the rules F0 to F6 of PROTOCOL.md, section 8.
//!
//! What is judged as a sequence needs a known order: messages of one pusher have it, and those of two pushers where one
//! was read before the other was sent. A *window* is a time in which nobody joins or leaves; what was sent in one and
//! read in another belongs to none, and what was under way together with it is not judged as a sequence either
//! (`order`). Where a message was lost or doubled, that is the finding: what follows from it for
//! the turns is none of its own.

use std::collections::BTreeMap;

use super::Violation;
use super::delivery::payload_rule;
use super::ledger::{Due, Ledger, Member, Origin};
use crate::history::{Conn, History, Wait};
use crate::model::{Role, Topic};

mod loss;
mod order;

/// What a history breaks.
pub(super) fn judge(history: &History) -> Vec<Violation> {
    let (ledger, is_strict) = (Ledger::of(history), super::has_strict_turns(history));
    let mut topics: Vec<&Topic> = ledger.in_role(Role::Push).map(|member| &member.door.topic).collect();
    topics.sort();
    topics.dedup();
    topics.into_iter().flat_map(|topic| Ring::of(&ledger, topic, is_strict).judge()).collect()
}

/// A message and who got it.
#[derive(Clone, Debug)]
struct Job {
    pusher: Conn,
    number: u32,
    sent: usize,
    consumed: Option<usize>,
    takers: Vec<Conn>,
    /// The requirement that its loss breaks.
    lost_rule: &'static str,
    /// Its window, if it lies in one.
    window: Option<usize>,
    /// The pullers that were there all the while.
    ready: Vec<Conn>,
}

impl Job {
    /// The one who got it.
    fn taker(&self) -> Option<Conn> {
        match self.takers[..] {
            [taker] => Some(taker),
            _ => None,
        }
    }

    /// Whether the broker read it before `later`, which was sent behind it.
    fn is_before(&self, later: &Job) -> bool {
        self.pusher == later.pusher || self.consumed.is_some_and(|consumed| consumed < later.sent)
    }
}

/// One queue.
struct Ring<'a> {
    ledger: &'a Ledger,
    topic: &'a Topic,
    /// Whether turns are strict, and not only fair.
    is_strict: bool,
    pullers: Vec<&'a Member>,
    jobs: Vec<Job>,
}

impl<'a> Ring<'a> {
    fn of(ledger: &'a Ledger, topic: &'a Topic, is_strict: bool) -> Self {
        let at_topic = |member: &&Member| member.door.topic == *topic;
        let mut pullers: Vec<&Member> = ledger.in_role(Role::Pull).filter(at_topic).collect();
        pullers.sort_by_key(|puller| puller.opening);
        let mut ring = Self { ledger, topic, is_strict, pullers, jobs: Vec::new() };
        let is_pusher = |conn: Conn| {
            ledger.members.get(&conn).is_some_and(|m| m.door.role == Role::Push && m.door.topic == *topic)
        };
        for (index, message) in ledger.messages.iter().enumerate().filter(|(_, m)| is_pusher(m.from)) {
            let of = Origin::Message(index);
            let takers =
                ledger.deliveries.iter().filter(|delivery| delivery.of == of).map(|d| d.to).collect();
            let ready: Vec<Conn> = ring
                .pullers
                .iter()
                .filter(|puller| ledger.presence(message, puller) == Due::Must)
                .map(|puller| puller.conn)
                .collect();
            ring.jobs.push(Job {
                pusher: message.from,
                number: message.number,
                sent: message.sent,
                consumed: message.consumed,
                takers,
                lost_rule: if message.payload.tag().is_some() { "REQ-RR-001" } else { payload_rule(message) },
                window: message.consumed.and_then(|consumed| ring.window(message.sent, consumed)),
                ready,
            });
        }
        ring
    }

    /// The number of changes before, if there is none in between.
    fn window(&self, from: usize, to: usize) -> Option<usize> {
        let changes = |puller: &&Member| {
            let leaving = puller.leaving.map(|(at, _)| at);
            [Some(puller.opening), puller.opened, leaving, puller.over]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
        };
        let all: Vec<usize> = self.pullers.iter().flat_map(changes).collect();
        let before = |place: usize| all.iter().filter(|&&change| change < place).count();
        (before(from) == before(to)).then(|| before(from))
    }

    fn judge(&self) -> Vec<Violation> {
        let mut violations = self.exactly_one();
        violations.extend(self.pushers());
        for window in &self.whole_windows() {
            violations.extend(self.balance(window));
            if is_ordered(window) && !window.iter().any(|job| self.is_haunted(job)) {
                violations.extend(self.cycle(window));
            }
        }
        for stretch in self.stretches() {
            let known: Vec<&Job> = stretch.into_iter().take_while(|job| !self.is_haunted(job)).collect();
            violations.extend(self.bypass(&known));
        }
        violations.extend(self.new_pullers());
        violations.extend(self.join_order());
        violations
    }

    /// F1.
    fn balance(&self, jobs: &[&Job]) -> Option<Violation> {
        let ready = &jobs[0].ready;
        let count =
            |jobs: &[&Job], puller: &Conn| jobs.iter().filter(|job| job.taker() == Some(*puller)).count();
        let spread = |jobs: &[&Job]| {
            let counts = || ready.iter().map(|puller| count(jobs, puller));
            counts().max().unwrap_or(0) - counts().min().unwrap_or(0)
        };
        if spread(jobs) <= 1 {
            return None;
        }
        let rule = if each_pusher(jobs, |jobs| spread(jobs) <= 1) { "REQ-RR-010" } else { "REQ-RR-003" };
        let counts: Vec<usize> = ready.iter().map(|puller| count(jobs, puller)).collect();
        let text =
            format!("{} messages at {} went {counts:?} to {:?}", jobs.len(), self.topic, numbers(ready));
        Some(Violation::safety(rule, text))
    }

    /// F2.
    fn cycle(&self, jobs: &[&Job]) -> Option<Violation> {
        let n = jobs[0].ready.len();
        let is_cyclic =
            |jobs: &[&Job]| jobs.iter().zip(jobs.iter().skip(n)).all(|(a, b)| a.takers == b.takers);
        if is_cyclic(jobs) {
            return None;
        }
        let rule = if each_pusher(jobs, is_cyclic) { "REQ-RR-010" } else { "REQ-RR-004" };
        let turns: Vec<u32> = jobs.iter().filter_map(|job| job.taker()).map(|taker| taker.0).collect();
        let text = format!("the turns at {} were {turns:?} with {n} pullers", self.topic);
        Some(Violation::safety(rule, text))
    }

    /// F3, over changes; within a window F1 and F2 say it.
    fn bypass(&self, jobs: &[&Job]) -> Vec<Violation> {
        if !is_ordered(jobs) {
            return Vec::new();
        }
        let mut violations = Vec::new();
        let mut last: BTreeMap<Conn, usize> = BTreeMap::new();
        for (j, job) in jobs.iter().enumerate() {
            let Some(taker) = job.taker() else {
                last.clear();
                continue;
            };
            let Some(i) = last.insert(taker, j) else { continue };
            let first = jobs[i];
            if first.window == job.window {
                continue;
            }
            let served = |puller: &Conn| jobs[i + 1..j].iter().any(|between| between.takers.contains(puller));
            let stayed = first.ready.iter().filter(|puller| job.ready.contains(puller));
            let bypassed = stayed.filter(|puller| **puller != taker && !served(puller));
            violations.extend(bypassed.map(|puller| {
                let text = format!(
                    "{} had messages {} and {} at {}, and {} none in between",
                    taker.0, first.number, job.number, self.topic, puller.0
                );
                Violation::safety("REQ-RR-005", text)
            }));
        }
        violations
    }

    /// F4.
    fn new_pullers(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        for puller in &self.pullers {
            let Some(opened) = puller.opened else { continue };
            let after: Vec<&Job> = self.jobs.iter().filter(|job| job.sent > opened).collect();
            let Some(first) = after.first().filter(|job| job.window.is_some()) else { continue };
            let n = first.ready.len();
            let Some(turns) = after.get(..n) else { continue };
            let is_known = |job: &Job| self.is_placed(job) && !self.is_haunted(job);
            let is_of_window = |job: &Job| job.window == first.window && job.taker().is_some();
            let is_one_window = turns.iter().all(|job| is_of_window(job) && is_known(job));
            let joined_last = self.window(opened + 1, first.sent).is_some() && is_ordered(turns);
            let are_first = after[n..].iter().all(|later| turns.iter().all(|turn| turn.is_before(later)));
            let served = turns.iter().any(|job| job.taker() == Some(puller.conn));
            if is_one_window && joined_last && are_first && first.ready.contains(&puller.conn) && !served {
                let text = format!("{} joined {} and got none of {n} messages", puller.conn.0, self.topic);
                violations.push(Violation::safety("REQ-RR-006", text));
            }
        }
        violations
    }

    /// The ring is in the order of joining: seen where nobody has left and nothing was served before.
    fn join_order(&self) -> Option<Violation> {
        let windows = self.whole_windows();
        let jobs = windows.first()?;
        let first = jobs.first()?;
        let is_first = self.jobs.first().is_some_and(|job| job.sent == first.sent);
        let nobody_left = self.pullers.iter().all(|p| p.leaving.is_none_or(|(at, _)| at > first.sent));
        let turns: Vec<Conn> = jobs.get(..first.ready.len())?.iter().filter_map(|job| job.taker()).collect();
        let mut sorted = turns.clone();
        sorted.sort();
        let mut ready = first.ready.clone();
        ready.sort();
        let is_wrong = is_first && nobody_left && is_ordered(jobs) && sorted == ready && turns != first.ready;
        is_wrong.then(|| {
            let text = format!(
                "{:?} joined {} in this order, and had turns {:?}",
                numbers(&first.ready),
                self.topic,
                numbers(&turns)
            );
            Violation::safety("REQ-RR-009", text)
        })
    }

    /// A pusher to whom nobody listens is neither stalled nor ended.
    fn pushers(&self) -> Vec<Violation> {
        let is_there = |puller: &&Member, job: &Job| {
            puller.opening < job.sent && puller.over.is_none_or(|over| over > job.sent)
        };
        let is_alone = |job: &Job| !self.pullers.iter().any(|puller| is_there(puller, job));
        let alone = |conn: Conn| self.jobs.iter().any(|job| job.pusher == conn && is_alone(job));
        let mut violations = Vec::new();
        for pusher in self.ledger.in_role(Role::Push).filter(|m| m.door.topic == *self.topic && alone(m.conn))
        {
            let stalled = pusher.missed.iter().any(|(_, wait)| matches!(wait, Wait::Ingress | Wait::Room));
            let text = format!("{} pushed to {}, where nobody pulled, and", pusher.conn.0, self.topic);
            if stalled {
                violations.push(Violation::liveness("REQ-RR-008", format!("{text} is not read any more")));
            }
            if pusher.ended.is_some() {
                violations.push(Violation::safety("REQ-RR-008", format!("{text} was ended")));
            }
        }
        violations
    }
}

/// Whether each message was read before the next one of another pusher was sent.
fn is_ordered(jobs: &[&Job]) -> bool {
    jobs.windows(2).all(|pair| pair[0].is_before(pair[1]))
}

/// Whether there are several pushers, and for each of them alone a rule holds.
fn each_pusher(jobs: &[&Job], holds: impl Fn(&[&Job]) -> bool) -> bool {
    let mut pushers: Vec<Conn> = jobs.iter().map(|job| job.pusher).collect();
    pushers.sort();
    pushers.dedup();
    pushers.len() > 1
        && pushers.iter().all(|pusher| {
            let own: Vec<&Job> = jobs.iter().copied().filter(|job| job.pusher == *pusher).collect();
            holds(&own)
        })
}

fn numbers(conns: &[Conn]) -> Vec<u32> {
    conns.iter().map(|conn| conn.0).collect()
}
