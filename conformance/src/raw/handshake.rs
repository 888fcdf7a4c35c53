//! The opening handshake (RFC 6455 4), and as much of HTTP/1.1 as it takes.

use std::io;

use data_encoding::BASE64;
use sha1::{Digest, Sha1};
use tokio::io::{AsyncRead, AsyncReadExt};

/// The longest head that is read, in bytes.
const LONGEST_HEAD: usize = 64 * 1024;

/// The head of a request or an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The first line.
    pub start: String,
    /// Names in small letters, and values.
    pub fields: Vec<(String, String)>,
    /// What was read behind the head.
    pub rest: Vec<u8>,
}

/// Why there is no head.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum HandshakeError {
    /// The connection failed.
    #[error("{0}")]
    Io(#[from] io::Error),
    /// The connection ended first.
    #[error("the connection ended before the answer was whole")]
    Ended,
    /// This is not HTTP.
    #[error("this is no head of HTTP: {0}")]
    NotHttp(String),
}

impl Head {
    /// The value of a field, by its name in small letters.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The status of an answer.
    pub fn status(&self) -> Option<u16> {
        let rest = self.start.strip_prefix("HTTP/1.")?;
        rest.get(2..5)?.parse().ok()
    }
}

/// Reads to the end of a head.
///
/// # Errors
/// The connection fails, or what comes is no head.
pub async fn read_head(from: &mut (impl AsyncRead + Unpin)) -> Result<Head, HandshakeError> {
    read_head_after(Vec::with_capacity(1024), from).await
}

/// The same; `bytes` were read already.
///
/// # Errors
/// As above.
pub(crate) async fn read_head_after(
    mut bytes: Vec<u8>,
    from: &mut (impl AsyncRead + Unpin),
) -> Result<Head, HandshakeError> {
    let end = loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            break end;
        }
        if bytes.len() > LONGEST_HEAD {
            return Err(HandshakeError::NotHttp(format!("no end after {} bytes", bytes.len())));
        }
        if from.read_buf(&mut bytes).await? == 0 {
            return Err(HandshakeError::Ended);
        }
    };
    let rest = bytes[end + 4..].to_vec();
    let text = String::from_utf8_lossy(&bytes[..end]);
    let mut lines = text.split("\r\n");
    let start = lines.next().unwrap_or_default().to_owned();
    if !start.contains("HTTP/1.") {
        return Err(HandshakeError::NotHttp(start.chars().take(80).collect()));
    }
    let fields = lines
        .filter_map(|line| line.split_once(':'))
        .map(|(name, value)| (name.to_ascii_lowercase(), value.trim().to_owned()))
        .collect();
    Ok(Head { start, fields, rest })
}

/// What `Sec-WebSocket-Accept` has to be for a key (RFC 6455 4.2.2).
pub fn accept_key(key: &str) -> String {
    let mut hash = Sha1::new();
    hash.update(key.as_bytes());
    hash.update(b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11");
    BASE64.encode(&hash.finalize())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 6455 1.3.
    #[test]
    fn the_key_of_the_rfc_is_accepted() {
        assert_eq!(accept_key("dGhlIHNhbXBsZSBub25jZQ=="), "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
    }

    #[tokio::test]
    async fn a_head_is_read_and_garbage_is_not() {
        let mut answer = &b"HTTP/1.1 101 Switching Protocols\r\nUpgrade:  websocket\r\n\r\n\x81\x00"[..];
        let head = read_head(&mut answer).await.unwrap();
        assert_eq!((head.status(), head.field("upgrade")), (Some(101), Some("websocket")));
        assert_eq!(head.rest, b"\x81\x00");
        assert!(matches!(read_head(&mut &b"SSH-2.0\r\n\r\n"[..]).await, Err(HandshakeError::NotHttp(_))));
        assert!(matches!(read_head(&mut &b"HTTP/1.1 200"[..]).await, Err(HandshakeError::Ended)));
    }
}
