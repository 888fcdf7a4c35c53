//! The sockets: how they open, end, and come back.

use super::super::core::{Core, Phase, Timer};
use super::super::line::{After, Due};
use super::super::{Content, Delivery, Error, Event, Failure, Incoming, Output, Refusal, SocketId};
use super::link::{Holder, Kind, Link, Member, Name, weight};
use super::{LinkId, Mercury, PUBLISHING_SOCKETS};
use crate::wamp::uri::error::NOT_AUTHORIZED;
use crate::{Message, Topic};

/// A topic to which nobody publishes: `$` topics are the broker's own, and subscribing to one shows that it is there.
const PRESENCE: &str = "$alive";

impl Mercury {
    /// The link of an endpoint, which is made if there is none. It is opened by [`Mercury::tidy`].
    pub(super) fn link(&mut self, name: Name, now: u64) -> LinkId {
        if let Some(id) = self.names.get(&name) {
            return LinkId(id);
        }
        self.made += 1;
        let id = LinkId(self.made);
        self.names.insert(name.clone(), id.0);
        self.links.insert(id.0, Link::new(name, now));
        self.unopened.push(id);
        id
    }

    /// One more who wants a link.
    pub(super) fn join(&mut self, core: &mut Core, name: Name, holder: Holder, now: u64) {
        let id = self.link(name, now);
        self.whose.insert(holder.number(), id);
        if let Some(link) = self.links.get_mut(id.0) {
            let stood = link.line.ready_socket().is_some();
            link.members.push(Member { holder, stood });
            if stood {
                core.event(holder.stands(false));
            }
        }
        self.settle(core, id);
        self.tidy(core, now);
    }

    /// One less.
    pub(super) fn part(&mut self, core: &mut Core, holder: Holder, now: u64) {
        let Some(id) = self.link_of(holder) else { return };
        self.whose.remove(holder.number());
        let Some(link) = self.links.get_mut(id.0) else { return };
        link.members.retain(|member| member.holder != holder);
        if link.members.is_empty() {
            link.leavers.push(holder);
            self.leave(core, id, now);
        } else {
            core.event(holder.left());
        }
        self.tidy(core, now);
    }

    /// The link that somebody wants. The number alone does not say it: a program may have mixed up its ids.
    pub(super) fn link_of(&self, holder: Holder) -> Option<LinkId> {
        let id = *self.whose.get(holder.number())?;
        let link = self.links.get(id.0)?;
        link.members.iter().any(|member| member.holder == holder).then_some(id)
    }

    /// The link of a socket, unless that was given up.
    pub(super) fn link_at(&self, socket: SocketId) -> Option<LinkId> {
        let id = *self.whose.get(socket.0)?;
        self.links.get(id.0)?.line.is(socket).then_some(id)
    }

    /// Begins an attempt.
    pub(super) fn open(&mut self, core: &mut Core, id: LinkId, now: u64) {
        let Some(link) = self.links.get_mut(id.0) else { return };
        let url = core.config.url.endpoint(&link.name.endpoint());
        if link.name.kind != Kind::Pub {
            self.board.attempt = link.line.attempt();
        }
        link.blocked = false;
        let socket = link.line.open(core, url, Vec::new(), now);
        self.whose.insert(socket.0, id);
        self.settle(core, id);
    }

    /// Opens what was not opened yet. Sockets that only publish are bounded in number: as long as there is no room, new
    /// ones wait, and as many old ones are closed.
    fn open_more(&mut self, core: &mut Core, now: u64) {
        let mut going = self.publishing().filter(|(_, link)| link.line.is_closing()).count();
        for id in std::mem::take(&mut self.unopened) {
            let Some(link) = self.links.get(id.0) else { continue };
            if link.name.kind == Kind::Pub && !self.has_room() {
                if going == 0 {
                    self.make_room(core, now);
                } else {
                    going -= 1;
                }
                if !self.has_room() {
                    self.unopened.push(id);
                    continue;
                }
            }
            self.open(core, id, now);
        }
    }

    /// The links with a socket, or attempts at one, that only publish.
    fn publishing(&self) -> impl Iterator<Item = (LinkId, &Link)> {
        let links = self.links.iter().map(|(id, link)| (LinkId(id), link));
        links.filter(|(_, link)| link.name.kind == Kind::Pub && !link.line.is_idle())
    }

    fn has_room(&self) -> bool {
        self.publishing().count() < PUBLISHING_SOCKETS
    }

    /// Closes the one that was used least recently, of those that have nothing to send.
    fn make_room(&mut self, core: &mut Core, now: u64) {
        let idle = self.publishing().filter(|(_, link)| link.queue.is_empty() && !link.line.is_closing());
        if let Some((id, _)) = idle.min_by_key(|(_, link)| link.used) {
            self.leave(core, id, now);
        }
    }

