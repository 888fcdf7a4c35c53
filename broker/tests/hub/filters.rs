//! The topic trie against the definition of each kind of filter, and planted faults.

use std::collections::{BTreeMap, BTreeSet};

use petasus_broker::hub::Trie;
use petasus_protocol::{End, Step, Topic, TopicFilter, TopicLimits};
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::filter_faults::{Fault, FilterList};
use crate::planted::{Breach, Hunt, cases};

/// A few segments that are easily taken for each other.
const SEGMENTS: [&str; 10] = ["", "a", "a", "b", "ab", "A", "$", "$a", "+", "é"];

pub(crate) fn topics() -> impl Strategy<Value = Topic> {
    vec(select(SEGMENTS.as_slice()), 1..5).prop_map(|segments| Topic::new(&segments.join("/")))
}

/// Filters of every kind. Half are trees, the only kind that the dialects of today know.
pub(crate) fn filters() -> impl Strategy<Value = TopicFilter> {
    prop_oneof![
        5 => topics().prop_map(TopicFilter::Tree),
        1 => topics().prop_map(TopicFilter::Exact),
        3 => (vec(select(vec!["", "a", "b", "+", "+", "$a"]), 0..4), any::<bool>())
            .prop_filter_map("a valid MQTT filter", |(mut levels, hash)| {
                levels.extend(hash.then_some("#"));
                TopicFilter::mqtt(&levels.join("/"), &TopicLimits::UNLIMITED).ok()
            }),
        2 => (topics(), 0usize..8).prop_filter_map("a valid WAMP prefix", |(topic, cut)| {
            let uri: String = topic.to_wamp().chars().take(cut).collect();
            TopicFilter::wamp_prefix(&uri, &TopicLimits::UNLIMITED).ok()
        }),
        1 => (topics(), vec(any::<bool>(), 4)).prop_map(|(topic, blanks)| {
            let uri = topic.to_wamp();
            let components = uri.split('.').zip(blanks).map(|(text, blank)| if blank { "" } else { text });
            let uri = components.collect::<Vec<_>>().join(".");
            TopicFilter::wamp_wildcard(&uri, &TopicLimits::UNLIMITED).expect("components of a URI")
        }),
    ]
}

/// How a topic is made from the text of a filter that is there: what only happens to match is rare otherwise.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Twist {
    Same,
    Below,
    Above,
    Longer,
    Slash,
    DoubleSlash,
    Blank,
    OtherCase,
    Dollar,
}

pub(crate) fn twists() -> impl Strategy<Value = Twist> {
    use Twist::{Above, Below, Blank, Dollar, DoubleSlash, Longer, OtherCase, Same, Slash};
    let all = [Same, Same, Same, Below, Below, Above, Longer, Slash, DoubleSlash, Blank, OtherCase, Dollar];
    select(all.to_vec())
}

/// The topic that a filter names, with a twist. A `+` becomes a word, or with `Blank` nothing.
pub(crate) fn near(filter: &TopicFilter, twist: Twist) -> Topic {
    let text = filter.to_string();
    let text = text
        .strip_suffix("/#")
        .unwrap_or(&text)
        .replace('+', if matches!(twist, Twist::Blank) { "" } else { "b" });
    Topic::new(&match twist {
        Twist::Same | Twist::Blank => text,
        Twist::Below => text + "/b",
        Twist::Above => text.rsplit_once('/').map_or(text.as_str(), |(above, _)| above).to_owned(),
        Twist::Longer => text + "b",
        Twist::Slash => text + "/",
        Twist::DoubleSlash => text + "//b",
        Twist::OtherCase if text.contains('A') => text.replace('A', "a"),
        Twist::OtherCase => text.replace('a', "A"),
        Twist::Dollar => format!("${text}"),
    })
}

#[derive(Debug, Clone)]
enum Op {
    Insert(TopicFilter),
    /// A tree near one that is there.
    InsertNear(usize, Twist),
    /// The place among those that are there.
    Remove(usize),
    /// Also one that was never put in.
    RemoveThis(TopicFilter),
    Visit(Topic),
    VisitNear(usize, Twist),
}

fn ops() -> impl Strategy<Value = Vec<Op>> {
    let op = prop_oneof![
        4 => filters().prop_map(Op::Insert),
        2 => (0usize..12, twists()).prop_map(|(place, twist)| Op::InsertNear(place, twist)),
        2 => (0usize..12).prop_map(Op::Remove),
        1 => filters().prop_map(Op::RemoveThis),
        3 => topics().prop_map(Op::Visit),
        6 => (0usize..12, twists()).prop_map(|(place, twist)| Op::VisitNear(place, twist)),
    ];
    vec(op, 0..60)
}

