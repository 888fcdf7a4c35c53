//! The step `client`: the Rust client against our broker, crossbar, and a small broker that speaks as Mercury does.
//!
//! The Mercury-style broker is a script of ours in `xtask/mercury`; its own tests run first, because a client that
//! passes against a wrong broker shows nothing. The tests of the client start our broker themselves. Where the
//! others listen they read from the variables below.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use super::counted::{Other, counted};
use super::{rust, wamp};
use crate::broker::Broker;
use crate::counts;
use crate::place;
use crate::report::Outcome;
use crate::tools;

/// Where crossbar listens: `ws://127.0.0.1:4711/ws`.
pub(super) const CROSSBAR: &str = "PETASUS_TEST_CROSSBAR";

/// The realm there in which anonymous sessions may do everything.
pub(super) const CROSSBAR_REALM: &str = "PETASUS_TEST_CROSSBAR_REALM";

/// Its name, `REALM` of `xtask/wamp/users.py`.
pub(super) const REALM: &str = "realm1";

/// Where the Mercury-style broker listens: `ws://127.0.0.1:4712`.
pub(super) const MERCURY: &str = "PETASUS_TEST_MERCURY";

/// The scripts' own tests take about twenty seconds.
const PATIENCE: Duration = Duration::from_mins(5);

/// Runs the tests of the Mercury-style broker, and those of the client. What is missing of the other brokers is
/// skipped; the client's tests against ours run everywhere.
pub(super) fn run() -> Outcome {
    let (perl, python) = (tools::perl_with_mojolicious(), wamp::environment());
    let scripts = match &perl {
        Ok(perl) => scripts(perl),
        Err(missing) => Outcome::skipped(missing.clone()),
    };
    let outcome = match &python {
        Ok(_) => scripts,
        Err(missing) => scripts.and(Outcome::skipped(missing.clone())),
    };
    outcome.and(client(perl.ok().as_deref(), python.ok().as_deref()))
}

/// The tests of the Mercury-style broker.
fn scripts(perl: &Path) -> Outcome {
    let mut prove = Command::new(perl);
    prove.args([
        "-MApp::Prove",
        "-e",
        "my $app = App::Prove->new; $app->process_args(@ARGV); exit !$app->run",
    ]);
    prove.args(["--", "-v", "t"]).current_dir(folder());
    counted(&mut prove, PATIENCE, counts::tap)
}

/// The brokers that are not ours, for the tests of a client.
pub(super) fn others() -> [Other; 2] {
    [
        ("crossbar", CROSSBAR, wamp::environment().map(|python| start_crossbar(&python))),
        ("xtask/mercury", MERCURY, tools::perl_with_mojolicious().map(|perl| start_mercury(&perl, &[]))),
    ]
}

/// The tests of the client, beside the brokers that are not ours.
fn client(perl: Option<&Path>, python: Option<&Path>) -> Outcome {
    let crossbar = python.map(start_crossbar).transpose();
    let brokers =
        crossbar.and_then(|crossbar| Ok((crossbar, perl.map(|perl| start_mercury(perl, &[])).transpose()?)));
    let (crossbar, mercury) = match brokers {
        Ok(brokers) => brokers,
        Err(problem) => return Outcome::failed(problem),
    };
    let url = |broker: &Option<Broker>| broker.as_ref().map(|broker| broker.urls[0].clone());
    let mut tests = tests(url(&crossbar).as_deref(), url(&mercury).as_deref());
    let outcome = rust::tests(&mut tests, Duration::from_mins(15)).1;
    // Both have to have survived.
    [("crossbar", crossbar), ("xtask/mercury", mercury)].into_iter().fold(
        outcome,
        |outcome, (name, broker)| match broker.map_or(Ok(()), Broker::stop) {
            Ok(()) => outcome,
            Err(problem) => outcome.and_failed(format!("{name}: {problem}")),
        },
    )
}

/// Crossbar as the step `wamp` has it, on a free port.
pub(super) fn start_crossbar(python: &Path) -> Result<Broker, String> {
    let mut serve = Command::new(python);
    serve.arg("-u").arg(wamp::folder().join("serve.py")).arg(place::scratch("client-crossbar"));
    Broker::start_program("client-crossbar", &mut serve, 1)
}

/// The Mercury-style broker on a free port; its arguments choose its defects.
pub(super) fn start_mercury(perl: &Path, arguments: &[&str]) -> Result<Broker, String> {
    let mut broker = Command::new(perl);
    broker.arg(folder().join("broker.pl")).args(arguments);
    Broker::start_program("client-mercury", &mut broker, 1)
}

/// The call of cargo; `crossbar` is a `ws://` URL and `mercury` an `http://` one.
fn tests(crossbar: Option<&str>, mercury: Option<&str>) -> Command {
    let mut cargo = tools::cargo();
    cargo.args(["test", "-p", "petasus", "--no-fail-fast"]);
    if let Some(url) = crossbar {
        cargo.env(CROSSBAR, url).env(CROSSBAR_REALM, REALM);
    }
    if let Some(url) = mercury {
        cargo.env(MERCURY, url.replacen("http://", "ws://", 1));
    }
    cargo
}

/// Where the script is.
fn folder() -> PathBuf {
    place::root().join("xtask/mercury")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_client_learns_where_the_brokers_listen() {
        let command = tests(Some("ws://127.0.0.1:1/ws"), Some("http://127.0.0.1:2"));
        let value = |name: &str| {
            let mut found = command.get_envs().filter(|(key, _)| *key == name);
            found.next().and_then(|(_, value)| value?.to_str())
        };
        assert_eq!(value(CROSSBAR), Some("ws://127.0.0.1:1/ws"));
        assert_eq!(value(CROSSBAR_REALM), Some(REALM));
        assert_eq!(value(MERCURY), Some("ws://127.0.0.1:2"));
    }

    #[test]
    fn the_realm_is_the_one_that_crossbar_has() {
        let users = std::fs::read_to_string(wamp::folder().join("users.py")).unwrap();
        assert!(users.contains(&format!("REALM = \"{REALM}\"")));
    }
}
