//! Smaller scripts that break the same, and how often they do.

use std::time::Instant;

use serde_json::Value;

use super::{Work, patient};
use crate::check::{Shrink, Violation};
use crate::exec::Timing;
use crate::history::History;

impl Work<'_> {
    /// The smallest script found that breaks the requirement, and its history. None if shrinking is off, or if nothing
    /// smaller breaks it.
    pub(super) async fn minimal(
        &mut self,
        tree: &mut dyn Shrink,
        violation: &Violation,
        timing: Timing,
    ) -> Option<(Value, History)> {
        let budget = self.session.budget;
        let hurried = Timing { deadline: self.session.hurried, ..timing };
        let (began, mut runs) = (Instant::now(), 0);
        let mut best = None;
        let mut goes_on = budget.shrink_runs > 0 && tree.simplify();
        while goes_on && runs < budget.shrink_runs && began.elapsed() < budget.shrink_time {
            runs += 1;
            let script = tree.script();
            goes_on = match self.breaks(&script, violation.requirement, hurried).await {
                Some(history) => {
                    best = Some((script, history));
                    tree.simplify()
                }
                None => tree.complicate(),
            };
        }
        best
    }

    /// How often a script breaks the requirement again, in fresh namespaces and with more time.
    pub(super) async fn repeat(
        &mut self,
        script: &Value,
        violation: &Violation,
        timing: Timing,
    ) -> (u32, u32) {
        let most = self.session.budget.repeats;
        let repeats = if self.expects(violation) { most.min(1) } else { most };
        let timing = patient(timing, violation.nature);
        let mut broke = 0;
        for _ in 0..repeats {
            broke += u32::from(self.breaks(script, violation.requirement, timing).await.is_some());
        }
        (broke, repeats)
    }

    async fn breaks(&mut self, script: &Value, requirement: &str, timing: Timing) -> Option<History> {
        let history = self.run(script, timing).await.ok()?.history;
        let violations = self.check.judge(&history);
        violations.iter().any(|violation| violation.requirement == requirement).then_some(history)
    }
}
