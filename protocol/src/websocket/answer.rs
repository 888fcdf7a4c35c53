//! What an answer other than 101 says: its status and the first line of its body.

use super::head::Head;

/// The longest first line that is kept.
const LONGEST_LINE: usize = 1024;

/// An answer by HTTP.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The first line of the body, for people: 1 KiB of it at most, without control characters, what is not UTF-8
    /// replaced. Empty if there is no body.
    pub text: String,
    /// `Retry-After` in seconds, if it was given as a number (RFC 9110 10.2.3).
    pub retry_after: Option<u32>,
}

/// Collects what is wanted of a body.
#[derive(Debug)]
pub(super) struct AnswerReader {
    status: u16,
    retry_after: Option<u32>,
    body: Body,
    line: Vec<u8>,
}

/// What is to come of the body (RFC 9112 6.3).
#[derive(Debug, Clone, Copy)]
enum Body {
    /// So many bytes.
    Length(u64),
    /// All until the connection ends.
    ToTheEnd,
    /// The size of a chunk: the number so far, and whether its extension has begun.
    ChunkSize(u64, bool),
    /// So many bytes of a chunk.
    Chunk(u64),
    /// The line end behind a chunk.
    ChunkEnd,
    /// Nothing more, or nothing that is wanted.
    Nothing,
}

impl AnswerReader {
    pub(super) fn new(head: &Head) -> Self {
        let retry_after = head.only("retry-after").and_then(|seconds| seconds.parse().ok());
        AnswerReader { status: head.status, retry_after, body: Body::of(head), line: Vec::new() }
    }

    /// Takes what came of the body. The answer, if all that is wanted of it has come.
    ///
    /// A body that breaks the rules counts as ended: the status is worth more than a complaint about the rest.
    pub(super) fn receive(&mut self, mut bytes: &[u8]) -> Option<Answer> {
        loop {
            match self.body {
                Body::Nothing | Body::Length(0) => return Some(self.end()),
                _ if bytes.is_empty() => return None,
                Body::ToTheEnd => self.text(&mut bytes, u64::MAX, |_| Body::ToTheEnd),
                Body::Length(left) => self.text(&mut bytes, left, Body::Length),
                Body::Chunk(0) => self.body = Body::ChunkEnd,
                Body::Chunk(left) => self.text(&mut bytes, left, Body::Chunk),
                Body::ChunkSize(..) | Body::ChunkEnd => {
                    self.body = self.body.after(bytes[0]);
                    bytes = &bytes[1..];
                }
            }
        }
    }

    /// The answer with what has come: the body ended, or is not waited for any longer.
    pub(super) fn end(&mut self) -> Answer {
        self.body = Body::Nothing;
        Answer {
            status: self.status,
            text: readable(&std::mem::take(&mut self.line)),
            retry_after: self.retry_after,
        }
    }

    /// Takes text of which `left` bytes are to come; `body` makes what then remains.
    fn text(&mut self, bytes: &mut &[u8], left: u64, body: fn(u64) -> Body) {
        let len = usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len());
        let (text, rest) = bytes.split_at(len);
        *bytes = rest;
        let line = text.split(|&byte| byte == b'\n').next().unwrap_or_default();
        let room = LONGEST_LINE - self.line.len();
        self.line.extend_from_slice(&line[..line.len().min(room)]);
        let ends = line.len() < text.len() || line.len() >= room;
        self.body = if ends { Body::Nothing } else { body(left - len as u64) };
    }
}

impl Body {
    fn of(head: &Head) -> Body {
        if matches!(head.status, 101 | 204 | 304) {
            return Body::Nothing;
        }
        if head.headers.contains_key("transfer-encoding") {
            let chunked = head.lists("transfer-encoding", "chunked");
            return if chunked { Body::ChunkSize(0, false) } else { Body::ToTheEnd };
        }
        head.only("content-length").and_then(|len| len.parse().ok()).map_or(Body::ToTheEnd, Body::Length)
    }

    /// What follows this byte of a chunk's frame (RFC 9112 7.1).
    fn after(self, byte: u8) -> Body {
        match (self, byte) {
            (Body::ChunkEnd, b'\n') => Body::ChunkSize(0, false),
            (Body::ChunkEnd, b'\r') => Body::ChunkEnd,
            (Body::ChunkSize(0, _), b'\n') => Body::Nothing,
            (Body::ChunkSize(size, _), b'\n') => Body::Chunk(size),
            (Body::ChunkSize(size, false), _) if byte.is_ascii_hexdigit() => {
                let digit = char::from(byte).to_digit(16).map_or(0, u64::from);
                size.checked_mul(16).map_or(Body::Nothing, |size| Body::ChunkSize(size | digit, false))
            }
            (Body::ChunkSize(size, extended), b'\r' | b' ' | b'\t') => Body::ChunkSize(size, extended),
            (Body::ChunkSize(size, extended), _) if extended || byte == b';' => Body::ChunkSize(size, true),
            _ => Body::Nothing,
        }
    }
}

/// The line as text to show; a character that was cut in two is left out.
fn readable(line: &[u8]) -> String {
    let whole = match std::str::from_utf8(line) {
        Err(error) if error.error_len().is_none() => &line[..error.valid_up_to()],
        _ => line,
    };
    String::from_utf8_lossy(whole).chars().filter(|character| !character.is_control()).collect()
}
