//! `conformance.toml`: what is tested and how, kept beside the code of a broker.

use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use super::{Settings, SettingsError};
use crate::Level;
use crate::launch::{LaunchCommand, Ready};
use crate::report::Implementation;

/// The name that is looked for.
pub const NAME: &str = "conformance.toml";

/// A file with comments to fill in: what `petasus-conformance init` writes.
pub const TEMPLATE: &str = include_str!("conformance.toml");

/// The major version of the list of requirements that files are written for.
const SPEC: &str = "1";

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct File {
    #[serde(deserialize_with = "spec")]
    spec: (),
    implementation: Option<Implementation>,
    target: Target,
    profile: Profile,
    params: Params,
    timing: Timing,
    expect: Expect,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Target {
    driver: Option<String>,
    realm: Option<String>,
    url: Option<String>,
    adapter: Vec<String>,
    launch: Option<Launch>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Launch {
    command: Vec<String>,
    #[serde(default, deserialize_with = "ready")]
    ready: Option<Ready>,
    template: Option<PathBuf>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Profile {
    names: Vec<String>,
    with: Vec<String>,
    without: Vec<String>,
    #[serde(deserialize_with = "level")]
    level: Option<Level>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Params {
    max_message: Option<usize>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Timing {
    time_scale: Option<f64>,
    quiet_ms: Option<u64>,
    budget: Option<String>,
    seed: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Expect {
    file: Option<PathBuf>,
}

fn spec<'de, D: serde::Deserializer<'de>>(from: D) -> Result<(), D::Error> {
    match String::deserialize(from)?.as_str() {
        SPEC => Ok(()),
        other => Err(serde::de::Error::custom(format!(
            "the specification `{other}` is not known here: this program knows `{SPEC}`"
        ))),
    }
}

fn level<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Level>, D::Error> {
    match String::deserialize(from)?.as_str() {
        "must" => Ok(Some(Level::Must)),
        "should" => Ok(Some(Level::Should)),
        other => {
            Err(serde::de::Error::custom(format!("`{other}` is no level to fail by: write must or should")))
        }
    }
}

fn ready<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<Ready>, D::Error> {
    String::deserialize(from)?.parse().map(Some).map_err(serde::de::Error::custom)
}

/// Reads a file. Paths in it are relative to its folder, and so are programs whose name has a slash.
pub(super) fn read(path: &Path) -> Result<Settings, SettingsError> {
    let text = fs::read_to_string(path)
        .map_err(|error| SettingsError::File(format!("{}: {error}", path.display())))?;
    let File { spec: (), implementation, target, profile, params, timing, expect } =
        toml::from_str(&text).map_err(|error| SettingsError::File(located(path, &text, &error)))?;
    let folder = path.parent().unwrap_or(Path::new(""));
    let launch = target.launch.map(|launch| launch.command(folder)).transpose()?;
    Ok(Settings {
        url: target.url,
        launch,
        driver: target.driver,
        realm: target.realm,
        command: placed(target.adapter, folder),
        budget: timing.budget,
        seed: timing.seed,
        profiles: profile.names,
        with: profile.with,
        without: profile.without,
        level: profile.level,
        max_message: params.max_message,
        quiet_ms: timing.quiet_ms,
        time_scale: timing.time_scale,
        expectations: expect.file.map(|file| folder.join(file)),
        implementation,
    })
}

impl Launch {
    fn command(self, folder: &Path) -> Result<LaunchCommand, SettingsError> {
        let read = |file: PathBuf| {
            let file = folder.join(file);
            fs::read_to_string(&file)
                .map_err(|error| SettingsError::File(format!("{}: {error}", file.display())))
        };
        Ok(LaunchCommand {
            command: placed(self.command, folder),
            ready: self.ready.unwrap_or(Ready::Tcp),
            template: self.template.map(read).transpose()?,
        })
    }
}

/// A command whose program lies in the folder of the file, if it has a slash in its name.
pub(crate) fn placed(mut command: Vec<String>, folder: &Path) -> Vec<String> {
    if let Some(program) = command.first_mut().filter(|program| program.contains('/')) {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        *program = folder.join(&*program).display().to_string();
    }
    command
}

/// `FILE:LINE: MESSAGE`.
pub(crate) fn located(path: &Path, text: &str, error: &toml::de::Error) -> String {
    let begin = error.span().map_or(0, |span| span.start.min(text.len()));
    let line = text.get(..begin).unwrap_or_default().matches('\n').count() + 1;
    format!("{}:{line}: {}", path.display(), error.message())
}
