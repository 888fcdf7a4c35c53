//! A session on a virtual clock, whose outputs and events are short texts.

use petasus_protocol::session::{
    Answer, Backoff, Config, Content, DeliveryMode, Destination, Dialect, Error, Event, ExchangeId, Failure,
    Filter, InvocationId, Outcome, Output, Publish, Push, Register, RegistrationId, RequestId, ServerUrl,
    Session, SocketId, Status, SubscriptionId, Until,
};
use petasus_protocol::{Message, Topic};

/// Numbers things in the order in which they first appear, so that scripts can name them.
#[derive(Debug)]
struct Names<T>(Vec<T>);

impl<T: PartialEq + Copy + std::fmt::Debug> Names<T> {
    fn of(&mut self, thing: T) -> usize {
        let place = self.0.iter().position(|known| *known == thing).unwrap_or_else(|| {
            self.0.push(thing);
            self.0.len() - 1
        });
        place + 1
    }
}

/// A session with its clock.
pub(crate) struct Rig {
    pub(crate) session: Session,
    pub(crate) now: u64,
    sockets: Names<SocketId>,
    exchanges: Names<ExchangeId>,
    holders: Names<u64>,
    requests: Names<RequestId>,
    invocations: Names<InvocationId>,
    /// What was polled to learn the names of sockets, and is not in any log yet.
    unread: Vec<String>,
}

impl Rig {
    pub(crate) fn new() -> Rig {
        Rig::with(|_| ())
    }

    /// Waits are at most 100 ms, so that scripts can step over them.
    pub(crate) fn with(change: impl FnOnce(&mut Config)) -> Rig {
        let mut config = Config::new(ServerUrl::parse("ws://host").expect("it is a URL"));
        config.dialect = Dialect::Mercury;
        config.backoff = Backoff { base: 100, cap: 100, stable: 1_000 };
        change(&mut config);
        Rig {
            session: Session::new(config, 7),
            now: 1_000,
            sockets: Names(Vec::new()),
            exchanges: Names(Vec::new()),
            holders: Names(Vec::new()),
            requests: Names(Vec::new()),
            invocations: Names(Vec::new()),
            unread: Vec::new(),
        }
    }

    /// A session that is connected and subscribed to `a` by socket 1, as subscription 1.
    pub(crate) fn subscribed() -> Rig {
        let mut rig = Rig::new();
        rig.subscribe("a");
        rig.connect();
        rig.open(1);
        rig.expect(&["open 1 /sub/a", "connecting 0", "stands 1", "connected"]);
        rig
    }

    pub(crate) fn connect(&mut self) {
        self.session.connect(self.now);
    }

    pub(crate) fn open(&mut self, socket: usize) {
        self.unread = self.log();
        self.session.handle_opened(self.sockets.0[socket - 1], None, self.now);
    }

    pub(crate) fn message(&mut self, socket: usize, text: &str) {
        self.session.handle_message(self.sockets.0[socket - 1], Message::from(text), self.now);
    }

    /// Who hears a message by this socket, unless it has to go the long way.
    pub(crate) fn heard(&mut self, socket: usize) -> Option<Vec<SubscriptionId>> {
        let mut all = Vec::new();
        let socket = self.sockets.0[socket - 1];
        self.session.handle_event(socket, 0, self.now, &mut |id| all.push(id)).then_some(all)
    }

    pub(crate) fn topic_of(&self, socket: usize) -> Option<Topic> {
        self.session.topic_of(self.sockets.0[socket - 1], 0).cloned()
    }

    pub(crate) fn pong(&mut self, socket: usize) {
        self.session.handle_pong(self.sockets.0[socket - 1], self.now);
    }

    pub(crate) fn closed(&mut self, socket: usize, failure: Failure) {
        self.session.handle_closed(self.sockets.0[socket - 1], failure, self.now);
    }

    pub(crate) fn breaks(&mut self, socket: usize) {
        self.closed(socket, broken());
    }

    /// An attempt that comes to nothing.
    pub(crate) fn breaks_before_it_opens(&mut self, socket: usize) {
        self.unread = self.log();
        self.breaks(socket);
    }

    pub(crate) fn blocked(&mut self, socket: usize, blocked: bool) {
        self.session.handle_blocked(self.sockets.0[socket - 1], blocked, self.now);
    }

