//! WAMP rawsocket on the port of HTTP: told apart by the first octet, which no HTTP request begins with.
//!
//! There is no Origin to check: no page of a browser can open such a connection.

use std::net::SocketAddr;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue, Method, Uri};
use hyper::body::Bytes;
use petasus_protocol::wamp::rawsocket::{HANDSHAKE_LEN, Handshake, HandshakeError, MaxLength, Refusal};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::watch;

pub(super) use petasus_protocol::wamp::rawsocket::MAGIC;

use super::Site;
use super::accept::stopped;
use crate::auth::{Client, RequestHead, Verdict};
use crate::connection::{ByteStream, Connection, Conversation, Framing, Stream, Wire};
use crate::core::{Core, Counted};
use crate::session::{Session, Transport};

/// By this header a hook, and the server behind `[auth] request`, know that no HTTP was spoken.
const TRANSPORT: HeaderName = HeaderName::from_static("x-petasus-transport");

/// What a client must take at least, in bytes: WELCOME, which tells all that the broker can do, has to fit.
const LEAST: usize = 4096;

impl Site {
    /// Whether a connection that begins with 0x7F is rawsocket here.
    pub(super) fn speaks_rawsocket(&self) -> bool {
        self.dialects.wamp && self.core.config.wamp.rawsocket
    }
}

/// What a connection begins with; `None` if nothing comes in time, or the broker stops.
pub(super) async fn first_octet(
    core: &Core,
    stream: &mut impl ByteStream,
    stopping: &mut watch::Receiver<bool>,
) -> Option<u8> {
    tokio::select! {
        first = tokio::time::timeout(core.config.timeouts.head.duration(), stream.read_u8()) => first.ok()?.ok(),
        () = stopped(stopping) => None,
    }
}

/// The rest of the handshake, behind its first octet; then a connection of its own (WAMP: `RawSocket` Transport).
pub(super) async fn open<S: ByteStream + Into<Stream>>(
    site: &Site,
    mut stream: S,
    remote: Option<SocketAddr>,
    counted: Option<Counted>,
    stopping: &mut watch::Receiver<bool>,
) {
    let core = &site.core;
    let asked = tokio::select! {
        asked = tokio::time::timeout(core.config.timeouts.head.duration(), request(&mut stream)) => asked,
        () = stopped(stopping) => return,
    };
    let handshake = match asked {
        Ok(Some(Ok(handshake))) => handshake,
        Ok(Some(Err(HandshakeError::Refused(refusal)))) => {
            tracing::debug!(?remote, %refusal, "rawsocket refused");
            core.metrics.refused();
            return refuse(core, &mut stream, refusal).await;
        }
        Ok(Some(Err(_)) | None) | Err(_) => {
            tracing::debug!(?remote, "rawsocket handshake was not completed");
            return;
        }
    };
    let client = core.hooks.any().then(|| Arc::new(client(core, remote)));
    if let Some(client) = client.clone().filter(|_| core.hooks.wants_requests())
        && !allows(site, client).await
    {
        // The transport knows no answer that says so.
        core.metrics.refused();
        tracing::info!(?remote, "rawsocket refused by the hook about requests");
        return;
    }
    let Handshake { serializer, max_length } = handshake;
    let outbox = core.new_session_outbox(Wire::Wamp(serializer, Framing::RawSocket), max_length.bytes());
    let Ok(listed) = core.list(&outbox) else {
        core.metrics.refused();
        return refuse(core, &mut stream, Refusal::TooManyConnections).await;
    };
    // It has a place of its own from here on.
    drop(counted);
    // A message as long as the limit allows must be welcome; the transport knows powers of two.
    let reply = Handshake { serializer, max_length: MaxLength::at_least(core.config.limits.message) };
    if !say(core, &mut stream, &reply.encode()).await {
        return;
    }
    core.metrics.accepted();
    let transport = Transport { kind: Transport::RAWSOCKET, serializer, remote };
    let session = Session::new(core.clone(), outbox, transport, client);
    let conversation = Conversation::session(core, session, false);
    // A task of its own: this one is larger, and ends when the broker has no time left for HTTP.
    tokio::spawn(Connection::new(core.clone(), conversation, stream.into(), listed).run(Bytes::new()));
}

/// Reads what follows the first octet; `None` if the client leaves.
async fn request(stream: &mut impl ByteStream) -> Option<Result<Handshake, HandshakeError>> {
    let mut octets = [MAGIC; HANDSHAKE_LEN];
    stream.read_exact(&mut octets[1..]).await.ok()?;
    Some(Handshake::parse_request(octets).and_then(|asked| match asked.max_length.bytes() {
        ..LEAST => Err(Refusal::LengthUnacceptable.into()),
        _ => Ok(asked),
    }))
}

/// Says why not, and waits for the client to hang up: closing a socket with unread input takes the answer back.
pub(super) async fn refuse(core: &Core, stream: &mut impl ByteStream, refusal: Refusal) {
    if !say(core, stream, &refusal.encode()).await {
        return;
    }
    let hang_up = async {
        stream.shutdown().await?;
        tokio::io::copy(stream, &mut tokio::io::sink()).await
    };
    let _ = tokio::time::timeout(core.config.timeouts.head.duration(), hang_up).await;
}

async fn say(core: &Core, stream: &mut impl ByteStream, octets: &[u8]) -> bool {
    let saying = async {
        stream.write_all(octets).await?;
        stream.flush().await
    };
    matches!(tokio::time::timeout(core.config.timeouts.head.duration(), saying).await, Ok(Ok(())))
}

/// What hooks see of a client that sends no request: a GET of the first WAMP path, and a header that names the
/// transport.
fn client(core: &Core, remote: Option<SocketAddr>) -> Client {
    let path = core.config.wamp.paths.first().map_or("/", String::as_str);
    let uri = Uri::try_from(path).unwrap_or_default();
    let headers = HeaderMap::from_iter([(TRANSPORT, HeaderValue::from_static(Transport::RAWSOCKET))]);
    Client { remote, uri, headers }
}

/// Asks the hook about requests. It may also rewrite the path, to one on which WAMP is spoken.
async fn allows(site: &Site, client: Arc<Client>) -> bool {
    match site.core.hooks.about_request(RequestHead { method: Method::GET, client }).await {
        Ok(Verdict::Allow) => true,
        Ok(Verdict::Rewrite(target)) => site.is_wamp_path(&target),
        Err(_) => false,
    }
}
