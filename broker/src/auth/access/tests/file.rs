//! What is wrong with a file, and that nothing shows its secrets.

use super::access;
use crate::auth::access::{Access, AccessError, SharedAccess, check_access};

/// The problems of a text, a line each.
fn problems(text: &str) -> String {
    match Access::parse("a.toml", text) {
        Ok(access) => panic!("nothing is wrong: {access:?}"),
        Err(error) => error.to_string(),
    }
}

const USER: &str = "anonymous = \"\"\n[[users]]\nauthid = \"joe\"\nrole = \"user\"\n";

#[test]
fn an_empty_file_is_as_good_as_none() {
    for access in [access(""), Access::default()] {
        assert!(access.allows_all());
        assert_eq!(access.anonymous.as_deref(), Some("anonymous"));
        assert_eq!(access.authorizer(), None);
    }
}

#[test]
fn everything_can_be_said() {
    let access = access(include_str!("every_key.toml"));
    assert_eq!(access.anonymous.as_deref(), Some("guest"));
    assert_eq!(access.authorizer(), Some("com.example.authorize"));
    let joe = access.users.find("realm1", "joe").unwrap();
    assert_eq!(
        format!("{joe:?}"),
        "User { realm: Some(\"realm1\"), authid: \"joe\", role: \"user\", methods: [\"ticket\", \"wampcra\", \
         \"wamp-scram\", \"scram\", \"cryptosign\"], .. }"
    );
    assert_eq!(access.users.find("realm2", "joe").unwrap().role, "visitor");
}

#[test]
fn wrong_keys_and_types_are_found_with_line_and_hint() {
    for (text, expected) in [
        (
            "annonymous = \"x\"",
            "a.toml:1: annonymous: there is no such key (did you mean `anonymous`?); there are anonymous, authorizer, users, rules",
        ),
        ("\n\nanonymous = 1", "a.toml:3: anonymous: needs a text in quotes; this is another number"),
        ("a = ", "a.toml:1: not TOML: string values must be quoted, expected literal string"),
        ("users = 3", "a.toml:1: users: needs tables; begin each with a line [[users]]"),
        ("[users]\nauthid = \"joe\"", "a.toml:1: users: needs tables; begin each with a line [[users]]"),
        (
            "[[rules]]\nuri = \"a\"\nallow = [\"subscribe\"]\nrol = \"x\"",
            "a.toml:4: rules.rol: there is no such key (did you mean `role`?); there are role, realm, pattern, uri, match, allow, disclose",
        ),
        (
            "[[rules]]\nuri = \"a\"\nallow = [\"subscribe\"]\nanonymous = \"x\"",
            "a.toml:4: rules.anonymous: there is no such key; `anonymous` belongs above the first [[...]] of the file",
        ),
        (
            "[[rules]]\nuri = \"a\"\nallow = \"subscribe\"",
            "a.toml:3: rules.allow: needs a list of texts, as in [\"one\", \"two\"]; this is a text",
        ),
        (
            "[[rules]]\nuri = \"a\"\nallow = [\"subscribe\", 1]",
            "a.toml:3: rules.allow: needs a list of texts, as in [\"one\", \"two\"]; this is another number",
        ),
        (
            "[[rules]]\nuri = \"a\"\nallow = [\"subcribe\"]",
            "a.toml:3: rules.allow: `subcribe` is none of \"subscribe\", \"publish\", \"call\", \"register\" (did you mean `subscribe`?)",
        ),
        (
            "[[rules]]\nuri = \"a\"\nallow = []\nmatch = \"regex\"",
            "a.toml:4: rules.match: `regex` is none of \"exact\", \"prefix\", \"wildcard\"",
        ),
        (
            "[[rules]]\nuri = \"a\"\nallow = []\nrealm = \"a b\"",
            "a.toml:4: rules.realm: the URI holds ' ': use no white space and no #; write the name of a realm, or \"*\" for every one",
        ),
        (
            "[[rules]]\nuri = \"a\"\nallow = []\nrole = \"\"",
            "a.toml:4: rules.role: is empty; write the role whose rules are to apply",
        ),
        (
            "[[rules]]\nallow = []",
            "a.toml:1: rules.uri: is missing; write the name, or the beginning of names with match = \"prefix\" (\"\" is every name)",
        ),
        (
            "[[rules]]\nuri = \"a\"",
            "a.toml:1: rules.allow: is missing; write for example [\"subscribe\", \"call\"]",
        ),
        (
            "[[rules]]\nuri = \"com.\"\nallow = []",
            "a.toml:2: rules.uri: component 1 of the URI is empty: write something before, between and after the dots; add match = \"prefix\" if this is the beginning of names",
        ),
        ("authorizer = \"a b\"", "a.toml:1: authorizer: the URI holds ' ': use no white space and no #"),
        (
            "authorizer = \"a.b\"\n[[rules]]\nuri = \"a.b\"\nallow = [\"register\"]",
            "a.toml:1: authorizer: nobody may register a.b; add [[rules]] with one role, uri = \"a.b\" and allow = [\"register\"]",
        ),
    ] {
        assert_eq!(problems(text), expected, "{text}");
    }
}

