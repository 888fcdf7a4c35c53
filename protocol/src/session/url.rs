//! Where the broker is.

use crate::Endpoint;

/// Where a WAMP router of Petasus listens, if the URL names no path.
const WAMP_PATH: &str = "/ws";

/// The URL of a broker: `ws://`, `wss://`, or `http://` and `https://` for the same, with or without a path.
///
/// Over WAMP the path is that of the router, `/ws` if there is none. Over Mercury it comes before the topics' paths.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct ServerUrl {
    secure: bool,
    /// As written, without brackets around an IPv6 address.
    host: String,
    port: u16,
    /// Empty, or begins with a slash and ends without one.
    path: String,
    /// Empty, or begins with a question mark.
    query: String,
}

/// Why a text is not the URL of a broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UrlError {
    /// Another scheme, or none.
    #[error("write it as ws://HOST:PORT or wss://HOST:PORT")]
    Scheme,
    /// No host.
    #[error("it names no host: write it as ws://HOST:PORT")]
    Host,
    /// The port is not a number from 1 to 65535.
    #[error("its port is not a number from 1 to 65535")]
    Port,
    /// A user or password.
    #[error("it holds a user: give the log-in to the client instead")]
    User,
    /// A fragment.
    #[error("it holds a #: write %23 if it belongs to the path")]
    Fragment,
    /// White space, control characters, or something outside ASCII.
    #[error("it holds {0:?}: percent-encode it")]
    Character(char),
}

impl ServerUrl {
    /// Reads a URL.
    pub fn parse(text: &str) -> Result<ServerUrl, UrlError> {
        let (scheme, rest) = text.split_once(':').ok_or(UrlError::Scheme)?;
        let rest = rest.strip_prefix("//").ok_or(UrlError::Scheme)?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "ws" | "http" => false,
            "wss" | "https" => true,
            _ => return Err(UrlError::Scheme),
        };
        if let Some(character) = rest.chars().find(|character| !character.is_ascii_graphic()) {
            return Err(UrlError::Character(character));
        }
        if rest.contains('#') {
            return Err(UrlError::Fragment);
        }
        let (rest, query) = split_before(rest, '?');
        let (authority, path) = split_before(rest, '/');
        if authority.contains('@') {
            return Err(UrlError::User);
        }
        let (host, port) = authority_parts(authority)?;
        let port = match port {
            Some(port) => port.parse().ok().filter(|&port| port != 0).ok_or(UrlError::Port)?,
            None => {
                if secure {
                    443
                } else {
                    80
                }
            }
        };
        let path = path.trim_end_matches('/');
        Ok(ServerUrl { secure, host: host.to_owned(), port, path: path.to_owned(), query: query.to_owned() })
    }

    /// Whether it is reached by TLS.
    pub fn is_secure(&self) -> bool {
        self.secure
    }

    /// The host, an IPv6 address without brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The router's URL.
    pub fn wamp(&self) -> String {
        let path = if self.path.is_empty() { WAMP_PATH } else { &self.path };
        self.with(path, &self.query)
    }

    /// The URL of a Mercury endpoint as a WebSocket.
    pub fn endpoint(&self, endpoint: &Endpoint) -> String {
        let path = [&self.path, endpoint.to_path_and_query().as_str()].concat();
        // A query of the URL, such as a token, goes along.
        match (path.contains('?'), self.query.strip_prefix('?')) {
            (true, Some(query)) => self.with(&path, &["&", query].concat()),
            _ => self.with(&path, &self.query),
        }
    }

    fn with(&self, path: &str, query: &str) -> String {
        let scheme = if self.secure { "wss://" } else { "ws://" };
        [scheme, &self.authority(), path, query].concat()
    }

    /// Host and port as a Host field has them (RFC 9110 7.2): the scheme's own port is left out.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { ["[", &self.host, "]"].concat() } else { self.host.clone() };
        let own = if self.secure { 443 } else { 80 };
        if self.port == own { host } else { [&host, ":", self.port.to_string().as_str()].concat() }
    }
}

impl std::fmt::Debug for ServerUrl {
    /// Without the query, which may hold a token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.with(&self.path, ""))
    }
}

impl std::str::FromStr for ServerUrl {
    type Err = UrlError;

    fn from_str(text: &str) -> Result<Self, UrlError> {
        ServerUrl::parse(text)
    }
}

/// Splits before the first `mark`, which stays with the second part.
fn split_before(text: &str, mark: char) -> (&str, &str) {
    text.find(mark).map_or((text, ""), |at| text.split_at(at))
}

/// Host and port.
fn authority_parts(authority: &str) -> Result<(&str, Option<&str>), UrlError> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']').ok_or(UrlError::Host)?;
            (host, if rest.is_empty() { None } else { Some(rest.strip_prefix(':').ok_or(UrlError::Port)?) })
        }
        None => authority.split_once(':').map_or((authority, None), |(host, port)| (host, Some(port))),
    };
    if host.is_empty() { Err(UrlError::Host) } else { Ok((host, port)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Role, Topic};

    fn wamp(text: &str) -> Result<String, UrlError> {
        ServerUrl::parse(text).map(|url| url.wamp())
    }

    #[test]
    fn urls_are_completed() {
        for (text, whole) in [
            ("ws://localhost", "ws://localhost/ws"),
            ("http://localhost:3000/", "ws://localhost:3000/ws"),
            ("WSS://example.com:443/wamp/", "wss://example.com/wamp"),
            ("https://[::1]:8443?token=a", "wss://[::1]:8443/ws?token=a"),
        ] {
            assert_eq!(wamp(text).as_deref(), Ok(whole), "{text}");
        }
    }

    #[test]
    fn what_is_no_url_says_why() {
        for (text, error) in [
            ("localhost:3000", UrlError::Scheme),
            ("ftp://localhost", UrlError::Scheme),
            ("ws://", UrlError::Host),
            ("ws://:3000", UrlError::Host),
            ("ws://[::1", UrlError::Host),
            ("ws://a:0", UrlError::Port),
            ("ws://a:65536", UrlError::Port),
            ("ws://a:", UrlError::Port),
            ("ws://joe:secret@a", UrlError::User),
            ("ws://a/#b", UrlError::Fragment),
            ("ws://a/b c", UrlError::Character(' ')),
            ("ws://ä", UrlError::Character('ä')),
        ] {
            assert_eq!(wamp(text), Err(error), "{text}");
        }
    }

    #[test]
    fn endpoints_lie_below_the_path() {
        let url = |text: &str, role, echo| {
            let mut endpoint = Endpoint::new(role, Topic::new("a/é")).expect("it has a topic");
            endpoint.echo = echo;
            ServerUrl::parse(text).expect("it is a URL").endpoint(&endpoint)
        };
        assert_eq!(url("ws://h:1", Role::Sub, false), "ws://h:1/sub/a/%C3%A9");
        assert_eq!(url("wss://h/m/?t=1", Role::Pub, false), "wss://h/m/pub/a/%C3%A9?t=1");
        assert_eq!(url("wss://h/m/?t=1", Role::Bus, true), "wss://h/m/bus/a/%C3%A9?echo=1&t=1");
    }
}
