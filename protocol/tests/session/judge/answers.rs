//! The answers of programs: each goes out at once and once, or is refused as stale; and programs learn when nobody
//! waits any more.

use std::collections::{BTreeMap, BTreeSet};

use petasus_protocol::session::{Error, Event, InvocationId, Status};
use petasus_protocol::wamp::{Message, message};

use super::{Judge, Moment, Turn, Wrong};
use crate::history::{Ask, Out, token};

#[derive(Default)]
pub(super) struct Answers {
    invocations: BTreeMap<(usize, InvocationId), State>,
    /// What was answered on the wire: peer, socket, number.
    finished: BTreeSet<(usize, u64, u64)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Open,
    Answered,
    Interrupted,
}

impl Answers {
    fn asked(&mut self, turn: &Turn<'_>, ask: &Ask, wrong: &mut Wrong) {
        let Ask::Answer { invocation, last, token, result } = ask else { return };
        let Some(state) = self.invocations.get_mut(&(turn.peer, *invocation)) else { return };
        let went =
            turn.outputs.iter().filter(|(_, output)| answer(output).is_some_and(|(_, text)| text == *token));
        let went = went.count();
        match (*state, result) {
            (State::Open, Ok(())) if went == 1 => {}
            (State::Open, Err(Error::Stale)) => {
                wrong.note("answer", turn.place, format!("{token} is awaited"));
            }
            (State::Answered | State::Interrupted, Err(Error::Stale)) if went == 0 => {}
            (state, result) => {
                wrong.note(
                    "answer",
                    turn.place,
                    format!("{token} to what is {state:?}: {result:?}, sent {went} times"),
                );
            }
        }
        if *last && *state == State::Open {
            *state = State::Answered;
        }
    }

    fn sent(&mut self, peer: usize, place: usize, output: &Out, wrong: &mut Wrong) {
        let Out::Send { socket, message } = output else { return };
        let (request, last) = match message {
            Message::Yield(part) => {
                (part.request, !part.options.bool("progress").ok().flatten().unwrap_or(false))
            }
            Message::Error(error) => (error.request, true),
            _ => return,
        };
        let key = (peer, *socket, request);
        if self.finished.contains(&key) {
            wrong.note("answered_twice", place, format!("invocation {request} was answered before"));
        }
        if last {
            self.finished.insert(key);
        }
    }

    fn told(&mut self, peer: usize, place: usize, event: &Event, wrong: &mut Wrong) {
        match event {
            Event::Invocation { invocation, .. } => {
                let before = self.invocations.insert((peer, *invocation), State::Open);
                if before.is_some() {
                    wrong.note("invocation", place, "it was told before");
                }
            }
            Event::InvocationMore { invocation, .. } => {
                let state = self.invocations.get(&(peer, *invocation));
                if state != Some(&State::Open) {
                    wrong.note("invocation", place, "more of what is not open");
                }
            }
            Event::Interrupted { invocation } => {
                let state = self.invocations.insert((peer, *invocation), State::Interrupted);
                if state != Some(State::Open) {
                    wrong.note("interrupted", place, format!("what is {state:?}"));
                }
            }
            Event::Status(Status::Connected(_) | Status::Closed { .. }) => {
                let open = |((owner, _), state): &(&(usize, InvocationId), &State)| {
                    *owner == peer && **state == State::Open
                };
                if let Some(((_, invocation), _)) = self.invocations.iter().find(open) {
                    wrong.note(
                        "interrupted",
                        place,
                        format!("{invocation:?} went with its connection, untold"),
                    );
                }
            }
            _ => {}
        }
    }
}

impl Judge for Answers {
    fn see(&mut self, moment: &Moment<'_>, wrong: &mut Wrong) {
        let Moment::Turn(turn) = moment else { return };
        if let Some(ask) = turn.asked() {
            self.asked(turn, ask, wrong);
        }
        for (place, output) in &turn.outputs {
            self.sent(turn.peer, *place, output, wrong);
        }
        for (place, told) in &turn.told {
            self.told(turn.peer, *place, told, wrong);
        }
    }
}

/// The number and token of an answer.
fn answer(output: &Out) -> Option<(u64, String)> {
    match output {
        Out::Send { message: Message::Yield(part), .. } => Some((part.request, token(&part.payload))),
        Out::Send { message: Message::Error(error), .. } if error.kind == message::Invocation::CODE => {
            Some((error.request, token(&error.payload)))
        }
        _ => None,
    }
}
