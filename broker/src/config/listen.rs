//! The URLs that say where to listen and what is spoken there.

use std::{fmt, path::PathBuf, str::FromStr};

use http_percent::{AsciiSet, CONTROLS, percent_decode_str, utf8_percent_encode};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use thiserror::Error;

use super::address::{HostPort, HostPortError};

/// One listen address: `http://HOST:PORT`, `https://HOST:PORT?cert=FILE&key=FILE` or `http+unix://PATH`, each with
/// the option `dialects=`. Read by [`FromStr`]; its [`Display`](fmt::Display) reads back as the same address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ListenAddress {
    /// Where clients connect to.
    pub endpoint: Endpoint,
    /// The certificate of an `https` address; `None` without TLS.
    pub tls: Option<TlsFiles>,
    /// What is spoken there.
    pub dialects: Dialects,
}

/// Where clients connect to.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Endpoint {
    /// A TCP port.
    Tcp {
        /// A name, an IPv4 address, an IPv6 address without its brackets, or `*` for all interfaces.
        host: String,
        /// 0 is any free port.
        port: u16,
    },
    /// A UNIX socket.
    Unix {
        /// Its file; a relative path starts at the working directory.
        path: PathBuf,
    },
}

/// The PEM files of an `https` address.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct TlsFiles {
    /// The certificate and what leads from it to its root, leaf first.
    pub cert: PathBuf,
    /// The private key of the certificate.
    pub key: PathBuf,
}

/// What is spoken on a listen address. At least one of the three.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Dialects {
    /// Whether the endpoints `/bus`, `/pub`, `/sub`, `/push` and `/pull` are served.
    pub mercury: bool,
    /// Whether WAMP is spoken: on the paths `wamp.paths`, by long-poll below `wamp.longpoll`, and as rawsocket if
    /// `wamp.rawsocket` says so.
    pub wamp: bool,
    /// Where Pinghub's channels begin: `Some("")` is the root (then without Mercury), `Some("/mount")` a prefix.
    /// Beside WAMP, a root has every path but WAMP's.
    pub pinghub: Option<String>,
}

/// A listen URL that can not be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ListenError {
    /// Another scheme, or none.
    #[error(
        "an address begins with http://, https:// or http+unix://; write for example http://127.0.0.1:3000"
    )]
    Scheme,
    /// The host or port is wrong.
    #[error(transparent)]
    HostPort(#[from] HostPortError),
    /// Something after the port that belongs nowhere.
    #[error(
        "`{0}` after the port has no meaning here; leave it out, or mount a dialect by ?dialects=pinghub:/MOUNT"
    )]
    Path(String),
    /// `http+unix://` without a path.
    #[error("the path of the UNIX socket is missing; write for example http+unix:///run/petasus.sock")]
    SocketPathMissing,
    /// A percent escape that is not UTF-8.
    #[error("`{0}` is not UTF-8 once its percent escapes are decoded; use UTF-8 file names")]
    Utf8(String),
    /// An option nobody knows.
    #[error("unknown option `{option}`{hint}; the options are cert, key and dialects")]
    UnknownOption {
        /// As written.
        option: String,
        /// The nearest option there is, as a phrase; may be empty.
        hint: String,
    },
    /// An option without a value.
    #[error("the option `{0}` needs a value; write {0}=VALUE")]
    ValueMissing(String),
    /// An option given twice.
    #[error("the option `{0}` is there twice; keep one")]
    Twice(String),
    /// `https` without both files.
    #[error("https needs a certificate and its key in PEM files; write ?cert=FILE&key=FILE")]
    CertificateMissing,
    /// A certificate for an address without TLS.
    #[error("cert and key belong to https:// addresses; write https://, or leave them out")]
    CertificateWithoutTls,
    /// A dialect nobody knows, or an empty list.
    #[error("`{0}` is no dialect; write mercury, wamp, pinghub or pinghub:/MOUNT, separated by commas")]
    UnknownDialect(String),
    /// Two dialects at the root.
    #[error("mercury and pinghub can not both be at the root; write dialects=mercury,pinghub:/MOUNT")]
    BothAtRoot,
    /// A mount prefix that no clean path begins with.
    #[error(
        "`{0}` is no mount; write a path such as /pinghub, with a leading slash, no trailing one, no `.` or `..`"
    )]
    Mount(String),
    /// A mount prefix that covers Mercury's own endpoints.
    #[error(
        "the mount `{0}` hides an endpoint of mercury; choose another first segment than bus, pub, sub, push, pull"
    )]
    MountTaken(String),
}