    /// A socket is open.
    pub(super) fn opened(&mut self, core: &mut Core, id: LinkId, now: u64) {
        let Some(link) = self.links.get_mut(id.0) else { return };
        if !link.line.is_opening() {
            return;
        }
        link.line.ready(now);
        if core.phase == Phase::Running {
            link.cut = None;
        }
        self.met = true;
        // The first attempt of the session, not of every topic, is what this is about.
        core.config.fail_fast = false;
        for member in &mut link.members {
            core.event(member.holder.stands(member.stood));
            member.stood = true;
        }
        self.flush(core, id, now);
        self.settle(core, id);
    }

    /// Sends what waits, if the socket takes it.
    pub(super) fn flush(&mut self, core: &mut Core, id: LinkId, now: u64) {
        let Some(link) = self.links.get_mut(id.0) else { return };
        if !link.blocked {
            send_all(core, link);
        }
        if matches!(core.phase, Phase::Draining { .. }) && link.queue.is_empty() {
            self.leave(core, id, now);
        }
    }

    /// A message came.
    pub(super) fn received(&mut self, core: &mut Core, id: LinkId, message: Message, now: u64) {
        let Some(link) = self.links.get_mut(id.0) else { return };
        link.line.heard(now);
        match link.name.kind {
            Kind::Pub => {}
            Kind::Pull => invoke(core, link, message),
            Kind::Sub | Kind::Bus | Kind::Echo => deliver(core, link, &message),
        }
    }

    /// A socket ended, or could not be opened.
    pub(super) fn lost(&mut self, core: &mut Core, id: LinkId, failure: Failure, now: u64) {
        let Some(link) = self.links.get_mut(id.0) else { return };
        if link.line.ready_socket().is_some() {
            link.cut = Some(failure.clone());
        }
        match link.line.lost(core, &failure, now) {
            After::Wait(wait) => {
                if !link.members.is_empty() || link.presence {
                    self.board.loss = Some((failure, wait));
                }
                self.settle(core, id);
            }
            // Before there was any connection it is the broker, and not this topic, that can not be had.
            // Who may not subscribe to that (403) may be allowed other things: the broker is there, and says so to each.
            After::GiveUp
                if link.presence
                    && !core.config.fail_fast
                    && matches!(failure, Failure::Status { status: 403, .. }) =>
            {
                self.settle(core, id);
            }
            After::GiveUp if !self.met || link.presence => self.give_up(core, failure, now),
            After::GiveUp => {
                if !link.queue.is_empty() {
                    link.cut = Some(failure.clone());
                }
                self.end_members(core, id, &ended_by(failure));
                self.remove(core, id);
            }
        }
    }

    /// Tells those who want a link that it is over.
    pub(super) fn end_members(&mut self, core: &mut Core, id: LinkId, error: &Error) {
        let Some(link) = self.links.get_mut(id.0) else { return };
        for member in std::mem::take(&mut link.members) {
            self.whose.remove(member.holder.number());
            core.event(member.holder.ended(error.clone()));
        }
    }

    /// Nobody wants this link any more, or the session drains. What waits is sent if the socket is open.
    pub(super) fn leave(&mut self, core: &mut Core, id: LinkId, now: u64) {
        let Some(link) = self.links.get_mut(id.0) else { return };
        send_all(core, link);
        let socket = link.line.socket();
        let closing = link.line.close(core, 1000, "", now);
        // The next one who wants this endpoint gets a socket of its own.
        if self.names.get(&link.name) == Some(id.0) {
            self.names.remove(&link.name);
        }
        if closing {
            self.settle(core, id);
        } else {
            if let Some(socket) = socket {
                self.whose.remove(socket.0);
            }
            self.remove(core, id);
        }
    }

    /// A link is no more.
    pub(super) fn remove(&mut self, core: &mut Core, id: LinkId) {
        let Some(mut link) = self.links.remove(id.0) else { return };
        drop_queue(core, &mut link);
        if matches!(link.name.kind, Kind::Pub | Kind::Bus | Kind::Echo) {
            self.cut = self.cut.take().or(link.cut.take());
        }
        self.unopened.retain(|&other| other != id);
        self.board.recount(link.counted, None);
        if let Some(alarm) = link.alarm {
            self.alarms.remove(alarm, Timer::Link(id.0));
        }
        if self.names.get(&link.name) == Some(id.0) {
            self.names.remove(&link.name);
        }
        for holder in link.leavers {
            core.event(holder.left());
        }
        // There are none but at the end of the session.
        for member in link.members {
            self.whose.remove(member.holder.number());
            let error = core.over();
            core.event(member.holder.ended(error));
        }
    }

