//! The opening handshake (RFC 6455 4.2): which requests ask for a WebSocket, and what is answered.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, header};
use tungstenite::handshake::derive_accept_key;

use crate::dialect::Answer;

/// Whether a request asks for a WebSocket: `websocket` among the tokens of `Upgrade`, in any case (REQ-WS-001).
pub(crate) fn is_asked(headers: &HeaderMap) -> bool {
    has_token(headers, header::UPGRADE, "websocket")
}

/// Checks the rest of the handshake (RFC 6455 4.2.1; REQ-WS-002); the key's answer, or what is wrong.
pub(crate) fn check(headers: &HeaderMap) -> Result<HeaderValue, Answer> {
    if !has_token(headers, header::CONNECTION, "upgrade") {
        return Err(bad("the handshake lacks Connection: Upgrade; a proxy on the way may have removed it"));
    }
    let version = headers.get(header::SEC_WEBSOCKET_VERSION).map(HeaderValue::as_bytes);
    if version != Some(b"13") {
        return Err(Answer::text(
            StatusCode::UPGRADE_REQUIRED,
            "the handshake must say Sec-WebSocket-Version: 13",
        )
        .with(header::SEC_WEBSOCKET_VERSION, "13"));
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).filter(|key| is_nonce(key));
    let Some(key) = key else {
        return Err(bad("the handshake must have a Sec-WebSocket-Key: 16 bytes in base64"));
    };
    HeaderValue::try_from(derive_accept_key(key)).map_err(|_| bad("the Sec-WebSocket-Key is not usable"))
}

/// 101 with the answer to the key.
pub(crate) fn accepted<B: Default>(accept: HeaderValue) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

fn bad(line: &str) -> Answer {
    Answer::text(StatusCode::BAD_REQUEST, line)
}

/// A comma separated list, over any number of header lines, has the token (RFC 9110 5.6.1).
fn has_token(headers: &HeaderMap, name: HeaderName, token: &str) -> bool {
    let values = headers.get_all(name).into_iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|part| part.trim().eq_ignore_ascii_case(token))
}

/// Sixteen bytes in base64 are 22 characters and two signs of padding.
fn is_nonce(key: &[u8]) -> bool {
    let is_base64 = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    key.len() == 24 && key.ends_with(b"==") && key[..22].iter().all(is_base64)
}
