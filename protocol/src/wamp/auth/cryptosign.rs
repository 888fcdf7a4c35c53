//! Cryptosign: the client proves that it has the private key of a known Ed25519 public key (WAMP Advanced Profile,
//! "Cryptosign-based Authentication").

use data_encoding::HEXLOWER_PERMISSIVE;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::{AuthError, same_secret, to_hex};

/// The name of the method in `authmethods` and CHALLENGE.
pub const METHOD: &str = "cryptosign";

/// The bytes of a signature and of the message that it signs, which is sent along.
const SIGNED_LEN: usize = Signature::BYTE_SIZE + 32;

/// The public key of a private key, both as bytes.
pub fn public_key(private_key: &[u8; 32]) -> [u8; 32] {
    SigningKey::from_bytes(private_key).verifying_key().to_bytes()
}

/// The client's answer, `AUTHENTICATE.Signature`: the hexadecimal of the signature and of what it signs.
///
/// `challenge` is `CHALLENGE.Extra.challenge`, read with [`from_hex`](super::from_hex); `channel_id` is that of the
/// TLS connection if, and only if, CHALLENGE says that the channel is bound (`tls-unique` or `tls-exporter`).
pub fn sign(private_key: &[u8; 32], challenge: &[u8; 32], channel_id: Option<&[u8; 32]>) -> String {
    let message = bound(challenge, channel_id);
    let signature = SigningKey::from_bytes(private_key).sign(&message);
    let mut signed = [0; SIGNED_LEN];
    let (head, tail) = signed.split_at_mut(Signature::BYTE_SIZE);
    head.copy_from_slice(&signature.to_bytes());
    tail.copy_from_slice(&message);
    to_hex(&signed)
}

/// Checks the client's answer to `challenge`, the random bytes that were sent to it.
///
/// Weak public keys (points of small order) are refused, as RFC 8032 lets an implementation do.
pub fn verify(
    public_key: &[u8; 32],
    challenge: &[u8; 32],
    channel_id: Option<&[u8; 32]>,
    signed: &str,
) -> Result<(), AuthError> {
    let wrong = AuthError::Encoding { what: "the signature", encoding: "hex" };
    let signed = HEXLOWER_PERMISSIVE.decode(signed.as_bytes()).map_err(|_| wrong)?;
    let signed: [u8; SIGNED_LEN] = signed.try_into().map_err(|_| wrong)?;
    let (signature, message) = signed.split_at(Signature::BYTE_SIZE);
    let expected = bound(challenge, channel_id);
    let signature = Signature::from_slice(signature).map_err(|_| AuthError::Denied)?;
    let key = VerifyingKey::from_bytes(public_key).map_err(|_| AuthError::Denied)?;
    if !same_secret(message, &expected) {
        return Err(AuthError::Denied);
    }
    key.verify_strict(&expected, &signature).map_err(|_| AuthError::Denied)
}

/// What is signed: the challenge, or the exclusive or of it and the id of the channel that it is bound to ("Computing the Signature").
fn bound(challenge: &[u8; 32], channel_id: Option<&[u8; 32]>) -> [u8; 32] {
    let mut message = *challenge;
    for (byte, id) in message.iter_mut().zip(channel_id.into_iter().flatten()) {
        *byte ^= id;
    }
    message
}
