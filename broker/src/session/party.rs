//! How the dealer speaks to a session: its answers and invocations, put into the session's outbox.

use petasus_protocol::wamp::{Dict, Payload, Serializer, message};

use crate::connection::{Batch, Outbox};
use crate::hub::{CallError, CancelMode, Invocation, Offered, Party};

impl Party for Outbox {
    type Batch = Batch;
    type Payload = Payload;

    fn size(payload: &Payload) -> usize {
        payload.len()
    }

    fn registered(&self, request: u64, registration: u64, batch: &mut Batch) {
        self.say(&message::Registered { request, registration }.into(), batch);
    }

    fn invoke(&self, invocation: &Invocation<'_, Self>, batch: &mut Batch) -> Offered {
        let mut details = Dict::new();
        if let Some(procedure) = invocation.procedure {
            details.set("procedure", procedure);
        }
        if let Some(caller) = invocation.caller.and_then(Outbox::identity) {
            details.set("caller", caller.session);
            details.set("caller_authid", caller.authid.as_str());
            details.set("caller_authrole", caller.authrole.as_str());
        }
        if invocation.receive_progress {
            details.set("receive_progress", true);
        }
        if invocation.progress {
            details.set("progress", true);
        }
        if let Some(timeout) = invocation.timeout {
            details.set("timeout", timeout.as_millis() as u64);
        }
        let invocation = message::Invocation {
            request: invocation.id,
            registration: invocation.registration,
            details,
            payload: invocation.payload.clone(),
        };
        self.offer_message(&invocation.into(), batch)
    }

    fn interrupt(&self, invocation: u64, mode: CancelMode, reason: &'static str, batch: &mut Batch) {
        let mode = match mode {
            CancelMode::Skip => "skip",
            CancelMode::Kill => "kill",
            CancelMode::KillNoWait => "killnowait",
        };
        let options = Dict::new().with("mode", mode).with("reason", reason);
        self.say(&message::Interrupt { request: invocation, options }.into(), batch);
    }

    fn result(&self, request: u64, progress: bool, payload: &Payload, batch: &mut Batch) -> bool {
        let mut details = Dict::new();
        if progress {
            details.set("progress", true);
        }
        self.say_if_short(&message::CallResult { request, details, payload: payload.clone() }.into(), batch)
    }

    fn error(&self, request: u64, error: &CallError<'_, Payload>, batch: &mut Batch) {
        let (error, payload) = match error {
            CallError::Callee { uri, payload } => ((*uri).to_owned(), (*payload).clone()),
            CallError::Dealer(failure) => (failure.uri().to_owned(), text(&failure.to_string())),
        };
        let kind = message::Call::CODE;
        self.say(&message::Error { kind, request, details: Dict::new(), error, payload }.into(), batch);
    }
}

/// A text for people, as the first argument of an ERROR.
pub(super) fn text(text: &str) -> Payload {
    Payload::of_values(Serializer::Json, &[text.into()], &Dict::new())
}
