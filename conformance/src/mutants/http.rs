//! What comes before the frames: requests, rightly and wrongly answered.

use data_encoding::BASE64;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::Mutant;
use super::connection::{LIMIT, Shared, lock};
use super::rooms::{Endpoint, Id};
use crate::model::origin::passes;
use crate::raw::{Frame, Head, Opcode, accept_key, read_head_after};

/// What a request asks for.
pub(super) struct Request {
    pub(super) endpoint: Endpoint,
    pub(super) topic: String,
    pub(super) echo: bool,
}

/// A WebSocket that is to be opened.
pub(super) struct Open {
    pub(super) request: Request,
    /// The head of the 101.
    pub(super) answer: String,
    /// What was read behind the request.
    pub(super) rest: Vec<u8>,
}

/// A status, and fields with their line ends.
struct Refusal(u16, &'static str);

/// Serves requests until one opens a WebSocket.
pub(super) async fn serve(socket: &mut TcpStream, shared: &Shared) -> Option<Open> {
    let mut rest = Vec::new();
    loop {
        let mut head = read_head_after(std::mem::take(&mut rest), socket).await.ok()?;
        rest = std::mem::take(&mut head.rest);
        let (method, path) = head.start.split_once(' ')?;
        let path = path.split(' ').next()?;
        let is_post = method == "POST";
        let body = if is_post { body(&head, &mut rest, socket).await? } else { Vec::new() };
        let checked = parse(path, shared.mutant).and_then(|request| {
            allowed(&head, &request, shared)?;
            if is_post {
                post(&head, request, body, shared).map(Err)
            } else {
                handshake(&head, request, shared).map(Ok)
            }
        });
        let Refusal(status, fields) = match checked {
            Ok(Ok((request, answer))) => return Some(Open { request, answer, rest }),
            Ok(Err(refusal)) | Err(refusal) => refusal,
        };
        let ends = status >= 400 && shared.mutant == Mutant::ErrorEnds;
        let (text, kind) = match status {
            401 => ("Origin check failed\n", "text/plain; charset=utf-8"),
            400.. if method != "HEAD" => ("no\n", "text/plain; charset=utf-8"),
            _ => ("", "text/html"),
        };
        let answer = format!(
            "HTTP/1.1 {status} Answer\r\n{fields}Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        socket.write_all(answer.as_bytes()).await.ok()?;
        if ends {
            return None;
        }
    }
}

/// The bytes of a body, whole.
async fn body(head: &Head, rest: &mut Vec<u8>, socket: &mut TcpStream) -> Option<Vec<u8>> {
    if head.field("transfer-encoding") == Some("chunked") {
        let mut body = Vec::new();
        loop {
            while !rest.windows(2).any(|pair| pair == b"\r\n") {
                some(&socket.read_buf(rest).await)?;
            }
            let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
            let size = usize::from_str_radix(std::str::from_utf8(&rest[..end]).ok()?, 16).ok()?;
            rest.drain(..end + 2);
            while rest.len() < size + 2 {
                some(&socket.read_buf(rest).await)?;
            }
            body.extend(rest.drain(..size));
            rest.drain(..2);
            if size == 0 {
                return Some(body);
            }
        }
    }
    let length = head.field("content-length").and_then(|value| value.parse().ok()).unwrap_or(0);
    while rest.len() < length {
        some(&socket.read_buf(rest).await)?;
    }
    let after = rest.split_off(length);
    Some(std::mem::replace(rest, after))
}

fn some(read: &std::io::Result<usize>) -> Option<()> {
    matches!(read, Ok(1..)).then_some(())
}

/// A body becomes a message.
fn post(head: &Head, request: Request, mut body: Vec<u8>, shared: &Shared) -> Result<Refusal, Refusal> {
    let Request { endpoint, topic, .. } = request;
    if matches!(endpoint, Endpoint::Sub | Endpoint::Pull) {
        return Err(Refusal(405, "Allow: GET\r\n"));
    }
    if body.len() > LIMIT {
        if shared.mutant != Mutant::LargePostCut {
            return Err(Refusal(413, ""));
        }
        body.truncate(LIMIT);
    }
    let is_binary = head.field("content-type") == Some("application/octet-stream");
    if !is_binary && shared.mutant == Mutant::PostLatin1 {
        body = body.iter().map(|&byte| char::from(byte)).collect::<String>().into_bytes();
    }
    if !is_binary && std::str::from_utf8(&body).is_err() {
        return Err(Refusal(400, ""));
    }
    if body.is_empty() && shared.mutant == Mutant::EmptyPostDropped {
        return Ok(Refusal(200, ""));
    }
    let frame = Frame::new(if is_binary { Opcode::BINARY } else { Opcode::TEXT }, body);
    let mut rooms = lock(&shared.rooms);
    let is_heard = rooms.has_receivers(endpoint, &topic);
    match endpoint {
        Endpoint::Push if !is_heard && shared.mutant == Mutant::NoPuller500 => Err(Refusal(500, "")),
        Endpoint::Push if !is_heard => Err(Refusal(503, "Retry-After: 1\r\n")),
        _ if !is_heard && shared.mutant == Mutant::PostNeedsReceiver => Err(Refusal(404, "")),
        _ => {
            rooms.post(endpoint, &topic, &frame);
            Ok(Refusal(200, ""))
        }
    }
}

/// RFC 6455 4.2.1.
fn handshake(head: &Head, request: Request, shared: &Shared) -> Result<(Request, String), Refusal> {
    let mutant = shared.mutant;
    let method = head.start.split(' ').next().unwrap_or_default();
    if method != "GET" {
        let is_receiver = matches!(request.endpoint, Endpoint::Sub | Endpoint::Pull);
        return Err(Refusal(405, if is_receiver { "Allow: GET\r\n" } else { "Allow: GET, POST\r\n" }));
    }
    let upgrade = "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n";
    let has = |name: &str, token: &str| {
        let same = |value: &str| match mutant {
            Mutant::CaseSensitive => value.trim() == token,
            _ => value.trim().eq_ignore_ascii_case(token),
        };
        head.fields
            .iter()
            .filter(|(known, _)| known == name)
            .flat_map(|(_, value)| value.split(','))
            .any(same)
    };
    let key = head.field("sec-websocket-key").unwrap_or_default();
    if mutant == Mutant::PlainGetJoins && head.field("upgrade").is_none() {
        return Ok((request, switching(head, key, mutant)));
    }
    if !has("upgrade", "websocket") || head.start.ends_with("/1.0") && mutant != Mutant::Http10Upgraded {
        return Err(Refusal(if mutant == Mutant::PlainGet404 { 404 } else { 426 }, upgrade));
    }
    let is_key = BASE64.decode(key.as_bytes()).is_ok_and(|bytes| bytes.len() == 16);
    let token = if mutant == Mutant::CaseSensitive { "Upgrade" } else { "upgrade" };
    if !has("connection", token) || !is_key && mutant != Mutant::AnyKeyTaken {
        return Err(Refusal(400, ""));
    }
    if head.field("sec-websocket-version") != Some("13") && mutant != Mutant::AnyVersionTaken {
        return Err(Refusal(426, upgrade));
    }
    Ok((request, switching(head, key, mutant)))
}

fn switching(head: &Head, key: &str, mutant: Mutant) -> String {
    let is_asked = head.field("sec-websocket-protocol").is_some();
    let extra =
        if is_asked && mutant == Mutant::ChoosesAlone { "Sec-WebSocket-Protocol: mqtt\r\n" } else { "" };
    format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n{extra}\r\n",
        accept_key(key)
    )
}

/// The Origin. Without patterns all may come.
fn allowed(head: &Head, request: &Request, shared: &Shared) -> Result<(), Refusal> {
    let (rules, origin) = (&shared.wanted.origins, head.field("origin"));
    let is_post = head.start.starts_with("POST ");
    let is_substring = shared.mutant == Mutant::OriginSubstring || shared.wanted.as_substring;
    let is_right = match shared.mutant {
        Mutant::OriginMissingTaken if origin.is_none() => true,
        Mutant::OriginOnBusOnly if request.endpoint != Endpoint::Bus => true,
        Mutant::OriginPostUnchecked if is_post => true,
        Mutant::OriginDotIsAny if origin.is_some_and(|origin| origin.contains("wwwx")) => true,
        Mutant::OriginByCase if origin.is_some_and(|origin| origin.contains("WWW")) => rules.is_empty(),
        Mutant::OriginFirstRuleOnly => {
            passes(&rules[..rules.len().min(1)], is_substring, origin) != Some(false)
        }
        Mutant::OriginPortMissed if rules.iter().any(|rule| rule.ends_with(":*")) => false,
        Mutant::OriginAlwaysRuled if rules.is_empty() && origin == Some("http://other.org") => false,
        _ => passes(rules, is_substring, origin) != Some(false),
    };
    let text = if shared.mutant == Mutant::OriginRefused403 { 403 } else { 401 };
    if !is_right && shared.mutant == Mutant::OriginRefusedJoins {
        let (out, _) = super::outbox::outbox();
        lock(&shared.rooms).join(Id::MAX, request.endpoint, request.topic.clone(), false, out);
    }
    if is_right { Ok(()) } else { Err(Refusal(text, "")) }
}

/// What is asked for by a target of a request.
fn parse(target: &str, mutant: Mutant) -> Result<Request, Refusal> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = decode(path, mutant).map_err(|()| Refusal(400, ""))?;
    if mutant.is_pinghub() {
        return Ok(Request { endpoint: Endpoint::Bus, topic: path, echo: true });
    }
    let unknown = if mutant == Mutant::UnknownIsWelcome { Refusal(200, "") } else { Refusal(404, "") };
    let Some((endpoint, topic)) = path.strip_prefix('/').and_then(|rest| rest.split_once('/')) else {
        return Err(unknown);
    };
    let endpoint = match endpoint {
        "bus" => Endpoint::Bus,
        "pub" => Endpoint::Pub,
        "sub" => Endpoint::Sub,
        "push" => Endpoint::Push,
        "pull" => Endpoint::Pull,
        _ => return Err(unknown),
    };
    if topic.is_empty() {
        return Err(unknown);
    }
    Ok(Request { endpoint, topic: topic.to_owned(), echo: query == "echo=1" })
}

/// Percent escapes become bytes, which have to be UTF-8.
fn decode(path: &str, mutant: Mutant) -> Result<String, ()> {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None if mutant == Mutant::BadEscapesTaken => bytes.push(b'%'),
            None => return Err(()),
        }
    }
    if mutant == Mutant::BadEscapesTaken {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes).map_err(drop)
}
