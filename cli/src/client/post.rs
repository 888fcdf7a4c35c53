//! `push`: messages go out by POST, because a POST is answered. A WebSocket pusher is not told that nobody pulls
//! and its job is gone (REQ-RR-008).

use std::{error::Error, future::poll_fn, time::Duration};

use http_body_util::{BodyExt, Full, Limited};
use hyper::{
    HeaderMap, Method, Request, Response, StatusCode, Uri,
    body::{Bytes, Incoming},
    client::conn::{
        TrySendError,
        http1::{self, Connection, SendRequest},
    },
    header::{CONTENT_LENGTH, CONTENT_TYPE, HOST, HeaderValue, TRANSFER_ENCODING},
};
use hyper_util::rt::TokioIo;
use petasus_protocol::{Endpoint, Message, Role, Topic};
use tokio::{
    io::AsyncReadExt,
    task::JoinHandle,
    time::{Instant, timeout},
};

use super::{
    Interrupts, SendArgs, ServerArgs,
    connect::{PATIENCE, Server, Stream, add_headers, first_line, reach},
    error::ClientError,
    input::Input,
};

/// Time for a message to arrive and to be answered: twice what a broker waits for a body.
const ANSWER: Duration = Duration::from_mins(1);
/// A connection unused for longer is not used again. Brokers and proxies close theirs, some after 5 s, and a message
/// that crosses such an end is one of which nobody knows whether it was taken.
const FRESH: Duration = Duration::from_secs(4);
/// Bytes read of an answer; the broker says one line.
const LONGEST: usize = 64 * 1024;

/// Runs the command. It ends with the first message that is not taken.
pub(super) async fn run(args: &SendArgs) -> Result<(), ClientError> {
    let mut interrupts = Interrupts::install()?;
    let mut queue = Queue::open(&args.server, &args.topic).await?;
    let mut input = Input::open(args.message.as_deref(), args.raw);
    let limit = args.count.unwrap_or(u64::MAX);
    let outcome = push_all(&mut queue, &mut input, limit, &mut interrupts).await;
    let (taken, held) = (queue.taken, queue.held);
    if args.server.verbose && taken > 0 {
        eprintln!("petasus: taken: {taken} ({} handed to a puller, {held} held for one)", taken - held);
    }
    let line = (args.message.is_none() && !args.raw).then_some(taken + 1);
    outcome.map_err(|cause| ClientError::Push { line, cause: Box::new(cause) })
}

async fn push_all(
    queue: &mut Queue<'_>,
    input: &mut Input,
    limit: u64,
    interrupts: &mut Interrupts,
) -> Result<(), ClientError> {
    while queue.taken < limit && interrupts.seen == 0 {
        let message = tokio::select! {
            message = input.next() => message?,
            () = interrupts.next() => None,
        };
        let Some(message) = message else { break };
        // The first interrupt waits for the answer: no message is left between taken and not taken.
        tokio::select! {
            outcome = queue.push(&message) => outcome?,
            () = interrupts.second() => std::process::exit(130),
        }
    }
    Ok(())
}

/// A queue of a broker and the connection to it.
struct Queue<'a> {
    server: Server,
    args: &'a ServerArgs,
    /// As people read it.
    url: String,
    /// As the request line has it.
    target: Uri,
    /// Of each message.
    headers: HeaderMap,
    kept: Kept,
    /// Messages handed to a puller or held.
    taken: u64,
    /// How many of them are held.
    held: u64,
}

