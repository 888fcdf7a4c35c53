//! The program: what it says with its exit status, and that there is a report whatever the target does.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

use petasus_conformance::report::{CheckReport, Report};
use petasus_conformance::run::Verdict;
use serde_json::Value;

const PROGRAM: &str = env!("CARGO_BIN_EXE_petasus-conformance");

/// The program, without settings of the surroundings.
fn program(arguments: &[&str]) -> Command {
    let mut command = Command::new(PROGRAM);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("CONFORMANCE_") {
            command.env_remove(name);
        }
    }
    command.args(arguments).current_dir(std::env::temp_dir());
    command
}

/// One of the brokers that the program can be.
struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn start(mutant: &str) -> Self {
        let mut child = program(&["mutants", "--serve", mutant]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let url = line.trim().strip_prefix("listening on ").unwrap().to_owned();
        Self { child, url }
    }

    fn signal(&self, signal: &str) {
        let status = Command::new("kill").args([signal, &self.child.id().to_string()]).status().unwrap();
        assert!(status.success());
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Runs the checks and writes a report.
struct Run {
    folder: tempfile::TempDir,
}

impl Run {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn command(&self, url: &str, arguments: &[&str]) -> Command {
        let report = format!("json={}", self.file("report.json").display());
        let mut command = program(&["run", "--url", url, "--seed", "1", "--report", &report]);
        command.args(arguments);
        command
    }

    fn to_end(&self, url: &str, arguments: &[&str]) -> Output {
        self.command(url, arguments).output().unwrap()
    }

    fn report(&self) -> Report {
        let text = std::fs::read_to_string(self.file("report.json")).unwrap();
        let value = serde_json::from_str(&text).unwrap();
        assert_eq!(fits(&value, &schema(), "report"), Ok(()));
        serde_json::from_value(value).unwrap()
    }
}

fn schema() -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("spec/report.schema.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// Whether a value fits a schema, as far as this schema uses what schemas may say.
fn fits(value: &Value, root: &Value, at: &str) -> Result<(), String> {
    fits_one(value, root, root, at)
}

fn fits_one(value: &Value, schema: &Value, root: &Value, at: &str) -> Result<(), String> {
    let Some(rules) = schema.as_object() else { return Ok(()) };
    for (rule, wanted) in rules {
        let is_so = match rule.as_str() {
            "$schema" | "title" | "$defs" | "properties" => true,
            "$ref" => {
                let path = wanted.as_str().unwrap().strip_prefix('#').unwrap();
                return fits_one(value, root.pointer(path).unwrap(), root, at);
            }
            "type" => match wanted {
                Value::Array(any) => any.iter().any(|name| is_a(value, name)),
                one => is_a(value, one),
            },
            "const" => value == wanted,
            "enum" => wanted.as_array().unwrap().contains(value),
            "minItems" => value.as_array().is_none_or(|all| all.len() as u64 >= wanted.as_u64().unwrap()),
            "maxItems" => value.as_array().is_none_or(|all| all.len() as u64 <= wanted.as_u64().unwrap()),
            "required" => value.as_object().is_none_or(|fields| {
                wanted.as_array().unwrap().iter().all(|name| fields.contains_key(name.as_str().unwrap()))
            }),
            "items" => {
                for (number, item) in value.as_array().into_iter().flatten().enumerate() {
                    fits_one(item, wanted, root, &format!("{at}[{number}]"))?;
                }
                true
            }
            "additionalProperties" => {
                let known = &schema["properties"];
                for (name, field) in value.as_object().into_iter().flatten() {
                    if known.get(name).is_none() {
                        if wanted == &Value::Bool(false) {
                            return Err(format!("{at} has {name}, which the schema does not know"));
                        }
                        fits_one(field, wanted, root, &format!("{at}.{name}"))?;
                    }
                }
                true
            }
            other => return Err(format!("this test does not know the rule {other}")),
        };
        if !is_so {
            return Err(format!("{at} breaks {rule}: {wanted}"));
        }
    }
    for (name, field) in value.as_object().into_iter().flatten() {
        if let Some(schema) = schema["properties"].get(name) {
            fits_one(field, schema, root, &format!("{at}.{name}"))?;
        }
    }
    Ok(())
}

fn is_a(value: &Value, name: &Value) -> bool {
    match name.as_str().unwrap() {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "null" => value.is_null(),
        other => panic!("this test does not know the type {other}"),
    }
}

#[test]
fn a_good_broker_is_told_by_0_and_a_bad_one_by_1_and_a_token_that_breaks_it_again() {
    let (run, good) = (Run::new(), Served::start("clean"));
    let output = run.to_end(&good.url, &["pushpull.churn", "topics"]);
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(run.report().checks.iter().all(|check| check.verdict == Verdict::Pass));

    let bad = Served::start("skip-on-leave");
    let output = run.to_end(&bad.url, &["pushpull.churn"]);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stdout));
    let report = run.report();
    let finding =
        report.checks[0].findings.iter().find(|finding| finding.requirement == "REQ-RR-005").unwrap();
    let replay = |url: &str| program(&["replay", &finding.token, "--url", url]).output().unwrap();
    let output = replay(&bad.url);
    assert_eq!(output.status.code(), Some(1), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stdout).contains("REQ-RR-005: "));
    assert_eq!(replay(&good.url).status.code(), Some(0));
}

