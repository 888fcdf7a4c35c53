//! The heads of answers.

use tungstenite::handshake::client::Response;
use tungstenite::handshake::machine::TryParse;
use tungstenite::http::HeaderMap;

use super::HttpError;

/// The longest head, those before it with a status of 1xx included.
const LONGEST_HEAD: usize = 16 * 1024;

/// So much of what is not HTTP is shown.
const SHOWN: usize = 40;

/// The head of an answer that says more than to wait.
pub(super) struct Head {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    /// It came as HTTP/1.0.
    pub(super) is_old: bool,
}

/// Collects a head.
#[derive(Debug, Default)]
pub(super) struct HeadReader {
    buffer: Vec<u8>,
    /// The length of the heads before this one.
    before: usize,
    is_old: bool,
}

impl HeadReader {
    /// Takes what came. When the head is complete: it, and what came after it.
    pub(super) fn receive(&mut self, bytes: &[u8]) -> Result<Option<(Head, Vec<u8>)>, HttpError> {
        self.buffer.extend_from_slice(bytes);
        loop {
            let Some((len, response)) = self.parse()? else {
                let room = self.before + self.buffer.len() < LONGEST_HEAD;
                return if room { Ok(None) } else { Err(HttpError::HeadTooLong) };
            };
            self.before += len;
            if self.before > LONGEST_HEAD {
                return Err(HttpError::HeadTooLong);
            }
            self.buffer.drain(..len);
            let status = response.status().as_u16();
            // "A client MUST be able to parse one or more 1xx responses" (RFC 9110 15.2); 101 is what it waits for.
            if status == 101 || status >= 200 {
                let head = Head { status, headers: response.into_parts().0.headers, is_old: self.is_old };
                return Ok(Some((head, std::mem::take(&mut self.buffer))));
            }
            self.is_old = false;
        }
    }

    /// The answer at the beginning of the buffer and its length, if it is complete.
    fn parse(&mut self) -> Result<Option<(usize, Response)>, HttpError> {
        // Some simple servers and proxies say HTTP/1.0, which the parser does not know.
        if self.buffer.starts_with(b"HTTP/1.0 ") {
            self.buffer[7] = b'1';
            self.is_old = true;
        }
        Response::try_parse(&self.buffer).map_err(|_| {
            let start = &self.buffer[..self.buffer.len().min(SHOWN)];
            HttpError::NotHttp { start: start.escape_ascii().to_string() }
        })
    }
}

impl Head {
    /// The only value of a header; `None` if there is none, several, or one that is not visible ASCII.
    pub(super) fn only(&self, name: &str) -> Option<&str> {
        let mut all = self.headers.get_all(name).iter();
        let first = all.next()?;
        if all.next().is_some() { None } else { first.to_str().ok() }
    }

    /// Whether a token is in the comma-separated list of a header. Upper and lower case are the same.
    pub(super) fn lists(&self, name: &str, token: &str) -> bool {
        let values = self.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
        values.flat_map(|value| value.split(',')).any(|item| item.trim().eq_ignore_ascii_case(token))
    }
}
