//! Handshakes, right ones in all their spellings, and wrong ones.

use proptest::prelude::*;
use serde::{Deserialize, Serialize};

use super::{PARTNER, ROLES, SPEAKER, partner};
use crate::check::{ANY_PATTERN, Card, Family, Params, Violation, delivery, ring, without};
use crate::history::{Conn, History, What};
use crate::model::{Door, Fill, HttpRequest, Role, Sent, Topic};
use crate::plan::{Plan, Step};
use crate::raw::accept_key;

/// The check of handshakes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Handshake;

/// A handshake at a door.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Script {
    /// Of the five doors.
    pub role: usize,
    /// In which way it is unusual.
    pub twist: Twist,
}

/// See [`Script`].
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[allow(missing_docs, reason = "the function below says what each is")]
pub(super) enum Twist {
    Plain,
    UpgradeCapital,
    UpgradeUpper,
    UpgradeList,
    ConnectionList,
    ConnectionLower,
    ConnectionTwice,
    Offers,
    Version8,
    VersionNone,
    KeyNone,
    KeyShort,
    KeyOdd,
    ConnectionKeepsAlive,
    NoUpgrade,
    Http10,
    Post,
    Put,
}

const TWISTS: [Twist; 18] = [
    Twist::Plain,
    Twist::UpgradeCapital,
    Twist::UpgradeUpper,
    Twist::UpgradeList,
    Twist::ConnectionList,
    Twist::ConnectionLower,
    Twist::ConnectionTwice,
    Twist::Offers,
    Twist::Version8,
    Twist::VersionNone,
    Twist::KeyNone,
    Twist::KeyShort,
    Twist::KeyOdd,
    Twist::ConnectionKeepsAlive,
    Twist::NoUpgrade,
    Twist::Http10,
    Twist::Post,
    Twist::Put,
];

impl Twist {
    fn request(self) -> HttpRequest {
        let right = HttpRequest::handshake();
        let key = "Sec-WebSocket-Key";
        match self {
            Self::Plain => right,
            Self::UpgradeCapital => right.with("Upgrade", "WebSocket"),
            Self::UpgradeUpper => right.with("Upgrade", "WEBSOCKET"),
            Self::UpgradeList => right.with("Upgrade", "h2c, websocket"),
            Self::ConnectionList => right.with("Connection", "keep-alive, Upgrade"),
            Self::ConnectionLower => right.with("Connection", "upgrade"),
            Self::ConnectionTwice => {
                let mut request = right.with("Connection", "keep-alive");
                request.fields.push(("Connection".to_owned(), "Upgrade".to_owned()));
                request
            }
            Self::Offers => right
                .with("Sec-WebSocket-Protocol", "chat, superchat")
                .with("Sec-WebSocket-Extensions", "x-unheard-of; size=9"),
            Self::Version8 => right.with("Sec-WebSocket-Version", "8"),
            Self::VersionNone => right.without("Sec-WebSocket-Version"),
            Self::KeyNone => right.without(key),
            Self::KeyShort => right.with(key, "dGhlIHNhbXBsZSBub24="),
            Self::KeyOdd => right.with(key, "this is no base64 at all"),
            Self::ConnectionKeepsAlive => right.with("Connection", "keep-alive"),
            Self::NoUpgrade => HttpRequest { fields: Vec::new(), ..right },
            Self::Http10 => HttpRequest { minor: 0, ..right },
            Self::Post => HttpRequest {
                method: "POST".to_owned(),
                body: HttpRequest::post(Fill::Tagged(4)).body,
                ..right
            },
            Self::Put => HttpRequest { method: "PUT".to_owned(), ..right },
        }
    }
}

impl Family for Handshake {
    type Script = Script;

