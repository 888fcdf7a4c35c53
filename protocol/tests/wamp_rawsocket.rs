//! Rawsocket: the handshake and the frame header.

use petasus_protocol::wamp::Serializer;
use petasus_protocol::wamp::rawsocket::{
    FrameError, FrameHeader, FrameKind, Handshake, HandshakeError, MAX_MESSAGE, MaxLength, Refusal,
};
use proptest::prelude::*;

#[test]
fn lengths_are_powers_of_two() {
    for (bytes, wanted) in [
        (0, 512),
        (511, 512),
        (512, 512),
        (1023, 512),
        (1024, 1024),
        (65_536, 65_536),
        (MAX_MESSAGE - 1, 1 << 23),
        (MAX_MESSAGE, 1 << 24),
        (usize::MAX, 1 << 24),
    ] {
        assert_eq!(MaxLength::at_most(bytes).bytes(), wanted, "{bytes}");
    }
    for (bytes, wanted) in [
        (0, 512),
        (513, 1024),
        (65_536, 65_536),
        (65_537, 1 << 17),
        (MAX_MESSAGE, 1 << 24),
        (MAX_MESSAGE + 1, 1 << 24),
        (usize::MAX, 1 << 24),
    ] {
        assert_eq!(MaxLength::at_least(bytes).bytes(), wanted, "{bytes}");
    }
    assert_eq!((MaxLength::SMALLEST.bytes(), MaxLength::LARGEST.bytes()), (512, MAX_MESSAGE));
}

/// REQ-WAMP-080.
#[test]
fn handshakes_are_the_octets_of_the_specification() {
    let largest_json = Handshake { serializer: Serializer::Json, max_length: MaxLength::LARGEST };
    assert_eq!(largest_json.encode(), [0x7F, 0xF1, 0, 0]);
    let small_cbor = Handshake { serializer: Serializer::Cbor, max_length: MaxLength::at_most(2048) };
    assert_eq!(small_cbor.encode(), [0x7F, 0x23, 0, 0]);
    assert_eq!(Handshake::parse_request([0x7F, 0x52, 0, 0]).unwrap().serializer, Serializer::MsgPack);
    assert_eq!(Handshake::parse_request([0x7F, 0x52, 0, 0]).unwrap().max_length.bytes(), 16_384);
}

/// REQ-WAMP-080.
#[test]
fn every_request_is_read_or_refused_as_the_specification_says() {
    for second in 0..=u8::MAX {
        let octets = [0x7F, second, 0, 0];
        match (second & 0x0F, Handshake::parse_request(octets)) {
            (1..=3, Ok(handshake)) => {
                assert_eq!(handshake.encode(), octets);
                assert_eq!(handshake.max_length.bytes(), 512 << (second >> 4));
            }
            (0 | 4..=15, Err(error)) => {
                assert_eq!(error, HandshakeError::Refused(Refusal::SerializerUnsupported));
            }
            (_, outcome) => panic!("{second:#x}: {outcome:?}"),
        }
    }
    assert_eq!(Handshake::parse_request(*b"GET "), Err(HandshakeError::NotRawSocket { first: b'G' }));
    for octets in [[0x7F, 0xF1, 1, 0], [0x7F, 0xF1, 0, 1], [0x7F, 0xF0, 0, 1]] {
        assert_eq!(Handshake::parse_request(octets), Err(HandshakeError::Refused(Refusal::ReservedBits)));
    }
}

/// REQ-WAMP-080.
#[test]
fn refusals_have_the_numbers_of_the_specification() {
    let asked = Handshake { serializer: Serializer::Json, max_length: MaxLength::LARGEST };
    for (refusal, octets) in [
        (Refusal::SerializerUnsupported, [0x7F, 0x10, 0, 0]),
        (Refusal::LengthUnacceptable, [0x7F, 0x20, 0, 0]),
        (Refusal::ReservedBits, [0x7F, 0x30, 0, 0]),
        (Refusal::TooManyConnections, [0x7F, 0x40, 0, 0]),
    ] {
        assert_eq!(refusal.encode(), octets);
        assert_eq!(asked.parse_reply(octets), Err(HandshakeError::Refused(refusal)));
    }
    assert_eq!(asked.parse_reply([0x7F, 0, 0, 0]), Err(HandshakeError::UnknownRefusal { code: 0 }));
    assert_eq!(asked.parse_reply([0x7F, 0x50, 0, 0]), Err(HandshakeError::UnknownRefusal { code: 5 }));
}

