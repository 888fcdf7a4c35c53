//! The judge of frames: what [`rfc6455::fate`] says must become of them, against what became.

use super::{PARTNER, SPEAKER};
use crate::check::{Violation, delivery, is_from, limit, without};
use crate::history::{History, Wait, What};
use crate::model::rfc6455::{End, Ending, Fate, Whole, fate};
use crate::model::{Door, Kind, Pattern, Payload, Role, Sent};

/// A frame that the speaker got.
struct Got<'a> {
    at: usize,
    fin: bool,
    opcode: u8,
    payload: &'a Payload,
    code: Option<u16>,
}

/// All about the speaker.
struct Story<'a> {
    history: &'a History,
    role: Role,
    /// What it wrote, with the place in the history.
    wrote: Vec<(usize, Sent, Vec<u8>)>,
    got: Vec<Got<'a>>,
    eof: Option<bool>,
    missed: Vec<(usize, Wait)>,
    broken: Option<&'a str>,
    fate: Fate,
}

/// What a history breaks.
pub(super) fn frames(history: &History) -> Vec<Violation> {
    let mut violations = delivery::judge(&without(SPEAKER, history));
    let asked = history.events.iter().find_map(|event| match &event.what {
        What::Requested { door, .. } if event.conn == Some(SPEAKER) => Some(door),
        _ => None,
    });
    let status = history.events.iter().find_map(|event| match event.what {
        What::Responded { status, .. } if event.conn == Some(SPEAKER) => Some(status),
        _ => None,
    });
    let (Some(door), Some(status)) = (asked, status) else {
        violations.push(Violation::liveness("REQ-LIVE-001", "a handshake was not answered"));
        return violations;
    };
    if status != 101 {
        let text = format!("a handshake at {:?} was answered {status}", door.role);
        violations.push(Violation::safety("REQ-LIVE-001", text));
        return violations;
    }
    violations.extend(Story::of(history, door).judge());
    violations
}

impl<'a> Story<'a> {
    fn of(history: &'a History, door: &Door) -> Self {
        let mut story = Self {
            history,
            role: door.role,
            wrote: Vec::new(),
            got: Vec::new(),
            eof: None,
            missed: Vec::new(),
            broken: None,
            fate: Fate::default(),
        };
        for (at, event) in history.events.iter().enumerate().filter(|(_, e)| e.conn == Some(SPEAKER)) {
            match &event.what {
                What::Wrote { frames } => {
                    for frame in frames {
                        let number = story.wrote.len() as u32;
                        let bytes = frame.fill.bytes(&history.namespace, SPEAKER, number);
                        story.wrote.push((at, frame.clone(), bytes));
                    }
                }
                What::Frame { fin, opcode, payload, code } => {
                    story.got.push(Got { at, fin: *fin, opcode: *opcode, payload, code: *code });
                }
                What::Eof { reset } => story.eof = Some(*reset),
                What::Missed { wait } => story.missed.push((at, *wait)),
                What::Broken { why } => story.broken = Some(why),
                _ => {}
            }
        }
        let sent: Vec<_> =
            story.wrote.iter().map(|(_, frame, bytes)| (frame.clone(), bytes.clone())).collect();
        story.fate = fate(&sent, limit(history));
        story
    }

    fn judge(&self) -> Vec<Violation> {
        let mut violations = self.shapes();
        violations.extend(self.pongs());
        violations.extend(self.ending());
        violations.extend(self.behind_the_end());
        violations.extend(self.deliveries());
        violations
    }

    fn says(&self, text: &str) -> String {
        format!("at {:?}: {text}", self.role)
    }

    /// What the broker sends is as it has to be.
    fn shapes(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        if let Some(why) = self.broken {
            violations.push(Violation::safety("REQ-WS-012", self.says(why)));
        }
        if self.got.iter().any(|got| !got.fin || got.opcode == 0) {
            violations.push(Violation::safety("REQ-WS-012", self.says("a message came in fragments")));
        }
        violations
    }

