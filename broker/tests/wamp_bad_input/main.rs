//! The table "Bad input over WAMP", row by row, over raw sockets, and more of what clients should not do.
//!
//! After every row others work as before, and nothing of the row may have reached anybody (REQ-LIVE-001,
//! REQ-LIVE-002): see [`witness`]. Nothing in the broker may panic: see [`panics`].

#[path = "../wamp/client.rs"]
mod client;
#[path = "../support/metrics.rs"]
mod metrics;
#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/running.rs"]
mod running;
#[path = "../wamp/verbs.rs"]
mod verbs;

mod bounds;
mod endings;
mod fuzz;
mod malformed;
mod misplaced;
mod panics;
mod refused;
mod row;
mod witness;

use std::collections::BTreeSet;
use std::path::Path;

use petasus_protocol::wamp::Serializer;

use client::Wamp;
use running::{Running, config};

/// A broker with the development defaults, and an eye on panics.
async fn start() -> Running {
    panics::watch();
    Running::start(config("http://127.0.0.1:0")).await
}

async fn json(running: &Running) -> Wamp {
    Wamp::join(running.address, Serializer::Json, "default").await
}

fn rows() -> Vec<row::Row> {
    [malformed::rows(), malformed::binary_rows(), misplaced::rows(), refused::rows()]
        .into_iter()
        .flatten()
        .collect()
}

/// REQ-WAMP-003, REQ-WAMP-004, REQ-WAMP-006, REQ-WAMP-008, REQ-WAMP-009, REQ-WAMP-013, REQ-WAMP-015, REQ-WAMP-019,
/// REQ-WAMP-057, REQ-WAMP-106
#[tokio::test]
async fn all_rows() {
    row::run(rows()).await;
}

/// The rows of the document are the rows of this test.
#[test]
fn the_document_and_this_test_have_the_same_rows() {
    let rows = rows();
    let names: BTreeSet<&str> = rows.iter().map(|row| row.id).collect();
    assert_eq!(names.len(), rows.len(), "a row is there twice");
    for row in &rows {
        println!("{}", row.markdown());
    }
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../PROTOCOL.md");
    let text = std::fs::read_to_string(document).unwrap();
    let documented: BTreeSet<&str> = text.lines().filter(|line| line.starts_with("| `WAMP-")).collect();
    let tested: Vec<String> = rows.iter().map(row::Row::markdown).collect();
    assert_eq!(documented, tested.iter().map(String::as_str).collect());
}
