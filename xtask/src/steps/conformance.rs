//! The step `conformance`: the harness against brokers that nobody here wrote, and against the Mercury-style broker with
//! each of its defects. What is known to fail of each is in `conformance/expectations`; a failure that is not there, and
//! one there that does not happen any more, fail the step. Our own broker is a test of the crate.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use super::browser::node_packages;
use super::{client, npm, wamp};
use crate::broker::{Broker, Build};
use crate::child;
use crate::place;
use crate::report::Outcome;
use crate::tools;

/// A run takes from ten seconds to a minute.
const PATIENCE: Duration = Duration::from_mins(8);

/// A broker that is not ours.
struct Target {
    /// Its name in reports.
    name: &'static str,
    /// Its settings, in `conformance/others`, and what else the harness has to be told.
    arguments: Vec<String>,
    /// Whether it started, or what is missing for it.
    started: Result<Result<Broker, String>, String>,
}

/// Runs the harness against each of them, and lays the reports beside each other.
pub(super) fn run() -> Outcome {
    let mut cargo = tools::cargo();
    cargo.args(["build", "-p", "petasus-conformance", "--bins"]);
    if let Err(problem) = child::succeed(&mut cargo, tools::INSTALL) {
        return Outcome::failed(problem);
    }
    // What is left of an earlier run is no report of this one.
    let _ = fs::remove_dir_all(reports());
    if let Err(problem) = fs::create_dir_all(reports()) {
        return Outcome::failed(format!("{}: {problem}", reports().display()));
    }
    let outcome = TARGETS.map(|start| one(start())).into_iter().reduce(Outcome::and);
    // Before the defects, whose reports are none of a broker that somebody uses.
    outcome.unwrap_or_else(Outcome::held).and(matrix()).and(defects())
}

/// How each of them is started, one after the other: they need not be there at the same time.
const TARGETS: [fn() -> Target; 6] = [nchan, crossbar, fox_wamp, socketio, faye, || mercury(None)];

/// Defects of `xtask/mercury/broker.pl`, and the checks that find them.
const DEFECTS: [(&str, &str); 5] = [
    ("stuck-rotation", "pushpull"),
    ("binary-as-text", "payload"),
    ("invalid-as-empty", "payload"),
    ("no-puller-500", "http.requests"),
    ("post-latin1", "http.requests"),
];

/// The defect that shows only in brokers that are told something: the harness starts them itself.
const LAUNCHED: &str = "origin-substring";

/// The Mercury-style broker with each of its defects that the checks can see.
fn defects() -> Outcome {
    let all = DEFECTS.map(|defect| one(mercury(Some(defect))));
    all.into_iter().reduce(Outcome::and).unwrap_or_else(Outcome::held).and(launched())
}

