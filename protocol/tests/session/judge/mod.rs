//! Whether what happened was right, from the history alone.

mod answers;
mod callees;
mod life;
mod requests;
mod subscriptions;

use petasus_protocol::session::Event;

use crate::history::{Ask, History, Input, Out, Truth, What};

/// Something that was wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// Which rule was broken.
    pub(crate) rule: &'static str,
    /// The entry of the history where it showed.
    pub(crate) place: usize,
    pub(crate) text: String,
}

/// Everything that was wrong, in the order in which it showed.
pub(crate) fn judge(history: &History) -> Vec<Verdict> {
    let mut judges: Vec<Box<dyn Judge>> = vec![
        Box::new(life::Life::new(history)),
        Box::new(requests::Requests::new(history)),
        Box::new(subscriptions::Subscriptions::default()),
        Box::new(callees::Callees::default()),
        Box::new(answers::Answers::default()),
    ];
    let mut wrong = Wrong::default();
    for moment in moments(history) {
        for judge in &mut judges {
            judge.see(&moment, &mut wrong);
        }
    }
    wrong.verdicts
}

/// Looks at one moment after another.
trait Judge {
    fn see(&mut self, moment: &Moment<'_>, wrong: &mut Wrong);
}

#[derive(Default)]
struct Wrong {
    verdicts: Vec<Verdict>,
}

impl Wrong {
    fn note(&mut self, rule: &'static str, place: usize, text: impl Into<String>) {
        self.verdicts.push(Verdict { rule, place, text: text.into() });
    }
}

/// What belongs together.
enum Moment<'h> {
    /// A session was told or asked something, and what it did.
    Turn(Turn<'h>),
    /// The router learned something.
    Router {
        place: usize,
        truth: &'h Truth,
    },
    Rest {
        place: usize,
    },
    End {
        place: usize,
    },
}

/// A session was told or asked something, and what it did.
struct Turn<'h> {
    /// The place of its cause.
    place: usize,
    at: u64,
    peer: usize,
    cause: Cause<'h>,
    outputs: Vec<(usize, &'h Out)>,
    told: Vec<(usize, &'h Event)>,
    waiting: usize,
    next: Option<u64>,
}

#[derive(Clone, Copy)]
enum Cause<'h> {
    Asked(&'h Ask),
    Input(&'h Input),
}

impl Turn<'_> {
    fn asked(&self) -> Option<&Ask> {
        match self.cause {
            Cause::Asked(ask) => Some(ask),
            Cause::Input(_) => None,
        }
    }

    fn input(&self) -> Option<&Input> {
        match self.cause {
            Cause::Input(input) => Some(input),
            Cause::Asked(_) => None,
        }
    }
}

fn moments(history: &History) -> Vec<Moment<'_>> {
    let mut moments = Vec::new();
    let mut turn: Option<Turn<'_>> = None;
    for (place, entry) in history.entries.iter().enumerate() {
        let mut begin = |peer, cause| {
            turn = Some(Turn {
                place,
                at: entry.at,
                peer,
                cause,
                outputs: Vec::new(),
                told: Vec::new(),
                waiting: 0,
                next: None,
            });
        };
        match &entry.what {
            What::Asked { peer, ask } => begin(*peer, Cause::Asked(ask)),
            What::Input { peer, input } => begin(*peer, Cause::Input(input)),
            What::Output { output, .. } => turn.as_mut().expect("in a turn").outputs.push((place, output)),
            What::Told { event, .. } => turn.as_mut().expect("in a turn").told.push((place, event)),
            What::Settled { waiting, next, .. } => {
                let mut turn = turn.take().expect("in a turn");
                (turn.waiting, turn.next) = (*waiting, *next);
                moments.push(Moment::Turn(turn));
            }
            What::Router(truth) => moments.push(Moment::Router { place, truth }),
            What::Fate(_) => {}
            What::Rest => moments.push(Moment::Rest { place }),
            What::End => moments.push(Moment::End { place }),
        }
    }
    moments
}
