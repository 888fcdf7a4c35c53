//! Publications, pushes and calls: each is answered once, truly, in time, and by its own answer.

use std::collections::{BTreeMap, BTreeSet};

use petasus_protocol::session::{DeliveryMode, Error, Event, Outcome, RequestId, Until};
use petasus_protocol::wamp::Message;

use super::{Judge, Moment, Turn, Wrong};
use crate::history::{Ask, History, Out, Truth, token, token_of};

pub(super) struct Requests {
    all: BTreeMap<(usize, RequestId), Request>,
    tokens: BTreeMap<String, Fate>,
    request_timeout: u64,
    lateness: u64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Publish,
    PushHanded,
    PushDone,
    Call,
}

struct Request {
    kind: Kind,
    token: String,
    place: usize,
    /// When its time began, the last time.
    since: u64,
    timeout: u64,
    parts: u32,
    is_over: bool,
}

/// What became of a token.
#[derive(Default)]
struct Fate {
    /// The socket and number with which it was sent.
    sent: BTreeSet<(u64, u64)>,
    accepted: u32,
    /// Why it must not be sent (any more).
    forbidden: Option<String>,
}

impl Requests {
    pub(super) fn new(history: &History) -> Requests {
        Requests {
            all: BTreeMap::new(),
            tokens: BTreeMap::new(),
            request_timeout: history.request_timeout,
            lateness: history.lateness,
        }
    }

    fn asked(&mut self, turn: &Turn<'_>, ask: &Ask, wrong: &mut Wrong) {
        let (kind, token, timeout, result) = match ask {
            Ask::Publish { token, mode, result, .. } => {
                let result = result.clone();
                if let (DeliveryMode::Fire, Ok(_)) = (mode, &result)
                    && !turn.outputs.iter().any(|(_, output)| sends(output).is_some())
                {
                    wrong.note("fire", turn.place, format!("{token} was taken and not sent at once"));
                }
                let timeout = match mode {
                    DeliveryMode::Acknowledged { timeout } => *timeout,
                    _ => None,
                };
                (Kind::Publish, token, timeout, result)
            }
            Ask::Push { token, until, timeout, result } => {
                let kind = if *until == Until::Done { Kind::PushDone } else { Kind::PushHanded };
                (kind, token, *timeout, result.clone().map(Some))
            }
            Ask::Call { token, timeout, result } => (Kind::Call, token, *timeout, result.clone().map(Some)),
            Ask::Cancel { request } => return self.cancel(turn.peer, *request),
            _ => return,
        };
        match result {
            Ok(None) => {}
            Ok(Some(id)) => {
                let (token, timeout) = (token.clone(), timeout.unwrap_or(self.request_timeout));
                let (place, since) = (turn.place, turn.at);
                let request = Request { kind, token, place, since, timeout, parts: 0, is_over: false };
                self.all.insert((turn.peer, id), request);
            }
            Err(error) => self.forbid(token, format!("it was refused: {error}")),
        }
    }

    fn cancel(&mut self, peer: usize, request: RequestId) {
        if let Some(request) = self.all.get_mut(&(peer, request)) {
            request.is_over = true;
            let token = request.token.clone();
            self.forbid(&token, "it was canceled".to_owned());
        }
    }

    fn forbid(&mut self, token: &str, why: String) {
        self.tokens.entry(token.to_owned()).or_default().forbidden.get_or_insert(why);
    }

    fn sent(&mut self, place: usize, output: &Out, wrong: &mut Wrong) {
        let Some((token, way, again)) = sends(output) else { return };
        let fate = self.tokens.entry(token.clone()).or_default();
        if let Some(why) = &fate.forbidden {
            wrong.note("sent_late", place, format!("{token} is sent though {why}"));
        }
        let is_new = fate.sent.insert(way);
        // The same CALL again brings more arguments.
        if fate.sent.len() > 1 || (!is_new && !again) {
            wrong.note("sent_once", place, format!("{token} is sent again"));
        }
    }

