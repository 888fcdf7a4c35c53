//! Anybody's broker as a command: how it is started, how it is told what to do, and when it is ready.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde::{Deserialize, Serialize};

use super::{LaunchError, Launched, PATIENCE};

/// How a broker is started.
///
/// In `command` and `template` these are replaced: `{addr}` by `127.0.0.1:PORT` and `{port}` by the port of a free
/// address, `{config}` by the path of a file that holds the template, and what [`Wanted`] says: `{origins}`,
/// `{origin_match}`, `{ping}`, `{outbox}` and `{overflow}`. Other braces stand for themselves. What a command does not mention
/// cannot be asked of it, and the checks that need it are unsupported.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LaunchCommand {
    /// The program and its arguments; not empty.
    pub command: Vec<String>,
    /// When it may be spoken to.
    pub ready: Ready,
    /// The text of its configuration file, if it has one.
    pub template: Option<String>,
}

/// How one sees that a broker is ready.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ready {
    /// `tcp`: its address takes connections.
    Tcp,
    /// `http:/PATH`: a GET of the path is answered 200.
    Http(String),
    /// `line:TEXT`: it prints a line with this text on standard output.
    Line(String),
    /// `url:TEXT`: it prints a line with this text and its address, `http://HOST:PORT` or `HOST:PORT`, behind it. So it
    /// can choose its port by itself, and `{addr}` is not needed.
    Url(String),
}

/// What a broker is to be told when it starts.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Wanted {
    /// The patterns whose pages may connect; none: all. `{origins}`: joined by commas in a command, and as quoted texts
    /// joined by commas in a template.
    pub origins: Vec<String>,
    /// How patterns are held against origins: `{origin_match}` is `strict` or `mercury`.
    pub as_substring: bool,
    /// Milliseconds between pings; none: as the broker likes. `{ping}`: in seconds, `0.5`; 30 if none.
    pub ping_ms: Option<u64>,
    /// Bytes that may wait for a slow reader. `{outbox}`: 4194304 if none.
    pub outbox_bytes: Option<usize>,
    /// What becomes of a slow reader when they are full: `{overflow}`.
    pub overflow: Overflow,
}

/// What becomes of a reader that is too slow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Overflow {
    /// `close`: its connection is closed.
    #[default]
    Close,
    /// `drop_oldest`: what waits longest is dropped.
    DropOldest,
    /// `drop_newest`: what comes is dropped.
    DropNewest,
}

impl Overflow {
    fn as_str(self) -> &'static str {
        match self {
            Self::Close => "close",
            Self::DropOldest => "drop_oldest",
            Self::DropNewest => "drop_newest",
        }
    }
}

/// A text that says no [`Ready`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` does not say when a broker is ready: write tcp, http:/PATH, line:TEXT or url:TEXT")]
pub struct ReadyError(String);

impl std::str::FromStr for Ready {
    type Err = ReadyError;

    fn from_str(text: &str) -> Result<Self, ReadyError> {
        match text.split_once(':') {
            None if text == "tcp" => Ok(Self::Tcp),
            Some(("http", path)) if path.starts_with('/') => Ok(Self::Http(path.to_owned())),
            Some(("line", line)) if !line.is_empty() => Ok(Self::Line(line.to_owned())),
            Some(("url", line)) if !line.is_empty() => Ok(Self::Url(line.to_owned())),
            _ => Err(ReadyError(text.to_owned())),
        }
    }
}

/// How often another free port is tried: somebody may take one before the broker does.
const TRIES: u32 = 5;

/// Ports that no system gives out by itself.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// How many of them are tried.
const PORT_TRIES: u32 = 50;

impl LaunchCommand {
    /// Whether `{NAME}` stands in the command or the template.
    pub fn mentions(&self, name: &str) -> bool {
        let name = format!("{{{name}}}");
        self.command.iter().chain(&self.template).any(|text| text.contains(&name))
    }

