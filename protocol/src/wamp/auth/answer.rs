//! What a client answers to a CHALLENGE, by method: once for the clients of all languages. Slow where a key is derived.

use super::{AuthError, cra, cryptosign, from_hex, scram};
use crate::wamp::{Dict, WrongType};

/// What AUTHENTICATE holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Proof {
    /// The signature.
    pub signature: String,
    /// What the method sends along.
    pub extra: Dict,
}

/// Why a challenge is not answered.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AnswerError {
    /// The challenge lacks what the method needs.
    #[error("the challenge has no {0}")]
    Missing(&'static str),
    /// The challenge holds something of a wrong type.
    #[error(transparent)]
    WrongType(#[from] WrongType),
    /// The challenge can not be used.
    #[error(transparent)]
    Auth(#[from] AuthError),
    /// The method is no SCRAM.
    #[error("this is no SCRAM")]
    Method,
    /// What the router asks for would give the password away.
    #[error("the router asks for a key that is easily cracked, so it is not trusted with one")]
    WeakKey,
    /// The router asks for a channel binding.
    #[error("the router binds the TLS channel, which this client can not")]
    ChannelBinding,
}

/// WAMP-CRA: signs the challenge by a secret, or by the key that is derived from it if the challenge has a salt.
pub fn cra(secret: &str, extra: &Dict) -> Result<Proof, AnswerError> {
    let challenge = text(extra, "challenge")?;
    let key = match extra.text("salt") {
        Ok(Some(salt)) if !salt.is_empty() => {
            let iterations = extra.id("iterations")?.unwrap_or(1000);
            let keylen = extra.id("keylen")?.unwrap_or(32);
            cra::derive_key(secret, &cra::Salting { salt, iterations, keylen })?
        }
        _ => secret.to_owned(),
    };
    Ok(Proof { signature: cra::sign(key.as_bytes(), challenge), extra: Dict::new() })
}

/// SCRAM by `method`, one of the names of [`scram::Variant`]. `client_nonce` is the one that HELLO held.
pub fn scram(
    authid: &str,
    password: &str,
    client_nonce: &str,
    method: &str,
    extra: &Dict,
) -> Result<Proof, AnswerError> {
    let variant = scram::Variant::of_method(method).ok_or(AnswerError::Method)?;
    let (nonce, salt) = (text(extra, "nonce")?, text(extra, "salt")?);
    let iterations = extra.id("iterations")?.ok_or(AnswerError::Missing("iterations"))?;
    let kdf = scram::Kdf::parse(text(extra, "kdf")?, iterations, extra.id("memory")?)?;
    if kdf.is_weak() {
        return Err(AnswerError::WeakKey);
    }
    let keys = scram::ClientKeys::for_salt_text(variant, password, salt, kdf)?;
    let iterations = kdf.iterations();
    let exchange = scram::Exchange { variant, authid, client_nonce, nonce, salt, iterations, channel: None };
    let signature = exchange.prove(&keys)?;
    let unbound = Option::<&str>::None;
    let extra = Dict::new().with("nonce", nonce).with("channel_binding", unbound).with("cbind_data", unbound);
    Ok(Proof { signature, extra })
}

/// Cryptosign, without channel binding.
pub fn cryptosign(private_key: &[u8; 32], extra: &Dict) -> Result<Proof, AnswerError> {
    if extra.get("channel_binding").is_some_and(|binding| !binding.is_null()) {
        return Err(AnswerError::ChannelBinding);
    }
    let challenge = from_hex(text(extra, "challenge")?, "the challenge")?;
    Ok(Proof { signature: cryptosign::sign(private_key, &challenge, None), extra: Dict::new() })
}

fn text<'a>(extra: &'a Dict, key: &'static str) -> Result<&'a str, AnswerError> {
    extra.text(key)?.ok_or(AnswerError::Missing(key))
}
