//! The tables `[[users]]` of the access file.

use data_encoding::BASE64;
use petasus_protocol::wamp::auth::scram::{Credentials, Kdf, Variant};
use petasus_protocol::wamp::auth::{cra, from_hex};
use petasus_protocol::wamp::uri;

use super::{Cra, Salting, Scram, Ticket, User};
use crate::auth::access::{At, Problems, Table, Told};

const KEYS: [&str; 10] =
    ["realm", "authid", "role", "ticket", "secret", "salt", "iterations", "keylen", "scram", "public_keys"];
const SCRAM_KEYS: [&str; 6] = ["salt", "iterations", "kdf", "memory", "stored_key", "server_key"];
/// Keys of the whole file that are easily written into a table.
pub(in crate::auth) const OF_THE_FILE: [&str; 2] = ["anonymous", "authorizer"];

pub(super) fn read(mut table: Table<'_>, problems: &mut Problems<'_>) -> Option<User> {
    let at = table.at;
    let realm = read_realm(&mut table, problems);
    let authid = table.required("authid", "write the name that the client sends in HELLO", problems);
    let role = read_role(&mut table, true, problems);
    let credentials = ["ticket", "secret", "scram", "public_keys"].iter().any(|key| table.has(key));
    if !credentials {
        problems.add(at, "users", "has nothing to prove it with; add ticket, secret, scram or public_keys");
    }
    let ticket = table.filled("ticket", "write the ticket, or leave the key out", problems);
    let cra = read_cra(&mut table, problems);
    let scram = table.table("scram", "users.scram", problems).and_then(|table| read_scram(table, problems));
    let public_keys = read_public_keys(&mut table, problems);
    table.finish(&KEYS, &OF_THE_FILE, problems);
    Some(User {
        realm: realm.ok()?,
        authid: authid?.value,
        role: role.ok()??,
        ticket: ticket.map(|ticket| Ticket::new(&ticket.value)),
        cra,
        scram,
        public_keys,
    })
}

/// The key `realm`: `None` is every realm, which is what it is when it is missing.
pub(in crate::auth) fn read_realm(
    table: &mut Table<'_>,
    problems: &mut Problems<'_>,
) -> Result<Option<String>, Told> {
    let Some(realm) = table.text("realm", problems) else { return Ok(None) };
    if realm.value == "*" {
        return Ok(None);
    }
    match uri::check(&realm.value, uri::Rule::Loose, uri::Match::Exact) {
        Ok(()) => Ok(Some(realm.value)),
        Err(error) => {
            let text = format!("{error}; write the name of a realm, or \"*\" for every one");
            problems.add(realm.at, &table.name_of("realm"), text);
            Err(Told)
        }
    }
}

/// The key `role`: `None` is every role, which is what it is when it is missing and need not be `one`.
pub(in crate::auth) fn read_role(
    table: &mut Table<'_>,
    one: bool,
    problems: &mut Problems<'_>,
) -> Result<Option<String>, Told> {
    const ADVICE: &str = "write the role whose rules are to apply";
    let role = if one {
        table.required("role", ADVICE, problems).ok_or(Told)?
    } else if table.has("role") {
        table.filled("role", ADVICE, problems).ok_or(Told)?
    } else {
        return Ok(None);
    };
    match role.value.as_str() {
        "*" if one => {
            problems.add(role.at, &table.name_of("role"), format!("\"*\" is no role; {ADVICE}"));
            Err(Told)
        }
        "*" => Ok(None),
        _ => Ok(Some(role.value)),
    }
}

