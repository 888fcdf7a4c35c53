//! Topics and procedures as URIs.

use crate::driver::OpenError;
use crate::model::{Match, Policy, Topic};
use crate::raw::wamp::Value;

/// The URIs of one case: trees whose first components nobody else has.
#[derive(Clone, Debug)]
pub(super) struct Names {
    /// The namespace without its end mark; its first letter is that of the tree.
    root: String,
}

impl Names {
    pub(super) fn new(namespace: &str) -> Self {
        Self { root: namespace.trim_start_matches('z').trim_end_matches('.').to_owned() }
    }

    /// Of pub/sub. Each segment is a component, with what URIs may not hold escaped; an empty one is `%FF`. At the end,
    /// where an empty segment makes a topic of its own that is below nothing, it is `~` behind the last component.
    pub(super) fn topic(&self, topic: &Topic) -> Result<String, OpenError> {
        self.tree('z', topic)
    }

    /// Of a bus, for brokers that know no others than topics.
    pub(super) fn bus(&self, topic: &Topic) -> Result<String, OpenError> {
        self.tree('b', topic)
    }

    /// What begins the URIs of all that is below a topic.
    pub(super) fn below(&self, topic: &Topic) -> Result<String, OpenError> {
        let segments: Vec<&str> = topic.segments().collect();
        Ok(format!("z{}.{}.", self.root, components(&segments)?))
    }

    /// What every session of the case hears.
    pub(super) fn sentinel(&self) -> String {
        format!("s{}.all", self.root)
    }

    /// What nobody hears.
    pub(super) fn mark(&self) -> String {
        format!("m{}.mark", self.root)
    }

    /// A name that a script says, as it is.
    pub(super) fn uri(&self, name: &str) -> String {
        format!("z{}.{name}", self.root)
    }

    /// The name of a URI that the broker says.
    pub(super) fn name(&self, uri: &str) -> String {
        uri.strip_prefix(&self.uri("")).map_or_else(|| format!("!{uri}"), str::to_owned)
    }

    fn tree(&self, letter: char, topic: &Topic) -> Result<String, OpenError> {
        let mut segments: Vec<&str> = topic.segments().collect();
        let mut ends = String::new();
        while segments.len() > 1 && segments.last().is_some_and(|last| last.is_empty()) {
            segments.pop();
            ends.push('~');
        }
        Ok(format!("{letter}{}.{}{ends}", self.root, components(&segments)?))
    }
}

fn components(segments: &[&str]) -> Result<String, OpenError> {
    segments.iter().map(|segment| component(segment)).collect::<Result<Vec<_>, _>>().map(|all| all.join("."))
}

fn component(segment: &str) -> Result<String, OpenError> {
    use std::fmt::Write as _;
    if segment.is_empty() {
        return Ok("%FF".to_owned());
    }
    let mut text = String::new();
    for letter in segment.chars() {
        match letter {
            '~' => return Err(OpenError::Unrepresentable("a topic with `~`".to_owned())),
            '.' | '%' | '#' => write!(text, "%{:02X}", letter as u8).expect("a string takes all"),
            _ if letter.is_whitespace() || letter.is_control() => {
                for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                    write!(text, "%{byte:02X}").expect("a string takes all");
                }
            }
            _ => text.push(letter),
        }
    }
    Ok(text)
}

/// A match policy as options say it.
pub(super) fn policy(matching: Match) -> Value {
    Value::from(match matching {
        Match::Exact => "exact",
        Match::Prefix => "prefix",
        Match::Wildcard => "wildcard",
    })
}

/// An invocation policy as options say it.
pub(super) fn invoke(policy: Policy) -> Value {
    Value::from(match policy {
        Policy::Single => "single",
        Policy::First => "first",
        Policy::Last => "last",
        Policy::RoundRobin => "roundrobin",
        Policy::Random => "random",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What a subscriber at a door hears is what the model says, over a prefix subscription too.
    #[test]
    fn the_tree_of_uris_is_the_tree_of_topics() {
        let names = Names::new("z0.");
        let topics =
            ["a", "a/b", "ab", "a/bc", "a/b/c", "A", "a/b/é", "a/", "a//b", "a/b/", "/a", "a.b", "a%2Fb"];
        for heard in topics.map(Topic::new) {
            for said in topics.map(Topic::new) {
                let uri = names.topic(&said).unwrap();
                let exact = uri == names.topic(&heard).unwrap();
                let below = uri.starts_with(&names.below(&heard).unwrap());
                assert!(!(exact && below), "{heard} {said}");
                assert_eq!(exact || below, heard.covers(&said), "{heard} {said} {uri}");
            }
        }
    }
}
