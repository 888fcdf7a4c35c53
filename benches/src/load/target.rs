//! `ws://` and `wss://` URLs, and templates of them with `{}` for the number of the topic. A fragment makes a WAMP
//! session of the connection: `ws://127.0.0.1:3000/ws#load.topic`.

use std::net::{SocketAddr, ToSocketAddrs};

use crate::error::LoadError;
use crate::wamp::Wamp;

/// Where one connection goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    /// Whether TLS is spoken.
    pub(crate) tls: bool,
    /// The resolved address.
    pub(crate) address: SocketAddr,
    /// Host and port as written, for the `Host` header.
    pub(crate) authority: String,
    /// Path and query, as written: percent escapes are the caller's.
    pub(crate) path: String,
    /// What follows `#`: never sent in a request (RFC 6455 3), so a WAMP topic or realm can be named there.
    pub(crate) fragment: Option<String>,
    /// The session on this connection; `None` for plain messages.
    pub(crate) wamp: Option<Wamp>,
}

impl Target {
    /// Parses `ws://HOST:PORT/path?query`; `http` and `https` are taken as well. The port may be left out.
    pub(crate) fn parse(url: &str) -> Result<Self, LoadError> {
        let refuse = |why| LoadError::Url { url: url.to_owned(), why };
        let (scheme, rest) = url.split_once("://").ok_or_else(|| refuse("no scheme"))?;
        let tls = match scheme {
            "ws" | "http" => false,
            "wss" | "https" => true,
            _ => return Err(refuse("the scheme is neither ws nor wss")),
        };
        let (authority, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let (path, fragment) = match path.split_once('#') {
            Some((path, fragment)) => (path, Some(fragment.to_owned())),
            None => (path, None),
        };
        let default_port = if tls { 443 } else { 80 };
        let with_port = match authority.rsplit_once(':') {
            Some((_, port)) if port.parse::<u16>().is_ok() => authority.to_owned(),
            _ => format!("{authority}:{default_port}"),
        };
        let address = with_port
            .to_socket_addrs()
            .ok()
            .and_then(|mut addresses| addresses.next())
            .ok_or_else(|| refuse("the host is not known"))?;
        let (authority, path) = (authority.to_owned(), path.to_owned());
        Ok(Self { tls, address, authority, path, fragment, wamp: None })
    }

    /// Parses a template, with `{}` replaced by the number of the topic.
    pub(crate) fn of_topic(template: &str, topic: usize) -> Result<Self, LoadError> {
        Self::parse(&template.replace("{}", &topic.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_gives_address_and_path_with_its_query() {
        let target = Target::parse("ws://127.0.0.1:3000/bus/a%20b?echo=1").unwrap();
        assert_eq!(target.address, "127.0.0.1:3000".parse().unwrap());
        assert_eq!(target.path, "/bus/a%20b?echo=1");
        assert_eq!(target.authority, "127.0.0.1:3000");
        assert!(!target.tls);
    }

    #[test]
    fn a_template_carries_the_number_of_the_topic() {
        let target = Target::of_topic("wss://[::1]:1/sub/t{}", 7).unwrap();
        assert_eq!(target.path, "/sub/t7");
        assert_eq!(target.address, "[::1]:1".parse().unwrap());
        assert!(target.tls);
    }

    #[test]
    fn a_fragment_is_no_part_of_the_path() {
        let target = Target::of_topic("ws://127.0.0.1:1/ws#load.t{}", 3).unwrap();
        assert_eq!(target.path, "/ws");
        assert_eq!(target.fragment.as_deref(), Some("load.t3"));
    }

    #[test]
    fn a_url_of_another_scheme_is_refused() {
        assert!(matches!(Target::parse("ftp://x/"), Err(LoadError::Url { .. })));
        assert!(matches!(Target::parse("127.0.0.1:80"), Err(LoadError::Url { .. })));
    }
}
