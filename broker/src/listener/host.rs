//! Whether a request names its host as HTTP wants it.

use http::{HeaderMap, StatusCode, Version, header};

use crate::dialect::Answer;

/// REQ-HTTP-016 (RFC 9112 3.2): one Host in HTTP/1.1, at most one in any version. Nothing here depends on what it
/// says, so any value will do, as clients of UNIX sockets send it. HTTP/2, which a program may serve, names the
/// host elsewhere.
pub(super) fn check(version: Version, headers: &HeaderMap) -> Result<(), Answer> {
    let text = match headers.get_all(header::HOST).iter().count() {
        0 if version == Version::HTTP_11 => "HTTP/1.1 needs a Host header: send one, as in Host: example.com",
        0 | 1 => return Ok(()),
        _ => "more than one Host header: send one",
    };
    Err(Answer::text(StatusCode::BAD_REQUEST, text))
}
