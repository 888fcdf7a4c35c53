//! The step `deny`: the rules of `deny.toml`, checked by cargo-deny.

use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use crate::child;
use crate::place;
use crate::report::Outcome;
use crate::tools;

/// The version that is installed where there is none.
const VERSION: &str = "0.20.2";

/// Checks licences, duplicate versions and sources. Not the advisories: their database is fetched from a
/// place that not every machine may reach.
pub(super) fn run() -> Outcome {
    let program = match program() {
        Ok(program) => program,
        Err(missing) => return Outcome::skipped(missing),
    };
    let mut check = Command::new(program);
    check.current_dir(place::root()).args(["check", "bans", "licenses", "sources"]);
    match child::run(&mut check, Duration::from_mins(3)) {
        Ok(finished) if finished.ok() => Outcome::held(),
        Ok(finished) => Outcome::failed(finished.end()),
        Err(problem) => Outcome::failed(format!("cargo-deny does not start: {problem}")),
    }
}

/// The cargo-deny of the machine; else ours, built once into the user's cache folder.
fn program() -> Result<PathBuf, String> {
    if let Some(program) = tools::find("cargo-deny") {
        return Ok(program);
    }
    let missing = "cargo-deny is missing; run: cargo install --locked cargo-deny";
    let folder = place::cache().ok_or(missing)?.join(format!("cargo-deny-{VERSION}"));
    let program = folder.join("bin/cargo-deny");
    if program.is_file() {
        return Ok(program);
    }
    println!("cargo-deny is missing: building it into {} (about 90 seconds)", folder.display());
    // Unoptimised it is as good for a check of some hundred packages, and there in half the time.
    let mut install = tools::cargo();
    install.args(["install", "--locked", "--debug", "--version", VERSION, "cargo-deny", "--root"]);
    install.arg(&folder).env("CARGO_PROFILE_DEV_DEBUG", "0").env_remove("CARGO_TARGET_DIR");
    match child::run(&mut install, tools::INSTALL) {
        Ok(finished) if finished.ok() && program.is_file() => Ok(program),
        _ => Err(missing.to_owned()),
    }
}
