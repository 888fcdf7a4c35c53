//! File, environment, flags; `check` and `config-doc`; addresses that can not be had.

use std::{net::TcpListener, process::Command};

use tempfile::tempdir;

use crate::binary::{Broker, Process, file, outcome, petasus};

#[test]
fn check_says_ok_and_what_it_read() {
    let folder = tempdir().unwrap();
    let check = |args: &[&str]| outcome(&petasus(args).current_dir(&folder).output().unwrap());
    assert_eq!(check(&["check"]), ("OK (no file, all defaults)\n".into(), String::new(), Some(0)));
    file(folder.path(), "petasus.toml", "[outbox]\npolicy = 'drop_oldest'\n");
    assert_eq!(check(&["check"]), ("OK (petasus.toml)\n".into(), String::new(), Some(0)));
    let other = file(folder.path(), "other.toml", "threads = 1\n");
    assert_eq!(check(&["check", "--config", &other]).0, format!("OK ({other})\n"));
}

#[test]
fn check_names_every_problem_with_its_place_and_a_hint() {
    let folder = tempdir().unwrap();
    let name = file(folder.path(), "a.toml", "threads = 'two'\n\n[outbox]\npolice = 'close'\n");
    let mut command = petasus(["check"]);
    command.env("PETASUS_CONFIG", &name).env("PETASUS_LIMITS_MESSAGES", "7");
    let (out, err, code) = outcome(&command.output().unwrap());
    let expected = [
        format!("petasus: {name}:1: threads: needs a whole number; this is a text"),
        format!("petasus: {name}:4: outbox.police: there is no such key (did you mean `outbox.policy`?)"),
        "petasus: environment variable PETASUS_LIMITS_MESSAGES: no key is set by this variable (did you mean \
         `PETASUS_LIMITS_MESSAGE`?)"
            .to_owned(),
    ];
    assert_eq!((out.as_str(), code, err.lines().count()), ("", Some(1), 3), "{err}");
    for (line, expected) in err.lines().zip(expected) {
        assert!(line.starts_with(&expected), "{line}");
    }
}

#[test]
fn check_finds_files_that_are_not_there() {
    let (_, err, code) = outcome(&petasus(["check", "--config", "/nowhere/a.toml"]).output().unwrap());
    assert!(err.contains("/nowhere/a.toml: can not be read"), "{err}");
    assert_eq!(code, Some(1));
    let mut command = petasus(["check"]);
    command.env("PETASUS_LISTEN", "https://*:443?cert=/nowhere/c.pem&key=/nowhere/k.pem");
    let (_, err, code) = outcome(&command.output().unwrap());
    assert!(err.contains("listen: /nowhere/c.pem") && err.contains("listen: /nowhere/k.pem"), "{err}");
    assert_eq!(code, Some(1));
}

#[test]
fn the_printed_reference_is_a_valid_configuration() {
    let folder = tempdir().unwrap();
    let (out, _, code) = outcome(&petasus(["config-doc"]).output().unwrap());
    assert_eq!(code, Some(0));
    let name = file(folder.path(), "all.toml", &out);
    let (out, err, code) = outcome(&petasus(["check", "--config", &name]).output().unwrap());
    assert_eq!((out, err.as_str(), code), (format!("OK ({name})\n"), "", Some(0)));
}

#[test]
fn the_access_file_is_checked_too() {
    let folder = tempdir().unwrap();
    let access = file(folder.path(), "access.toml", "anonymous = \"guest\"\nauthoriser = \"a.b\"\n");
    let config = file(folder.path(), "petasus.toml", &format!("[auth]\naccess = '{access}'\n"));
    let (out, err, code) = outcome(&petasus(["check", "--config", &config]).output().unwrap());
    let problem = "authoriser: there is no such key (did you mean `authorizer`?); there are anonymous, authorizer, \
                   users, rules";
    assert_eq!((out.as_str(), err, code), ("", format!("petasus: {access}:2: {problem}\n"), Some(1)));
    file(folder.path(), "access.toml", "anonymous = \"guest\"\n");
    assert_eq!(outcome(&petasus(["check", "--config", &config]).output().unwrap()).2, Some(0));
}

/// Whether a broker with these settings of `mode` says where the example page is.
fn has_page(file_mode: &str, variable: Option<&str>, flag: Option<&str>) -> bool {
    let folder = tempdir().unwrap();
    let text = format!("mode = '{file_mode}'\nlisten = ['http://127.0.0.1:0']\n[admin]\nlisten = 'none'\n");
    file(folder.path(), "petasus.toml", &text);
    let mut command = petasus(["broker"]);
    command.current_dir(&folder).env("PETASUS_DRAIN_TIMEOUT", "0.5");
    command.envs(variable.map(|mode| ("PETASUS_MODE", mode)));
    command.args(flag.map(|mode| format!("--mode={mode}")));
    let broker = Broker::spawn(&mut command);
    broker.process.signal(rustix::process::Signal::TERM);
    let (out, _, _) = broker.process.end();
    String::from_utf8(out).unwrap().contains("in a browser")
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    assert!(has_page("development", None, None));
    assert!(!has_page("development", Some("production"), None));
    assert!(has_page("development", Some("production"), Some("development")));
    assert!(!has_page("production", None, None));
    assert!(has_page("production", Some("development"), None));
}

