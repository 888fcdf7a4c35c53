//! What happens in a run: steps that mean something in whatever state they find, so that any of them can be left out.

use petasus_protocol::Topic;
use petasus_protocol::session::{CancelMode, DeliveryMode, Destination, Filter, Invoke, Register, Until};
use petasus_protocol::wamp::uri::Match;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::history::What;
use crate::program::How;
use crate::router::Router;
use crate::world::World;

/// A run.
#[derive(Clone, Debug)]
pub(crate) struct Script {
    /// Of what the steps do not say: the router's manners, latencies, who answers how.
    pub(crate) seed: u64,
    pub(crate) steps: Vec<(u8, Step)>,
}

/// What one peer, its network or the router does. Numbers choose among what there is.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    Wait(u16),
    Subscribe(u8),
    Unsubscribe(u8),
    Publish { topic: u8, mode: u8, to_self: bool, large: bool },
    Send { bus: u8, mode: u8 },
    Call { procedure: u8, timeout: bool, progress: bool, more: bool },
    CallMore { which: u8, more: bool },
    Cancel { which: u8, skip: bool },
    Register(u8),
    Unregister(u8),
    Answer { which: u8, how: u8 },
    AnswerAgain(u8),
    Push { topic: u8, done: bool, timeout: bool },
    Cut { session_after: u8, router_after: u16 },
    Hang { up: bool, down: bool },
    RefuseSockets(u8),
    SlowSocket(u16),
    Block(bool),
    Latency(u8),
    Lateness(u8),
    EarlyTimeout,
    Check,
    Kill(u16),
    RouterRefuses(u8),
    RouterAborts(u8),
    RevokeSubscription(u8),
    RevokeRegistration(u8),
    Shutdown,
    PlainPublishes { topic: u8, bus: bool },
    Chatter { topic: u8, bus: bool },
    PushMuch,
    Drain(u16),
    Close,
}

/// Runs of all kinds.
pub(crate) fn scripts() -> impl Strategy<Value = Script> {
    (any::<u64>(), vec((any::<u8>(), steps()), 1..60)).prop_map(|(seed, steps)| Script { seed, steps })
}

fn steps() -> impl Strategy<Value = Step> {
    let (byte, flag) = (any::<u8>, any::<bool>);
    let program = prop_oneof![
        8 => byte().prop_map(Step::Subscribe),
        3 => byte().prop_map(Step::Unsubscribe),
        8 => (byte(), byte(), flag(), flag()).prop_map(|(topic, mode, to_self, large)| {
            Step::Publish { topic, mode, to_self, large: large && mode % 4 == 0 }
        }),
        2 => (byte(), byte()).prop_map(|(bus, mode)| Step::Send { bus, mode }),
        9 => (byte(), flag(), flag(), byte()).prop_map(|(procedure, timeout, progress, more)| {
            Step::Call { procedure, timeout, progress, more: more % 4 == 0 }
        }),
        4 => (byte(), flag()).prop_map(|(which, more)| Step::CallMore { which, more }),
        2 => (byte(), flag()).prop_map(|(which, skip)| Step::Cancel { which, skip }),
        8 => byte().prop_map(Step::Register),
        2 => byte().prop_map(Step::Unregister),
        5 => (byte(), byte()).prop_map(|(which, how)| Step::Answer { which, how }),
        1 => byte().prop_map(Step::AnswerAgain),
        7 => (byte(), flag(), flag()).prop_map(|(topic, done, timeout)| Step::Push { topic, done, timeout }),
        1 => Just(Step::Check),
    ];
    let world = prop_oneof![
        4 => (byte(), any::<u16>()).prop_map(|(session_after, router)| {
            Step::Cut { session_after, router_after: router % 3_000 }
        }),
        1 => (flag(), flag()).prop_map(|(up, down)| Step::Hang { up: up || !down, down }),
        1 => (1..4_u8).prop_map(Step::RefuseSockets),
        1 => (0..5_000_u16).prop_map(Step::SlowSocket),
        2 => flag().prop_map(Step::Block),
        1 => byte().prop_map(Step::Latency),
        1 => (0..100_u8).prop_map(Step::Lateness),
        1 => Just(Step::EarlyTimeout),
        1 => (0..4_000_u16).prop_map(Step::Kill),
        2 => (1..4_u8).prop_map(Step::RouterRefuses),
        1 => (1..3_u8).prop_map(Step::RouterAborts),
        2 => byte().prop_map(Step::RevokeSubscription),
        2 => byte().prop_map(Step::RevokeRegistration),
        1 => Just(Step::Shutdown),
        4 => Just(Step::PushMuch),
        4 => (byte(), flag()).prop_map(|(topic, bus)| Step::PlainPublishes { topic, bus }),
        4 => (byte(), flag()).prop_map(|(topic, bus)| Step::Chatter { topic, bus }),
    ];
    prop_oneof![
        70 => program,
        16 => world,
        24 => (0..30_u16).prop_map(Step::Wait),
        18 => (0..800_u16).prop_map(Step::Wait),
        2 => (0..9_000_u16).prop_map(Step::Wait),
        1 => prop_oneof![(0..6_000_u16).prop_map(Step::Drain), Just(Step::Close)],
    ]
}