/// The Mercury-style broker with the defect of its origins.
fn launched() -> Outcome {
    let perl = match tools::perl_with_mojolicious() {
        Ok(perl) => perl,
        Err(missing) => return Outcome::skipped(missing),
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = perl.parent().map(PathBuf::from).into_iter().chain(std::env::split_paths(&path));
    let Ok(path) = std::env::join_paths(folders) else {
        return Outcome::failed(format!("{} lies in a folder that PATH cannot hold", perl.display()));
    };
    let config = others().join("mercury-origin.toml").display().to_string();
    let arguments = ["--config".to_owned(), config, "origin".to_owned()];
    held(LAUNCHED, harness(LAUNCHED, &arguments).env("PATH", path))
}

/// One page over all that ran.
fn matrix() -> Outcome {
    let mut told: Vec<PathBuf> =
        fs::read_dir(reports()).into_iter().flatten().flatten().map(|file| file.path()).collect();
    told.sort();
    if told.is_empty() {
        return Outcome::skipped("there is no matrix: none of the other brokers is installed");
    }
    let mut harness = Command::new(Build::Debug.program("petasus-conformance"));
    harness.arg("matrix").args(told).arg("--html").arg(reports().join("matrix.html"));
    match child::succeed(&mut harness, PATIENCE) {
        Ok(()) => Outcome::held(),
        Err(problem) => Outcome::failed(format!("the matrix: {problem}")),
    }
}

/// One of them, started and held against the list.
fn one(target: Target) -> Outcome {
    let Target { name, arguments, started } = target;
    let broker = match started {
        Ok(Ok(broker)) => broker,
        Ok(Err(problem)) => return Outcome::failed(format!("{name}: {problem}")),
        Err(missing) => return Outcome::skipped(missing),
    };
    let url = broker.urls[0].replacen("http://", "ws://", 1);
    let outcome = held(name, harness(name, &arguments).args(["--url", &url]));
    match broker.stop() {
        Ok(()) => outcome,
        Err(problem) => outcome.and_failed(format!("{name}: {problem}")),
    }
}

/// The harness, as it is run against a broker.
fn harness(name: &str, arguments: &[String]) -> Command {
    let mut harness = Command::new(Build::Debug.program("petasus-conformance"));
    harness.arg("run").args(arguments).current_dir(others());
    harness.arg("--report").arg(format!("json={}", report(name).display()));
    harness
}

/// What came of it.
fn held(name: &str, harness: &mut Command) -> Outcome {
    println!("\n{name}");
    match child::succeed(harness, PATIENCE) {
        Ok(()) => Outcome::held(),
        Err(problem) => Outcome::failed(format!("{name}: {problem}")),
    }
}

/// nginx with nchan.
fn nchan() -> Target {
    let packages = tools::nginx_with_nchan().and_then(|_| node_packages(&others()));
    Target::of("nchan", packages.map(|()| by_node("nchan")))
}

/// crossbar, as the step `wamp` has it.
fn crossbar() -> Target {
    Target::of("crossbar", wamp::environment().map(|python| client::start_crossbar(&python)))
}

/// fox-wamp, as the step `npm` has it, but kept alive: it ends when a client is gone without a word.
fn fox_wamp() -> Target {
    let started = node_packages(&npm::fox_wamp_folder()).map(|()| {
        let alive = others().join("survive.mjs");
        npm::start_fox_wamp(&["--import", &alive.display().to_string()])
    });
    Target::of("fox-wamp", started)
}

fn socketio() -> Target {
    Target::of("socketio", node_packages(&others()).map(|()| by_node("socketio")))
}

fn faye() -> Target {
    Target::of("faye", node_packages(&others()).map(|()| by_node("faye")))
}

/// The Mercury-style broker, or one defect of it and the checks that find it.
fn mercury(defect: Option<(&'static str, &str)>) -> Target {
    let perl = tools::perl_with_mojolicious();
    let Some((defect, checks)) = defect else {
        return Target::of("mercury-style", perl.map(|perl| client::start_mercury(&perl, &[])));
    };
    let started = perl.map(|perl| client::start_mercury(&perl, &["--defect", defect]));
    let mut target = Target { name: defect, ..Target::of("mercury-style", started) };
    let expected = format!("../expectations/mercury-style/{defect}.toml");
    target.arguments.extend([checks.to_owned(), "--expect".to_owned(), expected]);
    target
}

impl Target {
    /// That of the settings of this name.
    fn of(name: &'static str, started: Result<Result<Broker, String>, String>) -> Self {
        Self { name, arguments: vec!["--config".to_owned(), format!("{name}.toml")], started }
    }
}

/// A broker that runs on Node.
fn by_node(name: &str) -> Result<Broker, String> {
    let script = others().join(format!("{name}-broker.mjs"));
    Broker::start_program(&format!("conformance-{name}"), Command::new("node").arg(script), 1)
}

fn report(name: &str) -> PathBuf {
    reports().join(format!("{name}.json"))
}

fn reports() -> PathBuf {
    place::scratch("conformance")
}

fn others() -> PathBuf {
    place::root().join("conformance/others")
}
