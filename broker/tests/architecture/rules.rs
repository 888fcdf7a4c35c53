//! The rules themselves.

use crate::paths::paths;
use crate::source::Source;

/// What some rooms must not name.
pub(crate) struct Wall {
    /// The rule, in the words of the design.
    pub(crate) why: &'static str,
    /// Where it holds: beginnings of paths from the root of the workspace.
    pub(crate) rooms: &'static [&'static str],
    /// Where it does not hold nevertheless.
    except: &'static [&'static str],
    /// Paths that may not begin like this; without a `::`, the name of a crate.
    beginnings: &'static [&'static str],
    /// Paths that may not have this inside.
    parts: &'static [&'static str],
    /// When not empty: the only rooms of the own crate that may be named.
    only: &'static [&'static str],
}

const OPEN: Wall = Wall { why: "", rooms: &[], except: &[], beginnings: &[], parts: &[], only: &[] };

/// All walls.
pub(crate) const WALLS: &[Wall] = &[
    Wall {
        why: "protocol, hub and dialect are pure: no run time, no net, no files, no threads, no clock, no chance",
        rooms: &["protocol/src/", "broker/src/hub/", "broker/src/dialect/"],
        beginnings: &[
            "tokio",
            "tokio_rustls",
            "tokio_tungstenite",
            "hyper",
            "hyper_util",
            "axum",
            "rustls",
            "socket2",
            "libc",
            "rand",
            "getrandom",
            "fastrand",
            "std::net",
            "std::thread",
            "std::fs",
            "std::process",
            "std::env",
            "std::os",
        ],
        parts: &["Instant::now", "SystemTime"],
        ..OPEN
    },
    Wall {
        why: "the protocol takes the time as a number: `Instant` does not exist in a browser",
        rooms: &["protocol/src/"],
        parts: &["time::Instant"],
        ..OPEN
    },
    Wall {
        why: "the hub knows operations, messages and outboxes: no wire, no other room",
        rooms: &["broker/src/hub/"],
        beginnings: &["tungstenite", "http", "http_body", "http_body_util", "serde", "serde_json", "toml"],
        only: &["hub"],
        ..OPEN
    },
    Wall {
        why: "a dialect translates between its wire and the hub's operations: it knows no other room",
        rooms: &["broker/src/dialect/"],
        only: &["dialect", "hub"],
        ..OPEN
    },
    Wall {
        why: "the configuration knows no room: the rooms are given theirs",
        rooms: &["broker/src/config/"],
        only: &["config"],
        ..OPEN
    },
    Wall {
        why: "only the listener names the HTTP server (the subrequest hook has its client)",
        rooms: &["broker/src/"],
        except: &["broker/src/listener/", "broker/src/auth/subrequest.rs"],
        beginnings: &["hyper", "hyper_util", "axum"],
        ..OPEN
    },
    Wall {
        why: "only the connection names the WebSocket crate",
        rooms: &["broker/src/"],
        except: &["broker/src/connection/"],
        beginnings: &["tungstenite", "tokio_tungstenite"],
        ..OPEN
    },
    Wall {
        why: "the listener never sees a topic",
        rooms: &["broker/src/listener/"],
        beginnings: &["petasus_protocol::Topic", "petasus_protocol::TopicFilter", "petasus_protocol::topic"],
        ..OPEN
    },
    Wall {
        why: "a session knows realm, dialect and outbox: no HTTP, no sockets, no timers",
        rooms: &["broker/src/session/"],
        beginnings: &["crate::listener", "http", "tokio::net", "tokio::io", "tokio::time", "tokio::task"],
        ..OPEN
    },
    Wall {
        why: "the connection does not know who listens",
        rooms: &["broker/src/connection/"],
        beginnings: &["crate::listener"],
        ..OPEN
    },
];

