use std::time::Duration;

use proptest::prelude::*;

use super::super::{Config, Layers, ListenAddress, Mode, OverflowPolicy, Problem, keys};

fn variables(list: &[(&str, &str)]) -> Vec<(String, String)> {
    list.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn file(text: &str) -> Layers {
    let mut layers = Layers::default();
    layers.file("petasus.toml", text);
    layers
}

/// The problems of a file, one line each.
fn problems(layers: Layers) -> Vec<String> {
    layers.build().unwrap_err().problems.iter().map(Problem::to_string).collect()
}

#[test]
fn nothing_set_is_the_default() {
    assert_eq!(Layers::default().build().unwrap(), Config::default());
}

#[test]
fn flags_win_over_the_environment_and_that_over_the_file() {
    let mut layers = file("threads = 1\nmode = 'production'\nlisten = ['http://*:1']\n[limits]\nmessage = 1");
    assert_eq!(layers.clone().build().unwrap().threads, 1);
    layers.environment(variables(&[
        ("PETASUS_THREADS", "2"),
        ("PETASUS_LISTEN", "http://*:2"),
        ("HOME", "/"),
    ]));
    layers.flag("--listen", "listen", &["http://*:3".to_owned(), "http://*:4".to_owned()]);
    let config = layers.build().unwrap();
    assert_eq!((config.limits.message, config.threads, config.mode), (1, 2, Mode::Production));
    assert_eq!(config.listen, ["http://*:3".parse().unwrap(), "http://*:4".parse().unwrap()]);
}

#[test]
fn every_kind_of_value_can_come_from_the_environment() {
    let mut layers = Layers::default();
    layers.environment(variables(&[
        ("PETASUS_OUTBOX_POLICY", "drop_oldest"),
        ("PETASUS_ALLOW_ORIGIN", "example.com, *.example.org ,"),
        ("PETASUS_LISTEN", "http://*:80?dialects=mercury,pinghub:/p,http://*:81"),
        ("PETASUS_TIMEOUTS_PING", "0.5"),
        ("PETASUS_LIMITS_CONNECTIONS", " 7 "),
        ("PETASUS_ADMIN_LISTEN", "none"),
        ("PETASUS_ADMIN_MUNIN", "127.0.0.1:8082"),
        ("PETASUS_AUTH_REQUEST", "http://127.0.0.1:9/auth"),
        ("PETASUS_LOG_FILE", ""),
        ("PETASUS_URL", "ws://elsewhere"),
        ("PETASUS_CONFIG", "elsewhere.toml"),
    ]));
    let config = layers.build().unwrap();
    assert_eq!(config.outbox.policy, OverflowPolicy::DropOldest);
    assert_eq!(config.allow_origin, ["example.com", "*.example.org"]);
    assert_eq!(config.listen.len(), 2);
    assert_eq!(config.listen[0].dialects.pinghub.as_deref(), Some("/p"));
    assert_eq!(config.timeouts.ping.duration(), Duration::from_millis(500));
    assert_eq!(config.limits.connections, 7);
    assert_eq!(config.admin.listen, None);
    assert_eq!(config.admin.munin.unwrap().port, 8082);
    assert_eq!(config.auth.request.unwrap().path(), "/auth");
    assert_eq!(config.log.path(), None);
}

#[test]
fn an_unknown_key_is_reported_with_its_line_and_a_hint() {
    let found = problems(file("# comment\nmod = 'production'\n\n[limits]\nmesage = 1\n[limit]\nx = 1"));
    assert_eq!(
        found,
        [
            "petasus.toml:2: mod: there is no such key (did you mean `mode`?); `petasus config-doc` prints all of them",
            "petasus.toml:5: limits.mesage: there is no such key (did you mean `limits.message`?); `petasus config-doc` prints all of them",
            "petasus.toml:6: limit: there is no such key (did you mean `limits`?); `petasus config-doc` prints all of them",
        ]
    );
}

#[test]
fn an_unknown_variable_is_reported_with_a_hint() {
    let mut layers = Layers::default();
    layers.environment(variables(&[("PETASUS_OUTBOX_POLICE", "close"), ("PETASUS_ALL", "1")]));
    let found = problems(layers);
    assert_eq!(found.len(), 2);
    assert!(
        found[0].starts_with("environment variable PETASUS_ALL: no key is set by this variable"),
        "{found:?}"
    );
    assert!(
        found[1].contains("PETASUS_OUTBOX_POLICE: ") && found[1].contains("`PETASUS_OUTBOX_POLICY`"),
        "{found:?}"
    );
}

#[test]
fn all_problems_are_reported_at_once_and_each_key_once() {
    let mut layers = file(
        "mode = 'prodction'\nlisten = ['http://*:80', 'http://localhost']\nthreads = -1\ndrain_timeout = nan\n\
         log = 'x'\n[limits]\nmessage = '1'\nhead = 99999999999999999999\n[outbox]\nbytes = 5\n[timeouts]\nidle = -3\nping = 1979-05-27",
    );
    layers.environment(variables(&[("PETASUS_LIMITS_CONNECTIONS", "many"), ("PETASUS_TIMEOUTS_HEAD", "0")]));
    assert_eq!(
        problems(layers),
        [
            "petasus.toml:1: mode: `prodction` is none of \"development\", \"production\" (did you mean `production`?)",
            "petasus.toml:2: listen: `http://localhost`: the port is missing; write for example 127.0.0.1:3000, or port 0 for any free one",
            "petasus.toml:3: threads: must be at least 0",
            "petasus.toml:4: drain_timeout: needs a number of seconds, as in 30 or 0.5; this is not a number",
            "petasus.toml:5: log: this is a section; write its keys below a line [log]",
            "petasus.toml:7: limits.message: needs a whole number; this is a text",
            "petasus.toml:8: limits.head: needs a whole number; this is 1e+20",
            "petasus.toml:10: outbox.bytes: 5 is below `limits.message` (262144), so that the longest message never fits; raise it to 262144",
            "petasus.toml:10: outbox.bytes: 5 is below `pinghub.message` (65536), so that the longest message never fits; raise it to 65536",
            "petasus.toml:12: timeouts.idle: must be 0 (never) or at least 0.1",
            "petasus.toml:13: timeouts.ping: needs a number of seconds, as in 30 or 0.5; this is a table",
            "environment variable PETASUS_LIMITS_CONNECTIONS: limits.connections: `many` is not a number",
            "environment variable PETASUS_TIMEOUTS_HEAD: timeouts.head: must be more than 0",
        ]
    );
}

#[test]
fn intervals_that_are_too_short_are_told_with_their_bound() {
    let text = "[timeouts]\nping = 0.001\n[pinghub]\nping = 0\npong = 0.05";
    assert_eq!(
        problems(file(text)),
        [
            "petasus.toml:2: timeouts.ping: must be 0 (never) or at least 0.1",
            "petasus.toml:4: pinghub.ping: must be at least 0.1",
            "petasus.toml:5: pinghub.pong: must be at least 0.1",
        ]
    );
}

/// Only one of two keys that disagree may have been set: its line is named then.
#[test]
fn keys_that_disagree_are_told_with_a_line_that_was_written() {
    let total = problems(file("[queue]\nhold_total = 1000000"));
    let message = "queue.hold_total: 1000000 is below `queue.hold_bytes` (16777216), so that no queue can ever \
                   hold that much; raise it to 16777216, or lower `queue.hold_bytes`";
    assert_eq!(total, [format!("petasus.toml:2: {message}")]);
    let bytes = problems(file("threads = 1\n[queue]\nhold_bytes = 300_000_000"));
    let message = "queue.hold_total: 268435456 is below `queue.hold_bytes` (300000000), so that no queue can ever \
                   hold that much; raise it to 300000000, or lower `queue.hold_bytes`";
    assert_eq!(bytes, [format!("petasus.toml:3: {message}")]);
    let idle = problems(file("[timeouts]\nidle = 20"));
    let message =
        "timeouts.ping: must be shorter than `timeouts.idle` (20 s); shorten this one or lengthen the other";
    assert_eq!(idle, [format!("petasus.toml:2: {message}")]);
}

#[test]
fn a_key_that_is_wrong_by_itself_is_not_blamed_twice() {
    let found = problems(file("mode = 'production'\nlisten = ['nowhere']"));
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn an_address_printed_can_stand_in_a_comma_separated_list() {
    let addresses: Vec<ListenAddress> =
        ["http+unix://a%2C://b.sock?dialects=pinghub:/x", "https://*:1?cert=a%2Cb&key=%2C://"]
            .map(|text| text.parse().unwrap())
            .into();
    let list = format!("{}, {}", addresses[0], addresses[1]);
    let mut layers = Layers::default();
    layers.environment(variables(&[("PETASUS_LISTEN", &list)]));
    assert_eq!(layers.build().unwrap().listen, addresses);
}

#[test]
fn a_file_that_is_not_toml_is_reported_with_its_line() {
    for text in ["mode = 'production'\n\nlisten = [", "a = 1\n\na = 2"] {
        let found = problems(file(text));
        assert!(found[0].starts_with("petasus.toml:3: not TOML: "), "{found:?}");
    }
    let deep = problems(file(&format!("listen = {}", "[".repeat(100_000))));
    assert!(deep[0].starts_with("petasus.toml:1: not TOML: "), "{}", deep[0]);
}

#[test]
fn a_flag_of_an_unknown_key_is_a_problem_not_a_panic() {
    let mut layers = Layers::default();
    layers.flag("--mood", "mood", &["good".to_owned()]);
    assert!(problems(layers)[0].starts_with("--mood: mood: there is no such key"));
}

/// Text that is a configuration, nearly.
fn texts() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        proptest::sample::select(keys::keys().map(keys::Key::path).collect::<Vec<_>>()),
        "[a-z_.]{0,12}".prop_map(String::from),
    ];
    let value = prop_oneof![
        "-?[0-9_]{1,20}(\\.[0-9]{1,3})?(e[0-9]{1,3})?",
        "\"[^\"\n]{0,20}\"",
        "\\[(\"[^\"\n]{0,20}\",? ?){0,3}\\]?",
        "\\{[a-z]{0,3} = 1\\}|true|nan|-inf|0x[0-9a-f]{1,20}|1979-05-27",
        ".{0,10}",
    ];
    let line = prop_oneof![
        (name.clone(), value).prop_map(|(name, value)| format!("{name} = {value}")),
        name.prop_map(|name| format!("[{name}]")),
        ".{0,20}".prop_map(String::from),
    ];
    proptest::collection::vec(line, 0..6).prop_map(|lines| lines.join("\n"))
}

proptest! {
    #[test]
    fn no_text_panics_the_loader(text in texts(), value in ".{0,20}", pick in 0_usize..36) {
        let key = keys::keys().nth(pick).unwrap();
        let mut layers = file(&text);
        layers.environment([(key.variable(), value.clone())]);
        layers.flag("--flag", &key.path(), &[value]);
        if let Err(error) = layers.build() {
            prop_assert!(!error.to_string().is_empty());
        }
    }
}
