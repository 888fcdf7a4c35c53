//! SCRAM-SHA-256 as WAMP speaks it (WAMP Advanced Profile, "Salted Challenge Response Authentication Mechanism";
//! RFC 5802, RFC 7677): the router stores no password and nothing that a client could log in with.
//!
//! HELLO brings the client's nonce, CHALLENGE the router's, the salt and the cost, AUTHENTICATE the proof and WELCOME
//! the verifier, by which the client knows that the router knows the password too.

use std::fmt;

use argon2::{Algorithm, Argon2, Params, Version};
use data_encoding::{BASE64, BASE64_NOPAD};
use pbkdf2::pbkdf2_hmac;
use sha2::{Digest, Sha256};
use stringprep::saslprep;

use super::{AuthError, from_base64, hmac_sha256, same_secret, within};

/// More rounds of PBKDF2 than this are refused: some ten seconds of work, which a hostile router could ask for.
pub const MAX_ITERATIONS: u64 = 10_000_000;
/// More rounds of Argon2 than this are refused.
pub const MAX_PASSES: u64 = 10_000;
/// More memory for Argon2 than this (1 GiB, in KiB) is refused.
pub const MAX_MEMORY: u64 = 1 << 20;

/// Whose rules are followed. The specification's method and the one that Autobahn and Crossbar speak have different
/// names and differ in what is signed, so the name of the method says which is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// The specification's: method `wamp-scram`.
    Specified,
    /// Autobahn's: method `scram`. No channel binding (`c=` is empty), names are not escaped, passwords are taken as
    /// they are, and Argon2's key is used as base64 text.
    Autobahn,
}

impl Variant {
    /// The variant of this method in `authmethods`, if it is a SCRAM method.
    pub fn of_method(method: &str) -> Option<Variant> {
        [Variant::Specified, Variant::Autobahn].into_iter().find(|variant| variant.method() == method)
    }

    /// The name of the method in `authmethods` and CHALLENGE.
    pub const fn method(self) -> &'static str {
        match self {
            Variant::Specified => "wamp-scram",
            Variant::Autobahn => "scram",
        }
    }

    /// Where `WELCOME.Details.authextra` holds the verifier.
    pub const fn verifier_key(self) -> &'static str {
        match self {
            Variant::Specified => "verifier",
            Variant::Autobahn => "scram_server_signature",
        }
    }
}

/// How a password becomes a key, and at what cost ("Key Derivation Functions").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kdf {
    /// PBKDF2-HMAC-SHA256.
    Pbkdf2 {
        /// Rounds; RFC 7677 wants 4096 at least, today's advice is 600,000.
        iterations: u32,
    },
    /// Argon2id, version 1.3, one lane. The specification recommends it.
    Argon2id13 {
        /// Passes over the memory.
        iterations: u32,
        /// Memory in KiB, 8 at least.
        memory: u32,
    },
}

impl Kdf {
    /// Reads `kdf`, `iterations` and `memory` of a CHALLENGE or of a user's record. Autobahn's `argon2id-13` is read
    /// too.
    pub fn parse(name: &str, iterations: u64, memory: Option<u64>) -> Result<Kdf, AuthError> {
        match name {
            "pbkdf2" => Ok(Kdf::Pbkdf2 { iterations: within("iterations", iterations, 1, MAX_ITERATIONS)? }),
            "argon2id13" | "argon2id-13" => Ok(Kdf::Argon2id13 {
                iterations: within("iterations", iterations, 1, MAX_PASSES)?,
                memory: within("memory", memory.unwrap_or(0), 8, MAX_MEMORY)?,
            }),
            _ => Err(AuthError::UnknownKdf),
        }
    }

