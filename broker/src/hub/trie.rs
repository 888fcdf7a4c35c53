//! The topic trie: from a published topic to the filters that match it, without looking at the others.

use std::collections::HashMap;

use petasus_protocol::{End, Step, Topic, TopicFilter};
use slab::Slab;

/// A set of filters, each with a number that the caller chooses.
///
/// A publish walks down the segments of its topic, so its cost depends on the depth of the topic and on
/// the filters that match so far, not on the number of filters. [`TopicFilter::matches`] is the definition
/// that the tests hold this against.
pub struct Trie {
    nodes: Slab<Node>,
}

const ROOT: usize = 0;

#[derive(Default)]
struct Node {
    children: HashMap<Box<str>, usize>,
    /// The children for "any one segment": of filters for every topic, and of filters that leave topics
    /// alone that start with `$`.
    any: [Option<usize>; 2],
    exact: Option<usize>,
    /// WAMP's wildcards. One without an empty component matches what the exact filter does, and is still another
    /// subscription (REQ-WAMP-026).
    wildcard: Option<usize>,
    tree: Option<usize>,
    /// As `any`: of filters for every topic, and of those that leave `$` alone.
    hash: [Option<usize>; 2],
    prefixes: HashMap<Box<str>, usize>,
}

impl Node {
    fn is_empty(&self) -> bool {
        self.children.is_empty() && self.prefixes.is_empty() && self.any == [None; 2] && !self.has_end()
    }

    fn has_end(&self) -> bool {
        [self.exact, self.wildcard, self.tree].iter().any(Option::is_some) || self.hash != [None; 2]
    }

    fn end(&self, filter: &TopicFilter) -> Option<usize> {
        match filter.end() {
            End::Exact if is_wildcard(filter) => self.wildcard,
            End::Exact => self.exact,
            End::Tree => self.tree,
            End::Hash => self.hash[usize::from(filter.hides_dollar())],
            End::Prefix(start) => self.prefixes.get(start).copied(),
        }
    }

    fn set_end(&mut self, filter: &TopicFilter, number: Option<usize>) {
        match filter.end() {
            End::Exact if is_wildcard(filter) => self.wildcard = number,
            End::Exact => self.exact = number,
            End::Tree => self.tree = number,
            End::Hash => self.hash[usize::from(filter.hides_dollar())] = number,
            End::Prefix(start) => match number {
                Some(number) => drop(self.prefixes.insert(start.into(), number)),
                None => drop(self.prefixes.remove(start)),
            },
        }
    }
}

impl Default for Trie {
    fn default() -> Self {
        let mut nodes = Slab::new();
        nodes.insert(Node::default());
        Self { nodes }
    }
}

impl Trie {
    /// The number of a filter, if it is in the set.
    pub fn get(&self, filter: &TopicFilter) -> Option<usize> {
        let mut at = ROOT;
        for step in filter.steps() {
            at = self.child(at, &step, filter)?;
        }
        self.nodes[at].end(filter)
    }

    /// Puts a filter into the set; a filter that is there already gets the new number.
    pub fn insert(&mut self, filter: &TopicFilter, number: usize) {
        let mut at = ROOT;
        for step in filter.steps() {
            at = match self.child(at, &step, filter) {
                Some(child) => child,
                None => self.add_child(at, &step, filter),
            };
        }
        self.nodes[at].set_end(filter, Some(number));
    }

    /// Takes a filter out of the set, and the branch that only it needed.
    pub fn remove(&mut self, filter: &TopicFilter) {
        let mut path = vec![ROOT];
        for step in filter.steps() {
            let Some(child) = self.child(path[path.len() - 1], &step, filter) else { return };
            path.push(child);
        }
        self.nodes[path[path.len() - 1]].set_end(filter, None);
        let steps: Vec<_> = filter.steps().collect();
        for (step, pair) in steps.iter().zip(path.windows(2)).rev() {
            let (parent, child) = (pair[0], pair[1]);
            if !self.nodes[child].is_empty() {
                break;
            }
            self.nodes.remove(child);
            match step {
                Step::Literal(segment) => drop(self.nodes[parent].children.remove(*segment)),
                Step::Any => self.nodes[parent].any[usize::from(filter.hides_dollar())] = None,
            }
        }
    }

    /// Calls `found` with the number of every filter that matches the topic, each once.
    pub fn visit(&self, topic: &Topic, mut found: impl FnMut(usize)) {
        // Trailing empty segments do not count for the hierarchy: `a/` is no child of `a` (REQ-SUB-001).
        let depth = topic.depth();
        let trailing = topic.segments().rev().take_while(|segment| segment.is_empty()).count();
        let walk = Walk { text: topic.as_str(), depth, meaningful: depth - trailing };
        self.descend(ROOT, 0, 0, &walk, &mut found);
    }

    /// How many nodes there are; one when no filter is left.
    pub fn nodes(&self) -> usize {
        self.nodes.len()
    }

    fn child(&self, at: usize, step: &Step<'_>, filter: &TopicFilter) -> Option<usize> {
        match step {
            Step::Literal(segment) => self.nodes[at].children.get(*segment).copied(),
            Step::Any => self.nodes[at].any[usize::from(filter.hides_dollar())],
        }
    }

    fn add_child(&mut self, at: usize, step: &Step<'_>, filter: &TopicFilter) -> usize {
        let child = self.nodes.insert(Node::default());
        match step {
            Step::Literal(segment) => drop(self.nodes[at].children.insert((*segment).into(), child)),
            Step::Any => self.nodes[at].any[usize::from(filter.hides_dollar())] = Some(child),
        }
        child
    }

    /// `level` segments lie behind, and the next one starts at byte `start` of the text.
    fn descend(&self, at: usize, level: usize, start: usize, walk: &Walk<'_>, found: &mut impl FnMut(usize)) {
        let node = &self.nodes[at];
        // MQTT-4.7.2-1: a wildcard in front leaves topics alone that start with `$`.
        let hidden = level == 0 && walk.text.starts_with('$');
        let shown = |[always, unless_hidden]: [Option<usize>; 2]| {
            always.into_iter().chain(unless_hidden.filter(|_| !hidden))
        };
        shown(node.hash).for_each(&mut *found);
        if level == walk.depth {
            [node.exact, node.wildcard, node.tree].into_iter().flatten().for_each(&mut *found);
            return;
        }
        if level < walk.meaningful
            && let Some(number) = node.tree
        {
            found(number);
        }
        let rest = &walk.text[start..];
        let segment = rest.split('/').next().unwrap_or(rest);
        if !node.prefixes.is_empty() {
            let ends = segment.char_indices().map(|(at, _)| at).chain([segment.len()]);
            ends.filter_map(|end| node.prefixes.get(&segment[..end])).for_each(|&number| found(number));
        }
        // One past the end of the text after the last segment; nothing is read there.
        let next = start + segment.len() + 1;
        if let Some(&child) = node.children.get(segment) {
            self.descend(child, level + 1, next, walk, found);
        }
        for child in shown(node.any) {
            self.descend(child, level + 1, next, walk, found);
        }
    }
}

fn is_wildcard(filter: &TopicFilter) -> bool {
    matches!(filter, TopicFilter::WampWildcard(_))
}

/// A topic on its way down the trie.
struct Walk<'a> {
    text: &'a str,
    depth: usize,
    meaningful: usize,
}
