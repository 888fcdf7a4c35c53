//! The judge of calls: each reaches one callee, unchanged, and has one last answer, which is the callee's own or the
//! right error, and nobody else's.

use std::collections::BTreeMap;

use crate::check::Violation;
use crate::check::talk::{Ask, Invoked, Talk, same};
use crate::history::{Conn, History, Leave, Wait};
use crate::model::{Answer, CALLEE_ERROR, CancelMode, Give, Payload, Policy, Request};

/// What can be found broken.
pub(super) const REQUIREMENTS: &[&str] = &[
    "REQ-RPC-002",
    "REQ-RPC-004",
    "REQ-RPC-007",
    "REQ-RPC-008",
    "REQ-WAMP-001",
    "REQ-WAMP-002",
    "REQ-WAMP-040",
    "REQ-WAMP-041",
    "REQ-WAMP-042",
    "REQ-WAMP-043",
    "REQ-WAMP-045",
    "REQ-WAMP-046",
    "REQ-WAMP-047",
    "REQ-WAMP-049",
    "REQ-WAMP-050",
    "REQ-WAMP-056",
    "REQ-WAMP-058",
    "REQ-LIVE-001",
];

const CANCELED: &str = "wamp.error.canceled";
const TIMEOUT: &str = "wamp.error.timeout";
const NO_PROCEDURE: &str = "wamp.error.no_such_procedure";

/// What a history breaks.
pub(super) fn judge(history: &History) -> Vec<Violation> {
    let talk = Talk::of(history);
    let mut violations = talk.basics("REQ-RPC-002");
    let books = Books::of(&talk, &mut violations);
    violations.extend(invocations(&talk, &books));
    for ask in talk.asks.values() {
        if let Request::Call { progress, timeout_ms, .. } = &ask.request {
            let call = Call { talk: &talk, books: &books, ask, progress: *progress, timed: *timeout_ms };
            call.judge(&mut violations);
        }
    }
    violations
}

/// Who has which procedure, in time.
struct Books {
    /// By procedure: from when on somebody has it, and until when.
    held: BTreeMap<String, Vec<Tenure>>,
}

/// A registration of a session.
struct Tenure {
    by: Conn,
    id: Option<u64>,
    begin: usize,
    /// From when on it may be gone, and is for sure; never sure, if the callee went without a word.
    end: Option<(usize, Option<usize>)>,
}

impl Books {
    /// The books, and what is wrong with registering itself.
    fn of(talk: &Talk, violations: &mut Vec<Violation>) -> Self {
        let mut books = Self { held: BTreeMap::new() };
        let mut asks: Vec<&Ask> = talk.asks.values().collect();
        asks.sort_by_key(|ask| ask.at);
        for ask in asks {
            match &ask.request {
                Request::Register { procedure, policy, .. } => {
                    books.register(talk, ask, procedure, *policy, violations);
                }
                Request::Unregister { of } => books.unregister(talk, ask, *of, violations),
                _ => {}
            }
        }
        books
    }

    fn register(
        &mut self,
        talk: &Talk,
        ask: &Ask,
        procedure: &str,
        policy: Policy,
        violations: &mut Vec<Violation>,
    ) {
        let tenures = self.held.entry(procedure.to_owned()).or_default();
        let is_taken = tenures.iter().any(|tenure| tenure.is_sure(ask.at));
        let is_free = tenures.iter().all(|tenure| tenure.is_over(ask.at));
        let by = ask.id.0;
        if let Some((begin, id)) = ask.granted() {
            tenures.push(Tenure { by, id, begin, end: going(talk, by) });
        }
        if policy != Policy::Single {
            return;
        }
        let text = ask.text();
        match (ask.granted(), ask.refused()) {
            (Some(_), _) if is_taken => violations
                .push(Violation::safety("REQ-WAMP-043", format!("{text} was granted though it is taken"))),
            (_, Some(uri)) if is_free || uri != "wamp.error.procedure_already_exists" => {
                violations.push(Violation::safety("REQ-WAMP-043", format!("{text} was refused with {uri}")));
            }
            (None, None) if talk.gone(by).is_none() => {
                violations.push(Violation::liveness("REQ-WAMP-043", format!("{text} has no answer")));
            }
            _ => {}
        }
    }