/// Plays a run to its end.
pub(crate) fn play(script: &Script, prepare: impl FnOnce(&mut World)) -> World {
    let mut world = World::new(script.seed);
    prepare(&mut world);
    for peer in 0..world.peers.len() {
        // Some programs ask for much before they connect.
        if !world.random.one_in(4) {
            world.connect(peer);
        }
    }
    // Most runs begin when all stands.
    if !world.random.one_in(3) {
        world.advance(700);
    }
    for (peer, step) in &script.steps {
        let peer = usize::from(*peer) % world.peers.len();
        take(&mut world, peer, step);
    }
    finish(&mut world);
    world
}

/// Everything gets well, and comes to rest; then all sessions are ended.
fn finish(world: &mut World) {
    world.heal();
    for peer in 0..world.peers.len() {
        if !world.peers[peer].program.is_connecting {
            world.connect(peer);
        }
        while !world.peers[peer].program.tasks.is_empty() {
            world.answer(peer, 0, How::Result);
        }
    }
    world.advance(40_000);
    world.take_stock();
    for peer in 0..world.peers.len() {
        if world.random.one_in(2) {
            world.drain(peer, 5_000);
        } else {
            world.close(peer);
        }
    }
    world.advance(20_000);
    world.note(What::End);
}

fn pick(number: u8, among: usize) -> Option<usize> {
    (among > 0).then(|| usize::from(number) % among)
}

fn take(world: &mut World, peer: usize, step: &Step) {
    match *step {
        Step::Wait(milliseconds) => world.advance(milliseconds.into()),
        Step::Cut { session_after, router_after } => {
            world.cut(peer, session_after.into(), router_after.into());
        }
        Step::Hang { up, down } => world.hang(peer, up, down, 6_000),
        Step::RefuseSockets(times) => world.peers[peer].refused = times.into(),
        Step::SlowSocket(milliseconds) => world.peers[peer].slow = milliseconds.into(),
        Step::Block(blocked) => world.block(peer, blocked),
        Step::Latency(milliseconds) => world.peers[peer].latency = milliseconds.into(),
        Step::Lateness(milliseconds) => world.be_late(peer, milliseconds.into()),
        Step::EarlyTimeout => world.ring(peer),
        Step::Kill(down) => world.kill(down.into()),
        Step::RouterRefuses(times) => world.router.manners.refuse = times.into(),
        Step::RouterAborts(times) => world.router.manners.abort = times.into(),
        Step::PlainPublishes { topic, bus } => {
            world.plain_publishes(URIS[usize::from(topic) % URIS.len()], bus);
        }
        Step::Chatter { topic, bus } => world.chatter(URIS[usize::from(topic) % URIS.len()], bus),
        Step::RevokeSubscription(which) => {
            world.at_router(peer, |router, wire| router.revoke_subscription(wire, which.into()));
        }
        Step::RevokeRegistration(which) => {
            world.at_router(peer, |router, wire| router.revoke_registration(wire, which.into()));
        }
        Step::PushMuch => world.push_much(),
        Step::Shutdown => world.at_router(peer, Router::shut_down),
        ref step => ask(world, peer, step),
    }
}

