//! The wire of Mercury: a socket for each endpoint, shared by all that want it, and POST where an answer is wanted.
//!
//! * A subscription is a socket `/sub/T`, a bus `/bus/T`, a place among pullers `/pull/T`. Each is kept open by a
//!   [`Line`](super::line::Line) of its own, and closed when the last one leaves.
//! * What is published without an acknowledgement goes by a socket `/pub/T`, which is opened at its first use and
//!   closed after [`IDLE`](link::IDLE). [`DeliveryMode::Fire`] without it is [`Error::NotConnected`], and opens it for
//!   the next one.
//! * What is published with an acknowledgement, and each job, goes by POST. So its order with what goes by socket is
//!   not kept, nor that among POSTs that are under way at one time: wait for one before you send the next, if
//!   order matters.
//! * While no other socket is wanted one to `/sub/$alive` is held, so that the status is true.
//!
//! **Invariant:** a link is in `names` as long as somebody may join it; a socket, subscription or registration is in
//! `whose` as long as something may come of it. Every public call ends with [`Mercury::tidy`], unless it can not have
//! changed what that looks at.

mod absent;
mod ask;
mod board;
mod end;
mod link;
mod links;
mod posts;

use self::board::Board;
use self::link::{Holder, Kind, Link, Name};
use self::posts::Posts;
use super::core::{Core, Deadlines, Phase, Timer, earliest};
use super::table::{Names, Table};
use super::{CancelMode, ExchangeId, Failure, Probe, RegistrationId, RequestId, SocketId, SubscriptionId};
use crate::{Message, Topic};

/// The most sockets that only publish.
const PUBLISHING_SOCKETS: usize = 32;

/// Numbers links. An endpoint may have several at one time: those that are closing, and one that is not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct LinkId(u64);

/// The wire of Mercury.
#[derive(Debug)]
pub(super) struct Mercury {
    /// [`Mercury::connect`] was called.
    begun: bool,
    /// There was a connection once.
    met: bool,
    /// The program was told that the session is over.
    finished: bool,
    /// How many links were made.
    made: u64,
    links: Table<Link>,
    /// The links that may be joined.
    names: Names<Name>,
    /// The links of sockets, subscriptions and registrations, which draw their numbers from one row.
    whose: Table<LinkId>,
    /// Links that no attempt was made for yet.
    unopened: Vec<LinkId>,
    /// The link that shows that the broker is there, see [`Link::presence`].
    presence: Option<LinkId>,
    /// Why a socket that sends is gone, if what it sent last may not have arrived: told by drain.
    cut: Option<Failure>,
    posts: Posts,
    alarms: Deadlines,
    board: Board,
}

impl Mercury {
    pub(super) fn new() -> Self {
        Mercury {
            begun: false,
            met: false,
            finished: false,
            made: 0,
            links: Table::new(),
            names: Names::new(),
            whose: Table::new(),
            unopened: Vec::new(),
            presence: None,
            cut: None,
            posts: Posts::default(),
            alarms: Deadlines::default(),
            board: Board::default(),
        }
    }

    pub(super) fn connect(&mut self, core: &mut Core, now: u64) {
        if self.begun || core.phase != Phase::Running {
            return;
        }
        self.begun = true;
        if core.config.heartbeat.probe == Probe::Call {
            // There are no calls here, and no reason to wake up for them.
            core.config.heartbeat.probe = Probe::Never;
        }
        self.send_posts(core);
        self.tidy(core, now);
    }

    pub(super) fn handle_opened(
        &mut self,
        core: &mut Core,
        socket: SocketId,
        _subprotocol: Option<&str>,
        now: u64,
    ) {
        if let Some(id) = self.link_at(socket) {
            self.opened(core, id, now);
            self.tidy(core, now);
        }
    }

    pub(super) fn handle_message(&mut self, core: &mut Core, socket: SocketId, message: Message, now: u64) {
        if let Some(id) = self.link_at(socket) {
            self.received(core, id, message, now);
        }
    }

    /// See [`Session::handle_event`](super::Session::handle_event).
    pub(super) fn handle_event(
        &mut self,
        socket: SocketId,
        now: u64,
        each: &mut dyn FnMut(SubscriptionId),
    ) -> bool {
        let Some(link) = self.link_at(socket).and_then(|id| self.links.get_mut(id.0)) else { return true };
        let is_heard = matches!(link.name.kind, Kind::Sub | Kind::Bus | Kind::Echo);
        if is_heard {
            link.line.heard(now);
            for member in &link.members {
                if let Holder::Subscription(subscription) = member.holder {
                    each(subscription);
                }
            }
        }
        is_heard
    }

