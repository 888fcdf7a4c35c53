//! One connection: the transport first, then sessions, one after the other.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::net::TcpStream;

use super::Defect;
use super::router::Router;
use crate::raw::wamp::rawsocket::MAGIC;
use crate::raw::wamp::{Value, ValueError, code};

mod identity;
mod rawsocket;
mod rules;
mod talk;
mod websocket;

pub(super) use identity::{Able, ROLE, authid};

/// A router that sessions share.
pub(super) type Shared = Arc<Mutex<Router>>;

/// What goes to a client.
pub(super) enum Out {
    /// A message.
    Message(Value),
    /// The answer to a ping.
    Pong(Vec<u8>),
    /// The end.
    Close,
    /// The end, with this code.
    Fail(u16),
}

/// The routers of all realms; each is made when it is first asked for.
pub(super) struct Realms {
    pub(super) defect: Option<Defect>,
    all: Mutex<BTreeMap<String, Shared>>,
    /// The last session, for a defect that counts them.
    last: AtomicU64,
}

impl Realms {
    pub(super) fn new(defect: Option<Defect>) -> Self {
        Self { defect, all: Mutex::default(), last: AtomicU64::new(0) }
    }

    /// What cannot be read ends everybody, if that is the defect.
    fn hurt(&self, error: &ValueError) {
        if matches!(error, ValueError::Deep | ValueError::Cut) && self.defect == Some(Defect::GarbageEndsAll)
        {
            let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
            for router in all.values() {
                for session in lock(router).sessions.values() {
                    let _ = session.out.send(Out::Fail(1011));
                }
            }
        }
    }

    /// A session id that is no random number.
    fn counted(&self) -> u64 {
        self.last.fetch_add(1, Ordering::Relaxed) + 1
    }

    /// Everybody is told to go.
    pub(super) fn stop(&self) {
        for router in self.all.lock().unwrap_or_else(PoisonError::into_inner).values() {
            lock(router).stop();
        }
    }

    fn of(&self, realm: &str) -> Shared {
        let realm = if self.defect == Some(Defect::RealmsShared) { "" } else { realm };
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        let made = || Arc::new(Mutex::new(Router::new(self.defect)));
        Arc::clone(all.entry(realm.to_owned()).or_insert_with(made))
    }
}

pub(super) async fn serve(socket: TcpStream, realms: Arc<Realms>) {
    let _ = socket.set_nodelay(true);
    let mut first = [0];
    match socket.peek(&mut first).await {
        Ok(1..) if first[0] == MAGIC => rawsocket::serve(socket, realms).await,
        _ => websocket::serve(socket, realms).await,
    }
}

pub(super) fn lock(router: &Mutex<Router>) -> MutexGuard<'_, Router> {
    router.lock().unwrap_or_else(PoisonError::into_inner)
}

fn welcome(id: u64, realm: &str) -> Value {
    let features = |names: &[&str]| {
        let all = Value::map(names.iter().map(|&name| (name, Value::from(true))));
        Value::map([("features", all)])
    };
    let broker = features(&[
        "pattern_based_subscription",
        "subscriber_blackwhite_listing",
        "publisher_identification",
        "publisher_exclusion",
        "session_meta_api",
        "subscription_meta_api",
        "subscription_revocation",
    ]);
    let dealer = features(&[
        "progressive_call_results",
        "progressive_call_invocations",
        "call_canceling",
        "call_timeout",
        "call_reroute",
        "caller_identification",
        "pattern_based_registration",
        "shared_registration",
        "session_meta_api",
        "registration_meta_api",
        "registration_revocation",
        "testament_meta_api",
    ]);
    let roles = Value::map([("broker", broker), ("dealer", dealer)]);
    let authid = authid(id);
    let details = [
        ("realm", realm),
        ("authid", &*authid),
        ("authrole", ROLE),
        ("authmethod", "anonymous"),
        ("authprovider", "static"),
    ];
    let details = details.into_iter().map(|(name, text)| (name, Value::from(text)));
    let details = Value::map(details.chain([("roles", roles)]));
    Value::List(vec![Value::Int(code::WELCOME), Value::from(id), details])
}