    fn pongs(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        for (at, _) in self.missed.iter().filter(|(_, wait)| *wait == Wait::Answer) {
            // What fails the connection has its own rule.
            let is_failed = matches!(&self.fate.end, Some(End { place, how: Ending::Fail { .. } })
                if self.wrote[*place].0 < *at);
            let last = self.fate.pings.iter().rfind(|(place, ..)| self.wrote[*place].0 < *at);
            if let Some((place, inside, _)) = last.filter(|_| !is_failed) {
                let rule = if *inside { "REQ-WS-004" } else { "REQ-WS-005" };
                violations
                    .push(Violation::liveness(rule, self.says(&format!("ping {place} was not answered"))));
            }
        }
        for got in self.got.iter().filter(|got| got.opcode == 10) {
            let asked_for = |(place, _, bytes): &(usize, bool, Vec<u8>)| {
                self.wrote[*place].0 < got.at && Payload::of(bytes) == *got.payload
            };
            if !self.fate.pings.iter().any(asked_for) && !self.is_behind_end() {
                let text = self.says(&format!("a pong came that no ping asked for: {}", got.payload));
                violations.push(Violation::safety("REQ-WS-005", text));
            }
        }
        if let Some(early) = self.fate.early {
            let later = |(place, _, bytes): &&(usize, bool, Vec<u8>)| {
                *place > early
                    && self.got.iter().any(|got| got.opcode == 10 && *got.payload == Payload::of(bytes))
            };
            if self.fate.pings.iter().find(later).is_some() {
                let text =
                    "text that cannot become UTF-8 was found at the end of its message, not of its fragment";
                violations.push(Violation::safety("REQ-WS-010", self.says(text)));
            }
        }
        violations
    }

    /// Whether something was written behind what fails the connection.
    fn is_behind_end(&self) -> bool {
        self.fate.end.as_ref().is_some_and(|end| end.place + 1 < self.wrote.len())
    }

    fn rule(&self, rule: &'static str) -> &'static str {
        let is_held_there_too = matches!(rule, "REQ-WS-007" | "REQ-PAY-003");
        if is_held_there_too && !self.role.sends() { "REQ-PAY-006" } else { rule }
    }

    /// The Close frame, and the end of TCP.
    fn ending(&self) -> Vec<Violation> {
        let close = self.got.iter().find(|got| got.opcode == 8);
        let Some(end) = &self.fate.end else {
            let is_excused = self.fate.early.is_some() && close.is_some_and(|close| close.code == Some(1007));
            return Vec::from_iter((!is_excused && self.eof.is_some()).then(|| self.unprovoked(close)));
        };
        let mut violations = Vec::new();
        let seen = close.map(|close| close.code);
        let is_early = close.is_some_and(|close| close.at < self.wrote[end.place].0);
        match &end.how {
            _ if is_early && seen == Some(Some(1007)) && self.fate.early.is_some() => {}
            _ if is_early
                || close.is_none() && self.eof.is_some() && !matches!(end.how, Ending::Fail { .. }) =>
            {
                let text =
                    self.says(&format!("the connection was ended with {seen:?} though nothing was wrong"));
                violations.push(Violation::safety(self.blame(), text));
            }
            Ending::Close(code) if seen.is_some_and(|seen| seen != *code) => {
                let text = self.says(&format!("Close {code:?} was answered with {seen:?}"));
                violations.push(Violation::safety("REQ-WS-006", text));
            }
            Ending::Fail { rule, codes } => violations.extend(self.failing(end, rule, codes, close)),
            Ending::Close(_) => {}
        }
        if self.missed.iter().any(|(_, wait)| *wait == Wait::End) {
            let (rule, text) = match (&end.how, seen) {
                (Ending::Fail { .. }, Some(_)) => ("REQ-WS-014", "TCP did not end behind the Close frame"),
                (Ending::Fail { rule, .. }, None) => (self.rule(rule), "the connection went on"),
                (Ending::Close(_), _) => ("REQ-WS-006", "the connection did not end behind a Close frame"),
            };
            violations.push(Violation::liveness(rule, self.says(text)));
        }
        violations
    }

    /// What failed a connection is told by its code. A reset may have swallowed it, if the broker had more to read.
    fn failing(
        &self,
        end: &End,
        rule: &'static str,
        codes: &[u16],
        close: Option<&Got<'_>>,
    ) -> Option<Violation> {
        let what = format!("frame {} ({:?})", end.place, self.wrote[end.place].1);
        match close.map(|close| close.code) {
            Some(Some(code)) if codes.contains(&code) => None,
            Some(code) => {
                let text = self.says(&format!("{what} was answered with Close {code:?}, not {codes:?}"));
                Some(Violation::safety(self.rule(rule), text))
            }
            None if self.eof == Some(true) && self.is_behind_end() => None,
            None if self.eof.is_some() => Some(Violation::safety(
                "REQ-WS-014",
                self.says(&format!("{what} was answered by the end of TCP alone")),
            )),
            None => Some(Violation::liveness(
                self.rule(rule),
                self.says(&format!("{what} did not fail the connection")),
            )),
        }
    }

    /// The broker ended a connection on which nothing was wrong.
    fn unprovoked(&self, close: Option<&Got<'_>>) -> Violation {
        let seen = close.map(|close| close.code);
        let text = format!("the connection was ended with {seen:?} though nothing was wrong");
        Violation::safety(self.blame(), self.says(&text))
    }

    /// What a broker that ends a connection without a reason probably did not like.
    fn blame(&self) -> &'static str {
        if self.fate.has_pong {
            return "REQ-WS-015";
        }
        if self.fate.pings.iter().any(|(_, inside, _)| *inside) {
            return "REQ-WS-004";
        }
        if self.fate.messages.iter().any(|message| message.pieces > 1) {
            "REQ-PAY-005"
        } else {
            "REQ-LIVE-001"
        }
    }

