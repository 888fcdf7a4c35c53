use super::super::{Config, Mode, OriginMatch, Seconds, WithoutPuller};

/// The keys at fault once `change` was made to the default configuration.
fn faults(change: impl FnOnce(&mut Config)) -> Vec<String> {
    let mut config = Config::default();
    change(&mut config);
    config
        .validate()
        .err()
        .map_or_else(Vec::new, |error| error.problems.into_iter().map(|it| it.key).collect())
}

#[test]
fn the_defaults_are_valid() {
    assert_eq!(Config::default().validate(), Ok(()));
    assert_eq!(Config::default().listen_addresses()[0].to_string(), "http://127.0.0.1:3000");
}

#[test]
fn production_needs_an_address_unless_embedded() {
    assert_eq!(faults(|config| config.mode = Mode::Production), ["listen"]);
    let embedded = Config { mode: Mode::Production, ..Config::default() };
    assert_eq!(embedded.validate_embedded(), Ok(()));
    assert!(embedded.listen_addresses().is_empty());
}

#[test]
fn the_longest_message_must_fit() {
    assert_eq!(faults(|config| config.limits.message = 1_048_576), [""; 0]);
    assert_eq!(faults(|config| config.limits.message = 1_048_577), ["outbox.bytes"]);
    assert_eq!(faults(|config| config.pinghub.message = 1_048_577), ["outbox.bytes"]);
    assert_eq!(faults(|config| config.queue.hold_bytes = 1), [""; 0]);
    let hold = |config: &mut Config| {
        config.queue.hold_bytes = 1;
        config.queue.without_puller = WithoutPuller::Hold;
    };
    assert_eq!(faults(hold), ["queue.hold_bytes"]);
}

#[test]
fn ping_is_shorter_than_what_it_guards() {
    assert_eq!(faults(|config| config.timeouts.idle = Seconds::new(30)), ["timeouts.ping"]);
    assert_eq!(faults(|config| config.timeouts.idle = Seconds::new(0)), [""; 0]);
    assert_eq!(faults(|config| config.timeouts.ping = Seconds::new(0)), [""; 0]);
    assert_eq!(faults(|config| config.pinghub.pong = Seconds::new(27)), ["pinghub.ping"]);
}

#[test]
fn intervals_are_zero_or_long_enough_not_to_keep_a_core_busy() {
    let tiny = Seconds::from_f64(0.099).unwrap();
    let least = Seconds::from_f64(0.1).unwrap();
    assert_eq!(faults(|config| config.timeouts.ping = tiny), ["timeouts.ping"]);
    assert_eq!(faults(|config| config.timeouts.ping = least), [""; 0]);
    assert_eq!(faults(|config| config.pinghub.ping = tiny), ["pinghub.ping"]);
    assert_eq!(faults(|config| config.pinghub.ping = least), [""; 0]);
    let idle = |idle| faults(|config| (config.timeouts.ping, config.timeouts.idle) = (Seconds::new(0), idle));
    assert_eq!([idle(tiny), idle(least)], [vec!["timeouts.idle".to_owned()], Vec::new()]);
    let pong = |pong| faults(|config| (config.pinghub.ping, config.pinghub.pong) = (least, pong));
    assert_eq!(pong(tiny), ["pinghub.pong", "pinghub.ping"]);
    assert_eq!(pong(Seconds::new(1)), [""; 0]);
}

#[test]
fn one_queue_may_hold_no_more_than_all_of_them() {
    let total = |bytes| faults(|config| config.queue.hold_total = bytes);
    assert_eq!(total(16_777_216), [""; 0]);
    assert_eq!(total(16_777_215), ["queue.hold_total"]);
}

#[test]
fn sizes_and_times_have_ranges_also_in_rust() {
    assert_eq!(faults(|config| config.limits.message = 0), ["limits.message"]);
    assert_eq!(faults(|config| config.limits.connections = 0), ["limits.connections"]);
    assert_eq!(faults(|config| config.limits.head = 100), ["limits.head"]);
    assert_eq!(faults(|config| config.threads = usize::MAX), ["threads"]);
    assert_eq!(faults(|config| config.hooks.timeout = Seconds::new(0)), ["hooks.timeout"]);
}

