//! The step `python`: the wheel, what is in it, the interpreters it installs on, and the suite of the Python client.
//!
//! The suite is in `client-py/tests`; it starts our broker itself, and reads from variables where the others listen.
//! Everything is made below the build folder: environments, wheel, reports.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::client;
use super::counted::{beside, counted};
use crate::broker::{Broker, Build};
use crate::child;
use crate::counts;
use crate::place;
use crate::report::Outcome;
use crate::tools;

/// What `pip` installs for the tests, beside the folder of the package.
const REQUIREMENTS: &str = "requirements-test.txt";

/// Beside an environment: the requirements that it was made of. Written last.
const STAMP: &str = "petasus-requirements.txt";

/// The Python that the wheel is built and tested with.
const MAIN: &str = "3.11";

/// All that it is for.
const ALL: [&str; 4] = ["3.10", "3.11", "3.12", "3.13"];

/// The longest wheel, in bytes.
const LONGEST: u64 = 1_500_000;

/// The suite takes about a minute, the first build about two.
const PATIENCE: Duration = Duration::from_mins(10);

/// The tests that run once more on uvloop: those that do not take long.
const ON_UVLOOP: &str = "asyncio and (json or mercury) and not order and not jobs_of_mercury";

/// Builds the wheel and tests it: on Python 3.11, and with `full` on each interpreter that is at hand.
pub(super) fn run(full: bool) -> Outcome {
    let Some(interpreter) = interpreter(MAIN) else {
        return Outcome::skipped(format!("Python {MAIN} is missing; run: pyenv install {MAIN}"));
    };
    let prepared = environment(&interpreter, MAIN).and_then(|python| Ok((build(&python)?, python)));
    let (wheel, python) = match prepared {
        Ok(prepared) => prepared,
        Err(problem) => return Outcome::failed(problem),
    };
    let mut outcome = weigh(&wheel).and(inspect(&python, &wheel));
    let broker = match Broker::start("python", Build::Debug, &["http://127.0.0.1:0"], &[]) {
        Ok(broker) => broker,
        Err(problem) => return outcome.and_failed(problem),
    };
    for version in ALL {
        outcome = outcome.and(bare(version, &wheel, &broker.urls[0]));
    }
    if let Err(problem) = broker.stop() {
        outcome = outcome.and_failed(problem);
    }
    outcome = outcome.and(install(&python, &wheel)).and(lint(&python)).and(documentation(&python));
    outcome.and(beside(client::others(), |others| {
        let outcome = suite(&python, others, &[], "asyncio");
        let outcome = outcome.and(suite(&python, others, &["-k", ON_UVLOOP], "uvloop"));
        if full { outcome.and(elsewhere(&wheel, others)) } else { outcome }
    }))
}

/// The suite on the interpreters that are not the main one.
fn elsewhere(wheel: &Path, others: &[(&str, String)]) -> Outcome {
    let mut outcome = Outcome::held();
    for version in ALL.into_iter().filter(|version| *version != MAIN) {
        let Some(interpreter) = interpreter(version) else { continue };
        outcome = outcome.and(match environment(&interpreter, version) {
            Ok(python) => install(&python, wheel).and(suite(&python, others, &[], "asyncio")),
            Err(problem) => Outcome::failed(problem),
        });
    }
    outcome
}

/// The interpreter of a version: one in `PATH`, or the newest that pyenv has.
fn interpreter(version: &str) -> Option<PathBuf> {
    let is_it = |python: &PathBuf| {
        let say = "import sys, venv; print('%d.%d' % sys.version_info[:2])";
        child::answer(Command::new(python).args(["-c", say])).as_deref() == Some(version)
    };
    let home = env::var_os("PYENV_ROOT").map(PathBuf::from);
    let home = home.or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".pyenv")));
    let versions = home.and_then(|home| fs::read_dir(home.join("versions")).ok());
    let names = versions.into_iter().flatten().flatten().map(|entry| entry.path());
    let mut of_pyenv: Vec<PathBuf> = names
        .filter(|path| {
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned());
            name.is_some_and(|name| name.starts_with(&format!("{version}.")))
        })
        .map(|path| path.join("bin/python"))
        .collect();
    of_pyenv.sort();
    let found = tools::find(&format!("python{version}")).into_iter().chain(of_pyenv.into_iter().rev());
    let mut found = found.chain(tools::find("python3"));
    found.find(is_it)
}

