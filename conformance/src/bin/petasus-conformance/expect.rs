//! `expect`: the file of expected failures that fits a report.

use std::fs;
use std::path::PathBuf;

use petasus_conformance::check;
use petasus_conformance::report::Report;
use petasus_conformance::run::{Expectations, Stale, Verdict};

use crate::output;

/// Which report, and which file.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What `run --report json=FILE` wrote.
    report: PathBuf,
    /// The file: what is out of date is taken out, what is new is put at its end. Without this the new entries are printed.
    #[arg(long, value_name = "FILE")]
    update: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result<u8, String> {
    let report = output::read(&args.report)?;
    let Some(path) = &args.update else {
        print!("{}", new_entries(&report));
        return Ok(0);
    };
    let old = if path.exists() { fs::read_to_string(path) } else { Ok(String::new()) };
    let old = old.map_err(|error| format!("{}: {error}", path.display()))?;
    let expectations = Expectations::parse(&old, path).map_err(|error| error.to_string())?;
    let is_whole = report.checks.len() == check::all().len();
    let stale = expectations.stale(report.ran(), is_whole);
    let mut text = String::new();
    for block in blocks(&old).into_iter().filter(|block| !is_stale(block, &stale)) {
        text.push_str(&block);
    }
    let new = new_entries(&report);
    if !text.is_empty() {
        text = text.trim_end().to_owned() + if new.is_empty() { "\n" } else { "\n\n" };
    }
    text.push_str(&new);
    output::write(path, &text)?;
    println!("{}: {} new, {} out of date", path.display(), new.matches("[[known]]").count(), stale.len());
    Ok(0)
}

/// An entry for each failure that was not expected, with what was seen as its reason.
fn new_entries(report: &Report) -> String {
    let mut entries = Vec::new();
    for check in &report.checks {
        let is_new = |verdict| matches!(verdict, Verdict::Fail | Verdict::NonStrict);
        for finding in check.findings.iter().filter(|finding| is_new(finding.verdict)) {
            let reason = format!("seen, to be explained: {}", finding.text);
            entries.push(Expectations::entry(&finding.requirement, &check.id, &reason));
        }
    }
    entries.join("\n")
}

/// The entries of a file as they are written: each from its `[[` to the next one, and what stands before the first.
fn blocks(text: &str) -> Vec<String> {
    let mut blocks = vec![String::new()];
    for line in text.split_inclusive('\n') {
        if line.starts_with("[[") {
            blocks.push(String::new());
        }
        if let Some(block) = blocks.last_mut() {
            block.push_str(line);
        }
    }
    blocks
}

fn is_stale(block: &str, stale: &[Stale]) -> bool {
    let Ok(entry) = toml::from_str::<toml::Table>(block) else { return false };
    // `[[known]]` is a list with one table in it.
    let table = entry.get("known").and_then(|known| known.get(0));
    let text = |key: &str| table.and_then(|table| table.get(key)).and_then(|value| value.as_str());
    let Some(req) = text("req") else { return false };
    stale.iter().any(|stale| stale.req == req && stale.check.as_deref() == text("check"))
}
