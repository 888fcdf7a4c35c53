//! From the URI of a call to the one registration that takes it (WAMP, Pattern-based Registrations).

use std::collections::{BTreeMap, HashMap};

use slab::Slab;

pub use petasus_protocol::wamp::uri::Match as MatchPolicy;

/// All registered URIs, each with the id of its registration.
///
/// A look-up hashes the URI, then its beginnings of those lengths that some prefix has, then walks along its
/// components: what does not match costs nothing.
#[derive(Default)]
pub(super) struct Patterns {
    exact: HashMap<Box<str>, u64>,
    /// By length in bytes.
    prefixes: BTreeMap<usize, HashMap<Box<str>, u64>>,
    wildcards: Wildcards,
}

impl Patterns {
    pub(super) fn get(&self, policy: MatchPolicy, uri: &str) -> Option<u64> {
        match policy {
            MatchPolicy::Exact => self.exact.get(uri).copied(),
            MatchPolicy::Prefix => self.prefixes.get(&uri.len())?.get(uri).copied(),
            MatchPolicy::Wildcard => self.wildcards.get(uri),
        }
    }

    pub(super) fn insert(&mut self, policy: MatchPolicy, uri: &str, id: u64) {
        match policy {
            MatchPolicy::Exact => drop(self.exact.insert(uri.into(), id)),
            MatchPolicy::Prefix => drop(self.prefixes.entry(uri.len()).or_default().insert(uri.into(), id)),
            MatchPolicy::Wildcard => self.wildcards.insert(uri, id),
        }
    }

    pub(super) fn remove(&mut self, policy: MatchPolicy, uri: &str) {
        match policy {
            MatchPolicy::Exact => drop(self.exact.remove(uri)),
            MatchPolicy::Prefix => {
                let Some(same_length) = self.prefixes.get_mut(&uri.len()) else { return };
                same_length.remove(uri);
                if same_length.is_empty() {
                    self.prefixes.remove(&uri.len());
                }
            }
            MatchPolicy::Wildcard => self.wildcards.remove(uri),
        }
    }

    /// The exact one, or else the longest prefix, or else the wildcard that is more literal from the left.
    pub(super) fn best(&self, uri: &str) -> Option<u64> {
        let exact = self.exact.get(uri).copied();
        exact.or_else(|| self.longest_prefix(uri)).or_else(|| self.wildcards.best(uri))
    }

    fn longest_prefix(&self, uri: &str) -> Option<u64> {
        let lengths = self.prefixes.range(..=uri.len()).rev();
        lengths.into_iter().find_map(|(&length, same)| same.get(uri.get(..length)?).copied())
    }
}

/// A tree with one level per component.
struct Wildcards {
    nodes: Slab<Node>,
}

const ROOT: usize = 0;

#[derive(Default)]
struct Node {
    literal: HashMap<Box<str>, usize>,
    any: Option<usize>,
    end: Option<u64>,
}

impl Node {
    fn child(&self, component: &str) -> Option<usize> {
        if component.is_empty() { self.any } else { self.literal.get(component).copied() }
    }
}

impl Default for Wildcards {
    fn default() -> Self {
        let mut nodes = Slab::new();
        nodes.insert(Node::default());
        Self { nodes }
    }
}

impl Wildcards {
    fn get(&self, pattern: &str) -> Option<u64> {
        let mut at = ROOT;
        for component in pattern.split('.') {
            at = self.nodes[at].child(component)?;
        }
        self.nodes[at].end
    }

    fn insert(&mut self, pattern: &str, id: u64) {
        let mut at = ROOT;
        for component in pattern.split('.') {
            at = match self.nodes[at].child(component) {
                Some(child) => child,
                None => self.add(at, component),
            };
        }
        self.nodes[at].end = Some(id);
    }

    fn add(&mut self, at: usize, component: &str) -> usize {
        let child = self.nodes.insert(Node::default());
        let node = &mut self.nodes[at];
        if component.is_empty() {
            node.any = Some(child);
        } else {
            node.literal.insert(component.into(), child);
        }
        child
    }

    /// Takes a pattern out, and the branch that only it needed.
    fn remove(&mut self, pattern: &str) {
        let mut path = Vec::new();
        let mut at = ROOT;
        for component in pattern.split('.') {
            let Some(child) = self.nodes[at].child(component) else { return };
            path.push((at, component));
            at = child;
        }
        self.nodes[at].end = None;
        for (parent, component) in path.into_iter().rev() {
            let node = &self.nodes[at];
            if node.end.is_some() || node.any.is_some() || !node.literal.is_empty() {
                break;
            }
            self.nodes.remove(at);
            at = parent;
            if component.is_empty() {
                self.nodes[at].any = None;
            } else {
                self.nodes[at].literal.remove(component);
            }
        }
    }

