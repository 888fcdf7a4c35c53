//! A set of filters that asks every one of them, with a switch for each fault.

use petasus_protocol::{Topic, TopicFilter};

use crate::filters::{FilterSet, meaning, nodes_needed};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    None,
    BeginsWithText,
    ChildrenGetTheParents,
    NoHierarchy,
    TrailingSlashIsBelow,
    TrailingSlashIsDropped,
    DoubleSlashIsOne,
    IgnoresCase,
    ShowsDollar,
    HidesDollarFromAll,
    PlusNeedsText,
    HashNeedsALevel,
    OnceForEachAncestor,
    RemovesTheBranch,
    RemovesNothing,
    KeepsBranches,
}

pub(crate) struct FilterList {
    filters: Vec<(TopicFilter, usize)>,
    fault: Fault,
    /// Nodes that should have gone.
    kept: usize,
}

impl FilterList {
    pub(crate) fn new(fault: Fault) -> Self {
        Self { filters: Vec::new(), fault, kept: 0 }
    }

    /// How often the filter is found to match.
    fn count(&self, filter: &TopicFilter, topic: &Topic) -> usize {
        let matches = match filter {
            TopicFilter::Tree(root) => self.tree_matches(root.as_str(), filter, topic),
            TopicFilter::Mqtt(_) => self.mqtt_matches(filter, topic),
            _ if self.fault == Fault::HidesDollarFromAll => {
                filter.matches(topic) && !topic.as_str().starts_with('$')
            }
            _ => filter.matches(topic),
        };
        let root = filter.to_string();
        let twice = self.fault == Fault::OnceForEachAncestor && topic.ancestors().any(|above| above == root);
        usize::from(matches) * if twice { 2 } else { 1 }
    }

    fn tree_matches(&self, root: &str, filter: &TopicFilter, topic: &Topic) -> bool {
        let (text, right) = (topic.as_str(), filter.matches(topic));
        let again = |text: &str| filter.matches(&Topic::new(text));
        match self.fault {
            Fault::BeginsWithText => text.starts_with(root),
            Fault::ChildrenGetTheParents => right || root.starts_with(&format!("{text}/")),
            Fault::NoHierarchy => text == root,
            Fault::TrailingSlashIsBelow => right || text.starts_with(&format!("{root}/")),
            Fault::TrailingSlashIsDropped => again(text.trim_end_matches('/')),
            Fault::DoubleSlashIsOne => again(&text.replace("//", "/")),
            Fault::IgnoresCase => right || again(&text.replace('A', "a")) || again(&text.replace('a', "A")),
            _ => right,
        }
    }

    fn mqtt_matches(&self, filter: &TopicFilter, topic: &Topic) -> bool {
        let (text, right) = (filter.to_string(), filter.matches(topic));
        match self.fault {
            Fault::ShowsDollar => {
                right || filter.matches(&Topic::new(topic.as_str().trim_start_matches('$')))
            }
            Fault::PlusNeedsText if text.contains('+') => {
                right && topic.segments().all(|segment| !segment.is_empty())
            }
            Fault::HashNeedsALevel if text.ends_with("/#") => {
                right && topic.depth() >= text.split('/').count()
            }
            _ => right,
        }
    }
}

impl FilterSet for FilterList {
    fn get(&self, filter: &TopicFilter) -> Option<usize> {
        let wanted = meaning(filter);
        self.filters.iter().find(|(known, _)| meaning(known) == wanted).map(|(_, number)| *number)
    }

    fn insert(&mut self, filter: &TopicFilter, number: usize) {
        let wanted = meaning(filter);
        self.filters.retain(|(known, _)| meaning(known) != wanted);
        self.filters.push((filter.clone(), number));
    }

    fn remove(&mut self, filter: &TopicFilter) {
        let before = self.nodes();
        let wanted = meaning(filter);
        let below = format!("{filter}/");
        let fault = self.fault;
        self.filters.retain(|(known, _)| match fault {
            Fault::RemovesNothing => true,
            Fault::RemovesTheBranch if known.to_string().starts_with(&below) => false,
            _ => meaning(known) != wanted,
        });
        if fault == Fault::KeepsBranches {
            self.kept += before - self.nodes();
        }
    }

    fn visit(&self, topic: &Topic) -> Vec<usize> {
        let found = self.filters.iter().map(|(filter, number)| vec![*number; self.count(filter, topic)]);
        found.flatten().collect()
    }

    fn nodes(&self) -> usize {
        let meanings: Vec<_> = self.filters.iter().map(|(filter, _)| meaning(filter)).collect();
        nodes_needed(meanings.iter()) + self.kept
    }
}
