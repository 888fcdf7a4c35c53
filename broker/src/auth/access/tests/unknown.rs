//! Nobody learns which users exist.

use petasus_protocol::wamp::auth::{AuthError, cra, cryptosign, from_hex, to_hex};
use petasus_protocol::wamp::{Dict, uri};

use super::{access, begin, challenge};
use crate::auth::access::Access;
use crate::auth::challenge::Opening;

const PRIVATE: [u8; 32] = [9; 32];

/// One user, with a credential for every method.
fn one_user() -> Access {
    let key = cra::derive_key("p", &cra::Salting { salt: "0123456789", iterations: 5, keylen: 16 }).unwrap();
    access(&format!(
        "anonymous = \"\"\n[[users]]\nrealm = \"realm1\"\nauthid = \"joe\"\nrole = \"user\"\nticket = \"t\"\n\
         secret = \"{key}\"\nsalt = \"0123456789\"\niterations = 5\nkeylen = 16\npublic_keys = [\"{}\"]\n\
         scram = {{ salt = \"W22ZaJ0SNY7soEsUEjb6gQ==\", iterations = 4096, kdf = \"pbkdf2\", stored_key = \"{}\", \
         server_key = \"{}\" }}",
        "cd".repeat(32),
        "ab".repeat(32),
        "ab".repeat(32),
    ))
}

fn hello_extra() -> Dict {
    Dict::new().with("nonce", "bm9uY2U=").with("pubkey", to_hex(&cryptosign::public_key(&PRIVATE)))
}

/// The keys of an extra, and the values that are the same in every challenge to one name.
fn shape(extra: &Dict) -> (Vec<&str>, Vec<Option<u64>>, usize) {
    let numbers = ["iterations", "keylen", "memory"].map(|key| extra.id(key).unwrap());
    let salt = extra.text("salt").unwrap().map_or(0, str::len);
    (extra.iter().map(|(key, _)| key).collect(), numbers.to_vec(), salt)
}

/// REQ-WAMP-065.
#[test]
fn an_unknown_name_is_asked_like_any_other() {
    let access = one_user();
    let hello = hello_extra();
    for method in ["ticket", "wampcra", "wamp-scram", "scram", "cryptosign"] {
        let known = challenge(&access, "joe", method, Some(&hello));
        let unknown = challenge(&access, "nobody", method, Some(&hello));
        let again = challenge(&access, "nobody", method, Some(&hello));
        let other = challenge(&access, "somebody", method, Some(&hello));
        assert_eq!(shape(&known.extra()), shape(&unknown.extra()), "{method}");
        let salt = |challenge: &crate::auth::Challenge| challenge.extra().get("salt").cloned();
        assert_eq!(salt(&unknown), salt(&again), "{method}: always the same salt");
        if salt(&known).is_some() {
            assert_ne!(salt(&unknown), salt(&known), "{method}");
            assert_ne!(salt(&unknown), salt(&other), "{method}");
        }
    }
}

/// REQ-WAMP-065.
#[test]
fn an_unknown_name_fails_like_a_wrong_secret() {
    let access = one_user();
    let hello = hello_extra();
    let signatures = ["", "t", "AAAA", &"A".repeat(43), &format!("{}=", "A".repeat(43)), &"ab".repeat(96)];
    for method in ["ticket", "wampcra", "wamp-scram", "scram", "cryptosign"] {
        for signature in signatures.iter().copied().filter(|text| (method, *text) != ("ticket", "t")) {
            let answer = |name| {
                let challenge = challenge(&access, name, method, Some(&hello));
                let nonce = challenge.extra().text("nonce").unwrap().unwrap_or_default().to_owned();
                challenge.check(signature, &Dict::new().with("nonce", nonce)).unwrap_err()
            };
            assert_eq!(answer("joe"), answer("nobody"), "{method}: {signature:?}");
        }
    }
    let challenge = challenge(&access, "nobody", "ticket", None);
    assert_eq!(challenge.check("t", &Dict::new()), Err(AuthError::Denied));
}

/// REQ-WAMP-064, REQ-WAMP-065.
#[test]
fn a_key_of_nobody_is_asked_and_denied_though_its_signature_is_right() {
    let access = one_user();
    let hello = hello_extra();
    for authid in [Some("joe"), Some("nobody"), None] {
        let Ok(Opening::Challenge(challenge)) = begin(&access, authid, &["cryptosign"], Some(&hello)) else {
            panic!("{authid:?} is not asked")
        };
        let extra = challenge.extra();
        let bytes = from_hex(extra.text("challenge").unwrap().unwrap(), "the challenge").unwrap();
        let signature = cryptosign::sign(&PRIVATE, &bytes, None);
        assert_eq!(challenge.check(&signature, &Dict::new()), Err(AuthError::Denied), "{authid:?}");
    }
}

/// REQ-WAMP-065.
#[test]
fn unknown_names_can_use_what_some_user_of_the_realm_can() {
    let access = access(
        "anonymous = \"\"\n[[users]]\nauthid = \"a\"\nrole = \"r\"\nticket = \"t\"\n\
         [[users]]\nauthid = \"b\"\nrole = \"r\"\nsecret = \"s\"\n\
         [[users]]\nrealm = \"other\"\nauthid = \"c\"\nrole = \"r\"\npublic_keys = [\"\
         cdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcdcd\"]",
    );
    let method = |name: &str| match begin(&access, Some(name), &["cryptosign", "ticket", "wampcra"], None) {
        Ok(Opening::Challenge(challenge)) => challenge.method(),
        other => panic!("{other:?}"),
    };
    let names: Vec<String> = (0..64).map(|number| format!("name{number}")).collect();
    let methods: Vec<_> = names.iter().map(|name| method(name)).collect();
    assert!(methods.contains(&"ticket") && methods.contains(&"wampcra"), "{methods:?}");
    assert!(!methods.contains(&"cryptosign"), "nobody of this realm has a key");
    assert_eq!(
        methods,
        names.iter().map(|name| method(name)).collect::<Vec<_>>(),
        "always the same for a name"
    );
}

#[test]
fn where_there_are_no_users_nobody_is_asked() {
    let (uri, text) = begin(&access("anonymous = \"\""), Some("joe"), &["ticket"], None).unwrap_err();
    assert_eq!(uri, uri::error::NO_MATCHING_AUTH_METHOD);
    assert_eq!(
        text,
        "none of the authmethods ticket can be used here: nobody has credentials: ask the operator"
    );
}
