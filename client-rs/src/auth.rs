//! How a program logs in (WAMP).

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use parking_lot::Mutex;
use petasus_protocol::session::Identity;
use petasus_protocol::wamp::auth::answer::{self, AnswerError};
use petasus_protocol::wamp::auth::{cra, cryptosign, nonce, scram, to_hex};
use petasus_protocol::wamp::{Dict, RawDict};
use tokio::task::spawn_blocking;

/// A future on the heap.
pub(crate) type Boxed<T> = Pin<Box<dyn Future<Output = T> + Send>>;

type Fresh = dyn Fn() -> Dict + Send + Sync;

type Answerer = dyn Fn(Challenge) -> Boxed<Result<Proof, String>> + Send + Sync;

/// Who the program says it is, and how it proves that. Over Mercury there is no log-in: use
/// [`Builder::header`](crate::Builder::header).
///
/// ```
/// use petasus::Auth;
///
/// let auth = Auth::wampcra("joe", "secret");
/// # let _ = auth;
/// ```
#[derive(Clone)]
pub struct Auth {
    identity: Identity,
    /// What goes along with the offer of the methods, drawn anew for each connection.
    fresh: Option<Arc<Fresh>>,
    answer: Arc<Answerer>,
}

/// What the router wants to know.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Challenge {
    /// The method that it chose.
    pub method: String,
    /// What the method needs.
    pub extra: Dict,
}

/// The answer to a [`Challenge`].
#[derive(Clone, PartialEq, Default)]
pub struct Proof {
    /// The signature, ticket or the like.
    pub signature: String,
    /// What the method sends along.
    pub extra: Dict,
}

impl Proof {
    /// A proof with nothing that goes along.
    pub fn new(signature: impl Into<String>) -> Proof {
        Proof { signature: signature.into(), extra: Dict::new() }
    }
}

impl fmt::Debug for Proof {
    /// A ticket is a secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Proof").finish_non_exhaustive()
    }
}

impl Auth {
    /// Nobody in particular: the default.
    pub fn anonymous() -> Auth {
        Auth::with(None, Vec::<String>::new(), async |_| Err("anonymous sessions have no proof".to_owned()))
    }

    /// A ticket: a secret that is sent as it is. Only over `wss://`.
    pub fn ticket(authid: impl Into<String>, ticket: impl Into<String>) -> Auth {
        let ticket = ticket.into();
        Auth::ticket_from(authid, move || {
            let ticket = ticket.clone();
            async move { Ok(ticket) }
        })
    }

    /// A ticket that is asked for anew at each connection, such as a token that runs out. If it fails, the client
    /// gives up.
    pub fn ticket_from<F, R>(authid: impl Into<String>, ticket: F) -> Auth
    where
        F: Fn() -> R + Send + Sync + 'static,
        R: Future<Output = Result<String, String>> + Send + 'static,
    {
        Auth::with(Some(authid.into()), ["ticket"], move |_| {
            let ticket = ticket();
            async move { ticket.await.map(Proof::new) }
        })
    }

    /// WAMP-CRA: a challenge is signed by a secret that both know. Salted secrets are given as the password.
    pub fn wampcra(authid: impl Into<String>, secret: impl Into<String>) -> Auth {
        let secret: Arc<str> = Arc::from(secret.into());
        Auth::with(Some(authid.into()), [cra::METHOD], move |challenge| {
            let secret = secret.clone();
            compute(move || proof(answer::cra(&secret, &challenge.extra)))
        })
    }

    /// SCRAM: the router knows only what a password can be checked with. Both the specification's `wamp-scram` and
    /// Autobahn's `scram`.
    pub fn scram(authid: impl Into<String>, password: impl Into<String>) -> Auth {
        let (authid, password) = (authid.into(), Arc::<str>::from(password.into()));
        // That of the present connection.
        let nonce = Arc::new(Mutex::new(drawn_nonce()));
        let user: Arc<str> = Arc::from(authid.as_str());
        let methods = [scram::Variant::Specified.method(), scram::Variant::Autobahn.method()];
        let present = nonce.clone();
        let mut auth = Auth::with(Some(authid), methods, move |challenge| {
            let (user, password, nonce) = (user.clone(), password.clone(), present.lock().clone());
            compute(move || {
                proof(answer::scram(&user, &password, &nonce, &challenge.method, &challenge.extra))
            })
        });
        auth.fresh = Some(Arc::new(move || {
            let mut nonce = nonce.lock();
            *nonce = drawn_nonce();
            Dict::new().with("nonce", nonce.as_str())
        }));
        auth
    }

