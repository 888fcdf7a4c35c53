//! What a message of 128 bytes costs in allocations.

use petasus_protocol::Message;
use petasus_protocol::websocket::Event;

use crate::peer::{connection, frame};

/// As many as fit into the 64 KiB that a connection keeps.
const MESSAGES: u64 = 400;

#[test]
fn sending_allocates_nothing_once_the_buffer_has_grown() {
    let mut connection = connection();
    let message = Message::from("x".repeat(128));
    let mut batch = || {
        (0..MESSAGES).for_each(|_| assert!(connection.send(&message)));
        assert!(connection.poll_transmit().is_some_and(|bytes| bytes.len() == 136 * MESSAGES as usize));
    };
    // Once to grow the buffer, once more to cut it to what is kept.
    batch();
    batch();
    let count = allocation_counter::measure(batch).count_total;
    println!("{count} allocations for {MESSAGES} messages sent in one batch");
    assert_eq!(count, 0);
}

#[test]
fn receiving_allocates_the_payload_only() {
    let mut connection = connection();
    let wire = frame(0x81, &[b'x'; 128]).repeat(MESSAGES as usize);
    let mut read = |step: usize| {
        allocation_counter::measure(|| {
            for piece in wire.chunks(step) {
                connection.receive(piece);
                while let Some(event) = connection.poll_event() {
                    assert!(matches!(event, Event::Message(message) if message.len() == 128));
                }
            }
        })
        .count_total
    };
    for step in [wire.len(), 4096, 100] {
        read(step);
        let count = read(step);
        println!("{count} allocations for {MESSAGES} messages received {step} bytes at a time");
        assert_eq!(count, MESSAGES, "{step} bytes at a time");
    }
}
