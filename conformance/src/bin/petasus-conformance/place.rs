//! The broker that a command speaks to: one that runs, one that is started for it, or our own in memory.

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
    /// Of a broker in memory: its run time, which has the clock.
    runtime: Option<tokio::runtime::Runtime>,
}

impl Place {
    /// The broker of the settings.
    pub(crate) fn of(setup: &mut Setup) -> Result<Self, String> {
        if setup.url().is_some_and(|url| url.starts_with("mem:")) {
            return Self::in_memory(setup);
        }
        let placed = setup.place().map_err(|error| error.to_string())?;
        let (url, launched) = placed.ok_or(
            "no broker is named: give --url ws://HOST:PORT, or `url` or [target.launch] in conformance.toml",
        )?;
        let target = setup.target(&url).map_err(|error| error.to_string())?;
        Ok(Self { url, target, _launched: launched, runtime: None })
    }

    #[cfg(feature = "mem")]
    fn in_memory(setup: &mut Setup) -> Result<Self, String> {
        use petasus_conformance::launch::Wanted;
        use petasus_conformance::mem::{Starter, URL, runtime};
        let starter = Starter::of(&*setup.driver);
        let broker = starter.start(&Wanted::default()).map_err(|error| error.to_string())?;
        let target = setup.placed(broker.target());
        setup.launcher = Some(std::sync::Arc::new(starter));
        let runtime = Some(runtime(setup.seed));
        Ok(Self { url: URL.to_owned(), target, _launched: None, runtime })
    }

    #[cfg(not(feature = "mem"))]
    fn in_memory(_: &mut Setup) -> Result<Self, String> {
        Err("this program was built without Petasus' own broker: build it with --features mem".to_owned())
    }

    /// How fast it is.
    pub(crate) fn pace(&self, setup: &Setup) -> Result<Pace, PaceError> {
        self.run(Pace::measure(&*setup.driver, &self.target, setup.patterns()))
    }

    /// Runs something to its end where the target is.
    pub(crate) fn run<T>(&self, work: impl Future<Output = T>) -> T {
        match &self.runtime {
            Some(runtime) => runtime.block_on(work),
            None => front::run(work),
        }
    }
}
