//! Each method: right, wrong, and with what belongs to another challenge.

use petasus_protocol::wamp::auth::scram::{ClientKeys, Credentials, Exchange, Kdf, Variant};
use petasus_protocol::wamp::auth::{AuthError, cra, cryptosign, from_hex, to_hex};
use petasus_protocol::wamp::{Dict, Limits, Serializer, Value, uri};

use super::{access, begin, challenge};
use crate::auth::access::Access;
use crate::auth::challenge::{Challenge, Opening, Who};

const PRIVATE: [u8; 32] = [7; 32];
const OTHER_PRIVATE: [u8; 32] = [8; 32];
/// Of a key that both have.
const SHARED_PRIVATE: [u8; 32] = [6; 32];
const CLIENT_NONCE: &str = "egVDf3DMJh0=";

/// Joe, who can use every method, and ann, who has another secret in each.
fn people(kdf: Kdf) -> Access {
    let person = |name: &str, private: &[u8; 32]| {
        let password = format!("{name}'s password");
        let salt = format!("salt of {name}").into_bytes();
        let scram = Credentials::new(Variant::Specified, &password, salt, kdf).unwrap();
        let name_of_kdf = kdf.name(Variant::Specified);
        let memory = kdf.memory().map(|memory| format!("memory = {memory}, ")).unwrap_or_default();
        format!(
            "[[users]]\nauthid = \"{name}\"\nrole = \"user\"\nticket = \"{password}\"\nsecret = \"{password}\"\n\
             public_keys = [\"{}\", \"{}\"]\n\
             scram = {{ salt = \"{}\", kdf = \"{name_of_kdf}\", {memory}iterations = {}, stored_key = \"{}\", \
             server_key = \"{}\" }}\n",
            to_hex(&cryptosign::public_key(&SHARED_PRIVATE)),
            to_hex(&cryptosign::public_key(private)),
            scram.salt_text(),
            kdf.iterations(),
            to_hex(&scram.stored_key),
            to_hex(&scram.server_key),
        )
    };
    access(&format!("anonymous = \"\"\n{}{}", person("joe", &PRIVATE), person("ann", &OTHER_PRIVATE)))
}

const PBKDF2: Kdf = Kdf::Pbkdf2 { iterations: 4 };
const METHODS: [&str; 5] = ["ticket", "wampcra", "wamp-scram", "scram", "cryptosign"];

/// `authextra` of a HELLO that any method can follow, of a client with this key.
fn hello_extra(private: &[u8; 32]) -> Dict {
    Dict::new().with("nonce", CLIENT_NONCE).with("pubkey", to_hex(&cryptosign::public_key(private)))
}

fn text<'a>(extra: &'a Dict, key: &str) -> &'a str {
    extra.text(key).unwrap().unwrap_or_else(|| panic!("{key} is missing in {extra:?}"))
}

/// What a client with this password and key answers to a challenge.
fn answer(challenge: &Challenge, authid: &str, password: &str, private: &[u8; 32]) -> (String, Dict) {
    let extra = challenge.extra();
    match challenge.method() {
        "ticket" => (password.to_owned(), Dict::new()),
        "wampcra" => (cra::sign(password.as_bytes(), text(&extra, "challenge")), Dict::new()),
        "cryptosign" => {
            let bytes = from_hex(text(&extra, "challenge"), "the challenge").unwrap();
            (cryptosign::sign(private, &bytes, None), Dict::new())
        }
        method => {
            let (exchange_of, keys) = scram(&extra, method, password);
            let proof = exchange_of(authid, &extra).prove(&keys).unwrap();
            (proof, Dict::new().with("nonce", text(&extra, "nonce")))
        }
    }
}

type ExchangeOf = for<'a> fn(&'a str, &'a Dict) -> Exchange<'a>;

fn scram(extra: &Dict, method: &str, password: &str) -> (ExchangeOf, ClientKeys) {
    let variant = Variant::of_method(method).unwrap();
    let iterations = extra.id("iterations").unwrap().unwrap();
    let kdf = Kdf::parse(text(extra, "kdf"), iterations, extra.id("memory").unwrap()).unwrap();
    let keys = ClientKeys::for_salt_text(variant, password, text(extra, "salt"), kdf).unwrap();
    let exchange: ExchangeOf = match variant {
        Variant::Specified => |authid, extra| exchange(Variant::Specified, authid, extra),
        Variant::Autobahn => |authid, extra| exchange(Variant::Autobahn, authid, extra),
    };
    (exchange, keys)
}

