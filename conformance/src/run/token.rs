//! Replay tokens: the minimal script itself, not the seed of a generator that may change.

use std::fmt;
use std::str::FromStr;

use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::Params;

/// What every token begins with: the form's version.
const PREFIX: &str = "pc1.";

/// A script and all that is needed to run it again.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Token {
    /// The version of the specification.
    pub spec: String,
    /// The check.
    pub check: String,
    /// What was declared.
    pub params: Params,
    /// The script.
    pub script: Value,
}

/// A text that is no token.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no replay token ({0}): copy all of it, from `{PREFIX}` on")]
pub struct TokenError(String);

impl fmt::Display for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_vec(self).expect("a token is plain values with text keys");
        write!(f, "{PREFIX}{}", BASE64URL_NOPAD.encode(&json))
    }
}

impl FromStr for Token {
    type Err = TokenError;

    fn from_str(text: &str) -> Result<Self, TokenError> {
        let rest =
            text.trim().strip_prefix(PREFIX).ok_or_else(|| TokenError("its begin is missing".to_owned()))?;
        let json = BASE64URL_NOPAD.decode(rest.as_bytes()).map_err(|error| TokenError(error.to_string()))?;
        serde_json::from_slice(&json).map_err(|error| TokenError(error.to_string()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_holds_its_script() {
        let script = serde_json::json!({"pullers": 2, "ops": [{"Push": 1}, {"Leave": 0}]});
        let (spec, check) = ("1".to_owned(), "pushpull.churn".to_owned());
        let token = Token { spec, check, params: Params::default(), script };
        let text = token.to_string();
        assert_eq!(text.parse::<Token>().unwrap(), token);
        assert!(text[..text.len() - 3].parse::<Token>().is_err());
        assert!("cr1.AAAA".parse::<Token>().is_err());
    }
}
