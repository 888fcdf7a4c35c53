//! `petasus bench` and `petasus top`.

use rustix::process::Signal;
use tempfile::tempdir;

use crate::binary::Broker;
use crate::wamp::guarded;

/// The lines that `bench` printed; it says nothing on standard error, which is no terminal here.
fn bench(broker: &Broker, args: &[&str]) -> Vec<String> {
    let (out, err, code) = broker.run(&[&["bench"], args, &["--seconds", "0.3", "--clients", "2"]].concat());
    assert_eq!((err.as_str(), code), ("", Some(0)), "{args:?}");
    out.lines().map(str::to_owned).collect()
}

#[test]
fn a_bench_prints_a_table_of_percentiles() {
    let broker = Broker::start(&[]);
    for (args, wire) in [
        (&["publish"][..], "wamp"),
        (&["deliver", "--in-flight", "4"], "wamp"),
        (&["request"], "wamp"),
        (&["publish", "--dialect", "mercury"], "mercury"),
        (&["deliver", "--dialect", "mercury", "--rate", "100"], "mercury"),
    ] {
        let lines = bench(&broker, args);
        assert!(lines[0].starts_with(args[0]), "{lines:?}");
        assert!(lines[1].starts_with(&format!("2 clients over {wire}, ")), "{lines:?}");
        let names: Vec<&str> = lines[3].split_whitespace().collect();
        assert_eq!(names, ["messages", "messages/s", "p50", "p90", "p99", "p99.9", "max"]);
        let values: Vec<f64> = lines[4].split_whitespace().filter_map(|word| word.parse().ok()).collect();
        assert_eq!(values.len(), 7, "{lines:?}");
        assert!(values[0] >= 1.0 && values[2..].is_sorted(), "{lines:?}");
        assert_eq!(lines.len(), 5, "{lines:?}");
    }
}

#[test]
fn a_rate_is_kept_to() {
    let broker = Broker::start(&[]);
    let lines = bench(&broker, &["publish", "--rate", "10", "--in-flight", "2"]);
    // One at the beginning, and one each 0.1 s.
    let messages: u64 = lines[4].split_whitespace().next().unwrap().parse().unwrap();
    assert!((1..=3).contains(&messages), "{lines:?}");
}

#[test]
fn a_bench_that_is_refused_says_why() {
    let folder = tempdir().unwrap();
    let broker = guarded(folder.path(), "\"publish\"");
    for load in ["publish", "deliver", "request"] {
        let (out, err, code) = broker.run(&["bench", load, "--seconds", "0.1"]);
        assert_eq!((out.as_str(), code), ("", Some(4)), "{err}");
        assert!(err.contains("wamp.error.not_authorized"), "{err}");
    }
}

#[test]
fn top_counts_sessions_subscriptions_and_registrations() {
    let broker = Broker::start(&[]);
    let _echo = broker.connect(&["register-echo", "com.example.echo"]);
    let _one = broker.connect(&["sub", "news/sport", "--dialect", "wamp"]);
    let _two = broker.connect(&["sub", "news/sport", "--dialect", "wamp"]);
    let (out, err, code) = broker.run(&["top", "--once"]);
    assert_eq!((err.as_str(), code), ("", Some(0)));
    let rows: Vec<Vec<&str>> = out.lines().map(|line| line.split_whitespace().collect()).collect();
    let row = |name: &str| rows.iter().find(|row| row.first() == Some(&name)).expect(&out);
    assert!(rows[0][0].ends_with("/ws,") && rows[0][1..3] == ["realm", "default"], "{out}");
    // Its own one too.
    assert_eq!(row("sessions")[1..], ["4", "by", "role:", "anonymous", "4"], "{out}");
    assert_eq!(row("registrations")[1], "1", "{out}");
    assert!(out.lines().any(|line| line.trim_start().starts_with("2  news.sport")), "{out}");
}

#[test]
fn top_goes_on_until_it_is_interrupted_and_shows_rates() {
    let broker = Broker::start(&[]);
    let mut top = broker.connect(&["top", "--every", "0.1"]);
    let mut sessions = || loop {
        let line = top.line_or_empty();
        if line.starts_with("sessions") {
            return line;
        }
    };
    assert!(sessions().contains("-0.0/s"));
    broker.quietly(&["pub", "x", "y", "--dialect", "wamp"]);
    // The one that came is counted in one of the next tables.
    while sessions().contains("+0.0/s") {}
    top.signal(Signal::INT);
    assert_eq!(top.end().2.code(), Some(0));
}

#[test]
fn what_top_may_not_see_is_said_in_its_line() {
    let folder = tempdir().unwrap();
    let broker = guarded(folder.path(), "\"publish\"");
    let (out, err, code) = broker.run(&["top", "--once"]);
    assert_eq!((err.as_str(), code), ("", Some(0)));
    let line = out.lines().find(|line| line.starts_with("sessions")).unwrap();
    assert!(line.contains("refused: wamp.error.not_authorized"), "{out}");
    let (out, _, _) = broker.run(&["top", "--once", "--user", "joe", "--ticket", "t"]);
    assert!(!out.contains("refused"), "{out}");
}
