//! The proof that a client is asked for, and whether what it answers is one.

use std::fmt;

use petasus_protocol::wamp::auth::scram::{Credentials, Exchange, Kdf, Variant};
use petasus_protocol::wamp::auth::{AuthError, cra, cryptosign, from_hex, nonce, to_hex};
use petasus_protocol::wamp::{Dict, uri};

use super::users::{Cra, Method, Salting, Ticket, User, Users, keyed_hash, mock_credentials, random};
use crate::clock::{iso_8601, since_epoch};

/// What a client's HELLO says of itself.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Greeting<'a> {
    pub(crate) realm: &'a str,
    pub(crate) authid: Option<&'a str>,
    /// `authmethods`, in the client's order.
    pub(crate) methods: &'a [&'a str],
    /// `authextra`.
    pub(crate) extra: Option<&'a Dict>,
    /// The id that the session will have.
    pub(crate) session: u64,
}

/// The answer to a greeting.
#[derive(Debug)]
pub(crate) enum Opening {
    Welcome(Who),
    Challenge(Challenge),
}

/// Why a greeting is refused: the error URI of ABORT, and a text for people.
pub(crate) type Refused = (&'static str, String);

/// Who a client is, once that is known.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Who {
    pub(crate) authid: String,
    pub(crate) authrole: String,
    pub(crate) authmethod: &'static str,
    pub(crate) authprovider: &'static str,
    /// `WELCOME.Details.authextra`: SCRAM's verifier; else empty.
    pub(crate) extra: Dict,
}

/// A question to one client. It takes one answer, and no other challenge's.
pub(crate) struct Challenge {
    who: Who,
    method: Method,
    /// Whether there is such a user at all. Who is not there is asked all the same, and fails at the end.
    known: bool,
    proof: Proof,
}

/// What the proof is checked with.
enum Proof {
    Ticket(Ticket),
    Cra { text: String, cra: Cra },
    Scram(Box<Scram>),
    Cryptosign { challenge: [u8; 32], keys: Vec<[u8; 32]> },
}

struct Scram {
    variant: Variant,
    authid: String,
    client_nonce: String,
    nonce: String,
    credentials: Credentials,
}

impl Who {
    /// A client that proves nothing, under a name of its own.
    pub(super) fn anonymous(role: &str) -> Self {
        Self {
            authid: to_hex(&random::<16>()),
            authrole: role.to_owned(),
            authmethod: "anonymous",
            authprovider: "static",
            extra: Dict::new(),
        }
    }

    fn claimed(authid: &str, role: &str, method: Method) -> Self {
        Self {
            authid: authid.to_owned(),
            authrole: role.to_owned(),
            authmethod: method.as_str(),
            authprovider: "static",
            extra: Dict::new(),
        }
    }
}

/// Whom a client claims to be.
struct Claim<'a> {
    authid: &'a str,
    /// The user, or the one that stands in for a user who does not exist.
    user: &'a User,
    known: bool,
}

impl<'a> Claim<'a> {
    /// Of a client without an authid, the key of cryptosign says who it is (WAMP: Cryptosign, client authentication).
    fn of(greeting: &Greeting<'a>, method: Method, users: &'a Users) -> Option<Self> {
        if let Some(authid) = greeting.authid {
            // Both are looked for, so that it takes the same time.
            let stand_in = users.stand_in(greeting.realm, authid)?;
            let user = users.find(greeting.realm, authid);
            return Some(Self { authid, user: user.unwrap_or(stand_in), known: user.is_some() });
        }
        if method != Method::Cryptosign {
            return None;
        }
        let text = text_of(greeting, "pubkey")?;
        let stand_in = users.any_with_keys(greeting.realm)?;
        let key = from_hex(text, "the public key").ok();
        let user = key.and_then(|key| users.with_key(greeting.realm, &key));
        let authid = user.map_or(text, |user| &user.authid);
        Some(Self { authid, user: user.unwrap_or(stand_in), known: user.is_some() })
    }
}

