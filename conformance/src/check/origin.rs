//! The Origin: which pages may come in, at every door, by WebSocket and by POST. Each pattern needs a broker that was
//! started with it, so that these checks are for targets with a launcher.

use proptest::prelude::*;
use proptest::sample::select;
use serde::{Deserialize, Serialize};

use super::{ANY_PATTERN, Card, Check, Family, Params, Violation, ring};
use crate::history::{Conn, History, Wait, What};
use crate::launch::Wanted;
use crate::model::origin::passes;
use crate::model::{Door, Fill, HttpRequest, Role, Topic};
use crate::plan::{Plan, Step};

/// Ordinary clients, who are welcome: a pusher and a puller.
const PARTNER: Conn = Conn(1);
const PULLER: Conn = Conn(2);

/// Lists of patterns: the four documented forms, all, two, and one with a letter that is special elsewhere.
const RULES: [&[&str]; 7] = [
    &["example.com"],
    &["*.example.com"],
    &["*://www.example.com"],
    &["http://www.example.com:*"],
    &["*"],
    &["example.net", "www.example.com"],
    &[],
];

/// What pages send; none is the last.
const ORIGINS: [&str; 13] = [
    "http://www.example.com:3000",
    "http://example.com",
    "http://www.example.com",
    "https://www.example.com:8443",
    "http://WWW.EXAMPLE.COM:3000",
    "http://a.b.example.com",
    "http://notexample.com",
    "http://example.com.evil.org",
    "http://www.example.com.evil.org:3000",
    "http://evil.org/example.com",
    "http://wwwxexample.com:3000",
    "http://other.org",
    "",
];

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![Box::new(Origins)]
}

/// The check.
#[derive(Clone, Copy, Debug)]
pub struct Origins;

/// One broker, and who comes to it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Script {
    /// Of the list of rules.
    pub rule: usize,
    /// Who comes: the role, of the five; the Origin, of the list or none; by POST if one can.
    pub comes: Vec<(usize, Option<usize>, bool)>,
}

/// What clients of a broker that was told this say, to come in.
pub(crate) fn welcome(wanted: &Wanted) -> Option<String> {
    let passes = |origin: &&&str| passes(&wanted.origins, wanted.as_substring, Some(origin)) == Some(true);
    (!wanted.origins.is_empty())
        .then(|| ORIGINS.iter().find(passes))
        .flatten()
        .map(|&origin| origin.to_owned())
}

const ROLES: [Role; 5] = [Role::Bus, Role::Pub, Role::Sub, Role::Push, Role::Pull];

impl Family for Origins {
    type Script = Script;