impl<'a> Queue<'a> {
    async fn open(args: &'a ServerArgs, topic: &str) -> Result<Self, ClientError> {
        let endpoint = Endpoint::new(Role::Push, Topic::new(topic))?;
        let server = Server::parse(&args.server)?;
        let url = server.url("http", &endpoint);
        let wrong = || ClientError::Server(args.server.clone());
        let uri: Uri = url.parse().map_err(|_| wrong())?;
        let authority = uri.authority().ok_or_else(wrong)?.as_str();
        let target = uri.path_and_query().cloned().ok_or_else(wrong)?.into();
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_str(authority).map_err(|_| wrong())?);
        add_headers(&mut headers, args)?;
        // Where a message ends is not for --header to say.
        headers.remove(CONTENT_LENGTH);
        headers.remove(TRANSFER_ENCODING);
        let kept = Kept::open(&server, &url, args).await?;
        Ok(Self { server, args, url, target, headers, kept, taken: 0, held: 0 })
    }

    /// Pushes a message and awaits the answer.
    async fn push(&mut self, message: &Message) -> Result<(), ClientError> {
        let answered = timeout(ANSWER, async {
            let response = self.ask(message).await?;
            self.count(response).await
        });
        answered
            .await
            .unwrap_or_else(|_| Err(self.unanswered(format!("nothing came in {} seconds", ANSWER.as_secs()))))
    }

    /// Posts over the kept connection, or over a new one if that has ended.
    async fn ask(&mut self, message: &Message) -> Result<Response<Incoming>, ClientError> {
        let mut renewed = self.kept.used.elapsed() > FRESH;
        if renewed {
            self.renew().await?;
        }
        let mut request = self.request(message);
        loop {
            let mut failure = match self.kept.send(request).await {
                Ok(response) => return Ok(response),
                Err(failure) => failure,
            };
            match failure.take_message() {
                // Nothing of it was written.
                Some(unsent) if !renewed => request = unsent,
                unsent => return Err(self.explain(failure.error(), unsent.is_some()).await),
            }
            self.renew().await?;
            renewed = true;
        }
    }

    async fn renew(&mut self) -> Result<(), ClientError> {
        self.kept.driver.abort();
        self.kept = Kept::open(&self.server, &self.url, self.args).await?;
        Ok(())
    }

    fn request(&self, message: &Message) -> Request<Full<Bytes>> {
        let mut request = Request::new(Full::new(message.payload().clone()));
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.target.clone();
        let mut headers = self.headers.clone();
        if message.is_text() {
            let text = HeaderValue::from_static("text/plain; charset=utf-8");
            headers.entry(CONTENT_TYPE).or_insert(text);
        } else {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
        }
        *request.headers_mut() = headers;
        request
    }

    /// Counts the message if the answer is one of the two by which a queue takes it (REQ-HTTP-001, REQ-HTTP-008).
    /// Both are empty, unlike the 200 of a server that knows no queues.
    async fn count(&mut self, response: Response<Incoming>) -> Result<(), ClientError> {
        let status = response.status();
        let body = Limited::new(response.into_body(), LONGEST).collect().await;
        self.kept.used = Instant::now();
        let takes = matches!(status, StatusCode::OK | StatusCode::ACCEPTED);
        let body = match body {
            Ok(body) => body.to_bytes(),
            Err(error) if takes => return Err(self.unanswered(error.to_string())),
            // The status says enough.
            Err(_) => Bytes::new(),
        };
        if !takes || !body.is_empty() {
            return Err(self.refusal(status.as_u16(), first_line(&body)));
        }
        self.taken += 1;
        self.held += u64::from(status == StatusCode::ACCEPTED);
        Ok(())
    }

    /// Why a request failed without an answer that hyper could read.
    async fn explain(&mut self, error: &hyper::Error, unsent: bool) -> ClientError {
        if let Ok(Some((status, text))) = (&mut self.kept.driver).await {
            return self.refusal(status, text);
        }
        let reason = error.source().unwrap_or(error).to_string();
        if unsent || error.is_parse() {
            ClientError::NoHttp { url: self.url.clone(), reason }
        } else {
            self.unanswered(reason)
        }
    }

    fn unanswered(&self, reason: String) -> ClientError {
        ClientError::Unanswered { url: self.url.clone(), reason }
    }

    fn refusal(&self, status: u16, text: String) -> ClientError {
        let url = self.url.clone();
        match status {
            503 => ClientError::Unavailable { url, text },
            _ => ClientError::Status { url, status, text },
        }
    }
}

/// A connection that is kept for the next message.
struct Kept {
    sender: SendRequest<Full<Bytes>>,
    /// Reads and writes it to its end, and returns what [`last_words`] finds there.
    driver: JoinHandle<Option<(u16, String)>>,
    /// When it was opened or last answered.
    used: Instant,
}

impl Kept {
    async fn open(server: &Server, url: &str, args: &ServerArgs) -> Result<Self, ClientError> {
        let stream = timeout(PATIENCE, reach(server, url, args)).await;
        let stream = stream.map_err(|_| ClientError::TimedOut(url.to_owned(), PATIENCE.as_secs()))??;
        let opened = http1::handshake(TokioIo::new(stream)).await;
        let (sender, connection) =
            opened.map_err(|error| ClientError::NoHttp { url: url.to_owned(), reason: error.to_string() })?;
        if args.verbose {
            eprintln!("petasus: connected to {url}");
        }
        Ok(Self { sender, driver: tokio::spawn(drive(connection)), used: Instant::now() })
    }

    /// Sends a request; the error has it back if nothing of it was written.
    async fn send(
        &mut self,
        request: Request<Full<Bytes>>,
    ) -> Result<Response<Incoming>, TrySendError<Request<Full<Bytes>>>> {
        // If the connection has ended, the next line says so too and gives the request back.
        let _ = self.sender.ready().await;
        self.sender.try_send_request(request).await
    }
}

async fn drive(mut connection: Connection<TokioIo<Stream>, Full<Bytes>>) -> Option<(u16, String)> {
    // Who waits for an answer is told how it ended.
    let _ = poll_fn(|context| connection.poll_without_shutdown(context)).await;
    let parts = connection.into_parts();
    let mut bytes = parts.read_buf.to_vec();
    let mut stream = parts.io.into_inner().take(LONGEST as u64);
    // What has not come by then is not waited for, and what came before a failure counts.
    let _ = timeout(Duration::from_secs(1), stream.read_to_end(&mut bytes)).await;
    last_words(&bytes)
}

/// Status and text of a refusal that no request was waiting for: a full broker refuses before it is asked, and one
/// that refuses a long message does so before it has read all of it, so that writing it fails.
fn last_words(bytes: &[u8]) -> Option<(u16, String)> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.1 ")?.get(..3)?.parse().ok()?;
    (400..600).contains(&status).then(|| (status, first_line(body.as_bytes())))
}

#[cfg(test)]
mod tests {
    use tokio::{io::AsyncWriteExt, net::TcpListener};

    use super::*;

    #[tokio::test]
    async fn a_refusal_that_comes_before_the_request_is_told() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = format!("http://{}", listener.local_addr().unwrap());
        let args = ServerArgs { server, origin: None, headers: Vec::new(), ca: None, verbose: false };
        let mut queue = Queue::open(&args, "jobs").await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\nfull\n").await.unwrap();
        stream.shutdown().await.unwrap();
        // The client hangs up when it has read that.
        assert_eq!(stream.read(&mut [0]).await.unwrap(), 0);
        let mut failure = queue.kept.send(queue.request(&Message::from("one"))).await.unwrap_err();
        assert!(failure.take_message().is_some());
        let error = queue.explain(failure.error(), true).await;
        assert!(error.to_string().contains("answered 503 (full)"), "{error}");
        assert_eq!(error.exit_code(), 4);
    }
}