#[test]
fn the_file_of_expected_failures_is_written_and_taken_back() {
    let (run, bad) = (Run::new(), Served::start("skip-on-leave"));
    let file = run.file("expectations.toml");
    let expect = ["--expect", file.to_str().unwrap()];
    let churn = |url: &str| run.to_end(url, &["pushpull.churn", expect[0], expect[1]]).status.code();
    let update = || {
        let report = run.file("report.json");
        let arguments = ["expect", report.to_str().unwrap(), "--update", expect[1]];
        program(&arguments).output().unwrap().status.code()
    };
    std::fs::write(&file, "# ours\n").unwrap();
    assert_eq!(churn(&bad.url), Some(1));
    assert_eq!(update(), Some(0));
    let written = std::fs::read_to_string(&file).unwrap();
    assert!(written.starts_with("# ours\n") && written.contains("REQ-RR-005"), "{written}");
    assert_eq!(churn(&bad.url), Some(0), "{written}");
    assert_eq!(run.report().checks[0].verdict, Verdict::Known);
    // The defect is mended: the entries are out of date, which fails, and are taken out again.
    let good = Served::start("clean");
    assert_eq!(churn(&good.url), Some(1));
    assert!(!run.report().stale.is_empty());
    assert_eq!(update(), Some(0));
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "# ours\n");
    assert_eq!(churn(&good.url), Some(0));
}

#[test]
fn what_is_told_is_made_again_from_json() {
    let (run, bad) = (Run::new(), Served::start("skip-on-leave"));
    run.to_end(&bad.url, &["pushpull.churn", "topics.refused"]);
    let (json, page) = (run.file("report.json"), run.file("page.html"));
    let json = json.to_str().unwrap();
    let output = program(&["report", json, &format!("html={}", page.display())]).output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    let page = std::fs::read_to_string(page).unwrap();
    let token = &run.report().checks[0].findings[0].token;
    for part in ["REQ-RR-005", token.as_str(), "<svg class=\"chart\"", "topics", bad.url.as_str()] {
        assert!(page.contains(part), "{part}");
    }
    assert!(!page.contains("http://www") && !page.contains("src=") && !page.contains("@import"));
    let both = run.file("both.html");
    let matrix = program(&["matrix", json, json, "--html", both.to_str().unwrap()]).output().unwrap();
    assert_eq!(matrix.status.code(), Some(0));
    assert_eq!(std::fs::read_to_string(both).unwrap().matches("<section class=\"target\">").count(), 2);
    let badge = program(&["badge", json]).output().unwrap();
    let badge: Value = serde_json::from_slice(&badge.stdout).unwrap();
    assert_eq!((&badge["message"], &badge["color"]), (&"1 failed".into(), &"red".into()));
}

