//! The modes `paced` and `closed`, and what the other modes take from them.

use crate::arguments::Traffic;
use crate::drive::Run;
use crate::error::LoadError;
use crate::lineup::Lineup;
use crate::pace::{Pace, Rate, Window};
use crate::report::Report;

/// How a run is paced, before it has begun.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Pacing {
    /// Messages a second.
    Rate(f64),
    /// Messages in flight per publisher.
    Window(usize),
}

impl Pacing {
    /// The pace of `lineup`, beginning now.
    pub(crate) fn begin(self, lineup: &Lineup) -> Result<Pace, LoadError> {
        let publishers = lineup.publishers.len();
        match self {
            Self::Rate(rate) if rate > 0.0 && rate.is_finite() => Ok(Pace::Rate(Rate::new(rate, publishers))),
            Self::Window(slots) if slots > 0 => {
                let audiences: Vec<_> =
                    (0..publishers).map(|publisher| lineup.judge.audience_of(publisher)).collect();
                Ok(Pace::Window(Window::new(slots, &audiences)))
            }
            _ => Err(LoadError::Options("--rate and --window must be above 0")),
        }
    }
}

/// Connects, runs and reports.
pub(crate) fn run(traffic: &Traffic, pacing: Pacing) -> Result<Report, LoadError> {
    let lineup = Lineup::connect(traffic)?;
    let pace = pacing.begin(&lineup)?;
    Run::new(lineup, pace, traffic).measure(traffic, |_| Ok(true))
}
