//! `init`: a conformance.toml to fill in.

use std::fs::OpenOptions;
use std::io::Write;

use petasus_conformance::settings;

pub(crate) fn run() -> Result<u8, String> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(settings::NAME).map_err(|error| {
        format!("{} is not written: {error}; what is there stays as it is", settings::NAME)
    })?;
    file.write_all(settings::TEMPLATE.as_bytes()).map_err(|error| format!("{}: {error}", settings::NAME))?;
    println!("{} is there: fill in `url`, then `petasus-conformance run`", settings::NAME);
    Ok(0)
}
