//! How a WebSocket is opened, and how a server refuses.

use petasus_protocol::websocket::{Handshake, HandshakeError, HttpError, Opened, RequestError, Target};
use tungstenite::handshake::HandshakeError as ServerError;
use tungstenite::handshake::server::{Request, Response};

use crate::peer::{Wire, connection, events, read, transmitted};

/// The nonce of RFC 6455 1.3, and what the server makes of it.
const NONCE: [u8; 16] = *b"the sample nonce";
const ACCEPT: &str = "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n";
const OPENS: &str = "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n";

fn begin(subprotocols: &[&str]) -> (Handshake, Vec<u8>) {
    Handshake::new(&Target::new("localhost:8080", "/ws"), subprotocols, NONCE).expect("a good request")
}

/// Gives the answer in pieces, and then the end if nothing came of them.
fn answered(wire: &[u8], step: usize) -> Result<(Opened, Vec<u8>), HandshakeError> {
    let (mut handshake, _) = begin(&["wamp.2.json", "wamp.2.cbor"]);
    let mut pieces = wire.chunks(step);
    while let Some(piece) = pieces.next() {
        if let Some((opened, mut rest)) = handshake.receive(piece)? {
            pieces.for_each(|piece| rest.extend_from_slice(piece));
            return Ok((opened, rest));
        }
    }
    Err(handshake.end())
}

#[test]
fn the_request_says_what_was_asked_for() {
    let mut target = Target::new("example.org", "/sub/news?x=%20");
    target.origin = Some("https://example.org");
    target.headers = &[("Authorization", "Bearer secret"), ("User-Agent", "petasus")];
    let (_, request) = Handshake::new(&target, &["b", "a"], NONCE).expect("a good request");
    let expected = "GET /sub/news?x=%20 HTTP/1.1\r\nHost: example.org\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\
                    Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
                    Sec-WebSocket-Protocol: b, a\r\nOrigin: https://example.org\r\nAuthorization: Bearer secret\r\n\
                    User-Agent: petasus\r\n\r\n";
    assert_eq!(String::from_utf8(request).expect("ASCII"), expected);
    let (_, request) = begin(&[]);
    assert!(!String::from_utf8(request).expect("ASCII").contains("Protocol"));
}

#[test]
fn what_would_break_the_request_is_refused() {
    type Headers = &'static [(&'static str, &'static str)];
    let make = |host: &str, path: &str, origin: Option<&str>, headers: Headers, offered: &[&str]| {
        let mut target = Target::new(host, path);
        (target.origin, target.headers) = (origin, headers);
        Handshake::new(&target, offered, NONCE).map(drop)
    };
    for host in ["", "a b", "a\r\nX: y", "a/b", "user@a", "é"] {
        assert_eq!(make(host, "/", None, &[], &[]), Err(RequestError::Host { host: host.to_owned() }));
    }
    for path in ["", "x", "*", "/a b", "/a\r\n", "/a#b", "/é", "http://a/"] {
        assert_eq!(make("a", path, None, &[], &[]), Err(RequestError::Path { path: path.to_owned() }));
    }
    let header = |name: &str| Err(RequestError::Header { name: name.to_owned() });
    for origin in ["", "a\nb"] {
        assert_eq!(make("a", "/", Some(origin), &[], &[]), header("Origin"));
    }
    assert_eq!(make("a", "/", None, &[("", "x")], &[]), header(""));
    assert_eq!(make("a", "/", None, &[("X Y", "x")], &[]), header("X Y"));
    assert_eq!(make("a", "/", None, &[("X", "y\r\nZ: z")], &[]), header("X"));
    for headers in
        [[("HOST", "b")], [("connection", "b")], [("Content-Length", "1")], [("Sec-WebSocket-Key", "b")]]
    {
        let name = headers[0].0.to_owned();
        let mut target = Target::new("a", "/");
        target.headers = &headers;
        let refused = Handshake::new(&target, &[], NONCE).map(drop);
        assert_eq!(refused, Err(RequestError::Reserved { name }));
    }
    for (offered, name) in
        [(&["a", "b c"][..], "b c"), (&[""], ""), (&["a,b"], "a,b"), (&["a", "b", "a"], "a")]
    {
        assert_eq!(
            make("a", "/", None, &[], offered),
            Err(RequestError::Subprotocol { name: name.to_owned() })
        );
    }
}

