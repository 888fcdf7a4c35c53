//! From a TCP or TLS connection to a WebSocket (RFC 6455 4.1).

use data_encoding::BASE64;
use tungstenite::handshake::derive_accept_key;
use tungstenite::http::HeaderName;

use super::answer::{Answer, AnswerReader};
use super::head::{Head, HeadReader};
use super::{HandshakeError, HttpError, RequestError, Target};

/// A handshake that is under way.
#[derive(Debug)]
pub struct Handshake {
    /// What `Sec-WebSocket-Accept` has to be.
    accept: String,
    offered: Vec<String>,
    state: State,
}

#[derive(Debug)]
enum State {
    Head(HeadReader),
    /// The answer is not 101, and says why in its body.
    Refused(AnswerReader),
}

/// What a server said when it opened a WebSocket.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Opened {
    /// The subprotocol that the server chose, one of those that were offered; `None` if it chose none. Whether that
    /// will do is for the caller to judge.
    pub subprotocol: Option<String>,
    /// All headers of the answer in the order of their names: the name in lower case, and the value, in which what is
    /// not UTF-8 is replaced.
    pub headers: Vec<(String, String)>,
}

impl Handshake {
    /// Begins a handshake, and gives the request to be written. `subprotocols` are offered, the dearest first; `nonce`
    /// is 16 random bytes, drawn anew for each handshake (RFC 6455 4.1).
    pub fn new(
        target: &Target<'_>,
        subprotocols: &[&str],
        nonce: [u8; 16],
    ) -> Result<(Handshake, Vec<u8>), RequestError> {
        for (i, name) in subprotocols.iter().enumerate() {
            // The names of headers are tokens too.
            if HeaderName::from_bytes(name.as_bytes()).is_err() || subprotocols[..i].contains(name) {
                return Err(RequestError::Subprotocol { name: (*name).to_owned() });
            }
        }
        let (key, offer) = (BASE64.encode(&nonce), subprotocols.join(", "));
        let headers = [
            ("Connection", "Upgrade"),
            ("Upgrade", "websocket"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", &key),
            ("Sec-WebSocket-Protocol", &offer),
        ];
        let sent = if offer.is_empty() { &headers[..4] } else { &headers[..] };
        let request = target.head("GET", sent)?;
        let handshake = Handshake {
            accept: derive_accept_key(key.as_bytes()),
            offered: subprotocols.iter().map(|&name| name.to_owned()).collect(),
            state: State::Head(HeadReader::default()),
        };
        Ok((handshake, request))
    }

    /// Takes what the socket gave. `None` if more has to come; otherwise what the server said, and the bytes behind
    /// it, which are for [`Connection::receive`](super::Connection::receive). The handshake is then over, as it is
    /// after an error.
    ///
    /// When a server refuses, this waits for the first line of the body that says why: call [`Handshake::end`] if the
    /// socket ends, or if it takes too long.
    pub fn receive(&mut self, bytes: &[u8]) -> Result<Option<(Opened, Vec<u8>)>, HandshakeError> {
        let reader = match &mut self.state {
            State::Head(reader) => reader,
            State::Refused(reader) => {
                return reader.receive(bytes).map_or(Ok(None), |answer| Err(answer.into()));
            }
        };
        let Some((head, rest)) = reader.receive(bytes)? else { return Ok(None) };
        if head.status == 101 {
            return self.check(&head).map(|opened| Some((opened, rest)));
        }
        let mut reader = AnswerReader::new(&head);
        let answer = reader.receive(&rest);
        self.state = State::Refused(reader);
        answer.map_or(Ok(None), |answer| Err(answer.into()))
    }

    /// The socket ended, or the answer is not waited for any longer: what is known by now about why.
    pub fn end(&mut self) -> HandshakeError {
        match &mut self.state {
            State::Head(_) => HttpError::Ended.into(),
            State::Refused(reader) => reader.end().into(),
        }
    }

    /// Checks a 101 (RFC 6455 4.1, the list at its end).
    fn check(&self, head: &Head) -> Result<Opened, HandshakeError> {
        let wrong = |reason| Err(HandshakeError::NotWebSocket { reason });
        if head.is_old {
            return wrong("it answered 101 over HTTP/1.0");
        }
        if !head.only("upgrade").is_some_and(|value| value.eq_ignore_ascii_case("websocket")) {
            return wrong("its `Upgrade` is not `websocket`");
        }
        if !head.lists("connection", "upgrade") {
            return wrong("its `Connection` does not list `Upgrade`");
        }
        if head.only("sec-websocket-accept") != Some(self.accept.as_str()) {
            return wrong("its `Sec-WebSocket-Accept` does not fit the key of the request");
        }
        if head.headers.contains_key("sec-websocket-extensions") {
            return wrong("it uses an extension, and none was offered");
        }
        let subprotocol = self.subprotocol(head)?;
        let headers = head.headers.iter().map(|(name, value)| {
            (name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned())
        });
        let mut headers: Vec<_> = headers.collect();
        headers.sort_by(|(a, _), (b, _)| a.cmp(b));
        Ok(Opened { subprotocol, headers })
    }

    /// The subprotocol that was chosen, once at most and of those offered.
    fn subprotocol(&self, head: &Head) -> Result<Option<String>, HandshakeError> {
        const NAME: &str = "sec-websocket-protocol";
        let mut chosen = head.headers.get_all(NAME).iter();
        let Some(first) = chosen.next() else { return Ok(None) };
        if chosen.next().is_some() {
            return Err(HandshakeError::NotWebSocket { reason: "it chose more than one subprotocol" });
        }
        match self.offered.iter().find(|name| name.as_bytes() == first.as_bytes()) {
            Some(name) => Ok(Some(name.clone())),
            None => Err(HandshakeError::Subprotocol { chosen: first.as_bytes().escape_ascii().to_string() }),
        }
    }
}

impl From<Answer> for HandshakeError {
    fn from(Answer { status, text, retry_after }: Answer) -> Self {
        HandshakeError::Status { status, text, retry_after }
    }
}