    pub(crate) fn answer(&mut self, exchange: usize, status: u16, text: &str) {
        self.session.handle_answer(self.exchanges.0[exchange - 1], status, text, self.now);
    }

    pub(crate) fn unanswered(&mut self, exchange: usize, sent: bool, failure: Failure) {
        self.session.handle_unanswered(self.exchanges.0[exchange - 1], sent, failure, self.now);
    }

    /// Lets time pass, with every alarm on the way.
    pub(crate) fn pass(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        while let Some(at) = self.session.poll_timeout().filter(|&at| at <= end) {
            self.now = self.now.max(at);
            self.session.handle_timeout(self.now);
        }
        self.now = end;
    }

    pub(crate) fn subscribe(&mut self, topic: &str) -> SubscriptionId {
        self.filter(Filter::Tree(Topic::new(topic))).expect("Mercury has this filter")
    }

    pub(crate) fn join(&mut self, topic: &str, echo: bool) -> SubscriptionId {
        self.filter(Filter::Bus { topic: Topic::new(topic), echo }).expect("Mercury has this filter")
    }

    pub(crate) fn filter(&mut self, filter: Filter) -> Result<SubscriptionId, Error> {
        let id = self.session.subscribe(filter, self.now)?;
        self.holders.of(id.as_u64());
        Ok(id)
    }

    pub(crate) fn unsubscribe(&mut self, subscription: SubscriptionId) {
        self.session.unsubscribe(subscription, self.now);
    }

    pub(crate) fn pull(&mut self, topic: &str) -> RegistrationId {
        let register = Register::Queue { topic: Topic::new(topic), concurrency: 1 };
        let id = self.session.register(register, self.now).expect("Mercury has queues");
        self.holders.of(id.as_u64());
        id
    }

    pub(crate) fn unregister(&mut self, registration: RegistrationId) {
        self.session.unregister(registration, self.now);
    }

    pub(crate) fn publish(
        &mut self,
        topic: &str,
        text: &str,
        delivery: DeliveryMode,
    ) -> Result<Option<RequestId>, Error> {
        self.send(Destination::Topic(Topic::new(topic)), text, delivery)
    }

    pub(crate) fn send(
        &mut self,
        to: Destination,
        text: &str,
        delivery: DeliveryMode,
    ) -> Result<Option<RequestId>, Error> {
        let publish = Publish { to, content: Content::from(text), delivery, to_self: true };
        let request = self.session.publish(publish, self.now)?;
        if let Some(request) = request {
            self.requests.of(request);
        }
        Ok(request)
    }

    /// Publishes without an answer, to wait if need be.
    pub(crate) fn queue(&mut self, topic: &str, text: &str) {
        assert_eq!(self.publish(topic, text, DeliveryMode::Queued), Ok(None));
    }

    /// Publishes with an answer.
    pub(crate) fn acked(&mut self, topic: &str, text: &str) -> RequestId {
        let delivery = DeliveryMode::Acknowledged { timeout: None };
        self.publish(topic, text, delivery).expect("there is room").expect("an acknowledgement has a request")
    }

    pub(crate) fn push(&mut self, topic: &str, text: &str, until: Until) -> Result<RequestId, Error> {
        let push = Push { topic: Topic::new(topic), content: Content::from(text), until, timeout: None };
        let request = self.session.push(push, self.now)?;
        self.requests.of(request);
        Ok(request)
    }

    /// Answers a job.
    pub(crate) fn done(&mut self, invocation: usize) -> Result<(), Error> {
        let answer = Answer::Result(Content::empty());
        self.session.answer(self.invocations.0[invocation - 1], answer, self.now)
    }

    /// What the session wants and tells since the last time: all outputs, then all events.
    pub(crate) fn log(&mut self) -> Vec<String> {
        let mut log = std::mem::take(&mut self.unread);
        while let Some(output) = self.session.poll_output() {
            log.push(self.output(&output));
        }
        while let Some(event) = self.session.poll_event() {
            log.push(self.event(event));
        }
        log
    }

    #[track_caller]
    pub(crate) fn expect(&mut self, expected: &[&str]) {
        assert_eq!(self.log(), expected);
    }

