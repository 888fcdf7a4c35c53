//! The receiving side of a session: messages become what ports see.

use super::names::Names;
use super::state::{Pending, Shared};
use super::{look, payload};
use crate::driver::socket::Listener;
use crate::driver::{Inbox, Reply, Seen};
use crate::history::{Fault, Proof};
use crate::model::{Group, Kind};
use crate::raw::wamp::{Value, code};
use crate::raw::{Frame, Opcode};

/// What a router that stops says.
const SHUTDOWN: &str = "wamp.close.system_shutdown";

/// The listener.
pub(super) struct Hear {
    pub(super) shared: Shared,
    pub(super) names: Names,
    pub(super) inbox: Inbox,
}

/// The payload of a message: what stands behind its details.
struct Args<'a> {
    args: Option<&'a Value>,
    kwargs: Option<&'a Value>,
}

impl Listener for Hear {
    fn message(&mut self, kind: Kind, bytes: Vec<u8>) -> Result<Vec<Frame>, String> {
        let serialization = self.shared.serialization;
        if serialization.is_text() != (kind == Kind::Text) {
            return Err(format!("{kind:?} in a session of {}", serialization.subprotocol()));
        }
        let value = serialization.decode(&bytes).map_err(|error| error.to_string())?;
        let shown = || String::from_utf8_lossy(&bytes[..bytes.len().min(160)]).into_owned();
        let Some([Value::Int(kind), rest @ ..]) = value.items() else {
            return Err(format!("no list with a number before all else: {}", shown()));
        };
        let answers =
            self.read(*kind, rest).ok_or_else(|| format!("a message of a wrong form: {}", shown()))?;
        let opcode = if serialization.is_text() { Opcode::TEXT } else { Opcode::BINARY };
        let frame = |answer: Say| match answer {
            Say::Close => Frame::close(Some(1000)),
            Say::Message(value) => Frame::new(opcode, serialization.encode(&value)),
        };
        Ok(answers.into_iter().map(frame).collect())
    }

    fn end(&mut self, end: Seen) {
        if self.shared.lock().over() {
            self.inbox.put(end);
        }
    }
}

/// What is answered at once.
enum Say {
    Close,
    Message(Value),
}

impl Hear {
    /// None: the message has another form than its clause lays down.
    fn read(&mut self, kind: i128, rest: &[Value]) -> Option<Vec<Say>> {
        match (kind, rest) {
            (code::WELCOME, [session, details]) => {
                let welcome = self.shared.lock().pending.remove(&0);
                let Some(Pending::Welcome(welcome)) = welcome else { return None };
                self.inbox.put(Seen::Named(look::known(session.id()?, details)));
                let _ = welcome.send(Ok(details.clone()));
            }
            (code::ABORT, [_, reason, ..]) => self.abort(reason.text()?),
            (code::GOODBYE, [details, reason]) => {
                if !self.shared.lock().is_leaving {
                    let message = details.at("message").and_then(Value::text).map(str::to_owned);
                    self.inbox.put(Seen::Dismissed { reason: reason.text()?.to_owned(), message });
                }
                return Some(vec![parting(reason.text()?)]);
            }
            (code::EVENT, [subscription, publication, details, args @ ..]) => {
                let args = self.args(args)?;
                self.event(subscription.id()?, publication.id()?, details, &args)?;
            }
            (code::INVOCATION, [invocation, registration, details, args @ ..]) => {
                let args = self.args(args)?;
                return Some(self.invocation(invocation.id()?, registration.id()?, details, &args));
            }
            (code::INTERRUPT, [invocation, _options]) => self.inbox.put(Seen::Interrupted(invocation.id()?)),
            (code::RESULT, [number, details, args @ ..]) => {
                let args = self.args(args)?;
                let reply = match (self.shared.lock().pending.get(&number.id()?), details.has("progress")) {
                    (Some(Pending::Look(_)), _) => Reply::Told(look::told(args.args, &self.names)),
                    (_, true) => Reply::Progress(args.read()),
                    (_, false) => Reply::Result(args.read()),
                };
                self.answer(kind, number.id()?, reply);
            }
            (code::ERROR, [of, number, _details, uri, args @ ..]) => {
                of.int()?;
                let said = (!args.is_empty()).then(|| self.args(args).map(|args| args.read()));
                let reply = Reply::Refused(uri.text()?.to_owned(), said.flatten());
                self.answer(kind, number.id()?, reply);
            }
            (code::PUBLISHED | code::SUBSCRIBED | code::REGISTERED, [number, id]) => {
                self.answer(kind, number.id()?, Reply::Granted(Some(id.id()?)));
            }
            (code::UNSUBSCRIBED, [Value::Int(0), details]) => self.revoked(Group::Subscription, details)?,
            (code::UNREGISTERED, [Value::Int(0), details]) => self.revoked(Group::Registration, details)?,
            (code::UNSUBSCRIBED | code::UNREGISTERED, [number, ..]) => {
                self.answer(kind, number.id()?, Reply::Granted(None));
            }
            _ => return None,
        }
        Some(Vec::new())
    }

    /// Taken out of a group by somebody else.
    fn revoked(&self, group: Group, details: &Value) -> Option<()> {
        let name = if group == Group::Subscription { "subscription" } else { "registration" };
        let reason = details.at("reason").and_then(Value::text).map(str::to_owned);
        self.inbox.put(Seen::Revoked { group, id: details.at(name)?.id()?, reason });
        Some(())
    }

