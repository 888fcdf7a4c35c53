//! The access file (`auth.access`): users, rules, and what becomes of clients that prove nothing.

mod fields;
mod shared;
#[cfg(test)]
mod tests;

use petasus_protocol::wamp::uri;
use thiserror::Error;

pub(super) use fields::{At, Problems, Table, Told};
pub(crate) use shared::SharedAccess;
pub use shared::check_access;

use super::challenge::{Challenge, Greeting, Opening, Refused, Who};
use super::question::{Name, Question};
use super::rules::{Disclose, Rules};
use super::users::{Method, Users};
use super::{Action, Denied};
use crate::config::ConfigError;
use crate::dialect::Role;

/// The role of clients that prove nothing, unless the file says otherwise.
const ANONYMOUS: &str = "anonymous";
/// The realm of sockets without a session.
const REALM: &str = "default";
const KEYS: [&str; 4] = ["anonymous", "authorizer", "users", "rules"];

/// Why an access file cannot be used.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum AccessError {
    /// The file cannot be read.
    #[error("auth.access: {name} can not be read: {reason}; correct the path or its rights")]
    Unreadable {
        /// The file.
        name: String,
        /// What the operating system says.
        reason: String,
    },
    /// What is wrong in it, each problem with its line.
    #[error(transparent)]
    Wrong(#[from] ConfigError),
}

/// What an access file says. Without a file everybody is anonymous, and may do everything.
#[derive(Debug)]
pub(crate) struct Access {
    /// The role of clients that prove nothing; `None`: they are refused.
    anonymous: Option<String>,
    users: Users,
    rules: Rules,
    authorizer: Option<String>,
}

impl Default for Access {
    fn default() -> Self {
        Self {
            anonymous: Some(ANONYMOUS.to_owned()),
            users: Users::default(),
            rules: Rules::default(),
            authorizer: None,
        }
    }
}

impl Access {
    /// Reads the text of a file; `name` is what problems call it.
    pub(crate) fn parse(name: &str, text: &str) -> Result<Self, AccessError> {
        let mut problems = Problems::new(name, text);
        let access = Table::of_file(text, &mut problems).map(|table| Self::read(table, &mut problems));
        let problems = problems.into_list();
        match access {
            Some(access) if problems.is_empty() => Ok(access),
            _ => Err(ConfigError { problems }.into()),
        }
    }

    fn read(mut file: Table<'_>, problems: &mut Problems<'_>) -> Self {
        let anonymous = file.has("anonymous").then(|| file.text("anonymous", problems)).flatten();
        let authorizer = file.filled("authorizer", "write the URI of a procedure, or leave it out", problems);
        let (mut users, mut rules) = (Users::default(), Rules::default());
        let tables = file.tables("users", problems);
        if let (Some(first), None) = (tables.first(), &anonymous) {
            let text = "is missing; with [[users]], write above them the role of clients that prove nothing, \
                        or \"\" to refuse these";
            problems.add(first.at, "anonymous", text);
        }
        for table in tables {
            users.add(table, problems);
        }
        for table in file.tables("rules", problems) {
            rules.add(table, problems);
        }
        if let Some(authorizer) = &authorizer {
            let procedure = &authorizer.value;
            if let Err(error) = uri::check(procedure, uri::Rule::Loose, uri::Match::Exact) {
                problems.add(authorizer.at, "authorizer", error.to_string());
            } else if !rules.guard(procedure) {
                let text = format!(
                    "nobody may register {procedure}; add [[rules]] with one role, uri = \"{procedure}\" and \
                     allow = [\"register\"]"
                );
                problems.add(authorizer.at, "authorizer", text);
            }
        }
        file.finish(&KEYS, &[], problems);
        Self {
            anonymous: match anonymous {
                None => Some(ANONYMOUS.to_owned()),
                Some(role) => Some(role.value).filter(|role| !role.is_empty()),
            },
            users,
            rules,
            authorizer: authorizer.map(|authorizer| authorizer.value),
        }
    }

