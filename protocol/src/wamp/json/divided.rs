//! Floats from checked JSON numbers, by multiplying and dividing as on paper: the nearest one, of two that are equally
//! near the even one.
//!
//! The standard library has tables for this, which are a tenth of what a page loads of a client. This is as exact, and
//! slower.
#![expect(clippy::cast_possible_wrap, reason = "lengths of a message, which are bounded")]

/// The digits that are looked at; of the others it only matters whether they are all 0. What lies midway between two
/// floats has 767 digits at most, so that more can not tell on which side of it a number is.
const DIGITS: usize = 800;

/// More than the digits of any message, so that they can not make up for such an exponent.
const FAR: i64 = 1 << 40;

/// The float that a JSON number stands for; infinity if it is beyond the range.
pub(crate) fn divided(number: &str) -> f64 {
    let (sign, number) = match number.strip_prefix('-') {
        Some(number) => (1 << 63, number),
        None => (0, number),
    };
    f64::from_bits(sign | magnitude(number).unwrap_or(f64::INFINITY.to_bits()))
}

/// The bits of a float without its sign; `None` if it is beyond the range.
fn magnitude(number: &str) -> Option<u64> {
    let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    let mut big = Big { limbs: Vec::new(), exponent: 0, more: false };
    let far = if exponent.starts_with('-') { -FAR } else { FAR };
    let exponent = exponent.parse().unwrap_or(far).clamp(-FAR, FAR);
    // The power of ten of the last digit.
    let mut scale = exponent - fraction.len() as i64;
    let mut count = 0;
    for digit in whole.bytes().chain(fraction.bytes()).map(|byte| u32::from(byte - b'0')) {
        if count == DIGITS {
            big.more |= digit > 0;
            scale += 1;
        } else if count > 0 || digit > 0 {
            big.multiply(10, digit);
            count += 1;
        }
    }
    // The number is below 10 to the power of `magnitude`, and at least a tenth of that.
    let magnitude = scale + count as i64;
    if count == 0 || magnitude < -330 {
        return Some(0);
    }
    if magnitude > 310 {
        return None;
    }
    while scale > 0 {
        let step = scale.min(9);
        big.multiply(10_u32.pow(step as u32), 0);
        scale -= step;
    }
    // Four bits for each digit, and 96 for the quotient.
    big.widen((-scale * 4 / 32 + 3) as usize);
    while scale < 0 {
        let step = (-scale).min(9);
        big.divide(10_u32.pow(step as u32));
        scale += step;
    }
    Some(big.rounded())
}

/// A large number: its limbs, the least first, times 2 to the power of `exponent`; and `more` if it is a little more.
struct Big {
    limbs: Vec<u32>,
    exponent: i64,
    more: bool,
}

impl Big {
    fn multiply(&mut self, factor: u32, add: u32) {
        let mut carry = u64::from(add);
        for limb in &mut self.limbs {
            carry += u64::from(*limb) * u64::from(factor);
            *limb = carry as u32;
            carry >>= 32;
        }
        if carry > 0 {
            self.limbs.push(carry as u32);
        }
    }

    /// Adds limbs that are 0 below the others.
    fn widen(&mut self, limbs: usize) {
        self.limbs.splice(..0, std::iter::repeat_n(0, limbs));
        self.exponent -= 32 * limbs as i64;
    }

    fn divide(&mut self, divisor: u32) {
        let divisor = u64::from(divisor);
        let mut rest = 0;
        for limb in self.limbs.iter_mut().rev() {
            rest = rest << 32 | u64::from(*limb);
            *limb = (rest / divisor) as u32;
            rest %= divisor;
        }
        self.more |= rest > 0;
    }

