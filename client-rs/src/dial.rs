//! Opens a WebSocket: name, TCP, TLS, handshake.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use petasus_protocol::session::{Failure, ServerUrl, readable};
use tokio::net::{TcpStream, lookup_host};
use tokio::time::sleep;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::error::{ProtocolError, SubProtocolError};
use tokio_tungstenite::tungstenite::handshake::client::Request;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::http::header::SEC_WEBSOCKET_PROTOCOL;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, http};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, client_async_with_config};

use crate::alive::{Alive, Signs};
use crate::settings::Settings;

/// A WebSocket over TCP or TLS.
pub(crate) type Stream = WebSocketStream<MaybeTlsStream<Alive>>;

/// All of it is cleared at each read, so it is small.
const READ_BUFFER: usize = 4 << 10;
/// When so much is buffered it is written. One send of this size costs little more than one of a tenth.
const WRITE_BUFFER: usize = 64 << 10;

/// How long an address may take before the next one is tried as well.
const STAGGER: Duration = Duration::from_millis(250);

/// Opens a WebSocket. With the subprotocol that the server chose. `signs` counts its signs of life.
pub(crate) async fn open(
    settings: &Settings,
    url: &str,
    subprotocols: &[&str],
    signs: Signs,
) -> Result<(Stream, Option<String>), Failure> {
    let request = request(settings, url, subprotocols).await?;
    let stream = reach(settings, url, signs).await?;
    let limit = Some(settings.receive_bytes);
    let config = WebSocketConfig::default()
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(WRITE_BUFFER)
        // Room for the longest message, and not for all the pongs that a server may ask for.
        .max_write_buffer_size(settings.message_bytes.saturating_add(2 * WRITE_BUFFER))
        .max_message_size(limit)
        .max_frame_size(limit);
    let (stream, response) =
        client_async_with_config(request, stream, Some(config)).await.map_err(handshake_failure)?;
    let chosen = response.headers().get(SEC_WEBSOCKET_PROTOCOL).and_then(|value| value.to_str().ok());
    Ok((stream, chosen.map(str::to_owned)))
}

/// Opens the stream below HTTP.
pub(crate) async fn reach(
    settings: &Settings,
    url: &str,
    signs: Signs,
) -> Result<MaybeTlsStream<Alive>, Failure> {
    let url = ServerUrl::parse(url).map_err(|error| Failure::Unreachable { reason: error.to_string() })?;
    let stream = connect(url.host(), url.port()).await;
    let stream = stream.map_err(|error| Failure::Unreachable { reason: unreachable(&url, &error) })?;
    // Small messages must not wait for the answer to the one before. Without it they are merely late.
    let _ = stream.set_nodelay(true);
    let stream = Alive::new(stream, signs);
    if url.is_secure() {
        settings.tls.wrap(url.host(), stream).await
    } else {
        Ok(MaybeTlsStream::Plain(stream))
    }
}

/// Connects to the first address of a name that answers.
async fn connect(host: &str, port: u16) -> io::Result<TcpStream> {
    race(in_turn(lookup_host((host, port)).await?)).await
}

/// The two kinds of addresses in turn, for often one of them does not work at all (RFC 8305 4).
fn in_turn(addresses: impl Iterator<Item = SocketAddr>) -> impl Iterator<Item = SocketAddr> {
    let (six, four): (Vec<_>, Vec<_>) = addresses.partition(SocketAddr::is_ipv6);
    let (mut next, mut other) = (six.into_iter(), four.into_iter());
    std::iter::from_fn(move || {
        std::mem::swap(&mut next, &mut other);
        other.next().or_else(|| next.next())
    })
}

/// Connects to the first address that answers. The next one is tried when one failed, or after a short wait: an address
/// that swallows all is no reason not to ask the others (RFC 8305 5).
async fn race(mut addresses: impl Iterator<Item = SocketAddr>) -> io::Result<TcpStream> {
    let mut attempts = FuturesUnordered::new();
    let mut last = io::Error::new(io::ErrorKind::NotFound, "the name has no address");
    let mut more = true;
    loop {
        if more {
            match addresses.next() {
                Some(address) => attempts.push(TcpStream::connect(address)),
                None => more = false,
            }
        }
        tokio::select! {
            attempt = attempts.next() => match attempt {
                Some(Ok(stream)) => return Ok(stream),
                Some(Err(error)) => last = error,
                None if !more => return Err(last),
                None => {}
            },
            () = sleep(STAGGER), if more => {}
        }
    }
}

