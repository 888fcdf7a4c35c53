//! HTTP: what is posted is one message, what cannot be is answered, and the connection serves the next request.
//!
//! Connection 0 asks word by word, one request after the other; there is a receiver of each pattern.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::{Card, Check, Family, Params, Violation, delivery, is_from, limit, without};
use crate::history::{Conn, History, What};
use crate::model::{Door, Fill, HttpRequest, Kind, Payload, Role, Topic};
use crate::plan::{Plan, Step};

/// Who asks.
const CLIENT: Conn = Conn(0);

/// A peer of the bus who asked to hear itself.
const ECHOING: Conn = Conn(2);

/// The receivers: number and role.
const RECEIVERS: [(Conn, Role); 4] =
    [(Conn(1), Role::Bus), (ECHOING, Role::Bus), (Conn(3), Role::Sub), (Conn(4), Role::Pull)];

/// The topic that they are at, and one where nobody is.
const TOPICS: [&str; 2] = ["h", "n"];

const SENDERS: [Role; 3] = [Role::Bus, Role::Pub, Role::Push];

const TYPES: [&str; 5] = [
    "",
    "text/plain",
    "application/octet-stream",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=b",
];

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(Http)]
}

/// The check.
#[derive(Clone, Copy, Debug)]
pub struct Http;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub enum Op {
    /// A POST: the role (bus, pub, push), whether somebody is there, the type of the list, the body, and its chunks in
    /// bytes (0: with its length).
    Post(usize, bool, usize, Fill, usize),
    /// A request of this method at a role of the five; it is no handshake.
    Plain(String, usize),
    /// A GET of a path that is none.
    Path(String),
}

/// One request after the other.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// In order.
    pub ops: Vec<Op>,
}

impl Family for Http {
    type Script = Script;

    fn card(&self) -> Card {
        Card {
            name: "http.requests",
            about: "What is posted is one message; what cannot be is answered, and the next request is served.",
            requirements: &[
                "REQ-HTTP-001",
                "REQ-HTTP-002",
                "REQ-HTTP-003",
                "REQ-HTTP-004",
                "REQ-HTTP-005",
                "REQ-HTTP-006",
                "REQ-HTTP-007",
                "REQ-HTTP-009",
                "REQ-HTTP-012",
                "REQ-HTTP-014",
                "REQ-BUS-001",
                "REQ-BUS-007",
                "REQ-SUB-003",
                "REQ-RR-002",
                "REQ-TOP-003",
                "REQ-LIVE-001",
            ],
            caps: &["raw", "http.post", "bus", "bus.echo", "pubsub", "pushpull"],
            any_of: &[],
            weight: 60,
        }
    }

    fn scripts(&self, params: &Params) -> BoxedStrategy<Script> {
        let max = params.max_message;
        let body = prop_oneof![
            4 => select(vec![0_usize, 1, 200, 70_000]).prop_map(Fill::Tagged),
            1 => Just(Fill::Text(String::new())),
            1 => Just(Fill::Text("caf\u{e9} \u{1fabd}".to_owned())),
            1 => Just(Fill::Text("a=1&b=%20".to_owned())),
            1 => Just(Fill::Bytes(vec![0xff, 0, 0xe9])),
            1 => select(vec![max, max + 1]).prop_map(Fill::Run),
        ];
        let chunk = select(vec![0, 0, 1000]);
        let post = (0..3_usize, prop::bool::weighted(0.8), 0..TYPES.len(), body, chunk)
            .prop_map(|(role, there, kind, body, chunk)| Op::Post(role, there, kind, body, chunk));
        let methods = select(vec!["GET", "PUT", "DELETE", "HEAD", "post"]);
        let plain = (methods, 0..5_usize).prop_map(|(method, role)| Op::Plain(method.to_owned(), role));
        let path = select(vec!["/nope/x", "/BUS/x", "/bus", "/sub/", "//sub/a"]);
        let op = prop_oneof![6 => post, 2 => plain, 1 => path.prop_map(|path| Op::Path(path.to_owned()))];
        prop::collection::vec(op, 1..6).prop_map(|ops| Script { ops }).boxed()
    }