    fn done(
        &mut self,
        turn: &Turn<'_>,
        place: usize,
        id: RequestId,
        outcome: &Result<Outcome, Error>,
        wrong: &mut Wrong,
    ) {
        let Some(request) = self.all.get_mut(&(turn.peer, id)) else {
            return wrong.note("answered_once", place, "the answer to nothing");
        };
        if std::mem::replace(&mut request.is_over, true) {
            return wrong.note("answered_once", place, format!("{} is over", request.token));
        }
        let late = turn.at.saturating_sub(request.since + request.timeout + self.lateness);
        if late > 0 {
            wrong.note("in_time", place, format!("{} was answered {late} ms too late", request.token));
        }
        let (kind, name) = (request.kind, request.token.clone());
        let fate = self.tokens.entry(name.clone()).or_default();
        let (was_sent, accepted) = (!fate.sent.is_empty(), fate.accepted > 0);
        let echo = |text: &str| text == format!("re:{name}");
        match (kind, outcome) {
            (Kind::Publish, Ok(Outcome::Published))
            | (Kind::PushHanded, Ok(Outcome::Handed | Outcome::Held)) => {
                if !accepted {
                    wrong.note("acknowledged_truly", place, format!("the router never had {name}"));
                }
            }
            (Kind::PushDone | Kind::Call, Ok(Outcome::Result(content))) => {
                if !echo(&token_of(content)) {
                    wrong.note("wrong_answer", place, format!("to {name}: {}", token_of(content)));
                }
            }
            (_, Ok(other)) => wrong.note("wrong_answer", place, format!("to a {kind:?}: {other:?}")),
            (_, Err(Error::Refused(refusal))) => {
                let text = token_of(&refusal.content);
                if text.starts_with("re:") && !echo(&text) {
                    wrong.note("wrong_answer", place, format!("to {name}: {text}"));
                }
                if kind == Kind::Publish && accepted {
                    wrong.note("acknowledged_truly", place, format!("the router published {name}"));
                }
            }
            (_, Err(Error::Lost | Error::TimedOut)) if !was_sent => {
                wrong.note("lost_unsent", place, format!("{name} was never sent, which is better news"));
            }
            (_, Err(Error::NotConnected | Error::QueueFull { .. } | Error::Unsupported { .. }))
                if was_sent =>
            {
                wrong.note("acknowledged_truly", place, format!("{name} was sent"));
            }
            (_, Err(_)) => {}
        }
        self.forbid(&name, "it was answered".to_owned());
    }

    fn progress(&mut self, turn: &Turn<'_>, place: usize, id: RequestId, text: &str, wrong: &mut Wrong) {
        let Some(request) = self.all.get_mut(&(turn.peer, id)).filter(|request| !request.is_over) else {
            return wrong.note("answered_once", place, "a part of the answer to nothing");
        };
        let wanted = format!("part:{}:{}", request.token, request.parts);
        request.parts += 1;
        request.since = turn.at;
        if text != wanted {
            wrong.note("wrong_answer", place, format!("{text} where {wanted} comes next"));
        }
    }
}

impl Judge for Requests {
    fn see(&mut self, moment: &Moment<'_>, wrong: &mut Wrong) {
        match moment {
            Moment::Turn(turn) => {
                if let Some(ask) = turn.asked() {
                    self.asked(turn, ask, wrong);
                }
                for (place, output) in &turn.outputs {
                    self.sent(*place, output, wrong);
                }
                for (place, event) in &turn.told {
                    match event {
                        Event::Done { request, outcome } => self.done(turn, *place, *request, outcome, wrong),
                        Event::Progress { request, content } => {
                            self.progress(turn, *place, *request, &token_of(content), wrong);
                        }
                        _ => {}
                    }
                }
            }
            Moment::Router { place, truth: Truth::Published { token, .. } | Truth::JobTaken { token } } => {
                let fate = self.tokens.entry(token.clone()).or_default();
                fate.accepted += 1;
                if fate.accepted > 1 {
                    wrong.note("accepted_once", *place, format!("{token} came twice"));
                }
            }
            Moment::End { .. } => {
                for request in self.all.values().filter(|request| !request.is_over) {
                    wrong.note(
                        "answered_once",
                        request.place,
                        format!("{} was never answered", request.token),
                    );
                }
            }
            _ => {}
        }
    }
}

/// The token of a PUBLISH or CALL, its socket and number, and whether it may come again.
fn sends(output: &Out) -> Option<(String, (u64, u64), bool)> {
    let Out::Send { socket, message } = output else { return None };
    match message {
        Message::Publish(publish) => Some((token(&publish.payload), (*socket, publish.request), false)),
        Message::Call(call) => Some((token(&call.payload), (*socket, call.request), true)),
        _ => None,
    }
}