#[test]
fn wrong_users_are_found_with_line_and_hint() {
    let key = "a".repeat(64);
    let scram = |rest: &str| format!("scram = {{ stored_key = \"{key}\", server_key = \"{key}\", {rest} }}");
    for (text, expected) in [
        (String::new(), "a.toml:2: users: has nothing to prove it with; add ticket, secret, scram or public_keys".to_owned()),
        ("ticket = \"\"".into(), "a.toml:5: users.ticket: is empty; write the ticket, or leave the key out".into()),
        ("ticket = 12".into(), "a.toml:5: users.ticket: needs a text in quotes; this is another number".into()),
        ("ticket = \"x\"\nsalt = \"s\"\niterations = 9".into(), "a.toml:6: users.salt: needs a secret: the key derived from the password with it".into()),
        ("secret = \"x\"\niterations = 9".into(), "a.toml:6: users: iterations and keylen need a salt; add it, or leave them out".into()),
        ("secret = \"x\"\nsalt = \"s\"".into(), "a.toml:6: users.iterations: is missing; write the rounds of PBKDF2 that made the secret".into()),
        ("secret = \"x\"\nsalt = \"s\"\niterations = 0".into(), "a.toml:7: users: iterations must be 1 to 10000000, and keylen 1 to 128".into()),
        ("secret = \"hush\"\nsalt = \"s\"\niterations = 9".into(), "a.toml:5: users.secret: with a salt, this is the derived key: 32 bytes in base64, as the client derives it; the plain password goes without salt".into()),
        ("public_keys = []".into(), "a.toml:2: users.public_keys: is empty; write a key, or leave it out".into()),
        ("public_keys = [\"hush\"]".into(), "a.toml:5: users.public_keys: the public key is not hex of the right length: encode it so".into()),
        ("scram = \"hush\"".into(), "a.toml:5: users.scram: needs a table, as in { key = \"value\" }; this is a text".into()),
        (scram("salt = \"c2FsdA==\", kdf = \"md5\", iterations = 1"), "a.toml:5: users.scram: the key derivation function is unknown: use pbkdf2 or argon2id13".into()),
        (scram("salt = \"c2FsdA==\", kdf = \"argon2id13\", iterations = 1"), "a.toml:5: users.scram: the key derivation has memory outside 8 to 1048576: choose one within".into()),
        (scram("salt = \"hush!\", kdf = \"pbkdf2\", iterations = 4096"), "a.toml:5: users.scram.salt: is not base64; encode it so".into()),
        (scram("salt = \"c2FsdA==\", kdf = \"pbkdf2\""), "a.toml:5: users.scram.iterations: is missing; write the rounds that made the keys".into()),
        (
            scram("salt = \"c2FsdA==\", kdf = \"pbkdf2\", iterations = 4096").replacen(&key, "hush", 1),
            "a.toml:5: users.scram.stored_key: is not 32 bytes in base64 or hex; encode it so".into(),
        ),
        (
            "ticket = \"x\"\n[[users]]\nauthid = \"joe\"\nrole = \"b\"\nticket = \"y\"".into(),
            "a.toml:6: users.authid: `joe` is there twice in realm `*`; write all credentials of a user into one [[users]]".into(),
        ),
    ] {
        assert_eq!(problems(&format!("{USER}{text}")), expected, "{text}");
    }
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_their_lines() {
    let text =
        "[[users]]\nrole = \"*\"\nticket = \"hush\"\n[[rules]]\nuri = \"a\"\nallow = [\"call\"]\nx = 1\n";
    assert_eq!(
        problems(text),
        "a.toml:1: anonymous: is missing; with [[users]], write above them the role of clients that prove nothing, \
         or \"\" to refuse these\n\
         a.toml:1: users.authid: is missing; write the name that the client sends in HELLO\n\
         a.toml:2: users.role: \"*\" is no role; write the role whose rules are to apply\n\
         a.toml:7: rules.x: there is no such key; there are role, realm, pattern, uri, match, allow, disclose"
    );
}

#[test]
fn nothing_shows_a_secret() {
    let text = include_str!("every_key.toml");
    let secrets: Vec<&str> = text.split('"').filter(|part| part.len() >= 24 && !part.contains(' ')).collect();
    assert!(secrets.len() >= 5 && text.contains("opensesame"), "{secrets:?}");
    let access = access(text);
    // A syntax error behind each prefix of the file, and a wrong type for each value.
    let cut = (0..text.len()).filter(|&end| text.is_char_boundary(end)).map(|end| text[..end].to_owned());
    let shown =
        cut.filter_map(|text| Access::parse("a.toml", &text).err()).map(|error| format!("{error}{error:?}"));
    for shown in shown.chain([format!("{access:?}"), format!("{access:#?}")]) {
        for secret in secrets.iter().copied().chain(["opensesame"]) {
            assert!(!shown.contains(secret), "{secret} is in {shown}");
        }
    }
}

#[test]
fn a_challenge_shows_no_secret() {
    let access = access(&format!("{USER}ticket = \"hush-ticket\"\nsecret = \"hush-secret\""));
    for method in ["ticket", "wampcra"] {
        let challenge = super::challenge(&access, "joe", method, None);
        let shown = format!("{challenge:?}{:?}", challenge.extra());
        assert!(shown.contains("joe") && !shown.contains("hush"), "{shown}");
    }
}

#[test]
fn a_wrong_new_file_keeps_the_old_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("access.toml");
    let path = path.to_str().unwrap();
    let AccessError::Unreadable { .. } = SharedAccess::open(path).unwrap_err() else {
        panic!("there is no file")
    };
    std::fs::write(path, "anonymous = \"guest\"").unwrap();
    let shared = SharedAccess::open(path).unwrap();
    std::fs::write(path, "anonymous = 1").unwrap();
    let error = shared.reload().unwrap_err().to_string();
    assert!(error.ends_with(":1: anonymous: needs a text in quotes; this is another number"), "{error}");
    assert_eq!(check_access(path).unwrap_err().to_string(), error);
    assert_eq!(shared.current().anonymous.as_deref(), Some("guest"));
    std::fs::write(path, "anonymous = \"visitor\"\n[[rules]]\nuri = \"a\"\nallow = []").unwrap();
    shared.reload().unwrap();
    assert_eq!(shared.current().anonymous.as_deref(), Some("visitor"));
    let topic = petasus_protocol::Topic::new("a");
    let question = crate::auth::Question {
        action: crate::auth::Action::Publish,
        pattern: crate::dialect::Pattern::PubSub,
        name: crate::auth::question::Name::Topic(&topic),

        authrole: "user",
    };
    let publish = crate::dialect::Role::Publish { topic: topic.clone() };
    assert!(shared.may_role(&publish).is_err(), "the new rules count");
    assert!(shared.may(&question, "realm1").is_err(), "for sessions too");
    std::fs::write(path, "").unwrap();
    shared.reload().unwrap();
    assert_eq!(shared.may_role(&publish), Ok(()));
    assert_eq!(shared.may(&question, "realm1"), Ok(()));
    assert!(SharedAccess::open("").unwrap().reload().is_ok());
}