fn exchange<'a>(variant: Variant, authid: &'a str, extra: &'a Dict) -> Exchange<'a> {
    Exchange {
        variant,
        authid,
        client_nonce: CLIENT_NONCE,
        nonce: text(extra, "nonce"),
        salt: text(extra, "salt"),
        iterations: u32::try_from(extra.id("iterations").unwrap().unwrap()).unwrap(),
        channel: None,
    }
}

fn joes(access: &Access, method: &str) -> Challenge {
    challenge(access, "joe", method, Some(&hello_extra(&PRIVATE)))
}

fn check(challenge: Challenge, (signature, extra): &(String, Dict)) -> Result<Who, AuthError> {
    challenge.check(signature, extra)
}

/// REQ-WAMP-061, REQ-WAMP-062, REQ-WAMP-063, REQ-WAMP-064.
#[test]
fn the_right_proof_is_welcome() {
    let access = people(PBKDF2);
    for method in METHODS {
        let challenge = joes(&access, method);
        assert_eq!(challenge.method(), method);
        let answer = answer(&challenge, "joe", "joe's password", &PRIVATE);
        let who = check(challenge, &answer).unwrap_or_else(|error| panic!("{method}: {error}"));
        assert_eq!((who.authid.as_str(), who.authrole.as_str()), ("joe", "user"), "{method}");
        assert_eq!((who.authmethod, who.authprovider), (method, "static"));
        assert_eq!(who.extra.is_empty(), !method.contains("scram"), "{method}");
    }
}

/// REQ-WAMP-061, REQ-WAMP-062, REQ-WAMP-063, REQ-WAMP-064.
#[test]
fn a_wrong_proof_is_denied() {
    let access = people(PBKDF2);
    for method in METHODS {
        let challenge = joes(&access, method);
        let wrong = answer(&challenge, "joe", "ann's password", &OTHER_PRIVATE);
        assert_eq!(check(challenge, &wrong), Err(AuthError::Denied), "{method}");
        for signature in ["", "x", "joe's passwor", "joe's password "] {
            let checked = joes(&access, method).check(signature, &Dict::new());
            assert!(checked.is_err(), "{method}: {signature:?}");
        }
    }
}

/// REQ-WAMP-066.
#[test]
fn an_answer_belongs_to_one_challenge() {
    let access = people(PBKDF2);
    for method in METHODS.into_iter().filter(|method| *method != "ticket") {
        let first = joes(&access, method);
        let answered = answer(&first, "joe", "joe's password", &PRIVATE);
        assert!(check(joes(&access, method), &answered).is_err(), "{method}: replayed");
        let anns = challenge(&access, "ann", method, Some(&hello_extra(&PRIVATE)));
        let of_anns = answer(&anns, "ann", "joe's password", &PRIVATE);
        assert!(check(anns, &of_anns).is_err(), "{method}: joe as ann");
        assert!(check(joes(&access, method), &of_anns).is_err(), "{method}: of another session");
        assert!(check(first, &answered).is_ok(), "{method}: the right one");
    }
}

/// REQ-WAMP-062.
#[test]
fn the_text_that_cra_signs_names_the_session_and_the_user() {
    let access = people(PBKDF2);
    let challenge = joes(&access, "wampcra");
    let extra = challenge.extra();
    let limits = Limits::default();
    let fields = Dict::decode(Serializer::Json, text(&extra, "challenge").as_bytes(), &limits).unwrap();
    assert_eq!(fields.id("session"), Ok(Some(7)));
    assert_eq!((text(&fields, "authid"), text(&fields, "authrole")), ("joe", "user"));
    assert_eq!((text(&fields, "authmethod"), text(&fields, "authprovider")), ("wampcra", "static"));
    assert_ne!(text(&fields, "nonce"), "");
    assert_eq!(text(&fields, "timestamp").len(), "2014-06-22T16:51:41Z".len());
    assert_eq!(extra.len(), 1, "there is no salt");
}

