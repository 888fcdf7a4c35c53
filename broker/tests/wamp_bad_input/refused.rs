//! What is refused, or ignored, while the session goes on.

use crate::row::Answer::{Error, Message, Nothing};
use crate::row::Begins::Joined;
use crate::row::{Row, text};

const INVALID_URI: &str = "wamp.error.invalid_uri";
const INVALID: &str = "wamp.error.invalid_argument";

pub(crate) fn rows() -> Vec<Row> {
    [reserved(), uris(), patterns(), options(), foreign(), tolerated()].into_iter().flatten().collect()
}

fn refuses(
    id: &'static str,
    what: &'static str,
    json: &str,
    (kind, uri): (u64, &'static str),
    requirement: &'static str,
) -> Row {
    text(id, Joined, what, json, Error(kind, uri), requirement)
}

fn reserved() -> Vec<Row> {
    let row = |id, what, json: &str, kind| refuses(id, what, json, (kind, INVALID_URI), "REQ-WAMP-006");
    vec![
        row(
            "WAMP-reserved-publish",
            "PUBLISH to `wamp.x`, acknowledged",
            r#"[16,1,{"acknowledge":true},"wamp.x"]"#,
            16,
        ),
        row(
            "WAMP-reserved-dollar",
            "PUBLISH to `$x`, acknowledged",
            r#"[16,1,{"acknowledge":true},"$x"]"#,
            16,
        ),
        row("WAMP-reserved-register", "REGISTER `wamp.x`", r#"[64,1,{},"wamp.x"]"#, 64),
        row("WAMP-reserved-register-dollar", "REGISTER `$x`", r#"[64,1,{},"$x"]"#, 64),
        row(
            "WAMP-reserved-prefix",
            "REGISTER the prefix `wamp.`",
            r#"[64,1,{"match":"prefix"},"wamp."]"#,
            64,
        ),
        row(
            "WAMP-reserved-push",
            "CALL that pushes to `wamp.x`",
            r#"[48,1,{"_pattern":"queue"},"wamp.x"]"#,
            48,
        ),
        row(
            "WAMP-reserved-pull",
            "REGISTER that pulls from `wamp.x`",
            r#"[64,1,{"_pattern":"queue"},"wamp.x"]"#,
            64,
        ),
        row(
            "WAMP-reserved-bus",
            "PUBLISH on the bus `wamp.x`, acknowledged",
            r#"[16,1,{"acknowledge":true,"_pattern":"bus"},"wamp.x"]"#,
            16,
        ),
        text(
            "WAMP-reserved-silent",
            Joined,
            "PUBLISH to `wamp.x`",
            r#"[16,1,{},"wamp.x"]"#,
            Nothing,
            "REQ-WAMP-009",
        ),
        text(
            "WAMP-reserved-subscribe",
            Joined,
            "SUBSCRIBE to `wamp.session.on_join`",
            r#"[32,1,{},"wamp.session.on_join"]"#,
            Message(33),
            "REQ-WAMP-006",
        ),
        text(
            "WAMP-reserved-subscribe-dollar",
            Joined,
            "SUBSCRIBE to `$x`",
            r#"[32,1,{},"$x"]"#,
            Message(33),
            "REQ-WAMP-006",
        ),
    ]
}

fn uris() -> Vec<Row> {
    let row = |id, what, json: &str, kind| refuses(id, what, json, (kind, INVALID_URI), "REQ-WAMP-005");
    let topic = |id, what, json: &str, kind| refuses(id, what, json, (kind, INVALID_URI), "REQ-WAMP-007");
    vec![
        row("WAMP-uri-empty", "SUBSCRIBE to the empty URI", r#"[32,1,{},""]"#, 32),
        row("WAMP-uri-component", "SUBSCRIBE to `a..b`", r#"[32,1,{},"a..b"]"#, 32),
        row("WAMP-uri-end", "CALL of `a.`", r#"[48,1,{},"a."]"#, 48),
        row("WAMP-uri-hash", "REGISTER `a#b`", r#"[64,1,{},"a#b"]"#, 64),
        row("WAMP-uri-space", "PUBLISH to `a b`, acknowledged", r#"[16,1,{"acknowledge":true},"a b"]"#, 16),
        row("WAMP-uri-prefix", "SUBSCRIBE to the prefix `a..b`", r#"[32,1,{"match":"prefix"},"a..b"]"#, 32),
        row(
            "WAMP-uri-wildcard",
            "SUBSCRIBE to the wildcard `a..#`",
            r#"[32,1,{"match":"wildcard"},"a..#"]"#,
            32,
        ),
        topic("WAMP-topic-slash", "SUBSCRIBE to `a/b`", r#"[32,1,{},"a/b"]"#, 32),
        topic(
            "WAMP-topic-escape",
            "SUBSCRIBE to `%41`, which has another encoding",
            r#"[32,1,{},"%41"]"#,
            32,
        ),
        topic(
            "WAMP-topic-percent",
            "PUBLISH to `a%`, acknowledged",
            r#"[16,1,{"acknowledge":true},"a%"]"#,
            16,
        ),
        text("WAMP-uri-silent", Joined, "PUBLISH to `a b`", r#"[16,1,{},"a b"]"#, Nothing, "REQ-WAMP-009"),
    ]
}

fn patterns() -> Vec<Row> {
    let row = |id, what, json: &str, kind| refuses(id, what, json, (kind, INVALID), "REQ-WAMP-092");
    vec![
        row(
            "WAMP-pattern-subscribe",
            "SUBSCRIBE with `_pattern: \"telepathy\"`",
            r#"[32,1,{"_pattern":"telepathy"},"row.a"]"#,
            32,
        ),
        row(
            "WAMP-pattern-publish",
            "PUBLISH with it, acknowledged",
            r#"[16,1,{"_pattern":"telepathy","acknowledge":true},"row.a"]"#,
            16,
        ),
        row("WAMP-pattern-register", "REGISTER with it", r#"[64,1,{"_pattern":"telepathy"},"row.a"]"#, 64),
        row("WAMP-pattern-call", "CALL with it", r#"[48,1,{"_pattern":"telepathy"},"row.callee"]"#, 48),
        row("WAMP-pattern-type", "CALL with `_pattern: 7`", r#"[48,1,{"_pattern":7},"row.callee"]"#, 48),
        row("WAMP-pattern-queue", "SUBSCRIBE to a queue", r#"[32,1,{"_pattern":"queue"},"row.a"]"#, 32),
        row("WAMP-pattern-bus", "REGISTER on the bus", r#"[64,1,{"_pattern":"bus"},"row.a"]"#, 64),
        row("WAMP-pattern-bus-call", "CALL on the bus", r#"[48,1,{"_pattern":"bus"},"row.a"]"#, 48),
        row(
            "WAMP-pattern-bus-prefix",
            "SUBSCRIBE to a prefix of the bus",
            r#"[32,1,{"_pattern":"bus","match":"prefix"},"row."]"#,
            32,
        ),
        row(
            "WAMP-pattern-ack",
            "CALL that pushes, with `_ack: \"perhaps\"`",
            r#"[48,1,{"_pattern":"queue","_ack":"perhaps"},"row.a"]"#,
            48,
        ),
    ]
}

fn options() -> Vec<Row> {
    let row = |id, what, json: &str, kind| refuses(id, what, json, (kind, INVALID), "REQ-WAMP-008");
    vec![
        row(
            "WAMP-option-match",
            "SUBSCRIBE with `match: \"fuzzy\"`",
            r#"[32,1,{"match":"fuzzy"},"row.a"]"#,
            32,
        ),
        row("WAMP-option-match-type", "REGISTER with `match: []`", r#"[64,1,{"match":[]},"row.a"]"#, 64),
        row(
            "WAMP-option-invoke",
            "REGISTER with `invoke: \"sometimes\"`",
            r#"[64,1,{"invoke":"sometimes"},"row.a"]"#,
            64,
        ),
        row(
            "WAMP-option-concurrency",
            "REGISTER with `concurrency: -1`",
            r#"[64,1,{"concurrency":-1},"row.a"]"#,
            64,
        ),
        row(
            "WAMP-option-exclude",
            "PUBLISH with `exclude: 7`, acknowledged",
            r#"[16,1,{"acknowledge":true,"exclude":7},"row.a"]"#,
            16,
        ),
        row(
            "WAMP-option-eligible",
            "PUBLISH with `eligible: [\"x\"]`, acknowledged",
            r#"[16,1,{"acknowledge":true,"eligible":["x"]},"row.a"]"#,
            16,
        ),
        row(
            "WAMP-option-exclude-me",
            "PUBLISH with `exclude_me: 0`, acknowledged",
            r#"[16,1,{"acknowledge":true,"exclude_me":0},"row.a"]"#,
            16,
        ),
        row(
            "WAMP-option-disclose",
            "CALL with `disclose_me: \"yes\"`",
            r#"[48,1,{"disclose_me":"yes"},"row.callee"]"#,
            48,
        ),
        row(
            "WAMP-option-timeout",
            "CALL with `timeout: \"soon\"`",
            r#"[48,1,{"timeout":"soon"},"row.callee"]"#,
            48,
        ),
        row(
            "WAMP-option-progress",
            "CALL with `receive_progress: 1`",
            r#"[48,1,{"receive_progress":1},"row.callee"]"#,
            48,
        ),
        text(
            "WAMP-option-acknowledge",
            Joined,
            "PUBLISH with `acknowledge: 1`",
            r#"[16,1,{"acknowledge":1},"row.a"]"#,
            Nothing,
            "REQ-WAMP-009",
        ),
    ]
}

/// The witness has the first subscription and the first registration of the realm.
fn foreign() -> Vec<Row> {
    vec![
        refuses(
            "WAMP-foreign-unsubscribe",
            "UNSUBSCRIBE of a subscription of another session",
            "[34,1,1]",
            (34, "wamp.error.no_such_subscription"),
            "REQ-WAMP-027",
        ),
        refuses(
            "WAMP-foreign-unregister",
            "UNREGISTER of a registration of another session",
            "[66,1,1]",
            (66, "wamp.error.no_such_registration"),
            "REQ-WAMP-043",
        ),
        refuses(
            "WAMP-unsubscribe-unknown",
            "UNSUBSCRIBE of what never was",
            "[34,1,4711]",
            (34, "wamp.error.no_such_subscription"),
            "REQ-WAMP-027",
        ),
        refuses(
            "WAMP-unregister-unknown",
            "UNREGISTER of what never was",
            "[66,1,4503599627370497]",
            (66, "wamp.error.no_such_registration"),
            "REQ-WAMP-043",
        ),
        refuses(
            "WAMP-register-taken",
            "REGISTER of a procedure of another session",
            r#"[64,1,{},"row.callee"]"#,
            (64, "wamp.error.procedure_already_exists"),
            "REQ-WAMP-043",
        ),
        refuses(
            "WAMP-call-unknown",
            "CALL of what nobody registered",
            r#"[48,1,{},"row.nobody"]"#,
            (48, "wamp.error.no_such_procedure"),
            "REQ-WAMP-042",
        ),
        refuses(
            "WAMP-call-meta",
            "CALL of `wamp.nothing.here`",
            r#"[48,1,{},"wamp.nothing.here"]"#,
            (48, "wamp.error.no_such_procedure"),
            "REQ-WAMP-042",
        ),
        refuses(
            "WAMP-meta-argument",
            "CALL of `wamp.session.get` without an id",
            r#"[48,1,{},"wamp.session.get"]"#,
            (48, INVALID),
            "REQ-WAMP-031",
        ),
        refuses(
            "WAMP-kill-unknown",
            "CALL of `wamp.session.kill` for a session that is not there",
            r#"[48,1,{},"wamp.session.kill",[1]]"#,
            (48, "wamp.error.no_such_session"),
            "REQ-WAMP-033",
        ),
        refuses(
            "WAMP-kill-reason",
            "CALL of `wamp.session.kill_all` with a reason that is no URI",
            r#"[48,1,{},"wamp.session.kill_all",[],{"reason":"a b"}]"#,
            (48, INVALID_URI),
            "REQ-WAMP-033",
        ),
        text("WAMP-cancel-unknown", Joined, "CANCEL of nothing", "[49,1,{}]", Nothing, "REQ-WAMP-049"),
        text(
            "WAMP-cancel-mode",
            Joined,
            "CANCEL of nothing, with `mode: 7`",
            r#"[49,1,{"mode":7}]"#,
            Nothing,
            "REQ-WAMP-049",
        ),
    ]
}

fn tolerated() -> Vec<Row> {
    let meta = |id, what, json: &str, req| text(id, Joined, what, json, Message(50), req);
    vec![
        text(
            "WAMP-unknown-options",
            Joined,
            "SUBSCRIBE with options that nobody knows",
            r#"[32,1,{"x_foo":[{}],"get_retained":7},"ok.a"]"#,
            Message(33),
            "REQ-WAMP-008",
        ),
        text(
            "WAMP-null-option",
            Joined,
            "SUBSCRIBE with `match: null`",
            r#"[32,1,{"match":null},"ok.a"]"#,
            Message(33),
            "REQ-WAMP-008",
        ),
        meta(
            "WAMP-null-arguments",
            "CALL with `args` and `kwargs` null",
            r#"[48,1,{},"wamp.session.count",null,null]"#,
            "REQ-WAMP-002",
        ),
        meta(
            "WAMP-null-args",
            "CALL with `args` null and `kwargs`",
            r#"[48,1,{},"wamp.session.count",null,{"a":1}]"#,
            "REQ-WAMP-002",
        ),
        meta(
            "WAMP-request-gap",
            "CALL with request id 90",
            r#"[48,90,{},"wamp.session.count"]"#,
            "REQ-WAMP-001",
        ),
        meta(
            "WAMP-white-space",
            "CALL with white space around it",
            " [ 48 , 1 ,\n{ } , \"wamp.session.count\" ] ",
            "REQ-WAMP-001",
        ),
    ]
}
