//! Whatever comes when, what the session promises holds.

use std::collections::{HashMap, HashSet};

use petasus_protocol::session::{
    Backoff, CancelMode, Config, Content, DeliveryMode, Destination, Dialect, Event, ExchangeId, Failure,
    Filter, Output, Publish, Push, Register, RegistrationId, RequestId, ServerUrl, Session, SocketId, Status,
    SubscriptionId, Until,
};
use petasus_protocol::{Message, Topic};
use proptest::prelude::*;

/// What happens, or is asked for. Numbers choose among what there is.
#[derive(Clone, Debug)]
enum Step {
    Connect,
    Subscribe(u8),
    Join(u8, bool),
    Unsubscribe(usize),
    Pull(u8),
    Unregister(usize),
    Publish(u8, Mode),
    Send(usize, Mode),
    Push(u8),
    Cancel(usize),
    Opened(usize),
    Message(usize),
    Pong(usize),
    Ended(usize, End),
    Blocked(usize, bool),
    Answer(usize, u16),
    Unanswered(usize, bool, End),
    Pass(u64),
    Check,
    Drain(u64),
    Close,
}

#[derive(Clone, Copy, Debug)]
enum Mode {
    Fire,
    Queued,
    Acked(u64),
}

#[derive(Clone, Copy, Debug)]
enum End {
    Broken,
    Normal,
    Restart,
    ForGood,
    Refused,
    Full,
}

impl End {
    fn failure(self) -> Failure {
        let closed = |code| Failure::Closed { code, reason: String::new() };
        match self {
            End::Broken => Failure::Broken { reason: String::new() },
            End::Normal => closed(1000),
            End::Restart => closed(1012),
            End::ForGood => closed(3500),
            End::Refused => Failure::Status { status: 403, text: String::new() },
            End::Full => Failure::Status { status: 503, text: String::new() },
        }
    }
}

fn step() -> impl Strategy<Value = Step> {
    // The first number of each sort is how often it is drawn.
    let topic = || 0..50_u8;
    let which = || any::<usize>();
    let mode = || prop_oneof![Just(Mode::Fire), Just(Mode::Queued), (1..5_000_u64).prop_map(Mode::Acked)];
    let end = || {
        use End::{Broken, ForGood, Full, Normal, Refused, Restart};
        prop_oneof![Just(Broken), Just(Normal), Just(Restart), Just(ForGood), Just(Refused), Just(Full)]
    };
    let status = || prop_oneof![Just(200_u16), Just(202), Just(403), Just(503)];
    prop_oneof![
        6 => Just(Step::Connect),
        4 => (0..4_u8).prop_map(Step::Subscribe),
        3 => (0..2_u8, any::<bool>()).prop_map(|(topic, echo)| Step::Join(topic, echo)),
        4 => which().prop_map(Step::Unsubscribe),
        2 => (0..2_u8).prop_map(Step::Pull),
        2 => which().prop_map(Step::Unregister),
        12 => (topic(), mode()).prop_map(|(topic, mode)| Step::Publish(topic, mode)),
        3 => (which(), mode()).prop_map(|(which, mode)| Step::Send(which, mode)),
        3 => topic().prop_map(Step::Push),
        1 => which().prop_map(Step::Cancel),
        16 => which().prop_map(Step::Opened),
        8 => which().prop_map(Step::Message),
        2 => which().prop_map(Step::Pong),
        6 => (which(), end()).prop_map(|(which, end)| Step::Ended(which, end)),
        4 => (which(), any::<bool>()).prop_map(|(which, blocked)| Step::Blocked(which, blocked)),
        4 => (which(), status()).prop_map(|(which, status)| Step::Answer(which, status)),
        3 => (which(), any::<bool>(), end()).prop_map(|(which, sent, end)| Step::Unanswered(which, sent, end)),
        8 => (0..40_000_u64).prop_map(Step::Pass),
        1 => Just(Step::Check),
        1 => (0..20_000_u64).prop_map(Step::Drain),
        1 => Just(Step::Close),
    ]
}

/// A driver that knows what the session owes.
struct Judge {
    session: Session,
    now: u64,
    /// Sockets that were to be opened and did not end, and what they are for.
    sockets: HashMap<SocketId, Socket>,
    exchanges: Vec<ExchangeId>,
    /// Those that the program did not end, and that did not end by themselves.
    subscriptions: Vec<SubscriptionId>,
    registrations: Vec<RegistrationId>,
    /// Those that the program has ended, until that is confirmed.
    leaving: HashSet<u64>,
    /// Those that are not answered.
    requests: Vec<RequestId>,
    closed: bool,
}

struct Socket {
    publishes: bool,
    open: bool,
    /// A Close frame was sent.
    closing: bool,
}

