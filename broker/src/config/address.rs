//! A host and a port.

use std::{fmt, str::FromStr};

use thiserror::Error;

/// A host name or address, and a TCP port: `127.0.0.1:8082`, `[::1]:8082`, `*:8082`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPort {
    /// A host name, an IPv4 address, an IPv6 address without its brackets, or `*` for all interfaces.
    pub host: String,
    /// 0 is any free port.
    pub port: u16,
}

/// A text that is no host and port.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum HostPortError {
    /// Nothing before the colon.
    #[error("the host is missing; write for example 127.0.0.1:3000, or *:3000 for all interfaces")]
    HostMissing,
    /// The host has characters that no host has.
    #[error("`{0}` is not a host; write a name, an IPv4 address, an IPv6 address in brackets, or *")]
    Host(String),
    /// No colon and number at the end.
    #[error("the port is missing; write for example 127.0.0.1:3000, or port 0 for any free one")]
    PortMissing,
    /// What follows the colon is no port.
    #[error("`{0}` is not a port; write a number from 0 to 65535")]
    Port(String),
    /// An IPv6 address without brackets.
    #[error("an IPv6 address needs brackets; write for example [::1]:3000")]
    Brackets,
}

impl FromStr for HostPort {
    type Err = HostPortError;

    fn from_str(text: &str) -> Result<Self, HostPortError> {
        let (host, port) = text.rsplit_once(':').unwrap_or((text, ""));
        let host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            Some(v6) if v6.parse::<std::net::Ipv6Addr>().is_ok() => v6,
            Some(_) => return Err(HostPortError::Host(host.to_owned())),
            None if text.starts_with('[') && text.ends_with(']') => return Err(HostPortError::PortMissing),
            None if host.contains(':') => return Err(HostPortError::Brackets),
            None => host,
        };
        if host.is_empty() {
            return Err(HostPortError::HostMissing);
        }
        if host != "*" && !host.chars().all(is_host_char) {
            return Err(HostPortError::Host(host.to_owned()));
        }
        if port.is_empty() {
            return Err(HostPortError::PortMissing);
        }
        if !port.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(HostPortError::Port(port.to_owned()));
        }
        let number = port.parse().map_err(|_| HostPortError::Port(port.to_owned()))?;
        Ok(Self { host: host.to_owned(), port: number })
    }
}

/// Characters of host names and addresses; `_` is not in the standard but in many networks.
fn is_host_char(char: char) -> bool {
    char.is_ascii_alphanumeric() || matches!(char, '-' | '.' | '_' | ':')
}

impl fmt::Display for HostPort {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.host.contains(':') {
            write!(f, "[{}]:{}", self.host, self.port)
        } else {
            write!(f, "{}:{}", self.host, self.port)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_and_ports_are_read_and_printed_alike() {
        for text in ["127.0.0.1:8082", "[::1]:0", "*:65535", "my_host.example.com:1", "localhost:80"] {
            assert_eq!(text.parse::<HostPort>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        for (text, error) in [
            ("", HostPortError::HostMissing),
            (":80", HostPortError::HostMissing),
            ("localhost", HostPortError::PortMissing),
            ("localhost:", HostPortError::PortMissing),
            ("[::1]", HostPortError::PortMissing),
            ("::1:80", HostPortError::Brackets),
            ("[nonsense]:80", HostPortError::Host("[nonsense]".into())),
            ("a b:80", HostPortError::Host("a b".into())),
            ("localhost:65536", HostPortError::Port("65536".into())),
            ("localhost:+80", HostPortError::Port("+80".into())),
        ] {
            assert_eq!(text.parse::<HostPort>(), Err(error), "{text}");
        }
    }
}
