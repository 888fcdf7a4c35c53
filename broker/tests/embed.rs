//! The broker inside other programs: the example `embed` as a process, and embeddings in this one.

#[path = "support/raw.rs"]
mod raw;

use std::io::{ErrorKind, Read};
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::process::Stdio;
use std::time::Duration;

use axum::Router;
use axum::routing::get;
use futures_util::FutureExt;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use petasus_broker::auth::{Action, Denied};
use petasus_broker::config::{Config, Dialects};
use petasus_broker::{Broker, BrokerService, Role};
use petasus_protocol::{Message, Topic};
use raw::{CLOSE, FIN, Frame, Raw, TEXT, close, message, request, soon};
use rustix::process::{Pid, Signal, kill_process};
use socket2::SockRef;
use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncWrite, BufReader, BufStream};
use tokio::net::{TcpListener, TcpStream};
use tokio::process::{Child, Command};
use tower_service::Service;

const TOKEN: &str = "Authorization: Bearer sesame\r\n";

/// The example as a process. Killed when dropped.
struct Example {
    child: Child,
    address: SocketAddr,
}

impl Example {
    async fn start() -> Example {
        // Cargo puts examples beside the folder of the tests.
        let test = std::env::current_exe().unwrap();
        let profile = test.parent().unwrap().parent().unwrap();
        let program = profile.join("examples").join(format!("embed{}", std::env::consts::EXE_SUFFIX));
        assert!(
            program.is_file(),
            "{} is missing: `cargo test` builds it, `cargo test --test` does not; run `cargo build --example embed`",
            program.display()
        );
        let mut child = Command::new(program)
            .arg("127.0.0.1:0")
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let line = soon("the example's address", lines.next_line()).await.unwrap().expect("a line");
        let address = line.strip_prefix("listening on http://").expect(&line).parse().unwrap();
        Example { child, address }
    }

    async fn interrupt(&mut self) -> Option<i32> {
        let pid = self.child.id().and_then(|pid| Pid::from_raw(pid.cast_signed())).unwrap();
        kill_process(pid, Signal::INT).unwrap();
        self.exit_code().await
    }

    async fn exit_code(&mut self) -> Option<i32> {
        soon("the example to end", self.child.wait()).await.unwrap().code()
    }
}

/// Posts with more header lines; the status and the body.
async fn post(raw: &mut Raw, path: &str, extra: &str, body: &str) -> (u16, String) {
    raw.send(request("POST", path, extra, body)).await;
    let answer = raw.answer().await;
    (answer.status, String::from_utf8(answer.body).unwrap())
}

/// REQ-HTTP-001, REQ-HTTP-006, REQ-BUS-005
#[tokio::test]
async fn the_application_and_the_broker_answer_on_one_port() {
    let example = Example::start().await;
    let mut peer = Raw::open(example.address, "/bus/t").await;
    let mut http = Raw::connect(example.address).await;
    for turn in ["one", "two"] {
        http.send(request("GET", "/hello", "", "")).await;
        let hello = http.answer().await;
        assert_eq!((hello.status, hello.body.as_slice()), (200, &b"hello from the application\n"[..]));
        assert_eq!(post(&mut http, "/bus/t", "", turn).await, (200, String::new()));
        peer.expect(TEXT, turn).await;
    }
    http.send(request("GET", "/nowhere", "", "")).await;
    assert_eq!(http.answer().await.status, 404);
    let mut other = Raw::open(example.address, "/bus/t").await;
    other.send(message(TEXT, b"three")).await;
    peer.expect(TEXT, "three").await;
    other.leave().await;
    peer.leave().await;
}

/// REQ-BUS-005, REQ-HTTP-004, REQ-HTTP-005, REQ-HTTP-006
#[tokio::test]
async fn a_room_is_a_bus_where_everybody_hears_everybody() {
    let example = Example::start().await;
    let mut one = Raw::open(example.address, "/room/the%20attic").await;
    let mut two = Raw::open(example.address, "/room/the%20attic").await;
    // Behind both is the bus of Mercury's endpoint, where nobody hears himself.
    let mut three = Raw::open(example.address, "/bus/the%20attic").await;
    one.send(message(TEXT, b"hi")).await;
    for peer in [&mut one, &mut two, &mut three] {
        peer.expect(TEXT, "hi").await;
    }
    let mut http = Raw::connect(example.address).await;
    assert_eq!(post(&mut http, "/room/the%20attic", "", "posted").await.0, 200);
    for peer in [&mut one, &mut two, &mut three] {
        peer.expect(TEXT, "posted").await;
    }

    http.send(request("GET", "/room/the%20attic", "", "")).await;
    let answer = http.answer().await;
    assert_eq!(answer.status, 426);
    assert_eq!(answer.header("upgrade"), Some("websocket"));
    assert_eq!(answer.header("connection"), Some("Upgrade"));
    http.send(request("DELETE", "/room/the%20attic", "", "")).await;
    let answer = http.answer().await;
    assert_eq!((answer.status, answer.header("allow")), (405, Some("GET, POST")));
    for (path, status) in [("/room/", 404), ("/room", 404), ("/room/%zz", 400), ("/room/%FF", 400)] {
        assert_eq!(post(&mut http, path, "", "x").await.0, status, "{path}");
    }
}