/// Characters escaped when an address is printed: those with a meaning in the URL or in a comma separated list.
const ESCAPED: &AsciiSet =
    &CONTROLS.add(b'%').add(b'?').add(b'#').add(b'&').add(b',').add(b' ').add(b'"').add(b'=');

impl Default for Dialects {
    fn default() -> Self {
        Self { mercury: true, wamp: true, pinghub: None }
    }
}

impl ListenAddress {
    /// A TCP address without TLS that speaks the default dialects.
    pub fn tcp(host: impl Into<String>, port: u16) -> Self {
        let endpoint = Endpoint::Tcp { host: host.into(), port };
        Self { endpoint, tls: None, dialects: Dialects::default() }
    }

    /// The URL without its options, for people: `https://127.0.0.1:3000`.
    pub fn url(&self) -> String {
        match (&self.endpoint, &self.tls) {
            (Endpoint::Tcp { host, port }, tls) => {
                let scheme = if tls.is_some() { "https" } else { "http" };
                format!("{scheme}://{}", HostPort { host: host.clone(), port: *port })
            }
            (Endpoint::Unix { path }, _) => {
                format!("http+unix://{}", utf8_percent_encode(&path.to_string_lossy(), ESCAPED))
            }
        }
    }
}

impl FromStr for ListenAddress {
    type Err = ListenError;

    fn from_str(text: &str) -> Result<Self, ListenError> {
        let text = text.trim();
        let (url, query) = text.split_once('?').unwrap_or((text, ""));
        let (scheme, rest) = url.split_once("://").ok_or(ListenError::Scheme)?;
        let options = Options::parse(query)?;
        let endpoint = match scheme.to_ascii_lowercase().as_str() {
            "http" | "https" => tcp(rest)?,
            "http+unix" => unix(rest)?,
            _ => return Err(ListenError::Scheme),
        };
        let tls = match (options.cert, options.key) {
            (Some(cert), Some(key)) if scheme.eq_ignore_ascii_case("https") => {
                Some(TlsFiles { cert: cert.into(), key: key.into() })
            }
            _ if scheme.eq_ignore_ascii_case("https") => return Err(ListenError::CertificateMissing),
            (None, None) => None,
            _ => return Err(ListenError::CertificateWithoutTls),
        };
        let dialects = options.dialects.as_deref().map_or_else(|| Ok(Dialects::default()), dialects)?;
        Ok(Self { endpoint, tls, dialects })
    }
}

/// What follows the `?`.
#[derive(Default)]
struct Options {
    cert: Option<String>,
    key: Option<String>,
    dialects: Option<String>,
}

impl Options {
    fn parse(query: &str) -> Result<Self, ListenError> {
        let mut options = Self::default();
        for pair in query.split('&').filter(|pair| !pair.is_empty()) {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let place = match name {
                "cert" => &mut options.cert,
                "key" => &mut options.key,
                "dialects" => &mut options.dialects,
                _ => {
                    let hint = super::nearest::hint(name, ["cert", "key", "dialects"]);
                    return Err(ListenError::UnknownOption { option: name.to_owned(), hint });
                }
            };
            if value.is_empty() {
                return Err(ListenError::ValueMissing(name.to_owned()));
            }
            if place.is_some() {
                return Err(ListenError::Twice(name.to_owned()));
            }
            *place = Some(decode(value)?);
        }
        Ok(options)
    }
}