    fn card(&self) -> Card {
        Card {
            name: "origin.strict",
            about: "Pages that a pattern covers come in at every door, others do not, and nothing is left of them.",
            requirements: &[
                "REQ-ORG-001",
                "REQ-ORG-002",
                "REQ-ORG-003",
                "REQ-ORG-004",
                "REQ-ORG-005",
                "REQ-ORG-006",
                "REQ-ORG-007",
                "REQ-ORG-008",
                "REQ-ORG-011",
                "REQ-LIVE-001",
            ],
            caps: &["raw", "config.origin", "pushpull"],
            any_of: ANY_PATTERN,
            weight: 40,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Script> {
        let origin = prop::option::weighted(0.9, 0..ORIGINS.len());
        let comes = prop::collection::vec((0..ROLES.len(), origin, prop::bool::weighted(0.3)), 1..12);
        (select((0..RULES.len()).collect::<Vec<_>>()), comes)
            .prop_map(|(rule, comes)| Script { rule, comes })
            .boxed()
    }

    /// Everybody at everything.
    fn classics(&self, _: &Params) -> Vec<Script> {
        let all = || (0..ORIGINS.len()).map(Some).chain([None]);
        let script = |rule: usize| {
            let comes =
                all().enumerate().map(|(i, origin)| (if i % 2 == 0 { 4 } else { i % 5 }, origin, i % 3 == 2));
            let other = all().enumerate().map(|(i, origin)| ((i + 2) % 5, origin, false));
            Script { rule, comes: comes.chain(other).collect() }
        };
        let refused = Script { rule: 0, comes: vec![(4, Some(11), false)] };
        (0..RULES.len()).map(script).chain([refused]).collect()
    }

    fn plan(&self, script: &Script, _: &Params) -> Plan {
        let origins: Vec<String> =
            RULES[script.rule % RULES.len()].iter().map(|&rule| rule.to_owned()).collect();
        let topic = Topic::new("o");
        let mut steps = vec![
            Step::Launch(Wanted { origins: origins.clone(), ..Wanted::default() }),
            Step::open(PULLER, Door::new(Role::Pull, topic.clone())),
            Step::open(PARTNER, Door::new(Role::Push, topic.clone())),
        ];
        for (conn, &(role, origin, is_post)) in (10..).zip(&script.comes) {
            let role = ROLES[role % ROLES.len()];
            // Only a handshake joins, so that a POST is tried where one can.
            let request = if is_post && role.sends() {
                HttpRequest::post(Fill::Tagged(0))
            } else {
                HttpRequest::handshake()
            };
            let request = match origin {
                Some(origin) => request.with("Origin", ORIGINS[origin % ORIGINS.len()]),
                None => request,
            };
            // A place of its own, so that those who come in take nothing from others.
            let topic = if role == Role::Pull { topic.clone() } else { Topic::new("p") };
            steps.push(Step::Http { conn: Conn(conn), door: Door::new(role, topic), request });
        }
        // A job that goes to nobody went to one who was refused; who comes in takes his turns.
        let wanted = Wanted { origins, ..Wanted::default() };
        let may_pull = |step: &Step| match step {
            Step::Http { door, request, .. } if door.role == Role::Pull => {
                passes(&wanted.origins, wanted.as_substring, request.field("Origin")) != Some(false)
            }
            _ => false,
        };
        if !steps.iter().any(may_pull) {
            steps.extend((0..3).map(|_| Step::say(PARTNER)));
        }
        Plan::new(steps)
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let wanted = history.events.iter().find_map(|event| match &event.what {
            What::Launched { wanted } => Some(wanted),
            _ => None,
        });
        let Some(wanted) = wanted else { return Vec::new() };
        let mut violations = Vec::new();
        let mut asked = None;
        let mut has_more_pullers = false;
        for event in &history.events {
            match &event.what {
                What::Requested { door, request } => asked = Some((event.conn, door, request)),
                What::Responded { status, body, .. } => {
                    let Some((_, door, request)) = asked.filter(|(conn, ..)| *conn == event.conn) else {
                        continue;
                    };
                    has_more_pullers |= door.role == Role::Pull && *status == 101;
                    violations.extend(answered(wanted, door, request, *status, &body.head));
                }
                What::Missed { wait: Wait::Answer } | What::Eof { .. } => {
                    violations.push(Violation::liveness("REQ-LIVE-001", "a request was not answered"));
                }
                _ => {}
            }
        }
        let lost = ring::judge(history).into_iter().filter(|lost| lost.requirement == "REQ-RR-001");
        violations.extend(lost.filter(|_| !has_more_pullers).map(|mut lost| {
            lost.requirement = "REQ-ORG-004";
            lost
        }));
        violations
    }
}

/// Whether the answer is right.
fn answered(
    wanted: &Wanted,
    door: &Door,
    request: &HttpRequest,
    status: u16,
    told: &str,
) -> Option<Violation> {
    let origin = request.field("Origin");
    let may_pass = passes(&wanted.origins, wanted.as_substring, origin)?;
    let is_post = request.method == "POST";
    let what = format!(
        "{:?}: {} at {:?} with Origin {origin:?} was answered {status}",
        wanted.origins, request.method, door.role
    );
    if may_pass {
        // What else may be wrong with a POST is no matter of its Origin.
        let is_welcome = status == 101 || is_post && !matches!(status, 401 | 403);
        return (!is_welcome).then(|| Violation::safety(welcomed(wanted, origin), what));
    }
    let is_refused = status == 401 && told.trim_end() == "Origin check failed";
    let rule = match origin.unwrap_or_default() {
        _ if is_post => "REQ-ORG-011",
        "" => "REQ-ORG-002",
        _ if status == 401 => "REQ-ORG-004",
        origin
            if wanted
                .origins
                .iter()
                .any(|rule| passes(std::slice::from_ref(rule), true, Some(origin)) == Some(true)) =>
        {
            "REQ-ORG-006"
        }
        "http://wwwxexample.com:3000" => "REQ-ORG-008",
        _ => "REQ-ORG-004",
    };
    (!is_refused).then(|| Violation::safety(rule, what))
}

/// The requirement that lets an Origin in.
fn welcomed(wanted: &Wanted, origin: Option<&str>) -> &'static str {
    let origin = origin.unwrap_or_default();
    match &wanted.origins[..] {
        [] => "REQ-ORG-001",
        [_, _, ..] => "REQ-ORG-005",
        [all] if all == "*" => "REQ-ORG-005",
        _ if origin.chars().any(|letter| letter.is_ascii_uppercase()) => "REQ-ORG-007",
        _ if origin == ORIGINS[0] => "REQ-ORG-003",
        _ => "REQ-ORG-006",
    }
}
