//! The step `browser`: the example page in a real browser, against a real broker.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::counted::counted;
use crate::broker::{Broker, Build};
use crate::child;
use crate::counts;
use crate::place;
use crate::report::Outcome;
use crate::tools;

/// The listeners: Mercury's dialect with the example page, and Pinghub's.
const LISTEN: [&str; 2] = ["http://127.0.0.1:0", "http://127.0.0.1:0?dialects=pinghub"];

/// The oldest Node that the scripts run on.
const NODE: u32 = 20;

/// Drives the pages by node's test runner.
pub(super) fn run() -> Outcome {
    let chromium = match node_and_chromium() {
        Ok(chromium) => chromium,
        Err(missing) => return Outcome::skipped(missing),
    };
    let broker = match Broker::start("browser", Build::Debug, &LISTEN, &[]) {
        Ok(broker) => broker,
        Err(problem) => return Outcome::failed(problem),
    };
    let mut node = Command::new("node");
    node.args(["--test", "--test-reporter=spec"]);
    node.current_dir(folder()).env("PETASUS_TEST_CHROMIUM", chromium);
    node.env("PETASUS_TEST_BROKER", Build::Debug.program("petasus"));
    node.env("PETASUS_TEST_URL", &broker.urls[0]).env("PETASUS_TEST_PINGHUB_URL", &broker.urls[1]);
    let outcome = counted(&mut node, Duration::from_mins(5), counts::node);
    match broker.stop() {
        Ok(()) => outcome,
        Err(problem) => outcome.and_failed(problem),
    }
}

/// Node with the packages of `xtask/browser`, and the path of a Chromium; what is missing is installed.
///
/// # Errors
/// Says what is missing and the command that installs it.
pub(crate) fn node_and_chromium() -> Result<PathBuf, String> {
    node_packages(&folder())?;
    tools::find_or_install(&["chromium", "chromium-browser", "google-chrome"], &["chromium"])
}

/// Node, and in `folder` the packages of its lock file; what is missing is installed. No script of a package
/// runs: none of ours needs one.
///
/// # Errors
/// Says what is missing and the command that installs it.
pub(crate) fn node_packages(folder: &Path) -> Result<(), String> {
    let node = tools::find_or_install(&["node"], &["nodejs", "npm"])?;
    let version = child::answer(Command::new(node).arg("--version")).unwrap_or_default();
    if major(&version).is_none_or(|major| major < NODE) {
        return Err(format!(
            "Node {NODE} or newer is needed, and {version} is here; run: npm install -g node@{NODE}"
        ));
    }
    let npm = tools::find_or_install(&["npm"], &["npm"])?;
    if packages_are_stale(folder) {
        let mut install = Command::new(npm);
        install.args(["ci", "--ignore-scripts", "--no-audit", "--no-fund"]).current_dir(folder);
        if !child::run(&mut install, tools::INSTALL).is_ok_and(|finished| finished.ok()) {
            let folder = folder.display();
            return Err(format!(
                "npm cannot install the packages; run: cd {folder} && npm ci --ignore-scripts"
            ));
        }
    }
    Ok(())
}

/// The first number of `v20.11.1`.
fn major(version: &str) -> Option<u32> {
    version.strip_prefix('v')?.split('.').next()?.parse().ok()
}

/// Where the scripts for the browser are.
fn folder() -> PathBuf {
    place::root().join("xtask/browser")
}

/// Are the installed packages absent, or older than the lock file?
fn packages_are_stale(folder: &Path) -> bool {
    let modified = |name: &str| fs::metadata(folder.join(name)).and_then(|file| file.modified());
    match (modified("package-lock.json"), modified("node_modules/.package-lock.json")) {
        (Ok(wanted), Ok(installed)) => wanted > installed,
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_version_of_node_is_read() {
        assert_eq!(major("v20.11.1"), Some(20));
        assert_eq!(major(""), None);
    }
}