fn ask(world: &mut World, peer: usize, step: &Step) {
    let program = &world.peers[peer].program;
    match *step {
        Step::Subscribe(which) => world.subscribe(peer, filter(which)),
        Step::Unsubscribe(which) => {
            if let Some(which) = pick(which, program.subscriptions.len()) {
                world.unsubscribe(peer, which);
            }
        }
        Step::Publish { topic, mode, to_self, large } => {
            let to = Destination::Topic(Topic::new(TOPICS[usize::from(topic) % TOPICS.len()]));
            world.publish(peer, to, delivery(mode), to_self, if large { 200 } else { 0 });
        }
        Step::Send { bus, mode } => {
            if let Some(which) = pick(bus, program.buses.len()) {
                let to = Destination::Bus(program.buses[which]);
                world.publish(peer, to, delivery(mode), false, 0);
            }
        }
        Step::Call { procedure, timeout, progress, more } => {
            let procedure = PROCEDURES[usize::from(procedure) % PROCEDURES.len()];
            world.call(peer, procedure, timeout.then_some(400), progress, more);
        }
        Step::CallMore { which, more } => {
            if let Some(which) = pick(which, program.open_calls.len()) {
                world.call_more(peer, which, more);
            }
        }
        Step::Cancel { which, skip } => {
            if let Some(which) = pick(which, program.requests.len()) {
                world.cancel(peer, which, if skip { CancelMode::Skip } else { CancelMode::Kill });
            }
        }
        Step::Register(which) => world.register(peer, registration(which)),
        Step::Unregister(which) => {
            if let Some(which) = pick(which, program.registrations.len()) {
                world.unregister(peer, which);
            }
        }
        Step::Answer { which, how } => {
            if let Some(which) = pick(which, program.tasks.len()) {
                world.answer(peer, which, [How::Result, How::Progress, How::Failed][usize::from(how) % 3]);
            }
        }
        Step::AnswerAgain(which) => {
            if let Some(which) = pick(which, program.stale.len()) {
                world.answer_again(peer, which);
            }
        }
        Step::Push { topic, done, timeout } => {
            let topic = QUEUES[usize::from(topic) % QUEUES.len()];
            let until = if done { Until::Done } else { Until::Handed };
            world.push_to(peer, topic, until, timeout.then_some(400));
        }
        Step::Check => world.check(peer),
        Step::Drain(timeout) => world.drain(peer, timeout.into()),
        Step::Close => world.close(peer),
        _ => unreachable!("the network's steps are taken before"),
    }
}

const TOPICS: [&str; 4] = ["a", "a/b", "a/b/c", "d"];
const URIS: [&str; 4] = ["a", "a.b", "a.b.c", "d"];
const QUEUES: [&str; 3] = ["jobs", "jobs", "work/a"];
const PROCEDURES: [&str; 9] = [
    "com.one",
    "com.one",
    "com.one",
    "com.shared",
    "com.shared",
    "com.many.x",
    crate::plain::PROCEDURE,
    crate::plain::PROCEDURE,
    "com.nobody",
];

fn filter(which: u8) -> Filter {
    let topic = |text| Topic::new(text);
    match which % 12 {
        0 | 1 => Filter::Tree(topic("a")),
        2 => Filter::Tree(topic("a/b")),
        3 => Filter::Exact(topic("a")),
        4 => Filter::Exact(topic("a/b")),
        5 => Filter::Prefix("a.".to_owned()),
        6 => Filter::Prefix("a".to_owned()),
        7 => Filter::Wildcard(".b".to_owned()),
        8 => Filter::Tree(topic("d")),
        9 => Filter::Bus { topic: topic("a"), echo: false },
        10 => Filter::Bus { topic: topic("a"), echo: true },
        _ => Filter::Bus { topic: topic("d"), echo: false },
    }
}

fn registration(which: u8) -> Register {
    let procedure = |uri: &str, matching, invoke| Register::Procedure {
        uri: uri.to_owned(),
        matching,
        invoke,
        concurrency: None,
    };
    match which % 6 {
        0 => procedure("com.one", Match::Exact, Invoke::Single),
        1 => procedure("com.shared", Match::Exact, Invoke::RoundRobin),
        2 => procedure("com.many.", Match::Prefix, Invoke::Single),
        3 => Register::Queue { topic: Topic::new("jobs"), concurrency: 1 },
        4 => Register::Queue { topic: Topic::new("jobs"), concurrency: 3 },
        _ => Register::Queue { topic: Topic::new("work/a"), concurrency: 2 },
    }
}

fn delivery(mode: u8) -> DeliveryMode {
    match mode % 5 {
        0 => DeliveryMode::Fire,
        1 => DeliveryMode::Queued,
        2 => DeliveryMode::Acknowledged { timeout: Some(500) },
        _ => DeliveryMode::Acknowledged { timeout: None },
    }
}