#[test]
fn an_address_where_nobody_is_ends_with_3_and_a_report() {
    let run = Run::new();
    // Bound and dropped: nobody listens there.
    let url = format!("ws://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let output = run.to_end(&url, &[]);
    assert_eq!(output.status.code(), Some(3));
    assert!(run.report().problem.unwrap().contains("nobody listens"));
}

#[test]
fn a_target_with_nothing_that_is_tried_ends_with_4() {
    let (run, broker) = (Run::new(), Served::start("clean"));
    let output = run.to_end(&broker.url, &["bus.churn", "bus.exchange", "--without", "bus"]);
    assert_eq!(output.status.code(), Some(4), "{}", String::from_utf8_lossy(&output.stdout));
    assert!(run.report().checks.iter().all(|check| check.verdict == Verdict::Unsupported));
}

#[test]
fn the_doctor_tells_what_is_claimed_and_not_there_and_what_is_there_and_not_claimed() {
    let doctor = |broker: &Served, arguments: &[&str]| {
        let output = program(&["doctor", "--probe", "--url", &broker.url]).args(arguments).output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
    };
    let good = Served::start("clean");
    let (status, told) = doctor(&good, &["--without", "payload.binary"]);
    assert_eq!(status, Some(0), "{told}");
    assert!(told.contains("info: payload.binary works, and is not claimed"), "{told}");
    assert!(!told.contains("fail: "), "{told}");
    let bad = Served::start("binary-as-text");
    let (status, told) = doctor(&bad, &[]);
    assert_eq!(status, Some(1), "{told}");
    assert!(told.contains("fail: payload.binary is claimed, and does not work"), "{told}");
    let (_, told) = doctor(&bad, &["--without", "payload.binary"]);
    assert!(!told.contains("payload.binary works") && !told.contains("fail: payload.binary"), "{told}");
}

#[test]
fn wrong_usage_ends_with_2_and_says_what_is_wrong() {
    for (arguments, told) in [
        (&["run", "--url", "ws://127.0.0.1:9", "--driver", "nothing"][..], "there is no driver `nothing`"),
        (&["run", "--url", "127.0.0.1:9"], "write ws://HOST:PORT"),
        (&["run", "--url", "ws://127.0.0.1:9", "--with", "wings"], "there is no capability `wings`"),
        (&["run", "--url", "ws://127.0.0.1:9", "--profile", "wings"], "there is no profile `wings`"),
        (&["run", "--url", "ws://127.0.0.1:9", "--driver", "exec"], "needs the command of an adapter"),
        (&["run", "--url", "ws://127.0.0.1:9", "nothing"], "no check begins with nothing"),
        (&["run", "--url", "ws://127.0.0.1:9", "--report", "pdf=x"], "write json=FILE"),
        (&["run"], "no broker is named"),
        (&["replay", "pc1.AAAA", "--url", "ws://127.0.0.1:9"], "no replay token"),
        (&["fly"], "unrecognized subcommand"),
    ] {
        let output = program(arguments).output().unwrap();
        let stderr = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {stderr}");
        assert!(stderr.contains(told), "{arguments:?}: {stderr}");
    }
}

#[test]
fn a_target_that_is_frozen_or_sends_garbage_ends_with_3_and_a_report() {
    for garbage in [&b""[..], b"\0\xff\xfenonsense\r\n\r\n", b"HTTP/1.1 101 Switching Protocols\r\n\r\n"] {
        let (run, listener) = (Run::new(), TcpListener::bind("127.0.0.1:0").unwrap());
        let url = format!("ws://{}", listener.local_addr().unwrap());
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for mut socket in listener.incoming().map_while(Result::ok) {
                // Reads the request, so that what is sent is not lost in a reset.
                let _ = socket.read(&mut [0; 2048]);
                let _ = socket.write_all(garbage);
                kept.push(socket);
            }
        });
        let output = run.to_end(&url, &[]);
        assert_eq!(output.status.code(), Some(3), "{garbage:?}: {}", String::from_utf8_lossy(&output.stdout));
        assert!(run.report().problem.is_some());
    }
}

/// Does something to a broker as soon as the first check is told; the status, and the report.
fn disturbed(signal: &str) -> (Option<i32>, Report) {
    let (run, broker) = (Run::new(), Served::start("clean"));
    let mut child = run
        .command(&broker.url, &["pubsub", "bus", "pushpull", "order", "topics", "payload"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.starts_with("pass")));
    broker.signal(signal);
    lines.for_each(drop);
    (child.wait().unwrap().code(), run.report())
}

fn last(report: &Report) -> &CheckReport {
    report.checks.iter().rfind(|check| check.verdict != Verdict::Unsupported).unwrap()
}

#[test]
fn a_target_that_dies_midway_ends_with_3_and_a_report() {
    let (status, report) = disturbed("-KILL");
    let verdicts = || report.checks.iter().map(|check| (&check.id, check.verdict)).collect::<Vec<_>>();
    assert_eq!(status, Some(3), "{:?}", verdicts());
    assert_eq!(report.checks[0].verdict, Verdict::Pass);
    let last = last(&report);
    assert_eq!(last.verdict, Verdict::Inconclusive);
    let reason = last.reason.as_ref().unwrap();
    assert!(reason.contains("nobody listens") || reason.contains("does not answer any more"), "{reason}");
}

#[test]
fn a_target_that_freezes_midway_ends_with_3_and_a_report() {
    let (status, report) = disturbed("-STOP");
    let verdicts = || report.checks.iter().map(|check| (&check.id, check.verdict)).collect::<Vec<_>>();
    assert_eq!(status, Some(3), "{:?}", verdicts());
    assert_eq!(report.checks[0].verdict, Verdict::Pass);
    let last = last(&report);
    assert_eq!((last.verdict, last.cases), (Verdict::Inconclusive, 0));
    assert!(last.reason.as_ref().unwrap().contains("does not answer any more"), "{:?}", last.reason);
}
