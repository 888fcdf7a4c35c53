//! The judge of a line: each message gets what it has to get, and nothing else comes.

use super::fate::{Fate, Ruled, State};
use super::speech::{End, Speech, Turn};
use super::{SPEAKER, WITNESS};
use crate::check::talk::Talk;
use crate::check::{Nature, Violation};
use crate::history::{Conn, History, What};
use crate::model::Form;
use crate::raw::wamp::{Value, code};

/// What a violation is told with.
const REASON: &str = "wamp.error.protocol_violation";

/// What a history breaks.
pub(super) fn judge(history: &History) -> Vec<Violation> {
    let Some(speech) = Speech::of(history, SPEAKER) else { return Vec::new() };
    let mut story = Story::new(&speech);
    if speech.is_open() {
        story.run();
    } else if speech.answer.is_none() {
        let text = "the handshake was not answered".to_owned();
        story.violations.push(Violation::liveness("REQ-LIVE-001", text));
    }
    let rule = story.violated.as_ref().map(|(rule, _)| *rule);
    let mut violations = story.violations;
    violations.extend(witnesses(history, rule));
    violations
}

/// What others notice: nothing. `rule`: what a violation broke.
pub(super) fn witnesses(history: &History, rule: Option<&'static str>) -> Vec<Violation> {
    let talk = Talk::of(history);
    // What is answered too often, other checks find.
    let mut violations = talk.basics("REQ-RPC-002");
    for ask in talk.asks.values().filter(|ask| ask.last().is_none()) {
        violations.push(Violation::liveness("REQ-LIVE-001", format!("{} has no answer", ask.text())));
    }
    for event in &history.events {
        if let (What::Refused { why, .. }, Some(Conn(1..))) = (&event.what, event.conn) {
            violations
                .push(Violation::safety("REQ-LIVE-001", format!("another session does not open: {why}")));
        }
    }
    // What else there is to find in their messages, other checks find.
    violations.retain(|violation| violation.requirement == "REQ-LIVE-001");
    for violation in &mut violations {
        violation.requirement = rule.unwrap_or(violation.requirement);
    }
    debug_assert!(talk.asks.keys().all(|(conn, _)| *conn >= WITNESS));
    violations
}