impl Challenge {
    /// The challenge of one method; `None` if the client cannot use this method here.
    pub(super) fn new(
        greeting: &Greeting<'_>,
        method: Method,
        users: &Users,
    ) -> Result<Option<Self>, Refused> {
        let Some(claim) = Claim::of(greeting, method, users).filter(|claim| claim.user.has(method)) else {
            return Ok(None);
        };
        let Claim { authid, user, known } = claim;
        let who = Who::claimed(authid, &user.role, method);
        let proof = match method {
            Method::Ticket => Proof::Ticket(match &user.ticket {
                Some(ticket) if known => ticket.clone(),
                _ => Ticket::new(&to_hex(&random::<16>())),
            }),
            Method::Cra => of_cra(&who, &claim, greeting.session)?,
            Method::Scram(variant) => of_scram(greeting, variant, &claim)?,
            Method::Cryptosign => return Ok(of_cryptosign(greeting, who, &claim)),
        };
        Ok(Some(Self { who, method, known, proof }))
    }

    /// The name of the method.
    pub(crate) fn method(&self) -> &'static str {
        self.method.as_str()
    }

    /// `CHALLENGE.Extra`.
    pub(crate) fn extra(&self) -> Dict {
        match &self.proof {
            Proof::Ticket(_) => Dict::new(),
            Proof::Cra { text, cra } => {
                let extra = Dict::new().with("challenge", text.as_str());
                match &cra.salting {
                    None => extra,
                    Some(Salting { salt, iterations, keylen }) => extra
                        .with("salt", salt.as_str())
                        .with("iterations", *iterations)
                        .with("keylen", *keylen),
                }
            }
            Proof::Scram(scram) => scram.extra(),
            // The key is there and null: the channel is not bound, even if the client asked for it.
            Proof::Cryptosign { challenge, .. } => {
                Dict::new().with("challenge", to_hex(challenge)).with("channel_binding", Option::<&str>::None)
            }
        }
    }

    /// Checks the client's answer, `AUTHENTICATE.Signature` and `.Extra`.
    pub(crate) fn check(self, signature: &str, extra: &Dict) -> Result<Who, AuthError> {
        let mut who = self.who;
        match self.proof {
            Proof::Ticket(ticket) if ticket.is(signature) => {}
            Proof::Ticket(_) => return Err(AuthError::Denied),
            Proof::Cra { text, cra } => cra::verify(cra.secret.as_bytes(), &text, signature)?,
            Proof::Scram(scram) => {
                let verifier = scram.check(signature, extra)?;
                who.extra.set(scram.variant.verifier_key(), verifier);
            }
            Proof::Cryptosign { challenge, keys } => {
                let mut denied = AuthError::Denied;
                let fits = keys.iter().any(|key| {
                    cryptosign::verify(key, &challenge, None, signature)
                        .map_err(|error| denied = error)
                        .is_ok()
                });
                if !fits {
                    return Err(denied);
                }
            }
        }
        // Whatever was proved: of nobody.
        if self.known { Ok(who) } else { Err(AuthError::Denied) }
    }
}

fn of_cra(who: &Who, claim: &Claim<'_>, session: u64) -> Result<Proof, Refused> {
    let model = claim.user.cra.as_ref().ok_or_else(cannot_ask)?;
    let cra = if claim.known { model.clone() } else { mock_cra(claim.authid, model) };
    let (nonce, timestamp) = (nonce(&random()), iso_8601(since_epoch()));
    let challenge = cra::Challenge {
        authid: &who.authid,
        authrole: &who.authrole,
        authprovider: who.authprovider,
        nonce: &nonce,
        timestamp: &timestamp,
        session,
    };
    Ok(Proof::Cra { text: challenge.to_text(), cra })
}