#[test]
fn origin_patterns_are_read_the_way_they_will_be_used() {
    let set = |text: &str, origin_match| {
        let patterns = vec![text.to_owned(), "example.com".to_owned()];
        faults(|config| (config.allow_origin, config.origin_match) = (patterns, origin_match))
    };
    assert_eq!(set("http://a/b", OriginMatch::Strict), ["allow_origin"]);
    assert_eq!(set("http://a/b", OriginMatch::Mercury), [""; 0]);
    assert_eq!(set("*.example.com", OriginMatch::Strict), [""; 0]);
    assert_eq!(faults(|config| config.pinghub.origin = "example.com".into()), ["pinghub.origin"]);
    assert_eq!(faults(|config| config.pinghub.origin = "https://example.com".into()), [""; 0]);
}

#[test]
fn the_paths_of_wamp_can_be_asked_for() {
    for path in ["ws", "/", "/ws/", "/a//b", "/bus", "/pub/x", "/w?s", ""] {
        assert_eq!(faults(|config| config.wamp.paths = vec![path.to_owned()]), ["wamp.paths"], "{path}");
    }
    assert_eq!(faults(|config| config.wamp.longpoll = "/sub".to_owned()), ["wamp.longpoll"]);
    assert_eq!(faults(|config| config.wamp.longpoll = String::new()), [""; 0]);
    assert_eq!(faults(|config| config.wamp.paths = vec!["/a/b".to_owned()]), [""; 0]);
}

#[test]
fn two_listeners_need_two_places() {
    let address = |text: &str| text.parse().unwrap();
    assert_eq!(faults(|config| config.listen = vec![address("http://127.0.0.1:3001")]), ["admin.listen"]);
    let unix = vec![address("http+unix:///x"), address("http+unix://%2Fx")];
    assert_eq!(faults(|config| config.listen = unix), ["listen"]);
    let any = vec![address("http://127.0.0.1:0"), address("http://127.0.0.1:0")];
    assert_eq!(faults(|config| config.listen = any), [""; 0]);
    assert_eq!(
        faults(|config| config.admin.munin = Some("127.0.0.1:3000".parse().unwrap())),
        ["admin.munin"]
    );
    let pinghub = Some(address("http://127.0.0.1:1?dialects=pinghub"));
    assert_eq!(faults(|config| config.admin.listen = pinghub), ["admin.listen"]);
}

#[test]
fn levels_and_the_subrequest_url_are_checked() {
    for (level, wrong) in
        [("info", false), ("warn,petasus_broker=debug", false), ("loud", true), ("=info", true)]
    {
        assert_eq!(!faults(|config| config.log.level = level.into()).is_empty(), wrong, "{level}");
    }
    for (url, wrong) in [("http://127.0.0.1:8080/auth", false), ("https://a/", true), ("/auth", true)] {
        assert_eq!(
            !faults(|config| config.auth.request = Some(url.parse().unwrap())).is_empty(),
            wrong,
            "{url}"
        );
    }
}

#[test]
fn a_mount_and_what_wamp_has_do_not_lie_in_each_other() {
    let listen = |dialects: &str| {
        let url = format!("http://*:80?dialects={dialects}");
        faults(move |config| config.listen = vec![url.parse().unwrap()])
    };
    for fits in ["wamp,pinghub", "wamp,pinghub:/hub", "mercury,pinghub:/ws", "pinghub:/ws", "wamp,pinghub:/w"]
    {
        assert_eq!(listen(fits), [""; 0], "{fits}");
    }
    for hidden in ["wamp,pinghub:/ws", "wamp,pinghub:/longpoll", "mercury,wamp,pinghub:/longpoll/x"] {
        assert_eq!(listen(hidden), ["listen"], "{hidden}");
    }
}