/// A line as it goes on.
struct Story<'a> {
    speech: &'a Speech<'a>,
    state: State,
    /// What has to come, and what it answers.
    wants: Vec<(Ruled, String)>,
    /// The requests that nothing may answer: the begins of what would, and the rules.
    silent: Vec<([Value; 2], (&'static str, String))>,
    /// The rule of the last message.
    last: (&'static str, String),
    /// The rule of a message that ends the session.
    violated: Option<(&'static str, String)>,
    aborted: bool,
    /// The client said ABORT: the connection may end behind that.
    gave_up: bool,
    violations: Vec<Violation>,
}

impl<'a> Story<'a> {
    fn new(speech: &'a Speech<'a>) -> Self {
        Self {
            speech,
            state: State::default(),
            wants: Vec::new(),
            silent: Vec::new(),
            last: ("REQ-WAMP-015", "nothing".to_owned()),
            violated: None,
            aborted: false,
            gave_up: false,
            violations: Vec::new(),
        }
    }

    fn safety(&mut self, rule: &'static str, text: String) {
        self.violations.push(Violation { requirement: rule, nature: Nature::Safety, text });
    }

    fn run(&mut self) {
        for turn in &self.speech.turns {
            if turn.is_said {
                self.say(turn);
            } else if turn.form != Form::Pong {
                self.hear(turn);
            }
        }
        self.end();
    }

    fn say(&mut self, turn: &Turn<'_>) {
        // Nothing behind a violation is read.
        if self.violated.is_some() {
            return;
        }
        let is_text = self.speech.written().is_text();
        let is_own = turn.form == if is_text { Form::Text } else { Form::Binary };
        let Some(ruled) = self.state.take(is_own, turn.form, turn.items.as_deref()) else { return };
        self.last = (ruled.0, turn.text());
        self.gave_up |= turn.kind() == Some(code::ABORT);
        match ruled.1 {
            Fate::Violation => self.violated = Some(self.last.clone()),
            Fate::Silence => {
                if let Some([Value::Int(kind), number, ..]) = turn.items.as_deref() {
                    self.silent.push(([Value::Int(kind + 1), number.clone()], self.last.clone()));
                }
            }
            Fate::Answer(..) => self.wants.push((ruled, turn.text())),
        }
    }

    fn hear(&mut self, turn: &Turn<'_>) {
        let text = turn.text();
        let Some(items) = &turn.items else {
            return self.safety("REQ-WAMP-001", format!("what came is no message: {text}"));
        };
        if let Some(place) = self.wants.iter().position(|(ruled, _)| is_it(ruled, items)) {
            let ((rule, fate), said) = self.wants.remove(place);
            return self.answered(rule, &fate, &said, items);
        }
        if let Some((rule, said)) = self.violated.clone() {
            match items.as_slice() {
                [Value::Int(code::ABORT), _, reason, ..] => {
                    self.aborted = true;
                    if reason.text() != Some(REASON) {
                        self.safety(rule, format!("{said} was answered ABORT {reason:?}, not {REASON}"));
                    }
                }
                _ => self.safety(rule, format!("{said} did not end the session: {text} came")),
            }
            return;
        }
        match items.as_slice() {
            [Value::Int(code::EVENT), ..] if !self.state.topics.is_empty() => {}
            _ => {
                let silent = self.silent.iter().find(|(begin, _)| items.starts_with(begin));
                let (rule, said) = silent.map_or(&self.last, |(_, ruled)| ruled).clone();
                let is_of_the_gone = matches!(turn.kind(), Some(code::EVENT | code::GOODBYE));
                let rule = if is_of_the_gone { "REQ-WAMP-014" } else { rule };
                self.safety(rule, format!("behind {said} came {text}"));
            }
        }
    }

    fn answered(&mut self, rule: &'static str, fate: &Fate, said: &str, items: &[Value]) {
        let Fate::Answer(begin, reason) = fate else { return };
        let kind = begin.first().and_then(Value::int);
        let is_right = items.starts_with(begin);
        let told = items.get(4).and_then(Value::text);
        if !is_right || reason.is_some_and(|reason| told != Some(reason)) {
            let text = format!("{said} was answered {items:?}, not {begin:?} {}", reason.unwrap_or(""));
            return self.safety(rule, text);
        }
        if kind == Some(code::GOODBYE)
            && items.get(2).and_then(Value::text) != Some("wamp.close.goodbye_and_out")
        {
            self.safety(rule, format!("{said} was answered {items:?}"));
        }
    }

    fn end(&mut self) {
        let end = self.speech.end;
        let wants: Vec<_> = self.wants.drain(..).filter(|_| !self.gave_up || end.is_none()).collect();
        // An end has one reason: the first that is not answered.
        let blamed = if end.is_some() { 1 } else { wants.len() };
        for ((rule, _), said) in wants.into_iter().take(blamed) {
            let text = match end {
                Some(End(code)) => format!("{said} ended the connection with {code:?}"),
                None => format!("{said} was not answered"),
            };
            let nature = if end.is_some() { Nature::Safety } else { Nature::Liveness };
            self.violations.push(Violation { requirement: rule, nature, text });
        }
        let Some((rule, said)) = self.violated.clone() else { return };
        match (self.aborted, end) {
            (true, Some(End(Some(1002)))) => {}
            (true, Some(End(code))) => {
                self.safety(rule, format!("behind {said} the code was {code:?}, not 1002"));
            }
            (false, Some(End(code))) => {
                self.safety(rule, format!("{said} was answered by no ABORT, but {code:?}"));
            }
            (_, None) => {
                let text = format!("{said} did not end the connection");
                self.violations.push(Violation::liveness(rule, text));
            }
        }
    }
}

/// Whether a message is an answer to a request: right or wrong.
fn is_it((_, fate): &Ruled, items: &[Value]) -> bool {
    let Fate::Answer(begin, _) = fate else { return false };
    if items.starts_with(begin) {
        return true;
    }
    // The other of the two answers that a request may have.
    match (begin.as_slice(), items) {
        ([Value::Int(code::ERROR), Value::Int(kind), number], [Value::Int(answer), is, ..]) => {
            *answer == kind + 1 && is == number
        }
        ([Value::Int(granted), number], [Value::Int(code::ERROR), Value::Int(kind), is, ..]) => {
            *granted == kind + 1 && is == number
        }
        _ => false,
    }
}