/// REQ-WAMP-062.
#[test]
fn a_salted_secret_is_the_derived_key() {
    let salting = cra::Salting { salt: "salt123", iterations: 100, keylen: 32 };
    let key = cra::derive_key("password", &salting).unwrap();
    let access = access(&format!(
        "anonymous = \"\"\n[[users]]\nauthid = \"joe\"\nrole = \"user\"\nsecret = \"{key}\"\nsalt = \"salt123\"\n\
         iterations = 100"
    ));
    let challenge = challenge(&access, "joe", "wampcra", None);
    let extra = challenge.extra();
    let salting = cra::Salting {
        salt: text(&extra, "salt"),
        iterations: extra.id("iterations").unwrap().unwrap(),
        keylen: extra.id("keylen").unwrap().unwrap(),
    };
    let key = cra::derive_key("password", &salting).unwrap();
    let signature = cra::sign(key.as_bytes(), text(&extra, "challenge"));
    assert_eq!(challenge.check(&signature, &Dict::new()).unwrap().authid, "joe");
}

/// REQ-WAMP-063.
#[test]
fn the_verifier_of_scram_proves_the_broker() {
    for kdf in [PBKDF2, Kdf::Argon2id13 { iterations: 1, memory: 8 }] {
        let access = people(kdf);
        let challenge = joes(&access, "wamp-scram");
        let extra = challenge.extra();
        let (exchange_of, keys) = scram(&extra, "wamp-scram", "joe's password");
        let answered = answer(&challenge, "joe", "joe's password", &PRIVATE);
        let who = check(challenge, &answered).unwrap();
        exchange_of("joe", &extra).check_verifier(&keys, text(&who.extra, "verifier")).unwrap();
        assert_eq!(extra.has("memory"), kdf.memory().is_some());
    }
}

/// REQ-WAMP-063.
#[test]
fn argon2_keys_fit_the_variant_that_they_were_made_for() {
    let access = people(Kdf::Argon2id13 { iterations: 1, memory: 8 });
    let extra = hello_extra(&PRIVATE);
    let methods = ["scram", "wamp-scram"];
    let Ok(Opening::Challenge(challenge)) = begin(&access, Some("joe"), &methods, Some(&extra)) else {
        panic!("no challenge")
    };
    assert_eq!(challenge.method(), "wamp-scram");
}

/// REQ-WAMP-063.
#[test]
fn scram_needs_a_nonce_and_binds_no_channel() {
    let access = people(PBKDF2);
    let bound = hello_extra(&PRIVATE).with("channel_binding", "tls-unique");
    let comma = Dict::new().with("nonce", "a,b");
    let null = hello_extra(&PRIVATE).with("channel_binding", Value::Null);
    for (extra, refused) in [
        (None, true),
        (Some(Dict::new()), true),
        (Some(comma), true),
        (Some(bound), true),
        (Some(null), false),
    ] {
        let opening = begin(&access, Some("joe"), &["wamp-scram"], extra.as_ref());
        assert_eq!(opening.is_err(), refused, "{extra:?}");
        if let Err((uri, _)) = opening {
            assert_eq!(uri, uri::error::AUTHENTICATION_FAILED);
        }
    }
    let challenge = joes(&access, "wamp-scram");
    let (proof, mut extra) = answer(&challenge, "joe", "joe's password", &PRIVATE);
    extra.set("channel_binding", "tls-unique");
    assert_eq!(challenge.check(&proof, &extra), Err(AuthError::Denied));
    let challenge = joes(&access, "wamp-scram");
    let (proof, _) = answer(&challenge, "joe", "joe's password", &PRIVATE);
    assert_eq!(challenge.check(&proof, &Dict::new()), Err(AuthError::WrongNonce));
}

/// REQ-WAMP-064.
#[test]
fn the_key_says_who_it_is_if_no_name_is_given() {
    let access = people(PBKDF2);
    let extra = hello_extra(&PRIVATE);
    let Ok(Opening::Challenge(challenge)) = begin(&access, None, &["cryptosign"], Some(&extra)) else {
        panic!("no challenge")
    };
    assert!(challenge.extra().get("channel_binding").unwrap().is_null());
    let answered = answer(&challenge, "", "", &PRIVATE);
    assert_eq!(check(challenge, &answered).unwrap().authid, "joe");
    // A key that two users have names nobody, unless the client gives a name too.
    let extra = hello_extra(&SHARED_PRIVATE);
    for (authid, welcome) in [(None, false), (Some("joe"), true), (Some("ann"), true)] {
        let Ok(Opening::Challenge(challenge)) = begin(&access, authid, &["cryptosign"], Some(&extra)) else {
            panic!("no challenge")
        };
        let answered = answer(&challenge, "", "", &SHARED_PRIVATE);
        assert_eq!(check(challenge, &answered).is_ok(), welcome, "{authid:?}");
    }
}

