//! `cargo xtask bench python`: our Python client beside others, each at its own broker.
//!
//! The measuring is in `benches/python`; here is what it needs: release builds of the broker and of the wheel,
//! an environment with the other clients, and their brokers.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::broker::Build;
use crate::child;
use crate::place;
use crate::tools;

/// Builds, installs and measures; `arguments` go to `benches/python`.
///
/// # Errors
/// Says what could not be built, installed or measured. A broker that is missing is only left out.
pub(crate) fn run(arguments: &[String]) -> Result<(), String> {
    for found in [tools::nats_server(), tools::mosquitto()] {
        if let Err(missing) = found {
            eprintln!("xtask: {missing}");
        }
    }
    shown(tools::cargo().args(["build", "--release", "-p", "petasus-cli"]))?;
    let python = environment()?;
    let mut measure = Command::new(&python);
    measure.arg("benches/python").args(arguments).current_dir(place::root());
    shown(measure.env("PETASUS", Build::Release.program("petasus")))
}

/// A Python with our wheel, built of the tree as it is, and the other clients.
fn environment() -> Result<PathBuf, String> {
    let folder = place::scratch("bench-python");
    let python = folder.join("bin/python");
    if !python.is_file() {
        shown(Command::new("python3").args(["-m", "venv"]).arg(&folder))?;
    }
    pip(&python, &["-r", "benches/python/requirements.txt"])?;
    pip(&python, &["--force-reinstall", "--no-deps", "--no-build-isolation", "./client-py"])?;
    Ok(python)
}

/// `pip install` at the root of the workspace, with the programs of the environment in `PATH`.
fn pip(python: &Path, arguments: &[&str]) -> Result<(), String> {
    let mut install = Command::new(python);
    install.args(["-m", "pip", "install", "-q", "--disable-pip-version-check"]).args(arguments);
    let programs = python.parent().into_iter().map(Path::to_path_buf);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = std::env::join_paths(programs.chain(std::env::split_paths(&path)))
        .map_err(|problem| format!("PATH: {problem}"))?;
    let finished = child::run(install.env("PATH", path).current_dir(place::root()), tools::INSTALL)
        .map_err(|problem| format!("{} does not start: {problem}", python.display()))?;
    if finished.ok() {
        Ok(())
    } else {
        Err(format!("pip install {}: {}", arguments.join(" "), finished.end()))
    }
}

/// Runs a command on our own terminal.
fn shown(command: &mut Command) -> Result<(), String> {
    let name = command.get_program().display().to_string();
    match command.status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!("{name}: {status}")),
        Err(problem) => Err(format!("{name} does not start: {problem}")),
    }
}