    /// Starts it, and waits until it is ready.
    ///
    /// # Errors
    /// It does not start, ends at once, or is not ready within a minute.
    pub fn start(&self, wanted: &Wanted) -> Result<Launched, LaunchError> {
        let mut last = None;
        for _ in 0..TRIES {
            match free_address().map_err(|why| self.failed(why)).and_then(|at| self.start_at(wanted, at)) {
                // Only where the harness chose the port may a second try help.
                Err(error @ LaunchError::Ended { .. }) if self.mentions("addr") || self.mentions("port") => {
                    last = Some(error);
                }
                done => return done,
            }
        }
        Err(last.unwrap_or(LaunchError::Build))
    }

    fn failed(&self, why: std::io::Error) -> LaunchError {
        LaunchError::Start { program: self.command.first().cloned().unwrap_or_default(), why }
    }

    /// The same at an address, once.
    pub(super) fn start_at(&self, wanted: &Wanted, address: SocketAddr) -> Result<Launched, LaunchError> {
        let program = self.command.first().cloned().unwrap_or_default();
        let failed = |why: std::io::Error| self.failed(why);
        let config = match &self.template {
            Some(template) => {
                let path = config_path();
                let text = filled(template, address, "", &quoted(&wanted.origins), wanted);
                fs::write(&path, text).map_err(failed)?;
                Some(path)
            }
            None => None,
        };
        let path = config.as_ref().map(|path| path.display().to_string()).unwrap_or_default();
        let fill = |text: &String| filled(text, address, &path, &wanted.origins.join(","), wanted);
        let mut command = Command::new(fill(&program));
        command.args(self.command.iter().skip(1).map(fill)).current_dir(std::env::temp_dir());
        for name in super::own_settings() {
            command.env_remove(name);
        }
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let child = child.map_err(failed)?;
        let mut launched = Launched {
            child,
            url: format!("http://{address}"),
            config,
            command: self.clone(),
            address,
            wanted: wanted.clone(),
        };
        self.wait(&mut launched, &program, address)?;
        Ok(launched)
    }

    /// Until it is ready. Its output is read on to the end, so that it never waits for a full pipe.
    fn wait(&self, launched: &mut Launched, program: &str, address: SocketAddr) -> Result<(), LaunchError> {
        let lines = lines_of(&mut launched.child);
        let began = Instant::now();
        while began.elapsed() < PATIENCE {
            let is_ready = match &self.ready {
                Ready::Tcp => TcpStream::connect(address).is_ok(),
                Ready::Http(path) => answers(address, path),
                Ready::Line(text) => lines.try_iter().any(|line| line.contains(text)),
                Ready::Url(text) => match lines.try_iter().find_map(|line| url_behind(&line, text)) {
                    Some(url) => {
                        launched.url = url;
                        true
                    }
                    None => false,
                },
            };
            if is_ready {
                return Ok(());
            }
            if let Ok(Some(status)) = launched.child.try_wait() {
                return Err(LaunchError::Ended { program: program.to_owned(), status: status.to_string() });
            }
            // Asked again and again: there is no event for a socket that begins to listen.
            std::thread::sleep(Duration::from_millis(5));
        }
        Err(LaunchError::NotReady { program: program.to_owned(), ready: format!("{:?}", self.ready) })
    }
}

/// The address behind `text` in a line.
fn url_behind(line: &str, text: &str) -> Option<String> {
    let (_, rest) = line.split_once(text)?;
    let url = rest.split_whitespace().next()?;
    let url = url.split_once('?').map_or(url, |(url, _)| url).trim_end_matches('/');
    Some(if url.contains("://") { url.to_owned() } else { format!("http://{url}") })
}

fn lines_of(child: &mut Child) -> mpsc::Receiver<String> {
    let (to, lines) = mpsc::channel();
    if let Some(output) = child.stdout.take() {
        std::thread::spawn(move || {
            BufReader::new(output).lines().map_while(Result::ok).for_each(|line| drop(to.send(line)));
        });
    }
    lines
}