    /// Cryptosign: a challenge is signed by a private Ed25519 key, whose public key the router knows. Without a name
    /// the router finds it by the key.
    pub fn cryptosign(authid: Option<&str>, private_key: [u8; 32]) -> Auth {
        let extra = Dict::new()
            .with("pubkey", to_hex(&cryptosign::public_key(&private_key)))
            .with("channel_binding", Option::<&str>::None);
        let auth = Auth::with(authid.map(str::to_owned), [cryptosign::METHOD], move |challenge| async move {
            proof(answer::cryptosign(&private_key, &challenge.extra))
        });
        auth.with_extra(&extra)
    }

    /// Any other way: `methods` are offered, the dearest first, and `answer` answers the challenge of that which the
    /// router chose. Its error is told by the client when it gives up.
    pub fn with<M, F, R>(authid: Option<String>, methods: M, answer: F) -> Auth
    where
        M: IntoIterator<Item: Into<String>>,
        F: Fn(Challenge) -> R + Send + Sync + 'static,
        R: Future<Output = Result<Proof, String>> + Send + 'static,
    {
        let methods = methods.into_iter().map(Into::into).collect();
        let identity = Identity { authid, methods, extra: RawDict::new() };
        Auth { identity, fresh: None, answer: Arc::new(move |challenge| Box::pin(answer(challenge))) }
    }

    /// What goes along with the offer of the methods (`authextra` of HELLO), beside what they need themselves.
    #[must_use]
    pub fn with_extra(mut self, extra: &Dict) -> Auth {
        add(&mut self.identity.extra, extra);
        self
    }

    pub(crate) fn identity(&self) -> Identity {
        self.identity.clone()
    }

    /// What the next connection says, if it differs from what the one before said.
    pub(crate) fn fresh_identity(&self) -> Option<Identity> {
        let mut identity = self.identity.clone();
        add(&mut identity.extra, &self.fresh.as_ref()?());
        Some(identity)
    }

    pub(crate) async fn answer(&self, challenge: Challenge) -> Result<Proof, String> {
        (self.answer)(challenge).await
    }
}

impl fmt::Debug for Auth {
    /// Of what it knows, only the name is no secret.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("authid", &self.identity.authid).finish_non_exhaustive()
    }
}

fn add(to: &mut RawDict, extra: &Dict) {
    let mut all = to.to_dict();
    for (key, value) in extra.iter() {
        all.set(key, value.clone());
    }
    *to = all.into();
}

/// The client's half of a nonce of SCRAM.
fn drawn_nonce() -> String {
    let mut random = [0; 16];
    // Without chance from the system it is not drawn well, but the router's half of the nonce is.
    if getrandom::fill(&mut random).is_err() {
        random = fastrand::u128(..).to_le_bytes();
    }
    nonce(&random)
}

/// What is slow by design is not done where others wait.
async fn compute(answer: impl FnOnce() -> Result<Proof, String> + Send + 'static) -> Result<Proof, String> {
    spawn_blocking(answer).await.unwrap_or_else(|error| Err(error.to_string()))
}

fn proof(answer: Result<answer::Proof, AnswerError>) -> Result<Proof, String> {
    let answer::Proof { signature, extra } = answer.map_err(|error| error.to_string())?;
    Ok(Proof { signature, extra })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_connection_has_a_nonce_of_its_own() {
        let auth = Auth::scram("joe", "secret");
        let drawn = || auth.fresh_identity().expect("SCRAM has a nonce");
        let (one, other) = (drawn(), drawn());
        assert_ne!(one.extra, other.extra);
        assert_eq!((one.authid, one.methods), (other.authid, other.methods));
        assert_eq!(Auth::ticket("joe", "secret").fresh_identity(), None);
    }
}