/// A set of filters under test.
pub(crate) trait FilterSet {
    fn get(&self, filter: &TopicFilter) -> Option<usize>;
    fn insert(&mut self, filter: &TopicFilter, number: usize);
    fn remove(&mut self, filter: &TopicFilter);
    fn visit(&self, topic: &Topic) -> Vec<usize>;
    /// How many nodes there are.
    fn nodes(&self) -> usize;
}

impl FilterSet for Trie {
    fn get(&self, filter: &TopicFilter) -> Option<usize> {
        Trie::get(self, filter)
    }
    fn insert(&mut self, filter: &TopicFilter, number: usize) {
        Trie::insert(self, filter, number);
    }
    fn remove(&mut self, filter: &TopicFilter) {
        Trie::remove(self, filter);
    }
    fn visit(&self, topic: &Topic) -> Vec<usize> {
        let mut found = Vec::new();
        Trie::visit(self, topic, |number| found.push(number));
        found
    }
    fn nodes(&self) -> usize {
        Trie::nodes(self)
    }
}

/// What a filter means, in a form of its own: filters of different kinds may mean the same, and are one then. But one of
/// WAMP's wildcards is none of the others, even without an empty component (REQ-WAMP-026).
pub(crate) type Meaning = (Vec<Option<String>>, String, bool);

pub(crate) fn meaning(filter: &TopicFilter) -> Meaning {
    let steps = filter.steps().map(|step| match step {
        Step::Literal(text) => Some(text.to_owned()),
        Step::Any => None,
    });
    let end = match filter.end() {
        End::Prefix(text) => format!("starts with {text}"),
        End::Exact if matches!(filter, TopicFilter::WampWildcard(_)) => "wildcard".to_owned(),
        end => format!("{end:?}"),
    };
    (steps.collect(), end, filter.hides_dollar())
}

/// How many nodes a trie of these filters needs, the root included.
pub(crate) fn nodes_needed<'a>(set: impl Iterator<Item = &'a Meaning>) -> usize {
    let branches = set.flat_map(|(steps, _, hides)| {
        // A wildcard that hides `$` is another branch than one that does not; literals know no difference.
        let step = move |step: &Option<String>| (step.clone(), step.is_none() && *hides);
        (1..=steps.len()).map(move |depth| steps[..depth].iter().map(step).collect::<Vec<_>>())
    });
    1 + branches.collect::<BTreeSet<_>>().len()
}

/// The set under test beside what must be in it.
struct Judge<S> {
    set: S,
    model: BTreeMap<Meaning, (TopicFilter, usize)>,
}

type Verdict = Result<(), Vec<Breach>>;

fn broken(requirement: &'static str, what: String) -> Verdict {
    Err(vec![Breach::new(requirement, what)])
}

fn judge<S: FilterSet>(ops: &[Op], set: S) -> Verdict {
    let mut judge = Judge { set, model: BTreeMap::new() };
    for (number, op) in ops.iter().enumerate() {
        match op {
            Op::Insert(filter) => judge.insert(filter, number),
            Op::InsertNear(place, twist) => match judge.near(*place, *twist) {
                Some(topic) => judge.insert(&TopicFilter::Tree(topic), number),
                None => Ok(()),
            },
            Op::Remove(place) => match judge.at(*place) {
                Some(filter) => judge.remove(&filter),
                None => Ok(()),
            },
            Op::RemoveThis(filter) => judge.remove(filter),
            Op::Visit(topic) => judge.visit(topic),
            Op::VisitNear(place, twist) => {
                judge.near(*place, *twist).map_or(Ok(()), |topic| judge.visit(&topic))
            }
        }?;
    }
    while let Some(filter) = judge.at(0) {
        judge.remove(&filter)?;
    }
    match judge.set.nodes() {
        1 => Ok(()),
        nodes => broken("REQ-LIF-005", format!("{nodes} nodes without a filter")),
    }
}

impl<S: FilterSet> Judge<S> {
    fn at(&self, place: usize) -> Option<TopicFilter> {
        self.model.values().nth(place.checked_rem(self.model.len())?).map(|(filter, _)| filter.clone())
    }

    fn near(&self, place: usize, twist: Twist) -> Option<Topic> {
        self.at(place).map(|filter| near(&filter, twist))
    }

