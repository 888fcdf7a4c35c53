//! A broker as a child process, started for a run and ended after it.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::driver::{Fut, Target, TargetError};

mod command;
mod ending;

pub(crate) use command::free_listener;
pub use command::{LaunchCommand, Overflow, Ready, ReadyError, Wanted};

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_mins(1);

/// The program `petasus`, if it lies elsewhere.
const PROGRAM: &str = "PETASUS_BIN";

/// The configuration of our own broker.
const TEMPLATE: &str = r#"listen = ["http://{addr}"]
allow_origin = [{origins}]
origin_match = "{origin_match}"
[timeouts]
ping = {ping}
[outbox]
bytes = {outbox}
policy = "{overflow}"
"#;

/// What a broker can be told, and what it has then.
const TOLD: [(&str, &[&str]); 6] = [
    ("origins", &["config.origin"]),
    ("ping", &["keepalive"]),
    ("outbox", &["config.outbox"]),
    ("overflow", &["slow.disconnect", "slow.drop"]),
    // One that can be told where to listen comes back there.
    ("addr", &["crash.restart"]),
    ("port", &["crash.restart"]),
];

/// Starts brokers for single cases.
pub trait Launcher: Send + Sync {
    /// What its brokers can be told and what can be done to them, as capabilities: `config.origin`, `crash.restart`.
    fn caps(&self) -> Vec<String>;

    /// Starts one.
    fn launch<'a>(&'a self, wanted: &'a Wanted) -> Fut<'a, Result<Box<dyn Broker>, LaunchError>>;
}

/// A broker that runs until this value goes.
pub trait Broker: Send {
    /// `http://HOST:PORT`.
    fn url(&self) -> String;

    /// The way to it.
    ///
    /// # Errors
    /// The address is none.
    fn target(&self) -> Result<Target, TargetError> {
        Target::parse(&self.url())
    }

    /// Ends it as a power cut does, and returns when it is no more. One that has ended stays so.
    ///
    /// # Errors
    /// It cannot be ended; its launcher does not say `crash.restart` then.
    fn kill(&mut self) -> Fut<'_, Result<(), LaunchError>> {
        Box::pin(async { Err(LaunchError::Endless) })
    }

    /// Asks it to stop, and does not wait for that.
    ///
    /// # Errors
    /// The same.
    fn stop(&mut self) -> Fut<'_, Result<(), LaunchError>> {
        Box::pin(async { Err(LaunchError::Endless) })
    }

    /// Waits until it has stopped; its exit status, unless a signal ended it.
    ///
    /// # Errors
    /// The same.
    fn stopped(&mut self) -> Fut<'_, Result<Option<i32>, LaunchError>> {
        Box::pin(async { Err(LaunchError::Endless) })
    }

    /// Starts it again at the same address, and told the same; what still runs is killed before.
    ///
    /// # Errors
    /// It does not start, or cannot be ended.
    fn restart(&mut self) -> Fut<'_, Result<(), LaunchError>> {
        Box::pin(async { Err(LaunchError::Endless) })
    }
}

impl Launcher for LaunchCommand {
    fn caps(&self) -> Vec<String> {
        let has = TOLD.into_iter().filter(|(name, _)| self.mentions(name));
        has.flat_map(|(_, caps)| caps).map(|&cap| cap.to_owned()).collect()
    }

    fn launch<'a>(&'a self, wanted: &'a Wanted) -> Fut<'a, Result<Box<dyn Broker>, LaunchError>> {
        Box::pin(async move { Ok(Box::new(self.start(wanted)?) as Box<dyn Broker>) })
    }
}

/// A running broker; it is killed when this value goes.
pub struct Launched {
    child: Child,
    /// `http://HOST:PORT`.
    pub url: String,
    /// Its configuration file, which goes with it.
    config: Option<PathBuf>,
    /// How it was started, where, and what it was told.
    command: LaunchCommand,
    address: SocketAddr,
    wanted: Wanted,
}

