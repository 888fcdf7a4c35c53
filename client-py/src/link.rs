//! The sockets that a session wants, as bytes: what came is given to the session, what it sends waits here.

use std::collections::{HashMap, VecDeque};

use petasus_protocol::Message;
use petasus_protocol::session::{Event, ExchangeId, Failure, Output, ServerUrl, Session, SocketId};
use petasus_protocol::websocket::{self, Connection, Handshake, Post, Target};

/// When so many bytes wait for a socket, the session is told that it takes no more.
const HIGH_WATER: usize = 256 << 10;

/// What the driver is told, in this order.
#[derive(Debug)]
pub(crate) enum Note {
    /// Open a TCP or TLS connection.
    Open { number: u64, host: String, port: u16, secure: bool },
    /// Forget a connection at once.
    Drop { number: u64 },
    /// Write this, and close the connection.
    Finish { number: u64, bytes: Vec<u8> },
    /// There is room in the queue again, or a socket takes more again.
    Room,
    /// The session says something.
    Event(Event),
}

/// A connection, from the wish for it to its end.
enum Link {
    Dialing {
        url: String,
        subprotocols: Vec<&'static str>,
    },
    Shaking {
        handshake: Box<Handshake>,
        request: Vec<u8>,
    },
    Open(Box<Open>),
    /// A POST that has no connection yet.
    Waiting {
        url: String,
        message: Message,
    },
    Posting {
        post: Box<Post>,
        request: Vec<u8>,
    },
}

struct Open {
    connection: Connection<fn(&mut [u8])>,
    /// The bytes of the messages that wait.
    waiting: usize,
    /// The socket takes no more.
    paused: bool,
    /// The session was told so.
    blocked: bool,
}

/// The session and its connections.
pub(crate) struct Links {
    pub(crate) session: Session,
    all: HashMap<u64, Link>,
    notes: VecDeque<Note>,
    /// The connections for which something waits to be written.
    dirty: Vec<u64>,
    /// Whether the driver reads nothing now, and so sees no pongs.
    stalled: bool,
    /// What waited in the session's queue when it was looked at last.
    waiting: usize,
    receive_bytes: usize,
    origin: Option<String>,
}

impl Links {
    pub(crate) fn new(session: Session, receive_bytes: usize, origin: Option<String>) -> Links {
        Links {
            session,
            all: HashMap::new(),
            notes: VecDeque::new(),
            dirty: Vec::new(),
            stalled: false,
            waiting: 0,
            receive_bytes,
            origin,
        }
    }

    /// What the driver is to be told, and for which connections something waits to be written.
    pub(crate) fn take(&mut self) -> (Vec<u64>, VecDeque<Note>) {
        (std::mem::take(&mut self.dirty), std::mem::take(&mut self.notes))
    }

    /// Asks the session for something, and does what it wants.
    pub(crate) fn with<R>(&mut self, act: impl FnOnce(&mut Session) -> R, now: u64) -> R {
        let result = act(&mut self.session);
        self.settle(now);
        result
    }

    pub(crate) fn stall(&mut self, stalled: bool) {
        self.stalled = stalled;
    }

    /// The TCP or TLS connection stands.
    pub(crate) fn opened(&mut self, number: u64, headers: &[(String, String)], now: u64) {
        let headers: Vec<(&str, &str)> =
            headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let origin = self.origin.as_deref();
        match self.all.remove(&number) {
            Some(Link::Dialing { url, subprotocols }) => match begin(&url, origin, &headers, &subprotocols) {
                Ok((handshake, request)) => {
                    self.all.insert(number, Link::Shaking { handshake: Box::new(handshake), request });
                    self.mark(number);
                }
                Err(failure) => self.end(number, failure, now),
            },
            Some(Link::Waiting { url, message }) => match post(&url, origin, &headers, &message) {
                Ok((post, request)) => {
                    self.all.insert(number, Link::Posting { post: Box::new(post), request });
                    self.mark(number);
                }
                Err(failure) => {
                    self.notes.push_back(Note::Drop { number });
                    let exchange = ExchangeId::of(number);
                    self.session.handle_unanswered(exchange, false, failure, now);
                }
            },
            Some(link) => drop(self.all.insert(number, link)),
            None => {}
        }
        self.settle(now);
    }

    /// Bytes came.
    pub(crate) fn receive(&mut self, number: u64, bytes: &[u8], now: u64) {
        match self.all.get_mut(&number) {
            Some(Link::Shaking { handshake, .. }) => match handshake.receive(bytes) {
                Ok(None) => {}
                Ok(Some((opened, rest))) => self.begin_messages(number, &opened, &rest, now),
                Err(error) => self.end(number, error.into(), now),
            },
            Some(Link::Open(open)) => {
                open.connection.receive(bytes);
                self.hear(number, now);
            }
            Some(Link::Posting { post, .. }) => match post.receive(bytes) {
                Ok(None) => {}
                answer => self.answer(number, answer.transpose(), now),
            },
            _ => {}
        }
        self.settle(now);
    }