#[test]
fn a_reply_has_to_repeat_the_serializer() {
    let asked = Handshake { serializer: Serializer::MsgPack, max_length: MaxLength::SMALLEST };
    let reply = asked.parse_reply([0x7F, 0xF2, 0, 0]).unwrap();
    assert_eq!((reply.serializer, reply.max_length), (Serializer::MsgPack, MaxLength::LARGEST));
    assert_eq!(asked.parse_reply([0x7F, 0xF1, 0, 0]), Err(HandshakeError::OtherSerializer { code: 1 }));
    assert_eq!(asked.parse_reply([0x7F, 0xF2, 0, 1]), Err(HandshakeError::Refused(Refusal::ReservedBits)));
    assert_eq!(asked.parse_reply(*b"HTTP"), Err(HandshakeError::NotRawSocket { first: b'H' }));
}

/// REQ-WAMP-081.
#[test]
fn frame_headers_are_the_octets_of_the_specification() {
    for (kind, length, octets) in [
        (FrameKind::Message, 0, [0, 0, 0, 0]),
        (FrameKind::Message, 0x01_02_03, [0, 1, 2, 3]),
        (FrameKind::Ping, 125, [1, 0, 0, 125]),
        (FrameKind::Pong, 256, [2, 0, 1, 0]),
        (FrameKind::Message, MAX_MESSAGE - 1, [0, 255, 255, 255]),
        (FrameKind::Message, MAX_MESSAGE, [8, 0, 0, 0]),
        (FrameKind::Pong, MAX_MESSAGE, [10, 0, 0, 0]),
    ] {
        let header = FrameHeader { kind, length };
        assert_eq!(header.encode(), Some(octets));
        assert_eq!(FrameHeader::decode(octets, MAX_MESSAGE), Ok(header));
    }
    let too_long = FrameHeader { kind: FrameKind::Message, length: MAX_MESSAGE + 1 };
    assert_eq!(too_long.encode(), None);
}

/// REQ-WAMP-081.
#[test]
fn bad_frame_headers_are_refused() {
    for (octets, max, wanted) in [
        ([0x10, 0, 0, 0], 512, FrameError::ReservedBits { first: 0x10 }),
        ([0x80, 0, 0, 0], 512, FrameError::ReservedBits { first: 0x80 }),
        ([3, 0, 0, 0], 512, FrameError::UnknownType { kind: 3 }),
        ([15, 0, 0, 0], 512, FrameError::UnknownType { kind: 7 }),
        ([8, 0, 0, 1], MAX_MESSAGE, FrameError::BadLength { rest: 1 }),
        ([0, 0, 2, 1], 512, FrameError::TooLong { length: 513, max: 512 }),
        ([1, 0, 2, 1], 512, FrameError::TooLong { length: 513, max: 512 }),
        ([8, 0, 0, 0], 1 << 23, FrameError::TooLong { length: MAX_MESSAGE, max: 1 << 23 }),
    ] {
        assert_eq!(FrameHeader::decode(octets, max), Err(wanted), "{octets:?}");
    }
    assert!(FrameHeader::decode([0, 0, 2, 0], 512).is_ok(), "exactly as long as agreed");
}

proptest! {
    #[test]
    fn whatever_header_is_read_is_written_the_same(octets: [u8; 4]) {
        if let Ok(header) = FrameHeader::decode(octets, MAX_MESSAGE) {
            prop_assert_eq!(header.encode(), Some(octets));
        }
    }
}
