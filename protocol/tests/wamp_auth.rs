//! WAMP authentication: known answers from RFC 7677, from the specification, and from Autobahn; and round trips.
#![cfg(feature = "wamp-auth")]

use petasus_protocol::wamp::auth::scram::{Channel, ClientKeys, Credentials, Exchange, Kdf, Variant};
use petasus_protocol::wamp::auth::{AuthError, cra, cryptosign, from_hex, nonce, same_secret, to_hex};
use petasus_protocol::wamp::{Limits, Serializer, Value};
use proptest::prelude::*;

// ---- WAMP-CRA

/// Signed with Autobahn|Python 26.10.2 (`compute_wcs`, `derive_key`).
const CRA_CHALLENGE: &str = r#"{"authid":"peter","authrole":"user","authmethod":"wampcra","authprovider":"userdb","nonce":"LHRTC9zeOIrt_9U3","timestamp":"2014-06-22T16:36:25.448Z","session":3251278072152162}"#;
const CRA_SIGNATURE: &str = "59OhckzZaWjGLvQdTIyOsAwTQ7PIDcxPX3K4i+XVqSo=";
const CRA_SALTED_SIGNATURE: &str = "LoeZ98eD8zTAxcWE9KiZA9GbsaQ7MkWmHdnSrpqtw48=";

/// REQ-WAMP-062.
#[test]
fn cra_challenges_hold_what_the_specification_wants() {
    let challenge = cra::Challenge {
        authid: "peter",
        authrole: "user",
        authprovider: "userdb",
        nonce: "LHRTC9zeOIrt_9U3",
        timestamp: "2014-06-22T16:36:25.448Z",
        session: 3_251_278_072_152_162,
    };
    assert_eq!(challenge.to_text(), CRA_CHALLENGE);
    let quoted = cra::Challenge { authid: "a\"b\\\u{1}é", ..challenge }.to_text();
    let Ok(Value::Dict(fields)) = Value::decode(Serializer::Json, quoted.as_bytes(), &Limits::default())
    else {
        panic!("{quoted} is JSON");
    };
    assert_eq!(fields.text("authid"), Ok(Some("a\"b\\\u{1}é")));
}

/// REQ-WAMP-062.
#[test]
fn cra_signs_like_autobahn() {
    assert_eq!(cra::sign(b"secret", CRA_CHALLENGE), CRA_SIGNATURE);
    assert_eq!(cra::verify(b"secret", CRA_CHALLENGE, CRA_SIGNATURE), Ok(()));
    assert_eq!(cra::verify(b"Secret", CRA_CHALLENGE, CRA_SIGNATURE), Err(AuthError::Denied));
    assert_eq!(cra::verify(b"secret", "{}", CRA_SIGNATURE), Err(AuthError::Denied));
    assert_eq!(cra::verify(b"secret", CRA_CHALLENGE, "59Oh"), Err(AuthError::Denied), "only the beginning");
    assert_eq!(cra::verify(b"secret", CRA_CHALLENGE, ""), Err(AuthError::Denied));
    assert!(matches!(cra::verify(b"secret", CRA_CHALLENGE, "*"), Err(AuthError::Encoding { .. })));
}

/// REQ-WAMP-062.
#[test]
fn cra_salts_like_autobahn() {
    let salting = cra::Salting { salt: "salt123", iterations: 1000, keylen: 32 };
    let key = cra::derive_key("secret", &salting).unwrap();
    assert_eq!(key, "MDS8Yxpu4J/vkHJ8dNEgqECYsI0uRDh2oZ5eN0vYPvo=");
    assert_eq!(cra::sign(key.as_bytes(), CRA_CHALLENGE), CRA_SALTED_SIGNATURE);
    let short = cra::Salting { iterations: 100, keylen: 16, ..salting };
    assert_eq!(cra::derive_key("secret", &short).unwrap(), "EX1Y3Q9BMM2oGLxsGqDgFQ==");
    for bad in [
        cra::Salting { iterations: 0, ..salting },
        cra::Salting { iterations: u64::MAX, ..salting },
        cra::Salting { keylen: 0, ..salting },
        cra::Salting { keylen: 1 << 40, ..salting },
    ] {
        assert!(matches!(cra::derive_key("secret", &bad), Err(AuthError::Cost { .. })), "{bad:?}");
    }
}

// ---- SCRAM

const CLIENT_NONCE: &str = "egVDf3DMJh0=";
const NONCE: &str = "egVDf3DMJh0=SBmkFIh7sSo=";
const SALT: &str = "aBc+fx0NAVA=";

