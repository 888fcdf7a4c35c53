//! What is said on a connection, whatever carries it: sessions come and go, and what is wrong ends them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::mpsc::UnboundedSender;

use super::rules::{self, Rule};
use super::{Able, Out, Realms, Shared, lock, welcome};
use crate::mutants::wamp::Defect;
use crate::mutants::wamp::router::{Router, Session};
use crate::raw::wamp::{Serialization, Value, code, form};

/// A connection.
pub(super) struct Talk {
    pub(super) realms: Arc<Realms>,
    pub(super) serialization: Serialization,
    pub(super) out: UnboundedSender<Out>,
    /// What the writer knows too.
    pub(super) open: Open,
    /// The session, if there is one.
    session: Option<(u64, Shared)>,
}

/// What of the session is not answered.
#[derive(Clone, Default)]
pub(super) struct Open(Arc<Mutex<OpenNumbers>>);

#[derive(Default)]
struct OpenNumbers {
    /// The calls, and whether more pieces were announced.
    calls: BTreeMap<i128, bool>,
    /// The invocations that there were.
    invoked: BTreeSet<i128>,
}

/// Whether the connection goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flow {
    On,
    End,
}

impl Talk {
    pub(super) fn new(realms: Arc<Realms>, serialization: Serialization, out: UnboundedSender<Out>) -> Self {
        Self { realms, serialization, out, open: Open::default(), session: None }
    }

