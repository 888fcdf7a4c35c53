//! Dynamic authorisation: a registered procedure is asked what a session may do (WAMP: Dynamic Authorization).
//!
//! The access file names the procedure. It is called with the session's details, the URI, the action and the options
//! that WAMP has for that (none of ours), and answers `true` or `false`, or a dict with the key `allow`. It is asked
//! after the rules have allowed, and over a session of the broker's own, which is opened when it is first needed.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use petasus_protocol::wamp::uri::Match;
use petasus_protocol::wamp::{Dict, Payload, Serializer, Value};
use tokio::sync::{Mutex, OnceCell};

use super::Identity;
use crate::auth::{Action, Asking, Denied, Question};
use crate::core::Core;
use crate::local::{LocalError, LocalOptions, LocalSession};
use crate::realm::Realm;

/// The sessions over which authorizers are asked, by realm.
#[derive(Default)]
pub(crate) struct Authorizers(Mutex<HashMap<String, Arc<OnceCell<LocalSession>>>>);

impl Authorizers {
    /// Asks the authorizer, if there is one to ask about this.
    pub(super) fn ask(
        core: &Arc<Core>,
        realm: &Realm,
        question: &Question<'_>,
        identity: &Identity,
    ) -> Option<Asking> {
        let procedure = core.access.authorizer()?;
        let uri = question.uri().into_owned();
        let registered = realm.dealer.lock().lookup(&procedure, Match::Exact);
        let is_its_own = question.action == Action::Register && uri == procedure;
        if is_its_own || registered.is_some_and(|id| realm.is_callee(id, identity.session)) {
            // Whoever answers for it would have to be asked by itself.
            return None;
        }
        if registered.is_none() {
            let reason =
                format!("the authorizer {procedure} is not registered: nothing is allowed before it is");
            return Some(Box::pin(std::future::ready(Err(Denied::new(reason)))));
        }
        let args = [identity.details().into(), uri.into(), question.word().into(), Dict::new().into()];
        let payload = Payload::of_values(Serializer::Cbor, &args, &Dict::new());
        let (core, realm) = (core.clone(), realm.name().to_owned());
        Some(Box::pin(async move {
            let within = core.config.hooks.timeout.duration();
            let answer = core.authorizers.call(&core, &realm, &procedure, payload, within).await;
            match answer.map(|answer| allows(&answer)) {
                Ok(Some(true)) => Ok(()),
                Ok(Some(false)) => Err(Denied::new("the authorizer does not allow it")),
                Ok(None) => {
                    tracing::warn!(
                        procedure,
                        "the authorizer answered neither true, false nor a dict with `allow`"
                    );
                    Err(Denied::new("the authorizer did not answer as it should"))
                }
                Err(error) => {
                    tracing::warn!(procedure, %error, "no answer from the authorizer; the operation is refused");
                    Err(Denied::new("the authorizer did not answer"))
                }
            }
        }))
    }

    async fn call(
        &self,
        core: &Arc<Core>,
        realm: &str,
        procedure: &str,
        payload: Payload,
        within: Duration,
    ) -> Result<Payload, LocalError> {
        let cell = self.0.lock().await.entry(realm.to_owned()).or_default().clone();
        let options = LocalOptions::default().identity("authorizer", crate::local::TRUSTED);
        let session = cell.get_or_try_init(|| LocalSession::open(core, realm, options)).await?;
        let answer = session.call(procedure, Dict::new(), payload, within).await;
        if matches!(answer, Err(LocalError::Over)) {
            // It was sent away; the next question opens another.
            self.0.lock().await.remove(realm);
        }
        answer
    }
}

/// What an authorizer's answer says.
fn allows(answer: &Payload) -> Option<bool> {
    match answer.arg_values().ok()?.first()? {
        Value::Bool(allowed) => Some(*allowed),
        Value::Dict(dict) => dict.bool("allow").ok()?,
        _ => None,
    }
}
