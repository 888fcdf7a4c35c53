//! What the plain queue with its faults is made of.

use std::collections::VecDeque;
use std::time::Duration;

use petasus_broker::hub::{Assignment, JobEnd, Offered};
use petasus_protocol::Message;

use crate::outbox::{Tray, job_of};

/// What the queue does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    LosesOneAfterLeave,
    LosesBacklogOnLeave,
    SaysHandedAndForgets,
    Doubles,
    Broadcasts,
    ReclaimsCopies,
    /// Mercury 0.017, `PushPull.pm`: the cursor is moved for every place but the first, and never checked.
    MercuryIndex,
    SkipsOneOnLeave,
    ResetsOnJoin,
    ResetsOnLeave,
    Sticky,
    Starves,
    SkipsAReadyOne,
    TakesAnyone,
    NewcomersFirst,
    OneCursorForAllTopics,
    OwnCursorForPosts,
    MixesTopics,
    ServesTheGone,
    LosesUnwritten,
    UnwrittenToTheTail,
    UnwrittenReversed,
    ForgetsReady,
    ReadyWaitsForAPush,
    NewestFirst,
    TakesOneTooMany,
    CountsNoBytes,
    RefusesEarly,
    NeverExpires,
    ExpiresTheBusy,
    ExpiresAMomentEarly,
    HoldsAlways,
    DropsAlways,
    NeverResumes,
    ResumesOnlyTheFirst,
    KeepsEmptyTopics,
    LosesUnanswered,
    UnansweredToTheTail,
    UnansweredReversed,
    AnsweredComesBack,
    GivesOneTooMany,
    AnswerFreesNobody,
    AsksAnybody,
    AskedBlocks,
    AskedCostsTheTurn,
    KeepsAnswers,
    TellsTwice,
    TellsTooEarly,
    DropsInSilence,
    AskedWaitsForNobody,
    CanceledComesStill,
    CancelSaysNothing,
    CanceledIsToldTwice,
}

#[derive(Default)]
pub(crate) struct Ring {
    pub(crate) members: Vec<Member>,
    pub(crate) next: usize,
    /// The cursor of POSTs, if they have one of their own.
    pub(crate) next_of_posts: usize,
    pub(crate) backlog: VecDeque<Waiting>,
    /// When the last puller left, and the last that answers.
    pub(crate) deserted: [Duration; 2],
    pub(crate) waiting: Vec<Tray>,
}

pub(crate) struct Member {
    pub(crate) tray: Tray,
    pub(crate) ready: bool,
    /// What it has not answered, if it answers.
    pub(crate) running: Vec<Waiting>,
    /// What it has answered, if that is not forgotten.
    pub(crate) answered: Vec<Waiting>,
}

#[derive(Clone)]
pub(crate) struct Waiting {
    pub(crate) job: Message,
    /// It is for those who answer.
    pub(crate) asked: bool,
    pub(crate) since: Duration,
}

impl Member {
    pub(crate) fn answers(&self) -> bool {
        self.tray.concurrency().is_some()
    }

    pub(crate) fn is_ready(&self, more: usize) -> bool {
        self.ready
            && self.tray.concurrency().is_none_or(|most| self.running.len() < most.saturating_add(more))
    }

    pub(crate) fn take(&mut self, waiting: &Waiting) -> bool {
        let invocation = job_of(&waiting.job) as u64;
        let assignment = self.answers().then_some(Assignment { registration: 0, invocation });
        let taken = self.tray.offer(&waiting.job, assignment, &mut ()) == Offered::Taken;
        if taken && self.answers() {
            self.running.push(waiting.clone());
        }
        taken
    }
}

impl Ring {
    pub(crate) fn has_takers(&self, asked: bool) -> bool {
        self.members.iter().any(|member| member.answers() || !asked)
    }
}