    /// The topic of what comes from a socket. Below `/sub/T` the wire does not say which topic it was.
    pub(super) fn topic_of(&self, socket: SocketId) -> Option<&Topic> {
        let name = &self.links.get(self.link_at(socket)?.0)?.name;
        (name.kind != Kind::Sub).then_some(&name.topic)
    }

    pub(super) fn handle_pong(&mut self, _core: &mut Core, socket: SocketId, now: u64) {
        if let Some(link) = self.link_at(socket).and_then(|id| self.links.get_mut(id.0)) {
            link.line.heard(now);
        }
    }

    pub(super) fn handle_closed(&mut self, core: &mut Core, socket: SocketId, failure: Failure, now: u64) {
        let Some(id) = self.link_at(socket) else { return };
        self.whose.remove(socket.0);
        if let Some(link) = self.links.get_mut(id.0)
            && link.line.is_closing()
        {
            let clean = matches!(failure, Failure::Closed { code: 1000 | 1005, .. });
            if !clean && matches!(core.phase, Phase::Draining { .. }) {
                link.cut = Some(failure);
            }
            self.remove(core, id);
        } else {
            self.lost(core, id, failure, now);
        }
        self.tidy(core, now);
    }

    pub(super) fn handle_blocked(&mut self, core: &mut Core, socket: SocketId, blocked: bool, now: u64) {
        let Some(id) = self.link_at(socket) else { return };
        if let Some(link) = self.links.get_mut(id.0) {
            link.blocked = blocked;
        }
        self.flush(core, id, now);
        self.settle(core, id);
        self.tidy(core, now);
    }

    pub(super) fn handle_answer(
        &mut self,
        core: &mut Core,
        exchange: ExchangeId,
        status: u16,
        text: &str,
        now: u64,
    ) {
        self.answered(core, exchange, status, text);
        self.tidy(core, now);
    }

    pub(super) fn handle_unanswered(
        &mut self,
        core: &mut Core,
        exchange: ExchangeId,
        sent: bool,
        failure: Failure,
        now: u64,
    ) {
        self.unanswered(core, exchange, sent, failure, now);
        self.tidy(core, now);
    }

    pub(super) fn handle_timeout(&mut self, core: &mut Core, now: u64) {
        if matches!(core.phase, Phase::Draining { until } if until <= now) {
            core.phase = Phase::Closed { failure: None };
            self.close(core, now);
        }
        while let Some(alarm) = self.alarms.pop_due(now) {
            match alarm {
                Timer::Link(id) => self.tick(core, LinkId(id), now),
                Timer::Request(id) => self.post_due(core, RequestId(id)),
                // The router of WAMP alone is waited for in these cases.
                Timer::Subscription(_) | Timer::Leaving(_) | Timer::Registration(_) => {}
            }
        }
        self.resume_posts(core, false, now);
        self.tidy(core, now);
    }

    pub(super) fn check(&mut self, core: &mut Core, now: u64) {
        for id in self.all_links() {
            let Some(link) = self.links.get_mut(id.0) else { continue };
            link.line.hurry(now);
            link.line.check(core, now);
            self.settle(core, id);
        }
        self.resume_posts(core, true, now);
    }

    pub(super) fn unsubscribe(&mut self, core: &mut Core, subscription: SubscriptionId, now: u64) {
        self.part(core, Holder::Subscription(subscription), now);
    }

    pub(super) fn unregister(&mut self, core: &mut Core, registration: RegistrationId, now: u64) {
        self.part(core, Holder::Registration(registration), now);
    }

    pub(super) fn cancel(&mut self, core: &mut Core, request: RequestId, _mode: CancelMode, now: u64) {
        self.cancel_post(core, request);
        self.tidy(core, now);
    }

    pub(super) fn next_timeout(&self, core: &Core) -> Option<u64> {
        let drained = match core.phase {
            Phase::Draining { until } => Some(until),
            _ => None,
        };
        earliest(&[self.alarms.next(), self.posts.hold, drained])
    }

    /// What has to be looked at whenever something changed.
    fn tidy(&mut self, core: &mut Core, now: u64) {
        self.open_wanted(core, now);
        if self.begun {
            self.board.show(core);
        }
        self.finish(core);
    }
}
