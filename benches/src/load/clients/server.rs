//! The brokers of a contest, each started afresh on a free port of the loopback.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::NamedTempFile;

use crate::error::LoadError;
use crate::server::Server as Process;

use super::contestant::Broker;

/// A running broker; ended when dropped.
pub(super) struct Server {
    child: Child,
    /// `127.0.0.1:PORT`.
    pub(super) address: String,
    pub(super) process: Process,
    /// Its configuration, while it runs.
    _file: Option<NamedTempFile>,
}

impl Broker {
    /// Its program: for ours `named` or what lies beside this program, for the others what is installed.
    ///
    /// # Errors
    /// Says how to get it.
    pub(super) fn program(self, named: Option<&Path>) -> Result<PathBuf, LoadError> {
        let Some(package) = self.package() else {
            let beside = std::env::current_exe()?.with_file_name("petasus");
            let path = named.map_or(beside, Path::to_owned);
            return if path.is_file() {
                Ok(path)
            } else {
                Err(missing(&path, "cargo build --release -p petasus-cli"))
            };
        };
        // Where Debian puts them, which is not in everybody's PATH.
        let system = ["/usr/sbin", "/usr/local/sbin"].map(PathBuf::from);
        let folders = std::env::var_os("PATH").unwrap_or_default();
        let mut programs = std::env::split_paths(&folders).chain(system).map(|folder| folder.join(package));
        let found = programs.find(|program| program.is_file());
        found.ok_or_else(|| missing(Path::new(package), &format!("apt-get install {package}")))
    }

    /// What the program says of its version.
    pub(super) fn version(self, program: &Path) -> String {
        let argument = if self == Self::Mosquitto { "-h" } else { "--version" };
        let output =
            Command::new(program).arg(argument).output().map(|output| output.stdout).unwrap_or_default();
        String::from_utf8_lossy(&output).lines().next().unwrap_or("unknown").to_owned()
    }

    /// Starts it, as it is out of the box but for the address; `hurried` where its manual has a word on latency.
    pub(super) fn start(self, program: &Path, hurried: bool) -> Result<Server, LoadError> {
        let mut command = Command::new(program);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        match self {
            Self::Petasus => {
                command.args(["broker", "--mode", "production", "--listen", "http://127.0.0.1:0"]);
                command.stdout(Stdio::piped());
                Server::start(command, "listening on http://", None, None)
            }
            Self::Nats => {
                command.args(["--addr", "127.0.0.1", "--port", "-1"]).stderr(Stdio::piped());
                Server::start(command, "Listening for client connections on ", None, None)
            }
            Self::Mosquitto => {
                let port = free_port()?;
                let mut file = NamedTempFile::new()?;
                writeln!(file, "listener {port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay {hurried}")?;
                // The program gives up the rights by which a private file could be read.
                command.arg("-c").arg(file.path()).stderr(Stdio::piped());
                Server::start(command, "running", Some(&format!("127.0.0.1:{port}")), Some(file))
            }
        }
    }
}

impl Server {
    /// Starts `command` and waits for a line with `sign`, behind which the address is unless `address` names it.
    fn start(
        mut command: Command,
        sign: &str,
        address: Option<&str>,
        file: Option<NamedTempFile>,
    ) -> Result<Self, LoadError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let mut child = command.spawn()?;
        let output: Box<dyn Read + Send> = match (child.stdout.take(), child.stderr.take()) {
            (Some(output), _) => Box::new(output),
            (None, Some(output)) => Box::new(output),
            (None, None) => return Err(LoadError::Options("a server must say where it listens")),
        };
        let process = Process::of_pid(child.id())?;
        let mut server = Self { child, address: String::new(), process, _file: file };
        let mut output = BufReader::new(output);
        while server.address.is_empty() {
            let mut line = String::new();
            if output.read_line(&mut line)? == 0 {
                let why = "it ended before it listened; start it by hand to see why".to_owned();
                return Err(LoadError::Launch { program, why });
            }
            if let Some((_, found)) = line.split_once(sign) {
                let found = found.trim().trim_end_matches('/');
                address.unwrap_or(found).clone_into(&mut server.address);
            }
        }
        // A server whose words nobody reads would stop at a full pipe.
        std::thread::spawn(move || io::copy(&mut output, &mut io::sink()));
        Ok(server)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn missing(program: &Path, command: &str) -> LoadError {
    let why = format!("it is not there; run: {command}");
    LoadError::Launch { program: program.display().to_string(), why }
}

/// A port that nobody listens on; somebody else may be quicker, which then fails the start.
fn free_port() -> Result<u16, LoadError> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
