//! A bounded fuzz run on stable: mutations from a seed, which a failure prints.
//!
//! It stands in for `cargo fuzz`, which needs a nightly compiler and libFuzzer: it knows no coverage, but it runs in
//! every test run and always the same. `PETASUS_FUZZ_ROUNDS` asks for more rounds (20,000 unless told),
//! `PETASUS_FUZZ_SEED` for others.

use std::env;
use std::panic::{AssertUnwindSafe, catch_unwind};

use petasus_protocol::wamp::Serializer;

use crate::examples::examples;
use crate::malformed::check_stable;

/// `SplitMix64`: small, and good enough to choose mutations.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 to `end`, exclusive; 0 if there is nothing.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % (end.max(1) as u64)) as usize
    }
}

/// Bytes that mean something in one of the serializers: brackets, quotes and escapes, headers of every kind with
/// lengths of every width, reserved ones, breaks and tags.
const TELLING: &[u8] = b"[]{}\",:\\u0-.eE \x00\x7F\x80\x8F\x90\x9F\xA0\xBF\xC0\xC1\xC2\xC4\xC6\xC7\xC9\xCA\xCB\xCF\
    \xD3\xD4\xD9\xDB\xDC\xDD\xDE\xDF\xE0\xFF\x1B\x3B\x5B\x5F\x7B\x9B\x9F\xBB\xBF\xC2\xC3\xD8\xF6\xF7\xF9\xFA\xFB";

fn mutate(bytes: &mut Vec<u8>, other: &[u8], random: &mut Random) {
    let at = random.below(bytes.len());
    match random.below(8) {
        0 if !bytes.is_empty() => bytes[at] ^= 1 << random.below(8),
        1 if !bytes.is_empty() => bytes[at] = TELLING[random.below(TELLING.len())],
        2 => bytes.insert(at, TELLING[random.below(TELLING.len())]),
        3 if !bytes.is_empty() => drop(bytes.remove(at)),
        4 => bytes.truncate(at),
        5 => {
            let end = at + random.below((bytes.len() - at).min(16));
            let copy = bytes[at..end].to_vec();
            let to = random.below(bytes.len());
            bytes.splice(to..to, copy);
        }
        6 => {
            let from = random.below(other.len());
            bytes.splice(at.., other[from..].iter().copied());
        }
        // A nest, which is deeper than what is allowed every other time.
        _ => {
            let opener = [b'[', 0x91, 0x81][random.below(3)];
            let depth = random.below(200);
            bytes.splice(at..at, std::iter::repeat_n(opener, depth));
        }
    }
}

fn number(name: &str, default: u64) -> u64 {
    env::var(name).map_or(default, |text| text.parse().expect("a number"))
}

/// REQ-WAMP-004.
#[test]
fn mutated_messages_never_panic_and_stay_stable() {
    let rounds = number("PETASUS_FUZZ_ROUNDS", 20_000);
    let first = number("PETASUS_FUZZ_SEED", 0x5EED);
    let messages: Vec<_> = examples().into_iter().map(|(message, _)| message).collect();
    for serializer in Serializer::ALL {
        let corpus: Vec<_> = messages.iter().map(|message| message.encode(serializer)).collect();
        for seed in first..first + rounds {
            let mut random = Random(seed);
            let mut bytes = corpus[random.below(corpus.len())].clone();
            for _ in 0..=random.below(4) {
                let other = random.below(corpus.len());
                mutate(&mut bytes, &corpus[other], &mut random);
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| check_stable(serializer, bytes.clone())));
            assert!(outcome.is_ok(), "PETASUS_FUZZ_SEED={seed} in {serializer}: {bytes:02X?}");
        }
    }
}
