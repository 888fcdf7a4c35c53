//! F0 and F5: what reached nobody, or several; and what somebody who went without a word can have taken along.

use super::{Job, Ring, is_ordered, numbers};
use crate::check::Violation;
use crate::check::ledger::Member;

impl Ring<'_> {
    /// F0.
    pub(super) fn exactly_one(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        for job in &self.jobs {
            let what = format!("message {} of {} at {}", job.number, job.pusher.0, self.topic);
            match job.takers.len() {
                0 if self.has_lasting(job) && !self.may_have_died(job) => {
                    let text = format!("{what} reached nobody, though {:?} pulled", numbers(&job.ready));
                    violations.push(Violation::liveness(job.lost_rule, text));
                }
                0 | 1 => {}
                _ => {
                    let text = format!("{what} reached {:?}", numbers(&job.takers));
                    violations.push(Violation::safety("REQ-RR-002", text));
                }
            }
        }
        violations.extend(self.too_many_lost());
        violations
    }

    /// Whether somebody pulled who stayed: what was not yet written to a leaver goes to the others (REQ-RR-011), if
    /// there are any.
    fn has_lasting(&self, job: &Job) -> bool {
        let lasts = |puller: &&&Member| job.ready.contains(&puller.conn) && puller.leaving.is_none();
        self.pullers.iter().any(|puller| lasts(&puller))
    }

    /// F5: whether it may have been written to somebody who went without a word. No event says when the broker noticed;
    /// where turns are strict, the turns of the others do.
    fn may_have_died(&self, job: &Job) -> bool {
        let was_there = |puller: &Member| puller.opening < job.consumed.unwrap_or(usize::MAX);
        self.vanished().any(|(puller, at)| was_there(puller) && !self.was_noticed(at, job))
    }

    /// F5, counted: between two turns of somebody who went, with strict turns, each of the others had one. So of `m` messages
    /// each who went can have taken one in `n + 1`, where `n` others pulled.
    fn too_many_lost(&self) -> Vec<Violation> {
        let mut violations = Vec::new();
        for jobs in self.windows().into_iter().filter(|jobs| self.is_strict && is_ordered(jobs)) {
            let lost = jobs.iter().filter(|job| job.takers.is_empty() && self.has_lasting(job)).count();
            let went = self.vanished().filter(|(_, at)| !self.was_noticed(*at, jobs[0])).count();
            let most = went * jobs.len().div_ceil(jobs[0].ready.len() + 1);
            // Without somebody who went each loss is told by itself.
            if went > 0 && lost > most {
                let text = format!(
                    "{lost} of {} messages at {} reached nobody, though {:?} pulled: who went without a word can have taken {most}",
                    jobs.len(),
                    self.topic,
                    numbers(&jobs[0].ready)
                );
                violations.push(Violation::liveness(jobs[0].lost_rule, text));
            }
        }
        violations
    }
}
