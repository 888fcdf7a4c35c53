//! What a session learns of others, and does to them: who is there, who subscribed to and registered what, what somebody leaves
//! behind, and taking others out.
//!
//! A broker is shared with other cases: judges speak of the sessions and groups of their own case only.

use super::Check;
use super::talk::{Ask, Talk};
use crate::history::Conn;
use crate::model::{Answer, Group, Look, Request, Told};

mod answers;
mod expected;
mod groups;
mod kill;
mod remove;
mod sessions;
mod testament;

/// The checks of this family.
pub fn checks() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(sessions::Sessions),
        Box::new(kill::Kill),
        Box::new(groups::Groups { kind: Group::Subscription }),
        Box::new(groups::Groups { kind: Group::Registration }),
        Box::new(remove::Remove { kind: Group::Subscription }),
        Box::new(remove::Remove { kind: Group::Registration }),
        Box::new(testament::Testament),
    ]
}

/// The questions of somebody, in order.
fn looks(talk: &Talk) -> Vec<(&Ask, &Look)> {
    let mut looks: Vec<(&Ask, &Look)> = talk
        .asks
        .values()
        .filter_map(|ask| match &ask.request {
            Request::Look(look) => Some((ask, look)),
            _ => None,
        })
        .collect();
    looks.sort_by_key(|(ask, _)| ask.at);
    looks
}

/// What a question was answered, and when.
fn told(ask: &Ask) -> Option<(usize, &Told)> {
    ask.answers.iter().find_map(|(at, answer)| match answer {
        Answer::Told { told } => Some((*at, told)),
        _ => None,
    })
}

/// What is wrong with an answer that should be another.
fn differs(ask: &Ask, wanted: &str) -> String {
    let is = match (told(ask), ask.refused()) {
        (Some((_, told)), _) => format!("{told:?}"),
        (None, Some(uri)) => uri.to_owned(),
        (None, None) => "nothing".to_owned(),
    };
    format!("{} was answered {is}, not {wanted}", ask.text())
}

/// When a session began to go, and when it was gone as it wished. By an abrupt end nobody knows.
fn going(talk: &Talk, conn: Conn) -> Option<(usize, Option<usize>)> {
    use crate::history::Leave;
    let member = talk.ledger.members.get(&conn)?;
    match (member.leaving, member.over) {
        (Some((at, Leave::Abrupt)), _) => Some((at, None)),
        (Some((at, Leave::Handshake)), over) => Some((at, over)),
        (None, over) => over.map(|at| (at, Some(at))),
    }
}