    fn card(&self) -> Card {
        Card {
            name: "ws.handshake",
            about: "A handshake opens in each of its spellings, and one that is wrong joins nothing.",
            requirements: &[
                "REQ-WS-001",
                "REQ-WS-002",
                "REQ-WS-008",
                "REQ-WS-011",
                "REQ-WS-016",
                "REQ-WS-006",
                "REQ-LIVE-001",
            ],
            caps: &["raw"],
            any_of: ANY_PATTERN,
            weight: 100,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        (0..ROLES, 0..TWISTS.len()).prop_map(|(role, twist)| Script { role, twist: TWISTS[twist] }).boxed()
    }

    /// Each at a door where joining shows.
    fn classics(&self, _: &Params) -> Vec<Script> {
        TWISTS
            .into_iter()
            .map(|twist| Script { role: if twist == Twist::Post { 0 } else { 4 }, twist })
            .collect()
    }

    fn plan(&self, script: &Script, params: &Params) -> Plan {
        let role = super::role(script.role, params);
        let topic = Topic::new("w");
        let mut steps = vec![Step::open(PARTNER, Door::new(partner(role), topic.clone()))];
        if role == Role::Pull {
            steps.push(Step::open(Conn(2), Door::new(Role::Pull, topic.clone())));
        }
        let request = script.twist.request();
        let is_right = refusal(&request).is_none();
        steps.push(Step::Http { conn: SPEAKER, door: Door::new(role, topic), request });
        if is_right {
            let ping = Sent::new(9, Fill::Text("in".to_owned()));
            steps.extend([
                Step::Write { conn: SPEAKER, frames: vec![ping] },
                Step::Hear { conn: SPEAKER },
                Step::Finish { conn: SPEAKER },
            ]);
        } else if role == Role::Pull {
            // Of three jobs the second or third would be that of a puller who is none.
            steps.extend((0..3).map(|_| Step::say(PARTNER)));
        }
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let asked = history.events.iter().find_map(|event| match &event.what {
            What::Requested { door, request } => Some((door, request)),
            _ => None,
        });
        let Some((door, request)) = asked else { return Vec::new() };
        let rule = refusal(request).map(|(rule, _)| rule);
        let mut violations = delivery::judge(&without(SPEAKER, history));
        violations.extend(ring::judge(history).into_iter().map(|mut violation| {
            // A job that went to nobody went to the one who was refused.
            if violation.requirement == "REQ-RR-001" {
                violation.requirement = rule.unwrap_or(violation.requirement);
            }
            violation
        }));
        let answer = history.events.iter().find_map(|event| match &event.what {
            What::Responded { status, fields, .. } => Some((*status, fields.as_slice())),
            _ => None,
        });
        match answer {
            Some((status, fields)) => violations.extend(answered(door, request, status, fields)),
            None => violations.push(Violation::liveness(
                rule.unwrap_or("REQ-LIVE-001"),
                format!("a handshake at {:?} was not answered: {request:?}", door.role),
            )),
        }
        violations
    }
}

/// The requirement that says that this request opens no WebSocket, and the status that it asks for, if it asks for one.
fn refusal(request: &HttpRequest) -> Option<(&'static str, Option<u16>)> {
    let key =
        request.field("Sec-WebSocket-Key").and_then(|key| data_encoding::BASE64.decode(key.as_bytes()).ok());
    match request {
        _ if request.method != "GET" => Some(("REQ-WS-016", None)),
        HttpRequest { minor: 0, .. } => Some(("REQ-WS-016", Some(426))),
        _ if request.field("Upgrade").is_none() => Some(("REQ-WS-008", None)),
        _ if !request.lists("Connection", "upgrade") => Some(("REQ-WS-011", Some(400))),
        _ if request.field("Sec-WebSocket-Version") != Some("13") => Some(("REQ-WS-002", Some(426))),
        _ if key.is_none_or(|key| key.len() != 16) => Some(("REQ-WS-011", Some(400))),
        _ => None,
    }
}

fn answered(door: &Door, request: &HttpRequest, status: u16, fields: &[(String, String)]) -> Vec<Violation> {
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let text = |what: &str| format!("at {:?}: {what}: {request:?}", door.role);
    let mut violations = Vec::new();
    let Some((rule, wanted)) = refusal(request) else {
        if status != 101 {
            let is_usual = *request == HttpRequest::handshake() || field_is_offer(request);
            let rule = if is_usual { "REQ-LIVE-001" } else { "REQ-WS-001" };
            return vec![Violation::safety(rule, text(&format!("a right handshake was answered {status}")))];
        }
        let key = request.field("Sec-WebSocket-Key").unwrap_or_default();
        if field("sec-websocket-accept") != Some(&*accept_key(key)) {
            violations.push(Violation::safety("REQ-WS-002", text("a wrong Sec-WebSocket-Accept")));
        }
        for name in ["sec-websocket-protocol", "sec-websocket-extensions"] {
            let Some(chosen) = field(name) else { continue };
            let first = chosen.split([',', ';']).next().unwrap_or_default().trim();
            let is_offered = request.field(name).is_some_and(|offered| offered.contains(first));
            if !is_offered {
                violations.push(Violation::safety(
                    "REQ-WS-002",
                    text(&format!("{name}: {chosen} was not offered")),
                ));
            }
        }
        return violations;
    };
    if status == 101 {
        violations.push(Violation::safety(rule, text("a WebSocket was opened")));
    } else if wanted.is_some_and(|wanted| wanted != status) {
        violations.push(Violation::safety(rule, text(&format!("answered {status}, not {wanted:?}"))));
    } else if rule == "REQ-WS-002" && field("sec-websocket-version") != Some("13") {
        violations.push(Violation::safety(rule, text("426 does not say `Sec-WebSocket-Version: 13`")));
    } else if request.method == "POST" && door.role == Role::Bus && status != 200 {
        violations.push(Violation::safety(rule, text(&format!("a POST was answered {status}"))));
    }
    violations
}

/// Whether it differs from the usual only by what it offers.
fn field_is_offer(request: &HttpRequest) -> bool {
    let plain = request.clone().without("Sec-WebSocket-Protocol").without("Sec-WebSocket-Extensions");
    plain == HttpRequest::handshake()
}
