//! The step `autobahn`: the Autobahn test suite's fuzzing client, RFC 6455 clause by clause, against the
//! bus with echo.
//!
//! The suite runs on `CPython` 2.7 only, so it has an environment of its own below the build folder. It
//! always exits with 0, and writes its report last: the report is what decides, and it has to be complete.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use crate::broker::{Broker, Build};
use crate::child;
use crate::counts::Counts;
use crate::place;
use crate::report::Outcome;
use crate::tools;

/// The version of the suite.
const SUITE: &str = "autobahntestsuite==25.10.1";

/// The last virtualenv that itself runs on `CPython` 2.7.
const VIRTUALENV: &str = "virtualenv<20.16";

/// The cases of the suite without compression (sections 12 and 13): 247 about the protocol, and the 54 of
/// section 9 about sizes up to 16 MiB.
const CASES: usize = 301;

/// Room for section 9: its largest message, and some of them on their way.
const SETTINGS: [(&str, &str); 2] =
    [("PETASUS_LIMITS_MESSAGE", "33554432"), ("PETASUS_OUTBOX_BYTES", "67108864")];

/// Runs all cases but those about compression, which the broker does not negotiate.
pub(super) fn run() -> Outcome {
    let folder = place::scratch("autobahn");
    let python = match environment(&folder) {
        Ok(python) => python,
        Err(missing) => return Outcome::skipped(missing),
    };
    let broker = match Broker::start("autobahn", Build::Debug, &["http://127.0.0.1:0"], &SETTINGS) {
        Ok(broker) => broker,
        Err(problem) => return Outcome::failed(problem),
    };
    let outcome = match fuzz(&folder, &python, &broker.urls[0]) {
        Ok(report) => judge(&report),
        Err(problem) => Outcome::failed(problem),
    };
    match broker.stop() {
        Ok(()) => outcome,
        Err(problem) => outcome.and_failed(problem),
    }
}

/// The Python of an environment that has the suite; made where it is not there yet.
///
/// # Errors
/// Says what is missing and the command that installs it.
fn environment(folder: &Path) -> Result<PathBuf, String> {
    let python = folder.join("env/bin/python");
    let has_suite = |python: &Path| {
        child::answer(Command::new(python).args(["-c", "import autobahntestsuite, twisted"])).is_some()
    };
    if has_suite(&python) {
        return Ok(python);
    }
    let system =
        python_2_7().ok_or("the suite needs CPython 2.7, which is not here; run: pyenv install 2.7.18")?;
    println!("installing {SUITE} into {} (about a minute)", folder.display());
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).map_err(|problem| format!("{}: {problem}", folder.display()))?;
    let maker = folder.join("virtualenv");
    let done =
        |command: &mut Command| child::run(command, tools::INSTALL).is_ok_and(|finished| finished.ok());
    let quiet = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check"];
    let made = done(Command::new(&system).args(quiet).arg("--target").arg(&maker).arg(VIRTUALENV))
        && done(
            Command::new(&system)
                .env("PYTHONPATH", &maker)
                .args(["-m", "virtualenv", "--quiet"])
                .arg(folder.join("env")),
        )
        && done(Command::new(&python).args(quiet).arg(SUITE));
    if made && has_suite(&python) {
        return Ok(python);
    }
    Err(format!("the suite cannot be installed; run: {} -m pip install {SUITE}", system.display()))
}

/// A `CPython` 2.7: in `PATH`, or among the versions of pyenv (whose stand-in in `PATH` may well refuse).
fn python_2_7() -> Option<PathBuf> {
    let test = "import sys, platform; assert sys.version_info[:2] == (2, 7); print(platform.python_implementation())";
    let is_cpython = |python: &PathBuf| {
        child::answer(Command::new(python).args(["-c", test])).as_deref() == Some("CPython")
    };
    let pyenv = child::answer(Command::new("pyenv").arg("root"))
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".pyenv")));
    let versions = pyenv.and_then(|root| fs::read_dir(root.join("versions")).ok());
    let mut of_pyenv: Vec<PathBuf> = versions
        .into_iter()
        .flatten()
        .flatten()
        .filter(|version| version.file_name().to_string_lossy().starts_with("2.7"))
        .map(|version| version.path().join("bin/python2.7"))
        .collect();
    of_pyenv.sort();
    let mut candidates = vec![PathBuf::from("python2.7")];
    candidates.extend(of_pyenv.into_iter().rev());
    candidates.into_iter().find(is_cpython)
}

