//! Instructions of a WAMP publish to a topic with one subscriber, among other subscriptions.
//!
//! The others are of sessions that stay: eight of ten exact, one a prefix, one a wildcard whose first component is
//! empty, so that each publish has to pass by them. One server does all: its instructions are counted during a short
//! and a long run, and what these differ by is divided by the messages they differ by.

use std::time::Duration;

use petasus_protocol::wamp::message::Subscribe;
use petasus_protocol::wamp::{Dict, Message, Serializer};

use super::delivery::deliver;
use crate::arguments::Reach;
use crate::client::Audience;
use crate::compare::Entry;
use crate::compare::counted::Counted;
use crate::compare::launch::{Launched, Programs};
use crate::error::LoadError;
use crate::fleet::Fleet;
use crate::lineup;
use crate::wamp::{Encoding, Part};
use crate::wire::Opcode;

/// Subscriptions of a session: below the 10,000 that `wamp.subscriptions` allows.
const PER_SESSION: usize = 5_000;
/// SUBSCRIBEs that wait for an answer.
const AT_ONCE: usize = 500;
const FEW: u64 = 200;
const MANY: u64 = FEW + 2_000;
/// How long a server under a counting tool may take for an answer.
const PATIENCE: Duration = Duration::from_mins(1);

/// Counts, and prints a Markdown table.
pub(super) fn run(programs: &Programs) -> Result<(), LoadError> {
    println!("| load | other subscriptions | instructions per publish |\n|---|---|---|");
    for others in [10, 1_000, 100_000] {
        let count = per_publish(programs, others)?;
        println!("| WAMP json, 1 to 1, 128 B, one at a time | {others} | {count:.0} |");
    }
    Ok(())
}

fn per_publish(programs: &Programs, others: usize) -> Result<f64, LoadError> {
    let entry = Entry::Wamp(Encoding::Json);
    let mut counted = Counted::start(programs, entry.contender(), false)?;
    let crowd = subscribe(&counted.server, &entry.reach(&counted.server), others)?;
    let publish = |messages| move |server: &Launched| deliver(&entry.traffic(server, 1), 1, messages);
    // The first run is for caches and pools.
    counted.during(publish(FEW))?;
    let few = counted.during(publish(FEW))?;
    let many = counted.during(publish(MANY))?;
    drop(crowd);
    Ok((many as f64 - few as f64) / (MANY - FEW) as f64)
}

/// Sessions with `others` subscriptions, none of which matches the topic of the runs.
fn subscribe(server: &Launched, reach: &Reach, others: usize) -> Result<Fleet, LoadError> {
    let mut fleet = lineup::new_fleet(reach)?;
    let sessions = others.div_ceil(PER_SESSION);
    let targets = lineup::targets(&server.url("/ws#"), sessions, 1)?;
    let clients = fleet.open_all(lineup::seated(targets, reach, |_| Part::Plain), None)?;
    let mut answers = Answers::default();
    for number in 0..others {
        let client = clients[number / PER_SESSION];
        let request = (number % PER_SESSION) as u64 + 1;
        fleet.queue(client, Opcode::Text, &subscription(request, number));
        fleet.flush(client)?;
        while number + 1 - answers.subscribed >= AT_ONCE
            || (number + 1 == others && answers.subscribed < others)
        {
            if !fleet.turn(Some(PATIENCE), &mut answers)? {
                return Err(LoadError::Late { what: "answer a SUBSCRIBE", seconds: PATIENCE.as_secs() });
            }
            if let Some(refusal) = answers.refusal.take() {
                return Err(LoadError::Wamp(refusal));
            }
        }
    }
    Ok(fleet)
}

/// The SUBSCRIBE of the others' subscription `number`.
fn subscription(request: u64, number: usize) -> Vec<u8> {
    let (topic, kind) = match number % 10 {
        8 => (format!("crowd.p{number}"), "prefix"),
        9 => (format!(".c{number}"), "wildcard"),
        _ => (format!("crowd.t{number}"), "exact"),
    };
    let options = Dict::new().with("match", kind);
    Message::from(Subscribe { request, options, topic }).encode(Serializer::Json)
}

/// Counts what is answered.
#[derive(Default)]
struct Answers {
    subscribed: usize,
    /// The first answer that is no SUBSCRIBED.
    refusal: Option<String>,
}

impl Audience for Answers {
    fn message(&mut self, _client: usize, payload: &[u8], _at: u64) {
        if payload.starts_with(b"[33,") {
            self.subscribed += 1;
        } else {
            self.refusal.get_or_insert_with(|| String::from_utf8_lossy(payload).into_owned());
        }
    }

    fn closed(&mut self, _client: usize, code: Option<u16>) {
        self.refusal.get_or_insert_with(|| format!("the session was closed ({code:?})"));
    }
}