#[test]
fn a_server_that_agrees_opens_the_connection() {
    let chosen = "sec-websocket-protocol: wamp.2.cbor\r\n";
    let cases = [
        ([OPENS, ACCEPT, "\r\n"].concat(), None),
        ([OPENS, ACCEPT, chosen, "\r\n"].concat(), Some("wamp.2.cbor")),
        // Upper and lower case, lists, and news before it.
        (
            ["HTTP/1.1 103 \r\nLink: x\r\n\r\nHTTP/1.1 101 ok\r\nupgrade:WebSocket\r\nCONNECTION: keep-alive, upgrade\r\n", ACCEPT, "\r\n"]
                .concat(),
            None,
        ),
    ];
    for (head, subprotocol) in cases {
        let wire = [head.as_bytes(), b"\x81\x02hi"].concat();
        for step in [usize::MAX, 9, 1] {
            let (opened, rest) = answered(&wire, step.min(wire.len())).expect("the server agrees");
            assert_eq!(opened.subprotocol.as_deref(), subprotocol);
            assert!(
                opened
                    .headers
                    .iter()
                    .any(|(name, value)| name == "upgrade" && value.eq_ignore_ascii_case("websocket"))
            );
            assert_eq!(rest, b"\x81\x02hi");
        }
    }
}

/// The answer, and what is said of it.
fn refusals() -> Vec<(String, HandshakeError)> {
    let status = |status, text: &str, retry_after| HandshakeError::Status {
        status,
        text: text.to_owned(),
        retry_after,
    };
    let wrong = |reason| HandshakeError::NotWebSocket { reason };
    let not_http = |start: &str| HttpError::NotHttp { start: start.to_owned() }.into();
    let ended = || HttpError::Ended.into();
    let opens = |more: &str| [OPENS, more, "\r\n"].concat();
    let long = format!("HTTP/1.1 101 x\r\nX: {}\r\n\r\n", "x".repeat(16 * 1024));
    vec![
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 17\r\n\r\nno such endpoint\n".to_owned(),
            status(404, "no such endpoint", None),
        ),
        (
            "HTTP/1.1 503 x\r\nRetry-After: 7\r\nContent-Length: 0\r\n\r\n".to_owned(),
            status(503, "", Some(7)),
        ),
        // The end comes in the middle of the line.
        ("HTTP/1.1 403 x\r\nContent-Length: 99\r\n\r\nnot fo".to_owned(), status(403, "not fo", None)),
        ("HTTP/1.1 403 x\r\n\r\n".to_owned(), status(403, "", None)),
        ("HTTP/1.0 400 Bad request\r\n\r\nwhat?\r\nmore".to_owned(), status(400, "what?", None)),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\n<ht\r\n3\r\nml>\r\n0\r\n\r\n"
                .to_owned(),
            status(200, "<html>", None),
        ),
        ("HTTP/1.1 302 Found\r\nLocation: /x\r\nContent-Length: 0\r\n\r\n".to_owned(), status(302, "", None)),
        (
            ["HTTP/1.1 101 x\r\nConnection: Upgrade\r\n", ACCEPT, "\r\n"].concat(),
            wrong("its `Upgrade` is not `websocket`"),
        ),
        (
            ["HTTP/1.1 101 x\r\nUpgrade: h2c\r\nConnection: Upgrade\r\n", ACCEPT, "\r\n"].concat(),
            wrong("its `Upgrade` is not `websocket`"),
        ),
        (
            ["HTTP/1.1 101 x\r\nUpgrade: websocket\r\n", ACCEPT, "\r\n"].concat(),
            wrong("its `Connection` does not list `Upgrade`"),
        ),
        (
            ["HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: close\r\n", ACCEPT, "\r\n"].concat(),
            wrong("its `Connection` does not list `Upgrade`"),
        ),
        (opens(""), wrong("its `Sec-WebSocket-Accept` does not fit the key of the request")),
        (
            opens("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO=\r\n"),
            wrong("its `Sec-WebSocket-Accept` does not fit the key of the request"),
        ),
        (
            opens(&[ACCEPT, ACCEPT].concat()),
            wrong("its `Sec-WebSocket-Accept` does not fit the key of the request"),
        ),
        (
            opens(&[ACCEPT, "Sec-WebSocket-Extensions: permessage-deflate\r\n"].concat()),
            wrong("it uses an extension, and none was offered"),
        ),
        (
            opens(&[ACCEPT, "Sec-WebSocket-Protocol: mqtt\r\n"].concat()),
            HandshakeError::Subprotocol { chosen: "mqtt".to_owned() },
        ),
        (
            opens(&[ACCEPT, "Sec-WebSocket-Protocol: WAMP.2.json\r\n"].concat()),
            HandshakeError::Subprotocol { chosen: "WAMP.2.json".to_owned() },
        ),
        (
            opens(
                &[ACCEPT, "Sec-WebSocket-Protocol: wamp.2.json\r\nSec-WebSocket-Protocol: wamp.2.cbor\r\n"]
                    .concat(),
            ),
            wrong("it chose more than one subprotocol"),
        ),
        ([&OPENS.replace("1.1", "1.0"), ACCEPT, "\r\n"].concat(), wrong("it answered 101 over HTTP/1.0")),
        (long, HttpError::HeadTooLong.into()),
        ("HTTP/1.1 100 x\r\n\r\n".repeat(1000), HttpError::HeadTooLong.into()),
        (OPENS.to_owned(), ended()),
        ("HTTP/1.1 100 Continue\r\n\r\n".to_owned(), ended()),
        (String::new(), ended()),
        ("HTTP/2 200\r\n\r\n".to_owned(), not_http("HTTP/2 200\\r\\n\\r\\n")),
        ("\u{15}\u{3}\u{3}\0\u{2}\u{2}F".to_owned(), not_http("\\x15\\x03\\x03\\x00\\x02\\x02F")),
        (format!("220 {}", "mail ".repeat(20)), not_http("220 mail mail mail mail mail mail mail m")),
    ]
}

