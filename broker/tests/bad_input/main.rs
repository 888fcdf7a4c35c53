//! The table "Bad input" of PROTOCOL.md, row by row, over raw sockets.
//!
//! After every row the rest of the broker must work as before, and nothing of the row may have reached anybody
//! (REQ-LIVE-001, REQ-LIVE-002): see [`watch`].

#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/running.rs"]
mod running;

mod auth;
mod bounds;
mod frames;
mod http;
mod pinghub;
mod row;
mod watch;

use std::collections::BTreeSet;
use std::path::Path;

/// The rows of the document are the rows of this test.
#[test]
fn the_document_and_this_test_have_the_same_rows() {
    let document = Path::new(env!("CARGO_MANIFEST_DIR")).join("../PROTOCOL.md");
    let text = std::fs::read_to_string(document).unwrap();
    let section = text.split("\n## ").find(|section| section.starts_with("14. Bad input")).unwrap();
    let documented: Vec<&str> = section.lines().filter_map(first_cell).flat_map(in_backticks).collect();

    let tables =
        [http::rows(), http::origin_rows(), http::production_rows(), frames::rows(), pinghub::rows()];
    let in_tables = tables.iter().flatten().map(|row| row.id);
    let tested: Vec<&str> = in_tables.chain(bounds::ROWS).chain(auth::ROWS).chain(pinghub::BOUNDS).collect();

    let set = |rows: &[&'static str]| rows.iter().copied().collect::<BTreeSet<_>>();
    let documented_set: BTreeSet<&str> = documented.iter().copied().collect();
    assert_eq!(documented_set.len(), documented.len(), "a row of the document is there twice");
    assert_eq!(set(&tested).len(), tested.len(), "a row of the test is there twice");
    let only_documented: Vec<_> = documented_set.difference(&set(&tested)).copied().collect();
    assert!(only_documented.is_empty(), "in PROTOCOL.md only: {only_documented:?}");
    let tested_set = set(&tested);
    let only_tested: Vec<_> = tested_set.difference(&documented_set).collect();
    assert!(only_tested.is_empty(), "in the test only: {only_tested:?}");
}

/// The first cell of a table row that names rows of ours.
fn first_cell(line: &str) -> Option<&str> {
    let (cell, _) = line.strip_prefix("| ")?.split_once(" | ")?;
    cell.starts_with('`').then_some(cell)
}

fn in_backticks(cell: &str) -> impl Iterator<Item = &str> {
    cell.split('`').skip(1).step_by(2)
}