/// The credential of a user who does not exist, which looks like that of one who does.
fn mock_cra(authid: &str, model: &Cra) -> Cra {
    let salting = model.salting.as_ref().map(|salting| {
        let salt = keyed_hash("cra salt", authid);
        let salt = salt.chars().cycle().take(salting.salt.chars().count()).collect();
        Salting { salt, ..salting.clone() }
    });
    Cra { secret: keyed_hash("cra secret", authid), salting }
}

fn of_scram(greeting: &Greeting<'_>, variant: Variant, claim: &Claim<'_>) -> Result<Proof, Refused> {
    let refuse = |text: &str| Err((uri::error::AUTHENTICATION_FAILED, text.to_owned()));
    if greeting.extra.is_some_and(|extra| extra.has("channel_binding")) {
        return refuse("this broker binds no channel: send authextra.channel_binding null");
    }
    let Some(client_nonce) = text_of(greeting, "nonce").filter(|nonce| is_nonce(nonce)) else {
        return refuse("SCRAM needs a nonce: send random bytes in base64 as authextra.nonce");
    };
    let model = claim.user.scram.as_ref().ok_or_else(cannot_ask)?;
    let credentials = if claim.known {
        model.credentials.clone()
    } else {
        mock_credentials(claim.authid, model.credentials.kdf)
    };
    let (client_nonce, authid) = (client_nonce.to_owned(), claim.authid.to_owned());
    let nonce = format!("{client_nonce}{}", nonce(&random()));
    Ok(Proof::Scram(Box::new(Scram { variant, authid, client_nonce, nonce, credentials })))
}

/// A nonce becomes part of a text in which commas separate; the specification wants base64.
fn is_nonce(text: &str) -> bool {
    (1..=256).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',')
}

impl Scram {
    fn extra(&self) -> Dict {
        let kdf: Kdf = self.credentials.kdf;
        let mut extra = Dict::new()
            .with("nonce", self.nonce.as_str())
            .with("salt", self.credentials.salt_text())
            .with("kdf", kdf.name(self.variant))
            .with("iterations", u64::from(kdf.iterations()));
        if let Some(memory) = kdf.memory() {
            extra.set("memory", u64::from(memory));
        }
        extra
    }

    /// The verifier, if the proof is right.
    fn check(&self, proof: &str, extra: &Dict) -> Result<String, AuthError> {
        if extra.has("channel_binding") {
            return Err(AuthError::Denied);
        }
        let salt = self.credentials.salt_text();
        let exchange = Exchange {
            variant: self.variant,
            authid: &self.authid,
            client_nonce: &self.client_nonce,
            nonce: &self.nonce,
            salt: &salt,
            iterations: self.credentials.kdf.iterations(),
            channel: None,
        };
        exchange.verify(&self.credentials, proof, extra.text("nonce").ok().flatten())
    }
}

/// The client names the key that it has; one that does not may have any of its user's.
fn of_cryptosign(greeting: &Greeting<'_>, who: Who, claim: &Claim<'_>) -> Option<Challenge> {
    let (keys, known) = match text_of(greeting, "pubkey") {
        None => (claim.user.public_keys.clone(), claim.known),
        Some(text) => {
            let key = from_hex(text, "the public key").ok()?;
            (vec![key], claim.known && claim.user.public_keys.contains(&key))
        }
    };
    let proof = Proof::Cryptosign { challenge: random(), keys };
    Some(Challenge { who, method: Method::Cryptosign, known, proof })
}

fn text_of<'a>(greeting: &Greeting<'a>, key: &str) -> Option<&'a str> {
    greeting.extra.and_then(|extra| extra.text(key).ok().flatten())
}

/// Not reached: who cannot use a method is not asked by it.
fn cannot_ask() -> Refused {
    (uri::error::NO_MATCHING_AUTH_METHOD, "this user cannot use this method: choose another".to_owned())
}

impl fmt::Debug for Challenge {
    /// Without what it is checked with.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Challenge")
            .field("authid", &self.who.authid)
            .field("method", &self.method())
            .finish_non_exhaustive()
    }
}
