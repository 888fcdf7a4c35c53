//! The rules of the access file: who may do what with which names.
//!
//! Rules only ever allow. Their order means nothing, and one rule has to allow all that a client asks for: the
//! subscription to the prefix `com.` needs a rule whose prefix is `com.` or shorter.

use petasus_protocol::wamp::uri::Match;

use super::access::{Problems, Table};
use super::question::{Question, Reach, check_pattern};
use super::users::{OF_THE_FILE, read_realm, read_role};
use super::{Action, Denied};
use crate::dialect::Pattern;

/// Whether others learn who called or published.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Disclose {
    /// If the client wants it: `disclose_me`.
    #[default]
    Client,
    /// Always.
    Always,
    /// Never, whatever the client wants.
    Never,
}

/// One `[[rules]]`.
#[derive(Debug)]
struct Rule {
    /// `None`: every role.
    role: Option<String>,
    /// `None`: every realm.
    realm: Option<String>,
    /// `None`: every namespace.
    pattern: Option<Pattern>,
    uri: String,
    policy: Match,
    allow: Vec<Verb>,
    disclose: Disclose,
}

/// What a rule allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verb {
    /// Subscribe; join a bus.
    Subscribe,
    /// Publish; send to a bus; push to a queue.
    Publish,
    /// Call; push to a queue.
    Call,
    /// Register; pull from a queue.
    Register,
}

/// All rules. Without any, everything is allowed.
#[derive(Debug, Default)]
pub(crate) struct Rules {
    list: Vec<Rule>,
    /// The procedure that is asked too; see [`Rules::guard`].
    authorizer: Option<String>,
}

impl Rules {
    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Whether something is allowed.
    pub(crate) fn may(&self, question: &Question<'_>, realm: &str) -> Result<(), Denied> {
        if self.list.is_empty() {
            return Ok(());
        }
        let reach = question.name.reach();
        let takes_over = question.action == Action::Register
            && self.authorizer.as_ref().is_some_and(|authorizer| reach.holds(authorizer));
        let allowed = if takes_over {
            self.allowing(question, &reach, realm).any(|rule| self.guards(rule))
        } else {
            self.allowing(question, &reach, realm).next().is_some()
        };
        if allowed { Ok(()) } else { Err(denied(question)) }
    }

    /// Whether others learn who does what the question is about: the strictest word of all rules that allow it.
    pub(crate) fn disclose(&self, question: &Question<'_>, realm: &str) -> Disclose {
        if self.list.iter().all(|rule| rule.disclose == Disclose::Client) {
            return Disclose::Client;
        }
        let reach = question.name.reach();
        self.allowing(question, &reach, realm).map(|rule| rule.disclose).max().unwrap_or_default()
    }

    fn allowing<'a>(
        &'a self,
        question: &'a Question<'_>,
        reach: &'a Reach<'_>,
        realm: &'a str,
    ) -> impl Iterator<Item = &'a Rule> {
        self.list.iter().filter(move |rule| {
            rule.role.as_deref().is_none_or(|role| role == question.authrole)
                && rule.realm.as_deref().is_none_or(|own| own == realm)
                && rule.pattern.is_none_or(|pattern| pattern == question.pattern)
                && rule.allow.iter().any(|verb| verb.allows(question.action))
                && reach.is_within(&rule.uri, rule.policy)
        })
    }

    /// Whether a rule lets one role alone register the authorizer, by its very name. Nobody else may, whatever the
    /// rules say of more than this name: who answers for it decides everything.
    fn guards(&self, rule: &Rule) -> bool {
        rule.role.is_some()
            && rule.policy == Match::Exact
            && Some(&rule.uri) == self.authorizer.as_ref()
            && rule.allow.contains(&Verb::Register)
    }

    /// Names the procedure that is asked too; whether a rule lets one role register it.
    pub(super) fn guard(&mut self, authorizer: &str) -> bool {
        self.authorizer = Some(authorizer.to_owned());
        self.list.iter().any(|rule| self.guards(rule))
    }

    /// Adds the rule of a table `[[rules]]`.
    pub(super) fn add(&mut self, table: Table<'_>, problems: &mut Problems<'_>) {
        self.list.extend(read(table, problems));
    }
}

impl Verb {
    fn allows(self, action: Action) -> bool {
        match action {
            Action::Join | Action::Subscribe => self == Self::Subscribe,
            Action::Send | Action::Publish => self == Self::Publish,
            Action::Call => self == Self::Call,
            Action::Push => matches!(self, Self::Call | Self::Publish),
            Action::Register | Action::Pull => self == Self::Register,
        }
    }
}

fn denied(question: &Question<'_>) -> Denied {
    Denied::new(format!("role `{}` may not {} {}", question.authrole, question.word(), question.uri()))
}

const KEYS: [&str; 7] = ["role", "realm", "pattern", "uri", "match", "allow", "disclose"];
const PATTERNS: [(&str, Option<Pattern>); 5] = [
    ("pubsub", Some(Pattern::PubSub)),
    ("bus", Some(Pattern::Bus)),
    ("queue", Some(Pattern::Queue)),
    ("rpc", Some(Pattern::Rpc)),
    ("*", None),
];
const POLICIES: [(&str, Match); 3] =
    [("exact", Match::Exact), ("prefix", Match::Prefix), ("wildcard", Match::Wildcard)];
const VERBS: [(&str, Verb); 4] = [
    ("subscribe", Verb::Subscribe),
    ("publish", Verb::Publish),
    ("call", Verb::Call),
    ("register", Verb::Register),
];
const DISCLOSES: [(&str, Disclose); 3] =
    [("client", Disclose::Client), ("always", Disclose::Always), ("never", Disclose::Never)];

fn read(mut table: Table<'_>, problems: &mut Problems<'_>) -> Option<Rule> {
    let at = table.at;
    let role = read_role(&mut table, false, problems);
    let realm = read_realm(&mut table, problems);
    let pattern = table.word("pattern", &PATTERNS, problems).unwrap_or(None);
    let policy = table.word("match", &POLICIES, problems).unwrap_or_default();
    let disclose = table.word("disclose", &DISCLOSES, problems).unwrap_or_default();
    // Any mistake in the file keeps it from being used: the defaults above never stand in for a wrong word.
    let uri = if table.has("uri") {
        table.text("uri", problems)
    } else {
        let advice = "write the name, or the beginning of names with match = \"prefix\" (\"\" is every name)";
        problems.add(at, "rules.uri", format!("is missing; {advice}"));
        None
    };
    if let Some(uri) = &uri
        && let Err(error) = check_pattern(&uri.value, policy)
    {
        let advice = if uri.value.ends_with('.') || uri.value.is_empty() {
            "; add match = \"prefix\" if this is the beginning of names"
        } else {
            ""
        };
        problems.add(uri.at, "rules.uri", format!("{error}{advice}"));
    }
    if !table.has("allow") {
        problems.add(at, "rules.allow", "is missing; write for example [\"subscribe\", \"call\"]");
    }
    let allow = table.words("allow", &VERBS, problems);
    table.finish(&KEYS, &OF_THE_FILE, problems);
    Some(Rule {
        role: role.ok()?,
        realm: realm.ok()?,
        pattern,
        uri: uri?.value,
        policy,
        allow: allow?,
        disclose,
    })
}
