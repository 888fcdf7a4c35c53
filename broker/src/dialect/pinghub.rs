//! Pinghub: every path is a channel, which is a topic of the bus where all peers hear themselves.
//!
//! Kept from the original: its statuses and their texts, redirects to clean paths, an empty message that
//! comes back to its sender alone, everything going out as text. Done better: messages are checked to be
//! UTF-8, `Upgrade: WebSocket` is read in any case, membership begins before the handshake is answered.

use std::borrow::Cow;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode, header};
use petasus_protocol::{Message, Topic, decode_path, encode_path};

use super::{Answer, Head, Received, Role, Route, Rules};

const NOT_UTF8: &str = "Error: bad request. Path must be valid Unicode (UTF-8).";
const PAGE: &str = include_str!("../../assets/pinghub.html");

pub(super) fn route(head: &Head<'_>, rules: &Rules) -> Route {
    let raw = head.target.split('?').next().unwrap_or_default();
    let Ok(path) = decode_path(if raw.is_empty() { "/" } else { raw }) else {
        return Route::Answer(Answer::text(StatusCode::BAD_REQUEST, NOT_UTF8));
    };
    if let Some(clean) = cleaned(&path) {
        return Route::Answer(redirect(&clean, head));
    }
    if path.chars().count() > rules.path_chars {
        return Route::Answer(Answer::text(StatusCode::BAD_REQUEST, too_long(rules.path_chars)));
    }
    let role = Role::Bus { topic: Topic::new(&path[1..]), echo: true };
    match *head.method {
        Method::GET if head.upgrade => Route::Open(role),
        Method::GET => Route::Answer(page(&path)),
        Method::POST if !head.upgrade => Route::Post(role),
        Method::POST => Route::Answer(
            Answer::wrong_method("Method Not Allowed", "GET").with(header::SEC_WEBSOCKET_VERSION, "13"),
        ),
        _ => Route::Answer(Answer::empty(StatusCode::METHOD_NOT_ALLOWED).with(header::ALLOW, "GET, POST")),
    }
}

fn too_long(chars: usize) -> String {
    format!("Error: bad request. Path length must be 1-{chars} Unicode characters (UTF-8).")
}

/// The path without empty, `.` and `..` segments, if it has any; a trailing slash stays.
fn cleaned(path: &str) -> Option<String> {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(segments.pop()),
            segment => segments.push(segment),
        }
    }
    let trailing = if path.ends_with('/') && !segments.is_empty() { "/" } else { "" };
    let clean = format!("/{}{trailing}", segments.join("/"));
    (clean != path).then_some(clean)
}

fn redirect(clean: &str, head: &Head<'_>) -> Answer {
    let mut location = format!("{}{}", head.mount, encode_path(clean));
    if let Some((_, query)) = head.target.split_once('?') {
        location = format!("{location}?{query}");
    }
    let mut answer = Answer::empty(StatusCode::MOVED_PERMANENTLY);
    // An escaped path is ASCII; a query that is not cannot have come through an HTTP parser.
    if let Ok(location) = HeaderValue::try_from(location) {
        answer.headers.push((header::LOCATION, location));
    }
    answer
}

fn page(path: &str) -> Answer {
    let mut escaped = String::with_capacity(path.len());
    for c in path.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            c => escaped.push(c),
        }
    }
    Answer::asset("text/html; charset=utf-8", PAGE.replace("{{PATH}}", &escaped).into_bytes()).with(
        header::CONTENT_SECURITY_POLICY,
        "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; connect-src *; img-src data:",
    )
}

/// An empty body is accepted and sent to nobody, as in the original.
pub(super) fn posted(body: Bytes) -> Result<Option<Message>, Answer> {
    if body.is_empty() {
        return Ok(None);
    }
    Message::text(body).map(Some).map_err(|_| {
        Answer::text(
            StatusCode::BAD_REQUEST,
            "Error: bad request. The message must be valid Unicode (UTF-8).",
        )
    })
}

/// `OK`, whether or not anybody was there to hear it.
pub(super) fn post_answer() -> Answer {
    Answer::text(StatusCode::OK, "OK")
}

pub(super) fn broken_body() -> Answer {
    Answer::text(StatusCode::BAD_REQUEST, "Error: bad request. Unable to read POST body.")
}

/// The original's answer to every bad handshake.
pub(super) fn bad_handshake() -> Answer {
    Answer::text(StatusCode::BAD_REQUEST, "Bad Request").with(header::SEC_WEBSOCKET_VERSION, "13")
}

pub(super) fn origin_refused() -> Answer {
    Answer::text(StatusCode::FORBIDDEN, "Forbidden")
}

pub(super) fn receive(message: &Message) -> Received {
    let Some(text) = outgoing(message).map(Cow::into_owned) else { return Received::NotText };
    if text.is_empty() { Received::Reply(text) } else { Received::Send(text) }
}

/// Everything goes out as text; bytes that are not UTF-8 cannot.
pub(super) fn outgoing(message: &Message) -> Option<Cow<'_, Message>> {
    if message.is_text() {
        return Some(Cow::Borrowed(message));
    }
    Message::text(message.payload().clone()).ok().map(Cow::Owned)
}
