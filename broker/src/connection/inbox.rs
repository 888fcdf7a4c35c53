//! Messages that were read but wait: for a hook to allow them, or for room in a queue.

use std::collections::VecDeque;
use std::task::{Context, Poll};
use std::time::Duration;

use petasus_protocol::Message;
use tokio::time::Instant;

use super::Ending;
use crate::auth::{Asking, Denied};

/// In the order in which they were read; only the first one makes progress. At most one read's worth.
#[derive(Default)]
pub(super) struct Inbox {
    entries: VecDeque<Entry>,
    state: State,
    /// Since when the first message waits for room.
    waiting_since: Option<Instant>,
    /// How the connection ends, as was read behind the messages.
    ending: Option<Ending>,
}

/// What waits its turn.
pub(super) enum Entry {
    /// For the hub.
    Message(Message),
    /// The dialect's own answer to its sender: nobody is asked about it, and it overtakes nothing.
    Reply(Message),
}

#[derive(Default)]
enum State {
    /// The first message may go on.
    #[default]
    Free,
    /// A hook is being asked about it.
    Asking(Asking),
    /// Its queue is full.
    Full,
}

/// What became of the first message.
pub(super) enum Step {
    Allowed(Message),
    Refused(Denied),
    /// It goes back to its sender.
    Reply(Message),
    /// The answer about what a session has parked.
    Answered(Result<(), Denied>),
}

impl Inbox {
    /// For messages of which the first found its queue full.
    pub(super) fn waiting(now: Instant) -> Self {
        Self { state: State::Full, waiting_since: Some(now), ..Self::default() }
    }

    pub(super) fn push(&mut self, entry: Entry) {
        self.entries.push_back(entry);
    }

    /// The connection ends, but not before the messages went on.
    pub(super) fn end(&mut self, ending: Ending) {
        self.ending = Some(ending);
    }

    /// How the connection ends now that no message waits any more, if it does.
    pub(super) fn into_ending(self) -> Option<Ending> {
        self.ending
    }

    /// How many messages wait; replies are none.
    pub(super) fn messages(&self) -> usize {
        self.entries.iter().filter(|entry| matches!(entry, Entry::Message(_))).count()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Asks about the first message, if it is its turn, unless that is under way.
    pub(super) fn ask(&mut self, about: impl FnOnce(&Message) -> Asking) {
        if let (State::Free, Some(Entry::Message(message))) = (&self.state, self.entries.front()) {
            self.state = State::Asking(about(message));
        }
    }

    /// The message could not be taken: it waits, since now unless it did before.
    pub(super) fn wait(&mut self, message: Message, now: Instant) {
        self.entries.push_front(Entry::Message(message));
        self.state = State::Full;
        self.waiting_since.get_or_insert(now);
    }

    /// The first message went on; the next one's wait has not begun.
    pub(super) fn taken(&mut self) {
        self.waiting_since = None;
    }

    /// There may be room again.
    pub(super) fn resume(&mut self) {
        if let State::Full = self.state {
            self.state = State::Free;
        }
    }

    pub(super) fn waiting_since(&self) -> Option<Instant> {
        self.waiting_since
    }

    pub(super) fn waits_longer_than(&self, patience: Duration, now: Instant) -> bool {
        self.waiting_since().is_some_and(|since| now >= since + patience)
    }

    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Step> {
        match &mut self.state {
            State::Full => return Poll::Pending,
            State::Free => {}
            State::Asking(asking) => {
                let answer = std::task::ready!(asking.as_mut().poll(cx));
                self.state = State::Free;
                if let Err(denied) = answer {
                    return Poll::Ready(Step::Refused(denied));
                }
            }
        }
        match self.entries.pop_front() {
            Some(Entry::Message(message)) => Poll::Ready(Step::Allowed(message)),
            Some(Entry::Reply(message)) => Poll::Ready(Step::Reply(message)),
            None => Poll::Pending,
        }
    }
}