fn tcp(rest: &str) -> Result<Endpoint, ListenError> {
    let (authority, path) = rest.split_at(rest.find(['/', '#']).unwrap_or(rest.len()));
    if !path.is_empty() && path != "/" {
        return Err(ListenError::Path(path.to_owned()));
    }
    let HostPort { host, port } = authority.parse()?;
    Ok(Endpoint::Tcp { host, port })
}

fn unix(rest: &str) -> Result<Endpoint, ListenError> {
    let path = decode(rest)?;
    if path.is_empty() || path.ends_with('/') || path.contains('\0') {
        return Err(ListenError::SocketPathMissing);
    }
    Ok(Endpoint::Unix { path: path.into() })
}

fn decode(text: &str) -> Result<String, ListenError> {
    let decoded = percent_decode_str(text).decode_utf8().map_err(|_| ListenError::Utf8(text.to_owned()))?;
    Ok(decoded.into_owned())
}

fn dialects(list: &str) -> Result<Dialects, ListenError> {
    let mut dialects = Dialects { mercury: false, wamp: false, pinghub: None };
    for item in list.split(',') {
        match item.split_once(':').unwrap_or((item, "")) {
            ("mercury", "") if !dialects.mercury => dialects.mercury = true,
            ("wamp", "") if !dialects.wamp => dialects.wamp = true,
            ("pinghub", _) if dialects.pinghub.is_some() => return Err(ListenError::Twice(item.to_owned())),
            ("pinghub", mount) => dialects.pinghub = Some(check_mount(mount)?),
            ("mercury" | "wamp", "") => return Err(ListenError::Twice(item.to_owned())),
            _ => return Err(ListenError::UnknownDialect(item.to_owned())),
        }
    }
    match dialects.pinghub.as_deref() {
        Some("") if dialects.mercury => Err(ListenError::BothAtRoot),
        Some(mount) if dialects.mercury && hides_mercury(mount) => {
            Err(ListenError::MountTaken(mount.to_owned()))
        }
        _ => Ok(dialects),
    }
}

/// Whether a path of WAMP can be asked for, and is no endpoint of Mercury.
pub(super) fn is_free_path(path: &str) -> bool {
    check_mount(path).is_ok_and(|path| !path.is_empty()) && !hides_mercury(path)
}

fn check_mount(mount: &str) -> Result<String, ListenError> {
    let clean = |segment: &str| !segment.is_empty() && segment != "." && segment != "..";
    match mount.strip_prefix('/') {
        None if mount.is_empty() => Ok(String::new()),
        Some(path) if path.split('/').all(clean) && !path.contains(['?', '#', '%']) => Ok(mount.to_owned()),
        _ => Err(ListenError::Mount(mount.to_owned())),
    }
}

fn hides_mercury(mount: &str) -> bool {
    let first = mount.split('/').nth(1).unwrap_or("");
    ["bus", "pub", "sub", "push", "pull"].contains(&first)
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url())?;
        let mut sign = '?';
        if let Some(TlsFiles { cert, key }) = &self.tls {
            let (cert, key) = (cert.to_string_lossy(), key.to_string_lossy());
            let encode = |text| utf8_percent_encode(text, ESCAPED);
            write!(f, "?cert={}&key={}", encode(&*cert), encode(&*key))?;
            sign = '&';
        }
        if self.dialects == Dialects::default() {
            return Ok(());
        }
        write!(f, "{sign}dialects={}", self.dialects)
    }
}

impl fmt::Display for Dialects {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut comma = "";
        for (name, _) in [("mercury", self.mercury), ("wamp", self.wamp)].iter().filter(|(_, spoken)| *spoken)
        {
            write!(f, "{comma}{name}")?;
            comma = ",";
        }
        match self.pinghub.as_deref() {
            None => Ok(()),
            Some("") => write!(f, "{comma}pinghub"),
            Some(mount) => write!(f, "{comma}pinghub:{}", utf8_percent_encode(mount, ESCAPED)),
        }
    }
}

impl Serialize for ListenAddress {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ListenAddress {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map_err(|error| de::Error::custom(format_args!("`{text}`: {error}")))
    }
}
