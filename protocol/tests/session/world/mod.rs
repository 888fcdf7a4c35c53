//! Sessions, a router, and a network between them, over a virtual clock: nothing here waits.
//!
//! The drivers do what the documentation of [`Session`] demands of a driver: after every mutation they do what
//! `poll_output` says, pass on what `poll_event` says, and look at `poll_timeout`.

mod fates;

use std::collections::BTreeMap;

use petasus_protocol::session::{Config, Failure, Heartbeat, Identity, Output, ServerUrl, Session, SocketId};
use petasus_protocol::wamp::{self, Limits, Serializer};
use petasus_protocol::{Message, session};

use crate::history::{History, Input, Out, What, Wire, WireFilter};
use crate::plain::{PLAIN, Plain};
use crate::program::Program;
use crate::random::Random;
use crate::router::{Manners, Router};

pub(crate) struct World {
    pub(crate) now: u64,
    pub(crate) history: History,
    pub(crate) router: Router,
    pub(crate) peers: Vec<Peer>,
    pub(crate) plain: Plain,
    pub(crate) random: Random,
    /// The calls of `handle_*` and of the programs.
    pub(crate) mutations: u64,
    is_router_up: bool,
    sockets: BTreeMap<Wire, Socket>,
    agenda: BTreeMap<(u64, u64), Happening>,
    happenings: u64,
    pub(crate) tokens: u64,
}

/// A session, its driver and its program.
pub(crate) struct Peer {
    pub(crate) session: Session,
    pub(crate) program: Program,
    /// One way, in milliseconds.
    pub(crate) latency: u64,
    /// How much longer a message may take, in milliseconds.
    jitter: u64,
    /// How many of the next attempts to open a socket are refused.
    pub(crate) refused: u32,
    /// How much longer the next socket takes to open.
    pub(crate) slow: u64,
    /// How late its driver's timer is.
    pub(crate) lateness: u64,
    /// Whether its driver passes on what comes from sockets that were given up.
    pub(crate) haunted: bool,
    /// The socket that was opened last, if it is still in use.
    pub(crate) socket: Option<Wire>,
    pub(crate) is_blocked: bool,
    /// When its timer may go off again.
    rested: u64,
}

#[expect(clippy::struct_excessive_bools, reason = "they are independent of each other")]
struct Socket {
    serializer: Serializer,
    /// Whether the driver still cares.
    wanted: bool,
    /// Nothing goes through any more, both ends will know soon.
    cut: bool,
    /// Nothing goes through any more, and nobody is told.
    hung_up: bool,
    hung_down: bool,
    /// When the last message to the router, and to the session, arrives.
    last_up: u64,
    last_down: u64,
}

enum Frame {
    Message(wamp::Message, Option<WireFilter>),
    Ping,
    Pong,
    Close,
}