    fn abort(&self, reason: &str) {
        let welcome = self.shared.lock().pending.remove(&0);
        match welcome {
            Some(Pending::Welcome(welcome)) => drop(welcome.send(Err(format!("ABORT {reason}")))),
            _ => self.inbox.put(Seen::Unasked(format!("ABORT {reason}"))),
        }
    }

    /// `args` and `kwargs`; null is told, and taken for absent.
    fn args<'a>(&self, rest: &'a [Value]) -> Option<Args<'a>> {
        let is_list = |value: &Value| matches!(value, Value::Null | Value::List(_));
        let is_map = |value: &Value| matches!(value, Value::Null | Value::Map(_));
        if rest.len() > 2 || !rest.iter().take(1).all(is_list) || !rest.iter().skip(1).all(is_map) {
            return None;
        }
        if rest.contains(&Value::Null) {
            let why = "absent arguments came as null".to_owned();
            self.inbox.put(Seen::Improper(Fault::Null, why));
        }
        let present = |index: usize| rest.get(index).filter(|value| **value != Value::Null);
        Some(Args { args: present(0), kwargs: present(1) })
    }

    /// None: it has another form than its clause lays down.
    fn event(&self, subscription: u64, publication: u64, details: &Value, args: &Args<'_>) -> Option<()> {
        if self.shared.lock().plain.contains(&subscription) {
            let (kind, bytes) = payload::read_plain(args.args, args.kwargs);
            self.inbox.put(Seen::Message(kind, bytes));
            return Some(());
        }
        let watched = self.shared.lock().watched.get(&subscription).copied();
        if let Some(what) = watched {
            let notice = look::notice(what, args.args, &self.names);
            self.inbox.put(Seen::Noticed(notice?));
            return Some(());
        }
        self.inbox.put(Seen::Notified {
            subscription,
            publication,
            topic: details.at("topic").and_then(Value::text).map(|uri| self.names.name(uri)),
            publisher: details.at("publisher").and_then(Value::id),
            payload: args.read(),
        });
        Some(())
    }

    /// A job of a queue is answered at once; a call by whoever plays the callee.
    fn invocation(&self, invocation: u64, registration: u64, details: &Value, args: &Args<'_>) -> Vec<Say> {
        if self.shared.lock().plain.contains(&registration) {
            if self.shared.lock().is_leaving {
                return Vec::new();
            }
            let (kind, bytes) = payload::read_plain(args.args, args.kwargs);
            self.inbox.put(Seen::Message(kind, bytes));
            let done = [Value::Int(code::YIELD), Value::from(invocation), Value::map([])];
            return vec![Say::Message(Value::List(done.into()))];
        }
        self.inbox.put(Seen::Invoked {
            invocation,
            registration,
            procedure: details.at("procedure").and_then(Value::text).map(|uri| self.names.name(uri)),
            progress: details.has("receive_progress"),
            more: details.has("progress"),
            caller: look::caller(details),
            payload: args.read(),
        });
        Vec::new()
    }

    fn answer(&self, kind: i128, number: u64, reply: Reply) {
        let mut state = self.shared.lock();
        let seen = match state.pending.get(&number) {
            Some(Pending::Ask(ask, wanted)) => {
                let ask = *ask;
                if kind != code::ERROR && kind != *wanted {
                    Seen::Unasked(format!("message {kind} in answer to request {ask}"))
                } else {
                    if let Reply::Granted(Some(id)) = reply {
                        state.granted.insert(ask, id);
                        if let Some(what) = state.watching.remove(&ask) {
                            state.watched.insert(id, what);
                        }
                    }
                    Seen::Answered(ask, reply)
                }
            }
            Some(Pending::Look(ask)) => {
                let ask = *ask;
                match reply {
                    Reply::Told(_) | Reply::Refused(..) => Seen::Answered(ask, reply),
                    _ => Seen::Unasked(format!("message {kind} in answer to request {ask}")),
                }
            }
            Some(Pending::Mark(mark)) => {
                let mark = *mark;
                state.pending.insert(number, Pending::Over);
                Seen::Passed(mark, Proof::Proved)
            }
            Some(Pending::Opening(_)) => {
                let Some(Pending::Opening(granted)) = state.pending.insert(number, Pending::Over) else {
                    return;
                };
                let _ = granted.send(match reply {
                    Reply::Granted(Some(id)) => {
                        state.plain.insert(id);
                        Ok(id)
                    }
                    Reply::Refused(uri, _) => Err(uri),
                    _ => Err(format!("message {kind} in answer to a request")),
                });
                return;
            }
            Some(Pending::Over) => {
                Seen::Unasked(format!("another answer to request {number}, message {kind}"))
            }
            _ => Seen::Unasked(format!("message {kind} in answer to request {number}, which was never made")),
        };
        drop(state);
        self.inbox.put(seen);
    }
}

/// The answer to a GOODBYE. A router that stops ends the connection itself, with a code of its own.
fn parting(reason: &str) -> Say {
    if reason != SHUTDOWN {
        return Say::Close;
    }
    let reply = [Value::Int(code::GOODBYE), Value::map([]), Value::from("wamp.close.goodbye_and_out")];
    Say::Message(Value::List(reply.into()))
}

impl Args<'_> {
    fn read(&self) -> Vec<u8> {
        payload::read_rich(self.args, self.kwargs)
    }
}
