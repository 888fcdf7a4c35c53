//! POSTs and their answers.

use petasus_protocol::Message;
use petasus_protocol::websocket::{Answer, HttpError, Post, RequestError, Target};

fn begin() -> Post {
    Post::new(&Target::new("localhost", "/pub/news"), &"x".into()).expect("a good request").0
}

/// Gives the answer in pieces, and then the end if nothing came of them.
fn answered(wire: &[u8], step: usize) -> Result<Answer, HttpError> {
    let mut post = begin();
    for piece in wire.chunks(step) {
        if let Some(answer) = post.receive(piece)? {
            return Ok(answer);
        }
    }
    post.end()
}

/// REQ-HTTP-001 for the other side: the kind of the message is in its type.
#[test]
fn the_request_carries_the_message() {
    let mut target = Target::new("localhost:8080", "/push/jobs");
    target.headers = &[("X-Trace", "7")];
    let (_, request) = Post::new(&target, &"grüße".into()).expect("a good request");
    let expected = "POST /push/jobs HTTP/1.1\r\nHost: localhost:8080\r\nConnection: close\r\n\
                    Content-Type: text/plain; charset=utf-8\r\nContent-Length: 7\r\nX-Trace: 7\r\n\r\ngrüße";
    assert_eq!(String::from_utf8(request).expect("UTF-8"), expected);

    target.origin = Some("null");
    let (_, request) = Post::new(&target, &Message::binary(vec![0, 255])).expect("a good request");
    assert!(request.ends_with(b"\r\nContent-Length: 2\r\nOrigin: null\r\nX-Trace: 7\r\n\r\n\0\xFF"));
    let kind = b"\r\nContent-Type: application/octet-stream\r\n";
    assert!(request.windows(kind.len()).any(|line| line == kind));

    target.headers = &[("content-length", "0")];
    let refused = Post::new(&target, &"".into()).map(drop);
    assert_eq!(refused, Err(RequestError::Reserved { name: "content-length".to_owned() }));
}

#[test]
fn answers_are_read_as_far_as_they_are_wanted() {
    let long = "y".repeat(2000);
    let cut = format!("{}é", "y".repeat(1023));
    let chunked = "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n";
    // The answer, its status, the first line, Retry-After.
    let cases: Vec<(String, u16, &str, Option<u32>)> = vec![
        ("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".into(), 200, "", None),
        ("HTTP/1.1 204 No Content\r\n\r\n".into(), 204, "", None),
        ("HTTP/1.1 202 \r\nContent-Length: 5\r\n\r\nheld\n".into(), 202, "held", None),
        ("HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\none\r\ntwo".into(), 200, "one", None),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nonetwo".into(), 200, "one", None),
        ("HTTP/1.1 503 x\r\nRetry-After: 1\r\nContent-Length: 4\r\n\r\nfull".into(), 503, "full", Some(1)),
        ("HTTP/1.1 503 x\r\nRetry-After: Fri, 31 Dec 1999 23:59:59 GMT\r\nContent-Length: 0\r\n\r\n".into(), 503, "", None),
        // Until the end.
        ("HTTP/1.1 200 OK\r\n\r\nto the end".into(), 200, "to the end", None),
        ("HTTP/1.0 500 x\r\nServer: old\r\n\r\nold\nstyle".into(), 500, "old", None),
        ("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\ncut".into(), 200, "cut", None),
        ("HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nwhole".into(), 200, "whole", None),
        // Chunks.
        (format!("{chunked}0\r\n\r\n"), 200, "", None),
        (format!("{chunked}3\r\none\r\n7;a=\"b\"\r\n, two\nx\r\n0\r\n\r\n"), 200, "one, two", None),
        (format!("{chunked}00A\r\n0123456789\r\n0\r\nTrailer: x\r\n\r\n"), 200, "0123456789", None),
        (format!("{chunked}3\r\none\r\nzz\r\n"), 200, "one", None),
        (format!("{chunked}FFFFFFFFFFFFFFFFF\r\nx"), 200, "", None),
        (format!("{chunked}3\r\noneX3\r\ntwo\r\n"), 200, "one", None),
        // 1xx says to wait.
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 x\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".into(), 200, "", None),
        ("HTTP/1.1 101 Switching\r\nUpgrade: x\r\n\r\nnever".into(), 101, "", None),
        // Text for people.
        (format!("HTTP/1.1 400 x\r\n\r\n{long}"), 400, &long[..1024], None),
        (format!("HTTP/1.1 400 x\r\n\r\n{cut}"), 400, &cut[..1023], None),
        ("HTTP/1.1 400 x\r\n\r\n\u{1b}[31mred\u{7}\n".into(), 400, "[31mred", None),
    ];
    for (wire, status, text, retry_after) in cases {
        for step in [usize::MAX, 3, 1] {
            let answer = answered(wire.as_bytes(), step.min(wire.len())).expect("an answer");
            let got = (answer.status, answer.text.as_str(), answer.retry_after);
            assert_eq!(got, (status, text, retry_after), "{wire:?} in pieces of {step}");
        }
    }
}

#[test]
fn bytes_that_are_not_utf8_are_replaced() {
    let answer = answered(b"HTTP/1.1 400 x\r\n\r\na\xFFb\n", 100).expect("an answer");
    assert_eq!(answer.text, "a\u{FFFD}b");
}

#[test]
fn an_answer_does_not_wait_for_more_than_its_first_line() {
    let long = format!("HTTP/1.1 200 OK\r\n\r\n{}", "x".repeat(1024));
    for complete in [
        long.as_str(),
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 204 x\r\nContent-Length: 9\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\none",
        "HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\none\n",
        "HTTP/1.1 200 OK\r\n\r\none\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n",
    ] {
        let mut post = begin();
        let (all_but_one, last) = complete.as_bytes().split_at(complete.len() - 1);
        assert_eq!(post.receive(all_but_one), Ok(None), "{complete:?}");
        assert!(post.receive(last).is_ok_and(|answer| answer.is_some()), "{complete:?}");
    }
}

#[test]
fn what_is_no_answer_is_told_apart() {
    let not_http = |start: &str| HttpError::NotHttp { start: start.to_owned() };
    assert_eq!(answered(b"", 1), Err(HttpError::Ended));
    assert_eq!(answered(b"HTTP/1.1 200 OK\r\nContent-Le", 100), Err(HttpError::Ended));
    assert_eq!(answered(b"SSH-2.0-x\r\n", 100), Err(not_http("SSH-2.0-x\\r\\n")));
    let endless = [b"HTTP/1.1 200 OK\r\n".to_vec(), b"X: y\r\n".repeat(100), vec![b'x'; 20_000]].concat();
    assert_eq!(answered(&endless, 1000), Err(HttpError::HeadTooLong));
}
