//! What is to be tested, and how: from the environment, from options, and from what was measured.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use crate::caps::Caps;
use crate::command;
use crate::driver::exec::Exec;
use crate::driver::{self, Driver, Target, TargetError};
use crate::exec::Timing;
use crate::launch::Launcher;
use crate::launch::{LaunchCommand, LaunchError, Launched, Wanted};
use crate::params::{Params, Patterns};
use crate::report::Implementation;
use crate::run::{Budget, Expectations, ExpectationsError, Pace, Session};
use crate::{Level, Requirements, check};

mod file;

pub use file::{NAME, TEMPLATE};
pub(crate) use file::{located, placed};

/// Settings of a run, each given or not. Those of a higher layer go [`Settings::over`] those of a lower one: the
/// `suite!` macro, then `conformance.toml`, then the environment, then the command line.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// `ws://HOST:PORT`.
    pub url: Option<String>,
    /// How the target is started, if it is to be.
    pub launch: Option<LaunchCommand>,
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
    /// By what a run fails: a MUST, or a SHOULD too; a MUST if not given.
    pub level: Option<Level>,
    /// The longest message, in bytes.
    pub max_message: Option<usize>,
    /// How long to listen at the end of each case, in milliseconds; not at all if not given.
    pub quiet_ms: Option<u64>,
    /// By what deadlines are multiplied.
    pub time_scale: Option<f64>,
    /// A file of expected failures.
    pub expectations: Option<PathBuf>,
    /// What reports say of the broker.
    pub implementation: Option<Implementation>,
}

/// Settings that cannot be used.
#[derive(Clone, Debug, thiserror::Error)]
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
    /// The broker cannot be started.
    #[error(transparent)]
    Launch(#[from] Arc<LaunchError>),
    /// A file that cannot be read; with its name and the line.
    #[error("{0}")]
    File(String),
    /// No such capability or profile.
    #[error("there is no {what} `{name}`; there are: {known}")]
    Name {
        /// `capability` or `profile`.
        what: &'static str,
        /// What was given.
        name: String,
        /// What may be.
        known: String,
    },
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
    gone: Arc<std::sync::OnceLock<String>>,
    /// Starts brokers for cases that need one of their own.
    pub launcher: Option<Arc<dyn Launcher>>,
}

