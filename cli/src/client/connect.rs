//! From command line arguments to an open connection.

use std::{io, time::Duration};

use petasus_protocol::{Endpoint, Role, Topic};
use tokio::{net::TcpStream, time::timeout};
use tokio_tungstenite::{
    client_async_tls_with_config,
    tungstenite::{
        self,
        client::IntoClientRequest,
        handshake::client::Request,
        http::{HeaderName, HeaderValue, Uri, header::ORIGIN},
        protocol::WebSocketConfig,
    },
};

use super::{ServerArgs, error::ClientError, link::Link, tls};

/// Time for all of it: name, TCP, TLS, handshake.
const PATIENCE: Duration = Duration::from_secs(15);

/// Opens the connection for one role on one topic.
pub(super) async fn connect(
    args: &ServerArgs,
    role: Role,
    topic: &str,
    echo: bool,
) -> Result<Link, ClientError> {
    let mut endpoint = Endpoint::new(role, Topic::new(topic))?;
    endpoint.echo = echo;
    let server = Server::parse(&args.server)?;
    let url = format!("{}{}", server.base, endpoint.to_path_and_query());
    let request = request(&url, args)?;
    let opened = timeout(PATIENCE, open(&server, &url, request, args)).await;
    let link = opened.map_err(|_| ClientError::TimedOut(url.clone(), PATIENCE.as_secs()))??;
    if args.verbose {
        eprintln!("petasus: connected to {url}");
    }
    Ok(link)
}

/// A broker's URL, taken apart.
struct Server {
    /// Whether it begins with `wss`.
    tls: bool,
    /// Without the brackets of an IPv6 address.
    host: String,
    port: u16,
    /// `ws://HOST:PORT/PATH`, without a slash at its end.
    base: String,
}

impl Server {
    fn parse(text: &str) -> Result<Self, ClientError> {
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
        let scheme = if tls { "wss" } else { "ws" };
        let path = url.path().trim_end_matches('/');
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        Ok(Self { tls, host, port, base: format!("{scheme}://{authority}{path}") })
    }
}

fn request(url: &str, args: &ServerArgs) -> Result<Request, ClientError> {
    let mut request = url.into_client_request().map_err(|_| ClientError::Server(args.server.clone()))?;
    let headers = request.headers_mut();
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
    Ok(request)
}

async fn open(server: &Server, url: &str, request: Request, args: &ServerArgs) -> Result<Link, ClientError> {
    let connector = tls::connector(server.tls, args.ca.as_deref())?;
    let stream = TcpStream::connect((server.host.as_str(), server.port)).await;
    let stream = stream.map_err(|source| match source.kind() {
        io::ErrorKind::ConnectionRefused => ClientError::ConnectionRefused(url.to_owned()),
        _ => ClientError::Unreachable { url: url.to_owned(), source },
    })?;
    // Small messages must not wait for the answer to the one before. Without it they are merely late.
    let _ = stream.set_nodelay(true);
    let handshake = client_async_tls_with_config(request, stream, Some(buffers()), Some(connector));
    let (socket, _) = handshake.await.map_err(|error| handshake_error(server.tls, url, error))?;
    Ok(Link::new(socket))
}

/// A small read buffer, because all of it is cleared at each read; and messages as long as a broker can send.
fn buffers() -> WebSocketConfig {
    const LONGEST: Option<usize> = Some(1 << 30);
    WebSocketConfig::default().read_buffer_size(4096).max_message_size(LONGEST).max_frame_size(LONGEST)
}

fn handshake_error(tls: bool, url: &str, error: tungstenite::Error) -> ClientError {
    let url = url.to_owned();
    match error {
        tungstenite::Error::Http(response) => {
            let body = response.body().as_deref().unwrap_or_default();
            let text = String::from_utf8_lossy(body).lines().next().unwrap_or_default().trim().to_owned();
            ClientError::Status { url, status: response.status().as_u16(), text }
        }
        tungstenite::Error::Tls(error) => ClientError::Tls { url, reason: error.to_string() },
        tungstenite::Error::Io(error) if tls => ClientError::Tls { url, reason: error.to_string() },
        error => ClientError::NoWebSocket { url, reason: error.to_string() },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_is_a_websocket_or_http_url() {
        for (text, base, host, port) in [
            ("ws://127.0.0.1:3000", "ws://127.0.0.1:3000", "127.0.0.1", 3000),
            ("http://[::1]:3000/", "ws://[::1]:3000", "::1", 3000),
            ("wss://example.com/broker/", "wss://example.com/broker", "example.com", 443),
            ("https://example.com:8443", "wss://example.com:8443", "example.com", 8443),
            ("ws://example.com", "ws://example.com", "example.com", 80),
        ] {
            let server = Server::parse(text).unwrap();
            assert_eq!(
                (server.base.as_str(), server.host.as_str(), server.port),
                (base, host, port),
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
