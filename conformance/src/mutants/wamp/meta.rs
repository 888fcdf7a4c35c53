//! The meta procedures: sessions, subscriptions and registrations, and what sessions leave behind.

use super::Defect;
use super::groups::Kind;
use super::router::{Rest, Router};
use super::session::{Out, ROLE, authid};
use crate::raw::wamp::{Value, code};

/// What a session leaves behind.
pub(super) struct Testament {
    session: u64,
    scope: String,
    topic: String,
    args: Vec<Value>,
}

/// What a meta procedure came to, or the last part of the error's URI.
pub(super) type Outcome = Result<Value, &'static str>;

impl Router {
    /// A call of the router's own procedures.
    pub(super) fn meta(&mut self, from: u64, number: Value, procedure: &str, args: Rest<'_>) {
        let list = args.first().and_then(Value::items).unwrap_or_default();
        let none = Value::map([]);
        let kwargs = args.get(1).unwrap_or(&none);
        let mut parts = procedure.split('.').skip(1);
        let outcome = match (parts.next(), parts.next().unwrap_or_default()) {
            (Some("session"), "add_testament") => self.add_testament(from, list, kwargs),
            (Some("session"), "flush_testaments") => Ok(self.flush_testaments(from, kwargs)),
            (Some("session"), name) => self.of_sessions(from, name, list, kwargs),
            (Some("subscription"), name) => self.of_groups(Kind::Subscription, name, list, kwargs),
            (Some("registration"), name) => self.of_groups(Kind::Registration, name, list, kwargs),
            _ => Err("no_such_procedure"),
        };
        match outcome {
            Ok(value) => {
                let values = Value::List(vec![value]);
                self.send(from, [Value::Int(code::RESULT), number, Value::map([]), values]);
            }
            Err(name) => self.error(from, code::CALL, number, &format!("wamp.error.{name}")),
        }
    }

    fn of_sessions(&mut self, from: u64, name: &str, args: &[Value], kwargs: &Value) -> Outcome {
        let wanted = args.first();
        match name {
            "count" => {
                let off = u64::from(self.defect == Some(Defect::CountIsOff));
                Ok(Value::from(self.of_role(wanted).len() as u64 + off))
            }
            "list" => Ok(Value::List(self.of_role(wanted).into_iter().map(Value::from).collect())),
            "get" => match wanted.and_then(Value::id) {
                Some(id) if self.sessions.contains_key(&id) => Ok(about_session(id)),
                _ if self.defect == Some(Defect::UnknownIsNull) => Ok(Value::Null),
                _ => Err("no_such_session"),
            },
            "kill" => {
                let id = wanted.and_then(Value::id).ok_or("invalid_argument")?;
                let is_its = id == from && self.defect != Some(Defect::KillsItself);
                if is_its || !self.sessions.contains_key(&id) {
                    return Err("no_such_session");
                }
                self.kill(id, kwargs);
                Ok(Value::Null)
            }
            "kill_by_authid" => {
                let wanted = wanted.and_then(Value::text).unwrap_or_default().to_owned();
                let ids = self.sessions.keys().copied().filter(|id| *id != from && authid(*id) == wanted);
                let ids: Vec<u64> = ids.collect();
                for id in &ids {
                    self.kill(*id, kwargs);
                }
                Ok(Value::List(ids.into_iter().map(Value::from).collect()))
            }
            "kill_by_authrole" | "kill_all" => {
                let ids: Vec<u64> = self.sessions.keys().copied().filter(|id| *id != from).collect();
                for id in &ids {
                    self.kill(*id, kwargs);
                }
                Ok(Value::from(ids.len() as u64))
            }
            _ => Err("no_such_procedure"),
        }
    }

    /// The sessions whose role is on a list, or all.
    fn of_role(&self, roles: Option<&Value>) -> Vec<u64> {
        let is_wanted = roles.and_then(Value::items).is_none_or(|roles| roles.contains(&Value::from(ROLE)));
        self.sessions.keys().copied().filter(|_| is_wanted).collect()
    }

    fn kill(&mut self, id: u64, kwargs: &Value) {
        let told =
            kwargs.at("reason").and_then(Value::text).filter(|_| self.defect != Some(Defect::ReasonLost));
        let reason = Value::from(told.unwrap_or("wamp.close.normal"));
        let message = kwargs.at("message").map(|message| ("message", message.clone()));
        self.send(id, [Value::Int(code::GOODBYE), Value::map(message), reason]);
        let out = self.sessions.get(&id).map(|session| session.out.clone());
        self.leave(id);
        if let Some(out) = out {
            let _ = out.send(Out::Close);
        }
    }

    /// A session came.
    pub(super) fn joined(&mut self, id: u64) {
        if self.defect == Some(Defect::JoinedTwice) {
            self.tell("wamp.session.on_join", &[about_session(id)]);
        }
        self.tell("wamp.session.on_join", &[about_session(id)]);
    }

    /// A session is gone, and everything of it.
    pub(super) fn parted(&mut self, id: u64) {
        let (mut its, others): (Vec<Testament>, Vec<Testament>) =
            std::mem::take(&mut self.testaments).into_iter().partition(|one: &Testament| one.session == id);
        self.testaments = others;
        if self.defect == Some(Defect::TestamentsReversed) {
            its.reverse();
        }
        for testament in its {
            self.publish(0, Value::Int(0), &Value::map([]), &testament.topic, &testament.args);
        }
        if self.defect != Some(Defect::LeavesSilently) {
            let args = [Value::from(id), Value::Text(authid(id)), Value::from(ROLE)];
            self.tell("wamp.session.on_leave", &args);
        }
    }

    fn add_testament(&mut self, from: u64, args: &[Value], kwargs: &Value) -> Outcome {
        let [Value::Text(topic), args @ ..] = args else { return Err("invalid_argument") };
        let (scope, topic, args) = (scope(kwargs), topic.clone(), args.to_vec());
        self.testaments.push(Testament { session: from, scope, topic, args });
        Ok(Value::Null)
    }

    fn flush_testaments(&mut self, from: u64, kwargs: &Value) -> Value {
        let scope = scope(kwargs);
        if self.defect != Some(Defect::TestamentsStay) {
            self.testaments.retain(|one| one.session != from || one.scope != scope);
        }
        Value::Null
    }

    /// An event of the router's own.
    pub(super) fn tell(&mut self, topic: &str, args: &[Value]) {
        let publication = self.fresh();
        let to: Vec<(u64, u64)> = self
            .subscriptions
            .iter()
            .filter(|subscription| subscription.topic == topic)
            .flat_map(|subscription| subscription.members.iter().map(|member| (*member, subscription.id)))
            .collect();
        for (member, id) in to {
            let args = Value::List(args.to_vec());
            let head = [Value::Int(code::EVENT), Value::from(id), Value::from(publication), Value::map([])];
            self.send(member, head.into_iter().chain([args]).collect::<Vec<_>>());
        }
    }
}

fn scope(kwargs: &Value) -> String {
    kwargs.at("scope").and_then(Value::text).unwrap_or("destroyed").to_owned()
}

fn about_session(id: u64) -> Value {
    let (authid, authrole) = (Value::Text(authid(id)), Value::from(ROLE));
    Value::map([("session", Value::from(id)), ("authid", authid), ("authrole", authrole)])
}
