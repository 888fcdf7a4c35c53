//! How checks are graded, and what a program says with its exit status.

use serde::{Deserialize, Serialize};

use super::{CheckResult, Finding};
use crate::Level;
use crate::check::Nature;

/// How a check is graded. In order of how much it says about the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// The broker does not claim what it needs.
    Unsupported,
    /// Nothing is broken.
    Pass,
    /// A MAY, or behaviour that is only recorded.
    Info,
    /// A failure that was expected, with a reason.
    Known,
    /// A SHOULD is broken.
    NonStrict,
    /// It could not be found out.
    Inconclusive,
    /// A failure was expected, and did not happen: the expectation is out of date.
    Stale,
    /// A MUST is broken.
    Fail,
}

impl Verdict {
    /// As reports write it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unsupported => "unsupported",
            Self::Pass => "pass",
            Self::Info => "info",
            Self::Known => "known",
            Self::NonStrict => "non-strict",
            Self::Inconclusive => "inconclusive",
            Self::Stale => "stale",
            Self::Fail => "fail",
        }
    }

    /// The exit status for all verdicts of a run: 0 conformant, 1 a failure or an expectation out of date, 3 nothing
    /// worse than inconclusive, 4 nothing was tried. A broken SHOULD is a failure if `level` says so.
    pub fn exit_status(verdicts: impl IntoIterator<Item = Self>, level: Level) -> u8 {
        let (mut worst, mut is_loose) = (None, false);
        for verdict in verdicts {
            is_loose |= verdict == Self::NonStrict && level == Level::Should;
            worst = worst.max(Some(verdict));
        }
        match worst {
            _ if is_loose => 1,
            None | Some(Self::Unsupported) => 4,
            Some(Self::Fail | Self::Stale) => 1,
            Some(Self::Inconclusive) => 3,
            Some(Self::Pass | Self::Info | Self::Known | Self::NonStrict) => 0,
        }
    }
}

impl Finding {
    /// How this finding alone is graded.
    pub fn verdict(&self) -> Verdict {
        match (self.level, self.violation.nature, self.reproduced) {
            (Level::Must | Level::Should, ..) if self.is_expected => Verdict::Known,
            (Level::May, ..) => Verdict::Info,
            (_, Nature::Liveness, (0, 1..)) => Verdict::Inconclusive,
            (Level::Should, ..) => Verdict::NonStrict,
            (Level::Must, ..) => Verdict::Fail,
        }
    }
}

/// The worst of its findings; what stopped it early leaves it open otherwise.
pub(super) fn of_check(result: &CheckResult) -> Verdict {
    let worst = result.findings.iter().map(Finding::verdict).max();
    let open = result.reason.as_ref().map(|_| Verdict::Inconclusive);
    worst.max(open).unwrap_or(Verdict::Pass)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_status_says_the_worst() {
        let status = |verdicts: &[Verdict]| Verdict::exit_status(verdicts.iter().copied(), Level::Must);
        assert_eq!(status(&[]), 4);
        assert_eq!(status(&[Verdict::Unsupported, Verdict::Unsupported]), 4);
        assert_eq!(status(&[Verdict::Pass, Verdict::Unsupported, Verdict::Known, Verdict::NonStrict]), 0);
        assert_eq!(status(&[Verdict::Pass, Verdict::Inconclusive]), 3);
        assert_eq!(status(&[Verdict::Inconclusive, Verdict::Fail]), 1);
        assert_eq!(status(&[Verdict::Stale, Verdict::Pass]), 1);
        let loose = [Verdict::Inconclusive, Verdict::NonStrict];
        assert_eq!(Verdict::exit_status(loose, Level::Should), 1);
        assert_eq!(Verdict::exit_status(loose, Level::Must), 3);
    }
}
