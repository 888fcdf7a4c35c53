//! A broker of ours, started for a step on free ports of the loopback interface.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

use crate::child::{self, Guard};
use crate::place;
use crate::tools;

/// What a broker prints for each address, before the URL.
const LISTENING: &str = "listening on ";

/// How long a start, and a stop, may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// How a program of the workspace is built.
#[derive(Clone, Copy)]
pub(crate) enum Build {
    /// In little time.
    Debug,
    /// For speed.
    Release,
}

impl Build {
    /// What cargo has to be told.
    pub(crate) fn flag(self) -> Option<&'static str> {
        match self {
            Self::Debug => None,
            Self::Release => Some("--release"),
        }
    }

    /// Where the program `name` is then.
    pub(crate) fn program(self, name: &str) -> PathBuf {
        let folder = match self {
            Self::Debug => "debug",
            Self::Release => "release",
        };
        place::target().join(folder).join(name)
    }
}

/// A running broker; it is ended when this value goes.
pub(crate) struct Broker {
    child: Guard,
    /// The URLs it listens on, in the order of its `--listen` flags: `http://127.0.0.1:4711`.
    pub(crate) urls: Vec<String>,
    /// Where its log goes.
    log: PathBuf,
}

impl Broker {
    /// Builds `petasus` and starts `petasus broker` with an address for each of `listen`, and `settings` in
    /// its environment.
    ///
    /// # Errors
    /// Says what went wrong, with the end of the log.
    pub(crate) fn start(
        step: &str,
        build: Build,
        listen: &[&str],
        settings: &[(&str, &str)],
    ) -> Result<Self, String> {
        let mut cargo = tools::cargo();
        cargo.args(["build", "-p", "petasus-cli"]).args(build.flag());
        match child::run(&mut cargo, Duration::from_mins(10)) {
            Ok(finished) if finished.ok() => {}
            Ok(finished) => return Err(format!("petasus does not build: {}", finished.end())),
            Err(problem) => return Err(format!("cargo does not start: {problem}")),
        }
        let mut command = Command::new(build.program("petasus"));
        command.args(["broker", "--admin", "none"]);
        for address in listen {
            command.args(["--listen", address]);
        }
        // The user's own settings are not what is tested.
        let own = |name: &std::ffi::OsString| name.to_string_lossy().starts_with("PETASUS_");
        for name in std::env::vars_os().map(|(name, _)| name).filter(own) {
            command.env_remove(name);
        }
        command.envs(settings.iter().copied());
        Self::start_program(step, &mut command, listen.len())
    }

    /// Starts `command` and reads the `addresses` URLs that it listens on, each from a line `listening on URL` of its
    /// output. It may be any broker that ends with status 0 on SIGTERM.
    ///
    /// # Errors
    /// Says what went wrong, with the end of the log.
    pub(crate) fn start_program(step: &str, command: &mut Command, addresses: usize) -> Result<Self, String> {
        let folder = place::scratch(step);
        let log = folder.join("broker.log");
        fs::create_dir_all(&folder).map_err(|problem| format!("{}: {problem}", folder.display()))?;
        let file = File::create(&log).map_err(|problem| format!("{}: {problem}", log.display()))?;
        // A folder of its own: no petasus.toml of the user changes what is tested.
        command.current_dir(&folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
        let program = command.get_program().display().to_string();
        let child = command.spawn().map_err(|problem| format!("{program} does not start: {problem}"))?;
        let mut broker = Self { child: Guard(child), urls: Vec::new(), log };

        let output = BufReader::new(broker.child.0.stdout.take().expect("standard output is piped"));
        let (lines, printed) = mpsc::channel();
        // Reads on to the end, so that the broker never waits for a full pipe.
        thread::spawn(move || output.lines().map_while(Result::ok).for_each(|line| drop(lines.send(line))));
        let deadline = Instant::now() + PATIENCE;
        while broker.urls.len() < addresses {
            let left = deadline.saturating_duration_since(Instant::now());
            let Ok(line) = printed.recv_timeout(left) else {
                return Err(format!("the broker does not listen{}", broker.end_of_log()));
            };
            broker.urls.extend(line.split_once(LISTENING).map(|(_, url)| without_options(url)));
        }
        println!("broker: pid {}, {}", broker.child.0.id(), broker.urls.join(" "));
        Ok(broker)
    }

    /// Stops the broker as an operator does, and asks for exit status 0: it has to have survived its step.
    ///
    /// # Errors
    /// Says how it ended instead, with the end of the log.
    pub(crate) fn stop(mut self) -> Result<(), String> {
        if let Ok(Some(status)) = self.child.0.try_wait() {
            return Err(format!("the broker ended by itself: {status}{}", self.end_of_log()));
        }
        match child::terminate(&mut self.child.0, PATIENCE) {
            Ok(Some(status)) if status.success() => Ok(()),
            Ok(Some(status)) => Err(format!("the broker ended badly: {status}{}", self.end_of_log())),
            Ok(None) => Err(format!("the broker did not end on SIGTERM{}", self.end_of_log())),
            Err(problem) => Err(format!("the broker cannot be awaited: {problem}")),
        }
    }

    fn end_of_log(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        let last = lines[lines.len().saturating_sub(20)..].join("\n  ");
        format!("; its log ({}) ends with:\n  {last}", self.log.display())
    }
}

/// The URL without `?dialects=...` and without a slash at its end.
fn without_options(url: &str) -> String {
    let url = url.trim();
    url.split_once('?').map_or(url, |(url, _)| url).trim_end_matches('/').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    const TWO: &str =
        "echo hello; echo petasus: listening on http://a; echo petasus: listening on http://b/?dialects=x; ";

    #[test]
    fn the_urls_are_read_and_a_clean_end_is_fine() {
        let script = format!("trap 'exit 0' TERM; {TWO} while :; do sleep 0.05; done");
        let broker = Broker::start_program("xtask-test-1", &mut shell(&script), 2).unwrap();
        assert_eq!(broker.urls, ["http://a", "http://b"]);
        broker.stop().unwrap();
    }

    #[test]
    fn a_broker_that_died_during_its_step_is_a_failure_that_shows_the_log() {
        let script = format!("{TWO} echo boom >&2; exit 0");
        let broker = Broker::start_program("xtask-test-2", &mut shell(&script), 2).unwrap();
        while fs::read_to_string(&broker.log).unwrap().is_empty() {
            thread::yield_now();
        }
        let mut broker = broker;
        broker.child.0.wait().unwrap();
        let problem = broker.stop().unwrap_err();
        assert!(problem.contains("by itself") && problem.contains("boom"), "{problem}");
    }

    #[test]
    fn a_broker_that_never_listens_is_a_failure_that_shows_the_log() {
        let mut command = shell("echo address in use >&2; exit 1");
        let problem = Broker::start_program("xtask-test-3", &mut command, 1).err().unwrap();
        assert!(problem.contains("does not listen") && problem.contains("address in use"), "{problem}");
    }
}