    /// Begins to find out who a client is: by the first of its methods that it can use here. A client that names no
    /// method wants to be anonymous.
    ///
    /// Refuses with an error URI and a text. Whether there is a user of the name that the client gives is not told.
    pub(crate) fn begin(&self, greeting: &Greeting<'_>) -> Result<Opening, Refused> {
        let methods = if greeting.methods.is_empty() { &["anonymous"] } else { greeting.methods };
        for &name in methods {
            if name == "anonymous" {
                if let Some(role) = &self.anonymous {
                    return Ok(Opening::Welcome(Who::anonymous(role)));
                }
            } else if let Some(method) = Method::parse(name)
                && let Some(challenge) = Challenge::new(greeting, method, &self.users)?
            {
                return Ok(Opening::Challenge(challenge));
            }
        }
        Err((uri::error::NO_MATCHING_AUTH_METHOD, self.advice(greeting)))
    }

    fn advice(&self, greeting: &Greeting<'_>) -> String {
        let offered = match greeting.methods {
            [] => "HELLO offers no authmethods".to_owned(),
            methods => format!("none of the authmethods {} can be used here", methods.join(", ")),
        };
        let advice = match (&self.anonymous, greeting.authid) {
            (Some(_), _) => "add anonymous, or ask the operator for other credentials",
            (None, None) => "send an authid, and a method that its user has credentials for",
            (None, Some(_)) if self.users.is_empty() => "nobody has credentials: ask the operator",
            (None, Some(_)) => "send a method that the authid has credentials for",
        };
        format!("{offered}: {advice}")
    }

    /// Whether everything is allowed to everybody.
    pub(crate) fn allows_all(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a session may do something.
    pub(crate) fn may(&self, question: &Question<'_>, realm: &str) -> Result<(), Denied> {
        self.rules.may(question, realm)
    }

    /// Whether others learn who does what is allowed.
    pub(crate) fn disclose(&self, question: &Question<'_>, realm: &str) -> Disclose {
        self.rules.disclose(question, realm)
    }

    /// Whether a socket without a session may take its role, joining and sending. It has proved nothing.
    pub(crate) fn may_role(&self, role: &Role) -> Result<(), Denied> {
        let joins = match role {
            Role::Bus { .. } | Role::Custom { .. } => Some(Action::Join),
            Role::Subscribe { .. } => Some(Action::Subscribe),
            Role::Pull { .. } => Some(Action::Pull),
            Role::Publish { .. } | Role::Push { .. } => None,
        };
        joins.map_or(Ok(()), |action| self.may_raw(action, role))?;
        self.may_post(role)
    }

    /// Whether a request without a session may send what it posts.
    pub(crate) fn may_post(&self, role: &Role) -> Result<(), Denied> {
        let sends = match role {
            Role::Bus { .. } | Role::Custom { .. } => Some(Action::Send),
            Role::Publish { .. } => Some(Action::Publish),
            Role::Push { .. } => Some(Action::Push),
            Role::Subscribe { .. } | Role::Pull { .. } => None,
        };
        sends.map_or_else(|| self.known(), |action| self.may_raw(action, role))
    }

    fn may_raw(&self, action: Action, role: &Role) -> Result<(), Denied> {
        self.known()?;
        if self.allows_all() {
            return Ok(());
        }
        let name = match role {
            Role::Subscribe { filter } => Name::Filter(filter),
            Role::Bus { topic, .. }
            | Role::Publish { topic }
            | Role::Push { topic }
            | Role::Pull { topic }
            | Role::Custom { topic, .. } => Name::Topic(topic),
        };
        let authrole = self.anonymous.as_deref().unwrap_or_default();
        let question = Question { action, pattern: role.pattern(), name, authrole };
        self.may(&question, REALM)
    }

    /// Whether clients that prove nothing are let in at all.
    fn known(&self) -> Result<(), Denied> {
        match self.anonymous {
            Some(_) => Ok(()),
            None => Err(Denied::new("anonymous clients are refused: log in by WAMP")),
        }
    }

    /// The procedure that has the last word on what the rules allow.
    pub(crate) fn authorizer(&self) -> Option<&str> {
        self.authorizer.as_deref()
    }
}