fn exchange(variant: Variant, iterations: u32) -> Exchange<'static> {
    Exchange {
        variant,
        authid: "user",
        client_nonce: CLIENT_NONCE,
        nonce: NONCE,
        salt: SALT,
        iterations,
        channel: None,
    }
}

/// Checks both sides against a known proof and verifier.
fn check(exchange: Exchange<'_>, password: &str, kdf: Kdf, proof: &str, verifier: &str) {
    let keys = ClientKeys::for_salt_text(exchange.variant, password, exchange.salt, kdf).unwrap();
    assert_eq!(exchange.prove(&keys).as_deref(), Ok(proof));
    assert_eq!(exchange.check_verifier(&keys, verifier), Ok(()));
    assert_eq!(exchange.check_verifier(&keys, &format!("v={verifier}")), Ok(()));
    assert_eq!(exchange.check_verifier(&keys, proof), Err(AuthError::Denied));

    let salt = data_encoding::BASE64.decode(exchange.salt.as_bytes()).unwrap();
    let credentials = Credentials::new(exchange.variant, password, salt.clone(), kdf).unwrap();
    assert_eq!(credentials.salt_text(), exchange.salt);
    let echoed = Some(exchange.nonce);
    assert_eq!(exchange.verify(&credentials, proof, echoed).as_deref(), Ok(verifier));
    assert_eq!(exchange.verify(&credentials, verifier, echoed), Err(AuthError::Denied));
    assert_eq!(exchange.verify(&credentials, proof, Some("x")), Err(AuthError::WrongNonce));
    let other = Credentials::new(exchange.variant, "pencils", salt, kdf).unwrap();
    assert_eq!(exchange.verify(&other, proof, echoed), Err(AuthError::Denied));
    let elsewhere = Exchange { authid: "admin", ..exchange };
    assert_eq!(elsewhere.verify(&credentials, proof, echoed), Err(AuthError::Denied));
    for bad in ["", "*", "AAAA"] {
        assert!(
            matches!(exchange.verify(&credentials, bad, echoed), Err(AuthError::Encoding { .. })),
            "{bad}"
        );
    }
}

/// REQ-WAMP-063.
#[test]
fn scram_of_rfc_7677() {
    // RFC 7677 3, whose proof and verifier are also those of the specification's example messages.
    let exchange = Exchange {
        variant: Variant::Specified,
        authid: "user",
        client_nonce: "rOprNGfwEbeRWgbNEkqO",
        nonce: "rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0",
        salt: "W22ZaJ0SNY7soEsUEjb6gQ==",
        iterations: 4096,
        channel: None,
    };
    let proof = "dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=";
    let verifier = "6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=";
    check(exchange, "pencil", Kdf::Pbkdf2 { iterations: 4096 }, proof, verifier);
}

// The values below were computed with Python's hashlib and hmac, argon2-cffi 25.1.0 and passlib's SASLprep.

/// REQ-WAMP-063.
#[test]
fn scram_with_argon2() {
    let kdf = Kdf::Argon2id13 { iterations: 3, memory: 64 };
    let proof = "S3pY+iWwVMy3htlBMreagg/Vdag+52DyUuLQInx0O5k=";
    let verifier = "M804fxzu8kh/ZJISOwjGus/LbfDNTJHuU/KLm8w2uAk=";
    check(exchange(Variant::Specified, 3), "pencil", kdf, proof, verifier);
}

#[test]
fn scram_normalises_and_escapes() {
    // The password holds a soft hyphen, a Roman numeral and a no-break space.
    let exchange = Exchange { authid: "u,s=r", ..exchange(Variant::Specified, 10) };
    let proof = "Rri+BKD9sr2rQEUU2mO8KGWQD06AEDnYGVO7HwNUmHk=";
    let verifier = "reHhh7L66d7QNHKWCPffM/BXRnoLik/UObjTbv1SbQw=";
    let kdf = Kdf::Pbkdf2 { iterations: 10 };
    check(exchange, "p\u{E4}ss\u{AD}w\u{2168}rd\u{A0}x", kdf, proof, verifier);
    let bell = Credentials::new(Variant::Specified, "\u{7}", vec![0; 16], kdf);
    assert_eq!(bell, Err(AuthError::Forbidden { what: "the password" }));
}

