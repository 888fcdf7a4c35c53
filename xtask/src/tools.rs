//! The programs of the machine: finding them, and installing what is missing where that is allowed.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::child;
use crate::place;

/// How long an installation may take.
pub(crate) const INSTALL: Duration = Duration::from_mins(8);

/// Cargo, at the root of the workspace.
///
/// Cargo tells the programs that it runs, such as this one, which package they belong to. Our children
/// must not inherit that: build scripts watch those variables, and would run again at every change.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in env::vars_os() {
        let name = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&*name);
        }
    }
    command.current_dir(place::root());
    command
}

/// The program `name` in `PATH`.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH")?;
    env::split_paths(&path).map(|folder| folder.join(name)).find(|program| program.is_file())
}

/// The first of `names` that is in `PATH`; else the Debian packages are installed, if we may, and `PATH`
/// is searched again.
///
/// # Errors
/// Says what is missing and the command that installs it.
pub(crate) fn find_or_install(names: &[&str], packages: &[&str]) -> Result<PathBuf, String> {
    seek_or_install(names[0], packages, || names.iter().find_map(|name| find(name)))
}

/// A Perl that has Mojolicious: the one in `PATH`, or else that of the system, which is the one that packages serve.
///
/// # Errors
/// Says what is missing and the command that installs it.
pub(crate) fn perl_with_mojolicious() -> Result<PathBuf, String> {
    let has_it = |perl: &PathBuf| {
        child::answer(Command::new(perl).args(["-e", "use Mojolicious 9.0; use Test::More; use Pod::Usage;"]))
            .is_some()
    };
    seek_or_install("Perl with Mojolicious 9", &["perl", "libmojolicious-perl"], || {
        find("perl").into_iter().chain([PathBuf::from("/usr/bin/perl")]).find(has_it)
    })
}

/// The server of NATS, a peer of the benches.
///
/// # Errors
/// Says what is missing and the command that installs it.
pub(crate) fn nats_server() -> Result<PathBuf, String> {
    server("nats-server")
}

/// The MQTT broker mosquitto, a peer of the benches.
///
/// # Errors
/// Says what is missing and the command that installs it.
pub(crate) fn mosquitto() -> Result<PathBuf, String> {
    server("mosquitto")
}

/// The web server nginx with the module nchan, a broker for the harness.
///
/// # Errors
/// Says what is missing and the command that installs it.
pub(crate) fn nginx_with_nchan() -> Result<PathBuf, String> {
    let is_there = || Path::new("/usr/lib/nginx/modules/ngx_nchan_module.so").is_file();
    seek_or_install("nginx with nchan", &["nginx", "libnginx-mod-nchan"], || {
        Some(PathBuf::from("/usr/sbin/nginx")).filter(|nginx| nginx.is_file() && is_there())
    })
}

/// A program of the Debian package of its name, which may be where only the `PATH` of root leads.
fn server(name: &str) -> Result<PathBuf, String> {
    let of_the_system = || Some(Path::new("/usr/sbin").join(name)).filter(|program| program.is_file());
    seek_or_install(name, &[name], || find(name).or_else(of_the_system))
}

/// What `seek` finds; else the Debian packages are installed, if we may, and it seeks again.
fn seek_or_install(
    what: &str,
    packages: &[&str],
    seek: impl Fn() -> Option<PathBuf>,
) -> Result<PathBuf, String> {
    if let Some(found) = seek() {
        return Ok(found);
    }
    let missing = format!("{what} is missing; run: apt-get install {}", packages.join(" "));
    if !may_install() {
        return Err(missing);
    }
    println!("{what} is missing: installing {}", packages.join(" "));
    let install = || {
        let mut command = Command::new("apt-get");
        command.args(["install", "-y", "-q", "--no-install-recommends"]).args(packages);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        child::run(&mut command, INSTALL).is_ok_and(|finished| finished.ok())
    };
    // The lists of packages may be absent or old: only then are they fetched.
    if !install() {
        let _ = child::run(Command::new("apt-get").args(["update", "-q"]), INSTALL);
        install();
    }
    seek().ok_or(missing)
}

/// On Debian and its like, as root, apt may be used.
fn may_install() -> bool {
    Path::new("/etc/debian_version").exists()
        && find("apt-get").is_some()
        && child::answer(Command::new("id").arg("-u")).as_deref() == Some("0")
}
