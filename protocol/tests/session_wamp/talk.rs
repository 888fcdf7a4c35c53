//! The two sides of a scripted exchange.

use petasus_protocol::Message;
use petasus_protocol::session::{Config, Event, Failure, Output, ServerUrl, Session, SocketId, Status};

/// A WELCOME of a router that can do everything.
pub(crate) const WELCOME: &str = r#"[2,7,{"realm":"default","authid":"joe","authrole":"user","authmethod":"anonymous",
    "roles":{"broker":{"features":{"pattern_based_subscription":true}},
    "dealer":{"features":{"call_canceling":true,"call_timeout":true,"pattern_based_registration":true,
    "progressive_call_invocations":true,"shared_registration":true}}},"_pattern":["bus","queue"]}]"#;

/// A session, its clock, and the router's end of its socket.
pub(crate) struct Talk {
    pub(crate) session: Session,
    pub(crate) now: u64,
    socket: Option<SocketId>,
    /// Outputs that no test has looked at yet.
    outputs: Vec<Output>,
}

pub(crate) fn config() -> Config {
    Config::new(ServerUrl::parse("ws://broker:3000").expect("a URL"))
}

impl Talk {
    pub(crate) fn new(config: Config) -> Talk {
        Talk { session: Session::new(config, 1), now: 1_000, socket: None, outputs: Vec::new() }
    }

    /// A session that is welcome, with nothing left to be looked at.
    pub(crate) fn welcome() -> Talk {
        Talk::welcome_with(config())
    }

    pub(crate) fn welcome_with(config: Config) -> Talk {
        let mut talk = Talk::new(config);
        talk.session.connect(talk.now);
        talk.open();
        talk.router(WELCOME);
        talk.sent();
        talk.events();
        talk
    }

    /// The socket that is to be opened opens.
    pub(crate) fn open(&mut self) {
        let socket = self.opening();
        self.session.handle_opened(socket, Some("wamp.2.json"), self.now);
        self.socket = Some(socket);
    }

    /// The socket that is to be opened.
    pub(crate) fn opening(&mut self) -> SocketId {
        self.drain_outputs();
        let place = self.outputs.iter().position(|output| matches!(output, Output::Open { .. }));
        match self.outputs.remove(place.expect("a socket to open")) {
            Output::Open { socket, .. } => socket,
            _ => unreachable!("it was an Open"),
        }
    }

    /// The session is let in again after a loss.
    pub(crate) fn reconnect(&mut self) {
        self.wait(20_000);
        self.open();
        self.sent();
        self.router(WELCOME);
    }

    /// The router says this.
    pub(crate) fn router(&mut self, json: &str) {
        let socket = self.socket.expect("a socket");
        self.session.handle_message(socket, Message::from(json), self.now);
    }

    pub(crate) fn socket(&self) -> SocketId {
        self.socket.expect("a socket")
    }

    /// The connection breaks.
    pub(crate) fn breaks(&mut self) {
        let failure = Failure::Broken { reason: "reset".to_owned() };
        self.session.handle_closed(self.socket(), failure, self.now);
    }

    /// The socket is closed as was asked for.
    pub(crate) fn closed(&mut self) {
        self.closes(1000);
    }

    /// The router closes the socket.
    pub(crate) fn closes(&mut self, code: u16) {
        let failure = Failure::Closed { code, reason: String::new() };
        self.session.handle_closed(self.socket(), failure, self.now);
    }

    /// Time goes by, and the driver wakes up whenever it was told to, until `span` is over.
    pub(crate) fn pass(&mut self, span: u64) {
        let end = self.now + span;
        let mut times = 0;
        while let Some(at) = self.session.poll_timeout().filter(|&at| at <= end) {
            self.now = self.now.max(at);
            self.session.handle_timeout(self.now);
            times += 1;
            assert!(times < 10_000, "the same thing is due again and again");
        }
        self.now = end;
    }

    /// Waits until a socket is to be opened, `span` at most.
    pub(crate) fn wait(&mut self, span: u64) {
        let end = self.now + span;
        loop {
            self.drain_outputs();
            if self.outputs.iter().any(|output| matches!(output, Output::Open { .. })) {
                return;
            }
            let at = self.session.poll_timeout().filter(|&at| at <= end).expect("an attempt to connect");
            self.now = self.now.max(at);
            self.session.handle_timeout(self.now);
        }
    }

    fn drain_outputs(&mut self) {
        self.outputs.extend(std::iter::from_fn(|| self.session.poll_output()));
    }

    /// What is to be done since the last look: messages as their JSON, all else in a word.
    pub(crate) fn sent(&mut self) -> Vec<String> {
        self.drain_outputs();
        let word = |output: Output| match output {
            Output::Send { message, .. } => message.as_str().expect("JSON").to_owned(),
            Output::Open { url, subprotocols, .. } => format!("open {url} {}", subprotocols.join(" ")),
            Output::Close { code, .. } => format!("close {code}"),
            Output::Drop { .. } => "drop".to_owned(),
            Output::Ping { .. } => "ping".to_owned(),
            other => format!("{other:?}"),
        };
        self.outputs.drain(..).map(word).collect()
    }

    /// What the program is told since the last look.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.session.poll_event()).collect()
    }

    /// What the program is told since the last look, but for the status.
    pub(crate) fn told(&mut self) -> Vec<Event> {
        self.events().into_iter().filter(|event| !matches!(event, Event::Status(_))).collect()
    }

    /// The statuses since the last look, each by its first word.
    pub(crate) fn statuses(&mut self) -> Vec<String> {
        let status = |event| match event {
            Event::Status(Status::Connected(_)) => Some("Connected".to_owned()),
            Event::Status(status) => Some(format!("{status:?}")),
            _ => None,
        };
        self.events().into_iter().filter_map(status).collect()
    }
}
