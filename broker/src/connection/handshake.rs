//! The opening handshake (RFC 6455 4.2): which requests ask for a WebSocket, and what is answered.

use http::{HeaderMap, HeaderName, HeaderValue, Response, StatusCode, Version, header};
use tungstenite::handshake::derive_accept_key;

use crate::dialect::BadHandshake;

/// Whether a request asks for a WebSocket: `websocket` among the tokens of `Upgrade`, in any case (REQ-WS-001).
/// HTTP/1.0 knows no upgrade (REQ-WS-016).
pub(crate) fn is_asked(version: Version, headers: &HeaderMap) -> bool {
    version >= Version::HTTP_11 && has_token(headers, header::UPGRADE, "websocket")
}

/// Checks the rest of the handshake (RFC 6455 4.2.1; REQ-WS-002); the key's answer, or what is wrong.
pub(crate) fn check(headers: &HeaderMap) -> Result<HeaderValue, BadHandshake> {
    if !has_token(headers, header::CONNECTION, "upgrade") {
        return Err(BadHandshake::Connection);
    }
    let version = headers.get(header::SEC_WEBSOCKET_VERSION).map(HeaderValue::as_bytes);
    if version != Some(b"13") {
        return Err(BadHandshake::Version);
    }
    let key = headers.get(header::SEC_WEBSOCKET_KEY).map(HeaderValue::as_bytes).filter(|key| is_nonce(key));
    let key = key.ok_or(BadHandshake::Key)?;
    HeaderValue::try_from(derive_accept_key(key)).map_err(|_| BadHandshake::Key)
}

/// 101 with the answer to the key, and the subprotocol that was chosen.
pub(crate) fn accepted<B: Default>(accept: HeaderValue, subprotocol: Option<&'static str>) -> Response<B> {
    let mut response = Response::new(B::default());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(subprotocol) = subprotocol {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(subprotocol));
    }
    response
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
