//! Each method to prove who one is, right and wrong, over a socket.

use petasus_protocol::wamp::auth::scram::{ClientKeys, Credentials, Exchange, Kdf, Variant};
use petasus_protocol::wamp::auth::{cra, cryptosign, from_hex, to_hex};
use petasus_protocol::wamp::{Dict, Message, Serializer, message};

use crate::client::Wamp;
use crate::metrics::until;
use crate::{Site, hello, user};

const KEY: [u8; 32] = [7; 32];
const OTHER_KEY: [u8; 32] = [8; 32];
const NONCE: &str = "egVDf3DMJh0=";
const NO_METHOD: &str = "wamp.error.no_matching_auth_method";
const DENIED: &str = "wamp.error.authentication_denied";

/// A user for each method; the password is `right`.
fn people() -> String {
    let salting = cra::Salting { salt: "salt123", iterations: 100, keylen: 32 };
    let derived = cra::derive_key("right", &salting).unwrap();
    let head = |name: &str| format!("[[users]]\nauthid = \"{name}\"\nrole = \"{name}'s\"\n");
    let scram = |name: &str, variant: Variant, kdf: Kdf| {
        let keys = Credentials::new(variant, "right", b"some salt or other".to_vec(), kdf).unwrap();
        let memory = kdf.memory().map(|memory| format!("memory = {memory}, ")).unwrap_or_default();
        format!(
            "{}scram = {{ salt = \"{}\", kdf = \"{}\", iterations = {}, {memory}stored_key = \"{}\", server_key = \"{}\" }}\n",
            head(name),
            keys.salt_text(),
            kdf.name(variant),
            kdf.iterations(),
            to_hex(&keys.stored_key),
            to_hex(&keys.server_key)
        )
    };
    [
        "anonymous = \"\"\n".to_owned(),
        format!("{}ticket = \"right\"\n", head("ticket")),
        format!("{}secret = \"right\"\n", head("cra")),
        format!(
            "{}secret = \"{derived}\"\nsalt = \"salt123\"\niterations = 100\nkeylen = 32\n",
            head("salted")
        ),
        scram("scram", Variant::Specified, Kdf::Pbkdf2 { iterations: 64 }),
        scram("argon", Variant::Specified, Kdf::Argon2id13 { iterations: 1, memory: 16 }),
        format!("{}public_keys = [\"{}\"]\n", head("sign"), to_hex(&cryptosign::public_key(&KEY))),
    ]
    .concat()
}

/// Each method with its user.
const METHODS: [(&str, &str); 7] = [
    ("ticket", "ticket"),
    ("wampcra", "cra"),
    ("wampcra", "salted"),
    ("wamp-scram", "scram"),
    ("scram", "scram"),
    ("wamp-scram", "argon"),
    ("cryptosign", "sign"),
];

fn text<'a>(extra: &'a Dict, key: &str) -> &'a str {
    extra.text(key).unwrap().unwrap_or_else(|| panic!("{key} is missing in {extra:?}"))
}

/// What WELCOME has to prove to a client that speaks SCRAM.
type Check = Option<(Variant, Box<dyn Fn(&str) + Send>)>;

fn exchange<'a>(variant: Variant, authid: &'a str, extra: &'a Dict) -> Exchange<'a> {
    Exchange {
        variant,
        authid,
        client_nonce: NONCE,
        nonce: text(extra, "nonce"),
        salt: text(extra, "salt"),
        iterations: u32::try_from(extra.id("iterations").unwrap().unwrap()).unwrap(),
        channel: None,
    }
}

