//! The programs: what each one has, and how it asks its session for more.

use petasus_protocol::session::{
    Answer, Call, CancelMode, Content, DeliveryMode, Destination, Event, Filter, InvocationId, Publish, Push,
    Register, RegistrationId, RequestId, Session, Status, SubscriptionId, Until,
};
use petasus_protocol::wamp::RawDict;

use crate::history::{Ask, What, token_of};
use crate::world::World;

/// What a program has.
#[derive(Debug, Default)]
pub(crate) struct Program {
    /// Whether it answers calls and jobs at once.
    pub(crate) eager: bool,
    pub(crate) subscriptions: Vec<SubscriptionId>,
    /// Those of them that are on a bus.
    pub(crate) buses: Vec<SubscriptionId>,
    pub(crate) registrations: Vec<RegistrationId>,
    pub(crate) requests: Vec<RequestId>,
    /// Calls whose arguments are not complete.
    pub(crate) open_calls: Vec<(RequestId, String)>,
    /// What it has to answer.
    pub(crate) tasks: Vec<Task>,
    /// What it has answered, or nobody waits for.
    pub(crate) stale: Vec<Task>,
    /// Whether it began to connect.
    pub(crate) is_connecting: bool,
    /// Whether its session has ended.
    pub(crate) is_over: bool,
}

/// A call or job that came.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    pub(crate) invocation: InvocationId,
    token: String,
    progress: bool,
    parts: u32,
}

/// How a call or job is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    Result,
    Failed,
    Progress,
}

impl Program {
    pub(crate) fn new(eager: bool) -> Program {
        Program { eager, ..Program::default() }
    }
}

/// What programs do when they are told something.
impl World {
    pub(crate) fn react(&mut self, peer: usize, event: Event) {
        let program = &mut self.peers[peer].program;
        match event {
            Event::Challenge { .. } => self.authenticate(peer),
            Event::SubscriptionEnded { subscription, .. } => {
                program.subscriptions.retain(|there| *there != subscription);
                program.buses.retain(|there| *there != subscription);
            }
            Event::RegistrationEnded { registration, .. } => {
                program.registrations.retain(|there| *there != registration);
            }
            Event::Invocation { invocation, incoming, .. } => {
                let (token, progress) = (token_of(&incoming.content), incoming.progress);
                program.tasks.push(Task { invocation, token, progress, parts: 0 });
                if program.eager {
                    self.answer(peer, self.peers[peer].program.tasks.len() - 1, How::Result);
                }
            }
            Event::Interrupted { invocation } => {
                if let Some(place) = program.tasks.iter().position(|task| task.invocation == invocation) {
                    let task = program.tasks.remove(place);
                    program.stale.push(task);
                }
            }
            Event::Done { request, .. } => {
                program.requests.retain(|there| *there != request);
                program.open_calls.retain(|(there, _)| *there != request);
            }
            Event::Status(Status::Closed { .. }) => program.is_over = true,
            _ => {}
        }
    }
}

/// What programs ask for.
impl World {
    fn ask<T>(
        &mut self,
        peer: usize,
        act: impl FnOnce(&mut Session, u64) -> T,
        ask: impl FnOnce(&T) -> Ask,
    ) -> T {
        let result = self.poke(peer, act);
        let ask = ask(&result);
        self.note(What::Asked { peer, ask });
        result
    }

    pub(crate) fn connect(&mut self, peer: usize) {
        self.peers[peer].program.is_connecting = true;
        self.ask(peer, Session::connect, |()| Ask::Connect);
        self.settle(peer);
    }

    fn authenticate(&mut self, peer: usize) {
        // Seldom a program has lost its secret.
        if self.random.one_in(40) {
            let act = |session: &mut Session, now| session.refuse_challenge("no secret".to_owned(), now);
            self.ask(peer, act, |()| Ask::RefuseChallenge);
        } else {
            let act =
                |session: &mut Session, now| session.authenticate("secret".to_owned(), RawDict::new(), now);
            self.ask(peer, act, |()| Ask::Authenticate);
        }
        self.settle(peer);
    }

    pub(crate) fn subscribe(&mut self, peer: usize, filter: Filter) {
        let wanted = filter.clone();
        let act = |session: &mut Session, now| session.subscribe(wanted, now);
        let is_bus = matches!(filter, Filter::Bus { .. });
        let result = self.ask(peer, act, |result| Ask::Subscribe { filter, result: result.clone() });
        if let Ok(subscription) = result {
            let program = &mut self.peers[peer].program;
            program.subscriptions.push(subscription);
            if is_bus {
                program.buses.push(subscription);
            }
        }
        self.settle(peer);
    }

    pub(crate) fn unsubscribe(&mut self, peer: usize, which: usize) {
        let program = &mut self.peers[peer].program;
        let subscription = program.subscriptions.remove(which);
        program.buses.retain(|there| *there != subscription);
        let act = |session: &mut Session, now| session.unsubscribe(subscription, now);
        self.ask(peer, act, |()| Ask::Unsubscribe { subscription });
        self.settle(peer);
    }

    pub(crate) fn publish(
        &mut self,
        peer: usize,
        to: Destination,
        delivery: DeliveryMode,
        to_self: bool,
        size: usize,
    ) {
        let text = self.token("p", size);
        let content = Content::from(text.as_str());
        let token = token_of(&content);
        let publish = Publish { to: to.clone(), content, delivery, to_self };
        let result = self.ask(
            peer,
            |session, now| session.publish(publish, now),
            |result| Ask::Publish { token, mode: delivery, to, result: result.clone() },
        );
        if let Ok(Some(request)) = result {
            self.peers[peer].program.requests.push(request);
        }
        self.settle(peer);
    }

