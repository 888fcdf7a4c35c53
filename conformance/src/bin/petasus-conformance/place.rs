//! The broker that a command speaks to: one that runs, or one that is started for it.

use petasus_conformance::driver::Target;
use petasus_conformance::front;
use petasus_conformance::launch::Launched;
use petasus_conformance::run::{Pace, PaceError};
use petasus_conformance::settings::Setup;

/// Where it is. It ends with this value if it was started.
pub(crate) struct Place {
    pub(crate) url: String,
    pub(crate) target: Target,
    _launched: Option<Launched>,
}

impl Place {
    /// The broker of the settings.
    pub(crate) fn of(setup: &Setup) -> Result<Self, String> {
        let placed = setup.place().map_err(|error| error.to_string())?;
        let (url, launched) = placed.ok_or(
            "no broker is named: give --url ws://HOST:PORT, or `url` or [target.launch] in conformance.toml",
        )?;
        let target = setup.target(&url).map_err(|error| error.to_string())?;
        Ok(Self { url, target, _launched: launched })
    }

    /// How fast it is.
    pub(crate) fn pace(&self, setup: &Setup) -> Result<Pace, PaceError> {
        front::run(Pace::measure(&*setup.driver, &self.target, setup.patterns()))
    }
}
