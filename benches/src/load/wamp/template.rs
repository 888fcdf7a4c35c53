//! A message that is sent again and again with another request number and another payload of the same size.

use petasus_protocol::wamp::{Message, Payload, Serializer};

use super::one_text;

/// The bytes of a message around its request number and its only argument, a text.
pub(crate) struct Template {
    serializer: Serializer,
    /// Up to the request number.
    head: Vec<u8>,
    /// Behind it.
    tail: Vec<u8>,
    /// Where the payload lies in `tail`.
    at: usize,
    size: usize,
    /// The message that was filled in last.
    filled: Vec<u8>,
}

impl Template {
    /// The message that `make` makes of a request number and a payload of `size` bytes. The protocol crate writes it
    /// once; the request number is the second element of the message, and the payload its last.
    pub(crate) fn of(serializer: Serializer, size: usize, make: impl Fn(u64, Payload) -> Message) -> Self {
        let message = make(1, one_text(serializer, &".".repeat(size)));
        let encoded = message.encode(serializer);
        let code = message.code();
        let head = match serializer {
            Serializer::Json => format!("[{code},").len(),
            Serializer::MsgPack => 2,
            Serializer::Cbor if code < 24 => 2,
            Serializer::Cbor => 3,
        };
        let closing = if serializer.is_text() { "\"]]".len() } else { 0 };
        // Each serializer writes the number 1 in one byte.
        let tail = encoded[head + 1..].to_vec();
        let at = tail.len() - closing - size;
        Self { serializer, head: encoded[..head].to_vec(), tail, at, size, filled: Vec::new() }
    }

    /// Bytes of the payload.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    /// The message with this request number and payload: `size` bytes of ASCII that JSON need not escape.
    pub(crate) fn fill(&mut self, request: u64, payload: &[u8]) -> &[u8] {
        self.filled.clear();
        self.filled.extend_from_slice(&self.head);
        write_number(self.serializer, request, &mut self.filled);
        let tail = self.filled.len();
        self.filled.extend_from_slice(&self.tail);
        self.filled[tail + self.at..][..self.size].copy_from_slice(payload);
        &self.filled
    }
}

/// The shortest form of a number.
fn write_number(serializer: Serializer, number: u64, out: &mut Vec<u8>) {
    let (one_byte, two, four, eight, in_place) = match serializer {
        Serializer::Json => {
            let mut digits = [0; 20];
            let mut rest = number;
            let mut begin = digits.len();
            loop {
                begin -= 1;
                digits[begin] = b'0' + (rest % 10) as u8;
                rest /= 10;
                if rest == 0 {
                    return out.extend_from_slice(&digits[begin..]);
                }
            }
        }
        Serializer::MsgPack => (0xcc, 0xcd, 0xce, 0xcf, 0x80),
        Serializer::Cbor => (0x18, 0x19, 0x1a, 0x1b, 24),
    };
    match number {
        small if small < in_place => out.push(small as u8),
        small @ ..=0xff => out.extend([one_byte, small as u8]),
        medium @ ..=0xffff => {
            out.push(two);
            out.extend_from_slice(&(medium as u16).to_be_bytes());
        }
        large @ ..=0xffff_ffff => {
            out.push(four);
            out.extend_from_slice(&(large as u32).to_be_bytes());
        }
        largest => {
            out.push(eight);
            out.extend_from_slice(&largest.to_be_bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use petasus_protocol::wamp::Dict;
    use petasus_protocol::wamp::message::{Publish, Yield};

    use super::*;

    #[test]
    fn a_filled_template_is_what_the_protocol_crate_writes() {
        let publish = |request, payload| {
            Message::from(Publish { request, options: Dict::new(), topic: "a.topic".to_owned(), payload })
        };
        let answer =
            |invocation, payload| Message::from(Yield { request: invocation, options: Dict::new(), payload });
        for serializer in Serializer::ALL {
            for size in [40, 128, 1024, 70_000] {
                let payload = "0123456789abcdef".repeat(size)[..size].to_owned();
                let mut publishing = Template::of(serializer, size, publish);
                let mut answering = Template::of(serializer, size, answer);
                for request in [1, 9, 10, 23, 24, 127, 128, 255, 256, 65_535, 65_536, 4_294_967_296, 1 << 53]
                {
                    let whole = publish(request, one_text(serializer, &payload)).encode(serializer);
                    assert_eq!(publishing.fill(request, payload.as_bytes()), whole);
                    let whole = answer(request, one_text(serializer, &payload)).encode(serializer);
                    assert_eq!(answering.fill(request, payload.as_bytes()), whole);
                }
            }
        }
    }
}