    fn output(&mut self, output: &Output) -> String {
        match output {
            Output::Open { socket, url, subprotocols } => {
                assert!(subprotocols.is_empty(), "Mercury has no subprotocol");
                format!("open {} {}", self.sockets.of(*socket), path(url))
            }
            Output::Send { socket, message } => {
                format!("send {} {}", self.sockets.of(*socket), text(message))
            }
            Output::Ping { socket } => format!("ping {}", self.sockets.of(*socket)),
            Output::Close { socket, code, .. } => format!("close {} {code}", self.sockets.of(*socket)),
            Output::Drop { socket } => format!("drop {}", self.sockets.of(*socket)),
            Output::Post { exchange, url, message } => {
                format!("post {} {} {}", self.exchanges.of(*exchange), path(url), text(message))
            }
            Output::Abandon { exchange } => format!("abandon {}", self.exchanges.of(*exchange)),
            other => panic!("{other:?}"),
        }
    }

    fn event(&mut self, event: Event) -> String {
        match event {
            Event::Status(status) => shown(status),
            Event::Subscribed { subscription, again } => self.stands(subscription.as_u64(), again),
            Event::Registered { registration, again } => self.stands(registration.as_u64(), again),
            Event::Unsubscribed { subscription } => {
                format!("left {}", self.holders.of(subscription.as_u64()))
            }
            Event::Unregistered { registration } => {
                format!("left {}", self.holders.of(registration.as_u64()))
            }
            Event::SubscriptionEnded { subscription, error } => {
                format!("ended {}: {}", self.holders.of(subscription.as_u64()), named(&error))
            }
            Event::RegistrationEnded { registration, error } => {
                format!("ended {}: {}", self.holders.of(registration.as_u64()), named(&error))
            }
            Event::Message { subscription, delivery } => {
                let topic = delivery.topic.map(|topic| format!("{topic}: ")).unwrap_or_default();
                let message = delivery.content.to_message().into_owned();
                format!("message {} {topic}{}", self.holders.of(subscription.as_u64()), text(&message))
            }
            Event::Invocation { registration, invocation, incoming } => {
                assert!(!incoming.answerable);
                let job = text(&incoming.content.to_message());
                let place = self.holders.of(registration.as_u64());
                format!("job {} for {place}: {job}", self.invocations.of(invocation))
            }
            Event::Done { request, outcome } => {
                format!("done {} {}", self.requests.of(request), came(outcome))
            }
            other => panic!("{other:?}"),
        }
    }

    fn stands(&mut self, holder: u64, again: bool) -> String {
        format!("stands {}{}", self.holders.of(holder), if again { " again" } else { "" })
    }
}

pub(crate) fn broken() -> Failure {
    Failure::Broken { reason: String::new() }
}

pub(crate) fn status(status: u16) -> Failure {
    Failure::Status { status, text: "sorry".to_owned() }
}

pub(crate) fn close_frame(code: u16) -> Failure {
    Failure::Closed { code, reason: String::new() }
}

fn path(url: &str) -> &str {
    url.strip_prefix("ws://host").expect("there is one host")
}

fn text(message: &Message) -> String {
    message.as_str().expect("scripts hold texts").to_owned()
}

fn shown(status: Status) -> String {
    match status {
        Status::Connecting { attempt } => format!("connecting {attempt}"),
        Status::Connected(_) => "connected".to_owned(),
        Status::Waiting { failure, wait } => {
            assert!(wait <= 100, "the backoff says so");
            format!("waiting: {}", kind(&failure))
        }
        Status::Draining => "draining".to_owned(),
        Status::Closed { failure: None } => "closed".to_owned(),
        Status::Closed { failure: Some(failure) } => format!("closed: {}", kind(&failure)),
        other => panic!("{other:?}"),
    }
}

fn came(outcome: Result<Outcome, Error>) -> String {
    match outcome {
        Ok(outcome) => format!("{outcome:?}"),
        Err(error) => named(&error),
    }
}

/// The kind of an error, and what it holds.
pub(crate) fn named(error: &Error) -> String {
    match error {
        Error::Refused(refusal) => format!("Refused {} {:?}", refusal.uri, refusal.text),
        Error::GaveUp(failure) => format!("GaveUp {}", kind(failure)),
        other => kind(other),
    }
}

/// The first word of what `Debug` writes.
fn kind(thing: &impl std::fmt::Debug) -> String {
    let all = format!("{thing:?}");
    all.split([' ', '(']).next().unwrap_or_default().to_owned()
}
