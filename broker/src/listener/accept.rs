//! The accept loops, and one connection: told apart by its first octet, and if it is HTTP, to its upgrade or end.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use http::{Request, Response};
use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use petasus_protocol::wamp::rawsocket::Refusal;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};
use tokio::sync::watch;

use super::bind::Bound;
use super::patient::Patient;
use super::{Certificate, Place, Site, host, rawsocket};
use crate::admin::{self, Rates};
use crate::connection::{ByteStream, Stream};
use crate::core::{Core, Counted};
use crate::dialect::Answer;

/// How long to wait after the system refused to hand out a socket, which is when there are too many open.
const RETRY: Duration = Duration::from_millis(50);

/// What a listener serves.
#[derive(Clone)]
pub(super) enum Serves {
    Site(Site),
    Admin(Arc<Core>),
}

/// What happens to a socket that a listener accepted.
#[derive(Clone)]
pub(super) struct Gate {
    pub(super) serves: Serves,
    pub(super) certificate: Option<Arc<Certificate>>,
}

/// Accepts until told to stop.
pub(super) async fn run(bound: Bound, gate: Gate, mut stopping: watch::Receiver<bool>) {
    match bound {
        Bound::Tcp(listener) => {
            while let Some((stream, remote)) = next(&mut stopping, || listener.accept()).await {
                // Without this, small messages wait for the peer's acknowledgements.
                let _ = stream.set_nodelay(true);
                let (gate, stopping) = (gate.clone(), stopping.clone());
                tokio::spawn(async move {
                    let core = gate.core().clone();
                    core.until_cut_off(gate.tcp(stream, remote, stopping)).await
                });
            }
        }
        Bound::Unix(listener, _file) => {
            let accept = || async { listener.accept().await.map(|(stream, _)| stream) };
            while let Some(stream) = next(&mut stopping, accept).await {
                let (gate, stopping) = (gate.clone(), stopping.clone());
                tokio::spawn(async move {
                    let core = gate.core().clone();
                    core.until_cut_off(gate.unix(stream, stopping)).await
                });
            }
        }
    }
}

/// Serves one stream that somebody else accepted, as a listener of its own would, until its HTTP is over.
pub(crate) async fn serve(site: Site, stream: Box<dyn ByteStream>, remote: Option<SocketAddr>) {
    let core = site.core.clone();
    let stopping = core.stopping();
    let gate = Gate { serves: Serves::Site(site), certificate: None };
    let counted = gate.count();
    core.until_cut_off(gate.admit(stream, remote, counted, stopping)).await;
}

pub(super) async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // A sender that is gone has stopped too.
    let _ = stopping.wait_for(|stop| *stop).await;
}

/// The next socket; `None` when it is time to stop.
async fn next<T, F>(stopping: &mut watch::Receiver<bool>, accept: impl Fn() -> F) -> Option<T>
where
    F: Future<Output = io::Result<T>>,
{
    loop {
        tokio::select! {
            () = stopped(stopping) => return None,
            accepted = accept() => match accepted {
                Ok(accepted) => return Some(accepted),
                Err(error) => {
                    tracing::warn!(%error, "a connection cannot be accepted; is the limit of open files too low?");
                    tokio::time::sleep(RETRY).await;
                }
            },
        }
    }
}

impl Gate {
    fn core(&self) -> &Arc<Core> {
        match &self.serves {
            Serves::Site(site) => &site.core,
            Serves::Admin(core) => core,
        }
    }

    async fn tcp(self, stream: TcpStream, remote: SocketAddr, stopping: watch::Receiver<bool>) {
        // Counted from the first byte: a TLS handshake takes a place too.
        let core = self.core().clone();
        let counted = self.count();
        let Some(certificate) = &self.certificate else {
            return self.admit(stream, Some(remote), counted, stopping).await;
        };
        // A few who find no place are told so after their handshake; of many, the rest is just closed.
        let _refusal = match counted {
            Ok(_) => None,
            Err(_) => match core.refusals.try_acquire() {
                Ok(refusal) => Some(refusal),
                Err(_) => return core.turned_away(),
            },
        };
        let patience = core.config.timeouts.tls.duration();
        match tokio::time::timeout(patience, certificate.acceptor().accept(stream)).await {
            Ok(Ok(stream)) => match counted {
                Ok(counted) => self.serve(stream, Some(remote), counted, stopping).await,
                Err(line) => self.turn_away(stream, line).await,
            },
            Ok(Err(error)) => tracing::debug!(%remote, %error, "TLS handshake failed"),
            Err(_) => tracing::debug!(%remote, "TLS handshake took too long"),
        }
    }

    async fn unix(self, stream: UnixStream, stopping: watch::Receiver<bool>) {
        let counted = self.count();
        self.admit(stream, None, counted, stopping).await;
    }

    /// Serves a stream, or says that there is no place for it.
    async fn admit<S>(
        self,
        stream: S,
        remote: Option<SocketAddr>,
        counted: Result<Option<Counted>, &'static str>,
        stopping: watch::Receiver<bool>,
    ) where
        S: ByteStream + Into<Stream> + 'static,
    {
        match counted {
            Ok(counted) => self.serve(stream, remote, counted, stopping).await,
            Err(line) => {
                // Whoever speaks rawsocket is known by the first octet, for which only a few can be waited.
                let core = self.core().clone();
                match core.refusals.try_acquire() {
                    Ok(_refusal) => self.turn_away(stream, line).await,
                    Err(_) => turn_away(&core, stream, line).await,
                }
            }
        }
    }