fn read_cra(table: &mut Table<'_>, problems: &mut Problems<'_>) -> Option<Cra> {
    let secret = table.filled("secret", "write the password, or leave the key out", problems);
    let salt =
        table.filled("salt", "write the salt, or leave it out with its iterations and keylen", problems);
    let (iterations, keylen) = (table.whole("iterations", problems), table.whole("keylen", problems));
    let Some(salt) = salt else {
        for number in [&iterations, &keylen].into_iter().flatten() {
            problems.add(number.at, "users", "iterations and keylen need a salt; add it, or leave them out");
        }
        return secret.map(|At { value: secret, .. }| Cra { secret, salting: None });
    };
    let Some(secret) = secret else {
        problems.add(salt.at, "users.salt", "needs a secret: the key derived from the password with it");
        return None;
    };
    let Some(iterations) = iterations else {
        problems.add(
            salt.at,
            "users.iterations",
            "is missing; write the rounds of PBKDF2 that made the secret",
        );
        return None;
    };
    let keylen = keylen.map_or(32, |keylen| keylen.value);
    let in_range = (1..=cra::MAX_ITERATIONS).contains(&iterations.value) && (1..=128).contains(&keylen);
    if !in_range {
        let text = format!("iterations must be 1 to {}, and keylen 1 to 128", cra::MAX_ITERATIONS);
        problems.add(iterations.at, "users", text);
        return None;
    }
    if BASE64.decode(secret.value.as_bytes()).ok().is_none_or(|key| key.len() as u64 != keylen) {
        let text = format!(
            "with a salt, this is the derived key: {keylen} bytes in base64, as the client derives it; the \
             plain password goes without salt"
        );
        problems.add(secret.at, "users.secret", text);
        return None;
    }
    let salting = Salting { salt: salt.value, iterations: iterations.value, keylen };
    Some(Cra { secret: secret.value, salting: Some(salting) })
}

fn read_scram(mut table: Table<'_>, problems: &mut Problems<'_>) -> Option<Scram> {
    let at = table.at;
    let salt = table.required("salt", "write it in base64", problems);
    let kdf = table.required("kdf", "write \"pbkdf2\" or \"argon2id13\"", problems);
    let iterations = table.whole("iterations", problems);
    let memory = table.whole("memory", problems);
    let stored_key = read_key(&mut table, "stored_key", problems);
    let server_key = read_key(&mut table, "server_key", problems);
    table.finish(&SCRAM_KEYS, &[], problems);
    let Some(iterations) = iterations else {
        problems.add(at, "users.scram.iterations", "is missing; write the rounds that made the keys");
        return None;
    };
    let (salt, name) = (salt?, kdf?.value);
    let kdf = Kdf::parse(&name, iterations.value, memory.map(|memory| memory.value));
    let kdf = kdf.map_err(|error| problems.add(at, "users.scram", error.to_string())).ok()?;
    let Ok(salt_bytes) = BASE64.decode(salt.value.as_bytes()) else {
        problems.add(salt.at, "users.scram.salt", "is not base64; encode it so");
        return None;
    };
    // The name in the file tells for which variant Argon2 keys were made: see `Kdf::name`.
    let only = match kdf {
        Kdf::Pbkdf2 { .. } => None,
        Kdf::Argon2id13 { .. } => {
            [Variant::Specified, Variant::Autobahn].into_iter().find(|&variant| kdf.name(variant) == name)
        }
    };
    let (stored_key, server_key) = (stored_key?, server_key?);
    Some(Scram { credentials: Credentials { salt: salt_bytes, kdf, stored_key, server_key }, only })
}

/// A key of 32 bytes, in base64 or hex, which differ in length.
fn read_key(table: &mut Table<'_>, key: &str, problems: &mut Problems<'_>) -> Option<[u8; 32]> {
    let text = table.required(key, "write it in base64 or hex", problems)?;
    let of_base64 = |bytes: Vec<u8>| bytes.try_into().ok();
    let bytes = BASE64.decode(text.value.as_bytes()).ok().and_then(of_base64);
    let bytes = bytes.or_else(|| from_hex(&text.value, "the key").ok());
    if bytes.is_none() {
        problems.add(text.at, &table.name_of(key), "is not 32 bytes in base64 or hex; encode it so");
    }
    bytes
}

fn read_public_keys(table: &mut Table<'_>, problems: &mut Problems<'_>) -> Vec<[u8; 32]> {
    let Some(texts) = table.texts("public_keys", problems) else { return Vec::new() };
    if texts.is_empty() {
        problems.add(table.at, "users.public_keys", "is empty; write a key, or leave it out");
    }
    let mut keys = Vec::new();
    for text in texts {
        match from_hex(&text.value, "the public key") {
            Ok(key) => keys.push(key),
            Err(error) => problems.add(text.at, "users.public_keys", error.to_string()),
        }
    }
    keys
}