    /// A message of the client.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Flow {
        let defect = self.realms.defect;
        let message = match self.serialization.decode(bytes) {
            Ok(message) => message,
            Err(error) => {
                self.realms.hurt(&error);
                return self.violated(Defect::GarbageTaken);
            }
        };
        let items = message.items().unwrap_or_default();
        if !form::fits(items) && !is_out_of_order(items) {
            return self.violated(Defect::FormsUnchecked);
        }
        match (items, self.session.clone()) {
            ([Value::Int(code::HELLO), Value::Text(realm), details], None) => self.hello(realm, details),
            ([Value::Int(code::ABORT), ..], _) => {
                self.leave();
                if defect == Some(Defect::AbortAnswered) {
                    self.say(goodbye());
                }
                Flow::On
            }
            ([Value::Int(code::GOODBYE), ..], Some(_)) => {
                if defect != Some(Defect::GoodbyeStays) {
                    self.leave();
                }
                self.say(goodbye());
                self.session = None;
                Flow::On
            }
            (_, Some((id, router))) => self.request(id, &router, bytes, items),
            _ => self.violated(Defect::OrderUnchecked),
        }
    }

    fn hello(&mut self, realm: &str, details: &Value) -> Flow {
        let defect = self.realms.defect;
        let has_roles = matches!(details.at("roles"), Some(Value::Map(roles)) if !roles.is_empty());
        if !has_roles && defect != Some(Defect::RolesUnchecked) {
            return self.violated(Defect::RolesUnchecked);
        }
        let id = match defect {
            Some(Defect::SessionsCounted) => self.realms.counted(),
            _ => fastrand::u64(1..=1 << 53),
        };
        let router = self.realms.of(realm);
        lock(&router).sessions.insert(id, Session { out: self.out.clone(), able: Able::of(details) });
        self.session = Some((id, Arc::clone(&router)));
        let mut welcome = welcome(id, realm);
        if let (Some(Defect::WelcomeBare), Value::List(items)) = (defect, &mut welcome) {
            let roles = items[2].at("roles").cloned().unwrap_or(Value::Null);
            items[2] = Value::map([("roles", roles)]);
        }
        self.say(welcome);
        lock(&router).joined(id);
        Flow::On
    }

    /// Anything but the begin and the end of a session.
    fn request(&mut self, id: u64, router: &Shared, bytes: &[u8], items: &[Value]) -> Flow {
        let defect = self.realms.defect;
        if is_out_of_order(items) || self.answers_nothing(items) {
            return self.violated(Defect::OrderUnchecked);
        }
        if self.calls_again(items) {
            return self.violated(Defect::CallsAgain);
        }
        match rules::judge(items, defect) {
            Rule::Fine => {}
            Rule::Ignored => return Flow::On,
            Rule::Refused(error) => {
                self.say(error);
                return Flow::On;
            }
        }
        let items = self.kept(bytes, items);
        if !Router::hear(router, id, &items) {
            return self.violated(Defect::FormsUnchecked);
        }
        Flow::On
    }

    /// An answer to an invocation that never was.
    fn answers_nothing(&self, items: &[Value]) -> bool {
        let number = match items {
            [Value::Int(code::YIELD), number, ..]
            | [Value::Int(code::ERROR), Value::Int(code::INVOCATION), number, ..] => number,
            [Value::Int(code::ERROR), ..] => return true,
            _ => return false,
        };
        number.int().is_none_or(|number| !self.open.lock().invoked.contains(&number))
    }

    /// A call under the number of one that is not answered, and announced no further pieces.
    fn calls_again(&self, items: &[Value]) -> bool {
        let [Value::Int(code::CALL), Value::Int(number), options, ..] = items else { return false };
        self.open.lock().calls.insert(*number, options.has("progress")) == Some(false)
    }

    /// The message with its payload as it came, so that it goes on so.
    fn kept(&self, bytes: &[u8], items: &[Value]) -> Vec<Value> {
        let defect = self.realms.defect;
        let first = match items {
            [Value::Int(code::CALL), _, _, Value::Text(uri), ..] if uri.starts_with("wamp.") => items.len(),
            [Value::Int(code::CALL | code::PUBLISH), ..] => 4,
            [Value::Int(code::YIELD), ..] => 3,
            [Value::Int(code::ERROR), ..] => 5,
            _ => items.len(),
        };
        let Ok(parts) = self.serialization.split(bytes) else { return items.to_vec() };
        let mut kept = items.to_vec();
        for (item, part) in kept.iter_mut().zip(parts).skip(first) {
            let value = Box::new(rules::changed(item, defect));
            *item = match defect {
                Some(Defect::BytesRewritten) => *value,
                _ => Value::Verbatim(value, self.serialization, part.to_vec()),
            };
        }
        kept
    }

    /// The session is over, however it ends.
    pub(super) fn leave(&mut self) {
        if let Some((id, router)) = self.session.take() {
            lock(&router).leave(id);
        }
        // A writer has it too.
        *self.open.lock() = OpenNumbers::default();
    }

    /// A message that may not be: the end, unless that is the defect.
    pub(super) fn violated(&mut self, unless: Defect) -> Flow {
        let defect = self.realms.defect;
        if defect == Some(unless) {
            return Flow::On;
        }
        self.leave();
        if defect != Some(Defect::AbortUnsaid) {
            let reason = Value::from("wamp.error.protocol_violation");
            self.say(Value::List(vec![Value::Int(code::ABORT), Value::map([]), reason]));
        }
        let _ = self.out.send(Out::Fail(1002));
        Flow::End
    }

    fn say(&self, message: Value) {
        let _ = self.out.send(Out::Message(message));
    }
}

impl Open {
    fn lock(&self) -> std::sync::MutexGuard<'_, OpenNumbers> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What goes out opens and closes numbers.
    pub(super) fn see(&self, message: &Value) {
        match message.items().unwrap_or_default() {
            [Value::Int(code::INVOCATION), Value::Int(number), ..] => {
                self.lock().invoked.insert(*number);
            }
            [Value::Int(code::RESULT), Value::Int(number), details, ..] if !details.has("progress") => {
                self.lock().calls.remove(number);
            }
            [Value::Int(code::ERROR), Value::Int(code::CALL), Value::Int(number), ..] => {
                self.lock().calls.remove(number);
            }
            _ => {}
        }
    }
}

/// What has a form, and no place here.
fn is_out_of_order(items: &[Value]) -> bool {
    matches!(items, [Value::Int(kind), ..] if form::is_of_routers(*kind) || *kind == code::HELLO && form::fits(items))
}

fn goodbye() -> Value {
    let reason = Value::from("wamp.close.goodbye_and_out");
    Value::List(vec![Value::Int(code::GOODBYE), Value::map([]), reason])
}
