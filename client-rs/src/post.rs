//! POSTs (Mercury): each on a connection of its own.

use std::sync::Arc;

use petasus_protocol::Message;
use petasus_protocol::session::{ExchangeId, Failure, ServerUrl};
use petasus_protocol::websocket::{Answer, Post, Target};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio_tungstenite::MaybeTlsStream;
use tokio_tungstenite::tungstenite::http::HeaderMap;
use tokio_tungstenite::tungstenite::http::header::ORIGIN;

use crate::alive::{Alive, Signs};
use crate::dial::reach;
use crate::settings::Settings;
use crate::shared::Shared;

/// Why there is no answer.
struct Unanswered {
    /// Whether the server may have the message.
    sent: bool,
    failure: Failure,
}

/// The task of a POST.
pub(crate) async fn run(shared: Arc<Shared>, exchange: ExchangeId, url: String, message: Message) {
    let answer = post(&shared.settings, &url, &message).await;
    shared.with(|state, now| {
        state.exchanges.remove(&exchange);
        match answer {
            Ok(answer) => {
                state.session.handle_answer(exchange, answer.status, &answer.text, now);
            }
            Err(Unanswered { sent, failure }) => {
                state.session.handle_unanswered(exchange, sent, failure, now);
            }
        }
    });
}

async fn post(settings: &Settings, url: &str, message: &Message) -> Result<Answer, Unanswered> {
    let unsent = |failure| Unanswered { sent: false, failure };
    let mut headers = HeaderMap::new();
    settings.add_headers(&mut headers).await.map_err(unsent)?;
    let (mut post, request) = begin(url, &headers, message).map_err(unsent)?;
    let mut stream = reach(settings, url, Signs::default()).await.map_err(unsent)?;
    // What the system did not take in whole the server can not have in whole, and so not use.
    let sent = stream.write_all(&request).await.is_ok();
    // Otherwise there may be an answer all the same: that it is too long.
    if sent && let Err(error) = stream.flush().await {
        return Err(Unanswered { sent, failure: Failure::Broken { reason: error.to_string() } });
    }
    receive(&mut post, &mut stream).await.map_err(|failure| Unanswered { sent, failure })
}

fn begin(url: &str, headers: &HeaderMap, message: &Message) -> Result<(Post, Vec<u8>), Failure> {
    let wrong = |reason: String| Failure::NotWebSocket { reason };
    let host = ServerUrl::parse(url).map_err(|error| wrong(error.to_string()))?.authority();
    // The session writes them with a path.
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    let mut others = Vec::with_capacity(headers.len());
    for (name, value) in headers.iter().filter(|(name, _)| *name != ORIGIN) {
        others.push((name.as_str(), value.to_str().map_err(|error| wrong(error.to_string()))?));
    }
    let mut target = Target::new(&host, path);
    target.origin = headers.get(ORIGIN).and_then(|origin| origin.to_str().ok());
    target.headers = &others;
    Post::new(&target, message).map_err(|error| wrong(error.to_string()))
}

async fn receive(post: &mut Post, stream: &mut MaybeTlsStream<Alive>) -> Result<Answer, Failure> {
    let mut buffer = [0; 1024];
    loop {
        match stream.read(&mut buffer).await {
            // Some end without a word below TLS; what they said is said all the same.
            Ok(0) | Err(_) => return Ok(post.end()?),
            Ok(len) => {
                if let Some(answer) = post.receive(&buffer[..len])? {
                    return Ok(answer);
                }
            }
        }
    }
}