    pub(crate) fn push(&mut self, peer: usize, push: Push) {
        let (token, until, timeout) = (token_of(&push.content), push.until, push.timeout);
        let result = self.ask(
            peer,
            |session, now| session.push(push, now),
            |result| Ask::Push { token, until, timeout, result: result.clone() },
        );
        if let Ok(request) = result {
            self.peers[peer].program.requests.push(request);
        }
        self.settle(peer);
    }

    pub(crate) fn push_to(&mut self, peer: usize, topic: &str, until: Until, timeout: Option<u64>) {
        let content = Content::from(self.token("j", 0));
        self.push(peer, Push { topic: petasus_protocol::Topic::new(topic), content, until, timeout });
    }

    pub(crate) fn call(
        &mut self,
        peer: usize,
        procedure: &str,
        timeout: Option<u64>,
        progress: bool,
        more: bool,
    ) {
        let token = self.token("c", 0);
        let (procedure, content) = (procedure.to_owned(), Content::from(token.as_str()));
        let call = Call { procedure, content, timeout, progress, more, disclose: false };
        let said = token.clone();
        let result = self.ask(
            peer,
            |session, now| session.call(call, now),
            |result| Ask::Call { token: said, timeout, result: result.clone() },
        );
        if let Ok(request) = result {
            let program = &mut self.peers[peer].program;
            program.requests.push(request);
            if more {
                program.open_calls.push((request, token));
            }
        }
        self.settle(peer);
    }

    /// More arguments of a call, maybe the last.
    pub(crate) fn call_more(&mut self, peer: usize, which: usize, more: bool) {
        let (request, token) = self.peers[peer].program.open_calls[which].clone();
        if !more {
            self.peers[peer].program.open_calls.remove(which);
        }
        let content = Content::from(token);
        let act = |session: &mut Session, now| session.call_more(request, content, more, now);
        let _ = self.ask(peer, act, |result| Ask::More { request, result: result.clone() });
        self.settle(peer);
    }

    pub(crate) fn cancel(&mut self, peer: usize, which: usize, mode: CancelMode) {
        let program = &mut self.peers[peer].program;
        let request = program.requests.remove(which);
        program.open_calls.retain(|(there, _)| *there != request);
        let act = |session: &mut Session, now| session.cancel(request, mode, now);
        self.ask(peer, act, |()| Ask::Cancel { request });
        self.settle(peer);
    }

    pub(crate) fn register(&mut self, peer: usize, register: Register) {
        let wanted = register.clone();
        let act = |session: &mut Session, now| session.register(wanted, now);
        let result = self.ask(peer, act, |result| Ask::Register { register, result: result.clone() });
        if let Ok(registration) = result {
            self.peers[peer].program.registrations.push(registration);
        }
        self.settle(peer);
    }

    pub(crate) fn unregister(&mut self, peer: usize, which: usize) {
        let registration = self.peers[peer].program.registrations.remove(which);
        let act = |session: &mut Session, now| session.unregister(registration, now);
        self.ask(peer, act, |()| Ask::Unregister { registration });
        self.settle(peer);
    }

    pub(crate) fn answer(&mut self, peer: usize, which: usize, how: How) {
        let program = &mut self.peers[peer].program;
        let task = &mut program.tasks[which];
        let last = how != How::Progress || !task.progress;
        let text = if last {
            format!("re:{}", task.token)
        } else {
            task.parts += 1;
            format!("part:{}:{}", task.token, task.parts - 1)
        };
        let task = task.clone();
        if last {
            program.tasks.remove(which);
            program.stale.push(task.clone());
        }
        self.give_answer(peer, &task, how, last, &text);
    }

    /// Answers what was answered before, or nobody waits for.
    pub(crate) fn answer_again(&mut self, peer: usize, which: usize) {
        let task = self.peers[peer].program.stale[which].clone();
        let text = format!("re:{}", task.token);
        self.give_answer(peer, &task, How::Result, true, &text);
    }

    fn give_answer(&mut self, peer: usize, task: &Task, how: How, last: bool, text: &str) {
        let (content, token) = (Content::from(text), text.to_owned());
        let answer = match how {
            How::Failed => Answer::Failed { uri: "com.program.wrong".to_owned(), content },
            _ if last => Answer::Result(content),
            _ => Answer::Progress(content),
        };
        let invocation = task.invocation;
        let act = |session: &mut Session, now| session.answer(invocation, answer, now);
        let _ = self.ask(peer, act, |result| Ask::Answer { invocation, last, token, result: result.clone() });
        self.settle(peer);
    }

    pub(crate) fn check(&mut self, peer: usize) {
        self.ask(peer, Session::check, |()| Ask::Check);
        self.settle(peer);
    }

    pub(crate) fn drain(&mut self, peer: usize, timeout: u64) {
        self.ask(peer, |session, now| session.drain(timeout, now), |()| Ask::Drain { timeout });
        self.settle(peer);
    }

    pub(crate) fn close(&mut self, peer: usize) {
        self.ask(peer, Session::close, |()| Ask::Close);
        self.settle(peer);
    }
}
