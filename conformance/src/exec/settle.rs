//! The end of a case: waiting, by events, until everything that is due can be proved to have arrived.
//!
//! A sentinel is an ordinary message, sent to each topic that has receivers after the broker has read everything else.
//! Whoever has it has everything that came before it, or never will. Queues have no address for a sentinel: there the
//! number of messages is waited for, and then a mark on each puller's own connection.

use std::collections::BTreeMap;

use super::ExecError;
use super::stage::Stage;
use crate::history::{Conn, Wait, What};
use crate::model::{Door, Fill, Kind, Role, Tie, Topic};
use crate::plan::Spelling;

/// The connections that the executor opens itself are numbered from here.
const AUDITORS: u32 = 1000;

/// How often a sentinel is sent before it counts as lost.
const SENTINELS: u32 = 4;

/// A sender of sentinels, and who is to have its last one.
struct Round {
    from: Conn,
    receivers: Vec<Conn>,
    last: Option<u32>,
}

pub(super) async fn settle(stage: &mut Stage<'_>) -> Result<(), ExecError> {
    stage.flush().await;
    sentinels(stage).await?;
    pullers(stage).await;
    stage.listen(stage.timing.quiet).await;
    stage.note(None, What::Settled);
    Ok(())
}

/// The receivers of a role, by topic.
fn receivers(stage: &Stage<'_>, role: Role) -> BTreeMap<Topic, Vec<Conn>> {
    let mut receivers: BTreeMap<Topic, Vec<Conn>> = BTreeMap::new();
    for (&conn, live) in stage.live.iter().filter(|(_, live)| live.door.role == role) {
        receivers.entry(live.door.topic.clone()).or_default().push(conn);
    }
    receivers
}

async fn sentinels(stage: &mut Stage<'_>) -> Result<(), ExecError> {
    let mut senders = Vec::new();
    for topic in receivers(stage, Role::Sub).into_keys() {
        senders.push(sender(stage, &Door::new(Role::Pub, topic)).await?);
    }
    // Two of each bus: nobody hears itself.
    for (topic, peers) in receivers(stage, Role::Bus) {
        let second = match peers.get(1) {
            Some(&second) => second,
            None => auditor(stage, &Door::new(Role::Bus, topic)).await?,
        };
        senders.extend([peers[0], second]);
    }
    // And every other sender: its own sentinel cannot overtake what it sent, whatever a pong proves.
    let others =
        stage.live.iter().filter(|(_, live)| matches!(live.door.role, Role::Bus | Role::Pub | Role::Session));
    senders.extend(others.map(|(&conn, _)| conn));
    senders.sort();
    senders.dedup();
    let mut rounds: Vec<Round> = senders.into_iter().filter_map(|from| round(stage, from)).collect();
    let patience = stage.timing.deadline / SENTINELS;
    for _ in 0..SENTINELS {
        for round in &mut rounds {
            if !round.is_heard(stage) {
                round.last = stage.send(round.from, Kind::Text, &Fill::Tagged(0), 1).await;
            }
        }
        if stage.until_within(patience, |stage| rounds.iter().all(|round| round.is_heard(stage))).await {
            return Ok(());
        }
    }
    stage.note(None, What::Missed { wait: Wait::Delivery });
    Ok(())
}

/// Everybody to whom something is due that this connection sends: each of its sentinels is waited for everywhere, as
/// judges look for it everywhere.
fn round(stage: &Stage<'_>, from: Conn) -> Option<Round> {
    let sender = &stage.live.get(&from)?.door;
    let is_due = |conn: Conn, door: &Door| sender.tie(door, conn == from) == Tie::Due;
    let receivers =
        stage.live.iter().filter(|(conn, live)| is_due(**conn, &live.door)).map(|(&conn, _)| conn).collect();
    Some(Round { from, receivers, last: None })
}

impl Round {
    /// Whether everybody who is still there has the last sentinel.
    fn is_heard(&self, stage: &Stage<'_>) -> bool {
        let has = |conn: &Conn| {
            !stage.live.contains_key(conn)
                || self.last.is_some_and(|number| stage.has(*conn, self.from, number))
        };
        !stage.live.contains_key(&self.from) || self.receivers.iter().all(has)
    }
}

/// Somebody who can send at this door: one who is there, or an auditor.
async fn sender(stage: &mut Stage<'_>, door: &Door) -> Result<Conn, ExecError> {
    let there = stage.live.iter().find(|(_, live)| live.door == *door).map(|(&conn, _)| conn);
    match there {
        Some(conn) => Ok(conn),
        None => auditor(stage, door).await,
    }
}

async fn auditor(stage: &mut Stage<'_>, door: &Door) -> Result<Conn, ExecError> {
    let taken = stage.live.keys().filter(|conn| conn.0 >= AUDITORS).map(|conn| conn.0 + 1).max();
    let conn = Conn(taken.unwrap_or(AUDITORS));
    stage.open(conn, door, Spelling::Usual, "").await?;
    Ok(conn)
}

async fn pullers(stage: &mut Stage<'_>) {
    let pullers: Vec<Conn> = receivers(stage, Role::Pull).into_values().flatten().collect();
    if !stage.until(Stage::is_quit).await {
        stage.note(None, What::Missed { wait: Wait::Delivery });
    }
    if !pullers.is_empty() {
        stage.pass(&pullers).await;
    }
}