#[test]
fn without_naming_it_any_key_of_the_user_will_do() {
    let access = people(PBKDF2);
    for (private, welcome) in [(PRIVATE, true), (OTHER_PRIVATE, false)] {
        let challenge = challenge(&access, "joe", "cryptosign", None);
        let answered = answer(&challenge, "", "", &private);
        assert_eq!(check(challenge, &answered).is_ok(), welcome);
    }
}

/// REQ-WAMP-066.
#[test]
fn the_client_says_which_method_it_likes_best() {
    let access = access(
        "anonymous = \"guest\"\n[[users]]\nauthid = \"joe\"\nrole = \"user\"\nticket = \"t\"\nsecret = \"s\"",
    );
    let method = |methods: &[&str]| match begin(&access, Some("joe"), methods, None) {
        Ok(Opening::Challenge(challenge)) => challenge.method(),
        Ok(Opening::Welcome(who)) => who.authmethod,
        Err((uri, _)) => uri,
    };
    for (methods, chosen) in [
        (&["wampcra", "ticket"][..], "wampcra"),
        (&["ticket", "wampcra"], "ticket"),
        (&["cryptosign", "tls", "ticket"], "ticket"),
        (&["anonymous", "ticket"], "anonymous"),
        (&["ticket", "anonymous"], "ticket"),
        (&["cryptosign", "anonymous"], "anonymous"),
        (&["cryptosign"], uri::error::NO_MATCHING_AUTH_METHOD),
        (&["tls"], uri::error::NO_MATCHING_AUTH_METHOD),
        (&[], "anonymous"),
    ] {
        assert_eq!(method(methods), chosen, "{methods:?}");
    }
    let (uri, text) = begin(&access, None, &["ticket"], None).unwrap_err();
    assert_eq!(uri, uri::error::NO_MATCHING_AUTH_METHOD);
    assert!(text.starts_with("none of the authmethods ticket can be used here: add anonymous"), "{text}");
}

/// REQ-WAMP-060.
#[test]
fn a_client_that_proves_nothing_gets_a_name_of_its_own() {
    let welcome = |access: &Access| match begin(access, Some("joe"), &[], None) {
        Ok(Opening::Welcome(who)) => who,
        other => panic!("{other:?}"),
    };
    let who = welcome(&Access::default());
    assert_eq!((who.authrole.as_str(), who.authmethod), ("anonymous", "anonymous"));
    assert_eq!(who.authid.len(), 32);
    assert_ne!(who.authid, welcome(&Access::default()).authid);
    assert_eq!(welcome(&access("anonymous = \"guest\"")).authrole, "guest");
    let refused = begin(&access("anonymous = \"\""), None, &[], None).unwrap_err();
    assert_eq!(refused.0, uri::error::NO_MATCHING_AUTH_METHOD);
}

/// REQ-WAMP-016.
#[test]
fn a_user_of_one_realm_is_none_in_another() {
    let access = access(
        "anonymous = \"\"\n[[users]]\nrealm = \"realm1\"\nauthid = \"joe\"\nrole = \"one\"\nticket = \"1\"\n\
         [[users]]\nauthid = \"joe\"\nrole = \"all\"\nticket = \"2\"",
    );
    for (realm, ticket, role) in [
        ("realm1", "1", Some("one")),
        ("realm1", "2", None),
        ("realm2", "2", Some("all")),
        ("realm2", "1", None),
    ] {
        let methods = &["ticket"];
        let greeting = crate::auth::Greeting { realm, authid: Some("joe"), methods, extra: None, session: 1 };
        let Ok(Opening::Challenge(challenge)) = access.begin(&greeting) else { panic!("no challenge") };
        let who = challenge.check(ticket, &Dict::new());
        assert_eq!(who.ok().map(|who| who.authrole).as_deref(), role, "{realm}, {ticket}");
    }
}