/// Lets the fuzzing client loose on `url`; the index of its report.
fn fuzz(folder: &Path, python: &Path, url: &str) -> Result<String, String> {
    let reports = folder.join("reports");
    let _ = fs::remove_dir_all(&reports);
    let target = url.replacen("http://", "ws://", 1);
    let spec = format!(
        r#"{{
  "outdir": "reports",
  "servers": [{{"agent": "petasus", "url": "{target}/bus/autobahn?echo=1", "options": {{"version": 18}}}}],
  "cases": ["*"],
  "exclude-cases": ["12.*", "13.*"],
  "exclude-agent-cases": {{}}
}}
"#
    );
    let written = fs::write(folder.join("spec.json"), spec);
    written.map_err(|problem| format!("{}: {problem}", folder.display()))?;
    let mut wstest = Command::new(python);
    wstest.args(["-W", "ignore", "-u"]).arg(folder.join("env/bin/wstest"));
    wstest.args(["-m", "fuzzingclient", "-s", "spec.json"]).current_dir(folder);
    let finished = child::run(&mut wstest, Duration::from_mins(5))
        .map_err(|problem| format!("wstest does not start: {problem}"))?;
    fs::read_to_string(reports.join("index.json"))
        .map_err(|problem| format!("wstest left no report ({problem}): {}", finished.end()))
}

/// What the index of the report says: a case is fine when both its behaviour and its closing are.
fn judge(index: &str) -> Outcome {
    let fine = ["OK", "NON-STRICT", "INFORMATIONAL"];
    let cases = cases(index);
    let bad: Vec<&Case<'_>> = cases
        .iter()
        .filter(|case| !fine.contains(&case.behaviour) || !fine.contains(&case.closing))
        .collect();
    let count = |word: &str| cases.iter().filter(|case| case.behaviour == word).count();
    println!(
        "autobahn: {} cases: {} OK, {} NON-STRICT, {} INFORMATIONAL; {} bad",
        cases.len(),
        count(fine[0]),
        count(fine[1]),
        count(fine[2]),
        bad.len()
    );
    for case in cases.iter().filter(|case| case.behaviour == "NON-STRICT") {
        println!("  {}: NON-STRICT", case.name);
    }
    for case in &bad {
        println!("  {}: {}, closing {}", case.name, case.behaviour, case.closing);
    }
    let outcome = Outcome::tests(Counts { passed: cases.len() - bad.len(), failed: bad.len(), skipped: 0 });
    if cases.len() == CASES {
        return outcome;
    }
    outcome.and_failed(format!("the report holds {} cases and not {CASES}", cases.len()))
}

/// One case in the index of the report.
#[derive(Debug, PartialEq)]
struct Case<'a> {
    /// Its number, such as `6.4.3`.
    name: &'a str,
    /// The verdict on what the broker did.
    behaviour: &'a str,
    /// The verdict on how the connection was closed.
    closing: &'a str,
}

/// The cases of an index: `{"petasus": {"1.1.1": {"behavior": "OK", "behaviorClose": "OK", ...}, ...}}`.
/// The objects of the cases are flat and hold no braces in their strings.
fn cases(index: &str) -> Vec<Case<'_>> {
    let Some((_, cases)) = index.split_once(':') else { return Vec::new() };
    cases
        .split('}')
        .filter_map(|text| {
            let (head, fields) = text.rsplit_once('{')?;
            Some(Case {
                name: head.rsplit('"').nth(1)?,
                behaviour: field(fields, "\"behavior\"")?,
                closing: field(fields, "\"behaviorClose\"")?,
            })
        })
        .collect()
}

/// The text value of a field.
fn field<'a>(object: &'a str, name: &str) -> Option<&'a str> {
    object.split_once(name)?.1.split('"').nth(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INDEX: &str = r#"{
   "petasus": {
      "1.1.1": {
         "behavior": "OK",
         "behaviorClose": "OK",
         "duration": 1,
         "remoteCloseCode": 1000,
         "reportfile": "petasus_case_1_1_1.json"
      },
      "6.4.3": {
         "behavior": "NON-STRICT",
         "behaviorClose": "FAILED",
         "duration": 2,
         "remoteCloseCode": null,
         "reportfile": "petasus_case_6_4_3.json"
      }
   }
}"#;

    #[test]
    fn the_index_of_a_report_is_read() {
        let first = Case { name: "1.1.1", behaviour: "OK", closing: "OK" };
        let second = Case { name: "6.4.3", behaviour: "NON-STRICT", closing: "FAILED" };
        assert_eq!(cases(INDEX), [first, second]);
        assert!(cases("").is_empty());
    }

    #[test]
    fn a_bad_closing_is_a_failure_and_so_is_a_report_that_is_not_whole() {
        let outcome = judge(INDEX);
        assert_eq!(outcome.counts, Counts { passed: 1, failed: 1, skipped: 0 });
        let short = judge(r#"{"petasus": {"1.1.1": {"behavior": "OK", "behaviorClose": "OK"}}}"#);
        assert!(short.failure.unwrap().contains("1 cases and not 301"));
    }

    #[test]
    fn a_whole_report_without_a_fault_holds() {
        let case = |number: usize| format!(r#""1.1.{number}": {{"behavior": "OK", "behaviorClose": "OK"}}"#);
        let all: Vec<String> = (0..CASES).map(case).collect();
        let outcome = judge(&format!(r#"{{"petasus": {{{}}}}}"#, all.join(",")));
        assert!(outcome.failure.is_none());
        assert_eq!(outcome.counts.passed, CASES);
    }
}