#[test]
fn scram_bound_to_a_channel() {
    let bytes: Vec<u8> = (0..32).collect();
    let channel = Some(Channel { name: "tls-exporter", bytes: &bytes });
    let exchange = Exchange { channel, ..exchange(Variant::Specified, 4096) };
    let kdf = Kdf::Pbkdf2 { iterations: 4096 };
    let proof = "m5HWWAQHDikHRbBK/FH/NF774bR4sOXLaoyr4B3QIzI=";
    check(exchange, "pencil", kdf, proof, "paBYAQzGzE8l20b9fjSmdgeti3wbXyiotWNSVfskfO4=");
    let credentials =
        Credentials::new(Variant::Specified, "pencil", b"h\x17>\x7F\x1D\r\x01P".to_vec(), kdf).unwrap();
    let other = [0; 32];
    for channel in [None, Some(Channel { name: "tls-exporter", bytes: &other })] {
        let router = Exchange { channel, ..exchange };
        assert_eq!(
            router.verify(&credentials, proof, Some(NONCE)),
            Err(AuthError::Denied),
            "another channel"
        );
    }
}

/// Computed with Autobahn|Python 26.10.2 (`AuthScram`).
const AUTOBAHN_PROOF: &str = "P4Ylt1yow979PWhU+464VmDuUaAZiWOlpFoICg+F4Uk=";
const AUTOBAHN_VERIFIER: &str = "ftD+4nxlOI6bzZgOPwgbGODXJPpqB76sIqQ825R4QRo=";

/// REQ-WAMP-063.
#[test]
fn scram_as_autobahn_speaks_it() {
    let kdf = Kdf::parse("argon2id-13", 3, Some(64)).unwrap();
    let exchange = exchange(Variant::Autobahn, 3);
    let keys = ClientKeys::for_salt_text(Variant::Autobahn, "pencil", SALT, kdf).unwrap();
    let proof = exchange.prove(&keys).unwrap();
    assert_eq!(proof, AUTOBAHN_PROOF);
    let credentials =
        Credentials::new(Variant::Autobahn, "pencil", b"h\x17>\x7F\x1D\r\x01P".to_vec(), kdf).unwrap();
    let verifier = exchange.verify(&credentials, &proof, None).expect("Autobahn does not echo the nonce");
    assert_eq!(verifier, AUTOBAHN_VERIFIER);
    assert_eq!(exchange.check_verifier(&keys, &verifier), Ok(()));
    let strict = Exchange { variant: Variant::Specified, ..exchange };
    assert_eq!(strict.verify(&credentials, &proof, None), Err(AuthError::WrongNonce));
    assert_eq!(strict.verify(&credentials, &proof, Some(NONCE)), Err(AuthError::Denied));
    assert_eq!((kdf.name(Variant::Autobahn), kdf.name(Variant::Specified)), ("argon2id-13", "argon2id13"));
}

#[test]
fn a_router_that_does_not_continue_the_nonce_gets_no_proof() {
    let kdf = Kdf::Pbkdf2 { iterations: 1 };
    let keys = ClientKeys::new(Variant::Specified, "pencil", b"salt", kdf).unwrap();
    for nonce in ["", CLIENT_NONCE, "SBmkFIh7sSo=egVDf3DMJh0="] {
        let exchange = Exchange { nonce, ..exchange(Variant::Specified, 1) };
        assert_eq!(exchange.prove(&keys), Err(AuthError::WrongNonce), "{nonce:?}");
    }
}

#[test]
fn costs_are_bounded_and_weak_ones_are_told() {
    let outside = |outcome| matches!(outcome, Err(AuthError::Cost { .. }));
    assert!(outside(Kdf::parse("pbkdf2", 0, None)));
    assert!(outside(Kdf::parse("pbkdf2", u64::MAX, None)));
    assert!(outside(Kdf::parse("argon2id13", 1, None)));
    assert!(outside(Kdf::parse("argon2id13", 1, Some(7))));
    assert!(outside(Kdf::parse("argon2id13", 1, Some(1 << 40))));
    assert!(outside(Kdf::parse("argon2id13", 0, Some(64))));
    assert_eq!(Kdf::parse("scrypt", 1, None), Err(AuthError::UnknownKdf));
    assert!(Kdf::Pbkdf2 { iterations: 4095 }.is_weak() && !Kdf::Pbkdf2 { iterations: 4096 }.is_weak());
    assert!(Kdf::Argon2id13 { iterations: 3, memory: 64 }.is_weak());
    assert!(!Kdf::Argon2id13 { iterations: 2, memory: 19 * 1024 }.is_weak());
    let by_hand = Kdf::Argon2id13 { iterations: 1, memory: u32::MAX };
    assert!(matches!(
        Credentials::new(Variant::Specified, "p", vec![0; 16], by_hand),
        Err(AuthError::Cost { what: "memory", .. })
    ));
    let short_salt =
        Credentials::new(Variant::Specified, "p", vec![0; 7], Kdf::Argon2id13 { iterations: 1, memory: 8 });
    assert_eq!(short_salt, Err(AuthError::ShortSalt));
}

