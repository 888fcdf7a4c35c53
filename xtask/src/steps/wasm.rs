//! The step `wasm`: what browsers will share has to compile for them.

use std::env;
use std::process::Command;
use std::time::Duration;

use crate::child;
use crate::place;
use crate::report::Outcome;
use crate::tools;

/// The script that finds or makes the compiler, from the root of the workspace.
pub(crate) const TOOLCHAIN: &str = "xtask/wasm-toolchain.sh";

/// Builds `petasus-protocol` for `wasm32-unknown-unknown`.
pub(super) fn run() -> Outcome {
    let mut toolchain = Command::new("bash");
    toolchain.arg(TOOLCHAIN).current_dir(place::root());
    match child::run(&mut toolchain, tools::INSTALL) {
        Ok(made) if made.ok() => {}
        _ => return Outcome::skipped("no compiler; run: rustup target add wasm32-unknown-unknown"),
    }
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // By now the script answers at once. Its compiler is for this build alone, not for the host's.
    let script = format!(r#"found=$({TOOLCHAIN} 2>/dev/null) && eval "$found" && exec "$@""#);
    let mut build = Command::new("bash");
    build.current_dir(place::root()).args(["-c", &script, "bash"]).arg(cargo);
    build.args(["build", "-p", "petasus-protocol", "--target", "wasm32-unknown-unknown"]);
    match child::run(&mut build, Duration::from_mins(5)) {
        Ok(finished) if finished.ok() => Outcome::held(),
        Ok(finished) => Outcome::failed(finished.end()),
        Err(problem) => Outcome::failed(format!("bash does not start: {problem}")),
    }
}
