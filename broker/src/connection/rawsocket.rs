//! From bytes to messages: the frames of a rawsocket client (WAMP: `RawSocket` Transport).

use bytes::Bytes;
use petasus_protocol::Message;
use petasus_protocol::wamp::rawsocket::{FrameError, FrameHeader, FrameKind, HEADER_LEN};

use super::decoder::{Incoming, Unfinished, Violation};

/// Keeps what is not complete, never more than arrived.
#[derive(Default)]
pub(super) struct RawDecoder {
    /// The beginning of a header that is not complete.
    stash: [u8; HEADER_LEN],
    stashed: usize,
    frame: Option<FrameHeader>,
    payload: Vec<u8>,
}

impl RawDecoder {
    pub(super) fn unfinished(&self) -> Unfinished {
        if self.frame.is_some() {
            Unfinished::Message
        } else if self.stashed > 0 {
            Unfinished::Frame
        } else {
            Unfinished::Nothing
        }
    }

    /// Takes what was read. `sink` gets what is complete, in order, and says whether to go on.
    pub(super) fn feed(
        &mut self,
        mut input: &[u8],
        limit: usize,
        sink: &mut impl FnMut(Incoming) -> bool,
    ) -> Result<(), Violation> {
        while !input.is_empty() {
            let Some(frame) = self.frame else {
                let taken = input.len().min(HEADER_LEN - self.stashed);
                self.stash[self.stashed..self.stashed + taken].copy_from_slice(&input[..taken]);
                self.stashed += taken;
                input = &input[taken..];
                if self.stashed == HEADER_LEN {
                    self.stashed = 0;
                    let frame = FrameHeader::decode(self.stash, limit)?;
                    self.frame = Some(frame);
                    if frame.length == 0 && !self.complete(frame, Bytes::new(), sink) {
                        return Ok(());
                    }
                }
                continue;
            };
            let missing = frame.length - self.payload.len();
            let (chunk, rest) = input.split_at(missing.min(input.len()));
            input = rest;
            let payload = if chunk.len() < missing {
                self.payload.extend_from_slice(chunk);
                continue;
            } else if self.payload.is_empty() {
                Bytes::copy_from_slice(chunk)
            } else {
                self.payload.extend_from_slice(chunk);
                std::mem::take(&mut self.payload).into()
            };
            if !self.complete(frame, payload, sink) {
                return Ok(());
            }
        }
        Ok(())
    }

    fn complete(
        &mut self,
        frame: FrameHeader,
        payload: Bytes,
        sink: &mut impl FnMut(Incoming) -> bool,
    ) -> bool {
        self.frame = None;
        sink(match frame.kind {
            FrameKind::Message => Incoming::Message(Message::binary(payload)),
            FrameKind::Ping => Incoming::Ping(payload),
            FrameKind::Pong => Incoming::Pong,
        })
    }
}

/// The first frame of a run that the broker has made, and what is behind it.
pub(super) fn split_frame(run: &[u8]) -> Option<(&[u8], &[u8])> {
    let header = run.get(..HEADER_LEN)?.try_into().ok()?;
    let frame = FrameHeader::decode(header, usize::MAX).ok()?;
    run.split_at_checked(HEADER_LEN + frame.length)
}

impl From<FrameError> for Violation {
    fn from(error: FrameError) -> Self {
        match error {
            FrameError::TooLong { .. } => Self::TooLong,
            _ => Self::Protocol("no rawsocket frame"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frame(kind: FrameKind, payload: &[u8]) -> Vec<u8> {
        let header = FrameHeader { kind, length: payload.len() }.encode().expect("it is short");
        [&header[..], payload].concat()
    }

    proptest! {
        /// However the bytes arrive, the frames are the same.
        #[test]
        fn cuts_make_no_difference(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..6),
            step in 1..400usize,
        ) {
            let mut wire = Vec::new();
            let mut expected = Vec::new();
            for payload in &payloads {
                wire.extend(frame(FrameKind::Message, payload));
                wire.extend(frame(FrameKind::Ping, b"p"));
                expected.push(Incoming::Message(Message::binary(payload.clone())));
                expected.push(Incoming::Ping(Bytes::from_static(b"p")));
            }
            let (mut decoder, mut got) = (RawDecoder::default(), Vec::new());
            for piece in wire.chunks(step) {
                let sink = &mut |incoming| {
                    got.push(incoming);
                    true
                };
                prop_assert_eq!(decoder.feed(piece, 1000, sink), Ok(()));
            }
            prop_assert_eq!(got, expected);
            prop_assert_eq!(decoder.unfinished(), Unfinished::Nothing);
        }
    }

    #[test]
    fn what_is_no_frame_is_refused() {
        let refused = |wire: &[u8]| RawDecoder::default().feed(wire, 1000, &mut |_| true);
        assert_eq!(refused(&frame(FrameKind::Message, &[0; 1001])), Err(Violation::TooLong));
        assert_eq!(refused(&[0xF0, 0, 0, 0]), Err(Violation::Protocol("no rawsocket frame")));
    }
}
