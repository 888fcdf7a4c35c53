//! Which groups there are at a time, who is in them, and what is due to be told of that: a walk through what was granted.

use crate::check::talk::{Ask, Talk};
use crate::history::Conn;
use crate::model::{Group, Match, Policy, Request, Told, Watched};

/// A group.
#[derive(Clone, Debug)]
pub(super) struct Known {
    pub(super) id: u64,
    pub(super) matching: Match,
    pub(super) name: String,
    pub(super) policy: Option<Policy>,
    /// Who is in it.
    pub(super) members: Vec<Conn>,
    /// Who went, and may still be in it.
    pub(super) maybe: Vec<Conn>,
}

/// Something that is due to be told.
#[derive(Clone, Debug)]
pub(super) struct Due {
    pub(super) what: Watched,
    pub(super) session: u64,
    pub(super) id: u64,
    /// What else is told of it.
    pub(super) told: Option<Told>,
}

/// What there is, what there was, and what is due.
#[derive(Debug, Default)]
pub(super) struct Walk {
    pub(super) groups: Vec<Known>,
    /// The ids of all groups that there were.
    pub(super) ids: Vec<u64>,
    pub(super) due: Vec<Due>,
}

/// What changes groups.
#[derive(Clone, Copy)]
enum Change<'a> {
    Joined(Conn, u64, &'a Request),
    Left(Conn, u64),
    /// Begins to go, with all that it has.
    Parts(Conn),
    /// Is told to have left.
    Gone(u64, u64),
}

impl Known {
    /// Whether it is there for sure.
    pub(super) fn is_sure(&self) -> bool {
        !self.members.is_empty()
    }

    /// What is told of it.
    pub(super) fn told(&self) -> Told {
        let (name, policy) = (self.name.clone(), self.policy);
        Told::Group { id: self.id, name, matching: self.matching, policy }
    }
}

impl Walk {
    /// Up to a place in the history.
    pub(super) fn until(talk: &Talk, kind: Group, end: usize) -> Self {
        let mut changes = changes(talk, kind);
        changes.retain(|(at, _)| *at < end);
        changes.sort_by_key(|(at, _)| *at);
        let mut walk = Self::default();
        for (_, change) in changes {
            walk.take(talk, kind, change);
        }
        walk
    }

    fn take(&mut self, talk: &Talk, kind: Group, change: Change<'_>) {
        let session = |conn: Conn| talk.sessions.get(&conn).copied().unwrap_or_default();
        match change {
            Change::Joined(conn, id, request) => self.join(kind, session(conn), conn, id, request),
            Change::Left(conn, id) => {
                let Some(group) = self.groups.iter_mut().find(|group| group.id == id) else { return };
                group.members.retain(|member| *member != conn);
                let is_empty = group.members.is_empty();
                self.due(Watched::Removed(kind), session(conn), id, None);
                if is_empty {
                    self.due(Watched::Deleted(kind), session(conn), id, None);
                    self.groups.retain(|group| group.id != id);
                }
            }
            Change::Parts(conn) => {
                for group in self.groups.iter_mut().filter(|group| group.members.contains(&conn)) {
                    group.members.retain(|member| *member != conn);
                    group.maybe.push(conn);
                }
                let its = self.groups.iter().filter(|group| group.maybe.contains(&conn));
                let its: Vec<(u64, bool)> = its.map(|group| (group.id, group.is_sure())).collect();
                for (id, stays) in its {
                    self.due(Watched::Removed(kind), session(conn), id, None);
                    if !stays {
                        self.due(Watched::Deleted(kind), session(conn), id, None);
                    }
                }
            }
            Change::Gone(gone, id) => {
                let Some(group) = self.groups.iter_mut().find(|group| group.id == id) else { return };
                group.maybe.retain(|conn| session(*conn) != gone);
                self.groups.retain(|group| !group.members.is_empty() || !group.maybe.is_empty());
            }
        }
    }

    fn join(&mut self, kind: Group, session: u64, conn: Conn, id: u64, request: &Request) {
        let (name, matching, policy) = match request {
            Request::Subscribe { topic, matching } => (topic, *matching, None),
            Request::Register { procedure, matching, policy, .. } => (procedure, *matching, Some(*policy)),
            _ => return,
        };
        if let Some(group) = self.groups.iter_mut().find(|group| group.id == id) {
            group.members.push(conn);
        } else {
            let (name, members, maybe) = (name.clone(), vec![conn], Vec::new());
            let group = Known { id, matching, name, policy, members, maybe };
            self.due(Watched::Created(kind), session, id, Some(group.told()));
            self.groups.push(group);
            self.ids.push(id);
        }
        self.due(Watched::Added(kind), session, id, None);
    }

    fn due(&mut self, what: Watched, session: u64, id: u64, told: Option<Told>) {
        self.due.push(Due { what, session, id, told });
    }

    /// The group of a granted request.
    pub(super) fn of(&self, ask: Option<&Ask>) -> Option<&Known> {
        let (_, id) = ask?.granted()?;
        self.groups.iter().find(|group| Some(group.id) == id)
    }
}

fn changes(talk: &Talk, kind: Group) -> Vec<(usize, Change<'_>)> {
    let mut changes = Vec::new();
    for ask in talk.asks.values() {
        let (conn, Some((at, id))) = (ask.id.0, ask.granted()) else { continue };
        match (&ask.request, kind) {
            (Request::Subscribe { .. }, Group::Subscription)
            | (Request::Register { .. }, Group::Registration) => {
                changes.extend(id.map(|id| (at, Change::Joined(conn, id, &ask.request))));
            }
            (Request::Unsubscribe { of }, Group::Subscription)
            | (Request::Unregister { of }, Group::Registration) => {
                let id = talk.asks.get(&(conn, *of)).and_then(Ask::granted).and_then(|(_, id)| id);
                changes.extend(id.map(|id| (at, Change::Left(conn, id))));
            }
            _ => {}
        }
    }
    let parts =
        talk.sessions.keys().filter_map(|conn| Some((super::going(talk, *conn)?.0, Change::Parts(*conn))));
    changes.extend(parts);
    for (_, at, notice) in &talk.noticed {
        if let (Watched::Removed(_), Some(id)) = (notice.what, notice.id) {
            changes.push((*at, Change::Gone(notice.session, id)));
        }
    }
    changes
}
