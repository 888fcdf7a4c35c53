//! A router that says anything at any time, to a program that asks for anything at any time.

use std::collections::BTreeMap;

use petasus_protocol::Topic;
use petasus_protocol::session::{
    Answer, Call, CancelMode, Content, DeliveryMode, Destination, Event, Filter, InvocationId, Invoke,
    Output, Publish, Push, Register, RegistrationId, RequestId, Session, SocketId, Status, SubscriptionId,
    Until,
};
use petasus_protocol::wamp::uri::Match;
use petasus_protocol::{Message, session::Failure};

use crate::talk::{WELCOME, config};

/// `xorshift64*`.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) % sides
    }
}

/// What the program has been told, and what it holds.
#[derive(Default)]
struct World {
    sockets: Vec<SocketId>,
    opening: Vec<SocketId>,
    subscriptions: Vec<SubscriptionId>,
    registrations: Vec<RegistrationId>,
    invocations: Vec<InvocationId>,
    /// The requests, each with whether it was canceled.
    requests: BTreeMap<RequestId, bool>,
    done: Vec<RequestId>,
    closed: u32,
    /// The requests of the present connection, by type, for answers that fit.
    asked: Vec<(u64, u64)>,
}

impl World {
    fn look(&mut self, session: &mut Session) {
        while let Some(output) = session.poll_output() {
            match output {
                Output::Open { socket, .. } => self.opening.push(socket),
                Output::Drop { socket } => {
                    self.sockets.retain(|other| *other != socket);
                    self.opening.retain(|other| *other != socket);
                }
                Output::Send { message, socket } => {
                    assert!(self.sockets.contains(&socket), "a message for a socket that is not open");
                    let text = message.as_str().expect("JSON").trim_start_matches('[');
                    let mut numbers = text.split(',').map(|number| number.parse().ok());
                    if let (Some(Some(code)), Some(Some(request))) = (numbers.next(), numbers.next()) {
                        self.asked.push((code, request));
                    }
                }
                _ => {}
            }
        }
        while let Some(event) = session.poll_event() {
            assert_eq!(self.closed, 0, "something is told after the end: {event:?}");
            match event {
                Event::Done { request, .. } => {
                    assert_eq!(self.requests.get(&request), Some(&false), "a request that was canceled");
                    assert!(!self.done.contains(&request), "{request:?} ends twice");
                    self.done.push(request);
                }
                Event::Invocation { invocation, .. } => self.invocations.push(invocation),
                Event::Status(Status::Closed { .. }) => self.closed += 1,
                _ => {}
            }
        }
    }
}

fn pick<T: Copy>(all: &[T], dice: &mut Dice) -> Option<T> {
    if all.is_empty() { None } else { Some(all[dice.roll(all.len() as u64) as usize]) }
}

