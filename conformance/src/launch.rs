//! A broker as a child process, started for a run and ended after it.

use std::ffi::OsString;
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

/// What a broker prints before its address.
const LISTENING: &str = "listening on ";

/// How long it may take to listen.
const PATIENCE: Duration = Duration::from_mins(1);

/// The program `petasus`, if it lies elsewhere.
const PROGRAM: &str = "PETASUS_BIN";

/// A running broker; it is killed when this value goes.
pub struct Launched {
    child: Child,
    /// `http://HOST:PORT`.
    pub url: String,
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
    /// It printed no address in time.
    #[error("{0} did not print `{LISTENING}URL`: it has to, on standard output, when it is ready")]
    Silent(String),
    /// `petasus` could not be built.
    #[error("`petasus` cannot be built: build it, or set {PROGRAM} to the program")]
    Build,
}

impl Launched {
    /// Starts a program that prints `listening on URL` when it is ready.
    ///
    /// # Errors
    /// It does not start, or does not say where it listens.
    pub fn start(command: &mut Command) -> Result<Self, LaunchError> {
        let program = command.get_program().display().to_string();
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child =
            command.spawn().map_err(|why| LaunchError::Start { program: program.clone(), why })?;
        let Some(output) = child.stdout.take().map(BufReader::new) else {
            return Err(LaunchError::Silent(program));
        };
        let (lines, printed) = mpsc::channel();
        // Reads on to the end, so that the broker never waits for a full pipe.
        std::thread::spawn(move || {
            output.lines().map_while(Result::ok).for_each(|line| drop(lines.send(line)));
        });
        let mut launched = Self { child, url: String::new() };
        while launched.url.is_empty() {
            let line = printed.recv_timeout(PATIENCE).map_err(|_| LaunchError::Silent(program.clone()))?;
            if let Some((_, url)) = line.split_once(LISTENING) {
                let url = url.split_once('?').map_or(url, |(url, _)| url);
                url.trim().trim_end_matches('/').clone_into(&mut launched.url);
            }
        }
        Ok(launched)
    }

    /// Starts our own broker on a free port of the loopback interface; builds it if need be.
    ///
    /// # Errors
    /// It cannot be built or started.
    pub fn petasus() -> Result<Self, LaunchError> {
        let program = match std::env::var_os(PROGRAM) {
            Some(path) => path.into(),
            None => build()?,
        };
        let mut command = Command::new(program);
        // The user's own settings are not what is tested.
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("PETASUS_"))
        {
            command.env_remove(name);
        }
        command.args(["broker", "--listen", "http://127.0.0.1:0", "--admin", "none"]);
        Self::start(command.current_dir(std::env::temp_dir()))
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        // It may have died of what it was sent.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
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