    /// Behind the broker's Close frame nothing comes.
    fn behind_the_end(&self) -> Option<Violation> {
        let first = self.got.iter().position(|got| got.opcode == 8)?;
        let more = self.got.get(first + 1)?;
        let is_failed = matches!(self.fate.end, Some(End { how: Ending::Fail { .. }, .. }));
        let rule = if is_failed { "REQ-WS-014" } else { "REQ-WS-006" };
        Some(Violation::safety(
            rule,
            self.says(&format!("a frame of opcode {} came behind Close", more.opcode)),
        ))
    }

    /// What the partner got of it.
    fn deliveries(&self) -> Vec<Violation> {
        let got: Vec<(Kind, &Payload)> = self
            .history
            .events
            .iter()
            .filter(|event| event.conn == Some(PARTNER))
            .filter_map(|event| match &event.what {
                What::Received { kind, payload } => Some((*kind, payload)),
                _ => None,
            })
            .filter(|(_, payload)| is_from(SPEAKER, self.history, payload))
            .collect();
        let mut violations = Vec::new();
        if !self.role.sends() {
            return violations;
        }
        let mut due: Vec<(Kind, Payload)> =
            self.fate.messages.iter().map(|message| (message.kind, Payload::of(&message.bytes))).collect();
        for (kind, payload) in got {
            match due.iter().position(|(k, p)| *k == kind && p == payload) {
                Some(place) => drop(due.remove(place)),
                None => violations.push(self.unexpected(kind, payload)),
            }
        }
        // Where the connection was failed, what came before may have been overtaken by that.
        let is_judged = matches!(self.fate.end, Some(End { how: Ending::Close(_), .. }))
            && self.eof == Some(false)
            && self.missed.is_empty();
        for (kind, payload) in due.into_iter().filter(|_| is_judged) {
            let of = |message: &&Whole| Payload::of(&message.bytes) == payload;
            let is_whole = self.fate.messages.iter().find(of).is_some_and(|message| message.pieces == 1);
            let rule = match kind {
                _ if !is_whole => "REQ-PAY-005",
                Kind::Text => "REQ-PAY-001",
                Kind::Binary => "REQ-PAY-002",
            };
            violations.push(Violation::liveness(rule, self.says(&format!("{payload} did not arrive"))));
        }
        violations
    }

    /// Something arrived that is no message of the speaker's.
    fn unexpected(&self, kind: Kind, payload: &Payload) -> Violation {
        let number = payload.tag().map(|tag| tag.number as usize);
        let text = self.says(&format!("{payload} was delivered"));
        let is_of_whole =
            |message: &&Whole| Some(message.first) == number || Payload::of(&message.bytes) == *payload;
        let whole = self.fate.messages.iter().find(is_of_whole);
        // What was not failed at all has that as its fault.
        let has_failed = |codes: &[u16]| {
            self.got.iter().any(|got| got.opcode == 8 && got.code.is_some_and(|code| codes.contains(&code)))
        };
        let is_same = |message: &Whole| message.kind == kind && Payload::of(&message.bytes) == *payload;
        let is_copy = self.fate.messages.iter().any(is_same);
        let rule = match (&self.fate.end, whole) {
            _ if is_copy => match self.role.pattern() {
                Pattern::Bus => "REQ-BUS-001",
                Pattern::PubSub => "REQ-SUB-003",
                Pattern::Queue | Pattern::Session => "REQ-RR-002",
            },
            (_, Some(message)) if message.pieces > 1 => "REQ-PAY-005",
            (_, Some(message)) if message.kind == Kind::Text => "REQ-PAY-001",
            (_, Some(_)) => "REQ-PAY-002",
            (Some(End { place, how: Ending::Fail { codes, .. } }), None)
                if has_failed(codes) && number.is_some_and(|n| n > *place) =>
            {
                "REQ-WS-014"
            }
            (Some(End { how: Ending::Fail { rule, .. }, .. }), None) => rule,
            (Some(End { place, .. }), None) if number.is_some_and(|n| n > *place) => "REQ-WS-006",
            // A fragment without its tag.
            (_, None) if self.fate.messages.iter().any(|message| message.pieces > 1) => "REQ-PAY-005",
            (_, None) => "REQ-SUB-005",
        };
        Violation::safety(rule, text)
    }
}