    /// Nothing more comes from the server.
    pub(crate) fn eof(&mut self, number: u64, now: u64) {
        match self.all.get_mut(&number) {
            Some(Link::Shaking { handshake, .. }) => {
                let failure = handshake.end().into();
                self.end(number, failure, now);
            }
            Some(Link::Posting { post, .. }) => {
                let answer = Some(post.end());
                self.answer(number, answer, now);
            }
            Some(_) => self.lost(number, Failure::Closed { code: 1006, reason: String::new() }, now),
            None => {}
        }
        self.settle(now);
    }

    /// The connection could not be made, or broke.
    pub(crate) fn lost(&mut self, number: u64, failure: Failure, now: u64) {
        match self.all.get_mut(&number) {
            Some(Link::Waiting { .. }) => {
                self.all.remove(&number);
                self.session.handle_unanswered(ExchangeId::of(number), false, failure, now);
            }
            // Some servers end without a word when they refuse; what they said is said all the same.
            Some(Link::Posting { post, request }) => {
                let sent = request.is_empty();
                if let Ok(answer) = post.end() {
                    self.answer(number, Some(Ok(answer)), now);
                } else {
                    self.all.remove(&number);
                    self.session.handle_unanswered(ExchangeId::of(number), sent, failure, now);
                }
            }
            Some(_) => self.end(number, failure, now),
            None => {}
        }
        self.settle(now);
    }

    /// The socket takes no more for now, or takes more again.
    pub(crate) fn pause(&mut self, number: u64, paused: bool, now: u64) {
        if let Some(Link::Open(open)) = self.all.get_mut(&number) {
            open.paused = paused;
            if paused && !open.blocked {
                open.blocked = true;
                self.session.handle_blocked(SocketId::of(number), true, now);
            } else if !paused {
                self.mark(number);
            }
        }
        self.settle(now);
    }

    /// What is to be written now; it counts as written. Empty if there is nothing.
    pub(crate) fn transmit<R>(&mut self, number: u64, now: u64, take: impl FnOnce(&[u8]) -> R) -> R {
        let taken = match self.all.get_mut(&number) {
            Some(Link::Shaking { request, .. } | Link::Posting { request, .. }) => {
                take(&std::mem::take(request))
            }
            Some(Link::Open(open)) => {
                let taken = take(open.connection.poll_transmit().unwrap_or_default());
                // Frees the memory of what was large.
                open.connection.poll_transmit();
                open.waiting = 0;
                if open.blocked && !open.paused {
                    open.blocked = false;
                    self.notes.push_back(Note::Room);
                    self.session.handle_blocked(SocketId::of(number), false, now);
                }
                taken
            }
            _ => take(&[]),
        };
        self.settle(now);
        taken
    }

    /// Until the session wants nothing more.
    fn settle(&mut self, now: u64) {
        loop {
            if let Some(output) = self.session.poll_output() {
                self.obey(output, now);
            } else if let Some(event) = self.session.poll_event() {
                self.notes.push_back(Note::Event(event));
            } else {
                break;
            }
        }
        let waiting = self.session.waiting();
        if waiting < self.waiting {
            self.notes.push_back(Note::Room);
        }
        self.waiting = waiting;
    }

    fn obey(&mut self, output: Output, now: u64) {
        match output {
            Output::Open { socket, url, subprotocols } => {
                self.dial(socket.as_u64(), url, |url| Link::Dialing { url, subprotocols });
            }
            Output::Post { exchange, url, message } => {
                self.dial(exchange.as_u64(), url, |url| Link::Waiting { url, message });
            }
            Output::Send { socket, message } => self.send(socket, &message, now),
            Output::Ping { socket } if self.stalled => self.session.handle_pong(socket, now),
            Output::Ping { socket } => {
                if let Some(Link::Open(open)) = self.all.get_mut(&socket.as_u64()) {
                    open.connection.ping();
                    self.mark(socket.as_u64());
                }
            }
            Output::Close { socket, code, reason } => self.close(socket, code, reason, now),
            Output::Drop { socket } => self.forget(socket.as_u64()),
            Output::Abandon { exchange } => self.forget(exchange.as_u64()),
            _ => {}
        }
    }

    fn dial(&mut self, number: u64, url: String, link: impl FnOnce(String) -> Link) {
        // The session writes none that can not be read.
        if let Ok(parsed) = ServerUrl::parse(&url) {
            let (host, port, secure) = (parsed.host().to_owned(), parsed.port(), parsed.is_secure());
            self.notes.push_back(Note::Open { number, host, port, secure });
        }
        self.all.insert(number, link(url));
    }

    fn send(&mut self, socket: SocketId, message: &Message, now: u64) {
        let Some(Link::Open(open)) = self.all.get_mut(&socket.as_u64()) else { return };
        open.connection.send(message);
        open.waiting += message.len();
        if open.waiting > HIGH_WATER && !open.blocked {
            open.blocked = true;
            self.session.handle_blocked(socket, true, now);
        }
        self.mark(socket.as_u64());
    }