enum Happening {
    Opened { wire: Wire, subprotocol: &'static str },
    Refused { wire: Wire },
    Up { wire: Wire, frame: Frame },
    Down { wire: Wire, frame: Frame },
    SessionLearns { wire: Wire },
    RouterLearns { wire: Wire },
    RouterStarts,
    PlainSays { wire: Wire, message: wamp::Message },
    PlainPushes,
    PlainPublishes { topic: &'static str, bus: bool },
}

impl World {
    pub(crate) fn new(seed: u64) -> World {
        let mut random = Random::new(seed);
        let manners = Manners {
            challenge: random.one_in(6),
            pattern: !random.one_in(10),
            hold: !random.one_in(4),
            refuse: 0,
            abort: 0,
            twice: false,
            swap: false,
        };
        let history = History { request_timeout: 6_000, close_timeout: 1_000, ..History::default() };
        let mut world = World {
            now: 1_000,
            history,
            router: Router::new(manners.clone()),
            peers: Vec::new(),
            plain: Plain::new(random.split()),
            random,
            mutations: 0,
            is_router_up: true,
            sockets: BTreeMap::new(),
            agenda: BTreeMap::new(),
            happenings: 0,
            tokens: 0,
        };
        for _ in 0..=world.random.below(3) {
            world.add(manners.challenge);
        }
        world.start_plain();
        world
    }

    fn add(&mut self, challenged: bool) {
        let mut config = Config::new(ServerUrl::parse("ws://127.0.0.1:3000").expect("a URL"));
        config.heartbeat = Heartbeat { idle: 2_000, patience: 1_000, ..Heartbeat::default() };
        config.connect_timeout = 3_000;
        config.request_timeout = self.history.request_timeout;
        config.close_timeout = self.history.close_timeout;
        config.backoff = session::Backoff { base: 100, cap: 2_000, stable: 1_000 };
        if self.random.one_in(3) {
            config.queue_bytes = 600;
        }
        if challenged {
            let (authid, methods) = (Some("joe".to_owned()), vec!["ticket".to_owned()]);
            config.identity = Identity { authid, methods, ..Identity::default() };
        }
        let session = Session::new(config, self.random.next());
        self.peers.push(Peer {
            session,
            program: Program::new(self.random.one_in(2)),
            latency: if self.random.one_in(2) { 2 } else { self.random.below(40) },
            jitter: if self.random.one_in(2) { 5 } else { 60 },
            refused: 0,
            slow: 0,
            lateness: 0,
            haunted: self.random.one_in(2),
            socket: None,
            is_blocked: false,
            rested: 0,
        });
    }

    /// Lets a session do something, and then does what its driver has to do.
    pub(crate) fn poke<T>(&mut self, peer: usize, act: impl FnOnce(&mut Session, u64) -> T) -> T {
        self.mutations += 1;
        act(&mut self.peers[peer].session, self.now)
    }

    /// Tells a session what happened.
    fn tell(&mut self, peer: usize, input: Input, act: impl FnOnce(&mut Session, u64)) {
        self.note(What::Input { peer, input });
        self.poke(peer, act);
        self.settle(peer);
    }

    /// Drains a session.
    pub(crate) fn settle(&mut self, peer: usize) {
        while let Some(output) = self.peers[peer].session.poll_output() {
            self.perform(peer, output);
        }
        let mut events = Vec::new();
        while let Some(event) = self.peers[peer].session.poll_event() {
            self.note(What::Told { peer, event: event.clone() });
            events.push(event);
        }
        let session = &self.peers[peer].session;
        let (waiting, next) = (session.waiting(), session.poll_timeout());
        self.note(What::Settled { peer, waiting, next });
        for event in events {
            self.react(peer, event);
        }
    }

    pub(crate) fn note(&mut self, what: What) {
        self.history.push(self.now, what);
    }

    /// Lets time pass.
    pub(crate) fn advance(&mut self, milliseconds: u64) {
        let until = self.now + milliseconds;
        loop {
            let agenda = self.agenda.first_key_value().map(|((at, _), _)| *at);
            let alarm = (0..self.peers.len()).filter_map(|peer| Some((self.alarm(peer)?, peer))).min();
            let next = agenda.into_iter().chain(alarm.map(|(at, _)| at)).min();
            let Some(next) = next.filter(|&next| next <= until) else { break };
            self.now = self.now.max(next);
            match alarm {
                Some((at, peer)) if agenda.is_none_or(|agenda| at < agenda) => self.ring(peer),
                _ => {
                    let (_, happening) = self.agenda.pop_first().expect("it was seen");
                    self.happen(happening);
                }
            }
        }
        self.now = until;
    }

    /// When a driver's timer goes off.
    fn alarm(&self, peer: usize) -> Option<u64> {
        let peer = &self.peers[peer];
        Some((peer.session.poll_timeout()? + peer.lateness).max(peer.rested))
    }

    /// A driver's timer goes off.
    pub(crate) fn ring(&mut self, peer: usize) {
        self.tell(peer, Input::Timeout, Session::handle_timeout);
        // A session that wants to be woken at once again is at fault; the run shall end all the same.
        self.peers[peer].rested = self.now + 1;
    }

    fn schedule(&mut self, at: u64, happening: Happening) {
        self.happenings += 1;
        self.agenda.insert((at.max(self.now), self.happenings), happening);
    }

    fn perform(&mut self, peer: usize, output: Output) {
        let output = match output {
            Output::Open { socket, subprotocols, .. } => self.open(peer, socket, &subprotocols),
            Output::Send { socket, message } => self.send(peer, socket, &message),
            Output::Ping { socket } => {
                self.up(Wire { peer, socket: socket.as_u64() }, Frame::Ping);
                Out::Ping { socket: socket.as_u64() }
            }
            Output::Close { socket, .. } => {
                self.up(Wire { peer, socket: socket.as_u64() }, Frame::Close);
                Out::Close { socket: socket.as_u64() }
            }
            Output::Drop { socket } => self.give_up(Wire { peer, socket: socket.as_u64() }),
            other => Out::Strange(format!("{other:?}")),
        };
        self.note(What::Output { peer, output });
    }

    fn open(&mut self, peer: usize, socket: SocketId, subprotocols: &[&'static str]) -> Out {
        let wire = Wire { peer, socket: socket.as_u64() };
        let one = subprotocols[self.random.below(subprotocols.len() as u64) as usize];
        let (serializer, _) = Serializer::from_subprotocol(one).expect("WAMP is offered");
        let last = self.now;
        let (cut, hung_up, hung_down) = (false, false, false);
        let there =
            Socket { serializer, wanted: true, cut, hung_up, hung_down, last_up: last, last_down: last };
        self.sockets.insert(wire, there);
        let driver = &mut self.peers[peer];
        driver.is_blocked = false;
        let after = self.now + 2 * driver.latency + std::mem::take(&mut driver.slow);
        if driver.refused > 0 {
            driver.refused -= 1;
            self.schedule(after, Happening::Refused { wire });
        } else {
            self.schedule(after, Happening::Opened { wire, subprotocol: one });
        }
        Out::Open { socket: wire.socket }
    }

    fn send(&mut self, peer: usize, socket: SocketId, message: &Message) -> Out {
        let wire = Wire { peer, socket: socket.as_u64() };
        let Some(there) = self.sockets.get(&wire) else {
            return Out::Strange("a socket of nobody".to_owned());
        };
        if message.is_text() != there.serializer.is_text() {
            return Out::Strange(format!("{:?} over {:?}", message.kind(), there.serializer));
        }
        match wamp::Message::decode(there.serializer, message.payload(), &Limits::default()) {
            Ok(message) => {
                self.up(wire, Frame::Message(message.clone(), None));
                Out::Send { socket: wire.socket, message }
            }
            Err(error) => Out::Strange(error.to_string()),
        }
    }

    /// The driver forgets a socket; its router sees the end behind what was sent.
    fn give_up(&mut self, wire: Wire) -> Out {
        if let Some(socket) = self.sockets.get_mut(&wire) {
            socket.wanted = false;
            let at = socket.last_up.max(self.now + self.peers[wire.peer].latency);
            self.schedule(at, Happening::RouterLearns { wire });
        }
        self.forget(wire);
        Out::Drop { socket: wire.socket }
    }

    fn forget(&mut self, wire: Wire) {
        let peer = &mut self.peers[wire.peer];
        if peer.socket == Some(wire) {
            peer.socket = None;
        }
    }

    /// From a session to the router, behind what is on its way already.
    fn up(&mut self, wire: Wire, frame: Frame) {
        let Peer { latency, jitter, .. } = self.peers[wire.peer];
        let latency = latency + self.random.below(jitter);
        let Some(socket) = self.sockets.get_mut(&wire) else { return };
        socket.last_up = socket.last_up.max(self.now + latency);
        let at = socket.last_up;
        self.schedule(at, Happening::Up { wire, frame });
    }

    /// From the router to a session.
    fn down(&mut self, wire: Wire, frame: Frame) {
        if wire.peer == PLAIN {
            if let Frame::Message(message, _) = frame {
                for (after, message) in self.plain.react(&message) {
                    self.schedule(self.now + after, Happening::PlainSays { wire, message });
                }
            }
            return;
        }
        let Peer { latency, jitter, .. } = self.peers[wire.peer];
        let latency = latency + self.random.below(jitter);
        let Some(socket) = self.sockets.get_mut(&wire) else { return };
        socket.last_down = socket.last_down.max(self.now + latency);
        let at = socket.last_down;
        self.schedule(at, Happening::Down { wire, frame });
    }

    /// Sends what the router said, and writes down what it knows.
    pub(crate) fn flush(&mut self) {
        while !self.router.said.is_empty() || !self.router.truths.is_empty() {
            for truth in std::mem::take(&mut self.router.truths) {
                self.note(What::Router(truth));
            }
            for said in std::mem::take(&mut self.router.said) {
                if let Some(message) = said.message {
                    self.down(said.wire, Frame::Message(message, said.about));
                }
                if said.last {
                    self.router.disconnected(said.wire);
                    self.down(said.wire, Frame::Close);
                }
            }
        }
    }

    fn happen(&mut self, happening: Happening) {
        match happening {
            Happening::Opened { wire, subprotocol } => self.opened(wire, subprotocol),
            Happening::Refused { wire } => self.refused(wire),
            Happening::Up { wire, frame } => {
                if self.sockets.get(&wire).is_some_and(|socket| !socket.cut && !socket.hung_up) {
                    self.arrive_up(wire, frame);
                }
            }
            Happening::Down { wire, frame } => {
                if self.sockets.get(&wire).is_some_and(|socket| !socket.cut && !socket.hung_down) {
                    self.arrive_down(wire, frame);
                }
            }
            Happening::SessionLearns { wire } => {
                let failure = Failure::Broken { reason: "cut".to_owned() };
                self.session_learns(wire, failure);
            }
            Happening::RouterLearns { wire } => self.router.disconnected(wire),
            Happening::RouterStarts => {
                self.note(What::Fate("the router is there again".to_owned()));
                self.is_router_up = true;
                self.start_plain();
            }
            Happening::PlainSays { wire, message } => {
                if wire == self.plain.wire && self.is_router_up {
                    self.router.handle(wire, message);
                }
            }
            Happening::PlainPushes => self.plain_pushes(),
            Happening::PlainPublishes { topic, bus } => self.plain_publishes(topic, bus),
        }
        self.flush();
    }

    /// The plain peer pushes job upon job.
    pub(crate) fn push_much(&mut self) {
        let mut at = self.now;
        for _ in 0..12 {
            at += self.random.below(60);
            self.schedule(at, Happening::PlainPushes);
        }
    }

    /// The plain peer publishes again and again, so that something falls into each gap.
    pub(crate) fn chatter(&mut self, topic: &'static str, bus: bool) {
        let mut at = self.now;
        for _ in 0..40 {
            at += self.random.below(30);
            self.schedule(at, Happening::PlainPublishes { topic, bus });
        }
    }

    fn opened(&mut self, wire: Wire, subprotocol: &'static str) {
        if !self.is_router_up {
            return self.refused(wire);
        }
        if !self.sockets[&wire].wanted {
            if self.peers[wire.peer].haunted {
                self.tell(wire.peer, Input::Opened { socket: wire.socket }, |session, now| {
                    session.handle_opened(SocketId::of(wire.socket), Some(subprotocol), now);
                });
            }
            return;
        }
        self.router.connected(wire);
        self.peers[wire.peer].socket = Some(wire);
        self.tell(wire.peer, Input::Opened { socket: wire.socket }, |session, now| {
            session.handle_opened(SocketId::of(wire.socket), Some(subprotocol), now);
        });
    }

    fn refused(&mut self, wire: Wire) {
        self.session_learns(wire, Failure::Unreachable { reason: "refused".to_owned() });
    }

    fn session_learns(&mut self, wire: Wire, failure: Failure) {
        let socket = self.sockets.get_mut(&wire).expect("sockets stay known");
        let was_wanted = std::mem::replace(&mut socket.wanted, false);
        if was_wanted || self.peers[wire.peer].haunted {
            self.forget(wire);
            let input = Input::Closed { socket: wire.socket, failure: failure.clone() };
            self.tell(wire.peer, input, |session, now| {
                session.handle_closed(SocketId::of(wire.socket), failure, now);
            });
        }
    }

    fn arrive_up(&mut self, wire: Wire, frame: Frame) {
        match frame {
            Frame::Message(message, _) => self.router.handle(wire, message),
            Frame::Ping => self.down(wire, Frame::Pong),
            Frame::Close => {
                self.router.disconnected(wire);
                self.down(wire, Frame::Close);
            }
            Frame::Pong => {}
        }
    }

    fn arrive_down(&mut self, wire: Wire, frame: Frame) {
        let socket = &self.sockets[&wire];
        if !socket.wanted && !self.peers[wire.peer].haunted {
            return;
        }
        let (peer, number, serializer) = (wire.peer, wire.socket, socket.serializer);
        match frame {
            Frame::Message(message, about) => {
                let bytes = message.encode(serializer);
                let frame =
                    if serializer.is_text() { Message::assume_text(bytes) } else { Message::binary(bytes) };
                self.tell(peer, Input::Message { socket: number, message, about }, |session, now| {
                    session.handle_message(SocketId::of(number), frame, now);
                });
            }
            Frame::Ping => {}
            Frame::Pong => self.tell(peer, Input::Pong { socket: number }, |session, now| {
                session.handle_pong(SocketId::of(number), now);
            }),
            Frame::Close => {
                self.session_learns(wire, Failure::Closed { code: 1000, reason: String::new() });
            }
        }
    }
}
