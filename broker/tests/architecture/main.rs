//! The walls of the house: what a room may know is checked in the sources themselves.
//!
//! DESIGN: `listener -> connection -> dialect, hub -> protocol`; hub, dialect and protocol are pure. Code of
//! tests (`#[cfg(test)]`) is free. The checker is itself tested on bad snippets.

mod paths;
mod rules;
mod source;
mod tree;

use rules::{NAMES, WALLS};
use source::Source;

/// Fails with one line for each violation.
fn hold(violations: &[String]) {
    let text = violations.join("\n  ");
    assert!(violations.is_empty(), "{} violations:\n  {text}\n", violations.len());
}

#[test]
fn every_room_keeps_to_its_imports() {
    let sources = tree::sources();
    hold(&WALLS.iter().flat_map(|wall| wall.violations(sources)).collect::<Vec<_>>());
}

#[test]
fn every_wall_has_a_room_to_guard() {
    let sources = tree::sources();
    for wall in WALLS {
        for room in wall.rooms {
            assert!(
                sources.iter().any(|source| source.path.starts_with(room)),
                "no file in `{room}`: {}",
                wall.why
            );
        }
    }
}

#[test]
fn a_dialect_never_names_another_dialect() {
    hold(&rules::strange_dialects(tree::sources()));
}

#[test]
fn there_is_no_unsafe_code() {
    hold(&rules::unsafe_code(tree::sources()));
}

#[test]
fn files_are_about_one_thing_and_not_longer_than_600_lines() {
    hold(&rules::long_files(tree::sources()));
}

#[test]
fn names_say_what_a_thing_is() {
    hold(&rules::vague_names(tree::sources()));
}

#[test]
fn the_checker_sees_the_whole_workspace() {
    let sources = tree::sources();
    for file in ["protocol/src/lib.rs", "broker/src/hub/mod.rs", "cli/src/main.rs", "xtask/src/main.rs"] {
        assert!(sources.iter().any(|source| source.path == file), "{file} is not among the sources");
    }
    assert!(sources.iter().all(|source| !source.path.contains("target/")));
}

mod bad_snippets {
    use super::*;

    /// The violations that the walls find in a file with this path and text.
    fn found(path: &str, text: &str) -> Vec<String> {
        let sources = [Source::new(path, text)];
        WALLS.iter().flat_map(|wall| wall.violations(&sources)).collect()
    }

    #[test]
    fn the_pure_rooms_name_no_clock_no_thread_no_net_and_no_run_time() {
        for text in [
            "use tokio::sync::Notify;",
            "use ::tokio::sync::Notify;",
            "use std::{fmt, net::{IpAddr, TcpStream}};",
            "fn f() { let now = std::time::Instant::now(); }",
            "use std::time::Instant; fn f() -> Instant { Instant::now() }",
            "use std::time::{Duration, SystemTime};",
            "fn f() { std::thread::spawn(|| ()); }",
            "use std::thread as fibre;",
            "fn f() -> u8 { rand::random() }",
            "fn f() { tokio::select! {} }",
            "pub use tokio;",
            "extern crate tokio;",
        ] {
            for room in ["protocol/src/topic.rs", "broker/src/hub/bus.rs", "broker/src/dialect/mercury.rs"] {
                let found = found(room, text);
                assert!(!found.is_empty(), "{room}: {text}");
                assert!(found.iter().all(|line| line.starts_with(&format!("{room}:1: "))), "{found:?}");
            }
        }
    }

    #[test]
    fn only_the_listener_names_the_http_server_and_only_the_connection_names_the_websocket() {
        assert_eq!(found("broker/src/connection/mod.rs", "use hyper::upgrade::Upgraded;").len(), 1);
        assert_eq!(found("broker/src/core.rs", "fn f(router: axum::Router) {}").len(), 1);
        assert_eq!(found("broker/src/auth/hooks.rs", "use hyper_util::rt::TokioIo;").len(), 1);
        assert_eq!(found("broker/src/listener/accept.rs", "use hyper::body::Bytes;").len(), 0);
        assert_eq!(found("broker/src/auth/subrequest.rs", "use hyper::body::Bytes;").len(), 0);
        assert_eq!(found("broker/src/listener/upgrade.rs", "use tungstenite::Message;").len(), 1);
        assert_eq!(found("broker/src/connection/decoder.rs", "use tungstenite::Message;").len(), 0);
        assert_eq!(found("broker/src/listener/http.rs", "use petasus_protocol::{Message, Topic};").len(), 1);
    }

