//! Our broker as a program of its own, which can be killed.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;

/// The program, if it lies elsewhere.
const PROGRAM: &str = "PETASUS_BIN";

/// A broker as a process. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    /// `ws://127.0.0.1:PORT`
    pub(crate) url: String,
}

impl Process {
    /// Starts one at `HOST:PORT`; port 0 is any free one.
    pub(crate) fn start(authority: &str) -> Process {
        let mut command = Command::new(program());
        // It refuses what it does not know among these, and the tests have some of their own.
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PETASUS_") {
                command.env_remove(name);
            }
        }
        let listen = format!("http://{authority}");
        command.args(["broker", "--listen", &listen, "--admin", "none"]);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A pipe that is full would stop it.
        let mut errors = child.stderr.take().unwrap();
        std::thread::spawn(move || {
            let mut text = String::new();
            errors.read_to_string(&mut text)
        });
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line
            .trim_end()
            .strip_prefix("petasus: listening on ")
            .unwrap_or_else(|| panic!("it said `{line}`"));
        Process { url: url.replacen("http", "ws", 1), child }
    }

    /// `HOST:PORT`.
    pub(crate) fn authority(&self) -> &str {
        self.url.strip_prefix("ws://").unwrap()
    }

    /// Ends it as a crash does: it has no chance to say goodbye.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        let status = self.child.wait().unwrap();
        assert_eq!(status.code(), None, "it did not exit by itself");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It is gone already unless the test failed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The folder of this build, such as `target/debug`: tests lie in `deps` below it, examples in `examples`.
pub(crate) fn profile() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.parent().unwrap().parent().unwrap().to_owned()
}

/// The program `petasus`. It belongs to another package, so that cargo builds it only if it is asked to.
fn program() -> &'static Path {
    static PROGRAM_PATH: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM_PATH.get_or_init(|| match std::env::var_os(PROGRAM) {
        Some(path) => path.into(),
        None => build(),
    })
}

fn build() -> PathBuf {
    let folder = profile();
    let name = folder.file_name().unwrap().to_str().unwrap();
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo")));
    for (name, _) in std::env::vars_os() {
        // What cargo says of this package would make build scripts run again.
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix)) {
            cargo.env_remove(&*name);
        }
    }
    cargo.args(["build", "--quiet", "--package", "petasus-cli", "--profile"]);
    cargo.arg(if name == "debug" { "dev" } else { name });
    cargo.arg("--target-dir").arg(folder.parent().unwrap()).current_dir(env!("CARGO_MANIFEST_DIR"));
    let status = cargo.status().unwrap();
    assert!(status.success(), "the program `petasus` can not be built: set {PROGRAM} to one that is");
    folder.join(format!("petasus{}", std::env::consts::EXE_SUFFIX))
}