fn unreachable(url: &ServerUrl, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!(
                "nothing listens at {}:{} (a broker of your own: `petasus broker`)",
                url.host(),
                url.port()
            )
        }
        _ => format!("{}:{} is out of reach: {error}", url.host(), url.port()),
    }
}

async fn request(settings: &Settings, url: &str, subprotocols: &[&str]) -> Result<Request, Failure> {
    let wrong = |reason: String| Failure::NotWebSocket { reason };
    let mut request = url.into_client_request().map_err(|error| wrong(error.to_string()))?;
    let headers = request.headers_mut();
    if !subprotocols.is_empty() {
        // Names of our own, which are tokens.
        let offer =
            HeaderValue::from_str(&subprotocols.join(", ")).map_err(|error| wrong(error.to_string()))?;
        headers.insert(SEC_WEBSOCKET_PROTOCOL, offer);
    }
    settings.add_headers(headers).await?;
    Ok(request)
}

fn handshake_failure(error: tungstenite::Error) -> Failure {
    use tungstenite::Error;
    match error {
        Error::Http(response) => status_failure(&response),
        Error::Protocol(ProtocolError::SecWebSocketSubProtocolError(error)) => match error {
            SubProtocolError::NoSubProtocol | SubProtocolError::InvalidSubProtocol => Failure::NoSubprotocol,
            SubProtocolError::ServerSentSubProtocolNoneRequested => {
                Failure::NotWebSocket { reason: error.to_string() }
            }
        },
        Error::Io(error) if error.kind() != io::ErrorKind::InvalidData => {
            Failure::Broken { reason: error.to_string() }
        }
        Error::Protocol(ProtocolError::HandshakeIncomplete) => {
            Failure::Broken { reason: "it ended before the handshake did".to_owned() }
        }
        error => Failure::NotWebSocket { reason: error.to_string() },
    }
}

fn status_failure(response: &http::Response<Option<Vec<u8>>>) -> Failure {
    let body = response.body().as_deref().unwrap_or_default();
    Failure::Status { status: response.status().as_u16(), text: first_line(body) }
}

/// What a broker says in the body of a refusal.
pub(crate) fn first_line(body: &[u8]) -> String {
    readable(String::from_utf8_lossy(body).trim())
}

#[cfg(test)]
mod tests {
    use tokio::net::{TcpListener, TcpSocket};

    use super::*;

    /// A listener that takes nobody in any more: its backlog is full. With those who wait in it.
    async fn swallower() -> (TcpListener, Vec<tokio::task::JoinHandle<io::Result<TcpStream>>>) {
        let socket = TcpSocket::new_v4().unwrap();
        socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
        let listener = socket.listen(1).unwrap();
        let address = listener.local_addr().unwrap();
        let waiting: Vec<_> = (0..8).map(|_| tokio::spawn(TcpStream::connect(address))).collect();
        // On a runtime of one thread all of them have begun now, and the kernel has answered those that it will.
        tokio::task::yield_now().await;
        (listener, waiting)
    }

    #[tokio::test]
    async fn an_address_that_swallows_all_does_not_keep_the_next_one_waiting() {
        let (swallower, _waiting) = swallower().await;
        let there = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addresses = [swallower.local_addr().unwrap(), there.local_addr().unwrap()];
        // The kernel gives an address up after minutes.
        let stream = tokio::time::timeout(Duration::from_secs(30), race(addresses.into_iter()));
        assert_eq!(stream.await.unwrap().unwrap().peer_addr().unwrap(), addresses[1]);
    }

    #[tokio::test]
    async fn the_last_failure_is_told_when_no_address_answers() {
        let gone = || async { TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap() };
        let addresses = [gone().await, gone().await];
        assert_eq!(race(addresses.into_iter()).await.unwrap_err().kind(), io::ErrorKind::ConnectionRefused);
        assert_eq!(race(std::iter::empty()).await.unwrap_err().kind(), io::ErrorKind::NotFound);
    }

    #[test]
    fn the_two_kinds_of_addresses_come_in_turn() {
        let all = ["1.1.1.1:1", "2.2.2.2:1", "3.3.3.3:1", "[::6]:1"].map(|text| text.parse().unwrap());
        let order: Vec<String> = in_turn(all.into_iter()).map(|address| address.to_string()).collect();
        assert_eq!(order, ["[::6]:1", "1.1.1.1:1", "2.2.2.2:1", "3.3.3.3:1"]);
    }
}
