//! Files that reports are written to, and read from.

use std::fs;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use petasus_conformance::report::{self, Report};

/// A file to write, and in which form.
#[derive(Clone)]
pub(crate) struct Output {
    kind: Kind,
    path: PathBuf,
}

#[derive(Clone, Copy)]
enum Kind {
    Json,
    Junit,
    Html,
    Badge,
}

impl FromStr for Output {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (kind, path) = match text.split_once('=') {
            Some(("json", path)) => (Kind::Json, path),
            Some(("junit", path)) => (Kind::Junit, path),
            Some(("html", path)) => (Kind::Html, path),
            Some(("badge", path)) => (Kind::Badge, path),
            _ => return Err(format!("`{text}`: write json=FILE, junit=FILE, html=FILE or badge=FILE")),
        };
        Ok(Self { kind, path: path.into() })
    }
}

impl Output {
    /// Writes a report.
    pub(crate) fn write(&self, report: &Report) -> Result<(), String> {
        let text = match self.kind {
            Kind::Json => report.json(),
            Kind::Junit => report::junit(report),
            Kind::Html => report::html(std::slice::from_ref(report)),
            Kind::Badge => report::badge(report),
        };
        write(&self.path, &text)
    }
}

/// Writes a text.
pub(crate) fn write(path: &Path, text: &str) -> Result<(), String> {
    fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))
}

/// Reads a report that was written as JSON.
pub(crate) fn read(path: &Path) -> Result<Report, String> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    serde_json::from_str(&text)
        .map_err(|error| format!("{} is no report of `--report json=FILE`: {error}", path.display()))
}
