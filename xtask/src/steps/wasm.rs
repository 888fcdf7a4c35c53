//! The step `wasm`: what browsers will share has to compile for them.

use std::env;
use std::fs;
use std::process::Command;
use std::time::Duration;

use crate::child;
use crate::place;
use crate::report::Outcome;
use crate::tools;

/// The script that finds or makes the compiler, from the root of the workspace.
pub(crate) const TOOLCHAIN: &str = "xtask/wasm-toolchain.sh";

/// Where `petasus-wasm-size` is built to, below the target folder.
const MODULE: &str = "wasm32-unknown-unknown/wasm/petasus_wasm_size.wasm";

/// Builds `petasus-protocol` for `wasm32-unknown-unknown`, and weighs what a browser would load of it.
pub(super) fn run() -> Outcome {
    let mut toolchain = Command::new("bash");
    toolchain.arg(TOOLCHAIN).current_dir(place::root());
    match child::run(&mut toolchain, tools::INSTALL) {
        Ok(made) if made.ok() => {}
        _ => return Outcome::skipped("no compiler; run: rustup target add wasm32-unknown-unknown"),
    }
    let all = build(&["-p", "petasus-protocol"]);
    if all.failure.is_some() {
        return all;
    }
    let smallest = build(&["-p", "petasus-wasm-size", "--profile", "wasm"]);
    if smallest.failure.is_none() {
        weigh();
    }
    all.and(smallest)
}

/// Builds for browsers.
fn build(what: &[&str]) -> Outcome {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // By now the script answers at once. Its compiler is for this build alone, not for the host's.
    let script = format!(r#"found=$({TOOLCHAIN} 2>/dev/null) && eval "$found" && exec "$@""#);
    let mut build = Command::new("bash");
    build.current_dir(place::root()).args(["-c", &script, "bash"]).arg(cargo);
    build.arg("build").args(what).args(["--target", "wasm32-unknown-unknown"]);
    match child::run(&mut build, Duration::from_mins(10)) {
        Ok(finished) if finished.ok() => Outcome::held(),
        Ok(finished) => Outcome::failed(finished.end()),
        Err(problem) => Outcome::failed(format!("bash does not start: {problem}")),
    }
}

/// Prints what the session core weighs. Only a figure to keep an eye on: nothing fails because of it.
fn weigh() {
    let module = place::target().join(MODULE);
    let bytes = match fs::metadata(&module) {
        Ok(file) => file.len(),
        Err(problem) => return println!("session core: {}: {problem}", module.display()),
    };
    match Command::new("gzip").args(["-9", "-c"]).arg(&module).output() {
        Ok(packed) if packed.status.success() => {
            println!("session core: {bytes} bytes wasm, {} bytes gzip", packed.stdout.len());
        }
        _ => println!("session core: {bytes} bytes wasm (no gzip here)"),
    }
}