impl Settings {
    /// From `CONFORMANCE_URL`, `_DRIVER`, `_COMMAND`, `_REALM`, `_BUDGET`, `_SEED`, `_PROFILE`, `_WITH`, `_WITHOUT` (names
    /// with blanks between them), `_MAX_MESSAGE`, `_QUIET_MS`, `_TIME_SCALE` and `_EXPECT`.
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
            launch: None,
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
            level: None,
            max_message: number("CONFORMANCE_MAX_MESSAGE", "a number of bytes")?,
            quiet_ms: number("CONFORMANCE_QUIET_MS", "a number of milliseconds")?,
            time_scale: number("CONFORMANCE_TIME_SCALE", "a factor such as 2.5")?,
            expectations: text("CONFORMANCE_EXPECT").map(PathBuf::from),
            implementation: None,
        })
    }

    /// From a file, or else from the [`NAME`] of a folder if it is there, or else nothing.
    ///
    /// # Errors
    /// It cannot be read, or does not parse: the text names the file and the line.
    pub fn from_file(path: Option<&Path>, folder: &Path) -> Result<Self, SettingsError> {
        let usual = folder.join(NAME);
        match path {
            Some(path) => file::read(path),
            None if usual.exists() => file::read(&usual),
            None => Ok(Self::default()),
        }
    }

    /// These, and what they do not say from lower ones. Where the target is comes from one layer: an address above goes
    /// before a command below.
    #[must_use]
    pub fn over(self, lower: Self) -> Self {
        let words = |upper: Vec<String>, lower| if upper.is_empty() { lower } else { upper };
        let is_placed = self.url.is_some() || self.launch.is_some();
        let (url, launch) = if is_placed { (self.url, self.launch) } else { (lower.url, lower.launch) };
        Self {
            url,
            launch,
            realm: self.realm.or(lower.realm),
            driver: self.driver.or(lower.driver),
            command: words(self.command, lower.command),
            budget: self.budget.or(lower.budget),
            seed: self.seed.or(lower.seed),
            profiles: words(self.profiles, lower.profiles),
            with: words(self.with, lower.with),
            without: words(self.without, lower.without),
            level: self.level.or(lower.level),
            max_message: self.max_message.or(lower.max_message),
            quiet_ms: self.quiet_ms.or(lower.quiet_ms),
            time_scale: self.time_scale.or(lower.time_scale),
            expectations: self.expectations.or(lower.expectations),
            implementation: self.implementation.or(lower.implementation),
        }
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
        let expectations = match &self.expectations {
            Some(path) => Expectations::read(path)?,
            None => Expectations::default(),
        };
        known("profile", &self.profiles, &profiles())?;
        let caps = caps(&*driver);
        self.with
            .iter()
            .chain(&self.without)
            .try_for_each(|name| known("capability", std::slice::from_ref(name), &caps))?;
        Ok(Setup {
            driver,
            budget,
            seed,
            expectations,
            launcher: self.launch.clone().map(|launch| Arc::new(launch) as Arc<dyn Launcher>),
            settings: self,
            gone: Arc::default(),
        })
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
        let quiet = Duration::from_millis(quiet_ms.unwrap_or(0));
        let slow = (Timing { deadline: Duration::from_secs(5), quiet }, Duration::from_secs(1));
        let (timing, hurried) = pace.map_or(slow, |pace| pace.timing(time_scale.unwrap_or(1.0), quiet));
        let launched = self.launcher.as_ref().map(|launcher| launcher.caps()).unwrap_or_default();
        let caps = self.caps(pace).changed(&[], &launched).changed(&self.settings.without, &[]);
        Session {
            driver: &*self.driver,
            target,
            profiles: if profiles.is_empty() { own } else { profiles.clone() },
            params: Params {
                max_message: max_message.unwrap_or_else(|| self.driver.max_message()),
                binary: caps.lacks(&["payload.binary"]).is_none(),
                patterns: Patterns::of(&caps),
            },
            caps,
            timing,
            hurried,
            budget: self.budget,
            seed: self.seed,
            list,
            expected: Some(&self.expectations),
            gone: Arc::clone(&self.gone),
            launcher: self.launcher.as_deref(),
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
        Ok(self.placed(Target::parse(url)?))
    }

    /// A target in the realm of the settings.
    pub fn placed(&self, target: Target) -> Target {
        match &self.settings.realm {
            Some(realm) => target.in_realm(realm.clone()),
            None => target,
        }
    }

    /// The address of the target, if it is not to be launched.
    pub fn url(&self) -> Option<&str> {
        self.settings.url.as_deref()
    }

    /// How the target is started, if the settings say so.
    pub fn launch(&self) -> Option<&LaunchCommand> {
        self.settings.launch.as_ref()
    }

    /// The address of the target, which is started if the settings say how and name none; None if they say nothing.
    ///
    /// # Errors
    /// It cannot be started.
    pub fn place(&self) -> Result<Option<(String, Option<Launched>)>, SettingsError> {
        match (&self.settings.url, &self.settings.launch) {
            (Some(url), _) => Ok(Some((url.clone(), None))),
            (None, Some(launch)) => {
                let launched = launch.start(&Wanted::default()).map_err(Arc::new)?;
                Ok(Some((launched.url.clone(), Some(launched))))
            }
            (None, None) => Ok(None),
        }
    }

    /// By what a run fails.
    pub fn level(&self) -> Level {
        self.settings.level.unwrap_or(Level::Must)
    }

    /// What reports say of the broker.
    pub fn implementation(&self) -> Option<&Implementation> {
        self.settings.implementation.as_ref()
    }

    /// The file of expected failures.
    pub fn expectations_file(&self) -> Option<&Path> {
        self.settings.expectations.as_deref()
    }
}

fn number<T: std::str::FromStr>(name: &'static str, want: &'static str) -> Result<Option<T>, SettingsError> {
    let Some(value) = std::env::var(name).ok().filter(|value| !value.is_empty()) else { return Ok(None) };
    value.parse().map(Some).map_err(|_| SettingsError::Variable { name, value, want })
}

/// The profiles that requirements are for.
fn profiles() -> Vec<String> {
    let list = Requirements::built_in();
    sorted(list.iter().flat_map(|requirement| requirement.profiles.clone()).collect())
}

/// The capabilities that requirements and checks ask for, and those that the driver names.
fn caps(driver: &dyn Driver) -> Vec<String> {
    let list = Requirements::built_in();
    let asked = list.iter().flat_map(|requirement| requirement.caps.clone());
    let needed =
        check::all().into_iter().flat_map(|check| check.card().caps.iter().map(|&cap| cap.to_owned()));
    let claimed = driver.claims();
    sorted(asked.chain(needed).chain(claimed.iter().map(str::to_owned)).collect())
}

fn sorted(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    names.dedup();
    names
}

fn known(what: &'static str, names: &[String], known: &[String]) -> Result<(), SettingsError> {
    match names.iter().find(|name| !known.contains(name)) {
        Some(name) => Err(SettingsError::Name { what, name: name.clone(), known: known.join(", ") }),
        None => Ok(()),
    }
}