    fn close(&mut self, socket: SocketId, code: u16, reason: &str, now: u64) {
        let number = socket.as_u64();
        if let Some(Link::Open(open)) = self.all.get_mut(&number) {
            // Code and reason are the session's own, which can be sent.
            let _ = open.connection.close(code, reason);
            self.mark(number);
        } else {
            let failure = Failure::Broken { reason: "it was given up while it was opened".to_owned() };
            self.end(number, failure, now);
        }
    }

    fn begin_messages(&mut self, number: u64, opened: &websocket::Opened, rest: &[u8], now: u64) {
        let mut connection = Connection::new(self.receive_bytes, os_random as fn(&mut [u8]));
        connection.receive(rest);
        let open = Open { connection, waiting: 0, paused: false, blocked: false };
        self.all.insert(number, Link::Open(Box::new(open)));
        self.session.handle_opened(SocketId::of(number), opened.subprotocol.as_deref(), now);
        self.settle(now);
        self.hear(number, now);
    }

    /// Tells the session what came.
    fn hear(&mut self, number: u64, now: u64) {
        let socket = SocketId::of(number);
        // It is looked up once for all: who is dropped meanwhile is ignored by the session.
        let Some(Link::Open(open)) = self.all.get_mut(&number) else { return };
        while let Some(event) = open.connection.poll_event() {
            let failure = match event {
                websocket::Event::Message(message) => {
                    self.session.handle_message(socket, message, now);
                    continue;
                }
                websocket::Event::Closed { code, reason } => {
                    Failure::Closed { code: code.unwrap_or(1005), reason }
                }
                websocket::Event::Failed(error) => error.into(),
                _ => {
                    self.session.handle_pong(socket, now);
                    continue;
                }
            };
            let bytes = open.connection.poll_transmit().map(<[u8]>::to_vec).unwrap_or_default();
            self.all.remove(&number);
            self.notes.push_back(Note::Finish { number, bytes });
            self.session.handle_closed(socket, failure, now);
            return;
        }
        // Pongs may have been written.
        self.mark(number);
    }

    fn answer(
        &mut self,
        number: u64,
        answer: Option<Result<websocket::Answer, websocket::HttpError>>,
        now: u64,
    ) {
        self.forget(number);
        let exchange = ExchangeId::of(number);
        match answer {
            Some(Ok(answer)) => self.session.handle_answer(exchange, answer.status, &answer.text, now),
            Some(Err(error)) => self.session.handle_unanswered(exchange, true, error.into(), now),
            None => {}
        }
    }

    /// A WebSocket is over.
    fn end(&mut self, number: u64, failure: Failure, now: u64) {
        self.forget(number);
        self.session.handle_closed(SocketId::of(number), failure, now);
    }

    fn forget(&mut self, number: u64) {
        self.all.remove(&number);
        self.notes.push_back(Note::Drop { number });
    }

    fn mark(&mut self, number: u64) {
        if !self.dirty.contains(&number) {
            self.dirty.push(number);
        }
    }
}

fn os_random(bytes: &mut [u8]) {
    getrandom::fill(bytes).expect("the system has random numbers");
}

/// Begins a handshake.
fn begin(
    url: &str,
    origin: Option<&str>,
    headers: &[(&str, &str)],
    subprotocols: &[&str],
) -> Result<(Handshake, Vec<u8>), Failure> {
    let mut nonce = [0; 16];
    os_random(&mut nonce);
    let target = |target: &Target<'_>| {
        Handshake::new(target, subprotocols, nonce)
            .map_err(|error| Failure::NotWebSocket { reason: error.to_string() })
    };
    with_target(url, origin, headers, target)
}

/// Begins a POST.
fn post(
    url: &str,
    origin: Option<&str>,
    headers: &[(&str, &str)],
    message: &Message,
) -> Result<(Post, Vec<u8>), Failure> {
    with_target(url, origin, headers, |target| {
        Post::new(target, message).map_err(|error| Failure::NotWebSocket { reason: error.to_string() })
    })
}

fn with_target<R>(
    url: &str,
    origin: Option<&str>,
    headers: &[(&str, &str)],
    make: impl FnOnce(&Target<'_>) -> Result<R, Failure>,
) -> Result<R, Failure> {
    let wrong =
        |error: petasus_protocol::session::UrlError| Failure::NotWebSocket { reason: error.to_string() };
    let host = ServerUrl::parse(url).map_err(wrong)?.authority();
    // The session writes them with a path.
    let (_, rest) = url.split_once("://").unwrap_or_default();
    let path = rest.find('/').map_or("/", |at| &rest[at..]);
    let mut target = Target::new(&host, path);
    target.origin = origin;
    target.headers = headers;
    make(&target)
}
