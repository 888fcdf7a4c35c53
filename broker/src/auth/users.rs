//! The users of the access file: who they are, and what each can prove that with.

mod read;

use std::collections::HashMap;
use std::fmt;
use std::sync::LazyLock;

use petasus_protocol::wamp::auth::scram::{Credentials, Kdf, Variant};
use petasus_protocol::wamp::auth::{cra, cryptosign, same_secret};

use super::access::{Problems, Table};

pub(super) use read::{OF_THE_FILE, read_realm, read_role};

/// A way to prove who one is. Proving nothing (`anonymous`) is none of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Method {
    Ticket,
    Cra,
    Scram(Variant),
    Cryptosign,
}

/// One user in one realm, or in all of them.
pub(crate) struct User {
    /// `None`: every realm.
    realm: Option<String>,
    pub(crate) authid: String,
    pub(crate) role: String,
    pub(crate) ticket: Option<Ticket>,
    pub(crate) cra: Option<Cra>,
    pub(crate) scram: Option<Scram>,
    pub(crate) public_keys: Vec<[u8; 32]>,
}

/// A ticket, as its keyed hash: the ticket itself is not kept.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Ticket(String);

/// What a WAMP-CRA signature is checked with.
#[derive(Clone)]
pub(crate) struct Cra {
    /// The password, or the key derived from it as base64 text.
    pub(crate) secret: String,
    pub(crate) salting: Option<Salting>,
}

/// How the client derives the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Salting {
    pub(crate) salt: String,
    pub(crate) iterations: u64,
    pub(crate) keylen: u64,
}

/// What a SCRAM proof is checked with.
#[derive(Clone)]
pub(crate) struct Scram {
    pub(crate) credentials: Credentials,
    /// Argon2 keys are made for one variant only, PBKDF2 keys fit both.
    only: Option<Variant>,
}

/// All users.
#[derive(Debug, Default)]
pub(crate) struct Users {
    list: Vec<User>,
    /// By authid: one of each realm.
    by_authid: HashMap<String, Vec<usize>>,
    /// By realm, `None` are those of every realm: whom unknown clients are treated like.
    by_realm: HashMap<Option<String>, Vec<usize>>,
}

/// The secret of this process: with it, what a client is told of a user who does not exist is always the same, and
/// says nothing.
static SECRET: LazyLock<[u8; 32]> = LazyLock::new(random);

/// Random bytes of the operating system.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("the operating system has random bytes");
    bytes
}

/// HMAC-SHA256 with the secret of this process, in base64 (which is what a WAMP-CRA signature is).
pub(crate) fn keyed_hash(label: &str, text: &str) -> String {
    cra::sign(&*SECRET, &format!("{label}\0{text}"))
}

/// SCRAM credentials of a user who does not exist.
pub(crate) fn mock_credentials(authid: &str, kdf: Kdf) -> Credentials {
    Credentials::mock(&*SECRET, authid, kdf)
}

impl Method {
    /// The method with this name in `authmethods`.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        match name {
            "ticket" => Some(Self::Ticket),
            cra::METHOD => Some(Self::Cra),
            cryptosign::METHOD => Some(Self::Cryptosign),
            other => Variant::of_method(other).map(Self::Scram),
        }
    }

    /// Its name in `authmethods` and CHALLENGE.
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::Cra => cra::METHOD,
            Self::Scram(variant) => variant.method(),
            Self::Cryptosign => cryptosign::METHOD,
        }
    }
}

impl Ticket {
    pub(crate) fn new(ticket: &str) -> Self {
        Self(keyed_hash("ticket", ticket))
    }

    /// Whether this is the ticket. Both are hashed, so that the time says nothing of it, not even its length.
    pub(crate) fn is(&self, ticket: &str) -> bool {
        same_secret(self.0.as_bytes(), keyed_hash("ticket", ticket).as_bytes())
    }
}

impl Scram {
    pub(crate) fn fits(&self, variant: Variant) -> bool {
        self.only.is_none_or(|only| only == variant)
    }
}

impl User {
    /// Whether the user can use this method.
    pub(crate) fn has(&self, method: Method) -> bool {
        match method {
            Method::Ticket => self.ticket.is_some(),
            Method::Cra => self.cra.is_some(),
            Method::Scram(variant) => self.scram.as_ref().is_some_and(|scram| scram.fits(variant)),
            Method::Cryptosign => !self.public_keys.is_empty(),
        }
    }

    fn is_in(&self, realm: &str) -> bool {
        self.realm.as_deref().is_none_or(|own| own == realm)
    }
}

impl Users {
    /// The user of a realm; one of that realm alone goes before one of all realms.
    pub(crate) fn find(&self, realm: &str, authid: &str) -> Option<&User> {
        let users = || self.by_authid.get(authid).into_iter().flatten().map(|&number| &self.list[number]);
        let own = users().find(|user| user.realm.as_deref() == Some(realm));
        own.or_else(|| users().find(|user| user.realm.is_none()))
    }

    /// The one user of a realm with this public key. Of several users with one key, none is meant.
    pub(crate) fn with_key(&self, realm: &str, key: &[u8; 32]) -> Option<&User> {
        let mut users = self.list.iter().filter(|user| user.is_in(realm) && user.public_keys.contains(key));
        users.next().filter(|_| users.next().is_none())
    }

    /// The user whom a client with an unknown name is treated like: always the same one for a name.
    pub(crate) fn stand_in(&self, realm: &str, authid: &str) -> Option<&User> {
        let of = |realm: Option<String>| self.by_realm.get(&realm).map_or(&[][..], Vec::as_slice);
        let (own, everywhere) = (of(Some(realm.to_owned())), of(None));
        let count = own.len() + everywhere.len();
        if count == 0 {
            return None;
        }
        let digest = keyed_hash("stand-in", &format!("{realm}\0{authid}"));
        let sum = digest.bytes().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(byte.into()));
        own.iter().chain(everywhere).nth(sum % count).map(|&number| &self.list[number])
    }

    /// Any user of the realm that has public keys.
    pub(crate) fn any_with_keys(&self, realm: &str) -> Option<&User> {
        self.list.iter().find(|user| user.is_in(realm) && !user.public_keys.is_empty())
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// Adds the user of a table `[[users]]`.
    pub(super) fn add(&mut self, table: Table<'_>, problems: &mut Problems<'_>) {
        let at = table.at;
        let Some(user) = read::read(table, problems) else { return };
        let number = self.list.len();
        let same_name = self.by_authid.entry(user.authid.clone()).or_default();
        if same_name.iter().any(|&other| self.list[other].realm == user.realm) {
            let text = format!(
                "`{}` is there twice in realm `{}`; write all credentials of a user into one [[users]]",
                user.authid,
                user.realm.as_deref().unwrap_or("*")
            );
            return problems.add(at, "users.authid", text);
        }
        same_name.push(number);
        self.by_realm.entry(user.realm.clone()).or_default().push(number);
        self.list.push(user);
    }
}

impl fmt::Debug for User {
    /// Without anything that would help to be this user.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let methods = [
            Method::Ticket,
            Method::Cra,
            Method::Scram(Variant::Specified),
            Method::Scram(Variant::Autobahn),
            Method::Cryptosign,
        ];
        let methods: Vec<_> =
            methods.into_iter().filter(|&method| self.has(method)).map(Method::as_str).collect();
        f.debug_struct("User")
            .field("realm", &self.realm)
            .field("authid", &self.authid)
            .field("role", &self.role)
            .field("methods", &methods)
            .finish_non_exhaustive()
    }
}