    fn unregister(&mut self, talk: &Talk, ask: &Ask, of: u32, violations: &mut Vec<Violation>) {
        let by = ask.id.0;
        let id = talk.asks.get(&(by, of)).and_then(Ask::granted).and_then(|(_, id)| id);
        let mut tenures = self.held.values_mut().flatten();
        let tenure = tenures.find(|tenure| tenure.by == by && tenure.id == id && !tenure.is_over(ask.at));
        let text = ask.text();
        match (tenure, ask.granted(), ask.refused()) {
            (Some(tenure), Some((at, _)), _) => tenure.end = Some((ask.at, Some(at))),
            (_, None, None) if talk.gone(by).is_none() => {
                violations.push(Violation::liveness("REQ-WAMP-043", format!("{text} has no answer")));
            }
            (None, None, Some("wamp.error.no_such_registration")) | (_, None, None) => {}
            (_, _, uri) => {
                violations.push(Violation::safety("REQ-WAMP-043", format!("{text} was answered {uri:?}")));
            }
        }
    }

    /// Whether somebody may have had a procedure between two times.
    fn may_have(&self, procedure: &str, from: usize, to: usize) -> bool {
        let tenures = self.held.get(procedure).into_iter().flatten();
        tenures.into_iter().any(|tenure| tenure.begin < to && !tenure.is_over(from))
    }

    /// Whether somebody had it all the time.
    fn has(&self, procedure: &str, from: usize, to: usize) -> bool {
        let stays = |tenure: &&Tenure| tenure.begin < from && tenure.end.is_none_or(|(end, _)| end > to);
        self.held.get(procedure).into_iter().flatten().any(|tenure| stays(&tenure))
    }
}

impl Tenure {
    fn is_sure(&self, at: usize) -> bool {
        self.begin < at && self.end.is_none_or(|(end, _)| at < end)
    }

    fn is_over(&self, at: usize) -> bool {
        self.end.is_some_and(|(_, sure)| sure.is_some_and(|sure| sure < at))
    }
}

/// When a session goes, and when that is for sure.
fn going(talk: &Talk, conn: Conn) -> Option<(usize, Option<usize>)> {
    let member = talk.ledger.members.get(&conn)?;
    match (member.leaving, member.over) {
        // When the broker notices is not known.
        (Some((at, Leave::Abrupt)), _) => Some((at, None)),
        (Some((at, Leave::Handshake)), over) => Some((at, over)),
        (None, over) => over.map(|at| (at, Some(at))),
    }
}

/// What is wrong with what reached callees.
fn invocations(talk: &Talk, books: &Books) -> Vec<Violation> {
    let mut violations = Vec::new();
    let mut numbers: BTreeMap<Conn, u64> = BTreeMap::new();
    for invoked in &talk.invoked {
        let who = format!("{} had invocation {}", invoked.callee.0, invoked.invocation);
        let mut told = |rule, what: String| violations.push(Violation::safety(rule, format!("{who} {what}")));
        let last = numbers.entry(invoked.callee).or_insert(0);
        if invoked.invocation != *last + 1 {
            told("REQ-WAMP-058", format!("after {last}"));
        }
        *last = invoked.invocation;
        let of = talk.ask_of(&invoked.payload);
        let Some((ask, Request::Call { procedure, progress, .. })) = of.map(|ask| (ask, &ask.request)) else {
            told("REQ-WAMP-040", format!("of a call that nobody made: {}", invoked.payload));
            continue;
        };
        if !same(&ask.payload, &invoked.payload) {
            told("REQ-WAMP-040", format!("with other arguments than {}: {}", ask.text(), invoked.payload));
        }
        if invoked.progress != *progress {
            told("REQ-WAMP-047", format!("that asks for parts: {}; {}", invoked.progress, ask.text()));
        }
        let is_its = |tenure: &Tenure| {
            tenure.by == invoked.callee && tenure.id == Some(invoked.registration) && !tenure.is_over(ask.at)
        };
        if !books.held.get(procedure).into_iter().flatten().any(is_its) {
            told("REQ-WAMP-040", format!("under registration {}, which is not its", invoked.registration));
        }
    }
    violations
}

/// A call, and all that is known of it.
struct Call<'a> {
    talk: &'a Talk,
    books: &'a Books,
    ask: &'a Ask,
    progress: bool,
    timed: Option<u64>,
}