/// REQ-WAMP-065.
#[test]
fn nobody_learns_which_users_exist() {
    let kdf = Kdf::Pbkdf2 { iterations: 1 };
    let mock = Credentials::mock(b"router", "nobody", kdf);
    assert_eq!(mock, Credentials::mock(b"router", "nobody", kdf), "always the same");
    assert_ne!(mock.salt, Credentials::mock(b"router", "somebody", kdf).salt);
    assert_ne!(mock.salt, Credentials::mock(b"another", "nobody", kdf).salt);
    assert_eq!(mock.salt.len(), 16);
    let salt = mock.salt_text();
    let exchange = Exchange { salt: &salt, ..exchange(Variant::Specified, 1) };
    let keys = ClientKeys::for_salt_text(Variant::Specified, "pencil", &salt, kdf).unwrap();
    let proof = exchange.prove(&keys).unwrap();
    assert_eq!(exchange.verify(&mock, &proof, Some(NONCE)), Err(AuthError::Denied));
}

// ---- Cryptosign

/// Channel id, private key, challenge, signature: the test vectors of the specification.
const CRYPTOSIGN: [(Option<&str>, &str, &str, &str); 6] = [
    (
        None,
        "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "b32675b221f08593213737bef8240e7c15228b07028e19595294678c90d11c0cae80a357331bfc5cc9fb71081464e6e75013517c2cf067ad566a6b7b728e5d03ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
    ),
    (
        None,
        "d511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd",
        "b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d",
        "d4209ad10d5aff6bfbc009d7e924795de138a63515efc7afc6b01b7fe5201372190374886a70207b042294af5bd64ce725cd8dceb344e6d11c09d1aaaf4d660fb26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d",
    ),
    (
        None,
        "6e1fde9cf9e2359a87420b65a87dc0c66136e66945196ba2475990d8a0c3a25b",
        "b05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2",
        "7beb282184baadd08f166f16dd683b39cab53816ed81e6955def951cb2ddad1ec184e206746fd82bda075af03711d3d5658fc84a76196b0fa8d1ebc92ef9f30bb05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2",
    ),
    (
        Some("62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff"),
        "4d57d97a68f555696620a6d849c0ce582568518d729eb753dc7c732de2804510",
        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "9b6f41540c9b95b4b7b281c3042fa9c54cef43c842d62ea3fd6030fcb66e70b3e80d49d44c29d1635da9348d02ec93f3ed1ef227dfb59a07b580095c2b82f80f9d16ca518aa0c2b707f2b2a609edeca73bca8dd59817a633f35574ac6fd80d00",
    ),
    (
        Some("62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff"),
        "d511fe78e23934b3dadb52fcd022974b80bd92bccc7c5cf404e46cc0a8a2f5cd",
        "b26c1f87c13fc1da14997f1b5a71995dff8fbe0a62fae8473c7bdbd05bfb607d",
        "305aaa3ac25e98f651427688b3fc43fe7d8a68a7ec1d7d61c61517c519bd4a427c3015599d83ca28b4c652333920223844ef0725eb5dc2febfd6af7677b73f01d0852a29b460fc92ec943242ac638a053bbacc200512b18b30d15083cbdc9282",
    ),
    (
        Some("62e935ae755f3d48f80d4d59f6121358c435722a67e859cc0caa8b539027f2ff"),
        "6e1fde9cf9e2359a87420b65a87dc0c66136e66945196ba2475990d8a0c3a25b",
        "b05e6b8ad4d69abf74aa3be3c0ee40ae07d66e1895b9ab09285a2f1192d562d2",
        "ee3c7644fd8070532bc1fde3d70d742267da545d8c8f03e63bda63f1ad4214f4d2c4bfdb4eb9526def42deeb7e31602a6ff99eba893e0a4ad4d45892ca75e608d2b75e24a189a7f78ca776ba36fc53f6c3e31c32f251f2c524f0a44202f2902d",
    ),
];

fn hex(text: &str) -> [u8; 32] {
    from_hex(text, "the test vector").unwrap()
}

