//! Registering and unregistering, and what the registration meta API asks.

use std::collections::BTreeSet;
use std::time::Duration;

use super::registrations::Registration;
use super::{CallFailure, Dealer, InvokePolicy, MatchPolicy, MemberId, Party, RegisterOptions};

/// What came of REGISTER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Registered {
    /// The id of the registration.
    pub id: u64,
    /// It is new (`wamp.registration.on_create`).
    pub created: bool,
    /// The callee is new in it (`wamp.registration.on_register`).
    pub joined: bool,
}

/// Why REGISTER was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RegisterError {
    /// There is one, and it takes a single callee.
    #[error(
        "another callee has registered this procedure for itself alone; choose another URI, or a shared `invoke` policy on both sides"
    )]
    AlreadyExists,
    /// There is one with another policy.
    #[error("this procedure is registered with another `invoke` policy; use the same one")]
    OtherPolicy,
    /// The callee has [`max_registrations`](super::DealerRules::max_registrations).
    #[error("you have too many registrations; unregister some, or register a pattern")]
    TooMany,
    /// The session has left.
    #[error("the session has ended; open a new one")]
    Gone,
}

impl RegisterError {
    /// The error URI (WAMP, Basic Profile URIs; the second one is what crossbar and others use, the specification
    /// names none).
    pub const fn uri(self) -> &'static str {
        match self {
            Self::AlreadyExists => "wamp.error.procedure_already_exists",
            Self::OtherPolicy => "wamp.error.procedure_exists_with_different_invocation_policy",
            Self::TooMany => super::party::UNAVAILABLE,
            Self::Gone => "wamp.error.canceled",
        }
    }
}

/// What came of UNREGISTER.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Unregistered {
    /// The registration is gone: this was its last callee (`wamp.registration.on_delete`).
    pub deleted: bool,
}

/// What came of revoking (WAMP, Registration Revocation).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revoked {
    /// Who is a callee no longer, in the order in which they registered.
    pub callees: Vec<MemberId>,
    /// The registration is gone.
    pub deleted: bool,
}

/// The registration does not exist, or the callee is not in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no such registration; use the id that REGISTERED gave")]
pub struct NoSuchRegistration;

impl NoSuchRegistration {
    /// The error URI.
    pub const fn uri(self) -> &'static str {
        "wamp.error.no_such_registration"
    }
}

/// The ids of all registrations, each list in ascending order (`wamp.registration.list`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RegistrationIds {
    /// Those of a URI as it stands.
    pub exact: Vec<u64>,
    /// Those of a prefix.
    pub prefix: Vec<u64>,
    /// Those with wildcards.
    pub wildcard: Vec<u64>,
}

/// A registration's details (`wamp.registration.get`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RegistrationView<'a> {
    /// Its id.
    pub id: u64,
    /// As its first callee gave it.
    pub created: Duration,
    /// How its URI is meant.
    pub matching: MatchPolicy,
    /// Who of several callees gets a call.
    pub invoke: InvokePolicy,
    /// The URI or pattern.
    pub uri: &'a str,
}

impl<P: Party> Dealer<P> {
    /// Registers a procedure; the party gets REGISTERED, and then what already waits for it.
    ///
    /// Whoever registers a shared procedure again keeps the place it has: it gets the same id, and its new
    /// `concurrency` and `forward_timeout` take the place of the old ones.
    pub fn register(
        &mut self,
        member: MemberId,
        request: u64,
        uri: &str,
        options: &RegisterOptions,
        batch: &mut P::Batch,
    ) -> Result<Registered, RegisterError> {
        let callee = self.members.get(member.0).ok_or(RegisterError::Gone)?;
        let known = self.patterns.get(options.matching, uri);
        if let Some(id) = known {
            match self.registrations[&id].invoke {
                InvokePolicy::Single => return Err(RegisterError::AlreadyExists),
                other if other != options.invoke => return Err(RegisterError::OtherPolicy),
                _ => {}
            }
        }
        let seated = known.is_some_and(|id| callee.registrations.contains_key(&id));
        if !seated && callee.registrations.len() >= self.rules.max_registrations {
            return Err(RegisterError::TooMany);
        }
        let id = known.unwrap_or_else(|| self.create(uri, options));
        self.seat(member, id, options);
        self.members[member.0].party.registered(request, id, batch);
        self.hand_out(id, batch);
        Ok(Registered { id, created: known.is_none(), joined: !seated })
    }

    fn create(&mut self, uri: &str, options: &RegisterOptions) -> u64 {
        self.last_registration += 1;
        let id = self.last_registration;
        self.patterns.insert(options.matching, uri, id);
        self.registrations.insert(id, Registration::new(uri, options));
        id
    }

    fn seat(&mut self, member: MemberId, id: u64, options: &RegisterOptions) {
        let most = self.rules.max_concurrency;
        let limit =
            options.concurrency.filter(|&wanted| wanted > 0).map_or(u64::MAX, |wanted| wanted.min(most));
        let registration = self.registrations.get_mut(&id).expect("it was found or created above");
        let seats = &mut self.members[member.0].registrations;
        match seats.get(&id) {
            Some(&number) => registration.reseat(number, limit, options.forward_timeout),
            None => drop(seats.insert(id, registration.join(member.0, limit, options.forward_timeout))),
        }
    }

