//! The step `npm`: the package for browsers and Node, built from nothing, its suite against five brokers, and what
//! becomes of it in the hands of bundlers and runtimes.
//!
//! The suite is in `client-wasm/tests`: the same cases in Node and in Chromium. It starts our broker itself; where the
//! others listen it reads from the variables below. The tests in `client-wasm/packaging-tests` install the packed package,
//! and so does `examples/chat`.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::browser::{node_and_chromium, node_packages};
use super::client;
use super::counted::{beside, counted};
use crate::broker::{Broker, Build};
use crate::child;
use crate::counts;
use crate::place;
use crate::report::Outcome;
use crate::tools;
use crate::wasm;

/// Where fox-wamp listens: `ws://127.0.0.1:4713`.
const FOX_WAMP: &str = "PETASUS_TEST_FOX_WAMP";

/// Where our broker listens for the tests of the packed package.
const PETASUS: &str = "PETASUS_TEST_URL";

/// The suite takes three minutes, the tests of the packed package one.
const PATIENCE: Duration = Duration::from_mins(10);

/// The files of the suite, from its folder.
const SUITE: [&str; 5] =
    ["codes.test.mjs", "smoke.test.mjs", "node.test.js", "chromium.test.js", "tab.test.js"];

/// Builds the package and tests it. What is missing of the other brokers is skipped; the suite against ours
/// runs everywhere.
pub(super) fn run() -> Outcome {
    let chromium = match tools_of_the_suite() {
        Ok(chromium) => chromium,
        Err(missing) => return Outcome::skipped(missing),
    };
    if let Err(problem) = build() {
        return Outcome::failed(problem);
    }
    let fox_wamp = node_packages(&fox_wamp_folder()).map(|()| start_fox_wamp(&[]));
    let [crossbar, mercury] = client::others();
    beside([crossbar, mercury, ("fox-wamp", FOX_WAMP, fox_wamp)], |others| {
        let mut suite = tests(&suite(), &SUITE, &chromium);
        suite.env("PETASUS_BIN", Build::Debug.program("petasus")).env(client::CROSSBAR_REALM, client::REALM);
        suite.envs(others.iter().map(|(name, value)| (name, value)));
        counted_by_node(&mut suite).and(packaging(&chromium)).and(chat(&chromium))
    })
}

/// Node with the packages of the suite and of the package, and the path of a Chromium.
fn tools_of_the_suite() -> Result<PathBuf, String> {
    node_packages(&package())?;
    node_packages(&suite())?;
    node_and_chromium()
}

/// The broker, the modules, and the package around them.
fn build() -> Result<(), String> {
    let mut cli = tools::cargo();
    child::succeed(cli.args(["build", "-p", "petasus-cli"]).args(Build::Debug.flag()), tools::INSTALL)?;
    for variant in &wasm::VARIANTS {
        let module = wasm::make(variant, false)?;
        println!("petasus-wasm, {}: {}", variant.name, wasm::weight(&module));
    }
    child::succeed(Command::new("npm").args(["run", "build"]).current_dir(package()), tools::INSTALL)
}

/// fox-wamp with its memory store, on a free port; `options` are for node.
pub(super) fn start_fox_wamp(options: &[&str]) -> Result<Broker, String> {
    let mut serve = Command::new("node");
    serve.args(options).arg(fox_wamp_folder().join("serve.js"));
    Broker::start_program("npm-fox-wamp", &mut serve, 1)
}

/// Where its starter is, and the lock of its packages.
pub(super) fn fox_wamp_folder() -> PathBuf {
    suite().join("fox-wamp")
}

/// The tests of the packed package, beside a broker of ours.
fn packaging(chromium: &Path) -> Outcome {
    let folder = package().join("packaging-tests");
    if let Err(missing) = node_packages(&folder) {
        return Outcome::skipped(missing);
    }
    let broker = match Broker::start("npm", Build::Debug, &["http://127.0.0.1:0"], &[]) {
        Ok(broker) => broker,
        Err(problem) => return Outcome::failed(problem),
    };
    let outcome = counted_by_node(tests(&folder, &["run.mjs"], chromium).env(PETASUS, &broker.urls[0]));
    match broker.stop() {
        Ok(()) => outcome,
        Err(problem) => outcome.and_failed(problem),
    }
}

/// The example on the packed package.
fn chat(chromium: &Path) -> Outcome {
    let folder = place::root().join("examples/chat");
    if let Err(missing) = node_packages(&folder) {
        return Outcome::skipped(missing);
    }
    for script in ["package", "build"] {
        let mut npm = Command::new("npm");
        if let Err(problem) = child::succeed(npm.args(["run", script]).current_dir(&folder), tools::INSTALL) {
            return Outcome::failed(format!("examples/chat, npm run {script}: {problem}"));
        }
    }
    let mut tests = tests(&folder, &["test/chat.test.mjs"], chromium);
    counted_by_node(tests.env("PETASUS_TEST_BROKER", Build::Debug.program("petasus")))
}

/// A call of node's test runner.
fn tests(folder: &Path, files: &[&str], chromium: &Path) -> Command {
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec"]);
    // Two files at a time would only be slower, and what is late would be taken for lost.
    node.arg("--test-concurrency=1").args(files).current_dir(folder);
    node.env("PETASUS_TEST_CHROMIUM", chromium);
    node
}

/// Runs tests of node, and counts them.
fn counted_by_node(node: &mut Command) -> Outcome {
    counted(node, PATIENCE, counts::node)
}

/// Where the package is.
fn package() -> PathBuf {
    place::root().join("client-wasm")
}

/// Where its suite is.
fn suite() -> PathBuf {
    package().join("tests")
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn every_file_of_tests_is_run() {
        let mut found: Vec<String> = fs::read_dir(suite())
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .filter(|name| name.contains(".test."))
            .collect();
        found.sort_unstable();
        let mut wanted = SUITE.to_vec();
        wanted.sort_unstable();
        assert_eq!(found, wanted);
    }

    #[test]
    fn the_suite_reads_the_variables_that_are_set() {
        let targets = fs::read_to_string(suite().join("stage/targets.js")).unwrap();
        for variable in [client::CROSSBAR, client::CROSSBAR_REALM, client::MERCURY, FOX_WAMP] {
            assert!(targets.contains(variable), "{variable}");
        }
    }
}