/// The Python of an environment that has what the tests need; made where it is not there yet.
fn environment(interpreter: &Path, version: &str) -> Result<PathBuf, String> {
    let file = folder().join(REQUIREMENTS);
    let wanted = fs::read_to_string(&file).map_err(|problem| format!("{}: {problem}", file.display()))?;
    let environment = place::scratch("python").join(version);
    let (python, stamp) = (environment.join("bin/python"), environment.join(STAMP));
    if fs::read_to_string(&stamp).is_ok_and(|made_of| made_of == wanted) {
        return Ok(python);
    }
    println!("installing {REQUIREMENTS} into {}", environment.display());
    child::succeed(Command::new(interpreter).args(["-m", "venv", "--clear"]).arg(&environment), PATIENCE)?;
    child::succeed(pip(&python).arg("-r").arg(&file), PATIENCE)?;
    fs::write(&stamp, wanted).map_err(|problem| format!("{}: {problem}", stamp.display()))?;
    Ok(python)
}

/// `python -m pip install`, without words.
fn pip(python: &Path) -> Command {
    let mut pip = Command::new(python);
    pip.args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"]);
    pip
}

/// The release wheel. It holds no path of the machine that it was built on, so it has a build folder of its own.
fn build(python: &Path) -> Result<PathBuf, String> {
    let out = place::scratch("python").join("dist");
    let _ = fs::remove_dir_all(&out);
    let mut maturin = Command::new(python);
    maturin.args(["-m", "maturin", "build", "--release", "--locked", "--out"]).arg(&out);
    maturin
        .current_dir(folder())
        .env("CARGO_TARGET_DIR", place::target().join("python"))
        .env_remove("VIRTUAL_ENV");
    maturin.env("CARGO_ENCODED_RUSTFLAGS", remapped().join("\u{1f}"));
    child::succeed(&mut maturin, PATIENCE)?;
    let found = fs::read_dir(&out).ok().and_then(|mut entries| entries.next()?.ok());
    Ok(found.ok_or("maturin made no wheel")?.path())
}

/// What makes rustc write no path of this machine into what it compiles.
fn remapped() -> Vec<String> {
    let home = env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let cargo = env::var_os("CARGO_HOME").map_or_else(|| home.join(".cargo"), PathBuf::from);
    [(cargo, "/cargo"), (place::root(), "/petasus")]
        .map(|(folder, name)| format!("--remap-path-prefix={}={name}", folder.display()))
        .into()
}

/// Says how long the wheel is, and whether that is too long.
fn weigh(wheel: &Path) -> Outcome {
    let bytes = fs::metadata(wheel).map_or(0, |wheel| wheel.len());
    println!("{}: {bytes} bytes, {LONGEST} at most", wheel.display());
    if (1..=LONGEST).contains(&bytes) {
        Outcome::held()
    } else {
        Outcome::failed(format!("the wheel has {bytes} bytes, and {LONGEST} are the most"))
    }
}

/// Looks into the wheel and the source distribution: what has to be there is, and nothing else.
fn inspect(python: &Path, wheel: &Path) -> Outcome {
    let sources = place::scratch("python").join("sdist");
    let _ = fs::remove_dir_all(&sources);
    let mut maturin = Command::new(python);
    maturin.args(["-m", "maturin", "sdist", "--out"]).arg(&sources).current_dir(folder());
    if let Err(problem) = child::succeed(&mut maturin, PATIENCE) {
        return Outcome::failed(problem);
    }
    let mut inspect = Command::new(python);
    inspect.arg(folder().join("tests/packages.py")).arg(wheel).arg(&sources);
    inspect.arg(place::root()).args(env::var_os("HOME"));
    check("packages.py", &mut inspect)
}

