//! The judges on histories that were recorded: each finds what is wrong, and nothing else.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use petasus_conformance::check;
use petasus_conformance::history::{Conn, Event, History, Proof, What};
use petasus_conformance::model::{Door, Fill, Kind, Payload, Role, Topic};
use petasus_conformance::namespace::Namespace;

fn found(history: &History) -> Vec<&'static str> {
    let check = check::named(&history.check).expect("the history names a check");
    let mut ids: Vec<_> = check.judge(history).into_iter().map(|violation| violation.requirement).collect();
    ids.dedup();
    ids
}

fn fixtures() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/histories");
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}

/// The defects of the original, as a broker with these defects showed them. The file's name says the id.
#[test]
fn the_defects_of_the_original_are_found_in_their_histories() {
    let paths = fixtures();
    assert!(paths.len() >= 4);
    for path in paths {
        let history = History::read(BufReader::new(File::open(&path).unwrap())).unwrap();
        let name = path.file_stem().unwrap().to_str().unwrap();
        let (_, id) = name.split_once("-REQ-").unwrap();
        let id = format!("REQ-{id}");
        assert_eq!(found(&history), [id.as_str()], "{name}");
    }
}

/// A history by hand: everybody joins, a message is sent, and these receive it.
fn told(check: &str, doors: &[Door], from: u32, to: &[u32]) -> History {
    let namespace = Namespace::numbered(1, 1);
    let mut history = History::new(namespace.clone(), check);
    let mut note = |conn: Option<u32>, what| {
        let at_us = history.events.len() as u64;
        history.events.push(Event { at_us, conn: conn.map(Conn), what });
    };
    for (conn, door) in (0..).zip(doors) {
        note(Some(conn), What::Opening { door: door.clone() });
        note(Some(conn), What::Opened { proof: Proof::Proved });
    }
    let payload = Payload::of(&Fill::Tagged(4).bytes(&namespace, Conn(from), 0));
    note(Some(from), What::Sending { number: 0, kind: Kind::Text, payload: payload.clone(), pieces: 1 });
    note(Some(from), What::Flushed { proof: Proof::Proved });
    for &conn in to {
        note(Some(conn), What::Received { kind: Kind::Text, payload: payload.clone() });
    }
    note(None, What::Settled);
    history
}

fn door(role: Role, topic: &str) -> Door {
    Door::new(role, Topic::new(topic))
}

/// REQ-SUB-001, REQ-SUB-002, REQ-SUB-003, REQ-SUB-004
#[test]
fn a_publication_is_for_its_subscribers_alone_and_once() {
    let doors =
        [door(Role::Pub, "a/b"), door(Role::Sub, "a"), door(Role::Sub, "a/bc"), door(Role::Sub, "a/b")];
    let judged = |to: &[u32]| found(&told("pubsub.hierarchy", &doors, 0, to));
    assert_eq!(judged(&[1, 3]), [""; 0]);
    assert_eq!(judged(&[1]), ["REQ-SUB-001"]);
    assert_eq!(judged(&[1, 3, 2]), ["REQ-SUB-002"]);
    assert_eq!(judged(&[1, 3, 3]), ["REQ-SUB-003"]);
    assert_eq!(judged(&[1, 3, 0]), ["REQ-SUB-004"]);
}

/// REQ-BUS-001, REQ-BUS-002, REQ-BUS-003, REQ-TOP-001, REQ-TOP-003
#[test]
fn a_bus_is_for_its_other_peers() {
    let mut doors =
        vec![door(Role::Bus, "a"), door(Role::Bus, "a"), door(Role::Bus, "a/b"), door(Role::Bus, "A")];
    let judged = |doors: &[Door], to: &[u32]| found(&told("bus.exchange", doors, 0, to));
    assert_eq!(judged(&doors, &[1]), [""; 0]);
    assert_eq!(judged(&doors, &[]), ["REQ-BUS-001"]);
    assert_eq!(judged(&doors, &[1, 0]), ["REQ-BUS-002"]);
    assert_eq!(judged(&doors, &[1, 2]), ["REQ-BUS-003"]);
    assert_eq!(judged(&doors, &[1, 3]), ["REQ-TOP-001"]);
    doors[0].echo = true;
    assert_eq!(judged(&doors, &[1]), ["REQ-BUS-002"]);
    doors[2] = door(Role::Sub, "a");
    assert_eq!(judged(&doors, &[0, 1, 2]), ["REQ-TOP-003"]);
}

/// REQ-RR-001, REQ-RR-002, REQ-RR-007
#[test]
fn a_job_is_for_one_puller() {
    let doors =
        [door(Role::Push, "q"), door(Role::Pull, "q"), door(Role::Pull, "q"), door(Role::Pull, "q/r")];
    let judged = |to: &[u32]| found(&told("pushpull.churn", &doors, 0, to));
    assert_eq!(judged(&[1]), [""; 0]);
    assert_eq!(judged(&[]), ["REQ-RR-001"]);
    assert_eq!(judged(&[1, 2]), ["REQ-RR-002"]);
    assert_eq!(judged(&[3]), ["REQ-RR-007"]);
}

/// REQ-SUB-006: a misdelivery that comes after everything else.
#[test]
fn what_comes_late_is_told_by_the_audit() {
    let doors = [door(Role::Pub, "a"), door(Role::Sub, "b"), door(Role::Pub, "b")];
    let mut history = told("pubsub.hierarchy", &doors, 0, &[]);
    let late = Payload::of(&Fill::Tagged(4).bytes(&history.namespace, Conn(0), 0));
    let other = Payload::of(&Fill::Tagged(4).bytes(&history.namespace, Conn(2), 0));
    let event = |conn: u32, what| Event { at_us: 99, conn: Some(Conn(conn)), what };
    let settled = history.events.pop().unwrap();
    history.events.extend([
        event(2, What::Sending { number: 0, kind: Kind::Text, payload: other.clone(), pieces: 1 }),
        event(1, What::Received { kind: Kind::Text, payload: other }),
        settled,
    ]);
    assert_eq!(found(&history), [""; 0]);
    history.events.push(event(1, What::Received { kind: Kind::Text, payload: late }));
    assert_eq!(found(&history), ["REQ-SUB-006"]);
}
