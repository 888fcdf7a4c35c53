//! The sending side of a session.

use tokio::sync::oneshot;

use super::look::NOBODYS;
use super::names::Names;
use super::state::{Pending, Shared};
use super::{IntoValue, ended, look, names, payload};
use crate::driver::socket::Socket;
use crate::driver::{Asking, Fut, OpenError, Port, PortError};
use crate::model::{CALLEE_ERROR, Calling, CancelMode, Give, Kind, Match, Piece, Policy, Publish, Request};
use crate::raw::wamp::{Value, code};
use crate::raw::{Frame, Opcode};

/// A session.
pub(super) struct Line {
    pub(super) socket: Socket,
    pub(super) shared: Shared,
    pub(super) names: Names,
    pub(super) at: Place,
}

/// The door at which it stands.
#[derive(Clone, Debug, Default)]
pub(super) struct Place {
    /// The URI.
    pub(super) topic: String,
    /// The value of `_pattern`.
    pub(super) pattern: Option<&'static str>,
    /// Whether it hears itself.
    pub(super) echo: bool,
    /// Whether anybody hears it.
    pub(super) sends: bool,
}

impl Line {
    /// Sends a message.
    pub(super) async fn say(&self, message: &[Value]) -> Result<(), OpenError> {
        self.write(message, 1).await.map_err(|error| OpenError::Protocol(error.to_string()))
    }

    async fn write(&self, message: &[Value], pieces: u8) -> Result<(), PortError> {
        let serialization = self.shared.serialization;
        let bytes = serialization.encode(&Value::List(message.to_vec()));
        let opcode = if serialization.is_text() { Opcode::TEXT } else { Opcode::BINARY };
        self.socket.write(&Frame::message(opcode, &bytes, pieces)).await
    }

    pub(super) async fn goodbye(&self) -> Result<(), PortError> {
        let reason = Value::from("wamp.close.close_realm");
        self.write(&[code::GOODBYE.into_value(), Value::map([]), reason], 1).await
    }

    /// A request that has to be granted before the connection is open; the id.
    pub(super) async fn request(&self, kind: i128, options: Value, name: &str) -> Result<u64, OpenError> {
        let (granted, answer) = oneshot::channel();
        let number = {
            let mut state = self.shared.lock();
            if state.is_over {
                return Err(ended());
            }
            state.number(Pending::Opening(granted))
        };
        self.say(&[kind.into_value(), Value::from(number), options, Value::from(name)]).await?;
        answer.await.map_err(|_| ended())?.map_err(OpenError::Protocol)
    }

    /// The message of a request; the number under which its answer comes.
    fn message(&self, asking: &Asking<'_>) -> Vec<Value> {
        let (kind, answer) = kinds(asking.request);
        let mut state = self.shared.lock();
        if let Request::Cancel { of, mode } = asking.request {
            let call = state.requests.get(of).copied().unwrap_or(NOBODYS);
            let mode = Value::from(match mode {
                CancelMode::Skip => "skip",
                CancelMode::Kill => "kill",
                CancelMode::KillNoWait => "killnowait",
            });
            return vec![kind.into_value(), Value::from(call), Value::map([("mode", mode)])];
        }
        if let Request::Look(look) = asking.request {
            let (procedure, args, kwargs) = look::call(look, &self.names, asking);
            let number = state.number(Pending::Look(asking.number));
            let (args, procedure) = (Value::List(args), Value::Text(procedure));
            return vec![kind.into_value(), Value::from(number), Value::map([]), procedure, args, kwargs];
        }
        let number = match asking.request {
            // All pieces of a call have its number.
            Request::CallWith(Calling { piece: Some(Piece { of: Some(first), .. }), .. }) => {
                state.requests.get(first).copied().unwrap_or(NOBODYS)
            }
            _ => state.number(Pending::Ask(asking.number, answer)),
        };
        state.requests.insert(asking.number, number);
        let mut message = vec![kind.into_value(), Value::from(number)];
        let granted = |of: &u32| Value::from(state.granted.get(of).copied().unwrap_or(NOBODYS));
        let uri = |name: &str| Value::Text(self.names.uri(name));
        match asking.request {
            Request::Subscribe { topic, matching } => message.extend([matched(*matching), uri(topic)]),
            Request::Unsubscribe { of } | Request::Unregister { of } => message.push(granted(of)),
            Request::Publish(publish) => message.extend([published(publish, asking), uri(&publish.topic)]),
            Request::Register { procedure, matching, policy, concurrency } => {
                let mut options = matched(*matching);
                if let Value::Map(options) = &mut options {
                    if *policy != Policy::Single {
                        options.push(("invoke".to_owned(), names::invoke(*policy)));
                    }
                    options.extend(concurrency.map(|n| ("concurrency".to_owned(), Value::Int(n.into()))));
                }
                message.extend([options, uri(procedure)]);
            }
            Request::Call { procedure, progress, timeout_ms, .. } => {
                let progress = progress.then_some(("receive_progress", Value::from(true)));
                let timeout = timeout_ms.map(|ms| ("timeout", Value::from(ms)));
                message.extend([Value::map(progress.into_iter().chain(timeout)), uri(procedure)]);
            }
            Request::CallWith(calling) => {
                let disclose = calling.disclose.then_some(("disclose_me", Value::from(true)));
                let more = calling.piece.is_some_and(|piece| piece.more);
                let more = more.then_some(("progress", Value::from(true)));
                message.extend([Value::map(disclose.into_iter().chain(more)), uri(&calling.procedure)]);
            }
            Request::Watch(watched) => {
                message.extend([Value::map([]), Value::Text(look::topic(*watched))]);
                state.watching.insert(asking.number, *watched);
            }
            Request::Cancel { .. } | Request::Look(_) => {}
        }
        if matches!(asking.request, Request::Publish(_) | Request::Call { .. } | Request::CallWith(_)) {
            let (args, kwargs) = payload::rich(asking.payload);
            message.extend([args, kwargs]);
        }
        message
    }
}

