//! A thousand sessions that lose one router come back one by one.

use petasus_protocol::Message;
use petasus_protocol::session::{Config, Event, Failure, Output, ServerUrl, Session, SocketId, Status};
use petasus_protocol::wamp::message::Welcome;
use petasus_protocol::wamp::{self, Dict, Serializer};

const SESSIONS: u64 = 1_000;

/// A session that is connected, and its socket.
fn connected(seed: u64) -> (Session, SocketId) {
    let mut config = Config::new(ServerUrl::parse("ws://127.0.0.1:3000").expect("a URL"));
    config.serializers = vec![Serializer::Json];
    let mut session = Session::new(config, seed);
    session.connect(0);
    let socket = opening(&mut session).expect("it connects");
    session.handle_opened(socket, Some("wamp.2.json"), 1);
    let welcome = wamp::Message::from(Welcome { session: 1, details: Dict::new() });
    session.handle_message(socket, Message::assume_text(welcome.encode(Serializer::Json)), 2);
    let is_connected = std::iter::from_fn(|| session.poll_event())
        .any(|event| matches!(event, Event::Status(Status::Connected(_))));
    assert!(is_connected);
    (session, socket)
}

/// The socket that a session wants to open.
fn opening(session: &mut Session) -> Option<SocketId> {
    std::iter::from_fn(|| session.poll_output()).find_map(|output| match output {
        Output::Open { socket, .. } => Some(socket),
        _ => None,
    })
}

/// When a session that lost its connection opens the next socket, in milliseconds from then.
fn attempt(session: &mut Session, lost_at: u64) -> (u64, SocketId) {
    loop {
        let due = session.poll_timeout().expect("it tries again");
        session.handle_timeout(due);
        if let Some(socket) = opening(session) {
            return (due - lost_at, socket);
        }
    }
}

/// How many of the attempts fall into each tenth of a window.
fn tenths(attempts: &[u64], window: u64) -> [u32; 10] {
    let mut tenths = [0; 10];
    for attempt in attempts {
        assert!(*attempt <= window, "{attempt} ms is more than {window} ms");
        tenths[(attempt * 10 / (window + 1)) as usize] += 1;
    }
    tenths
}

fn print(title: &str, tenths: &[u32; 10], window: u64) {
    println!("{title}");
    for (tenth, count) in (0..).zip(tenths) {
        let end = window * (tenth + 1) / 10;
        println!("{end:>6} ms {count:>4} {}", "#".repeat(*count as usize / 4));
    }
}

/// The first attempts after the loss fill the first window evenly, and the second ones, when nobody answers, the next.
#[test]
fn a_thousand_sessions_that_lose_one_router_come_back_one_by_one() {
    let lost_at = 60_000;
    let (mut first, mut second) = (Vec::new(), Vec::new());
    for seed in 0..SESSIONS {
        let (mut session, socket) = connected(seed);
        session.handle_closed(socket, Failure::Broken { reason: "killed".to_owned() }, lost_at);
        let (waited, socket) = attempt(&mut session, lost_at);
        first.push(waited);
        let refused_at = lost_at + waited;
        session.handle_closed(socket, Failure::Unreachable { reason: "refused".to_owned() }, refused_at);
        second.push(attempt(&mut session, refused_at).0);
    }
    for (title, attempts, window) in [("first attempts", first, 500), ("second attempts", second, 1_000)] {
        let tenths = tenths(&attempts, window);
        print(title, &tenths, window);
        // 100 in each, and five standard deviations of room.
        assert!(tenths.iter().all(|count| (52..=148).contains(count)), "{title}: {tenths:?}");
    }
}
