//! The step `conformance`: the harness against brokers that nobody here wrote, and against the Mercury-style broker with
//! each of its defects. What is known to fail of each is in `conformance/expectations`; a failure that is not there, and
//! one there that does not happen any more, fail the step. Our own broker is a test of the crate.

use std::path::{Path, PathBuf};
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

/// Other brokers are run with the same scripts each time: what is known of them was found with these.
const SEED: &str = "1";

/// A broker that is not ours.
struct Target {
    /// Its name, and that of its file of expectations.
    name: String,
    /// How the harness speaks to it.
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
    targets().into_iter().map(|start| one(start())).reduce(Outcome::and).unwrap_or_else(Outcome::held)
}

/// How each of them is started, one after the other: they need not be there at the same time.
fn targets() -> Vec<Box<dyn FnOnce() -> Target>> {
    let mut all: Vec<Box<dyn FnOnce() -> Target>> = vec![
        Box::new(nchan),
        Box::new(crossbar),
        Box::new(fox_wamp),
        Box::new(|| by_adapter("socket.io-4.8.4", "socketio")),
        Box::new(|| by_adapter("faye-1.4.3", "faye")),
    ];
    all.push(Box::new(|| mercury(None)));
    all.extend(
        DEFECTS.map(|defect| -> Box<dyn FnOnce() -> Target> { Box::new(move || mercury(Some(defect))) }),
    );
    all
}

/// Defects of `xtask/mercury/broker.pl`, and the checks that find them.
const DEFECTS: [(&str, &str); 3] =
    [("stuck-rotation", "pushpull"), ("binary-as-text", "payload"), ("invalid-as-empty", "payload")];

/// One of them, started and held against the list.
fn one(target: Target) -> Outcome {
    let Target { name, arguments, started } = target;
    let broker = match started {
        Ok(Ok(broker)) => broker,
        Ok(Err(problem)) => return Outcome::failed(format!("{name}: {problem}")),
        Err(missing) => return Outcome::skipped(missing),
    };
    println!("\n{name}");
    let report = report(&name);
    if let Some(Err(problem)) = report.parent().map(std::fs::create_dir_all) {
        return Outcome::failed(format!("{}: {problem}", report.display()));
    }
    let url = broker.urls[0].replacen("http://", "ws://", 1);
    let mut harness = Command::new(Build::Debug.program("petasus-conformance"));
    harness.args(["run", "--url", &url, "--seed", SEED]).args(&arguments).current_dir(others());
    harness.arg("--expect").arg(crate_folder().join(format!("expectations/{name}.toml")));
    harness.arg("--report").arg(format!("json={}", report.display()));
    let outcome = match child::succeed(&mut harness, PATIENCE) {
        Ok(()) => Outcome::held(),
        Err(problem) => Outcome::failed(format!("{name}: {problem}")),
    };
    match broker.stop() {
        Ok(()) => outcome,
        Err(problem) => outcome.and_failed(format!("{name}: {problem}")),
    }
}

/// nginx with nchan: topics without a hierarchy, and nothing else.
fn nchan() -> Target {
    let lacks = ["bus", "bus.echo", "pushpull", "pushpull.strict", "pubsub.hierarchy", "http.post"];
    let arguments = lacks.iter().flat_map(|cap| ["--without".to_owned(), (*cap).to_owned()]).collect();
    let started = tools::nginx_with_nchan()
        .and_then(|_| node_packages(&others()))
        .map(|()| by_node("nchan", &others().join("nchan-broker.mjs")));
    Target { name: "nchan-1.3.6".to_owned(), arguments, started }
}

/// crossbar, as the step `wamp` has it.
fn crossbar() -> Target {
    let started = wamp::environment().map(|python| client::start_crossbar(&python));
    Target { name: "crossbar-26.10.1".to_owned(), arguments: by_wamp(), started }
}

/// fox-wamp, as the step `npm` has it, but kept alive: it ends when a client is gone without a word.
fn fox_wamp() -> Target {
    let started = node_packages(&npm::fox_wamp_folder()).map(|()| {
        let alive = others().join("survive.mjs");
        npm::start_fox_wamp(&["--import", &alive.display().to_string()])
    });
    Target { name: "fox-wamp-0.7.28".to_owned(), arguments: by_wamp(), started }
}

fn by_wamp() -> Vec<String> {
    ["--driver", "wamp"].map(str::to_owned).to_vec()
}

/// A broker on a package of npm, which the harness speaks to by an adapter.
fn by_adapter(name: &str, files: &str) -> Target {
    let arguments = ["--driver", "exec", "--command"].map(str::to_owned).to_vec();
    let arguments = arguments.into_iter().chain([format!("node {files}-adapter.mjs")]).collect();
    let broker = others().join(format!("{files}-broker.mjs"));
    let started = node_packages(&others()).map(|()| by_node(files, &broker));
    Target { name: name.to_owned(), arguments, started }
}

fn by_node(name: &str, script: &Path) -> Result<Broker, String> {
    Broker::start_program(&format!("conformance-{name}"), Command::new("node").arg(script), 1)
}

/// The Mercury-style broker, or one defect of it and the checks that find it.
fn mercury(defect: Option<(&str, &str)>) -> Target {
    let name = defect.map_or("mercury-style".to_owned(), |(defect, _)| format!("mercury-style/{defect}"));
    let arguments = defect.map(|(_, checks)| checks.to_owned()).into_iter().collect();
    let defect: Vec<&str> = defect.map(|(defect, _)| ["--defect", defect]).into_iter().flatten().collect();
    let started = tools::perl_with_mojolicious().map(|perl| client::start_mercury(&perl, &defect));
    Target { name, arguments, started }
}

fn report(name: &str) -> PathBuf {
    place::scratch("conformance").join(format!("{}.json", name.replace('/', "-")))
}

fn crate_folder() -> PathBuf {
    place::root().join("conformance")
}

fn others() -> PathBuf {
    crate_folder().join("others")
}
