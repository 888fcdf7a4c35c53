//! The way to the router: the WAMP session that is open now, if one is, and the numbers that belong to it.

use super::super::core::{Core, Deadlines, Timer};
use super::super::table::Table;
use super::super::{Output, RequestId, SocketId};
use super::router::Router;
use super::sending::{self, Element};
use crate::Message;
use crate::wamp::Serializer;

/// How far the WAMP session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    /// There is no socket, or it is still being opened.
    Nothing,
    /// HELLO was sent.
    Hello,
    /// WELCOME came.
    Welcome,
    /// GOODBYE was sent. Only its answer counts any more.
    Goodbye,
}

/// What a request id of the present WAMP session was given to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pending {
    /// SUBSCRIBE or UNSUBSCRIBE of a filter.
    Filter(u64),
    /// REGISTER or UNREGISTER of a registration.
    Registration(u64),
    /// PUBLISH or CALL of a request of the program.
    Request(RequestId),
    /// The CALL that asks for a sign of life.
    Probe,
}

/// What the router may not do, in a few words.
pub(super) type Violation = &'static str;

/// The way to the router. [`Link::timers`] outlives connections; all else is of one.
#[derive(Debug)]
pub(super) struct Link {
    socket: Option<SocketId>,
    pub(super) stage: Stage,
    pub(super) serializer: Serializer,
    pub(super) router: Router,
    /// The request ids that wait for an answer, also those whose asker does not any more.
    pub(super) pending: Table<Pending>,
    /// Whether the socket takes no more for the moment.
    pub(super) blocked: bool,
    /// When WELCOME came.
    pub(super) since: u64,
    /// The last request id.
    last: u64,
    /// The bytes of the longest message that was sent.
    pub(super) longest: usize,
    pub(super) timers: Deadlines,
}

impl Link {
    pub(super) fn new() -> Self {
        Link {
            socket: None,
            stage: Stage::Nothing,
            serializer: Serializer::Json,
            router: Router::default(),
            pending: Table::new(),
            blocked: false,
            since: 0,
            last: 0,
            longest: 0,
            timers: Deadlines::default(),
        }
    }

    /// A socket is open.
    pub(super) fn begin(&mut self, socket: SocketId, serializer: Serializer) {
        self.end();
        self.socket = Some(socket);
        self.serializer = serializer;
    }

    /// The WAMP session is over: nothing of it means anything any more.
    pub(super) fn end(&mut self) {
        self.socket = None;
        self.stage = Stage::Nothing;
        self.router = Router::default();
        self.pending.clear();
        self.blocked = false;
        self.last = 0;
        self.longest = 0;
    }

    /// Sends a message, whether the socket is blocked or not.
    pub(super) fn send(&mut self, core: &mut Core, elements: &[Element<'_>]) {
        self.send_bytes(core, sending::encode(self.serializer, elements, None));
    }

    /// Sends an encoded message.
    pub(super) fn send_bytes(&mut self, core: &mut Core, bytes: Vec<u8>) {
        let Some(socket) = self.socket else { return };
        self.longest = self.longest.max(bytes.len());
        let message =
            if self.serializer.is_text() { Message::assume_text(bytes) } else { Message::binary(bytes) };
        core.output(Output::Send { socket, message });
    }

    /// The next request id (WAMP 2.1.2: they count up from 1 in each session).
    pub(super) fn request(&mut self, pending: Pending) -> u64 {
        self.last += 1;
        self.pending.insert(self.last, pending);
        self.last
    }

    /// The next request id, for what nobody answers.
    pub(super) fn number(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// The request id that [`Link::request`] would give.
    pub(super) fn next_number(&self) -> u64 {
        self.last + 1
    }

    pub(super) fn is_welcome(&self) -> bool {
        self.stage == Stage::Welcome
    }

    /// Whether the next message of those that can wait may be sent now.
    pub(super) fn takes(&self) -> bool {
        self.is_welcome() && !self.blocked
    }

    /// Makes a thing due at `at`, and no more at the time that is in `due`.
    pub(super) fn schedule(&mut self, due: &mut Option<u64>, at: Option<u64>, timer: Timer) {
        if let Some(before) = due.take() {
            self.timers.remove(before, timer);
        }
        if let Some(at) = at {
            self.timers.insert(at, timer);
        }
        *due = at;
    }

    /// The filter that waits for the answer to this request, which is taken for answered.
    pub(super) fn filter(&mut self, request: u64) -> Option<u64> {
        let Some(&Pending::Filter(number)) = self.pending.get(request) else { return None };
        self.pending.remove(request);
        Some(number)
    }

    /// The registration that waits for the answer to this request, which is taken for answered.
    pub(super) fn registration(&mut self, request: u64) -> Option<u64> {
        let Some(&Pending::Registration(id)) = self.pending.get(request) else { return None };
        self.pending.remove(request);
        Some(id)
    }
}
