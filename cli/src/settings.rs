//! The configuration of the broker from its file, the environment and flags; `check` and `config-doc`.

use std::{
    fs,
    io::{self, Write},
    path::{Path, PathBuf},
};

use petasus_broker::auth::check_access;
use petasus_broker::config::{Config, Layers, ListenAddress};

use crate::Failure;

/// The file that is read if it is there and no other is named.
const DEFAULT_FILE: &str = "petasus.toml";

/// Where the configuration file is.
#[derive(clap::Args, Default)]
pub(crate) struct FileArgs {
    /// Configuration file; without it, petasus.toml in the working directory if there is one
    #[arg(long, value_name = "FILE", env = "PETASUS_CONFIG")]
    config: Option<PathBuf>,
}

/// Arguments of `petasus check`.
#[derive(clap::Args)]
pub(crate) struct CheckArgs {
    #[command(flatten)]
    file: FileArgs,
}

impl FileArgs {
    /// The file and the environment, and the name of the file if one was read.
    pub(crate) fn layers(&self) -> Result<(Layers, Option<&Path>), Failure> {
        let path = self.config.as_deref().unwrap_or(Path::new(DEFAULT_FILE));
        let mut layers = Layers::default();
        let mut read = None;
        match fs::read_to_string(path) {
            Ok(text) => {
                layers.file(&path.display().to_string(), &text);
                read = Some(path);
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && self.config.is_none() => {}
            Err(error) => {
                let text =
                    format!("{}: can not be read: {error}; correct --config or the file", path.display());
                return Err(Failure::local(text));
            }
        }
        let text = |text: std::ffi::OsString| text.to_string_lossy().into_owned();
        layers.environment(std::env::vars_os().map(|(name, value)| (text(name), text(value))));
        Ok((layers, read))
    }
}

/// `petasus check`: OK, or every problem.
pub(crate) fn check(args: &CheckArgs) -> Result<(), Failure> {
    let (layers, file) = args.file.layers()?;
    let config = layers.build().map_err(Failure::local)?;
    let missing = missing_files(&config);
    if !missing.is_empty() {
        return Err(Failure::local(missing.join("\n")));
    }
    if !config.auth.access.is_empty() {
        check_access(&config.auth.access).map_err(Failure::local)?;
    }
    let source = file.map_or_else(|| "no file, all defaults".to_owned(), |path| path.display().to_string());
    print(&format!("OK ({source})\n"))
}

/// The PEM files that can not be opened, a line each.
fn missing_files(config: &Config) -> Vec<String> {
    let admin = config.admin.listen.iter().map(|address| ("admin.listen", address));
    let listen = config.listen.iter().map(|address| ("listen", address));
    listen.chain(admin).flat_map(|(key, address)| missing_tls(key, address)).collect()
}

fn missing_tls(key: &str, address: &ListenAddress) -> Vec<String> {
    let files = address.tls.iter().flat_map(|tls| [&tls.cert, &tls.key]);
    let open = |path: &PathBuf| fs::File::open(path).err().map(|error| (path.clone(), error));
    files
        .filter_map(open)
        .map(|(path, error)| {
            format!("{key}: {} can not be read: {error}; correct the path or its rights", path.display())
        })
        .collect()
}

/// Prints to standard output. A reader that went away is no failure.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut stdout = io::stdout().lock();
    match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::local(format!("standard output can not be written: {error}")))
        }
        _ => Ok(()),
    }
}
