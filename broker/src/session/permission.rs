//! May the client do this? The rules of the access file are asked, then the authorizer that it names, then the hooks
//! of the embedding program.

use petasus_protocol::wamp::{bridge, uri};

use super::{Authorizers, Joined, Received, Session, State, meta};
use crate::auth::{Asking, Denied, Question};
use crate::config::Mode;
use crate::connection::Batch;
use crate::dialect::wamp::{Operation, Wish};

impl Session {
    /// Carries an operation out if that is allowed, or asks.
    pub(super) fn permit(&mut self, mut operation: Operation, batch: &mut Batch) -> Received {
        match self.judge(&mut operation) {
            Err(denied) => self.deny(&operation, &denied.reason(), batch),
            Ok(None) => self.carry_out(operation, batch),
            Ok(Some(asking)) => {
                // What came before goes on before the hook is asked.
                self.flush(batch);
                self.parked = Some(Box::new(operation));
                Received::Ask(asking)
            }
        }
    }

    /// What the rules say, and who has to be asked too. The program that the broker is part of may do everything.
    fn judge(&self, operation: &mut Operation) -> Result<Option<Asking>, Denied> {
        let State::Joined(joined) = &self.state else { return Ok(None) };
        if self.is_trusted() {
            return Ok(None);
        }
        let asking = self.judge_in(joined, operation)?;
        let testament = match &*operation {
            Operation::Call { what: Wish::Meta { uri }, payload, .. } => {
                meta::wanted_testament(uri, payload, self.core.naming())
            }
            _ => None,
        };
        match testament {
            None => Ok(asking),
            Some(mut publication) => Ok(both(asking, self.judge_in(joined, &mut publication)?)),
        }
    }

    fn judge_in(&self, joined: &Joined, operation: &mut Operation) -> Result<Option<Asking>, Denied> {
        let wanted = operation.disclosure().copied();
        let Some(question) = Question::about(operation, &joined.identity) else { return Ok(None) };
        let (access, realm) = (&self.core.access, joined.realm.name());
        access.may(&question, realm)?;
        if let Operation::Call { what: Wish::Meta { uri }, .. } = &*operation {
            self.may_reach_others(uri)?;
        }
        let disclosed = wanted.map(|wanted| access.discloses(&question, realm, wanted));
        let message = || operation.payload().map(bridge::to_raw);
        let hook = self.core.hooks.about_operation(&question, message, self.client.as_ref());
        let authorizer = Authorizers::ask(&self.core, &joined.realm, &question, &joined.identity);
        if let (Some(disclosure), Some(disclosed)) = (operation.disclosure(), disclosed) {
            *disclosure = disclosed;
        }
        Ok(both(authorizer, hook))
    }

    /// The hook's answer about the parked operation.
    pub(crate) fn answered(&mut self, answer: Result<(), Denied>, batch: &mut Batch) -> Received {
        let Some(operation) = self.parked.take() else { return Received::Done };
        match answer {
            Ok(()) => self.carry_out(*operation, batch),
            Err(denied) => self.deny(&operation, &denied.reason(), batch),
        }
    }

    /// Sending others away takes more than that nothing forbids it: in production, a rule that allows it.
    fn may_reach_others(&self, procedure: &str) -> Result<(), Denied> {
        let reaches = ["wamp.session.kill", "wamp.subscription.remove_", "wamp.registration.remove_"];
        let production = self.core.config.mode == Mode::Production;
        if production
            && !self.core.access.has_rules()
            && reaches.iter().any(|begin| procedure.starts_with(begin))
        {
            return Err(Denied::new(format!(
                "{procedure} reaches other sessions: in production a rule of the access file must allow it"
            )));
        }
        Ok(())
    }

    fn deny(&self, operation: &Operation, reason: &str, batch: &mut Batch) -> Received {
        self.core.metrics.refused();
        if let Some((kind, request)) = operation.expects_answer() {
            self.refuse(kind, request, uri::error::NOT_AUTHORIZED, reason, batch);
        }
        Received::Done
    }
}

/// Asks one after the other; what the first denies the second is not asked about.
fn both(first: Option<Asking>, second: Option<Asking>) -> Option<Asking> {
    match (first, second) {
        (Some(first), Some(second)) => Some(Box::pin(async move {
            first.await?;
            second.await
        })),
        (asking, None) | (None, asking) => asking,
    }
}