    #[test]
    fn imports_point_from_the_listener_to_the_hub_and_never_back() {
        assert_eq!(found("broker/src/hub/queue.rs", "use crate::connection::Outbox;").len(), 1);
        assert_eq!(found("broker/src/hub/queue.rs", "use super::super::dialect::Answer;").len(), 1);
        assert_eq!(found("broker/src/hub/mod.rs", "use super::config::Limits;").len(), 1);
        assert_eq!(found("broker/src/hub/mod.rs", "mod testing { use super::Outbox; }").len(), 0);
        assert_eq!(found("broker/src/hub/queue.rs", "use super::{Outbox, group::Group};").len(), 0);
        assert_eq!(found("broker/src/dialect/mercury.rs", "use crate::{connection, hub::Pushed};").len(), 1);
        assert_eq!(found("broker/src/dialect/mercury.rs", "use crate::hub::Pushed;").len(), 0);
        assert_eq!(found("broker/src/connection/mod.rs", "fn f() { crate::listener::bind(); }").len(), 1);
        assert_eq!(found("broker/src/config/mod.rs", "use crate::listener::Bound;").len(), 1);
    }

    #[test]
    fn comments_texts_and_tests_are_free() {
        for text in [
            "// use tokio::net;\n/* tokio::spawn /* nested */ tokio::spawn */",
            "/// Not `tokio::spawn`.\nfn f() -> &'static str { \"tokio::spawn(\\\"x\\\")\" }",
            "fn f() -> &'static str { r#\"tokio::spawn(\"x\")\"# }",
            "fn f<'a>(x: &'a str) -> char { '\"' } // tokio::spawn",
            "#[cfg(test)]\nmod tests { use tokio::net::TcpStream; fn f() { {} } }",
            "#[cfg(test)]\n#[path = \"x.rs\"]\nmod tests;",
            "#[cfg(all(test, unix))]\nuse std::thread;",
        ] {
            assert_eq!(found("broker/src/hub/bus.rs", text), Vec::<String>::new(), "{text}");
        }
        let after = "#[cfg(test)]\nmod tests { fn f() {} }\nuse tokio::net::TcpStream;";
        assert!(found("broker/src/hub/bus.rs", after)[0].starts_with("broker/src/hub/bus.rs:3: "));
        assert_eq!(found("broker/src/hub/bus.rs", "#[cfg(not(test))]\nuse tokio::net::TcpStream;").len(), 1);
        assert_eq!(found("broker/src/hub/tests.rs", "use tokio::net::TcpStream;").len(), 0);
        assert_eq!(found("broker/src/hub/tests/order.rs", "use tokio::net::TcpStream;").len(), 0);
    }

    #[test]
    fn dialects_that_know_each_other_are_found() {
        let found = |path, text| rules::strange_dialects(&[Source::new(path, text)]);
        assert_eq!(found("broker/src/dialect/mercury.rs", "use super::pinghub::Path;").len(), 1);
        assert_eq!(
            found("broker/src/dialect/wamp/hello.rs", "fn f() { crate::dialect::mqtt::f() }").len(),
            1
        );
        assert_eq!(found("broker/src/dialect/mercury.rs", "use super::{Answer, juggler};").len(), 1);
        assert_eq!(
            found("broker/src/dialect/mercury.rs", "// unlike pinghub\nuse super::mercury::f;").len(),
            0
        );
        assert_eq!(found("broker/src/dialect/mod.rs", "mod mercury; mod pinghub;").len(), 0);
    }

    #[test]
    fn unsafe_code_long_files_and_vague_names_are_found() {
        let one = |path: &str, text: &str| [Source::new(path, text)];
        assert_eq!(rules::unsafe_code(&one("cli/src/main.rs", "fn f() { unsafe { g() } }")).len(), 1);
        assert_eq!(
            rules::unsafe_code(&one("cli/src/main.rs", "// unsafe\n#![forbid(unsafe_code)]")).len(),
            0
        );
        assert_eq!(rules::long_files(&one("cli/src/main.rs", &"//\n".repeat(601))).len(), 1);
        assert_eq!(rules::long_files(&one("cli/src/main.rs", &"//\n".repeat(600))).len(), 0);
        for word in NAMES {
            assert_eq!(rules::vague_names(&one(&format!("cli/src/{word}.rs"), "")).len(), 1, "{word}");
            assert_eq!(rules::vague_names(&one(&format!("cli/src/{word}s/mod.rs"), "")).len(), 1, "{word}");
        }
        let vague = ["mod topic_utils {}", "struct TopicManager;", "enum SocketInfo {}", "trait Data {}"];
        for text in vague {
            assert_eq!(rules::vague_names(&one("cli/src/main.rs", text)).len(), 1, "{text}");
        }
        let plain = "struct Database; struct Informed; impl Service for X { type Data = Bytes; }";
        assert_eq!(rules::vague_names(&one("cli/src/database.rs", plain)).len(), 0);
    }
}