    /// At the first component where two matching patterns differ, one of them has a wildcard: the other one's
    /// literal portion before its next wildcard is the longer one. So literal children go first, and the first
    /// end is the best. No recursion: patterns may be as long as messages.
    fn best(&self, uri: &str) -> Option<u64> {
        let mut open = vec![(ROOT, Some(uri))];
        while let Some((at, rest)) = open.pop() {
            let node = &self.nodes[at];
            let Some(rest) = rest else {
                if node.end.is_some() {
                    return node.end;
                }
                continue;
            };
            let (component, rest) =
                rest.split_once('.').map_or((rest, None), |(component, rest)| (component, Some(rest)));
            open.extend(node.any.map(|child| (child, rest)));
            open.extend(node.literal.get(component).map(|&child| (child, rest)));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patterns(list: &[(MatchPolicy, &str)]) -> Patterns {
        let mut patterns = Patterns::default();
        for (&(policy, uri), id) in list.iter().zip(1..) {
            patterns.insert(policy, uri, id);
        }
        patterns
    }

    /// REQ-WAMP-044: the example of WAMP, Pattern-based Registrations, "Calls matching multiple registrations".
    #[test]
    fn the_examples_of_the_specification() {
        let patterns = patterns(&[
            (MatchPolicy::Exact, "a1.b2.c3.d4.e55"),
            (MatchPolicy::Prefix, "a1.b2.c3"),
            (MatchPolicy::Prefix, "a1.b2.c3.d4"),
            (MatchPolicy::Wildcard, "a1.b2..d4.e5"),
            (MatchPolicy::Wildcard, "a1.b2.c33..e5"),
            (MatchPolicy::Wildcard, "a1.b2..d4.e5..g7"),
            (MatchPolicy::Wildcard, "a1.b2..d4..f6.g7"),
        ]);
        for (uri, expected) in [
            ("a1.b2.c3.d4.e55", Some(1)),
            ("a1.b2.c3.d98.e74", Some(2)),
            ("a1.b2.c3.d4.e325", Some(3)),
            ("a1.b2.c55.d4.e5", Some(4)),
            ("a1.b2.c88.d4.e5.f6.g7", Some(6)),
            ("a2.b2.c2.d2.e2", None),
        ] {
            assert_eq!(patterns.best(uri), expected, "{uri}");
        }
        // The specification says 5 here, forgetting that its prefix 2, `a1.b2.c3`, begins `a1.b2.c33` too.
        assert_eq!(patterns.best("a1.b2.c33.d4.e5"), Some(2));
        assert_eq!(patterns.wildcards.best("a1.b2.c33.d4.e5"), Some(5));
    }

    #[test]
    fn a_prefix_counts_characters_and_takes_itself() {
        let patterns = patterns(&[(MatchPolicy::Prefix, "com.myapp.myobject1"), (MatchPolicy::Prefix, "ä")]);
        for (uri, expected) in [
            ("com.myapp.myobject1.myprocedure1", Some(1)),
            ("com.myapp.myobject1-mysubobject1", Some(1)),
            ("com.myapp.myobject1", Some(1)),
            ("com.myapp.myobject2", None),
            ("com.myapp.myobject", None),
            ("äb", Some(2)),
            // As long as `ä` in bytes, and a cut in the middle of a character.
            ("aä", None),
        ] {
            assert_eq!(patterns.best(uri), expected, "{uri}");
        }
    }

    #[test]
    fn a_dead_end_leads_back_to_the_wildcard() {
        let patterns = patterns(&[(MatchPolicy::Wildcard, "a.b.c"), (MatchPolicy::Wildcard, "a..d")]);
        assert_eq!(patterns.best("a.b.d"), Some(2));
        assert_eq!(patterns.best("a.b"), None);
        assert_eq!(patterns.best("a.b.d.e"), None);
    }

    #[test]
    fn what_is_removed_leaves_nothing() {
        let list = [
            (MatchPolicy::Wildcard, "a..c"),
            (MatchPolicy::Wildcard, "a.b.c"),
            (MatchPolicy::Wildcard, "a."),
            (MatchPolicy::Prefix, "a"),
            (MatchPolicy::Exact, "a"),
        ];
        let mut patterns = patterns(&list);
        for (place, (policy, uri)) in list.into_iter().enumerate() {
            patterns.remove(policy, uri);
            patterns.remove(policy, uri);
            assert_eq!(patterns.get(policy, uri), None);
            for &(policy, uri) in &list[place + 1..] {
                assert!(patterns.get(policy, uri).is_some(), "{uri} is still there");
            }
        }
        assert!(patterns.exact.is_empty() && patterns.prefixes.is_empty());
        assert_eq!(patterns.wildcards.nodes.len(), 1);
    }
}