    /// A callee serves a procedure no longer. What it works on it may still answer; what waits goes to others or, if
    /// there are none, ends with `wamp.error.no_such_procedure`.
    pub fn unregister(
        &mut self,
        member: MemberId,
        registration: u64,
        batch: &mut P::Batch,
    ) -> Result<Unregistered, NoSuchRegistration> {
        self.remove_callee(member.0, registration)?;
        self.settle(&BTreeSet::from([registration]), batch);
        Ok(Unregistered { deleted: !self.registrations.contains_key(&registration) })
    }

    /// Takes one callee, or all, out of a registration. Whoever asks tells them (UNREGISTERED with request 0, to
    /// those who have announced it).
    pub fn revoke(
        &mut self,
        registration: u64,
        callee: Option<MemberId>,
        batch: &mut P::Batch,
    ) -> Result<Revoked, NoSuchRegistration> {
        let callees = match callee {
            Some(callee) => vec![callee],
            None => self.callees(registration).ok_or(NoSuchRegistration)?,
        };
        for &callee in &callees {
            self.remove_callee(callee.0, registration)?;
        }
        self.settle(&BTreeSet::from([registration]), batch);
        Ok(Revoked { callees, deleted: !self.registrations.contains_key(&registration) })
    }

    fn remove_callee(&mut self, member: usize, registration: u64) -> Result<(), NoSuchRegistration> {
        let callee = self.members.get_mut(member).ok_or(NoSuchRegistration)?;
        let seat = callee.registrations.remove(&registration).ok_or(NoSuchRegistration)?;
        callee.abandoned.retain(|_, place| *place != (registration, seat));
        self.unseat(registration, seat);
        Ok(())
    }

    /// Takes a callee out of a registration, and nothing else; [`settle`](Self::settle) must follow.
    pub(super) fn unseat(&mut self, registration: u64, seat: u64) {
        if let Some(registration) = self.registrations.get_mut(&registration) {
            registration.leave(seat);
        }
    }

    /// Deletes those of the registrations that have no callee left, ends the calls that nobody can take any more,
    /// and hands out what there is room for.
    pub(super) fn settle(&mut self, touched: &BTreeSet<u64>, batch: &mut P::Batch) {
        for &id in touched {
            let Some(registration) = self.registrations.get(&id) else { continue };
            if registration.seats().is_empty() {
                self.delete(id, batch);
            } else {
                self.end_hopeless(id, batch);
            }
        }
        self.hand_out_all(touched.iter().copied(), batch);
    }

    fn delete(&mut self, id: u64, batch: &mut P::Batch) {
        for key in self.registrations[&id].all_waiting() {
            let call = self.remove_call(key);
            let untried = call.tried.is_empty();
            let failure = if untried { CallFailure::NoSuchProcedure } else { call.why_hopeless() };
            self.send_failure(&call, failure, batch);
        }
        if let Some(registration) = self.registrations.remove(&id) {
            self.patterns.remove(registration.matching, &registration.uri);
        }
    }

    fn end_hopeless(&mut self, id: u64, batch: &mut P::Batch) {
        for key in self.registrations[&id].all_choosy() {
            if !self.has_hope(key) {
                let call = self.remove_call(key);
                self.send_failure(&call, call.why_hopeless(), batch);
            }
        }
    }

    /// The ids of all registrations.
    pub fn list(&self) -> RegistrationIds {
        let mut ids = RegistrationIds::default();
        for (&id, registration) in &self.registrations {
            match registration.matching {
                MatchPolicy::Exact => ids.exact.push(id),
                MatchPolicy::Prefix => ids.prefix.push(id),
                MatchPolicy::Wildcard => ids.wildcard.push(id),
            }
        }
        for list in [&mut ids.exact, &mut ids.prefix, &mut ids.wildcard] {
            list.sort_unstable();
        }
        ids
    }

    /// The registration of just this URI or pattern (`wamp.registration.lookup`).
    pub fn lookup(&self, uri: &str, matching: MatchPolicy) -> Option<u64> {
        self.patterns.get(matching, uri)
    }

    /// The registration that a call of this URI would reach (`wamp.registration.match`).
    pub fn best_match(&self, uri: &str) -> Option<u64> {
        self.patterns.best(uri)
    }

    /// A registration's details.
    pub fn registration(&self, id: u64) -> Option<RegistrationView<'_>> {
        let Registration { created, matching, invoke, uri, .. } = self.registrations.get(&id)?;
        Some(RegistrationView { id, created: *created, matching: *matching, invoke: *invoke, uri })
    }

    /// The callees of a registration, in the order in which they registered (`wamp.registration.list_callees`).
    pub fn callees(&self, id: u64) -> Option<Vec<MemberId>> {
        let seats = self.registrations.get(&id)?.seats();
        Some(seats.iter().map(|seat| MemberId(seat.member)).collect())
    }

    /// The registrations of one callee, in the order of their ids.
    pub fn registrations_of(&self, member: MemberId) -> Vec<u64> {
        self.members.get(member.0).map_or_else(Vec::new, |m| m.registrations.keys().copied().collect())
    }

    /// How many callees a registration has (`wamp.registration.count_callees`).
    pub fn count_callees(&self, id: u64) -> Option<usize> {
        Some(self.registrations.get(&id)?.seats().len())
    }
}
