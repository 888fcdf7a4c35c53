//! What a message of the hot path costs in allocations: the URI when it is read, the bytes when it is written.

use bytes::Bytes;
use petasus_protocol::wamp::message::encode_event;
use petasus_protocol::wamp::{Dict, Limits, Message, Payload, Serializer, Value};

/// A message with this head, a text, a nested payload and kwargs.
fn message(serializer: Serializer, head: Vec<Value>) -> Bytes {
    let args =
        Value::List(vec![Value::from("a text of some length"), vec![1_u64, 2, 3].into(), Value::Float(1.5)]);
    let kwargs = Dict::new().with("key", Dict::new().with("nested", true));
    Value::List([head, vec![args, kwargs.into()]].concat()).encode(serializer).into()
}

fn allocations(work: impl FnMut()) -> u64 {
    allocation_counter::measure(work).count_total
}

#[test]
fn reading_allocates_the_uri_only() {
    let number = || Value::from(1_u64 << 40);
    let none = || Value::Dict(Dict::new());
    let uri = || Value::from("com.example.topic");
    for serializer in Serializer::ALL {
        for (head, wanted) in [
            (vec![Value::from(16_u64), number(), none(), uri()], 1),
            (vec![Value::from(48_u64), number(), none(), uri()], 1),
            (vec![Value::from(70_u64), number(), none()], 0),
            (vec![Value::from(50_u64), number(), none()], 0),
            (vec![Value::from(36_u64), number(), number(), none()], 0),
            (vec![Value::from(68_u64), number(), number(), none()], 0),
        ] {
            let bytes = message(serializer, head);
            // What `Bytes` does once to a buffer that is shared for the first time is not of our making.
            let shared = bytes.clone();
            let mut read = None;
            let count = allocations(|| read = Message::decode(serializer, &shared, &Limits::default()).ok());
            let name = read.as_ref().map(Message::name);
            assert!(name.is_some());
            assert_eq!(count, wanted, "{name:?} in {serializer}");
        }
    }
}

#[test]
fn writing_allocates_the_bytes_only() {
    for serializer in Serializer::ALL {
        let head = vec![Value::from(16_u64), 7_u64.into(), Dict::new().into(), "com.example.topic".into()];
        let bytes = message(serializer, head);
        let publish = Message::decode(serializer, &bytes, &Limits::default()).unwrap();
        assert_eq!(allocations(|| drop(publish.encode(serializer))), 1, "{serializer}");
        let Message::Publish(publish) = publish else { panic!("16 is PUBLISH") };
        let details = Dict::new();
        let payload: &Payload = &publish.payload;
        let mut out = Vec::with_capacity(1000);
        let count = allocations(|| encode_event(serializer, 1 << 53, 1 << 53, &details, payload, &mut out));
        assert_eq!(count, 0, "{serializer}: into a buffer that has room");
        let mut out = Vec::new();
        let count = allocations(|| encode_event(serializer, 1 << 53, 1 << 53, &details, payload, &mut out));
        assert_eq!(count, 1, "{serializer}: into a new buffer");
    }
}
