//! Whatever is read is written again as it was, in every serializer.

use bytes::Bytes;
use petasus_protocol::wamp::{Limits, Message, Serializer, Value};
use proptest::prelude::*;

use crate::wire::{Binary, LAYOUTS, any_wire};

proptest! {
    /// REQ-WAMP-001.
    #[test]
    fn every_message_survives_in_every_serializer(wire in any_wire(Binary::Yes)) {
        let code = wire[0].as_id().unwrap();
        let name = LAYOUTS.iter().find(|layout| layout.0 == code).unwrap().1;
        let wire = Value::List(wire);
        for serializer in Serializer::ALL {
            let bytes = Bytes::from(wire.encode(serializer));
            let message = Message::decode(serializer, &bytes, &Limits::default()).unwrap();
            prop_assert_eq!((message.code(), message.name()), (code, name));
            prop_assert_eq!(message.encode(serializer), bytes.to_vec(), "in {}", serializer);
            let mut behind = vec![1, 2, 3];
            message.encode_into(serializer, &mut behind);
            prop_assert_eq!(&behind[3..], &bytes[..]);
            // For a receiver of another serializer: the same as if the sender had written in that one.
            for other in Serializer::ALL {
                let other_bytes = message.encode(other);
                prop_assert_eq!(
                    Value::decode(other, &other_bytes, &Limits::default()).unwrap(),
                    wire.clone(),
                    "from {} to {}", serializer, other
                );
            }
        }
    }
}