    /// What is due on a link.
    pub(super) fn tick(&mut self, core: &mut Core, id: LinkId, now: u64) {
        let Some(link) = self.links.get_mut(id.0) else { return };
        link.alarm = None;
        if link.idle_at().is_some_and(|at| at <= now) {
            return self.leave(core, id, now);
        }
        let (failure, socket) = (link.line.failure(), link.line.socket());
        match link.line.timeout(core, now) {
            Some(Due::Attempt) => self.open(core, id, now),
            Some(Due::Failed) => {
                self.forget(socket);
                self.lost(core, id, failure, now);
            }
            Some(Due::Closed) => {
                link.cut = Some(Failure::Silent);
                self.forget(socket);
                self.remove(core, id);
            }
            // `connect` has turned calls off.
            Some(Due::Call) | None => {}
        }
        self.settle(core, id);
    }

    fn forget(&mut self, socket: Option<SocketId>) {
        if let Some(socket) = socket {
            self.whose.remove(socket.0);
        }
    }

    /// Brings what is counted of a link, and its alarm, up to its state.
    pub(super) fn settle(&mut self, core: &mut Core, id: LinkId) {
        let Some(link) = self.links.get_mut(id.0) else { return };
        let stage = link.stage();
        self.board.recount(link.counted, stage);
        link.counted = stage;
        let Some(at) = link.next_alarm(core) else { return };
        // What became later is found when the earlier alarm rings: signs of life move it with every message.
        if link.alarm.is_none_or(|alarm| at < alarm) {
            if let Some(alarm) = link.alarm {
                self.alarms.remove(alarm, Timer::Link(id.0));
            }
            self.alarms.insert(at, Timer::Link(id.0));
            link.alarm = Some(at);
        }
    }

    /// Opens what is to be opened, and holds a socket for the sake of knowing that the broker is there, while the
    /// program wants none.
    pub(super) fn open_wanted(&mut self, core: &mut Core, now: u64) {
        if !self.begun {
            return;
        }
        if core.phase == Phase::Running {
            self.keep_presence(core, now);
        }
        self.open_more(core, now);
    }

    fn keep_presence(&mut self, core: &mut Core, now: u64) {
        let present = self.presence.and_then(|id| Some((id, self.links.get_mut(id.0)?)));
        let Some((id, link)) = present else {
            self.presence = None;
            if self.board.wanted() == 0 {
                let id = self.link(Name { kind: Kind::Sub, topic: Topic::new(PRESENCE) }, now);
                if let Some(link) = self.links.get_mut(id.0) {
                    link.presence = true;
                }
                self.presence = Some(id);
                self.settle(core, id);
            }
            return;
        };
        let own = usize::from(link.line.ready_socket().is_some());
        if !link.members.is_empty() {
            // The program wants this very topic.
            link.presence = false;
            self.presence = None;
        } else if self.board.ready() > own {
            link.presence = false;
            self.presence = None;
            self.leave(core, id, now);
        }
    }
}

/// Sends what waits, if the socket is open.
fn send_all(core: &mut Core, link: &mut Link) {
    let Some(socket) = link.line.ready_socket() else { return };
    while let Some(message) = link.queue.pop_front() {
        core.release(weight(&message));
        core.output(Output::Send { socket, message });
    }
}

/// What waits is not sent any more.
pub(super) fn drop_queue(core: &mut Core, link: &mut Link) {
    while let Some(message) = link.queue.pop_front() {
        core.release(weight(&message));
    }
}

/// Every subscription gets the message.
fn deliver(core: &mut Core, link: &Link, message: &Message) {
    // Below `/sub/T` the wire does not say which topic it was.
    let topic = (link.name.kind != Kind::Sub).then(|| link.name.topic.clone());
    for member in &link.members {
        let Holder::Subscription(subscription) = member.holder else { continue };
        let content = Content::Plain(message.clone());
        let delivery = Delivery { content, topic: topic.clone(), publisher: None, publication: None };
        core.event(Event::Message { subscription, delivery });
    }
}

/// One registration gets the job, in turn. The one that left last gets what the broker handed it before it saw that,
/// or it would be lost.
fn invoke(core: &mut Core, link: &mut Link, message: Message) {
    let holder = link.members.first().map(|member| member.holder).or_else(|| link.leavers.last().copied());
    let Some(Holder::Registration(registration)) = holder else { return };
    if !link.members.is_empty() {
        link.members.rotate_left(1);
    }
    let incoming = Incoming {
        content: Content::Plain(message),
        procedure: None,
        progress: false,
        more: false,
        answerable: false,
        caller: None,
    };
    let invocation = core.invocation();
    core.event(Event::Invocation { registration, invocation, incoming });
}

/// The error of a subscription whose socket can not be had.
fn ended_by(failure: Failure) -> Error {
    match failure {
        Failure::Status { status: 401 | 403, text } => {
            let content = if text.is_empty() { Content::empty() } else { Content::from(text.as_str()) };
            Error::Refused(Refusal { uri: NOT_AUTHORIZED.to_owned(), text, content })
        }
        failure => Error::GaveUp(failure),
    }
}
