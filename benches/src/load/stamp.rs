//! What every message says about itself: who published it, its number, and when it was due.
//!
//! The stamp is 40 hexadecimal digits at the head of the payload, so that a text message stays valid UTF-8 and
//! can be read in a capture: 8 for the publisher, 16 for the sequence number, 16 for nanoseconds.

/// Bytes of a stamp; no message can be smaller.
pub(crate) const LENGTH: usize = 40;

/// The stamp of one message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    /// Index of the publisher.
    pub(crate) publisher: u32,
    /// Counted from 0 by each publisher.
    pub(crate) sequence: u64,
    /// When the message was due (paced) or sent (closed loop), in nanoseconds of the run's clock.
    pub(crate) due: u64,
}

impl Stamp {
    /// Writes the stamp over the first [`LENGTH`] bytes of `payload`.
    pub(crate) fn write(self, payload: &mut [u8]) {
        write_hex(&mut payload[..8], u64::from(self.publisher));
        write_hex(&mut payload[8..24], self.sequence);
        write_hex(&mut payload[24..LENGTH], self.due);
    }

    /// Reads the stamp of a received payload; `None` when the message is none of ours.
    pub(crate) fn read(payload: &[u8]) -> Option<Self> {
        let stamp: &[u8; LENGTH] = payload.first_chunk()?;
        let mut words = [0_u64; 5];
        for (word, digits) in words.iter_mut().zip(stamp.chunks_exact(8)) {
            *word = u64::from(read_hex(digits.try_into().ok()?)?);
        }
        Some(Self {
            publisher: words[0] as u32,
            sequence: words[1] << 32 | words[2],
            due: words[3] << 32 | words[4],
        })
    }
}

fn write_hex(digits: &mut [u8], mut value: u64) {
    for digit in digits.iter_mut().rev() {
        *digit = b"0123456789abcdef"[(value & 0xf) as usize];
        value >>= 4;
    }
}

/// Eight lower-case digits at once: a subscriber reads millions of stamps a second on the server's machine.
fn read_hex(digits: [u8; 8]) -> Option<u32> {
    const ONES: u64 = 0x0101_0101_0101_0101;
    let text = u64::from_be_bytes(digits);
    // Bit 6 is set in letters (0x61..=0x66) and clear in figures (0x30..=0x39): a letter adds 9 to its low nibble.
    let letters = text >> 6 & ONES;
    let nibbles = (text & (0x0f * ONES)) + 9 * letters;
    // Checked by rebuilding the text, and by letters being exactly the digits of 10 and more.
    let tens = (nibbles + 6 * ONES) >> 4 & ONES;
    if nibbles & (0xf0 * ONES) != 0 || tens != letters || nibbles + 0x30 * ONES + 0x27 * letters != text {
        return None;
    }
    let pairs = (nibbles | nibbles >> 4) & 0x00ff_00ff_00ff_00ff;
    let quads = (pairs | pairs >> 8) & 0x0000_ffff_0000_ffff;
    Some((quads | quads >> 16) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_is_read_as_it_was_written() {
        for stamp in [
            Stamp { publisher: 0, sequence: 0, due: 0 },
            Stamp { publisher: 9, sequence: 10, due: 0x0123_4567_89ab_cdef },
            Stamp { publisher: u32::MAX, sequence: u64::MAX, due: u64::MAX },
        ] {
            let mut payload = vec![b'.'; 128];
            stamp.write(&mut payload);
            assert!(std::str::from_utf8(&payload).is_ok());
            assert_eq!(Stamp::read(&payload), Some(stamp));
        }
    }

    #[test]
    fn a_message_of_somebody_else_has_no_stamp() {
        let mut payload = vec![b'.'; LENGTH];
        Stamp { publisher: 1, sequence: 2, due: 3 }.write(&mut payload);
        assert_eq!(Stamp::read(&payload[..LENGTH - 1]), None);
        for at in 0..LENGTH {
            for wrong in [b'g', b'`', b'/', b':', b'A', 0x00, 0xb1, b'z'] {
                let mut changed = payload.clone();
                changed[at] = wrong;
                assert_eq!(Stamp::read(&changed), None, "byte {wrong:#x} at {at}");
            }
        }
    }
}