/// Whether a GET is answered 200.
fn answers(address: SocketAddr, path: &str) -> bool {
    let asked = || -> std::io::Result<bool> {
        let mut socket = TcpStream::connect(address)?;
        socket.set_read_timeout(Some(Duration::from_secs(5)))?;
        write!(socket, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
        let mut status = [0; 12];
        socket.read_exact(&mut status)?;
        Ok(status.ends_with(b" 200"))
    };
    asked().unwrap_or(false)
}

/// An address of the loopback interface that was free a moment ago.
fn free_address() -> std::io::Result<SocketAddr> {
    free_listener()?.local_addr()
}

/// A listener on a free port, which is not one of those that systems give to whoever connects: so it stays free while a
/// broker is being restarted.
pub(crate) fn free_listener() -> std::io::Result<TcpListener> {
    let listen = |port: u16| TcpListener::bind((Ipv4Addr::LOCALHOST, port));
    (0..PORT_TRIES).find_map(|_| listen(fastrand::u16(PORTS)).ok()).map_or_else(|| listen(0), Ok)
}

fn config_path() -> PathBuf {
    std::env::temp_dir().join(format!("conformance-{}-{:016x}.conf", std::process::id(), fastrand::u64(..)))
}

/// The text of a configuration that needs no address.
#[cfg(feature = "mem")]
pub(super) fn configured(template: &str, wanted: &Wanted) -> String {
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    filled(template, nowhere, "", &quoted(&wanted.origins), wanted)
}

/// As the items of a list.
fn quoted(texts: &[String]) -> String {
    texts.iter().map(|text| format!("{text:?}")).collect::<Vec<_>>().join(", ")
}

fn filled(text: &str, address: SocketAddr, config: &str, origins: &str, wanted: &Wanted) -> String {
    let seconds = Duration::from_millis(wanted.ping_ms.unwrap_or(30_000)).as_secs_f64();
    text.replace("{addr}", &address.to_string())
        .replace("{port}", &address.port().to_string())
        .replace("{config}", config)
        .replace("{origins}", origins)
        .replace("{origin_match}", if wanted.as_substring { "mercury" } else { "strict" })
        .replace("{ping}", &seconds.to_string())
        .replace("{overflow}", wanted.overflow.as_str())
        .replace("{outbox}", &wanted.outbox_bytes.unwrap_or(4_194_304).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_says_when_a_broker_is_ready_is_read() {
        assert_eq!("tcp".parse(), Ok(Ready::Tcp));
        assert_eq!("http:/ok".parse(), Ok(Ready::Http("/ok".to_owned())));
        assert_eq!("url:listening on".parse(), Ok(Ready::Url("listening on".to_owned())));
        for bad in ["", "tcp:", "http:", "line:", "soon"] {
            assert!(bad.parse::<Ready>().is_err(), "{bad}");
        }
    }

    #[test]
    fn an_address_is_found_behind_its_text() {
        let found = |line: &str| url_behind(line, "listening on");
        assert_eq!(
            found("listening on http://127.0.0.1:9/?dialects=mercury").as_deref(),
            Some("http://127.0.0.1:9")
        );
        assert_eq!(found("now listening on 127.0.0.1:9 (all)").as_deref(), Some("http://127.0.0.1:9"));
        assert_eq!(found("nothing"), None);
    }

    #[test]
    fn braces_that_mean_nothing_stay() {
        let wanted = Wanted { origins: vec!["a".to_owned()], ping_ms: Some(500), ..Wanted::default() };
        let address = SocketAddr::from(([127, 0, 0, 1], 9));
        let text = filled("{addr} {port} {origins} {ping} {x} {", address, "", "\"a\"", &wanted);
        assert_eq!(text, "127.0.0.1:9 9 \"a\" 0.5 {x} {");
    }
}