/// REQ-HOOK-002
#[tokio::test]
async fn only_who_knows_the_token_publishes() {
    let example = Example::start().await;
    let mut subscriber = Raw::open(example.address, "/sub/news").await;
    let mut http = Raw::connect(example.address).await;
    let refused = (403, "publishing needs the token\n".to_owned());
    assert_eq!(post(&mut http, "/pub/news", "", "forged").await, refused);
    assert_eq!(post(&mut http, "/pub/news", "Authorization: Bearer basil\r\n", "forged").await, refused);
    assert_eq!(post(&mut http, "/pub/news", TOKEN, "posted").await, (200, String::new()));
    subscriber.expect(TEXT, "posted").await;

    let mut stranger = Raw::open(example.address, "/pub/news").await;
    stranger.send(message(TEXT, b"forged")).await;
    assert_eq!(
        stranger.expect_close().await,
        [&3003_u16.to_be_bytes(), &b"publishing needs the token"[..]].concat()
    );
    let mut publisher = Raw::connect(example.address).await;
    publisher.upgrade("/pub/news", TOKEN).await;
    publisher.send(message(TEXT, b"sent")).await;
    subscriber.expect(TEXT, "sent").await;
}

/// REQ-HOOK-002: the example's hook publishes by itself.
#[tokio::test]
async fn what_is_said_in_a_room_is_published_too() {
    let example = Example::start().await;
    let mut all = Raw::open(example.address, "/sub/rooms").await;
    let mut one = Raw::open(example.address, "/sub/rooms/attic").await;
    let mut peer = Raw::open(example.address, "/room/attic").await;
    peer.send(message(TEXT, b"first")).await;
    peer.expect(TEXT, "first").await;
    let mut http = Raw::connect(example.address).await;
    assert_eq!(post(&mut http, "/bus/cellar", "", "second").await.0, 200);
    assert_eq!(post(&mut http, "/bus/attic", "", "third").await.0, 200);
    for text in ["first", "second", "third"] {
        all.expect(TEXT, text).await;
    }
    for text in ["first", "third"] {
        one.expect(TEXT, text).await;
    }
}

/// REQ-DRAIN-001
#[tokio::test]
async fn ctrl_c_says_goodbye_to_everybody_and_ends_well() {
    let mut example = Example::start().await;
    let mut peers = Vec::new();
    for path in ["/bus/t", "/room/t", "/pub/t", "/sub/t", "/push/t", "/pull/t"] {
        peers.push(Raw::open(example.address, path).await);
    }
    // One that serves no request at the moment is no reason to stay.
    let mut http = Raw::connect(example.address).await;
    assert_eq!(post(&mut http, "/bus/t", "", "last").await.0, 200);
    let goodbyes = tokio::spawn(async move {
        for peer in &mut peers[..2] {
            peer.expect(TEXT, "last").await;
        }
        for peer in &mut peers {
            let frame = peer.next().await.expect("a Close frame");
            assert_eq!((frame.first, &frame.payload[..2]), (CLOSE, &1001_u16.to_be_bytes()[..]));
            peer.send(close(1001, b"")).await;
            peer.expect_end().await;
        }
    });
    assert_eq!(example.interrupt().await, Some(0));
    goodbyes.await.unwrap();
    assert!(TcpStream::connect(example.address).await.is_err(), "nobody listens any more");
}

/// A broker with an endpoint for topics of any depth, and a hook that lets nobody subscribe from nowhere.
fn broker() -> Broker {
    Broker::builder()
        .config(Config::default())
        .endpoint("/deep/", |depth| {
            Some(Role::Publish { topic: Topic::new(&vec!["x"; depth.parse().ok()?].join("/")) })
        })
        .on(Action::Subscribe, |operation| async move {
            operation.client.remote.map(|_| ()).ok_or_else(|| Denied::new("from nowhere"))
        })
        .build()
        .unwrap()
}

/// Serves the broker by hyper alone. `wrap` makes something of the socket.
async fn by_hyper<S>(service: BrokerService, wrap: impl Fn(TcpStream) -> S + Send + 'static) -> SocketAddr
where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        loop {
            let (stream, remote) = listener.accept().await.unwrap();
            let service = service.clone();
            let answer = service_fn(move |mut request: hyper::Request<hyper::body::Incoming>| {
                request.extensions_mut().insert(remote);
                service.clone().call(request)
            });
            let connection = http1::Builder::new().serve_connection(TokioIo::new(wrap(stream)), answer);
            tokio::spawn(connection.with_upgrades().map(drop));
        }
    });
    address
}

