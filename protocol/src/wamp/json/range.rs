//! Which numbers of JSON are beyond the range of floats, told by their digits.

/// Halfway between the largest float and the next one that there would be: what is less is rounded to a float, all
/// else to infinity. Its first digit stands at 10^308.
const LIMIT: &[u8; 309] = b"\
    17976931348623158079372897140530341507993413271003782693617377898044496829276475094664901797758\
    72070963302864166928879109465555478519404026306574886715058206819089020007083836762738548458177\
    11531764475730270069855571366959622842914819860834936475292719074168444365510704342711559699508\
    093042880177904174497792";

/// More than the digits of any message, so that they can not make up for such an exponent.
const FAR: i64 = 1 << 40;

/// Whether a number of checked JSON is read as a finite float.
#[expect(clippy::cast_possible_wrap, reason = "lengths of a message, which are bounded")]
pub(super) fn is_finite(number: &str) -> bool {
    let number = number.strip_prefix('-').unwrap_or(number);
    let (digits, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let whole = digits.find('.').unwrap_or(digits.len());
    let far = if exponent.starts_with('-') { -FAR } else { FAR };
    let exponent = exponent.parse().unwrap_or(far).clamp(-FAR, FAR);
    let Some(first) = digits.bytes().position(|byte| matches!(byte, b'1'..=b'9')) else { return true };
    // The power of ten at which the first digit stands.
    let place = if first < whole { whole - 1 } else { whole };
    let leads = place as i64 - first as i64;
    match leads + exponent {
        308 => digits.bytes().skip(first).filter(|byte| *byte != b'.').lt(LIMIT.iter().copied()),
        power => power < 308,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(number: &str) {
        let float: f64 = number.parse().expect("it is a number");
        assert_eq!(is_finite(number), float.is_finite(), "{number}");
    }

    #[test]
    fn the_edge_is_that_of_floats() {
        let limit = std::str::from_utf8(LIMIT).expect("they are digits");
        check(limit);
        check(&format!("{limit}.000"));
        check(&limit.replace("792", "791.9999999"));
        check(&format!("0.{limit}1e309"));
        for number in [
            "0",
            "-0",
            "0e999",
            "0.0e99999999999999999999",
            "1e308",
            "1e309",
            "-1e309",
            "10e308",
            "0.1e309",
            "0.01e310",
            "0.0001e312",
            "0.0001e313",
            "1.7976931348623157e308",
            "1.7976931348623158e308",
            "1.7976931348623159e308",
            "-1.7976931348623159E+308",
            "17976931348623158079e289",
            "17976931348623158080e289",
            "1e-99999999999999999999",
            "1e99999999999999999999",
            "123.456e306",
            "123.456e307",
        ] {
            check(number);
        }
    }

    proptest::proptest! {
        #[test]
        fn any_number_is_finite_if_the_standard_library_says_so(
            number in "-?(0|[1-9][0-9]{0,5})(\\.[0-9]{1,8})?([eE][+-]?(30[0-9]|31[0-9]|[0-9]{1,4}))?",
        ) {
            check(&number);
        }
    }
}
