//! Whether a broker has what is claimed of it, and has not what is not: a few cases of each check, whatever it needs.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::{Budget, Session, Verdict};
use crate::caps::Caps;
use crate::check::Check;
use crate::params::{Params, Patterns};

/// What a few cases say of a capability.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Honesty {
    /// Claimed, and some check of it passes.
    Kept,
    /// Not claimed, and it does not work.
    Rightly,
    /// Not claimed, and yet each check that needs it passes: it could be.
    Modest,
    /// Claimed, and each check of it fails.
    Boasted,
}

const PROBE: Budget = Budget {
    cases: 4,
    per_check: Duration::from_secs(4),
    shrink_runs: 0,
    shrink_time: Duration::ZERO,
    repeats: 0,
    classics: false,
    enough: 1,
};

impl Session<'_> {
    /// Probes each capability that one of these checks needs. What could not be tried is left out.
    pub async fn honesty(&self, checks: &[Box<dyn Check>]) -> BTreeMap<&'static str, Honesty> {
        let mut found = BTreeMap::new();
        for check in checks {
            let card = check.card();
            let missing: Vec<&'static str> =
                card.caps.iter().copied().filter(|cap| self.caps.lacks(&[cap]).is_some()).collect();
            let works = match (&*missing, card.caps) {
                // With two that are missing nothing could be said of either.
                ([_, _, ..], _) | (_, []) => None,
                _ => self.works(&**check, &missing).await,
            };
            let Some(works) = works else { continue };
            // The last one named is what the check is about; the others are what it stands on.
            let Some(about) = missing.first().or(card.caps.last()).copied() else { continue };
            let grade = match (missing.is_empty(), works) {
                (true, true) => Honesty::Kept,
                (true, false) => Honesty::Boasted,
                (false, true) => Honesty::Modest,
                (false, false) => Honesty::Rightly,
            };
            found.entry(about).and_modify(|known| *known = worse(*known, grade)).or_insert(grade);
        }
        found
    }

    /// Whether a few cases of a check pass when these are claimed too; None if none of them could be tried.
    async fn works(&self, check: &dyn Check, also: &[&'static str]) -> Option<bool> {
        let also: Vec<String> = also.iter().map(|&cap| cap.to_owned()).collect();
        let caps: Caps = self.caps.clone().changed(&[], &also);
        let params = Params {
            binary: caps.lacks(&["payload.binary"]).is_none(),
            patterns: Patterns::of(&caps),
            ..self.params
        };
        let session = Session {
            caps,
            params,
            budget: PROBE,
            profiles: self.profiles.clone(),
            gone: Arc::clone(&self.gone),
            ..*self
        };
        let result = session.check(check).await;
        let is_tried = result.counts.runs > 0 && result.verdict != Verdict::Inconclusive;
        is_tried.then_some(matches!(result.verdict, Verdict::Pass | Verdict::Info | Verdict::NonStrict))
    }
}

/// Of two checks of one capability: what is claimed is absent if nothing of it works, and what is not claimed is there if
/// all of it works.
fn worse(one: Honesty, other: Honesty) -> Honesty {
    match (one, other) {
        (Honesty::Modest, Honesty::Rightly) | (Honesty::Rightly, Honesty::Modest) => Honesty::Rightly,
        (Honesty::Kept, Honesty::Boasted) | (Honesty::Boasted, Honesty::Kept) => Honesty::Kept,
        _ => one.max(other),
    }
}
