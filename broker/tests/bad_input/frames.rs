//! Rows that are frames behind a handshake.

use crate::raw::{BINARY, CLOSE, CONTINUATION, FIN, PING, TEXT, close, frame, frame_head, message};
use crate::row::{Row, run};
use crate::running::{Running, config};
use crate::watch::Watch;

/// Bytes that are not UTF-8, and never will be whatever follows.
const NOT_UTF8: &[u8] = b"a\xc0\xafb";

/// Bytes of one message.
const LIMIT: u64 = 262_144;

/// REQ-WS-003, REQ-WS-007, REQ-WS-009, REQ-WS-010, REQ-WS-013, REQ-WS-014, REQ-PAY-003, REQ-PAY-006
#[tokio::test]
async fn frame_rows() {
    let broker = Running::start(config("http://127.0.0.1:0")).await;
    let watch = Watch::mercury(broker.address, "").await;
    run(rows(), broker.address, watch).await;
    broker.stop().await;
}

pub(crate) fn rows() -> Vec<Row> {
    let mut rows = forbidden();
    rows.extend(closes());
    rows.extend(not_text());
    rows.extend(too_long());
    rows
}

fn forbidden() -> Vec<Row> {
    let rsv = |bit: u8| frame(FIN | TEXT | bit, b"reserved");
    let interleaved = [frame(TEXT, b"one"), message(TEXT, b"two")].concat();
    let mut endless = frame_head(FIN | BINARY, u64::MAX >> 1);
    endless[2] |= 0x80;
    vec![
        Row::frames("WS-1002-mask", "/bus/row", b"\x81\x04bare".to_vec(), 1002),
        Row::frames("WS-1002-rsv1", "/bus/row", rsv(0x40), 1002),
        Row::frames("WS-1002-rsv2", "/pub/row", rsv(0x20), 1002),
        Row::frames("WS-1002-rsv3", "/bus/row", rsv(0x10), 1002),
        Row::frames("WS-1002-opcode-data", "/bus/row", message(3, b"three"), 1002),
        Row::frames("WS-1002-opcode-control", "/bus/row", message(11, b"eleven"), 1002),
        Row::frames("WS-1002-continuation", "/bus/row", frame(FIN | CONTINUATION, b"of what"), 1002),
        Row::frames("WS-1002-interleaved", "/pub/row", interleaved, 1002),
        Row::frames("WS-1002-ping-long", "/bus/row", frame(PING, &[b'p'; 126]), 1002),
        Row::frames("WS-1002-ping-fragment", "/bus/row", frame(PING & !FIN, b"p"), 1002),
        Row::frames("WS-1002-length", "/bus/row", endless, 1002),
    ]
}

fn closes() -> Vec<Row> {
    vec![
        Row::frames("WS-1002-close-byte", "/bus/row", frame(CLOSE, b"\x03"), 1002),
        Row::frames("WS-1002-close-999", "/bus/row", close(999, b""), 1002),
        Row::frames("WS-1002-close-1005", "/bus/row", close(1005, b""), 1002),
        Row::frames("WS-1002-close-1016", "/bus/row", close(1016, b"why"), 1002),
        Row::frames("WS-1002-close-5000", "/bus/row", close(5000, b""), 1002),
        Row::frames("WS-1007-close", "/bus/row", close(1000, NOT_UTF8), 1007),
    ]
}

fn not_text() -> Vec<Row> {
    vec![
        Row::frames("WS-1007-text", "/bus/row", message(TEXT, NOT_UTF8), 1007),
        Row::frames("WS-1007-surrogate", "/pub/row", message(TEXT, b"\xed\xa0\x80"), 1007),
        Row::frames("WS-1007-fragment", "/bus/row", frame(TEXT, NOT_UTF8), 1007),
        Row::frames("WS-1007-cut", "/push/row", message(TEXT, b"caf\xc3"), 1007),
        Row::frames("WS-1007-sub", "/sub/row", message(TEXT, NOT_UTF8), 1007),
    ]
}

fn too_long() -> Vec<Row> {
    let half = vec![b'x'; LIMIT as usize / 2];
    let mut fragments = [frame(TEXT, &half), frame(CONTINUATION, &half)].concat();
    fragments.extend(frame_head(FIN | CONTINUATION, 1));
    vec![
        Row::frames("WS-1009-frame", "/bus/row", frame_head(FIN | TEXT, LIMIT + 1), 1009),
        Row::frames("WS-1009-fragments", "/pub/row", fragments, 1009),
        Row::frames("WS-1009-pull", "/pull/other", frame_head(FIN | BINARY, LIMIT + 1), 1009),
    ]
}