impl Judge {
    fn new(seed: u64) -> Judge {
        let mut config = Config::new(ServerUrl::parse("ws://host").expect("it is a URL"));
        config.dialect = Dialect::Mercury;
        config.backoff = Backoff { base: 100, cap: 2_000, stable: 1_000 };
        config.queue_bytes = 1_000;
        config.request_timeout = 10_000;
        Judge {
            session: Session::new(config, seed),
            now: 0,
            sockets: HashMap::new(),
            exchanges: Vec::new(),
            subscriptions: Vec::new(),
            registrations: Vec::new(),
            leaving: HashSet::new(),
            requests: Vec::new(),
            closed: false,
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Connect => self.session.connect(self.now),
            Step::Subscribe(topic) => self.subscribe(Filter::Tree(named(topic))),
            Step::Join(topic, echo) => self.subscribe(Filter::Bus { topic: named(topic), echo }),
            Step::Unsubscribe(which) => {
                if let Some(id) = take(&mut self.subscriptions, which) {
                    self.leaving.insert(id.as_u64());
                    self.session.unsubscribe(id, self.now);
                }
            }
            Step::Pull(topic) => {
                let register = Register::Queue { topic: named(topic), concurrency: 1 };
                self.registrations.extend(self.session.register(register, self.now).ok());
            }
            Step::Unregister(which) => {
                if let Some(id) = take(&mut self.registrations, which) {
                    self.leaving.insert(id.as_u64());
                    self.session.unregister(id, self.now);
                }
            }
            Step::Publish(topic, mode) => self.publish(Destination::Topic(named(topic)), mode),
            Step::Send(which, mode) => {
                if let Some(id) = chosen(&self.subscriptions, which) {
                    self.publish(Destination::Bus(id), mode);
                }
            }
            Step::Push(topic) => {
                let (topic, content) = (named(topic), Content::from("job"));
                let push = Push { topic, content, until: Until::Handed, timeout: None };
                self.requests.extend(self.session.push(push, self.now).ok());
            }
            Step::Cancel(which) => {
                if let Some(id) = take(&mut self.requests, which) {
                    self.session.cancel(id, CancelMode::Kill, self.now);
                }
            }
            Step::Check => self.session.check(self.now),
            Step::Drain(timeout) => self.session.drain(timeout, self.now),
            Step::Close => self.session.close(self.now),
            Step::Pass(milliseconds) => self.pass(milliseconds),
            happening => self.happen(&happening),
        }
        self.poll();
    }

    /// Something happens to a socket or a POST, if there is one.
    fn happen(&mut self, happening: &Step) {
        match *happening {
            Step::Opened(which) => {
                if let Some(socket) = self.socket(which, |socket| !socket.open && !socket.closing) {
                    self.sockets.get_mut(&socket).expect("it was chosen").open = true;
                    self.session.handle_opened(socket, None, self.now);
                }
            }
            Step::Message(which) => {
                if let Some(socket) = self.socket(which, |socket| socket.open) {
                    self.session.handle_message(socket, Message::from("x"), self.now);
                }
            }
            Step::Pong(which) => {
                if let Some(socket) = self.socket(which, |socket| socket.open) {
                    self.session.handle_pong(socket, self.now);
                }
            }
            Step::Blocked(which, blocked) => {
                if let Some(socket) = self.socket(which, |socket| socket.open) {
                    self.session.handle_blocked(socket, blocked, self.now);
                }
            }
            Step::Ended(which, end) => {
                if let Some(socket) = self.socket(which, |_| true) {
                    self.sockets.remove(&socket);
                    self.session.handle_closed(socket, end.failure(), self.now);
                }
            }
            Step::Answer(which, status) => {
                if let Some(exchange) = take(&mut self.exchanges, which) {
                    self.session.handle_answer(exchange, status, "", self.now);
                }
            }
            Step::Unanswered(which, sent, end) => {
                if let Some(exchange) = take(&mut self.exchanges, which) {
                    self.session.handle_unanswered(exchange, sent, end.failure(), self.now);
                }
            }
            _ => unreachable!("the others are what the program asks for"),
        }
    }

    fn subscribe(&mut self, filter: Filter) {
        self.subscriptions.extend(self.session.subscribe(filter, self.now).ok());
    }

    fn publish(&mut self, to: Destination, mode: Mode) {
        let delivery = match mode {
            Mode::Fire => DeliveryMode::Fire,
            Mode::Queued => DeliveryMode::Queued,
            Mode::Acked(timeout) => DeliveryMode::Acknowledged { timeout: Some(timeout) },
        };
        let publish = Publish { to, content: Content::from("message"), delivery, to_self: true };
        if let Ok(Some(request)) = self.session.publish(publish, self.now) {
            self.requests.push(request);
        }
    }

    fn pass(&mut self, milliseconds: u64) {
        let end = self.now + milliseconds;
        let mut turns = 0;
        while let Some(at) = self.session.poll_timeout().filter(|&at| at <= end) {
            turns += 1;
            assert!(turns < 10_000, "an alarm that rings for ever");
            self.now = self.now.max(at);
            self.session.handle_timeout(self.now);
            self.poll();
        }
        self.now = end;
    }