/// The types of a request and of its answer.
fn kinds(request: &Request) -> (i128, i128) {
    match request {
        Request::Subscribe { .. } | Request::Watch(_) => (code::SUBSCRIBE, code::SUBSCRIBED),
        Request::Unsubscribe { .. } => (code::UNSUBSCRIBE, code::UNSUBSCRIBED),
        Request::Publish(_) => (code::PUBLISH, code::PUBLISHED),
        Request::Register { .. } => (code::REGISTER, code::REGISTERED),
        Request::Unregister { .. } => (code::UNREGISTER, code::UNREGISTERED),
        Request::Call { .. } | Request::CallWith(_) | Request::Look(_) => (code::CALL, code::RESULT),
        Request::Cancel { .. } => (code::CANCEL, code::RESULT),
    }
}

fn matched(matching: Match) -> Value {
    match matching {
        Match::Exact => Value::map([]),
        other => Value::map([("match", names::policy(other))]),
    }
}

fn published(publish: &Publish, asking: &Asking<'_>) -> Value {
    let sessions = |conns: &[crate::history::Conn]| {
        Value::List(
            conns
                .iter()
                .filter_map(|conn| asking.sessions.get(conn))
                .map(|known| known.session.into())
                .collect(),
        )
    };
    let mut options = Vec::new();
    options.extend(publish.acknowledge.then_some(("acknowledge", Value::from(true))));
    options.extend(publish.to_itself.then_some(("exclude_me", Value::from(false))));
    options.extend(publish.eligible.as_ref().map(|conns| ("eligible", sessions(conns))));
    options.extend((!publish.exclude.is_empty()).then(|| ("exclude", sessions(&publish.exclude))));
    options.extend(publish.disclose.then_some(("disclose_me", Value::from(true))));
    Value::map(options)
}

impl Port for Line {
    /// In JSON, text that begins with U+0000 may be bytes; text that is none is no JSON.
    fn can_say(&self, kind: Kind, bytes: &[u8]) -> bool {
        let is_json = self.shared.serialization.is_text();
        kind == Kind::Binary || std::str::from_utf8(bytes).is_ok() && !(is_json && bytes.first() == Some(&0))
    }

    fn send<'a>(&'a mut self, kind: Kind, bytes: &'a [u8], pieces: u8) -> Fut<'a, Result<(), PortError>> {
        // What a receiver says goes where nobody hears it: there is no such thing as sending on a subscription.
        let topic = if self.at.sends { self.at.topic.clone() } else { self.names.mark() };
        let pattern = self.at.pattern.filter(|_| self.at.sends).map(|name| ("_pattern", Value::from(name)));
        let echo = self.at.echo.then_some(("exclude_me", Value::from(false)));
        let options = Value::map(pattern.into_iter().chain(echo));
        let number = self.shared.lock().number(Pending::Over);
        let message = [
            code::PUBLISH.into_value(),
            Value::from(number),
            options,
            Value::Text(topic),
            payload::plain(kind, bytes),
        ];
        Box::pin(async move { self.write(&message, pieces).await })
    }

    fn mark(&mut self, mark: u64) -> Fut<'_, Result<(), PortError>> {
        let number = self.shared.lock().number(Pending::Mark(mark));
        let options = Value::map([("acknowledge", Value::from(true))]);
        let topic = Value::Text(self.names.mark());
        let message = [code::PUBLISH.into_value(), Value::from(number), options, topic];
        Box::pin(async move { self.write(&message, 1).await })
    }

    fn ask<'a>(&'a mut self, asking: Asking<'a>) -> Fut<'a, Result<(), PortError>> {
        Box::pin(async move { self.write(&self.message(&asking), 1).await })
    }

    fn give<'a>(
        &'a mut self,
        invocation: u64,
        give: Give,
        bytes: &'a [u8],
    ) -> Fut<'a, Result<(), PortError>> {
        let (args, kwargs) = payload::rich(bytes);
        let number = Value::from(invocation);
        let message = if matches!(give, Give::Error | Give::Unavailable) {
            let kind = code::INVOCATION.into_value();
            let uri = Value::from(if give == Give::Error { CALLEE_ERROR } else { "wamp.error.unavailable" });
            vec![code::ERROR.into_value(), kind, number, Value::map([]), uri, args, kwargs]
        } else {
            let progress = (give == Give::Progress).then_some(("progress", Value::from(true)));
            vec![code::YIELD.into_value(), number, Value::map(progress), args, kwargs]
        };
        Box::pin(async move { self.write(&message, 1).await })
    }

    fn leave(&mut self) -> Fut<'_, Result<(), PortError>> {
        self.shared.lock().is_leaving = true;
        Box::pin(async move { self.goodbye().await })
    }
}