impl Call<'_> {
    fn judge(&self, violations: &mut Vec<Violation>) {
        let mine =
            |invoked: &&Invoked| self.talk.ask_of(&invoked.payload).is_some_and(|of| of.id == self.ask.id);
        let invoked: Vec<&Invoked> = self.talk.invoked.iter().filter(mine).collect();
        let mut told = |rule, what: String| {
            violations.push(Violation::safety(rule, format!("{} {what}", self.ask.text())));
        };
        if invoked.len() > 1 {
            told("REQ-WAMP-040", format!("reached {} callees", invoked.len()));
        }
        let invoked = invoked.first().copied();
        let finals = self.ask.answers.iter().filter(|(_, answer)| answer.is_final()).count();
        if finals > 1 {
            told(self.double(), format!("was answered {finals} times"));
        }
        let last = self.ask.last();
        if self.ask.answers.iter().any(|(at, answer)| !answer.is_final() && last.is_some_and(|(l, _)| l < at))
        {
            told("REQ-WAMP-047", "had a part after its last answer".to_owned());
        }
        self.payloads(invoked, &mut told);
        if let Some((_, Answer::Refused { uri, .. })) = last
            && let Some((rule, what)) = self.error(uri, invoked)
        {
            told(rule, what);
        }
        if let Some((rule, what)) = self.interrupts(invoked) {
            told(rule, what);
        }
        violations.extend(self.silence(invoked));
    }

    fn cancelled(&self) -> Option<(usize, CancelMode)> {
        let mut asks = self.talk.asks.values().filter(|ask| ask.id.0 == self.ask.id.0);
        asks.find_map(|ask| match ask.request {
            Request::Cancel { of, mode } if of == self.ask.id.1 => Some((ask.at, mode)),
            _ => None,
        })
    }

    /// The rule that a second last answer breaks.
    fn double(&self) -> &'static str {
        let is_timeout =
            |(_, answer): &(usize, Answer)| matches!(answer, Answer::Refused { uri, .. } if uri == TIMEOUT);
        match self.cancelled() {
            Some(_) => "REQ-WAMP-049",
            None if self.ask.answers.first().is_some_and(is_timeout) => "REQ-RPC-004",
            None => "REQ-RPC-002",
        }
    }

    /// Answers that hold what the callee gave to this call, in that order.
    fn payloads(&self, invoked: Option<&Invoked>, told: &mut impl FnMut(&'static str, String)) {
        let mut parts = 0;
        for (_, answer) in &self.ask.answers {
            if matches!(answer, Answer::Refused { uri, payload: None } if uri == CALLEE_ERROR) {
                told("REQ-WAMP-041", "failed without what its callee said".to_owned());
            }
            let (give, payload) = match answer {
                Answer::Progress { payload } => (Give::Progress, payload),
                Answer::Result { payload } => (Give::Result, payload),
                Answer::Refused { uri, payload: Some(payload) } if uri == CALLEE_ERROR => {
                    (Give::Error, payload)
                }
                _ => continue,
            };
            let Some(given) = invoked.and_then(|invoked| given(invoked, payload)) else {
                told("REQ-RPC-002", format!("was answered what its callee did not say: {payload}"));
                continue;
            };
            let altered = if give == Give::Error { "REQ-WAMP-041" } else { "REQ-WAMP-040" };
            if given.2 != give {
                told(altered, format!("was answered {give:?}, and its callee said {:?}", given.2));
            }
            if !same(&given.3, payload) {
                told(altered, format!("was answered other arguments: {payload} for {}", given.3));
            }
            if give == Give::Progress {
                let wanted = invoked.into_iter().flat_map(|i| &i.gave).nth(parts);
                if !self.progress || wanted.is_none_or(|wanted| wanted.1 != given.1) {
                    told("REQ-WAMP-047", format!("had a part that was not its turn: {payload}"));
                }
                parts += 1;
            }
        }
        let all = invoked.map_or(0, |i| i.gave.iter().filter(|gave| gave.2 == Give::Progress).count());
        if self.progress && parts < all && self.ask.last().is_some() {
            told("REQ-WAMP-047", format!("had {parts} of {all} parts before its last answer"));
        }
    }

    /// What is wrong with an error.
    fn error(&self, uri: &str, invoked: Option<&Invoked>) -> Option<(&'static str, String)> {
        let Request::Call { procedure, .. } = &self.ask.request else { return None };
        let end = self.ask.last().map_or(usize::MAX, |(at, _)| *at);
        let gave = invoked.and_then(|invoked| invoked.gave.iter().find(|gave| gave.2 != Give::Progress));
        let gave = gave.filter(|gave| gave.0 < end);
        let callee_goes = self.callee_goes(invoked);
        let wrong = |rule| Some((rule, format!("failed with {uri}")));
        match uri {
            CALLEE_ERROR => gave.is_none_or(|gave| gave.2 != Give::Error).then(|| wrong("REQ-RPC-002"))?,
            NO_PROCEDURE if invoked.is_some() => wrong("REQ-WAMP-042"),
            NO_PROCEDURE => self.books.has(procedure, self.ask.at, end).then(|| wrong("REQ-WAMP-040"))?,
            TIMEOUT if self.timed.is_some() => None,
            CANCELED if self.cancelled().is_some_and(|(_, mode)| mode != CancelMode::Kill) => None,
            CANCELED if callee_goes => None,
            _ if self.cancelled().is_some() => wrong("REQ-WAMP-049"),
            _ if self.timed.is_some() => wrong("REQ-WAMP-050"),
            _ if gave.is_some_and(|gave| gave.2 == Give::Error) => wrong("REQ-WAMP-041"),
            _ if callee_goes && invoked.is_some() => wrong("REQ-WAMP-056"),
            _ if !self.books.may_have(procedure, self.ask.at, end) => wrong("REQ-WAMP-042"),
            _ => wrong("REQ-WAMP-040"),
        }
    }

    /// Whether the callee is going, or whoever may be it.
    fn callee_goes(&self, invoked: Option<&Invoked>) -> bool {
        match invoked {
            Some(invoked) => self.talk.gone(invoked.callee).is_some(),
            None => self.talk.ledger.members.keys().any(|conn| self.talk.gone(*conn).is_some()),
        }
    }

    /// Whether the callee was told what it should be.
    fn interrupts(&self, invoked: Option<&Invoked>) -> Option<(&'static str, String)> {
        let interrupted = invoked?.interrupted.is_some();
        let caller_goes = self.talk.gone(self.ask.id.0).is_some();
        match self.cancelled() {
            Some((_, CancelMode::Skip)) if interrupted => {
                Some(("REQ-WAMP-049", "was skipped, and its callee interrupted".to_owned()))
            }
            None if interrupted && self.timed.is_none() && !caller_goes => {
                Some(("REQ-WAMP-049", "was interrupted though nobody took it back".to_owned()))
            }
            _ => None,
        }
    }

    /// Whether somebody waited in vain for a call with a timeout to end, before its callee answered.
    fn is_too_late(&self, invoked: Option<&Invoked>) -> bool {
        let Some(invoked) = invoked.filter(|_| self.timed.is_some()) else { return false };
        let gave = invoked.gave.first().map_or(usize::MAX, |gave| gave.0);
        let caller = self.talk.ledger.members.get(&self.ask.id.0);
        let mut missed = caller.into_iter().flat_map(|caller| &caller.missed);
        let over = self.ask.last().map_or(usize::MAX, |(at, _)| *at);
        missed.any(|(at, wait)| *wait == Wait::Answer && invoked.at < *at && *at < gave.min(over))
    }

    /// An answer, or an interrupt, that did not come.
    fn silence(&self, invoked: Option<&Invoked>) -> Vec<Violation> {
        let liveness =
            |rule, what: &str| vec![Violation::liveness(rule, format!("{} {what}", self.ask.text()))];
        if self.talk.gone(self.ask.id.0).is_some() {
            return Vec::new();
        }
        let over = self.ask.last().map(|(at, _)| *at);
        if let (Some((at, mode)), Some(invoked)) = (self.cancelled(), invoked) {
            let was_under_way = over.is_none_or(|over| over > at);
            if mode != CancelMode::Skip && was_under_way && invoked.interrupted.is_none() {
                return liveness("REQ-WAMP-049", "was taken back, and its callee not told");
            }
        }
        if self.is_too_late(invoked) {
            return liveness("REQ-WAMP-050", "was not ended by its timeout");
        }
        if over.is_some() {
            return Vec::new();
        }
        let rule = match invoked {
            _ if self.cancelled().is_some() => "REQ-WAMP-049",
            Some(invoked) if invoked.gave.iter().any(|gave| gave.2 == Give::Error) => "REQ-WAMP-041",
            Some(invoked) if invoked.gave.is_empty() && self.timed.is_some() => "REQ-WAMP-050",
            Some(_) | None if self.callee_goes(invoked) => "REQ-WAMP-056",
            None if !self.books.may_have_any(&self.ask.request, self.ask.at) => "REQ-WAMP-042",
            _ => "REQ-WAMP-040",
        };
        liveness(rule, "has no answer")
    }
}

impl Books {
    fn may_have_any(&self, request: &Request, from: usize) -> bool {
        matches!(request, Request::Call { procedure, .. } if self.may_have(procedure, from, usize::MAX))
    }
}

/// What a callee gave, by its payload.
fn given<'a>(invoked: &'a Invoked, payload: &Payload) -> Option<&'a (usize, u32, Give, Payload)> {
    let tag = payload.tag()?;
    invoked.gave.iter().find(|gave| tag.conn == invoked.callee && tag.number == gave.1)
}
