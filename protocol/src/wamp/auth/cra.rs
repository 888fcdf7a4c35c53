//! WAMP-CRA: the client signs the router's challenge with a secret that both know (WAMP Advanced Profile,
//! "Challenge Response Authentication").

use data_encoding::BASE64;
use pbkdf2::pbkdf2_hmac;
use sha2::Sha256;

use super::{AuthError, from_base64, hmac_sha256, same_secret, within};
use crate::wamp::{Dict, Serializer};

/// The name of the method in `authmethods` and CHALLENGE.
pub const METHOD: &str = "wampcra";

/// What the challenge says. The client signs its text and a third party may read it ("Three-legged
/// Authentication"), so it names everything that the signature admits to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Challenge<'a> {
    /// The name that the client will have.
    pub authid: &'a str,
    /// The role that the client will have.
    pub authrole: &'a str,
    /// Where the name is known, such as `static`.
    pub authprovider: &'a str,
    /// A random text: [`nonce`](super::nonce).
    pub nonce: &'a str,
    /// When this began, in UTC and ISO 8601: `2014-06-22T16:51:41.643Z`.
    pub timestamp: &'a str,
    /// The id that the session will have.
    pub session: u64,
}

impl Challenge<'_> {
    /// The text to be signed, `CHALLENGE.Extra.challenge`: a JSON object. Keep it to verify the signature.
    pub fn to_text(self) -> String {
        let texts = [
            ("authid", self.authid),
            ("authrole", self.authrole),
            ("authmethod", METHOD),
            ("authprovider", self.authprovider),
            ("nonce", self.nonce),
            ("timestamp", self.timestamp),
        ];
        let mut fields = Dict::new();
        for (key, text) in texts {
            fields.set(key, text);
        }
        fields.set("session", self.session);
        String::from_utf8_lossy(&fields.encode(Serializer::Json)).into_owned()
    }
}

/// How the password became the secret, so that the client can do it again: `CHALLENGE.Extra.salt`, `.keylen` and
/// `.iterations` ("Password Salting").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Salting<'a> {
    /// The salt, whose UTF-8 bytes are used as they are.
    pub salt: &'a str,
    /// The rounds of PBKDF2-HMAC-SHA256, 1 to [`MAX_ITERATIONS`]. The usual 1000 of the examples is weak.
    pub iterations: u64,
    /// The bytes of the derived key, 1 to 128; usually 32.
    pub keylen: u64,
}

/// More rounds than this are refused: some ten seconds of work, which a hostile router could ask for.
pub const MAX_ITERATIONS: u64 = 10_000_000;

/// The secret that a salted password becomes: the base64 text of the PBKDF2 key. Its bytes are the secret that
/// [`sign`] and [`verify`] take, which the specification leaves open and all implementations do.
pub fn derive_key(password: &str, salting: &Salting<'_>) -> Result<String, AuthError> {
    let rounds = within("iterations", salting.iterations, 1, MAX_ITERATIONS)?;
    let mut key = vec![0; within("keylen", salting.keylen, 1, 128)? as usize];
    pbkdf2_hmac::<Sha256>(password.as_bytes(), salting.salt.as_bytes(), rounds, &mut key);
    Ok(BASE64.encode(&key))
}

/// The client's answer, `AUTHENTICATE.Signature`: the base64 of HMAC-SHA256 over the challenge as it came.
pub fn sign(secret: &[u8], challenge: &str) -> String {
    BASE64.encode(&hmac_sha256(secret, challenge.as_bytes()))
}

/// Checks the client's answer to `challenge`, which is the text as it was sent.
pub fn verify(secret: &[u8], challenge: &str, signature: &str) -> Result<(), AuthError> {
    let signature = from_base64(signature, "the signature")?;
    let wanted = hmac_sha256(secret, challenge.as_bytes());
    if same_secret(&wanted, &signature) { Ok(()) } else { Err(AuthError::Denied) }
}
