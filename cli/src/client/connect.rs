//! From command line arguments to an open connection.

use std::{io, time::Duration};

use petasus_protocol::{Endpoint, Role, Topic};
use rustls::pki_types::ServerName;
use tokio::{net::TcpStream, time::timeout};
use tokio_rustls::TlsConnector;
use tokio_tungstenite::{
    MaybeTlsStream, client_async_with_config,
    tungstenite::{
        self,
        client::IntoClientRequest,
        handshake::client::Request,
        http::{HeaderMap, HeaderName, HeaderValue, Uri, header::ORIGIN},
        protocol::WebSocketConfig,
    },
};

use super::{ServerArgs, error::ClientError, link::Link, tls};

/// Time for all of it: name, TCP, TLS, handshake.
pub(super) const PATIENCE: Duration = Duration::from_secs(15);

/// TCP or TLS.
pub(super) type Stream = MaybeTlsStream<TcpStream>;

/// Opens the WebSocket for one role on one topic.
pub(super) async fn connect(
    args: &ServerArgs,
    role: Role,
    topic: &str,
    echo: bool,
) -> Result<Link, ClientError> {
    let mut endpoint = Endpoint::new(role, Topic::new(topic))?;
    endpoint.echo = echo;
    let server = Server::parse(&args.server)?;
    let url = server.url("ws", &endpoint);
    let mut request =
        url.as_str().into_client_request().map_err(|_| ClientError::Server(args.server.clone()))?;
    add_headers(request.headers_mut(), args)?;
    let opened = timeout(PATIENCE, open(&server, &url, request, args)).await;
    let link = opened.map_err(|_| ClientError::TimedOut(url.clone(), PATIENCE.as_secs()))??;
    if args.verbose {
        eprintln!("petasus: connected to {url}");
    }
    Ok(link)
}

/// A broker's URL, taken apart.
pub(super) struct Server {
    /// Whether it begins with `wss` or `https`.
    tls: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// `HOST:PORT/PATH`, without a slash at its end.
    place: String,
}

impl Server {
    pub(super) fn parse(text: &str) -> Result<Self, ClientError> {
        let wrong = || ClientError::Server(text.to_owned());
        let url: Uri = text.trim().parse().map_err(|_| wrong())?;
        let tls = match url.scheme_str() {
            Some("ws" | "http") => false,
            Some("wss" | "https") => true,
            _ => return Err(wrong()),
        };
        let authority =
            url.authority().filter(|authority| !authority.as_str().contains('@')).ok_or_else(wrong)?;
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        if host.is_empty() || url.query().is_some() {
            return Err(wrong());
        }
        let path = url.path().trim_end_matches('/');
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { tls, host, port, place: format!("{authority}{path}") })
    }

    /// The URL of an endpoint. `scheme` is the one without TLS: `ws` or `http`.
    pub(super) fn url(&self, scheme: &str, endpoint: &Endpoint) -> String {
        let secure = if self.tls { "s" } else { "" };
        format!("{scheme}{secure}://{}{}", self.place, endpoint.to_path_and_query())
    }
}

/// Adds what `--origin` and `--header` say.
pub(super) fn add_headers(headers: &mut HeaderMap, args: &ServerArgs) -> Result<(), ClientError> {
    if let Some(origin) = &args.origin {
        let value = HeaderValue::from_str(origin).map_err(|_| ClientError::Origin(origin.clone()))?;
        headers.insert(ORIGIN, value);
    }
    for header in &args.headers {
        let wrong = || ClientError::Header(header.clone());
        let (name, value) = header.split_once(':').ok_or_else(wrong)?;
        let name = HeaderName::from_bytes(name.trim().as_bytes()).map_err(|_| wrong())?;
        headers.append(name, HeaderValue::from_str(value.trim()).map_err(|_| wrong())?);
    }
    Ok(())
}

async fn open(server: &Server, url: &str, request: Request, args: &ServerArgs) -> Result<Link, ClientError> {
    let stream = reach(server, url, args).await?;
    let handshake = client_async_with_config(request, stream, Some(buffers()));
    let (socket, _) = handshake.await.map_err(|error| handshake_error(url, error))?;
    Ok(Link::new(socket))
}

/// Opens the stream below HTTP: name, TCP and, if the URL says so, TLS.
pub(super) async fn reach(server: &Server, url: &str, args: &ServerArgs) -> Result<Stream, ClientError> {
    let config = server.tls.then(|| tls::config(args.ca.as_deref())).transpose()?;
    let stream = TcpStream::connect((server.host.as_str(), server.port)).await;
    let stream = stream.map_err(|source| match source.kind() {
        io::ErrorKind::ConnectionRefused => ClientError::ConnectionRefused(url.to_owned()),
        _ => ClientError::Unreachable { url: url.to_owned(), source },
    })?;
    // Small messages must not wait for the answer to the one before. Without it they are merely late.
    let _ = stream.set_nodelay(true);
    let Some(config) = config else { return Ok(MaybeTlsStream::Plain(stream)) };
    let wrong = |reason: String| ClientError::Tls { url: url.to_owned(), reason };
    let name = ServerName::try_from(server.host.clone()).map_err(|error| wrong(error.to_string()))?;
    let stream = TlsConnector::from(config).connect(name, stream).await;
    stream.map(MaybeTlsStream::Rustls).map_err(|error| wrong(error.to_string()))
}

/// A small read buffer, because all of it is cleared at each read; and messages as long as a broker can send.
fn buffers() -> WebSocketConfig {
    const LONGEST: Option<usize> = Some(1 << 30);
    WebSocketConfig::default().read_buffer_size(4096).max_message_size(LONGEST).max_frame_size(LONGEST)
}

fn handshake_error(url: &str, error: tungstenite::Error) -> ClientError {
    let url = url.to_owned();
    match error {
        tungstenite::Error::Http(response) => {
            let text = first_line(response.body().as_deref().unwrap_or_default());
            ClientError::Status { url, status: response.status().as_u16(), text }
        }
        error => ClientError::NoWebSocket { url, reason: error.to_string() },
    }
}

/// What a broker says in the body of a refusal.
pub(super) fn first_line(body: &[u8]) -> String {
    String::from_utf8_lossy(body).lines().next().unwrap_or_default().trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_websocket_or_http_url() {
        let endpoint = Endpoint::new(Role::Push, Topic::new("a")).unwrap();
        for (text, scheme, url, host, port) in [
            ("ws://127.0.0.1:3000", "ws", "ws://127.0.0.1:3000/push/a", "127.0.0.1", 3000),
            ("http://[::1]:3000/", "ws", "ws://[::1]:3000/push/a", "::1", 3000),
            ("wss://example.com/broker/", "http", "https://example.com/broker/push/a", "example.com", 443),
            ("https://example.com:8443", "ws", "wss://example.com:8443/push/a", "example.com", 8443),
            ("ws://example.com", "http", "http://example.com/push/a", "example.com", 80),
        ] {
            let server = Server::parse(text).unwrap();
            assert_eq!(
                (server.url(scheme, &endpoint).as_str(), server.host.as_str(), server.port),
                (url, host, port),
                "{text}"
            );
        }
    }

    #[test]
    fn other_urls_are_refused() {
        for text in
            ["", "127.0.0.1:3000", "ftp://a", "ws://", "ws://user@host", "ws://host?x=1", "http+unix:///x"]
        {
            assert!(Server::parse(text).is_err(), "{text}");
        }
    }
}