    fn classics(&self, params: &Params) -> Vec<Script> {
        let post =
            |role, there, kind, text: &str| Op::Post(role, there, kind, Fill::Text(text.to_owned()), 0);
        let each = |there, kind, text: &str| Script {
            ops: (0..3).map(|role| post(role, there, kind, text)).collect(),
        };
        let long = |chunk| Op::Post(0, true, 0, Fill::Run(params.max_message + 1), chunk);
        vec![
            each(true, 0, ""),
            each(false, 0, "a"),
            each(true, 4, "--b\r\n\r\nx\r\n--b--"),
            each(true, 0, "\u{e9}"),
            Script { ops: vec![long(0), long(1000), post(0, true, 0, "after")] },
            Script {
                ops: vec![
                    Op::Path("/nope/x".to_owned()),
                    Op::Path("/sub/".to_owned()),
                    post(1, true, 0, "a"),
                ],
            },
            Script { ops: vec![Op::Plain("GET".to_owned(), 0), Op::Plain("GET".to_owned(), 4)] },
        ]
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let mut steps: Vec<Step> = RECEIVERS
            .iter()
            .map(|&(conn, role)| {
                let echo = conn == ECHOING;
                Step::open(conn, Door { echo, ..Door::new(role, Topic::new(TOPICS[0])) })
            })
            .collect();
        steps.extend(script.ops.iter().map(|op| {
            let (door, request) = lower(op);
            Step::Http { conn: CLIENT, door, request }
        }));
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let mut violations = delivery::judge(&without(CLIENT, history));
        let asked = asked(history);
        for (number, ask) in asked.iter().enumerate() {
            violations.extend(answer(ask, history));
            let before = number.checked_sub(1).map(|number| &asked[number]);
            violations.extend(before.and_then(|before| kept(before, ask)));
        }
        for receiver in RECEIVERS {
            // What everybody lacks is nothing about echo.
            let is_right_elsewhere = violations.is_empty();
            let more = received(receiver, &asked, history);
            violations.extend(more.into_iter().filter(|_| receiver.0 != ECHOING || is_right_elsewhere));
        }
        violations
    }
}

fn lower(op: &Op) -> (Door, HttpRequest) {
    let plain = |method: &str| HttpRequest { body: None, ..HttpRequest::post(Fill::Tagged(0)) }.named(method);
    match op {
        Op::Post(role, there, kind, fill, chunk) => {
            let topic = Topic::new(TOPICS[usize::from(!there)]);
            let mut request = HttpRequest::post(fill.clone());
            if let Some(body) = &mut request.body {
                body.chunk = *chunk;
            }
            let kind = TYPES[kind % TYPES.len()];
            let request = if kind.is_empty() { request } else { request.with("Content-Type", kind) };
            (Door::new(SENDERS[role % SENDERS.len()], topic), request)
        }
        Op::Plain(method, role) => {
            let role = [Role::Bus, Role::Pub, Role::Push, Role::Sub, Role::Pull][role % 5];
            (Door::new(role, Topic::new(TOPICS[1])), plain(method))
        }
        Op::Path(path) => {
            let request = HttpRequest { path: Some(path.clone()), ..plain("GET") };
            (Door::new(Role::Bus, Topic::new(TOPICS[1])), request)
        }
    }
}

/// Status, fields and body of an answer.
type Told<'a> = (u16, &'a [(String, String)], &'a Payload);

/// A request and what became of it.
struct Asked<'a> {
    door: &'a Door,
    request: &'a HttpRequest,
    /// The bytes of its body.
    body: Vec<u8>,
    /// What was answered.
    answer: Option<Told<'a>>,
    /// TCP ended in place of an answer.
    ended: bool,
}

impl Asked<'_> {
    /// Whether its body becomes a message: it is posted where one can, is not too long, and is text or said to be bytes.
    fn is_message(&self, history: &History) -> bool {
        let is_text = self.kind() == Kind::Binary || std::str::from_utf8(&self.body).is_ok();
        self.request.method == "POST" && self.body.len() <= limit(history) && is_text
    }

    fn kind(&self) -> Kind {
        match self.request.field("Content-Type") {
            Some("application/octet-stream") => Kind::Binary,
            _ => Kind::Text,
        }
    }

    fn is_heard(&self) -> bool {
        self.door.topic == Topic::new(TOPICS[0])
    }
}

fn asked(history: &History) -> Vec<Asked<'_>> {
    let mut asked: Vec<Asked<'_>> = Vec::new();
    for event in history.events.iter().filter(|event| event.conn == Some(CLIENT)) {
        match &event.what {
            What::Requested { door, request } => {
                let fill = |body: &crate::model::HttpBody| {
                    body.fill.bytes(&history.namespace, CLIENT, asked.len() as u32)
                };
                let body = request.body.as_ref().map(fill).unwrap_or_default();
                asked.push(Asked { door, request, body, answer: None, ended: false });
            }
            What::Responded { status, fields, body } => {
                if let Some(last) = asked.last_mut() {
                    last.answer = Some((*status, fields, body));
                }
            }
            What::Eof { .. } => {
                if let Some(last) = asked.last_mut() {
                    last.ended = true;
                }
            }
            _ => {}
        }
    }
    asked
}

