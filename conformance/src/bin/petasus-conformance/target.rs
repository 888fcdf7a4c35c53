//! The options that name a broker.

use std::path::{Path, PathBuf};

use petasus_conformance::command;
use petasus_conformance::settings::{Settings, SettingsError, Setup};

/// Which broker, and what is known of it. What is not given comes from the environment, then from conformance.toml.
#[derive(clap::Args)]
pub(crate) struct TargetArgs {
    /// The broker: ws://HOST:PORT; `mem:` is Petasus itself in memory, in programs that were built with it.
    #[arg(long)]
    url: Option<String>,
    /// The dialect it speaks; mercury if nothing says otherwise.
    #[arg(long)]
    driver: Option<String>,
    /// How to start an adapter, which speaks to the broker for the driver `exec`: see EXEC.md.
    #[arg(long)]
    command: Option<String>,
    /// The realm that is joined, in dialects that have such; `realm1` if nothing says otherwise.
    #[arg(long)]
    realm: Option<String>,
    /// A file of settings, in place of conformance.toml in this folder.
    #[arg(long, env = "CONFORMANCE_CONFIG")]
    config: Option<PathBuf>,
    /// By what to judge it, in place of the dialect's own profiles; repeatable.
    #[arg(long)]
    profile: Vec<String>,
    /// What it has beyond its dialect, such as pushpull.hold; repeatable.
    #[arg(long)]
    with: Vec<String>,
    /// What it lacks, such as payload.binary; repeatable.
    #[arg(long)]
    without: Vec<String>,
    /// The longest message that it takes, in bytes.
    #[arg(long)]
    max_message: Option<usize>,
    /// How long to listen at the end of each case, in milliseconds: for brokers that hand messages on in the background.
    #[arg(long)]
    quiet_ms: Option<u64>,
    /// By what all deadlines are multiplied.
    #[arg(long)]
    time_scale: Option<f64>,
}

impl TargetArgs {
    /// Looks everything up. `own` is what a command says besides.
    pub(crate) fn setup(self, own: Settings) -> Result<Setup, String> {
        self.settings(own).and_then(Settings::parse).map_err(|error| error.to_string())
    }

    fn settings(self, own: Settings) -> Result<Settings, SettingsError> {
        let words = |line: String| command::words(&line).ok_or(SettingsError::Words(line));
        let file = Settings::from_file(self.config.as_deref(), Path::new(""))?;
        let given = Settings {
            url: self.url,
            driver: self.driver,
            realm: self.realm,
            command: self.command.map(words).transpose()?.unwrap_or_default(),
            profiles: self.profile,
            with: self.with,
            without: self.without,
            max_message: self.max_message,
            quiet_ms: self.quiet_ms,
            time_scale: self.time_scale,
            ..own
        };
        Ok(given.over(Settings::from_env()?).over(file))
    }
}
