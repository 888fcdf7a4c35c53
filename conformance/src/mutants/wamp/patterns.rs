//! Which registration a call is for: the exact one, then the longest prefix, then the best wildcard.

use super::Defect;
use super::dealer::{Dealer, Registration};

impl Dealer {
    /// The place of the registration that takes calls of this procedure.
    pub(super) fn best(&self, procedure: &str, defect: Option<Defect>) -> Option<usize> {
        let places = || self.registrations.iter().enumerate().filter(|(_, known)| known.takes(procedure));
        if defect == Some(Defect::OldestPattern) {
            return places().next().map(|(place, _)| place);
        }
        let rank = |known: &Registration| match known.matching.as_str() {
            "exact" => (2, Vec::new()),
            "prefix" if defect == Some(Defect::ShortPrefix) => (1, vec![usize::MAX - known.procedure.len()]),
            "prefix" => (1, vec![known.procedure.len()]),
            _ if defect == Some(Defect::AnyWildcard) => (0, Vec::new()),
            _ => (0, runs(&known.procedure)),
        };
        places().max_by_key(|(_, known)| rank(known)).map(|(place, _)| place)
    }
}

impl Registration {
    fn takes(&self, procedure: &str) -> bool {
        match self.matching.as_str() {
            "prefix" => procedure.starts_with(&self.procedure),
            "wildcard" => {
                let (wanted, is): (Vec<_>, Vec<_>) =
                    (self.procedure.split('.').collect(), procedure.split('.').collect());
                wanted.len() == is.len()
                    && wanted.iter().zip(is).all(|(wanted, is)| wanted.is_empty() || *wanted == is)
            }
            _ => self.procedure == procedure,
        }
    }
}

/// How many components stand before each gap, and behind the last.
fn runs(pattern: &str) -> Vec<usize> {
    let mut runs = vec![0];
    for component in pattern.split('.') {
        match runs.last_mut() {
            Some(last) if !component.is_empty() => *last += 1,
            _ => runs.push(0),
        }
    }
    runs
}
