//! Well-formed messages that nobody should send now.

use crate::row::Answer::{self, Abort, Close};
use crate::row::Begins::{Connected, Joined};
use crate::row::{Row, VIOLATION, text};

const ORDER: &str = "REQ-WAMP-015";

pub(crate) fn rows() -> Vec<Row> {
    [before_hello(), hellos(), in_a_session(), of_routers()].into_iter().flatten().collect()
}

fn before_hello() -> Vec<Row> {
    let early = |id, what, json: &str| text(id, Connected, what, json, VIOLATION, ORDER);
    let leaves = |id, what, json: &str| text(id, Connected, what, json, Close(1000), "REQ-WAMP-014");
    vec![
        early("WAMP-early-subscribe", "SUBSCRIBE", r#"[32,1,{},"row.a"]"#),
        early("WAMP-early-publish", "PUBLISH", r#"[16,1,{},"row.a"]"#),
        early("WAMP-early-call", "CALL", r#"[48,1,{},"row.callee"]"#),
        early("WAMP-early-register", "REGISTER", r#"[64,1,{},"row.a"]"#),
        early("WAMP-early-yield", "YIELD", "[70,1,{}]"),
        early("WAMP-early-authenticate", "AUTHENTICATE", r#"[5,"secret",{}]"#),
        early("WAMP-early-welcome", "WELCOME", "[2,1,{}]"),
        early("WAMP-early-challenge", "CHALLENGE", r#"[4,"ticket",{}]"#),
        leaves("WAMP-early-goodbye", "GOODBYE", r#"[6,{},"wamp.close.normal"]"#),
        leaves("WAMP-early-abort", "ABORT", r#"[3,{},"wamp.error.canceled"]"#),
    ]
}

fn hellos() -> Vec<Row> {
    let hello = |id, what, json: &str, answer: Answer, req| text(id, Connected, what, json, answer, req);
    let no_realm = Abort("wamp.error.no_such_realm", 3000);
    let no_method = Abort("wamp.error.no_matching_auth_method", 3000);
    vec![
        hello("WAMP-hello-no-roles", "HELLO without roles", r#"[1,"default",{}]"#, VIOLATION, "REQ-WAMP-013"),
        hello(
            "WAMP-hello-empty-roles",
            "HELLO with no role among its roles",
            r#"[1,"default",{"roles":{}}]"#,
            VIOLATION,
            "REQ-WAMP-013",
        ),
        hello(
            "WAMP-hello-roles-list",
            "HELLO with a list of roles",
            r#"[1,"default",{"roles":["caller"]}]"#,
            VIOLATION,
            "REQ-WAMP-013",
        ),
        hello(
            "WAMP-hello-methods",
            "HELLO with `authmethods` that are no list",
            r#"[1,"default",{"roles":{"caller":{}},"authmethods":"ticket"}]"#,
            VIOLATION,
            "REQ-WAMP-003",
        ),
        hello(
            "WAMP-hello-authid",
            "HELLO with an `authid` that is a number",
            r#"[1,"default",{"roles":{"caller":{}},"authid":7}]"#,
            VIOLATION,
            "REQ-WAMP-003",
        ),
        hello(
            "WAMP-hello-method",
            "HELLO with an authmethod that there is not",
            r#"[1,"default",{"roles":{"caller":{}},"authmethods":["telepathy"]}]"#,
            no_method,
            "REQ-WAMP-066",
        ),
        hello(
            "WAMP-hello-nobody",
            "HELLO with a method for which nobody has credentials",
            r#"[1,"default",{"roles":{"caller":{}},"authmethods":["ticket"],"authid":"joe"}]"#,
            no_method,
            "REQ-WAMP-066",
        ),
        hello(
            "WAMP-hello-realm",
            "HELLO for a realm whose name is no URI",
            r#"[1,"de fault#",{"roles":{"caller":{}}}]"#,
            no_realm,
            "REQ-WAMP-012",
        ),
        hello(
            "WAMP-hello-empty-realm",
            "HELLO for an empty realm",
            r#"[1,"",{"roles":{"caller":{}}}]"#,
            no_realm,
            "REQ-WAMP-012",
        ),
    ]
}

fn in_a_session() -> Vec<Row> {
    let late = |id, what, json: &str| text(id, Joined, what, json, VIOLATION, ORDER);
    vec![
        late("WAMP-late-hello", "a second HELLO", r#"[1,"default",{"roles":{"caller":{}}}]"#),
        late("WAMP-late-authenticate", "AUTHENTICATE that nobody asked for", r#"[5,"secret",{}]"#),
        late("WAMP-yield-unknown", "YIELD for an INVOCATION that never was", "[70,1,{}]"),
        late("WAMP-error-unknown", "ERROR for an INVOCATION that never was", r#"[8,68,1,{},"row.error"]"#),
        late("WAMP-error-call", "ERROR for a CALL", r#"[8,48,1,{},"row.error"]"#),
        late("WAMP-yield-job", "YIELD for a job that never was", "[70,4503599627370496,{}]"),
        text(
            "WAMP-late-abort",
            Joined,
            "ABORT",
            r#"[3,{},"wamp.error.protocol_violation"]"#,
            Close(1000),
            "REQ-WAMP-014",
        ),
    ]
}

fn of_routers() -> Vec<Row> {
    let routers = |id, what, json: &str| text(id, Joined, what, json, VIOLATION, ORDER);
    vec![
        routers("WAMP-router-welcome", "WELCOME", "[2,1,{}]"),
        routers("WAMP-router-challenge", "CHALLENGE", r#"[4,"ticket",{}]"#),
        routers("WAMP-router-published", "PUBLISHED", "[17,1,1]"),
        routers("WAMP-router-subscribed", "SUBSCRIBED", "[33,1,1]"),
        routers("WAMP-router-unsubscribed", "UNSUBSCRIBED", "[35,1]"),
        routers("WAMP-router-event", "EVENT", "[36,1,1,{}]"),
        routers("WAMP-router-result", "RESULT", "[50,1,{}]"),
        routers("WAMP-router-registered", "REGISTERED", "[65,1,1]"),
        routers("WAMP-router-unregistered", "UNREGISTERED", "[67,1]"),
        routers("WAMP-router-invocation", "INVOCATION", "[68,1,1,{}]"),
        routers("WAMP-router-interrupt", "INTERRUPT", "[69,1,{}]"),
    ]
}