    fn poll(&mut self) {
        while let Some(output) = self.session.poll_output() {
            self.output(&output);
        }
        while let Some(event) = self.session.poll_event() {
            self.event(event);
        }
        let publishing = self.sockets.values().filter(|socket| socket.publishes).count();
        assert!(publishing <= 32, "{publishing} sockets that only publish");
        // Four topics with all below them, two buses in two ways, two queues, and the one of presence.
        let others = self.sockets.values().filter(|socket| !socket.publishes && !socket.closing).count();
        assert!(others <= 4 + 2 * 2 + 2 + 1, "{others} sockets for eleven endpoints");
        assert!(self.session.waiting() <= 1_000);
        assert!(self.exchanges.len() <= 16);
    }

    fn output(&mut self, output: &Output) {
        match output {
            Output::Open { socket, url, .. } => {
                let publishes = url.contains("/pub/");
                let old = self.sockets.insert(*socket, Socket { publishes, open: false, closing: false });
                assert!(old.is_none(), "a number is used once");
            }
            Output::Send { socket, .. } | Output::Ping { socket } => {
                let socket = &self.sockets[socket];
                assert!(socket.open && !socket.closing, "nothing goes over a socket that is not open");
            }
            Output::Close { socket, .. } => {
                let socket = self.sockets.get_mut(socket).expect("it is there");
                assert!(!std::mem::replace(&mut socket.closing, true), "it is closed once");
            }
            Output::Drop { socket } => {
                assert!(self.sockets.remove(socket).is_some(), "it is dropped once");
            }
            Output::Post { exchange, .. } => self.exchanges.push(*exchange),
            Output::Abandon { exchange } => {
                let place = self.exchanges.iter().position(|known| known == exchange);
                self.exchanges.remove(place.expect("what is under way is abandoned once"));
            }
            other => panic!("{other:?}"),
        }
    }

    fn event(&mut self, event: Event) {
        assert!(!self.closed, "{event:?} after the end");
        match event {
            Event::Message { subscription, .. } | Event::Subscribed { subscription, .. } => {
                assert!(self.subscriptions.contains(&subscription), "nothing comes for one that is over");
            }
            Event::SubscriptionEnded { subscription, .. } => {
                strike(&mut self.subscriptions, &subscription);
            }
            Event::RegistrationEnded { registration, .. } => {
                strike(&mut self.registrations, &registration);
            }
            Event::Unsubscribed { subscription } => assert!(self.leaving.remove(&subscription.as_u64())),
            Event::Unregistered { registration } => assert!(self.leaving.remove(&registration.as_u64())),
            Event::Registered { registration, .. } => assert!(self.registrations.contains(&registration)),
            Event::Invocation { registration, .. } => {
                let leaving = self.leaving.contains(&registration.as_u64());
                assert!(leaving || self.registrations.contains(&registration));
            }
            Event::Done { request, .. } => strike(&mut self.requests, &request),
            Event::Status(Status::Closed { .. }) => self.closed = true,
            Event::Status(_) => {}
            other => panic!("{other:?}"),
        }
    }

    /// One of the sockets that are `fit`.
    fn socket(&self, which: usize, fit: impl Fn(&Socket) -> bool) -> Option<SocketId> {
        let mut fitting: Vec<SocketId> =
            self.sockets.iter().filter(|(_, socket)| fit(socket)).map(|(id, _)| *id).collect();
        fitting.sort();
        chosen(&fitting, which)
    }
}

fn named(topic: u8) -> Topic {
    Topic::new(&format!("t{topic}"))
}

fn chosen<T: Copy>(all: &[T], which: usize) -> Option<T> {
    all.get(which.checked_rem(all.len())?).copied()
}

fn take<T>(all: &mut Vec<T>, which: usize) -> Option<T> {
    let place = which.checked_rem(all.len())?;
    Some(all.remove(place))
}

fn strike<T: PartialEq + std::fmt::Debug>(all: &mut Vec<T>, one: &T) {
    let place = all.iter().position(|known| known == one);
    all.remove(place.unwrap_or_else(|| panic!("{one:?} is not there, or was told of before")));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    /// No message for who left, one end for each request, nothing over a socket that is gone, nothing that waits for
    /// ever, and bounds that hold.
    #[test]
    fn whatever_comes_the_promises_hold(seed: u64, steps in prop::collection::vec(step(), 1..200)) {
        let mut judge = Judge::new(seed);
        for step in steps {
            judge.take(step);
        }
        // All deadlines of requests pass, with nothing answered.
        judge.pass(20_000);
        prop_assert!(judge.requests.is_empty(), "{:?} wait for ever", judge.requests);
        judge.take(Step::Drain(5_000));
        judge.pass(20_000);
        prop_assert!(judge.closed, "it ends");
        prop_assert!(judge.sockets.is_empty() && judge.exchanges.is_empty());
        prop_assert!(judge.subscriptions.is_empty() && judge.registrations.is_empty());
        prop_assert!(judge.leaving.is_empty() && judge.requests.is_empty());
        prop_assert_eq!(judge.session.waiting(), 0);
        prop_assert_eq!(judge.session.poll_timeout(), None);
    }
}
