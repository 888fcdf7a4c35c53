//! What figures depend on: the machine, the compiler and the commit.

use std::fs;
use std::process::Command;

use crate::arguments::{Clients, Compare};
use crate::error::LoadError;

/// A paragraph for the head of the table.
pub(crate) fn describe(arguments: &Compare) -> Result<String, LoadError> {
    Ok(format!(
        "{}. Servers with {} worker thread(s), generator in a process of its own on the same machine. {} runs of each \
         in turn, {} s each. Load average before: {}.\n",
        machine()?,
        arguments.threads,
        arguments.runs,
        arguments.seconds,
        load_average()?,
    ))
}

/// The same for `clients`.
pub(crate) fn describe_clients(arguments: &Clients) -> Result<String, LoadError> {
    Ok(format!(
        "{}. Servers as they are out of the box; publisher and subscriber, caller and callee each in a process of \
         its own on the same machine. {} runs of each in turn, {} s each. Load average before: {}.\n",
        machine()?,
        arguments.runs,
        arguments.seconds,
        load_average()?,
    ))
}

fn machine() -> Result<String, LoadError> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let model = processors.lines().find_map(|line| line.strip_prefix("model name")?.split(": ").nth(1));
    let cores = std::thread::available_parallelism()?;
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease")?;
    Ok(format!(
        "{cores} cores of {}, Linux {}, {}, commit {}",
        model.unwrap_or("an unnamed processor"),
        kernel.trim(),
        first_line("rustc", &["--version"]),
        first_line("git", &["describe", "--always", "--dirty"]),
    ))
}

/// The load average of the last minute.
pub(crate) fn load_average() -> Result<String, LoadError> {
    let text = fs::read_to_string("/proc/loadavg")?;
    Ok(text.split(' ').next().unwrap_or_default().to_owned())
}

/// What a program says of itself; "unknown" when it is not there.
fn first_line(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output().ok().filter(|output| output.status.success());
    let text = output.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    text.as_deref().and_then(|text| text.lines().next()).unwrap_or("unknown").to_owned()
}