    /// The name in a CHALLENGE.
    pub const fn name(self, variant: Variant) -> &'static str {
        match (self, variant) {
            (Kdf::Pbkdf2 { .. }, _) => "pbkdf2",
            (Kdf::Argon2id13 { .. }, Variant::Specified) => "argon2id13",
            (Kdf::Argon2id13 { .. }, Variant::Autobahn) => "argon2id-13",
        }
    }

    /// `CHALLENGE.Extra.iterations`.
    pub const fn iterations(self) -> u32 {
        match self {
            Kdf::Pbkdf2 { iterations } | Kdf::Argon2id13 { iterations, .. } => iterations,
        }
    }

    /// `CHALLENGE.Extra.memory` in KiB; leave the key out for `None`, Autobahn stumbles over a null.
    pub const fn memory(self) -> Option<u32> {
        match self {
            Kdf::Pbkdf2 { .. } => None,
            Kdf::Argon2id13 { memory, .. } => Some(memory),
        }
    }

    /// Whether the cost is so low that a client should rather abort than give a rogue router a key that is easily
    /// cracked: less than 4096 rounds of PBKDF2, or than 32 MiB gone over once by Argon2.
    pub const fn is_weak(self) -> bool {
        match self {
            Kdf::Pbkdf2 { iterations } => iterations < 4096,
            Kdf::Argon2id13 { iterations, memory } => (iterations as u64) * (memory as u64) < 32 * 1024,
        }
    }

    /// `SaltedPassword`: slow, by design. Do not run it where other sessions wait.
    fn derive(self, variant: Variant, password: &str, salt: &[u8]) -> Result<Vec<u8>, AuthError> {
        let forbidden = AuthError::Forbidden { what: "the password" };
        let password = match variant {
            Variant::Specified => saslprep(password).map_err(|_| forbidden)?,
            Variant::Autobahn => password.into(),
        };
        let mut key = [0; 32];
        match self {
            Kdf::Pbkdf2 { iterations } => {
                within("iterations", iterations.into(), 1, MAX_ITERATIONS)?;
                pbkdf2_hmac::<Sha256>(password.as_bytes(), salt, iterations, &mut key);
                Ok(key.to_vec())
            }
            Kdf::Argon2id13 { iterations, memory } => {
                within("iterations", iterations.into(), 1, MAX_PASSES)?;
                within("memory", memory.into(), 8, MAX_MEMORY)?;
                let params = Params::new(memory, iterations, 1, Some(key.len())).expect("checked above");
                Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
                    .hash_password_into(password.as_bytes(), salt, &mut key)
                    .map_err(|_| AuthError::ShortSalt)?;
                Ok(match variant {
                    Variant::Specified => key.to_vec(),
                    Variant::Autobahn => BASE64_NOPAD.encode(&key).into_bytes(),
                })
            }
        }
    }
}

/// What the router stores of a user ("Data Stored on the Server").
#[derive(Clone, PartialEq, Eq)]
pub struct Credentials {
    /// Random and the user's own; 16 bytes are recommended.
    pub salt: Vec<u8>,
    /// How the password became the keys.
    pub kdf: Kdf,
    /// `StoredKey`: what a proof is checked with.
    pub stored_key: [u8; 32],
    /// `ServerKey`: what the router proves itself with.
    pub server_key: [u8; 32],
}

impl Credentials {
    /// Those of a password. Slow, by design.
    pub fn new(variant: Variant, password: &str, salt: Vec<u8>, kdf: Kdf) -> Result<Credentials, AuthError> {
        let keys = ClientKeys::new(variant, password, &salt, kdf)?;
        Ok(Credentials { salt, kdf, stored_key: keys.stored, server_key: keys.server })
    }

    /// Those of a user who does not exist: always the same for a name, and no password fits, so that a challenge
    /// does not tell which names exist ("Initial Client Authentication Message"). `secret` is the router's own.
    pub fn mock(secret: &[u8], authid: &str, kdf: Kdf) -> Credentials {
        let derived = |label: &str| hmac_sha256(secret, format!("{label}\0{authid}").as_bytes());
        Credentials {
            salt: derived("salt")[..16].to_vec(),
            kdf,
            stored_key: derived("stored key"),
            server_key: derived("server key"),
        }
    }

    /// `CHALLENGE.Extra.salt`, and [`Exchange::salt`].
    pub fn salt_text(&self) -> String {
        BASE64.encode(&self.salt)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials").field("kdf", &self.kdf).finish_non_exhaustive()
    }
}

/// What a client makes of its password for one salt and cost. It may keep them, and save the work the next time.
#[derive(Clone)]
pub struct ClientKeys {
    client: [u8; 32],
    stored: [u8; 32],
    server: [u8; 32],
}

impl ClientKeys {
    /// Those for the salt and the cost of a CHALLENGE. Slow, by design.
    pub fn new(variant: Variant, password: &str, salt: &[u8], kdf: Kdf) -> Result<ClientKeys, AuthError> {
        let salted = kdf.derive(variant, password, salt)?;
        let client = hmac_sha256(&salted, b"Client Key");
        let server = hmac_sha256(&salted, b"Server Key");
        Ok(ClientKeys { client, stored: Sha256::digest(client).into(), server })
    }

    /// Like [`ClientKeys::new`] for `CHALLENGE.Extra.salt` as it came.
    pub fn for_salt_text(
        variant: Variant,
        password: &str,
        salt: &str,
        kdf: Kdf,
    ) -> Result<ClientKeys, AuthError> {
        ClientKeys::new(variant, password, &from_base64(salt, "the salt")?, kdf)
    }
}

impl fmt::Debug for ClientKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientKeys").finish_non_exhaustive()
    }
}

