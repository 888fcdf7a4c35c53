//! What is to be tested, and how: from the environment, from options, and from what was measured.

use std::time::Duration;

use crate::Requirements;
use crate::caps::Caps;
use crate::command;
use crate::driver::exec::Exec;
use crate::driver::{self, Driver, Target, TargetError};
use crate::exec::Timing;
use crate::params::{Params, Patterns};
use crate::run::{Budget, Expectations, ExpectationsError, Pace, Session};

/// Settings of a run. Without a URL our own broker is launched.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `ws://HOST:PORT`.
    pub url: Option<String>,
    /// The realm, in dialects that have such; `realm1` if not given.
    pub realm: Option<String>,
    /// The dialect; `mercury` if not given.
    pub driver: Option<String>,
    /// How to start the adapter of the driver `exec`, as words.
    pub command: Vec<String>,
    /// `quick`, `default` or `soak`; `quick` if not given.
    pub budget: Option<String>,
    /// Where generators begin; drawn at random if not given.
    pub seed: Option<u64>,
    /// By what to judge, in place of the driver's profiles.
    pub profiles: Vec<String>,
    /// What the target has besides what its dialect has.
    pub with: Vec<String>,
    /// What it has not.
    pub without: Vec<String>,
    /// The longest message, in bytes.
    pub max_message: Option<usize>,
    /// How long to listen at the end of each case, in milliseconds.
    pub quiet_ms: u64,
    /// By what deadlines are multiplied.
    pub time_scale: Option<f64>,
    /// The text of a file of expected failures.
    pub expectations: Option<String>,
}

/// Settings that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// No such driver.
    #[error("there is no driver `{0}`; there are: {list}", list = driver::NAMES.join(", "))]
    Driver(String),
    /// The driver `exec` without a command.
    #[error("the driver `exec` needs the command of an adapter, such as --command \"python3 adapter.py\"")]
    Command,
    /// A command line that is none.
    #[error("`{0}` is no command: it is empty, or a quote is not closed")]
    Words(String),
    /// No such budget.
    #[error("there is no budget `{0}`; there are: quick, default, soak")]
    Budget(String),
    /// No address.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// No expectations.
    #[error(transparent)]
    Expectations(#[from] ExpectationsError),
    /// A variable of the environment that is none.
    #[error("{name} is `{value}`: {want}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// What it says.
        value: String,
        /// What it may say.
        want: &'static str,
    },
}

/// Settings, parsed.
pub struct Setup {
    /// Speaks to the target.
    pub driver: Box<dyn Driver>,
    /// How much to do.
    pub budget: Budget,
    /// Where generators begin.
    pub seed: u64,
    /// What is expected to fail.
    pub expectations: Expectations,
    settings: Settings,
}

impl Settings {
    /// From `CONFORMANCE_URL`, `_DRIVER`, `_COMMAND`, `_REALM`, `_BUDGET`, `_SEED`, `_PROFILE`, `_WITH`, `_WITHOUT` (names with blanks between
    /// them), `_MAX_MESSAGE`, `_QUIET_MS` and `_TIME_SCALE`.
    ///
    /// # Errors
    /// A number is none.
    pub fn from_env() -> Result<Self, SettingsError> {
        let text = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let words = |name: &str| -> Vec<String> {
            text(name).unwrap_or_default().split_whitespace().map(str::to_owned).collect()
        };
        Ok(Self {
            url: text("CONFORMANCE_URL"),
            driver: text("CONFORMANCE_DRIVER"),
            command: match text("CONFORMANCE_COMMAND") {
                Some(line) => command::words(&line).ok_or(SettingsError::Words(line))?,
                None => Vec::new(),
            },
            realm: text("CONFORMANCE_REALM"),
            budget: text("CONFORMANCE_BUDGET"),
            seed: number("CONFORMANCE_SEED", "a whole number")?,
            profiles: words("CONFORMANCE_PROFILE"),
            with: words("CONFORMANCE_WITH"),
            without: words("CONFORMANCE_WITHOUT"),
            max_message: number("CONFORMANCE_MAX_MESSAGE", "a number of bytes")?,
            quiet_ms: number("CONFORMANCE_QUIET_MS", "a number of milliseconds")?.unwrap_or(0),
            time_scale: number("CONFORMANCE_TIME_SCALE", "a factor such as 2.5")?,
            expectations: None,
        })
    }