/// The answer to a CHALLENGE of somebody with this password and key.
fn proof(
    challenge: &message::Challenge,
    authid: &str,
    password: &str,
    key: &[u8; 32],
) -> (message::Authenticate, Check) {
    let extra = &challenge.extra;
    let plain = |signature: String| (message::Authenticate { signature, extra: Dict::new() }, None);
    match challenge.method.as_str() {
        "ticket" => plain(password.to_owned()),
        "wampcra" => {
            let salting = extra.text("salt").unwrap().map(|salt| cra::Salting {
                salt,
                iterations: extra.id("iterations").unwrap().unwrap(),
                keylen: extra.id("keylen").unwrap().unwrap(),
            });
            let secret =
                salting.map_or_else(|| password.to_owned(), |by| cra::derive_key(password, &by).unwrap());
            plain(cra::sign(secret.as_bytes(), text(extra, "challenge")))
        }
        "cryptosign" => {
            let bytes = from_hex(text(extra, "challenge"), "the challenge").unwrap();
            plain(cryptosign::sign(key, &bytes, None))
        }
        method => {
            let variant = Variant::of_method(method).unwrap();
            let iterations = extra.id("iterations").unwrap().unwrap();
            let kdf = Kdf::parse(text(extra, "kdf"), iterations, extra.id("memory").unwrap()).unwrap();
            let keys = ClientKeys::for_salt_text(variant, password, text(extra, "salt"), kdf).unwrap();
            let answer = message::Authenticate {
                signature: exchange(variant, authid, extra).prove(&keys).unwrap(),
                extra: Dict::new().with("nonce", text(extra, "nonce")),
            };
            let (extra, authid) = (extra.clone(), authid.to_owned());
            let check = move |verifier: &str| {
                exchange(variant, &authid, &extra).check_verifier(&keys, verifier).unwrap();
            };
            (answer, Some((variant, Box::new(check))))
        }
    }
}

/// `authextra` with which any method can begin.
fn extra(key: &[u8; 32]) -> Dict {
    Dict::new().with("nonce", NONCE).with("pubkey", to_hex(&cryptosign::public_key(key)))
}

/// HELLO, which must be answered by a CHALLENGE of this method.
async fn challenged(
    site: &Site,
    serializer: Serializer,
    method: &str,
    authid: &str,
) -> (Wamp, message::Challenge) {
    let mut client = Wamp::connect(site.running.address, serializer).await;
    hello(&mut client, method, Some(authid), extra(&KEY)).await;
    match client.hear().await {
        Message::Challenge(challenge) => {
            assert_eq!(challenge.method, method);
            (client, challenge)
        }
        other => panic!("{other:?} instead of CHALLENGE"),
    }
}

/// REQ-WAMP-061, REQ-WAMP-062, REQ-WAMP-063, REQ-WAMP-064, REQ-WAMP-011
#[tokio::test]
async fn the_right_proof_opens_a_session() {
    let site = Site::start(&people()).await;
    for (method, authid) in METHODS {
        for serializer in Serializer::ALL {
            let (mut client, challenge) = challenged(&site, serializer, method, authid).await;
            let (answer, check) = proof(&challenge, authid, "right", &KEY);
            client.say(answer).await;
            let welcome = match client.hear().await {
                Message::Welcome(welcome) => welcome,
                other => panic!("{method}, {authid}: {other:?}"),
            };
            let details = &welcome.details;
            assert_eq!((text(details, "authid"), text(details, "authmethod")), (authid, method));
            assert_eq!(text(details, "authrole"), format!("{authid}'s"));
            if let Some((variant, check)) = check {
                check(text(details.dict("authextra").unwrap().unwrap(), variant.verifier_key()));
            }
            let found = client.ask("wamp.session.get", &[welcome.session.into()]).await;
            assert_eq!(text(found[0].as_dict().unwrap(), "authid"), authid);
        }
    }
    site.running.stop().await;
}

/// REQ-WAMP-061, REQ-WAMP-062, REQ-WAMP-063, REQ-WAMP-064, REQ-WAMP-066
#[tokio::test]
async fn a_wrong_proof_opens_none() {
    let site = Site::start(&people()).await;
    for (method, authid) in METHODS {
        // The wrong secret, and the right one of another challenge: a ticket is the same each time.
        let (mut client, challenge) = challenged(&site, Serializer::Json, method, authid).await;
        client.say(proof(&challenge, authid, "wrong", &OTHER_KEY).0).await;
        client.aborted(DENIED, 3000).await;
        let (mut client, _) = challenged(&site, Serializer::Json, method, authid).await;
        if method != "ticket" {
            client.say(proof(&challenge, authid, "right", &KEY).0).await;
            client.aborted(DENIED, 3000).await;
        }
        for signature in ["", "right ", "\u{e9}"] {
            let (mut client, _) = challenged(&site, Serializer::MsgPack, method, authid).await;
            client.say(message::Authenticate { signature: signature.to_owned(), extra: Dict::new() }).await;
            client.aborted(DENIED, 3000).await;
        }
    }
    until(&site.running.broker, "all to be gone", |metrics| metrics.value("petasus_connections") == 0).await;
    site.running.stop().await;
}