/// Serves the broker in an application of axum, below `/ws` and for everything that the application has not.
async fn by_axum(broker: &Broker) -> SocketAddr {
    let app = Router::new()
        .route("/hello", get(|| async { "hello" }))
        .nest_service("/ws", broker.service(Dialects::default()))
        .fallback_service(broker.service(Dialects::default()));
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(axum::serve(listener, app).into_future());
    address
}

/// Whether the broker writes to this client's socket from the task that sends: between that and the look at the
/// socket no other task of this thread runs.
async fn is_written_by_the_sender(broker: &Broker, address: SocketAddr, patience: Option<Duration>) -> bool {
    let mut peer = Raw::open(address, "/bus/t").await;
    peer.settle().await;
    broker.send(&Topic::new("t"), &Message::text("direct").unwrap());
    let mut bytes = [0; 8];
    let socket = SockRef::from(&*peer.stream());
    socket.set_nonblocking(patience.is_none()).unwrap();
    socket.set_read_timeout(patience).unwrap();
    let read = (&*socket).read(&mut bytes);
    socket.set_nonblocking(true).unwrap();
    match read {
        Ok(read) => {
            assert_eq!(&bytes[..read], [&[FIN | TEXT, 6], &b"direct"[..]].concat());
            true
        }
        Err(error) => {
            assert_eq!(error.kind(), ErrorKind::WouldBlock);
            peer.expect(TEXT, "direct").await;
            false
        }
    }
}

/// Nothing is measured by it: only a broker that has lost the socket itself takes so long.
const PATIENCE: Option<Duration> = Some(Duration::from_secs(20));

#[tokio::test]
async fn behind_axum_any_task_writes_to_the_socket_itself() {
    let broker = broker();
    let address = by_axum(&broker).await;
    assert!(is_written_by_the_sender(&broker, address, PATIENCE).await);
}

#[tokio::test]
async fn behind_hyper_any_task_writes_to_the_socket_itself() {
    let broker = broker();
    let address = by_hyper(broker.service(Dialects::default()), |stream| stream).await;
    assert!(is_written_by_the_sender(&broker, address, PATIENCE).await);
}

#[tokio::test]
async fn a_socket_that_the_program_has_wrapped_is_written_by_its_own_task() {
    let broker = broker();
    let address = by_hyper(broker.service(Dialects::default()), BufStream::new).await;
    assert!(!is_written_by_the_sender(&broker, address, None).await);
    let mut peer = Raw::open(address, "/bus/t").await;
    let large = "x".repeat(200_000);
    assert_eq!(Raw::connect(address).await.post("/bus/t", &large).await, 200);
    peer.expect(TEXT, &large).await;
    peer.leave().await;
}

/// REQ-BUS-005, REQ-HTTP-006
#[tokio::test]
async fn an_application_of_axum_mounts_the_broker_below_a_path() {
    let broker = broker();
    let address = by_axum(&broker).await;
    let mut nested = Raw::open(address, "/ws/bus/t").await;
    let mut root = Raw::open(address, "/bus/t").await;
    nested.send(message(TEXT, b"down here")).await;
    root.expect(TEXT, "down here").await;
    let mut http = Raw::connect(address).await;
    assert_eq!(http.post("/ws/bus/t", "posted").await, 200);
    nested.expect(TEXT, "posted").await;
    assert_eq!(http.post("/ws/hello", "x").await, 404);
    http.send(request("GET", "/hello", "", "")).await;
    assert_eq!(http.answer().await.body, b"hello");
}

/// A frame that comes in one piece with the handshake is not lost on the way from HTTP to WebSocket.
#[tokio::test]
async fn what_comes_right_behind_the_handshake_is_heard() {
    let broker = broker();
    let hyper = by_hyper(broker.service(Dialects::default()), |stream| stream).await;
    let wrapped = by_hyper(broker.service(Dialects::default()), BufStream::new).await;
    for address in [by_axum(&broker).await, hyper, wrapped] {
        let mut peer = Raw::open(address, "/bus/t").await;
        let mut eager = Raw::connect(address).await;
        let both = [raw::handshake("/bus/t", "").as_bytes(), &message(TEXT, b"early")].concat();
        eager.send(both).await;
        peer.expect(TEXT, "early").await;
        eager.check_accepted("/bus/t").await;
        eager.leave().await;
    }
}

