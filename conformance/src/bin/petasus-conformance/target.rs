//! The options that name a broker.

use std::path::PathBuf;

use petasus_conformance::command;
use petasus_conformance::settings::{Settings, SettingsError, Setup};

/// Which broker, and what is known of it.
#[derive(clap::Args)]
pub(crate) struct TargetArgs {
    /// The broker: ws://HOST:PORT.
    #[arg(long, env = "CONFORMANCE_URL")]
    pub(crate) url: String,
    /// The dialect it speaks.
    #[arg(long, env = "CONFORMANCE_DRIVER", default_value = "mercury")]
    driver: String,
    /// How to start an adapter, which speaks to the broker for the driver `exec`: see EXEC.md.
    #[arg(long, env = "CONFORMANCE_COMMAND")]
    command: Option<String>,
    /// The realm that is joined, in dialects that have such; `realm1` if not given.
    #[arg(long, env = "CONFORMANCE_REALM")]
    realm: Option<String>,
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
    #[arg(long, default_value_t = 0)]
    quiet_ms: u64,
    /// By what all deadlines are multiplied.
    #[arg(long, env = "CONFORMANCE_TIME_SCALE")]
    time_scale: Option<f64>,
}

impl TargetArgs {
    /// Looks everything up. `budget`, `seed` and the file of expectations are those of commands that run checks.
    pub(crate) fn setup(
        self,
        budget: Option<String>,
        seed: Option<u64>,
        expect: Option<PathBuf>,
    ) -> Result<Setup, String> {
        let read = |path: PathBuf| {
            std::fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))
        };
        let settings = Settings {
            url: Some(self.url),
            driver: Some(self.driver),
            command: self.command.map(words).transpose()?.unwrap_or_default(),
            realm: self.realm,
            budget,
            seed,
            profiles: self.profile,
            with: self.with,
            without: self.without,
            max_message: self.max_message,
            quiet_ms: self.quiet_ms,
            time_scale: self.time_scale,
            expectations: expect.map(read).transpose()?,
        };
        settings.parse().map_err(|error| error.to_string())
    }
}

fn words(line: String) -> Result<Vec<String>, String> {
    command::words(&line).ok_or_else(|| SettingsError::Words(line).to_string())
}