#[test]
fn the_command_without_arguments_is_a_broker_in_development() {
    let mut command = petasus::<&str>([]);
    command.env("PETASUS_LISTEN", "http://*:0").env("PETASUS_ADMIN_LISTEN", "http://127.0.0.1:0");
    let mut broker = Broker::spawn(&mut command);
    let port = broker.url.rsplit_once(':').unwrap().1.to_owned();
    assert!(broker.process.line().starts_with("petasus: admin on http://127.0.0.1:"));
    assert_eq!(broker.process.line(), format!("petasus: open http://127.0.0.1:{port}/ in a browser"));
    assert!(broker.process.line().contains("`petasus help`"));
}

#[test]
fn production_asks_for_an_address() {
    let (out, err, code) = outcome(&petasus(["broker", "-m", "production"]).output().unwrap());
    assert!(err.contains("listen: production mode needs an explicit address"), "{err}");
    assert_eq!((out.as_str(), code), ("", Some(1)));
}

#[test]
fn a_busy_address_is_an_error_and_names_it() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let free = "http://127.0.0.1:0";
    for (listen, admin) in
        [(format!("http://{address}"), free.to_owned()), (free.to_owned(), format!("http://{address}"))]
    {
        let command = &mut petasus(["broker", "--listen", &listen, "--admin", &admin]);
        let (out, err, code) = outcome(&command.output().unwrap());
        assert!(err.contains(&format!("petasus: {address} is in use")), "{err}");
        assert_eq!((out.as_str(), code), ("", Some(1)));
    }
}

#[test]
fn wrong_flags_are_told_like_wrong_keys() {
    let (_, err, code) = outcome(&petasus(["broker", "-l", "127.0.0.1:3000"]).output().unwrap());
    assert!(
        err.starts_with("petasus: --listen: listen: `127.0.0.1:3000`: an address begins with http://"),
        "{err}"
    );
    assert_eq!(code, Some(1));
    let command = &mut petasus(["broker", "--log", "/nowhere/petasus.log", "--admin", "none"]);
    let (_, err, code) = outcome(&command.output().unwrap());
    assert!(err.contains("/nowhere/petasus.log: the log file can not be opened"), "{err}");
    assert_eq!(code, Some(1));
}

#[test]
fn a_unix_socket_is_served_and_a_live_one_refused() {
    let folder = tempdir().unwrap();
    let url = format!("http+unix://{}/petasus.sock", folder.path().display());
    let args = ["broker", "--listen", &url, "--admin", "none"];
    let broker = Broker::spawn(&mut petasus(args));
    assert_eq!(broker.url, url);
    let (_, err, code) = outcome(&petasus(args).output().unwrap());
    assert!(err.contains("petasus.sock is in use"), "{err}");
    assert_eq!(code, Some(1));
}

#[test]
fn log_lines_can_be_json() {
    let mut command = petasus(["broker", "--listen", "http://127.0.0.1:0", "--admin", "none"]);
    let mut process =
        Process::spawn(command.env("PETASUS_LOG_FORMAT", "json").env("PETASUS_LOG_LEVEL", "info"));
    let line: serde_json::Value = serde_json::from_str(&process.wait_for_stderr("started")).unwrap();
    assert_eq!((&line["level"], &line["message"]), (&"INFO".into(), &"started".into()));
}

#[test]
fn more_connections_than_open_files_is_a_warning() {
    let binary = env!("CARGO_BIN_EXE_petasus");
    let script = format!("ulimit -n 500; exec '{binary}' broker --listen http://127.0.0.1:0 --admin none");
    let mut process = Process::spawn(Command::new("sh").env_clear().args(["-c", &script]));
    let line = process.wait_for_stderr("limits.connections is more than the open files");
    assert!(line.contains("WARN") && line.contains("limit=500"), "{line}");
}

#[test]
fn the_soft_limit_of_open_files_is_raised() {
    let binary = env!("CARGO_BIN_EXE_petasus");
    let script = format!(
        "ulimit -Sn 100; ulimit -Hn 900; PETASUS_LIMITS_CONNECTIONS=800 exec '{binary}' broker \
         --listen http://127.0.0.1:0 --admin none"
    );
    let mut process = Process::spawn(Command::new("sh").env_clear().args(["-c", &script]));
    let line = process.wait_for_stderr(" ");
    assert!(line.contains("started"), "{line}");
}
