//! Whole answers of HTTP/1.1 (RFC 9112 6), read without a library.

use tokio::io::{AsyncRead, AsyncReadExt};

use super::handshake::{HandshakeError, Head, read_head_after};

/// An answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// Its head; `rest` is what was read behind the body.
    pub head: Head,
    /// Its body.
    pub body: Vec<u8>,
    /// Whether the connection may serve another request.
    pub stays: bool,
}

/// Reads the answer to a request. `first` was read already; `is_head`: the request was a HEAD, whose answer has no body.
///
/// # Errors
/// The connection fails or ends first, or what comes is no answer.
pub async fn read_answer(
    first: Vec<u8>,
    from: &mut (impl AsyncRead + Unpin),
    is_head: bool,
) -> Result<Answer, HandshakeError> {
    let mut bytes = first;
    let mut head = loop {
        let head = read_head_after(bytes, from).await?;
        // 100 and its like come before the answer itself.
        match head.status() {
            Some(100 | 102..=199) => bytes = head.rest,
            Some(_) => break head,
            None => return Err(HandshakeError::NotHttp(head.start)),
        }
    };
    let status = head.status().unwrap_or_default();
    let closes = head.field("connection").is_some_and(|value| value.eq_ignore_ascii_case("close"));
    let mut rest = std::mem::take(&mut head.rest);
    if is_head || matches!(status, 101 | 204 | 304) {
        head.rest = rest;
        return Ok(Answer { head, body: Vec::new(), stays: !closes });
    }
    if head.field("transfer-encoding").is_some_and(|value| value.eq_ignore_ascii_case("chunked")) {
        let body = chunks(&mut rest, from).await?;
        head.rest = rest;
        return Ok(Answer { head, body, stays: !closes });
    }
    let Some(length) = head.field("content-length").and_then(|value| value.parse::<usize>().ok()) else {
        from.read_to_end(&mut rest).await?;
        return Ok(Answer { head, body: rest, stays: false });
    };
    fill(&mut rest, length, from).await?;
    let after = rest.split_off(length);
    head.rest = after;
    Ok(Answer { head, body: rest, stays: !closes })
}

/// A chunked body (RFC 9112 7.1); trailers are passed over.
async fn chunks(rest: &mut Vec<u8>, from: &mut (impl AsyncRead + Unpin)) -> Result<Vec<u8>, HandshakeError> {
    let mut body = Vec::new();
    loop {
        let line = line(rest, from).await?;
        let size = line.split(';').next().unwrap_or_default().trim();
        let size = usize::from_str_radix(size, 16).map_err(|_| HandshakeError::NotHttp(line.clone()))?;
        if size == 0 {
            while !self::line(rest, from).await?.is_empty() {}
            return Ok(body);
        }
        fill(rest, size + 2, from).await?;
        body.extend(rest.drain(..size));
        rest.drain(..2);
    }
}

/// A line without its end.
async fn line(rest: &mut Vec<u8>, from: &mut (impl AsyncRead + Unpin)) -> Result<String, HandshakeError> {
    loop {
        if let Some(end) = rest.windows(2).position(|pair| pair == b"\r\n") {
            let line: Vec<u8> = rest.drain(..end + 2).take(end).collect();
            return Ok(String::from_utf8_lossy(&line).into_owned());
        }
        if from.read_buf(rest).await? == 0 {
            return Err(HandshakeError::Ended);
        }
    }
}

async fn fill(
    rest: &mut Vec<u8>,
    length: usize,
    from: &mut (impl AsyncRead + Unpin),
) -> Result<(), HandshakeError> {
    while rest.len() < length {
        if from.read_buf(rest).await? == 0 {
            return Err(HandshakeError::Ended);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read(text: &str) -> Answer {
        read_answer(Vec::new(), &mut text.as_bytes(), false).await.unwrap()
    }

    #[tokio::test]
    async fn bodies_of_every_form_are_read() {
        let answer = read("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nokHTTP").await;
        assert_eq!((answer.body.as_slice(), answer.stays), (&b"ok"[..], true));
        assert_eq!(answer.head.rest, b"HTTP");
        let answer = read("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n").await;
        assert_eq!((answer.body.as_slice(), answer.stays), (&b"ok"[..], true));
        let answer = read("HTTP/1.1 400 Bad\r\n\r\nno").await;
        assert_eq!((answer.body.as_slice(), answer.stays), (&b"no"[..], false));
        let answer = read("HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n\u{1}").await;
        assert_eq!((answer.body.as_slice(), answer.head.rest.as_slice()), (&b""[..], &b"\x01"[..]));
        let cut =
            read_answer(Vec::new(), &mut &b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no"[..], false).await;
        assert!(matches!(cut, Err(HandshakeError::Ended)));
    }
}
