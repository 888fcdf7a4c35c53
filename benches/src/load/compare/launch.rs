//! Starts and ends the servers that are compared.

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use tempfile::TempDir;

use crate::arguments;
use crate::error::LoadError;

/// Who is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Contender {
    Petasus,
    Tungstenite,
}

/// The programs, and a certificate for those that speak TLS.
pub(crate) struct Programs {
    broker: PathBuf,
    peer: PathBuf,
    certificate: Certificate,
}

struct Certificate {
    folder: TempDir,
}

impl Certificate {
    fn new() -> Result<Self, LoadError> {
        let folder = TempDir::new()?;
        let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])
            .map_err(|error| LoadError::Io(io::Error::other(error)))?;
        fs::write(folder.path().join("cert.pem"), made.cert.pem())?;
        fs::write(folder.path().join("key.pem"), made.signing_key.serialize_pem())?;
        Ok(Self { folder })
    }

    fn listen_url(&self) -> String {
        let path = |name| self.folder.path().join(name).display().to_string();
        format!("https://127.0.0.1:0?cert={}&key={}", path("cert.pem"), path("key.pem"))
    }
}

impl Programs {
    /// The programs that the command line names, or those beside this one.
    pub(crate) fn find(arguments: &arguments::Programs) -> Result<Self, LoadError> {
        let beside = std::env::current_exe()?;
        let find = |named: &Option<PathBuf>, name: &str, package: &str| {
            let path = named.clone().unwrap_or_else(|| beside.with_file_name(name));
            if path.is_file() {
                return Ok(path);
            }
            let why = format!("it is not there; run: cargo build --release -p {package}");
            Err(LoadError::Launch { program: path.display().to_string(), why })
        };
        Ok(Self {
            broker: find(&arguments.broker, "petasus", "petasus-cli")?,
            peer: find(&arguments.peer, "peer-tungstenite", "petasus-benches")?,
            certificate: Certificate::new()?,
        })
    }

    /// Starts a server with `threads` workers on a free port of the loopback.
    pub(crate) fn start(
        &self,
        contender: Contender,
        threads: usize,
        tls: bool,
    ) -> Result<Launched, LoadError> {
        self.launch(contender, threads, tls, Command::new(self.program(contender)))
    }

    pub(super) fn program(&self, contender: Contender) -> &Path {
        match contender {
            Contender::Petasus => &self.broker,
            Contender::Tungstenite => &self.peer,
        }
    }

    /// Adds the arguments of `contender` to `command` and starts it.
    pub(super) fn launch(
        &self,
        contender: Contender,
        threads: usize,
        tls: bool,
        mut command: Command,
    ) -> Result<Launched, LoadError> {
        let threads = threads.to_string();
        match contender {
            Contender::Petasus => {
                let listen =
                    if tls { self.certificate.listen_url() } else { "http://127.0.0.1:0".to_owned() };
                command
                    .args(["broker", "--mode", "production", "--listen", &listen])
                    .args(["--admin", "http://127.0.0.1:0"])
                    .env("PETASUS_THREADS", threads)
                    .env("PETASUS_LIMITS_CONNECTIONS", "20000");
                Launched::start(command, Some("admin on "))
            }
            Contender::Tungstenite => {
                command.args(["--threads", &threads]);
                Launched::start(command, None)
            }
        }
    }
}

/// A running server; ended when dropped.
pub(crate) struct Launched {
    child: Child,
    /// Kept open: a server that prints to a closed pipe would fail.
    stdout: BufReader<ChildStdout>,
    /// `http://127.0.0.1:PORT` or `https://...`.
    url: String,
    admin: Option<String>,
}

impl Launched {
    /// Starts `command` and reads its addresses from what it prints; `admin` begins the admin address.
    fn start(mut command: Command, admin: Option<&str>) -> Result<Self, LoadError> {
        let program = command.get_program().to_string_lossy().into_owned();
        let fail = |why: String| LoadError::Launch { program: program.clone(), why };
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(|error| fail(error.to_string()))?;
        let stdout = child.stdout.take().ok_or_else(|| fail("it has no standard output".to_owned()))?;
        let mut launched = Self { child, stdout: BufReader::new(stdout), url: String::new(), admin: None };
        while launched.url.is_empty() || (admin.is_some() && launched.admin.is_none()) {
            let mut line = String::new();
            if launched.stdout.read_line(&mut line)? == 0 {
                return Err(fail("it ended before it listened; start it by hand to see why".to_owned()));
            }
            if let Some((_, url)) = line.split_once("listening on ") {
                url.trim().clone_into(&mut launched.url);
            } else if let Some((_, url)) = admin.and_then(|admin| line.split_once(admin)) {
                launched.admin = Some(url.trim().to_owned());
            }
        }
        Ok(launched)
    }

    /// The URL of a path.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the server to end, and waits until it has.
    pub(super) fn terminate(&mut self) -> Result<(), LoadError> {
        rustix::process::kill_process(
            rustix::process::Pid::from_child(&self.child),
            rustix::process::Signal::TERM,
        )?;
        self.child.wait()?;
        Ok(())
    }

    /// The value of a counter in the server's metrics, all its labels added; `None` without an admin listener.
    pub(crate) fn counter(&self, name: &str) -> Result<Option<f64>, LoadError> {
        let Some(authority) = self.admin.as_ref().and_then(|url| url.strip_prefix("http://")) else {
            return Ok(None);
        };
        let authority = authority.trim_end_matches('/');
        let mut stream = TcpStream::connect(authority)?;
        write!(stream, "GET /metrics HTTP/1.1\r\nHost: {authority}\r\nConnection: close\r\n\r\n")?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(sum_of(&answer, name))
    }
}

impl Drop for Launched {
    fn drop(&mut self) {
        // Already ended is as good.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The sum of the samples called `name` in the Prometheus text format; `None` when there are none.
fn sum_of(metrics: &str, name: &str) -> Option<f64> {
    let samples = metrics.lines().filter_map(|line| {
        let rest = line.strip_prefix(name)?;
        let value = match rest.strip_prefix('{') {
            Some(labels) => labels.rsplit_once('}')?.1,
            None => rest.strip_prefix(' ')?,
        };
        value.split_whitespace().next()?.parse::<f64>().ok()
    });
    samples.fold(None, |sum, value| Some(sum.unwrap_or(0.0) + value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_of_one_name_are_added_and_of_longer_names_left_out() {
        let metrics = "# TYPE petasus_deliveries counter\n\
                       petasus_deliveries_total{pattern=\"bus\"} 2\n\
                       petasus_deliveries_total{pattern=\"pub sub\"} 40 1700000000\n\
                       petasus_deliveries_total_other 7\n\
                       petasus_socket_writes_total 3\n";
        assert_eq!(sum_of(metrics, "petasus_deliveries_total"), Some(42.0));
        assert_eq!(sum_of(metrics, "petasus_socket_writes_total"), Some(3.0));
        assert_eq!(sum_of(metrics, "petasus_deliveries"), None);
    }
}
