//! The commands beside `test`.

use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::bench_python;
use crate::broker::{Broker, Build};
use crate::child;
use crate::place;
use crate::steps;
use crate::tools;
use crate::wasm;

/// Builds the broker, the peer and the load generator for release, and compares them as `arguments` say;
/// or the clients for Python, if they begin with `python`.
pub(crate) fn bench(arguments: &[String]) -> ExitCode {
    if let Some((first, rest)) = arguments.split_first()
        && first == "python"
    {
        let measured = bench_python::run(rest);
        if let Err(problem) = &measured {
            eprintln!("xtask: {problem}");
        }
        return exit(measured.is_ok());
    }
    let packages = ["build", "--release", "-p", "petasus-cli", "-p", "petasus-benches"];
    let built = shown(tools::cargo().args(packages));
    let mut compare = Command::new(Build::Release.program("petasus-load"));
    exit(built && shown(compare.arg("compare").args(arguments).current_dir(place::root())))
}

/// Draws the picture of the example page.
pub(crate) fn screenshot() -> ExitCode {
    let drawn = steps::node_and_chromium().and_then(|chromium| {
        let broker = Broker::start("screenshot", Build::Debug, &["http://127.0.0.1:0"], &[])?;
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
    exit(shown(Command::new("bash").arg(wasm::TOOLCHAIN).current_dir(place::root())))
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
