//! One message by POST, and its answer (REQ-HTTP-001 and following).

use super::answer::{Answer, AnswerReader};
use super::head::HeadReader;
use super::{HttpError, RequestError, Target};
use crate::Message;

/// A POST that waits for its answer.
#[derive(Debug)]
pub struct Post {
    state: State,
}

#[derive(Debug)]
enum State {
    Head(HeadReader),
    Body(AnswerReader),
}

impl Post {
    /// Begins a POST, and gives the whole request to be written. It uses up its connection (`Connection: close`). Text
    /// goes as `text/plain; charset=utf-8`, binary as `application/octet-stream`.
    pub fn new(target: &Target<'_>, message: &Message) -> Result<(Post, Vec<u8>), RequestError> {
        let kind = if message.is_text() { "text/plain; charset=utf-8" } else { "application/octet-stream" };
        let len = message.len().to_string();
        let headers = [("Connection", "close"), ("Content-Type", kind), ("Content-Length", &len)];
        let mut request = target.head("POST", &headers)?;
        request.extend_from_slice(message.payload());
        Ok((Post { state: State::Head(HeadReader::default()) }, request))
    }

    /// Takes what the socket gave. `None` if more has to come; otherwise the answer, and the socket is of no more use.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<Answer>, HttpError> {
        let reader = match &mut self.state {
            State::Head(reader) => reader,
            State::Body(reader) => return Ok(reader.receive(bytes)),
        };
        let Some((head, rest)) = reader.receive(bytes)? else { return Ok(None) };
        let mut reader = AnswerReader::new(&head);
        let answer = reader.receive(&rest);
        self.state = State::Body(reader);
        Ok(answer)
    }

    /// The socket ended, or the rest of the answer is not waited for any longer: the answer, if its head came.
    pub fn end(&mut self) -> Result<Answer, HttpError> {
        match &mut self.state {
            State::Head(_) => Err(HttpError::Ended),
            State::Body(reader) => Ok(reader.end()),
        }
    }
}
