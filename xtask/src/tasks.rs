//! The commands beside `test`.

use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::broker::Broker;
use crate::child;
use crate::place;
use crate::steps;
use crate::tools;

/// Builds the broker and the load generator for release and runs the comparison with `arguments`.
pub(crate) fn bench(arguments: &[String]) -> ExitCode {
    if !shown(tools::cargo().args(["build", "--release", "-p", "petasus-cli", "-p", "petasus-benches"])) {
        return ExitCode::FAILURE;
    }
    let mut compare = tools::cargo();
    compare.args(["run", "--quiet", "--release", "-p", "petasus-benches", "--bin", "compare", "--"]);
    exit(shown(compare.args(arguments)))
}

/// Draws the picture of the example page.
pub(crate) fn screenshot() -> ExitCode {
    let drawn = steps::node_and_chromium().and_then(|chromium| {
        let broker = Broker::start("screenshot", &["http://127.0.0.1:0"], &[])?;
        let mut node = Command::new("node");
        node.arg("screenshot.mjs").current_dir(place::root().join("xtask/browser"));
        node.env("PETASUS_TEST_CHROMIUM", chromium).env("PETASUS_TEST_URL", &broker.urls[0]);
        let drawn = child::run(&mut node, Duration::from_mins(3))
            .map_err(|problem| format!("node does not start: {problem}"))?;
        broker.stop()?;
        if drawn.ok() { Ok(()) } else { Err(format!("screenshot.mjs: {}", drawn.end())) }
    });
    if let Err(problem) = &drawn {
        eprintln!("xtask: {problem}");
    }
    exit(drawn.is_ok())
}

/// Finds or makes a compiler for the browser; prints `export RUSTC=...` where one has to be named.
pub(crate) fn wasm_toolchain() -> ExitCode {
    exit(shown(Command::new("bash").arg(steps::TOOLCHAIN).current_dir(place::root())))
}

/// Runs a command on our own terminal.
fn shown(command: &mut Command) -> bool {
    match command.status() {
        Ok(status) => status.success(),
        Err(problem) => {
            eprintln!("xtask: {} does not start: {problem}", command.get_program().display());
            false
        }
    }
}

fn exit(success: bool) -> ExitCode {
    if success { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
