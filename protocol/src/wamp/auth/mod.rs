//! Authentication: the mathematics of WAMP-CRA, SCRAM and cryptosign, for the router and for the client.
//!
//! * [`cra`]: the client signs a text with a secret that both know (`wampcra`).
//! * [`scram`]: the router knows only what a password can be checked with (`wamp-scram`).
//! * [`cryptosign`]: the router knows the client's public key (`cryptosign`).
//! * `ticket` needs no mathematics but [`same_secret`].
//!
//! **Invariant:** randomness, time and limits of time are the caller's: nonces, salts and challenges are arguments.
//! Secrets are compared in constant time, and no `Debug` text shows one.

use data_encoding::{BASE64, HEXLOWER, HEXLOWER_PERMISSIVE};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use subtle::ConstantTimeEq;

pub mod answer;
pub mod cra;
pub mod cryptosign;
pub mod scram;

/// Why an authentication failed or a piece of one cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AuthError {
    /// The proof is wrong. It is not said why, so that nobody learns from it.
    #[error("the authentication is wrong: check the name and the secret")]
    Denied,
    /// The nonce of the peer is not the one that was sent, or does not continue it.
    #[error("the nonce does not belong to this exchange: send back the one of the challenge")]
    WrongNonce,
    /// A piece is not encoded as it has to be.
    #[error("{what} is not {encoding} of the right length: encode it so")]
    Encoding {
        /// The piece.
        what: &'static str,
        /// `base64` or `hex`.
        encoding: &'static str,
    },
    /// A name or password holds a character that `SASLprep` (RFC 4013) forbids.
    #[error(
        "{what} holds a character that SASLprep forbids: use no control characters and no unassigned ones"
    )]
    Forbidden {
        /// `the name` or `the password`.
        what: &'static str,
    },
    /// The challenge names a key derivation that is not known.
    #[error("the key derivation function is unknown: use pbkdf2 or argon2id13")]
    UnknownKdf,
    /// The cost of the key derivation is zero, or more than anybody should spend.
    #[error("the key derivation has {what} outside {min} to {max}: choose one within")]
    Cost {
        /// `iterations`, `memory` or `keylen`.
        what: &'static str,
        /// The least.
        min: u64,
        /// The most.
        max: u64,
    },
    /// A salt that Argon2 does not take.
    #[error("the salt is too short: use at least 8 bytes, 16 are recommended")]
    ShortSalt,
}

/// Whether two secrets are the same, in a time that depends on their lengths only.
pub fn same_secret(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

/// A nonce as WAMP wants it: the base64 of random bytes.
pub fn nonce(random: &[u8; 16]) -> String {
    BASE64.encode(random)
}

/// The 32 bytes that `text` is the hexadecimal of; capital letters are fine. `what` is for the error text.
pub fn from_hex(text: &str, what: &'static str) -> Result<[u8; 32], AuthError> {
    let wrong = AuthError::Encoding { what, encoding: "hex" };
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes()).map_err(|_| wrong)?;
    bytes.try_into().map_err(|_| wrong)
}

/// The hexadecimal of `bytes`, in small letters.
pub fn to_hex(bytes: &[u8]) -> String {
    HEXLOWER.encode(bytes)
}

fn from_base64(text: &str, what: &'static str) -> Result<Vec<u8>, AuthError> {
    BASE64.decode(text.as_bytes()).map_err(|_| AuthError::Encoding { what, encoding: "base64" })
}

fn hmac_sha256(key: &[u8], message: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of every length");
    mac.update(message);
    mac.finalize().into_bytes().into()
}

/// Checks that `value` is within `min..=max`.
fn within(what: &'static str, value: u64, min: u64, max: u64) -> Result<u32, AuthError> {
    match u32::try_from(value) {
        Ok(small) if (min..=max).contains(&value) => Ok(small),
        _ => Err(AuthError::Cost { what, min, max }),
    }
}