/// What is wrong with an answer.
fn answer(ask: &Asked<'_>, history: &History) -> Vec<Violation> {
    let Asked { door, request, body, .. } = ask;
    let what = format!("{} at {:?} {} ({} bytes)", request.method, door.role, door.topic, body.len());
    let Some((status, fields, told)) = ask.answer else {
        // The end of a connection that was to be kept is judged as such.
        let text = format!("{what} was not answered");
        return Vec::from_iter((!ask.ended).then(|| Violation::liveness("REQ-LIVE-001", text)));
    };
    let field = |name: &str| fields.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let is_push = door.role == Role::Push;
    let (rule, right): (_, &[u16]) = match &*request.method {
        _ if request.path.is_some() => ("REQ-HTTP-006", &[404]),
        "POST" if body.len() > limit(history) => ("REQ-HTTP-003", &[413]),
        "POST" if !ask.is_message(history) => ("REQ-HTTP-009", &[400]),
        "POST" if ask.is_heard() && is_push => ("REQ-HTTP-001", &[200, 202]),
        "POST" if ask.is_heard() => ("REQ-HTTP-001", &[200]),
        "POST" if is_push => ("REQ-HTTP-007", &[503]),
        "POST" => ("REQ-HTTP-002", &[200]),
        "GET" => ("REQ-HTTP-004", &[426]),
        _ => ("REQ-HTTP-005", &[405]),
    };
    let mut violations = Vec::new();
    if !right.contains(&status) {
        violations.push(Violation::safety(rule, format!("{what} was answered {status}, not {right:?}")));
        return violations;
    }
    let lacks = match status {
        503 => field("retry-after").is_none().then_some("Retry-After"),
        426 => (field("upgrade") != Some("websocket")).then_some("Upgrade: websocket"),
        405 => field("allow").is_none().then_some("Allow"),
        200 => (told.len != 0).then_some("an empty body"),
        _ => None,
    };
    violations.extend(lacks.map(|lacks| Violation::safety(rule, format!("{what}: {status} lacks {lacks}"))));
    let is_line = field("content-type") == Some("text/plain; charset=utf-8")
        && told.head.ends_with('\n')
        && told.head.lines().count() == 1;
    if status >= 400 && request.method != "HEAD" && !is_line {
        violations.push(Violation::safety(
            "REQ-HTTP-012",
            format!("{what}: the text of {status} is no line of text"),
        ));
    }
    violations
}

/// Whether the connection was kept behind an error.
fn kept(before: &Asked<'_>, ask: &Asked<'_>) -> Option<Violation> {
    let (status, fields, _) = before.answer?;
    // What was not read to its end may end the connection.
    let is_read = (400..600).contains(&status) && status != 413;
    let closes =
        fields.iter().any(|(name, value)| name == "connection" && value.eq_ignore_ascii_case("close"));
    (is_read && (closes || ask.ended)).then(|| {
        let text = format!(
            "the connection ended behind {status} to {} at {:?}",
            before.request.method, before.door.role
        );
        Violation::safety("REQ-HTTP-014", text)
    })
}

/// What a receiver got of what was posted.
fn received((conn, role): (Conn, Role), asked: &[Asked<'_>], history: &History) -> Vec<Violation> {
    let is_tied = |ask: &&Asked<'_>| {
        let sender = if role == Role::Sub {
            Role::Pub
        } else if role == Role::Pull {
            Role::Push
        } else {
            role
        };
        ask.door.role == sender && ask.is_heard() && ask.is_message(history)
    };
    let mut due: Vec<(Kind, Payload)> =
        asked.iter().filter(is_tied).map(|ask| (ask.kind(), Payload::of(&ask.body))).collect();
    let rule = |payload: &Payload| match () {
        () if conn == ECHOING => "REQ-BUS-007",
        () if payload.head.is_ascii() => "REQ-HTTP-001",
        () => "REQ-HTTP-009",
    };
    let mut violations = Vec::new();
    for event in history.events.iter().filter(|event| event.conn == Some(conn)) {
        let What::Received { kind, payload } = &event.what else { continue };
        if !is_from(CLIENT, history, payload) {
            continue;
        }
        if let Some(place) = due.iter().position(|(k, p)| k == kind && p == payload) {
            due.remove(place);
            continue;
        }
        let is_it = |ask: &&Asked<'_>| Payload::of(&ask.body) == *payload && ask.kind() == *kind;
        let is_copy = asked.iter().filter(is_tied).any(|ask| is_it(&ask));
        let is_others = asked.iter().filter(|ask| !is_tied(ask) && ask.is_heard()).any(|ask| is_it(&ask));
        // The same words posted to two patterns: whose these are is not known.
        if is_copy && is_others {
            continue;
        }
        let rule = match role {
            Role::Bus if is_copy => "REQ-BUS-001",
            Role::Sub if is_copy => "REQ-SUB-003",
            _ if is_copy => "REQ-RR-002",
            _ if is_others => "REQ-TOP-003",
            _ if payload.len >= limit(history) => "REQ-HTTP-003",
            _ => rule(payload),
        };
        violations
            .push(Violation::safety(rule, format!("{} received {payload}, which nobody posted so", conn.0)));
    }
    // What has no answer, because the connection ended, may have been taken or not.
    let answered = |payload: &Payload| {
        let is_it = |ask: &Asked<'_>| ask.answer.is_some() && Payload::of(&ask.body) == *payload;
        asked.iter().filter(is_tied).any(is_it)
    };
    violations.extend(due.into_iter().filter(|(_, payload)| answered(payload)).map(|(_, payload)| {
        Violation::liveness(rule(&payload), format!("{} did not receive {payload}, which was posted", conn.0))
    }));
    violations
}