/// REQ-WAMP-064.
#[test]
fn cryptosign_of_the_specification() {
    for (channel_id, private_key, challenge, signed) in CRYPTOSIGN {
        let (private_key, challenge, channel_id) = (hex(private_key), hex(challenge), channel_id.map(hex));
        let public_key = cryptosign::public_key(&private_key);
        assert_eq!(cryptosign::sign(&private_key, &challenge, channel_id.as_ref()), signed);
        let verify = |signed: &str| cryptosign::verify(&public_key, &challenge, channel_id.as_ref(), signed);
        assert_eq!(verify(signed), Ok(()));
        assert_eq!(verify(&signed.to_uppercase()), Ok(()));

        // The key, the challenge, the channel, the signature and the message all have to be the right ones.
        let denied = Err(AuthError::Denied);
        assert_eq!(
            cryptosign::verify(&hex(CRYPTOSIGN[0].2), &challenge, channel_id.as_ref(), signed),
            denied
        );
        assert_eq!(cryptosign::verify(&public_key, &[7; 32], channel_id.as_ref(), signed), denied);
        assert_eq!(cryptosign::verify(&public_key, &challenge, Some(&[9; 32]), signed), denied);
        assert_eq!(verify(&signed.replacen(&signed[..2], "00", 1)), denied);
        let message_replaced = format!("{}{}", &signed[..128], to_hex(&[1; 32]));
        assert_eq!(verify(&message_replaced), denied);
        for bad in ["", "zz", &signed[..128], &signed[..191], &format!("{signed}00")] {
            assert!(matches!(verify(bad), Err(AuthError::Encoding { .. })), "{bad}");
        }
    }
}

#[test]
fn secrets_are_not_shown() {
    let kdf = Kdf::Pbkdf2 { iterations: 1 };
    let keys = ClientKeys::new(Variant::Specified, "pencil", b"salt", kdf).unwrap();
    let credentials = Credentials::new(Variant::Specified, "pencil", b"salt".to_vec(), kdf).unwrap();
    assert_eq!(format!("{keys:?}"), "ClientKeys { .. }");
    assert_eq!(format!("{credentials:?}"), "Credentials { kdf: Pbkdf2 { iterations: 1 }, .. }");
}

#[test]
fn secrets_are_compared_whole() {
    assert!(same_secret(b"", b"") && same_secret(b"ab", b"ab"));
    assert!(!same_secret(b"ab", b"a") && !same_secret(b"ab", b"aB") && !same_secret(b"", b"a"));
    assert_eq!(nonce(&[0; 16]), "AAAAAAAAAAAAAAAAAAAAAA==");
    assert!(from_hex("00", "x").is_err() && from_hex(&"0".repeat(66), "x").is_err());
}

proptest! {
    /// REQ-WAMP-063.
    #[test]
    fn scram_succeeds_with_the_same_password_only(
        password in "[ -~]{1,12}",
        other in "[ -~]{1,12}",
        authid in "[ -~]{1,12}",
        salt: [u8; 16],
    ) {
        for variant in [Variant::Specified, Variant::Autobahn] {
            let kdf = Kdf::Pbkdf2 { iterations: 2 };
            let credentials = Credentials::new(variant, &password, salt.to_vec(), kdf).unwrap();
            let salt_text = credentials.salt_text();
            let exchange = Exchange { authid: &authid, salt: &salt_text, ..exchange(variant, 2) };
            for attempt in [&password, &other] {
                let keys = ClientKeys::for_salt_text(variant, attempt, &salt_text, kdf).unwrap();
                let outcome = exchange.verify(&credentials, &exchange.prove(&keys).unwrap(), Some(NONCE));
                prop_assert_eq!(outcome.is_ok(), *attempt == password);
                if let Ok(verifier) = outcome {
                    prop_assert_eq!(exchange.check_verifier(&keys, &verifier), Ok(()));
                }
            }
        }
    }

    #[test]
    fn anything_may_be_said_for_a_proof(said in "\\PC{0,200}") {
        let kdf = Kdf::Pbkdf2 { iterations: 1 };
        let mock = Credentials::mock(b"router", "nobody", kdf);
        prop_assert!(exchange(Variant::Specified, 1).verify(&mock, &said, Some(NONCE)).is_err());
        prop_assert!(cra::verify(b"secret", CRA_CHALLENGE, &said).is_err());
        prop_assert!(cryptosign::verify(&[3; 32], &[4; 32], None, &said).is_err());
    }
}
