//! The step `wamp`: autobahn-python and autobahn-js, as they are published, against Petasus and against
//! crossbar, which is the control.
//!
//! The cases, what starts crossbar, and the list of known differences are in `xtask/wamp`; its `run.py` prints
//! what does not pass and the table of differences, and ends with the counts. Here are only the tools, the
//! broker and the verdict.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::browser;
use super::counted::counted;
use crate::broker::{Broker, Build};
use crate::child;
use crate::counts;
use crate::place;
use crate::report::Outcome;
use crate::tools;

/// What pip installs, and the versions of all that comes with it.
const PACKAGES: [&str; 2] = ["requirements.txt", "constraints.txt"];

/// Beside the environment: the packages that it was made of. Written last.
const STAMP: &str = "petasus-packages.txt";

/// The UNIX socket of the broker, in its working directory.
const SOCKET: &str = "wamp.sock";

/// Where the broker serves WAMP over HTTP long-poll.
const LONG_POLL: &str = "/longpoll";

/// How long all cases against both routers may take; a minute or two each is usual.
const PATIENCE: Duration = Duration::from_mins(10);

/// Runs all cases against crossbar and against Petasus.
pub(super) fn run() -> Outcome {
    let python = match environment().and_then(|python| browser::node_packages(&folder()).map(|()| python)) {
        Ok(python) => python,
        Err(missing) => return Outcome::skipped(missing),
    };
    let broker = match start_broker(&python) {
        Ok(broker) => broker,
        Err(problem) => return Outcome::failed(problem),
    };
    let outcome = counted(&mut cases(&python, &broker.urls[0]), PATIENCE, counts::node);
    match broker.stop() {
        Ok(()) => outcome,
        Err(problem) => outcome.and_failed(problem),
    }
}

/// The broker with the users that the cases know, on a free port and a UNIX socket.
fn start_broker(python: &Path) -> Result<Broker, String> {
    let scratch = place::scratch("wamp");
    fs::create_dir_all(&scratch).map_err(|problem| format!("{}: {problem}", scratch.display()))?;
    // One that was ended the hard way leaves its socket behind.
    let _ = fs::remove_file(scratch.join(SOCKET));
    let mut write = Command::new(python);
    write.args(["run.py", "--configure-petasus"]).arg(&scratch).current_dir(folder());
    if !child::run(&mut write, Duration::from_mins(1)).is_ok_and(|finished| finished.ok()) {
        return Err("run.py cannot write the configuration of the broker".to_owned());
    }
    let unix = format!("http+unix://{SOCKET}");
    Broker::start("wamp", Build::Debug, &["http://127.0.0.1:0", &unix], &[])
}

/// The call of `run.py` against the broker at `url`, an `http://HOST:PORT`.
fn cases(python: &Path, url: &str) -> Command {
    let scratch = place::scratch("wamp");
    let authority = url.trim_start_matches("http://");
    let mut run = Command::new(python);
    run.args(["-u", "run.py", "--crossbar", "--out"]).arg(&scratch).current_dir(folder());
    run.args(["--ws", &format!("ws://{authority}/ws"), "--tcp", authority, "--mercury", url]);
    run.args(["--longpoll", &format!("{url}{LONG_POLL}")]).arg("--unix").arg(scratch.join(SOCKET));
    run
}

/// Where the scripts are.
pub(super) fn folder() -> PathBuf {
    place::root().join("xtask/wamp")
}

/// The Python of an environment in the user's cache that has crossbar and autobahn; made where it is not there
/// yet, or was made of other packages.
///
/// # Errors
/// Says what is missing and the command that installs it.
pub(super) fn environment() -> Result<PathBuf, String> {
    let wanted = wanted()?;
    let base = place::cache().ok_or("the environment of crossbar needs a cache folder; set HOME")?;
    let environment = base.join("wamp-python");
    let python = environment.join("bin/python");
    let stamp = environment.join(STAMP);
    let has_all = |python: &Path| {
        child::answer(Command::new(python).args(["-c", "import autobahn, crossbar, aiohttp"])).is_some()
    };
    if fs::read_to_string(&stamp).is_ok_and(|made_of| made_of == wanted) && has_all(&python) {
        return Ok(python);
    }
    let system = tools::find_or_install(&["python3"], &["python3", "python3-venv"])?;
    let recent = "import sys; assert sys.version_info >= (3, 11)";
    if child::answer(Command::new(&system).args(["-c", recent])).is_none() {
        return Err(
            "crossbar needs Python 3.11 or newer; run: pyenv install 3.11 && pyenv global 3.11".to_owned()
        );
    }
    println!("installing crossbar and autobahn into {} (about two minutes)", environment.display());
    let done =
        |command: &mut Command| child::run(command, tools::INSTALL).is_ok_and(|finished| finished.ok());
    let mut install = Command::new(&python);
    install.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    install.args(["-r", PACKAGES[0], "-c", PACKAGES[1]]).current_dir(folder());
    let made = done(Command::new(&system).args(["-m", "venv"]).arg(&environment))
        && done(&mut install)
        && has_all(&python);
    if !made {
        return Err(format!(
            "crossbar and autobahn cannot be installed; run: python3 -m venv {} && cd xtask/wamp && {} -m pip install -r {} -c {}",
            environment.display(),
            python.display(),
            PACKAGES[0],
            PACKAGES[1]
        ));
    }
    fs::write(&stamp, wanted).map_err(|problem| format!("{}: {problem}", stamp.display()))?;
    Ok(python)
}

/// The text of the files that say what the environment is made of.
fn wanted() -> Result<String, String> {
    let mut text = String::new();
    for name in PACKAGES {
        let path = folder().join(name);
        text += &fs::read_to_string(&path).map_err(|problem| format!("{}: {problem}", path.display()))?;
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_address_of_the_broker_is_named() {
        let command = cases(Path::new("python"), "http://127.0.0.1:4711");
        let arguments: Vec<String> =
            command.get_args().map(|argument| argument.to_string_lossy().into_owned()).collect();
        for pair in [
            ["--ws", "ws://127.0.0.1:4711/ws"],
            ["--tcp", "127.0.0.1:4711"],
            ["--longpoll", "http://127.0.0.1:4711/longpoll"],
        ] {
            assert!(arguments.windows(2).any(|found| found == pair), "{pair:?} in {arguments:?}");
        }
    }

    #[test]
    fn the_environment_is_made_of_pinned_packages() {
        let wanted = wanted().unwrap();
        assert!(wanted.contains("crossbar==") && wanted.contains("twisted=="), "{wanted}");
    }
}