/// REQ-WAMP-065: whoever is not there is asked as others are, and fails at the end as they do.
#[tokio::test]
async fn nobody_learns_who_there_is() {
    let site = Site::start(&format!("anonymous = \"\"\n{}", user("ann", "admin"))).await;
    let mut texts = Vec::new();
    for authid in ["ann", "nobody at all"] {
        let (mut client, challenge) = challenged(&site, Serializer::Json, "ticket", authid).await;
        assert_eq!(challenge.extra, Dict::new());
        client.say(proof(&challenge, authid, "wrong", &KEY).0).await;
        let Message::Abort(abort) = client.hear().await else { panic!("no ABORT") };
        texts.push(abort);
        client.closed(3000).await;
    }
    assert_eq!(texts[0], texts[1]);
    assert_eq!(texts[0].reason, DENIED);
    site.running.stop().await;
}

/// REQ-WAMP-060, REQ-WAMP-063, REQ-WAMP-066: before there is a challenge.
#[tokio::test]
async fn what_cannot_be_asked_is_refused_at_once() {
    let site = Site::start(&people()).await;
    for (method, authid, extra, reason) in [
        ("anonymous", None, extra(&KEY), NO_METHOD),
        ("anonymous", Some("ticket"), extra(&KEY), NO_METHOD),
        ("ticket", None, extra(&KEY), NO_METHOD),
        ("ticket", Some("sign"), extra(&KEY), NO_METHOD),
        ("telepathy", Some("ticket"), extra(&KEY), NO_METHOD),
        ("wamp-scram", Some("scram"), Dict::new(), "wamp.error.authentication_failed"),
        ("wamp-scram", Some("scram"), Dict::new().with("nonce", "a,b"), "wamp.error.authentication_failed"),
        ("cryptosign", Some("sign"), Dict::new().with("pubkey", "zz"), NO_METHOD),
    ] {
        let mut client = Wamp::connect(site.running.address, Serializer::Cbor).await;
        hello(&mut client, method, authid, extra).await;
        client.aborted(reason, 3000).await;
    }
    site.running.stop().await;
}

/// REQ-WAMP-015, REQ-WAMP-014: whoever is challenged answers, or goes; nothing else.
#[tokio::test]
async fn a_challenge_takes_one_answer() {
    let site = Site::start(&people()).await;
    let (realm, procedure) = ("default".to_owned(), "wamp.session.count".to_owned());
    let (options, details) = (Dict::new(), Dict::new());
    let payload = petasus_protocol::wamp::Payload::empty();
    for wrong in [
        Message::from(message::Hello { realm, details: details.clone() }),
        message::Call { request: 1, options, procedure, payload: payload.clone() }.into(),
        message::Welcome { session: 1, details: details.clone() }.into(),
        message::Challenge { method: "ticket".to_owned(), extra: Dict::new() }.into(),
    ] {
        let (mut client, _) = challenged(&site, Serializer::Json, "ticket", "ticket").await;
        client.say(wrong).await;
        client.aborted("wamp.error.protocol_violation", 1002).await;
    }
    let reason = "wamp.error.canceled".to_owned();
    for leaves in [
        Message::from(message::Abort { details: details.clone(), reason: reason.clone(), payload }),
        message::Goodbye { details, reason }.into(),
    ] {
        let (mut client, _) = challenged(&site, Serializer::Json, "ticket", "ticket").await;
        client.say(leaves).await;
        client.closed(1000).await;
    }
    // A second answer, when the first one was right, is a violation like any message out of order.
    let (mut client, _) = challenged(&site, Serializer::Json, "ticket", "ticket").await;
    let answer = || message::Authenticate { signature: "right".to_owned(), extra: Dict::new() };
    let both = [client.frame(answer()), client.frame(answer())].concat();
    client.raw().send(both).await;
    assert!(matches!(client.hear().await, Message::Welcome(_)));
    client.aborted("wamp.error.protocol_violation", 1002).await;
    site.running.stop().await;
}

/// REQ-WAMP-016, REQ-WAMP-060: two sessions on one connection are two clients.
#[tokio::test]
async fn the_next_session_proves_itself_anew() {
    let site = Site::start(&format!("anonymous = \"guest\"\n{}", user("ann", "admin"))).await;
    let mut client = site.join("ann").await;
    client.say(message::Goodbye { details: Dict::new(), reason: "wamp.close.normal".to_owned() }).await;
    client.goodbye("wamp.close.goodbye_and_out").await;
    let welcome = client.hello("default").await;
    assert_eq!(text(&welcome.details, "authrole"), "guest");
    assert_ne!(text(&welcome.details, "authid"), "ann");
    site.running.stop().await;
}
