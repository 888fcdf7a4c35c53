//! `report`, `matrix` and `badge`: what is told, made again from JSON.

use std::path::{Path, PathBuf};

use petasus_conformance::report;

use crate::output::{self, Output};

/// Which report, and in which forms.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What `run --report json=FILE` wrote.
    file: PathBuf,
    /// What to write: html=FILE, junit=FILE, badge=FILE or json=FILE.
    #[arg(required = true, value_name = "KIND=FILE")]
    outputs: Vec<Output>,
}

/// Which reports, and where the page goes.
#[derive(clap::Args)]
pub(crate) struct MatrixArgs {
    /// What `run --report json=FILE` wrote, one for each broker.
    #[arg(required = true)]
    files: Vec<PathBuf>,
    /// The page.
    #[arg(long, default_value = "matrix.html")]
    html: PathBuf,
}

/// Writes a report in other forms.
pub(crate) fn report(args: &Args) -> Result<u8, String> {
    let report = output::read(&args.file)?;
    args.outputs.iter().try_for_each(|output| output.write(&report))?;
    Ok(0)
}

/// Writes one page for all.
pub(crate) fn matrix(args: &MatrixArgs) -> Result<u8, String> {
    let reports = args.files.iter().map(|file| output::read(file)).collect::<Result<Vec<_>, _>>()?;
    output::write(&args.html, &report::html(&reports))?;
    println!("{} brokers: {}", reports.len(), args.html.display());
    Ok(0)
}

/// Prints the badge of a report.
pub(crate) fn badge(file: &Path) -> Result<u8, String> {
    println!("{}", report::badge(&output::read(file)?));
    Ok(0)
}