    /// Looks everything up.
    ///
    /// # Errors
    /// Something is unknown.
    pub fn parse(self) -> Result<Setup, SettingsError> {
        let name = self.driver.as_deref().unwrap_or("mercury");
        let driver = match (name, &*self.command) {
            ("exec", []) => return Err(SettingsError::Command),
            ("exec", [program, arguments @ ..]) => {
                Box::new(Exec::start(std::process::Command::new(program).args(arguments)))
            }
            (name, _) => driver::named(name).ok_or_else(|| SettingsError::Driver(name.to_owned()))?,
        };
        let name = self.budget.as_deref().unwrap_or("quick");
        let budget = Budget::named(name).ok_or_else(|| SettingsError::Budget(name.to_owned()))?;
        let seed = self.seed.unwrap_or_else(|| fastrand::u64(..1_000_000_000));
        let expectations = Expectations::parse(self.expectations.as_deref().unwrap_or_default())?;
        Ok(Setup { driver, budget, seed, expectations, settings: self })
    }
}

impl Setup {
    /// A session for a target that was measured; without a measurement, with deadlines for a slow one.
    pub fn session<'a>(
        &'a self,
        target: &'a Target,
        list: &'a Requirements,
        pace: Option<&Pace>,
    ) -> Session<'a> {
        let Settings { profiles, max_message, quiet_ms, time_scale, .. } = &self.settings;
        let own = self.driver.profiles();
        let quiet = Duration::from_millis(*quiet_ms);
        let slow = (Timing { deadline: Duration::from_secs(5), quiet }, Duration::from_secs(1));
        let (timing, hurried) = pace.map_or(slow, |pace| pace.timing(time_scale.unwrap_or(1.0), quiet));
        let caps = self.caps(pace);
        Session {
            driver: &*self.driver,
            target,
            profiles: if profiles.is_empty() { own } else { profiles.clone() },
            params: Params {
                max_message: max_message.unwrap_or(Params::default().max_message),
                binary: caps.lacks(&["payload.binary"]).is_none(),
                patterns: Patterns::of(&caps),
            },
            caps,
            timing,
            hurried,
            budget: self.budget,
            seed: self.seed,
            list,
        }
    }

    /// What the target has: what its dialect has by definition, and what it said itself, changed by the settings.
    pub fn caps(&self, pace: Option<&Pace>) -> Caps {
        let told: Vec<String> =
            pace.map(|pace| pace.told.iter().map(str::to_owned).collect()).unwrap_or_default();
        let Settings { with, without, .. } = &self.settings;
        self.driver.claims().changed(&[], &told).changed(without, with)
    }

    /// The patterns that its dialect has, changed by the settings.
    pub fn patterns(&self) -> Patterns {
        Patterns::of(&self.caps(None))
    }

    /// The target at an address, in the realm of the settings.
    ///
    /// # Errors
    /// It is no address.
    pub fn target(&self, url: &str) -> Result<Target, TargetError> {
        let target = Target::parse(url)?;
        Ok(match &self.settings.realm {
            Some(realm) => target.in_realm(realm.clone()),
            None => target,
        })
    }

    /// The address of the target, if it is not to be launched.
    pub fn url(&self) -> Option<&str> {
        self.settings.url.as_deref()
    }
}

fn number<T: std::str::FromStr>(name: &'static str, want: &'static str) -> Result<Option<T>, SettingsError> {
    let Some(value) = std::env::var(name).ok().filter(|value| !value.is_empty()) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| SettingsError::Variable { name, value, want })
}