fn router_says(world: &World, dice: &mut Dice) -> String {
    let (code, request) = pick(&world.asked, dice).unwrap_or((48, 1));
    let (any, flag) = (dice.roll(4), dice.roll(2) == 0);
    match dice.roll(24) {
        0..=8 => match code {
            16 => format!("[17,{request},5]"),
            32 => format!("[33,{request},{any}]"),
            34 => format!("[35,{request}]"),
            48 => format!(r#"[50,{request},{{"progress":{flag}}},["handed"]]"#),
            64 => format!("[65,{request},{any}]"),
            66 => format!("[67,{request}]"),
            _ => WELCOME.to_owned(),
        },
        9 | 10 if matches!(code, 16 | 32 | 34 | 48 | 64 | 66) => {
            format!(r#"[8,{code},{request},{{}},"wamp.error.procedure_already_exists"]"#)
        }
        11..=13 => format!(r#"[36,{any},3,{{}},["x"]]"#),
        14..=16 => {
            format!(r#"[68,{},{any},{{"progress":{flag},"receive_progress":true}}]"#, dice.roll(9) + 1)
        }
        17 => format!("[69,{},{{}}]", dice.roll(9) + 1),
        18 => format!(r#"[35,0,{{"subscription":{any}}}]"#),
        19 => format!(r#"[67,0,{{"registration":{any}}}]"#),
        20 if flag => r#"[6,{},"wamp.close.system_shutdown"]"#.to_owned(),
        21 if flag => format!("[33,{request},{any}]"),
        _ => WELCOME.to_owned(),
    }
}

fn network(session: &mut Session, world: &mut World, dice: &mut Dice, now: u64) {
    match dice.roll(8) {
        0..=3 => {
            if let Some(socket) = world.opening.pop() {
                world.sockets.push(socket);
                world.asked.clear();
                session.handle_opened(socket, Some("wamp.2.json"), now);
                session.handle_message(socket, Message::from(WELCOME), now);
            }
        }
        4 => {
            let Some(socket) = pick(&world.sockets, dice) else { return };
            session.handle_blocked(socket, dice.roll(2) == 0, now);
        }
        5 => session.check(now),
        _ if dice.roll(4) == 0 => {
            let Some(socket) = pick(&world.sockets, dice) else { return };
            world.sockets.retain(|other| *other != socket);
            session.handle_closed(socket, Failure::Broken { reason: String::new() }, now);
        }
        _ => {}
    }
}

fn program_asks(session: &mut Session, world: &mut World, dice: &mut Dice, now: u64) {
    let topic = Topic::new(["a", "a/b", "c"][dice.roll(3) as usize]);
    let content = Content::from("x");
    let timeout = Some(dice.roll(9_000));
    let (progress, more, disclose) = (dice.roll(2) == 0, dice.roll(2) == 0, false);
    match dice.roll(16) {
        0..=2 => {
            let filter = match dice.roll(4) {
                0 => Filter::Exact(topic),
                1 => Filter::Bus { topic, echo: more },
                _ => Filter::Tree(topic),
            };
            world.subscriptions.extend(session.subscribe(filter, now));
        }
        3 => pick(&world.subscriptions, dice).into_iter().for_each(|id| session.unsubscribe(id, now)),
        4 | 5 => {
            let register = if more {
                Register::Queue { topic, concurrency: 2 }
            } else {
                let (matching, invoke) = (Match::Exact, Invoke::Single);
                Register::Procedure { uri: "p".to_owned(), matching, invoke, concurrency: None }
            };
            world.registrations.extend(session.register(register, now));
        }
        6 => pick(&world.registrations, dice).into_iter().for_each(|id| session.unregister(id, now)),
        7 | 8 => {
            let delivery = if more { DeliveryMode::Acknowledged { timeout } } else { DeliveryMode::Queued };
            let publish = Publish { to: Destination::Topic(topic), content, delivery, to_self: progress };
            let request = session.publish(publish, now).ok().flatten();
            world.requests.extend(request.map(|request| (request, false)));
        }
        9 => {
            let request = session.push(Push { topic, content, until: Until::Handed, timeout }, now);
            world.requests.extend(request.map(|request| (request, false)));
        }
        10 | 11 => {
            let call = Call { procedure: "p".to_owned(), content, timeout, progress, more, disclose };
            world.requests.extend(session.call(call, now).map(|request| (request, false)));
        }
        12 => {
            let open: Vec<RequestId> = world.requests.keys().copied().collect();
            let Some(request) = pick(&open, dice) else { return };
            if more {
                let _stale = session.call_more(request, content, progress, now);
            } else if !world.done.contains(&request) {
                session.cancel(request, CancelMode::Kill, now);
                world.requests.insert(request, true);
            }
        }
        _ => {
            let Some(invocation) = pick(&world.invocations, dice) else { return };
            let answer = if more { Answer::Progress(content) } else { Answer::Result(content) };
            let _stale = session.answer(invocation, answer, now);
        }
    }
}

#[test]
fn whatever_comes_each_request_ends_once_and_so_does_the_session() {
    for seed in 1..=600 {
        let mut dice = Dice(seed);
        let mut session = Session::new(config(), seed);
        let (mut world, mut now) = (World::default(), 0);
        session.connect(now);
        for _ in 0..400 {
            world.look(&mut session);
            now += dice.roll(300);
            if session.poll_timeout().is_some_and(|at| at <= now) {
                session.handle_timeout(now);
            }
            world.look(&mut session);
            match dice.roll(5) {
                0 => network(&mut session, &mut world, &mut dice, now),
                1 | 2 => {
                    let Some(&socket) = world.sockets.last() else { continue };
                    let message = router_says(&world, &mut dice);
                    // A second WELCOME ends a session: seldom enough.
                    if !message.starts_with("[2,") || dice.roll(40) == 0 {
                        session.handle_message(socket, Message::from(message), now);
                    }
                }
                _ => program_asks(&mut session, &mut world, &mut dice, now),
            }
        }
        world.look(&mut session);
        let drains = dice.roll(2) == 0;
        if drains {
            session.drain(20_000, now);
        } else {
            session.close(now);
        }
        world.look(&mut session);
        let begin = now;
        let mut times = 0;
        while let Some(at) = session.poll_timeout() {
            now = now.max(at);
            session.handle_timeout(now);
            world.look(&mut session);
            times += 1;
            assert!(now - begin <= 25_000 && times < 10_000, "seed {seed} ends in time");
        }
        assert_eq!(world.closed, 1, "seed {seed} has one end");
        assert_eq!(session.waiting(), 0, "seed {seed} leaves nothing in the queue");
        for (request, canceled) in &world.requests {
            assert!(*canceled || world.done.contains(request), "seed {seed}: {request:?} never ends");
        }
    }
}
