//! What is no WAMP message: rows for all serialisers.

use petasus_protocol::wamp::Serializer::{Cbor, Json, MsgPack};

use crate::raw::{BINARY, CONTINUATION, FIN, TEXT, frame, frame_head, message};
use crate::row::Answer::Close;
use crate::row::Begins::Joined;
use crate::row::{Row, VIOLATION, binary, frames, text};

/// Bytes of one message.
const LIMIT: u64 = 262_144;

/// Levels of a nesting that no stack should see.
const DEEP: usize = 100_000;

const FORM: &str = "REQ-WAMP-003";
const SIZE: &str = "REQ-WAMP-004";

/// A row of a session that sends one JSON text, which ends it.
fn ends(id: &'static str, what: &'static str, json: impl AsRef<[u8]>) -> Row {
    text(id, Joined, what, json, VIOLATION, FORM)
}

pub(crate) fn rows() -> Vec<Row> {
    [syntax(), shape(), ids(), kinds(), bounds()].into_iter().flatten().collect()
}

fn syntax() -> Vec<Row> {
    vec![
        ends("WAMP-json-cut", "a text that ends early", r#"[48,1,{},"row.callee""#),
        ends("WAMP-json-trailing", "something behind the message", r#"[48,1,{},"row.callee"]x"#),
        ends("WAMP-json-two", "two messages in one", r#"[48,1,{},"row.callee"][48,2,{},"row.callee"]"#),
        ends("WAMP-json-comma", "a comma too many", r#"[48,1,{},"row.callee",]"#),
        ends("WAMP-json-quotes", "single quotes", "[48,1,{},'row.callee']"),
        ends("WAMP-json-nan", "NaN", r#"[48,1,{},"row.callee",[NaN]]"#),
        ends("WAMP-json-zero", "a number that begins with 0", r#"[48,01,{},"row.callee"]"#),
        ends("WAMP-json-control", "a control character in a string", "[48,1,{},\"row.callee\",[\"\u{1}\"]]"),
        ends("WAMP-json-surrogate", "half a surrogate pair", r#"[48,1,{},"row.callee",["\ud800"]]"#),
        ends(
            "WAMP-json-surrogates",
            "a surrogate pair the wrong way round",
            r#"[48,1,{},"row.callee",["\udc00\ud800"]]"#,
        ),
        ends("WAMP-json-escape", "an escape that there is not", r#"[48,1,{},"row.callee",["\x41"]]"#),
        ends("WAMP-json-empty", "an empty message", ""),
        ends("WAMP-json-blank", "white space alone", " \n"),
    ]
}

fn shape() -> Vec<Row> {
    vec![
        ends("WAMP-outer-object", "an object", "{}"),
        ends("WAMP-outer-text", "a string", r#""48""#),
        ends("WAMP-outer-number", "a number", "48"),
        ends("WAMP-outer-null", "null", "null"),
        ends("WAMP-outer-empty", "an empty list", "[]"),
        ends("WAMP-type-text", "a message type that is a string", r#"["48",1,{},"row.callee"]"#),
        ends("WAMP-type-unknown", "a message type that there is not", "[99,1,{}]"),
        ends("WAMP-type-negative", "a negative message type", r#"[-48,1,{},"row.callee"]"#),
        ends("WAMP-type-fraction", "a message type with a fraction", r#"[48.5,1,{},"row.callee"]"#),
        ends("WAMP-type-huge", "a message type of 30 digits", "[480000000000000000000000000000,1,{}]"),
        ends("WAMP-too-few", "CALL without a procedure", "[48,1,{}]"),
        ends("WAMP-too-many", "CALL with an element too many", r#"[48,1,{},"row.callee",[],{},7]"#),
    ]
}

fn ids() -> Vec<Row> {
    vec![
        ends("WAMP-id-zero", "request id 0", r#"[48,0,{},"row.callee"]"#),
        ends("WAMP-id-negative", "request id -1", r#"[48,-1,{},"row.callee"]"#),
        ends("WAMP-id-large", "request id 2^53 + 1", r#"[48,9007199254740993,{},"row.callee"]"#),
        ends("WAMP-id-fraction", "request id 1.5", r#"[48,1.5,{},"row.callee"]"#),
        ends("WAMP-id-text", "request id \"1\"", r#"[48,"1",{},"row.callee"]"#),
        ends("WAMP-id-null", "request id null", r#"[48,null,{},"row.callee"]"#),
        ends("WAMP-id-other", "UNSUBSCRIBE of subscription -1", "[34,1,-1]"),
    ]
}

fn kinds() -> Vec<Row> {
    vec![
        ends("WAMP-options-list", "options that are a list", r#"[48,1,[],"row.callee"]"#),
        ends("WAMP-options-null", "options that are null", r#"[48,1,null,"row.callee"]"#),
        ends("WAMP-uri-number", "a URI that is a number", "[48,1,{},7]"),
        ends("WAMP-uri-nul", "a URI that begins with U+0000", r#"[48,1,{},"\u0000row"]"#),
        ends("WAMP-args-object", "`args` that are an object", r#"[48,1,{},"row.callee",{}]"#),
        ends("WAMP-args-text", "`args` that are a string", r#"[48,1,{},"row.callee","x"]"#),
        ends("WAMP-kwargs-list", "`kwargs` that are a list", r#"[48,1,{},"row.callee",[],[]]"#),
        ends("WAMP-error-kind", "ERROR for a type that is no request", r#"[8,50,1,{},"row.error"]"#),
    ]
}

fn bounds() -> Vec<Row> {
    let nested =
        |levels: usize| format!("[48,1,{{}},\"row.callee\",{}{}]", "[".repeat(levels), "]".repeat(levels));
    let half = vec![b' '; LIMIT as usize / 2];
    let mut fragments = [frame(TEXT, &half), frame(CONTINUATION, &half)].concat();
    fragments.extend(frame_head(FIN | CONTINUATION, 1));
    let wrong_kind = |opcode| message(opcode, br#"[48,1,{},"row.callee"]"#);
    let kind = "REQ-WAMP-019";
    vec![
        text("WAMP-json-deep", Joined, "100 levels in `args`", nested(100), VIOLATION, SIZE),
        text("WAMP-json-bomb", Joined, "100,000 open brackets", "[".repeat(DEEP), VIOLATION, SIZE),
        text(
            "WAMP-json-digits",
            Joined,
            "an integer of 100,000 digits",
            format!("[48,{}]", "9".repeat(DEEP)),
            VIOLATION,
            SIZE,
        ),
        frames(
            "WAMP-1007",
            Json,
            "a text message that is not UTF-8",
            message(TEXT, b"[48,1,{},\"row.\xff\"]"),
            Close(1007),
            "REQ-WS-010",
        ),
        frames(
            "WAMP-1009",
            Json,
            "a frame over `limits.message`",
            frame_head(FIN | TEXT, LIMIT + 1),
            Close(1009),
            "REQ-WAMP-106",
        ),
        frames(
            "WAMP-1009-fragments",
            Json,
            "fragments over `limits.message`",
            fragments,
            Close(1009),
            "REQ-WAMP-106",
        ),
        frames(
            "WAMP-1009-binary",
            MsgPack,
            "a frame over `limits.message`",
            frame_head(FIN | BINARY, LIMIT + 1),
            Close(1009),
            "REQ-WAMP-106",
        ),
        frames("WAMP-kind-json", Json, "a binary message", wrong_kind(BINARY), VIOLATION, kind),
        frames("WAMP-kind-msgpack", MsgPack, "a text message", wrong_kind(TEXT), VIOLATION, kind),
        frames("WAMP-kind-cbor", Cbor, "a text message", wrong_kind(TEXT), VIOLATION, kind),
    ]
}

/// CALL of `row.callee`, and then these bytes as the next elements; `list` is the head of the outer list.
fn call(list: u8, text: u8, then: &[u8]) -> Vec<u8> {
    // 48 and 1 are as long in both serialisers, an empty dict is one byte.
    let (number, dict): (&[u8], u8) = if list >= 0x90 { (&[48], 0x80) } else { (&[0x18, 48], 0xa0) };
    [&[list], number, &[1, dict, text + 10], b"row.callee", then].concat()
}

/// `MessagePack`: a list of 5, a short string.
fn msgpack(then: &[u8]) -> Vec<u8> {
    call(0x95, 0xa0, then)
}

/// CBOR: the same.
fn cbor(then: &[u8]) -> Vec<u8> {
    call(0x85, 0x60, then)
}

pub(crate) fn binary_rows() -> Vec<Row> {
    let msgpack_rows = [
        ("WAMP-msgpack-empty", "an empty message", vec![], FORM),
        ("WAMP-msgpack-cut", "a message that ends early", msgpack(&[]), FORM),
        ("WAMP-msgpack-trailing", "something behind the message", msgpack(&[0x90, 0xc0]), FORM),
        ("WAMP-msgpack-reserved", "the byte 0xC1", msgpack(&[0x91, 0xc1]), FORM),
        ("WAMP-msgpack-utf8", "a string that is not UTF-8", msgpack(&[0x91, 0xa1, 0xff]), FORM),
        (
            "WAMP-msgpack-key",
            "`options` with a key that is a list",
            vec![0x94, 48, 1, 0x81, 0x90, 0x01, 0xa1, b'a'],
            FORM,
        ),
        ("WAMP-msgpack-args", "`args` that are a number", msgpack(&[0x07]), FORM),
        (
            "WAMP-msgpack-list",
            "a list that claims 2^32 - 1 elements",
            msgpack(&[0xdd, 0xff, 0xff, 0xff, 0xff]),
            SIZE,
        ),
        (
            "WAMP-msgpack-text",
            "a string that claims 2^32 - 1 bytes",
            msgpack(&[0x91, 0xdb, 0xff, 0xff, 0xff, 0xff]),
            SIZE,
        ),
        (
            "WAMP-msgpack-dict",
            "a map that claims 2^32 - 1 entries",
            msgpack(&[0x91, 0xdf, 0xff, 0xff, 0xff, 0xff]),
            SIZE,
        ),
        (
            "WAMP-msgpack-binary",
            "binary that claims 2^32 - 1 bytes",
            msgpack(&[0x91, 0xc6, 0xff, 0xff, 0xff, 0xff]),
            SIZE,
        ),
        (
            "WAMP-msgpack-extension",
            "an extension that claims 2^32 - 1 bytes",
            msgpack(&[0x91, 0xc9, 0xff, 0xff, 0xff, 0xff, 0]),
            SIZE,
        ),
        ("WAMP-msgpack-bomb", "100,000 lists in each other", vec![0x91; DEEP], SIZE),
    ];
    let cbor_rows = [
        ("WAMP-cbor-empty", "an empty message", vec![], FORM),
        ("WAMP-cbor-cut", "a message that ends early", cbor(&[]), FORM),
        ("WAMP-cbor-trailing", "something behind the message", cbor(&[0x80, 0xf6]), FORM),
        ("WAMP-cbor-reserved", "a reserved length", cbor(&[0x81, 0x1c]), FORM),
        ("WAMP-cbor-break", "a break with nothing to end", cbor(&[0x81, 0xff]), FORM),
        ("WAMP-cbor-endless", "a list that does not end", cbor(&[0x9f, 0x01]), FORM),
        ("WAMP-cbor-utf8", "a text that is not UTF-8", cbor(&[0x81, 0x61, 0xff]), FORM),
        ("WAMP-cbor-chunk", "a text whose pieces are binary", cbor(&[0x81, 0x7f, 0x41, 0x61, 0xff]), FORM),
        ("WAMP-cbor-args", "`args` that are a number", cbor(&[0x07]), FORM),
        (
            "WAMP-cbor-list",
            "a list that claims 2^64 - 1 elements",
            cbor(&[[0x9b].as_slice(), &[0xff; 8]].concat()),
            SIZE,
        ),
        (
            "WAMP-cbor-text",
            "a text that claims 2^64 - 1 bytes",
            cbor(&[[0x81, 0x7b].as_slice(), &[0xff; 8]].concat()),
            SIZE,
        ),
        (
            "WAMP-cbor-dict",
            "a map that claims 2^63 entries",
            cbor(&[0x81, 0xbb, 0x80, 0, 0, 0, 0, 0, 0, 0]),
            SIZE,
        ),
        ("WAMP-cbor-bomb", "100,000 lists in each other", vec![0x81; DEEP], SIZE),
        ("WAMP-cbor-tags", "100,000 tags in each other", vec![0xc6; DEEP], SIZE),
        ("WAMP-cbor-endless-bomb", "100,000 lists without a length in each other", vec![0x9f; DEEP], SIZE),
    ];
    let msgpack =
        msgpack_rows.into_iter().map(|(id, what, bytes, req)| binary(id, MsgPack, what, bytes, req));
    msgpack
        .chain(cbor_rows.into_iter().map(|(id, what, bytes, req)| binary(id, Cbor, what, bytes, req)))
        .collect()
}