/// Why there is no broker.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// The program does not start.
    #[error("{program} does not start: {why}")]
    Start {
        /// Its name.
        program: String,
        /// What the system says.
        why: std::io::Error,
    },
    /// It ended before it was ready.
    #[error("{program} ended before it was ready ({status}): start it by hand to see why")]
    Ended {
        /// Its name.
        program: String,
        /// How it ended.
        status: String,
    },
    /// It is not ready in time.
    #[error("{program} was not ready within {} s, by {ready}: mend the command, or what says that it is ready", PATIENCE.as_secs())]
    NotReady {
        /// Its name.
        program: String,
        /// What was waited for.
        ready: String,
    },
    /// It runs until its value goes.
    #[error("this broker cannot be stopped by itself: its launcher must not say crash.restart")]
    Endless,
    /// It takes no signal.
    #[error("it cannot be asked to stop: {0}")]
    Signal(std::io::Error),
    /// `petasus` could not be built.
    #[error("`petasus` cannot be built: build it, or set {PROGRAM} to the program")]
    Build,
}

impl Launched {
    /// Starts our own broker on a free port of the loopback interface; builds it if need be.
    ///
    /// # Errors
    /// It cannot be built or started.
    pub fn petasus() -> Result<Self, LaunchError> {
        petasus()?.start(&Wanted::default())
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        // It may have died of what it was sent.
        let _ = self.child.kill();
        let _ = self.child.wait();
        if let Some(path) = &self.config {
            let _ = std::fs::remove_file(path);
        }
    }
}

/// The command that starts our own broker; builds it if need be.
///
/// # Errors
/// It cannot be built.
pub fn petasus() -> Result<LaunchCommand, LaunchError> {
    let program = match std::env::var_os(PROGRAM) {
        Some(path) => path.into(),
        None => build()?,
    };
    let program = program.display().to_string();
    Ok(LaunchCommand {
        command: [&program, "broker", "--config", "{config}", "--admin", "none"].map(str::to_owned).to_vec(),
        ready: Ready::Url("listening on ".to_owned()),
        template: Some(TEMPLATE.to_owned()),
    })
}

/// The configuration of our own broker when it is told this. The addresses are of no use where none is bound.
#[cfg(feature = "mem")]
pub(crate) fn configuration(wanted: &Wanted) -> String {
    command::configured(TEMPLATE, wanted)
}

/// Variables of the environment that set up our own broker: the user's own settings are not what is tested.
fn own_settings() -> impl Iterator<Item = OsString> {
    std::env::vars_os().map(|(name, _)| name).filter(|name| name.to_string_lossy().starts_with("PETASUS_"))
}

/// Builds `petasus` beside this program, in the same profile.
fn build() -> Result<PathBuf, LaunchError> {
    let this = std::env::current_exe().map_err(|_| LaunchError::Build)?;
    let mut folder = this.parent().ok_or(LaunchError::Build)?;
    if folder.ends_with("deps") {
        folder = folder.parent().ok_or(LaunchError::Build)?;
    }
    let profile = folder.file_name().and_then(|name| name.to_str()).ok_or(LaunchError::Build)?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    for (name, _) in std::env::vars_os() {
        // What cargo says of this package would make build scripts run again.
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix)) {
            cargo.env_remove(&*name);
        }
    }
    cargo.args(["build", "--quiet", "--package", "petasus-cli", "--profile"]);
    cargo.arg(if profile == "debug" { "dev" } else { profile });
    cargo.arg("--target-dir").arg(folder.parent().ok_or(LaunchError::Build)?);
    cargo.current_dir(env!("CARGO_MANIFEST_DIR")).stdout(Stdio::null());
    match cargo.status() {
        Ok(status) if status.success() => Ok(folder.join(format!("petasus{}", std::env::consts::EXE_SUFFIX))),
        _ => Err(LaunchError::Build),
    }
}