/// Installs the wheel where there is nothing: no compiler, no index, no other package; and uses it.
fn bare(version: &str, wheel: &Path, url: &str) -> Outcome {
    let Some(interpreter) = interpreter(version) else {
        return Outcome::skipped(format!("Python {version} is missing; run: pyenv install {version}"));
    };
    let environment = place::scratch("python").join(format!("bare-{version}"));
    let python = environment.join("bin/python");
    let mut venv = Command::new(interpreter);
    let made = child::succeed(venv.args(["-m", "venv", "--clear"]).arg(&environment), PATIENCE);
    let path = environment.join("bin");
    let mut bare = pip(&python);
    bare.arg("--no-index").arg(wheel).env("PATH", &path);
    let installed = made.and_then(|()| child::succeed(&mut bare, PATIENCE));
    if let Err(problem) = installed {
        return Outcome::failed(problem);
    }
    let mut smoke = Command::new(&python);
    smoke.args(["-X", "dev", "-W", "error"]).arg(folder().join("tests/smoke.py"));
    smoke.arg(url.replacen("http://", "ws://", 1)).env("PATH", &path);
    check(&format!("smoke.py on Python {version}"), &mut smoke)
}

fn install(python: &Path, wheel: &Path) -> Outcome {
    match child::succeed(pip(python).args(["--force-reinstall", "--no-deps"]).arg(wheel), PATIENCE) {
        Ok(()) => Outcome::held(),
        Err(problem) => Outcome::failed(problem),
    }
}

/// Types, stubs and style.
fn lint(python: &Path) -> Outcome {
    let tools: [(&str, &[&str]); 4] = [
        ("mypy", &["mypy"]),
        ("stubtest", &["mypy.stubtest", "petasus._petasus"]),
        ("ruff check", &["ruff", "check", "."]),
        ("ruff format", &["ruff", "format", "--check", "."]),
    ];
    let checks = tools.into_iter().map(|(name, arguments)| {
        let mut tool = Command::new(python);
        check(name, tool.arg("-m").args(arguments).current_dir(folder()))
    });
    checks.reduce(Outcome::and).expect("there are some")
}

/// Builds the documentation without a warning. Its requirements are also those of the tests that run its code.
fn documentation(python: &Path) -> Outcome {
    let docs = folder().join("docs");
    let requirements = docs.join("requirements.txt");
    if let Err(problem) = child::succeed(pip(python).arg("-r").arg(requirements), PATIENCE) {
        return Outcome::failed(problem);
    }
    let mut sphinx = Command::new(python);
    sphinx.args(["-m", "sphinx", "-W", "--keep-going", "-q", "-E", "-b", "html"]);
    let out = place::scratch("python");
    check("sphinx", sphinx.arg("-d").arg(out.join("doctrees")).arg(docs).arg(out.join("docs")))
}

/// The suite, or a part of it, on a kind of event loop.
fn suite(python: &Path, others: &[(&str, String)], arguments: &[&str], event_loop: &str) -> Outcome {
    let mut pytest = Command::new(python);
    pytest.args(["-m", "pytest", "-q", "-p", "no:cacheprovider", "--durations=5"]).args(arguments);
    pytest.current_dir(folder()).env("PETASUS", Build::Debug.program("petasus"));
    pytest.envs(others.iter().map(|(name, value)| (name, value))).env("PETASUS_TEST_LOOP", event_loop);
    pytest.env(client::CROSSBAR_REALM, client::REALM);
    counted(&mut pytest, PATIENCE, counts::pytest)
}

/// One program that has to end well.
fn check(name: &str, command: &mut Command) -> Outcome {
    match child::succeed(command, PATIENCE) {
        Ok(()) => Outcome::held(),
        Err(problem) => Outcome::failed(format!("{name}: {problem}")),
    }
}

/// Where the package is.
fn folder() -> PathBuf {
    place::root().join("client-py")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_folder_of_this_machine_is_left_in_a_wheel() {
        let flags = remapped();
        let root = format!("--remap-path-prefix={}=", place::root().display());
        assert!(flags.iter().any(|flag| flag.starts_with(&root)), "{flags:?}");
        assert_eq!(flags.len(), 2);
    }

    #[test]
    fn the_requirements_name_each_version() {
        let text = fs::read_to_string(folder().join(REQUIREMENTS)).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| !line.starts_with('#')).collect();
        assert!(!lines.is_empty() && lines.iter().all(|line| line.contains("==")), "{lines:?}");
    }
}