/// REQ-HOOK-002: a program says where its clients come from by an extension of the request.
#[tokio::test]
async fn a_hook_knows_the_remote_address_if_the_program_tells_it() {
    let broker = broker();
    let hyper = by_hyper(broker.service(Dialects::default()), |stream| stream).await;
    Raw::open(hyper, "/sub/t").await.leave().await;
    let mut raw = Raw::connect(by_axum(&broker).await).await;
    raw.send(raw::handshake("/sub/t", "")).await;
    let answer = raw.answer().await;
    assert_eq!((answer.status, answer.body.as_slice()), (403, &b"from nowhere\n"[..]));
}

/// REQ-TOP-002: what a program makes of a path is held to the limits too.
#[tokio::test]
async fn a_topic_of_an_own_endpoint_is_held_to_the_limits() {
    let broker = broker();
    let mut http = Raw::connect(by_axum(&broker).await).await;
    for (path, status) in [("/deep/64", 200), ("/deep/65", 400), ("/deep/sea", 404)] {
        assert_eq!(http.post(path, "x").await, status, "{path}");
    }
}

/// REQ-HTTP-016: hyper's server leaves that to the program.
#[tokio::test]
async fn a_request_needs_one_host_behind_somebody_elses_server_too() {
    let broker = broker();
    let hyper = by_hyper(broker.service(Dialects::default()), |stream| stream).await;
    for address in [hyper, by_axum(&broker).await] {
        for (hosts, version, status) in [
            ("", "HTTP/1.1", 400),
            ("Host: a\r\nHost: b\r\n", "HTTP/1.1", 400),
            ("Host: a\r\n", "HTTP/1.1", 200),
            ("", "HTTP/1.0", 200),
        ] {
            let asked = request("POST", "/bus/t", "", "x").replace("Host: petasus\r\n", hosts);
            let mut http = Raw::connect(address).await;
            http.send(asked.replace("HTTP/1.1", version)).await;
            assert_eq!(http.answer().await.status, status, "{hosts:?} {version}");
        }
    }
}

/// REQ-PING-001, REQ-HTTP-006: what is not asked for is not served.
#[tokio::test]
async fn a_program_serves_the_dialects_that_it_names_and_no_other() {
    let broker = broker();
    let mounted = Dialects { mercury: false, wamp: false, pinghub: Some("/hub".to_owned()) };
    let mut http = Raw::connect(by_hyper(broker.service(mounted), |stream| stream).await).await;
    assert_eq!(post(&mut http, "/hub/t", "", "x").await, (200, "OK\n".to_owned()));
    for path in ["/bus/t", "/pub/t", "/push/t", "/hubbub"] {
        assert_eq!(http.post(path, "x").await, 404, "{path}");
    }
    http.send(request("GET", "/", "", "")).await;
    assert_eq!(http.answer().await.status, 404, "the example page is for the dialect that it speaks");
    // The broker's own endpoints do not change what a dialect says about a bad path.
    let alone = Dialects { mercury: false, wamp: false, pinghub: Some(String::new()) };
    let mut http = Raw::connect(by_hyper(broker.service(alone), |stream| stream).await).await;
    let text = "Error: bad request. Path must be valid Unicode (UTF-8).\n";
    assert_eq!(post(&mut http, "/%FF", "", "x").await, (400, text.to_owned()));
}

/// Small messages must not wait for the client's acknowledgements (RFC 896), whoever has accepted the socket.
#[tokio::test]
async fn a_socket_of_the_program_sends_small_messages_at_once() {
    let broker = broker();
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let address = by_hyper(broker.service(Dialects::default()), move |stream| {
        tell.send(stream.as_fd().try_clone_to_owned().unwrap()).unwrap();
        stream
    })
    .await;
    let mut peer = Raw::open(address, "/bus/t").await;
    peer.settle().await;
    assert!(SockRef::from(&told.recv().await.unwrap()).tcp_nodelay().unwrap());
}

/// REQ-DRAIN-001
#[tokio::test]
async fn a_program_that_drains_its_broker_takes_nobody_new() {
    let broker = broker();
    let address = by_axum(&broker).await;
    let mut peer = Raw::open(address, "/bus/t").await;
    assert_eq!(broker.connections(), 1);
    let mut other = Raw::connect(address).await;
    let draining = tokio::spawn({
        let broker = broker.clone();
        async move { broker.drain().await }
    });
    let Frame { first, payload } = peer.next().await.expect("a Close frame");
    assert_eq!((first, &payload[..2]), (CLOSE, &1001_u16.to_be_bytes()[..]));
    other.send(raw::handshake("/bus/t", "")).await;
    assert_eq!(other.answer().await.status, 503);
    peer.send(close(1001, b"")).await;
    peer.expect_end().await;
    drop(peer);
    soon("the drain", draining).await.unwrap();
    assert_eq!(broker.connections(), 0);
}