#[test]
fn a_refusal_says_why() {
    for (wire, expected) in refusals() {
        for step in [usize::MAX, 5, 1] {
            let refused = answered(wire.as_bytes(), step.min(wire.len().max(1))).map(drop);
            // What is no HTTP is noticed at once; how much of it is shown depends on how much had come.
            if let (
                Err(HandshakeError::Http(HttpError::NotHttp { start })),
                HandshakeError::Http(HttpError::NotHttp { start: most }),
            ) = (&refused, &expected)
            {
                assert!(
                    most.starts_with(start.as_str()) && (step < 40 || most == start),
                    "{start} of {most}"
                );
            } else {
                assert_eq!(refused, Err(expected.clone()), "{wire:?} in pieces of {step}");
            }
        }
    }
}

/// The body of a refusal is not waited for longer than needed.
#[test]
fn a_refusal_is_known_with_the_end_of_the_first_line() {
    let (mut handshake, _) = begin(&[]);
    let waits = handshake.receive(b"HTTP/1.1 401 x\r\nContent-Length: 1000\r\n\r\nlog ");
    assert_eq!(waits, Ok(None));
    let expected = HandshakeError::Status { status: 401, text: "log in".to_owned(), retry_after: None };
    assert_eq!(handshake.receive(b"in\n"), Err(expected));
}

/// The head of 16 KiB is the longest.
#[test]
fn a_head_may_have_16_kib() {
    let frame = [OPENS, ACCEPT, "X: \r\n\r\n"].concat().len();
    for (len, fits) in [(16 * 1024, true), (16 * 1024 + 1, false)] {
        let wire = [OPENS, ACCEPT, "X: ", &"x".repeat(len - frame), "\r\n\r\n"].concat();
        for step in [wire.len(), 1000] {
            let opened = answered(wire.as_bytes(), step).map(drop);
            assert_eq!(opened, if fits { Ok(()) } else { Err(HttpError::HeadTooLong.into()) });
        }
    }
}

/// The whole way with another library's server: what each sends the other takes.
#[test]
fn a_conversation_begins_with_the_server_of_another_library() {
    let (mut handshake, request) = begin(&["wamp.2.json"]);
    let mut wire = Wire::default();
    wire.to_server.extend(&request);
    #[expect(clippy::result_large_err, reason = "this is what the library wants")]
    let choose = |request: &Request, mut response: Response| {
        assert_eq!(request.uri().path(), "/ws");
        assert_eq!(request.headers()["host"], "localhost:8080");
        response
            .headers_mut()
            .insert("sec-websocket-protocol", request.headers()["sec-websocket-protocol"].clone());
        Ok(response)
    };
    let mut server = match tungstenite::accept_hdr(wire, choose) {
        Ok(server) => server,
        Err(ServerError::Failure(error)) => panic!("the server refuses: {error}"),
        Err(ServerError::Interrupted(_)) => panic!("the server waits for more"),
    };
    server.send("welcome".into()).expect("the server can send");
    let answer = std::mem::take(&mut server.get_mut().to_client);
    let (opened, rest) = handshake.receive(&answer).expect("it agrees").expect("it is complete");
    assert_eq!(opened.subprotocol.as_deref(), Some("wamp.2.json"));

    let mut connection = connection();
    connection.receive(&rest);
    assert_eq!(events(&mut connection), [petasus_protocol::websocket::Event::Message("welcome".into())]);
    assert!(connection.send(&"thanks".into()));
    assert_eq!(read(&mut server, &transmitted(&mut connection)), ["thanks".into()]);
}