    /// Says that there are too many connections already, in the words of whoever asks.
    async fn turn_away(&self, mut stream: impl ByteStream, line: &str) {
        let core = self.core();
        if self.speaks_rawsocket() {
            let first = tokio::time::timeout(core.config.timeouts.head.duration(), stream.read_u8()).await;
            if let Ok(Ok(rawsocket::MAGIC)) = first {
                core.turned_away();
                return rawsocket::refuse(core, &mut stream, Refusal::TooManyConnections).await;
            }
        }
        turn_away(core, stream, line).await;
    }

    fn speaks_rawsocket(&self) -> bool {
        match &self.serves {
            Serves::Admin(_) => false,
            Serves::Site(site) => site.speaks_rawsocket(),
        }
    }

    /// Only the sites' sockets count against the limit: operators always get in.
    fn count(&self) -> Result<Option<Counted>, &'static str> {
        match &self.serves {
            Serves::Admin(_) => Ok(None),
            Serves::Site(site) => site.core.count_socket().map(Some),
        }
    }

    /// Serves a stream: HTTP, or rawsocket where that is spoken.
    async fn serve<S>(
        self,
        mut stream: S,
        remote: Option<SocketAddr>,
        counted: Option<Counted>,
        mut stopping: watch::Receiver<bool>,
    ) where
        S: ByteStream + Into<Stream> + 'static,
    {
        let speaks_rawsocket = self.speaks_rawsocket();
        match self.serves {
            Serves::Admin(core) => {
                let answer = |request: Request<Incoming>, core: &Core| {
                    let refused = host::check(request.version(), request.headers()).err();
                    let answer = || admin::answer(core, request.method(), request.uri().path());
                    plain(refused.unwrap_or_else(answer))
                };
                let serving = core.clone();
                serve_http(&core, stream, None, stopping, move |request| {
                    std::future::ready(answer(request, &serving))
                })
                .await;
            }
            Serves::Site(site) => {
                let core = site.core.clone();
                let mut first = None;
                if speaks_rawsocket {
                    let Some(octet) = rawsocket::first_octet(&core, &mut stream, &mut stopping).await else {
                        return;
                    };
                    if octet == rawsocket::MAGIC {
                        return rawsocket::open(&site, stream, remote, counted, &mut stopping).await;
                    }
                    first = Some(octet);
                }
                let place = Arc::new(Place::new(counted));
                serve_http(&core, stream, first, stopping, move |request| {
                    let (site, place) = (site.clone(), place.clone());
                    async move { site.respond(request, remote, &place).await }
                })
                .await;
            }
        }
    }
}

/// Says that there are too many connections already, without reading what is asked.
async fn turn_away(core: &Core, mut stream: impl ByteStream, line: &str) {
    core.turned_away();
    let answer = format!(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Type: text/plain; charset=utf-8\r\n\
         Content-Length: {}\r\nRetry-After: 1\r\nConnection: close\r\n\r\n{line}\n",
        line.len() + 1
    );
    let say = async {
        stream.write_all(answer.as_bytes()).await?;
        stream.shutdown().await
    };
    // The client may not be there to read it.
    let _ = tokio::time::timeout(core.config.timeouts.head.duration(), say).await;
}

/// Serves HTTP on a stream, of which the first octet may have been read.
async fn serve_http<S, A, F>(
    core: &Core,
    stream: S,
    first: Option<u8>,
    mut stopping: watch::Receiver<bool>,
    answer: A,
) where
    S: ByteStream + 'static,
    A: Fn(Request<Incoming>) -> F,
    F: Future<Output = Response<Full<Bytes>>> + Send,
{
    let service = service_fn(|request| {
        let answer = answer(request);
        async move { Ok::<_, Infallible>(answer.await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(core.config.timeouts.head.duration())
        .max_buf_size(core.config.limits.head)
        .serve_connection(
            TokioIo::new(Patient::new(stream, first, core.config.timeouts.body.duration())),
            service,
        )
        .with_upgrades();
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopped(&mut stopping) => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "HTTP connection ended badly");
    }
}

fn plain(answer: Answer) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(answer.body.into_owned())));
    *response.status_mut() = answer.status;
    response.headers_mut().extend(answer.headers);
    response
}

/// Answers Pinghub's munin lines to whoever connects.
pub(super) async fn munin(
    listener: TcpListener,
    core: Arc<Core>,
    mut rates: Rates,
    mut stopping: watch::Receiver<bool>,
) {
    let mut beat = tokio::time::interval(admin::BEAT);
    loop {
        tokio::select! {
            () = stopped(&mut stopping) => return,
            _ = beat.tick() => rates.beat(&core.metrics),
            accepted = listener.accept() => match accepted {
                Ok((mut stream, _)) => {
                    let live = core.live();
                    let lines = rates.lines(live.topics.iter().sum(), live.connections);
                    tokio::spawn(async move {
                        // Six lines fit into any socket's buffer; whoever does not read them loses them.
                        let _ = stream.write_all(lines.as_bytes()).await;
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "the munin port cannot accept");
                    tokio::time::sleep(RETRY).await;
                }
            },
        }
    }
}