impl Wall {
    /// A line for each place where a source breaks the rule.
    pub(crate) fn violations(&self, sources: &[Source]) -> Vec<String> {
        let inside = |path: &str, rooms: &[&str]| rooms.iter().any(|room| path.starts_with(room));
        let guarded = sources
            .iter()
            .filter(|source| inside(&source.path, self.rooms) && !inside(&source.path, self.except));
        let mut lines = Vec::new();
        for source in guarded {
            // A name may be imported in one place and used in many: the first place is enough.
            let mut named = Vec::new();
            for path in paths(source) {
                let stranger = path.begins_with("crate")
                    && !self.only.is_empty()
                    && path.segments.get(1).is_some_and(|room| !self.only.contains(&room.as_str()));
                let bad = stranger
                    || self.beginnings.iter().any(|beginning| path.begins_with(beginning))
                    || self.parts.iter().any(|part| path.contains(part));
                let name = path.segments.join("::");
                if bad && !named.contains(&name) {
                    lines.push(format!("{}:{}: names `{name}`; {}", source.path, path.line, self.why));
                    named.push(name);
                }
            }
        }
        lines
    }
}

/// The dialects that there are, and will be.
const DIALECTS: [&str; 5] = ["mercury", "pinghub", "wamp", "mqtt", "juggler"];

/// Places where a dialect names another one.
pub(crate) fn strange_dialects(sources: &[Source]) -> Vec<String> {
    let mut lines = Vec::new();
    for source in sources {
        let Some(inside) = source.path.strip_prefix("broker/src/dialect/") else { continue };
        let own = inside.split(['/', '.']).next().unwrap_or_default();
        if !DIALECTS.contains(&own) {
            continue;
        }
        for token in &source.shipped {
            if DIALECTS.contains(&token.text.as_str()) && token.text != own {
                let (path, line, other) = (&source.path, token.line, &token.text);
                lines.push(format!("{path}:{line}: names `{other}`; a dialect never sees another dialect"));
            }
        }
    }
    lines
}

/// Places with the word `unsafe`.
pub(crate) fn unsafe_code(sources: &[Source]) -> Vec<String> {
    let mut lines = Vec::new();
    for source in sources {
        for token in source.tokens.iter().filter(|token| token.text == "unsafe") {
            lines.push(format!("{}:{}: `unsafe`; there is no place for it", source.path, token.line));
        }
    }
    lines
}

/// Files that are too long.
pub(crate) fn long_files(sources: &[Source]) -> Vec<String> {
    let long = sources.iter().filter(|source| source.lines > 600);
    long.map(|source| format!("{}: {} lines; cut it by what it is about", source.path, source.lines))
        .collect()
}

/// Words that say nothing; not used in names.
pub(crate) const NAMES: [&str; 10] =
    ["manager", "handler", "helper", "util", "service", "processor", "context", "data", "info", "misc"];

/// Names that others have chosen for us.
const FOREIGN: [&str; 1] = ["BrokerService"]; // what tower calls a `Service`

/// Files, folders, modules, types and traits with a name that says nothing.
pub(crate) fn vague_names(sources: &[Source]) -> Vec<String> {
    let mut lines = Vec::new();
    for source in sources {
        if let Some(part) = source.path.trim_end_matches(".rs").split('/').find(|part| is_vague(part)) {
            lines.push(format!("{}: `{part}` says nothing; name what it is", source.path));
        }
        for pair in source.tokens.windows(2) {
            let declares = ["mod", "struct", "enum", "trait"].contains(&pair[0].text.as_str());
            if declares && is_vague(&pair[1].text) && !FOREIGN.contains(&pair[1].text.as_str()) {
                let (path, line, name) = (&source.path, pair[1].line, &pair[1].text);
                lines.push(format!("{path}:{line}: `{name}` says nothing; name what it is"));
            }
        }
    }
    lines
}

/// Is one of the words of this name vague? Words are parted by `_`, `-` or a capital letter.
fn is_vague(name: &str) -> bool {
    let mut words = vec![String::new()];
    for character in name.chars() {
        if character.is_uppercase() || "_-".contains(character) {
            words.push(String::new());
        }
        let word = words.last_mut().expect("there is a first word");
        word.extend(character.to_lowercase().filter(|letter| letter.is_alphanumeric()));
    }
    words.iter().any(|word| NAMES.contains(&word.as_str()) || NAMES.contains(&word.trim_end_matches('s')))
}