    fn insert(&mut self, filter: &TopicFilter, number: usize) -> Verdict {
        self.set.insert(filter, number);
        self.model.insert(meaning(filter), (filter.clone(), number));
        self.check_number(filter)?;
        self.check_nodes()
    }

    /// Also of a filter that is not there.
    fn remove(&mut self, filter: &TopicFilter) -> Verdict {
        self.model.remove(&meaning(filter));
        self.set.remove(filter);
        self.check_number(filter)?;
        for (other, _) in self.model.values() {
            self.check_number(other)?;
        }
        self.check_nodes()
    }

    /// Every filter that matches, once.
    fn visit(&self, topic: &Topic) -> Verdict {
        let mut found = self.set.visit(topic);
        found.sort_unstable();
        let matching = self.model.values().filter(|(filter, _)| filter.matches(topic));
        let mut expected: Vec<usize> = matching.map(|(_, number)| *number).collect();
        expected.sort_unstable();
        if found == expected {
            return Ok(());
        }
        broken(
            first_difference(&found, &expected),
            format!("{topic:?} finds {found:?} instead of {expected:?}"),
        )
    }

    fn check_number(&self, filter: &TopicFilter) -> Verdict {
        let known = self.model.get(&meaning(filter)).map(|(_, number)| *number);
        match self.set.get(filter) {
            number if number == known => Ok(()),
            number => broken("REQ-SUB-008", format!("{filter:?} is {number:?} instead of {known:?}")),
        }
    }

    fn check_nodes(&self) -> Verdict {
        match (self.set.nodes(), nodes_needed(self.model.keys())) {
            (nodes, needed) if nodes == needed => Ok(()),
            (nodes, needed) => broken("REQ-LIF-005", format!("{nodes} nodes instead of {needed}")),
        }
    }
}

fn first_difference(found: &[usize], expected: &[usize]) -> &'static str {
    if found.windows(2).any(|pair| pair[0] == pair[1]) {
        "REQ-SUB-003"
    } else if found.iter().any(|number| !expected.contains(number)) {
        "REQ-SUB-002"
    } else {
        "REQ-SUB-001"
    }
}

proptest! {
    #![proptest_config(cases(600))]

    /// REQ-SUB-001, REQ-SUB-002, REQ-SUB-003, REQ-SUB-009, REQ-LIF-005
    #[test]
    fn the_trie_finds_what_matches_once_and_forgets_what_is_removed(ops in ops()) {
        prop_assert_eq!(judge(&ops, Trie::default()), Ok(()));
    }

}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn the_judge_has_nothing_against_a_list(ops in ops()) {
        prop_assert_eq!(judge(&ops, FilterList::new(Fault::None)), Ok(()));
    }
}

/// Each fault and what it breaks.
const FAULTS: [(Fault, &[&str]); 15] = [
    (Fault::BeginsWithText, &["REQ-SUB-002"]),
    (Fault::ChildrenGetTheParents, &["REQ-SUB-002"]),
    (Fault::NoHierarchy, &["REQ-SUB-001"]),
    (Fault::TrailingSlashIsBelow, &["REQ-SUB-002"]),
    (Fault::TrailingSlashIsDropped, &["REQ-SUB-001", "REQ-SUB-002"]),
    (Fault::DoubleSlashIsOne, &["REQ-SUB-001", "REQ-SUB-002"]),
    (Fault::IgnoresCase, &["REQ-SUB-002"]),
    (Fault::ShowsDollar, &["REQ-SUB-002"]),
    (Fault::HidesDollarFromAll, &["REQ-SUB-001"]),
    (Fault::PlusNeedsText, &["REQ-SUB-001"]),
    (Fault::HashNeedsALevel, &["REQ-SUB-001"]),
    (Fault::OnceForEachAncestor, &["REQ-SUB-003"]),
    (Fault::RemovesTheBranch, &["REQ-SUB-008"]),
    (Fault::RemovesNothing, &["REQ-SUB-008"]),
    (Fault::KeepsBranches, &["REQ-LIF-005"]),
];

#[test]
fn each_planted_fault_is_found() {
    let mut hunt = Hunt::new("filters");
    for (fault, breaks) in FAULTS {
        hunt.expect(fault, breaks, &ops(), |ops| judge(&ops, FilterList::new(fault)));
    }
    hunt.end(&["REQ-SUB-001", "REQ-SUB-002", "REQ-SUB-003", "REQ-SUB-008", "REQ-LIF-005"]);
}