/// The TLS channel that an exchange is bound to ("Channel Binding").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Channel<'a> {
    /// The type, such as `tls-unique` or `tls-server-end-point`.
    pub name: &'a str,
    /// The bytes of it as this side of the channel knows them.
    pub bytes: &'a [u8],
}

/// What both sides have said to each other: the same on both, or else the proof is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exchange<'a> {
    /// By the method that was chosen.
    pub variant: Variant,
    /// `HELLO.Details.authid`.
    pub authid: &'a str,
    /// `HELLO.Details.authextra.nonce`.
    pub client_nonce: &'a str,
    /// `CHALLENGE.Extra.nonce`: the client's nonce and the router's behind it.
    pub nonce: &'a str,
    /// `CHALLENGE.Extra.salt`, base64.
    pub salt: &'a str,
    /// `CHALLENGE.Extra.iterations`.
    pub iterations: u32,
    /// The channel, if the client asked to bind one. What the client says of it need not be compared: if it differs,
    /// the proof is wrong.
    pub channel: Option<Channel<'a>>,
}

impl Exchange<'_> {
    /// For the client: `AUTHENTICATE.Signature`. Fails if the router's nonce does not continue the client's, as the
    /// specification demands; then ABORT.
    pub fn prove(&self, keys: &ClientKeys) -> Result<String, AuthError> {
        let continued =
            self.nonce.starts_with(self.client_nonce) && self.nonce.len() > self.client_nonce.len();
        if !continued && self.variant == Variant::Specified {
            return Err(AuthError::WrongNonce);
        }
        let signature = hmac_sha256(&keys.stored, self.auth_message()?.as_bytes());
        Ok(BASE64.encode(&xor(keys.client, signature)))
    }

    /// For the router: checks `AUTHENTICATE.Signature` and `AUTHENTICATE.Extra.nonce` (which Autobahn does not send),
    /// and gives the verifier for WELCOME, see [`Variant::verifier_key`].
    pub fn verify(
        &self,
        credentials: &Credentials,
        proof: &str,
        echoed_nonce: Option<&str>,
    ) -> Result<String, AuthError> {
        match echoed_nonce {
            Some(nonce) if nonce == self.nonce => {}
            None if self.variant == Variant::Autobahn => {}
            _ => return Err(AuthError::WrongNonce),
        }
        let wrong = AuthError::Encoding { what: "the proof", encoding: "base64" };
        let proof: [u8; 32] = from_base64(proof, "the proof")?.try_into().map_err(|_| wrong)?;
        let message = self.auth_message()?;
        let client_key = xor(proof, hmac_sha256(&credentials.stored_key, message.as_bytes()));
        if !same_secret(&Sha256::digest(client_key), &credentials.stored_key) {
            return Err(AuthError::Denied);
        }
        Ok(BASE64.encode(&hmac_sha256(&credentials.server_key, message.as_bytes())))
    }

    /// For the client: checks the verifier of WELCOME. If it is wrong, the router does not know the password.
    pub fn check_verifier(&self, keys: &ClientKeys, verifier: &str) -> Result<(), AuthError> {
        // The example of the specification shows the verifier as RFC 5802 writes it, with a `v=` before it.
        let verifier = from_base64(verifier.strip_prefix("v=").unwrap_or(verifier), "the verifier")?;
        let wanted = hmac_sha256(&keys.server, self.auth_message()?.as_bytes());
        if same_secret(&wanted, &verifier) { Ok(()) } else { Err(AuthError::Denied) }
    }

    /// `AuthMessage`: what both sides sign (RFC 5802 3, in the words of the specification's section of this name).
    fn auth_message(&self) -> Result<String, AuthError> {
        let name = saslprep(self.authid).map_err(|_| AuthError::Forbidden { what: "the name" })?;
        let (name, binding) = match self.variant {
            Variant::Specified => (name.replace('=', "=3D").replace(',', "=2C"), self.channel_binding()),
            Variant::Autobahn => (name.into_owned(), String::new()),
        };
        let Exchange { client_nonce, nonce, salt, iterations, .. } = self;
        Ok(format!("n={name},r={client_nonce},r={nonce},s={salt},i={iterations},c={binding},r={nonce}"))
    }

    /// `Base64(CBindInput)`.
    fn channel_binding(&self) -> String {
        let mut input = match self.channel {
            None => "n,,".to_owned(),
            Some(channel) => format!("p={},,", channel.name),
        }
        .into_bytes();
        input.extend(self.channel.iter().flat_map(|channel| channel.bytes));
        BASE64.encode(&input)
    }
}

fn xor(mut a: [u8; 32], b: [u8; 32]) -> [u8; 32] {
    for (byte, other) in a.iter_mut().zip(b) {
        *byte ^= other;
    }
    a
}
