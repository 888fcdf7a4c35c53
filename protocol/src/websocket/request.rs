//! The heads of requests.

use tungstenite::http::{HeaderName, HeaderValue};

use super::RequestError;

/// Headers that the requests write themselves, besides `Sec-WebSocket-...`.
const RESERVED: [&str; 7] =
    ["host", "origin", "connection", "upgrade", "content-type", "content-length", "transfer-encoding"];

/// What a request asks, and of whom.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Target<'a> {
    /// The value of `Host`: the host, an IPv6 address in brackets, and `:port` unless it is that of the scheme.
    pub host: &'a str,
    /// Where to, percent-encoded, from the first slash on.
    pub path_and_query: &'a str,
    /// The value of `Origin`, if one is to be sent. Browsers always do; other programs need it only where the broker
    /// asks for it.
    pub origin: Option<&'a str>,
    /// More headers, such as `Authorization` and `User-Agent`.
    pub headers: &'a [(&'a str, &'a str)],
}

impl<'a> Target<'a> {
    /// A target without origin and more headers.
    pub const fn new(host: &'a str, path_and_query: &'a str) -> Self {
        Target { host, path_and_query, origin: None, headers: &[] }
    }

    /// A whole request head. `own` are headers of this module's making, which need no check.
    pub(super) fn head(&self, method: &str, own: &[(&str, &str)]) -> Result<Vec<u8>, RequestError> {
        self.check()?;
        let mut head = Vec::with_capacity(512);
        let mut line = |parts: [&str; 4]| {
            head.extend(parts.iter().flat_map(|part| part.bytes()));
            head.extend_from_slice(b"\r\n");
        };
        line([method, " ", self.path_and_query, " HTTP/1.1"]);
        line(["Host", ": ", self.host, ""]);
        let origin = self.origin.map(|origin| ("Origin", origin));
        for &(name, value) in own.iter().chain(&origin).chain(self.headers) {
            line([name, ": ", value, ""]);
        }
        line([""; 4]);
        Ok(head)
    }

    /// Nothing that was given may end a line before its time, or say anything twice.
    fn check(&self) -> Result<(), RequestError> {
        let visible = |text: &str, but: &str| {
            text.bytes().all(|byte| byte.is_ascii_graphic() && !but.contains(char::from(byte)))
        };
        if self.host.is_empty() || !visible(self.host, "/?#@\\") {
            return Err(RequestError::Host { host: self.host.to_owned() });
        }
        if !self.path_and_query.starts_with('/') || !visible(self.path_and_query, "#") {
            return Err(RequestError::Path { path: self.path_and_query.to_owned() });
        }
        if self.origin.is_some_and(|origin| origin.is_empty() || HeaderValue::from_str(origin).is_err()) {
            return Err(RequestError::Header { name: "Origin".to_owned() });
        }
        for (name, value) in self.headers {
            let Ok(lower) = HeaderName::from_bytes(name.as_bytes()) else {
                return Err(RequestError::Header { name: (*name).to_owned() });
            };
            if RESERVED.contains(&lower.as_str()) || lower.as_str().starts_with("sec-websocket-") {
                return Err(RequestError::Reserved { name: (*name).to_owned() });
            }
            if HeaderValue::from_str(value).is_err() {
                return Err(RequestError::Header { name: (*name).to_owned() });
            }
        }
        Ok(())
    }
}