    /// The bits of the nearest float. The number is not 0.
    fn rounded(&self) -> u64 {
        // `top` times 2 to the power of `exponent`: its first bit is 1, and it ends with `more` for all that is cut off.
        let mut top = 0_u128;
        let mut exponent = self.exponent + 32 * self.limbs.len() as i64;
        let mut more = self.more;
        for &limb in self.limbs.iter().rev() {
            if top >> 96 == 0 {
                top = top << 32 | u128::from(limb);
                exponent -= 32;
            } else {
                more |= limb > 0;
            }
        }
        let shift = top.leading_zeros();
        top <<= shift;
        exponent -= i64::from(shift);
        // 1 to 2, times 2 to the power of `size`. Floats have 53 bits, and less below the exponent -1022.
        let size = exponent + 127;
        let kept = 53 + (size + 1022).min(0);
        if kept < 0 {
            return 0;
        }
        let kept = kept as u32;
        let mantissa = top.checked_shr(128 - kept).unwrap_or(0) as u64;
        let rest = top << kept;
        let half = 1 << 127;
        let up = rest > half || (rest == half && (more || mantissa & 1 == 1));
        // The first bit of the mantissa, and what rounding carries, count up the exponent: to infinity at last.
        let bits = (((size + 1022).max(0) as u64) << 52) + mantissa + u64::from(up);
        bits.min(f64::INFINITY.to_bits())
    }
}

#[cfg(test)]
mod tests {
    use super::divided;

    fn check(number: &str) {
        let expected: f64 = number.parse().expect("it is a number");
        assert_eq!(divided(number).to_bits(), expected.to_bits(), "{number}: {}", divided(number));
    }

    #[test]
    fn edges_of_the_range_are_those_of_the_standard_library() {
        for number in [
            "0",
            "-0",
            "0.0",
            "0e999999999999999999999",
            "1",
            "-1.5",
            "0.1",
            "0.30000000000000004",
            "1e23",
            "9007199254740993",
            "9007199254740993.00000000000000000000000000000000001",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.797693134862315807e308",
            "1.7976931348623159e308",
            "1e309",
            "-1e400",
            "1e99999999999999999999",
            "4.9e-324",
            "5e-324",
            "2.4703282292062327e-324",
            "2.4703282292062328e-324",
            "2.47e-324",
            "1e-400",
            "1e-99999999999999999999",
            "0.5e-9223372036854775808",
            "0.5e9223372036854775807",
            "2.2250738585072011e-308",
            "2.2250738585072014e-308",
            "2.225073858507201e-308",
            "123456789012345678901234567890",
            "1E+2",
            "0.000001e5",
            "100000000000000000000000e-20",
        ] {
            check(number);
        }
    }

    #[test]
    fn long_numbers_are_read_to_their_last_digit() {
        let midway = format!("1{}", "0".repeat(22));
        check(&midway);
        // 2^-1075 is midway between 0 and the least float, and has 752 digits.
        let least = format!("{:.1100}", f64::from_bits(1)).trim_end_matches('0').to_owned();
        for more in ["", "0000", "1", "00000000000000000001"] {
            let mut half = String::from("0.");
            let mut rest = 0;
            for digit in least[2..].bytes().chain([b'0']) {
                let value = rest * 10 + u32::from(digit - b'0');
                half.push(char::from(b'0' + (value / 2) as u8));
                rest = value % 2;
            }
            check(&(half + &"0".repeat(if more.is_empty() { 0 } else { 200 }) + more));
        }
        check(&format!("0.{}1e2000", "0".repeat(1999)));
        check(&format!("{}e-5000", "7".repeat(5000)));
        check(&format!("1{}", "0".repeat(308)));
        check(&format!("1{}", "0".repeat(309)));
    }

    proptest::proptest! {
        #[test]
        fn any_float_is_read_as_it_was_written(bits: u64) {
            let float = f64::from_bits(bits);
            if float.is_finite() {
                check(&format!("{float:e}"));
                check(&format!("{float:.20e}"));
            }
        }

        #[test]
        fn any_number_is_read_as_by_the_standard_library(number in "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?") {
            check(&number);
        }
    }
}
