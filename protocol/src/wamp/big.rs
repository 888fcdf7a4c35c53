//! Integers beyond 64 bits: decimal digits in JSON, big-endian bytes in CBOR.

/// The most bytes of an integer: none of these has more than [`Limits::MAX_DIGITS`](super::Limits::MAX_DIGITS) digits.
pub(crate) const MAX_BYTES: usize = 850;

/// The decimal digits of the big-endian number `bytes`, plus 1 and with a minus if `negative` (as CBOR tag 3 says:
/// -1 - n). At most [`MAX_BYTES`] bytes.
pub(crate) fn digits(bytes: &[u8], negative: bool) -> String {
    const BASE: u64 = 1_000_000_000;
    let mut limbs: Vec<u64> = Vec::new();
    let mut push = |shift: u32, mut carry: u64| {
        for limb in &mut limbs {
            carry += *limb << shift;
            *limb = carry % BASE;
            carry /= BASE;
        }
        while carry > 0 {
            limbs.push(carry % BASE);
            carry /= BASE;
        }
    };
    let (head, words) = bytes.split_at(bytes.len() % 4);
    for &byte in head {
        push(8, byte.into());
    }
    for word in words.chunks_exact(4) {
        push(32, u32::from_be_bytes(word.try_into().expect("four bytes")).into());
    }
    if negative {
        push(0, 1);
    }
    let mut digits = String::from(if negative { "-" } else { "" });
    let mut limbs = limbs.iter().rev();
    digits += &limbs.next().copied().unwrap_or(0).to_string();
    for limb in limbs {
        let padded = (limb + BASE).to_string();
        digits += &padded[1..];
    }
    digits
}

/// The opposite of [`digits`]: the big-endian bytes without leading zeros, and whether there was a minus.
pub(crate) fn bytes(digits: &str) -> (Vec<u8>, bool) {
    let (digits, negative) = match digits.strip_prefix('-') {
        Some(digits) => (digits, true),
        None => (digits, false),
    };
    let mut limbs: Vec<u32> = Vec::new();
    for chunk in digits.as_bytes().chunks(9) {
        let mut carry = chunk.iter().fold(0, |number, digit| number * 10 + u64::from(digit - b'0'));
        let scale = 10_u64.pow(chunk.len() as u32);
        for limb in &mut limbs {
            carry += u64::from(*limb) * scale;
            *limb = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            limbs.push(carry as u32);
        }
    }
    if negative {
        for limb in &mut limbs {
            let (less, borrowed) = limb.overflowing_sub(1);
            *limb = less;
            if !borrowed {
                break;
            }
        }
    }
    let bytes: Vec<u8> = limbs.iter().rev().flat_map(|limb| limb.to_be_bytes()).collect();
    let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
    (bytes[zeros..].to_vec(), negative)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wamp::Limits;

    #[test]
    fn digits_and_bytes_are_each_others_opposite() {
        for number in [0, 1, 255, 256, 999_999_999, 1_000_000_000, u128::from(u64::MAX), 1 << 64, u128::MAX] {
            let text = number.to_string();
            let (bytes, negative) = bytes(&text);
            assert_eq!((digits(&bytes, false), negative), (text, false));
            let below = if number == u128::MAX {
                "-340282366920938463463374607431768211456".to_owned()
            } else {
                format!("-{}", number + 1)
            };
            assert_eq!(digits(&bytes, true), below);
            assert_eq!(super::bytes(&below), (bytes, true));
        }
    }

    #[test]
    fn the_most_bytes_have_no_more_than_the_most_digits() {
        let digits = digits(&[0xFF; MAX_BYTES], true);
        assert!(digits.len() - 1 <= Limits::MAX_DIGITS, "{}", digits.len());
        assert_eq!(bytes(&digits), (vec![0xFF; MAX_BYTES], true));
    }
}
