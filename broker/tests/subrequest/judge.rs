//! The servers that are asked, in this process on ports of their own.

use std::convert::Infallible;
use std::future::pending;
use std::net::SocketAddr;

use http::request::Parts;
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::raw::soon;

/// An HTTP server that tells what it is asked, and answers as the question says: with the status of the header
/// `Say`, else 204, never if that is `nothing`; and with what `To` says as `X-Rewrite`.
pub(crate) struct Judge {
    pub(crate) address: SocketAddr,
    asked: mpsc::UnboundedReceiver<Parts>,
}

impl Judge {
    pub(crate) async fn start() -> Judge {
        Judge::at(TcpListener::bind("127.0.0.1:0").await.unwrap())
    }

    pub(crate) fn at(listener: TcpListener) -> Judge {
        let address = listener.local_addr().unwrap();
        let (tell, asked) = mpsc::unbounded_channel();
        tokio::spawn(async move {
            let mut connections = JoinSet::new();
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let tell = tell.clone();
                let answer = service_fn(move |question| judge(question, tell.clone()));
                connections.spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), answer));
            }
        });
        Judge { address, asked }
    }

    /// What it was asked next.
    pub(crate) async fn question(&mut self) -> Parts {
        soon("a question", self.asked.recv()).await.unwrap()
    }

    /// Whether it was asked nothing more.
    pub(crate) fn rests(&self) -> bool {
        self.asked.is_empty()
    }
}

async fn judge(
    question: Request<Incoming>,
    tell: mpsc::UnboundedSender<Parts>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    let (parts, body) = question.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    assert!(body.is_empty(), "a question has no body");
    let text =
        |name| parts.headers.get(name).map(|value: &http::HeaderValue| value.to_str().unwrap().to_owned());
    let (say, to) = (text("say"), text("to"));
    // The test may have ended.
    let _ = tell.send(parts);
    if say.as_deref() == Some("nothing") {
        return pending().await;
    }
    let status: u16 = say.map_or(204, |status| status.parse().unwrap());
    let mut response =
        Response::builder().status(status).header("Location", "/bus/t").header("Set-Cookie", "a=b");
    if let Some(to) = to {
        response = response.header("X-Rewrite", to);
    }
    let body = if status == 204 { "" } else { "<h1>The page of the judge</h1>" };
    Ok(response.body(Full::from(body)).unwrap())
}

/// A server that answers every question with these bytes and then hangs up.
pub(crate) async fn blurting(answer: &'static [u8]) -> SocketAddr {
    let (address, mut questions) = Questions::listen().await;
    tokio::spawn(async move {
        loop {
            let mut question = questions.next().await;
            question.answer(answer).await;
        }
    });
    address
}

/// A server whose answers the test writes, byte by byte. One question on each connection.
pub(crate) struct Questions(TcpListener);

pub(crate) struct Question(TcpStream);

impl Questions {
    pub(crate) async fn listen() -> (SocketAddr, Questions) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        (listener.local_addr().unwrap(), Questions(listener))
    }

    /// A connection with its first question, which is read to its end.
    pub(crate) async fn next(&mut self) -> Question {
        let (stream, _) = soon("a connection", self.0.accept()).await.unwrap();
        let mut question = Question(stream);
        assert!(question.read().await, "a question on the connection");
        question
    }
}

impl Question {
    /// Reads a question; `false` if the connection ends in its place.
    pub(crate) async fn read(&mut self) -> bool {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            if soon("a question", self.0.read_buf(&mut head)).await.unwrap_or(0) == 0 {
                assert!(head.is_empty(), "half a question: {:?}", String::from_utf8_lossy(&head));
                return false;
            }
        }
        true
    }

    pub(crate) async fn answer(&mut self, answer: &[u8]) {
        // Whoever has asked may be gone.
        let _ = self.0.write_all(answer).await;
    }
}
