//! One session: HELLO, WELCOME, and SUBSCRIBE if it is a subscriber; then whatever its part is.

use bytes::Bytes;
use petasus_protocol::wamp::message::{Hello, Publish, Subscribe};
use petasus_protocol::wamp::{Dict, Limits, Message, Serializer, Value};

use super::{Part, Template, Wamp};
use crate::error::LoadError;

/// A session of one client.
pub(crate) struct Seat {
    wamp: Wamp,
    /// The number of the last PUBLISH: they count from 1 in each session (WAMP 2.1.2).
    requests: u64,
    /// The PUBLISH of the size that was sent last.
    template: Option<Template>,
}

/// What the answer to an opening message asks for.
#[derive(Debug)]
pub(crate) enum Next {
    /// Say this, and wait for the answer.
    Say(Vec<u8>),
    /// The session is ready for its part.
    Open,
}

impl Seat {
    /// A session that has said nothing.
    pub(crate) fn new(wamp: Wamp) -> Self {
        Self { wamp, requests: 0, template: None }
    }

    pub(crate) fn serializer(&self) -> Serializer {
        self.wamp.serializer
    }

    pub(crate) fn part(&self) -> &Part {
        &self.wamp.part
    }

    /// The first message, with all roles and no features.
    pub(crate) fn hello(&self) -> Vec<u8> {
        let roles = ["publisher", "subscriber", "caller", "callee"]
            .into_iter()
            .fold(Dict::new(), |roles, role| roles.with(role, Value::Dict(Dict::new())));
        let details = Dict::new().with("roles", Value::Dict(roles));
        Message::from(Hello { realm: self.wamp.realm.clone(), details }).encode(self.wamp.serializer)
    }

    /// Reads what the router says before the session is open.
    pub(crate) fn opening(&self, bytes: &[u8]) -> Result<Next, LoadError> {
        let bytes = Bytes::copy_from_slice(bytes);
        let message = Message::decode(self.wamp.serializer, &bytes, &Limits::default())
            .map_err(|error| LoadError::Wamp(error.to_string()))?;
        match (message, &self.wamp.part) {
            (Message::Welcome(_), Part::Subscriber(topic)) => {
                let subscribe = Subscribe { request: 1, options: Dict::new(), topic: topic.clone() };
                Ok(Next::Say(Message::from(subscribe).encode(self.wamp.serializer)))
            }
            (Message::Welcome(_), Part::Publisher(_) | Part::Plain) | (Message::Subscribed(_), _) => {
                Ok(Next::Open)
            }
            (Message::Abort(abort), _) => {
                Err(LoadError::Wamp(format!("ABORT {} {:?}", abort.reason, abort.details)))
            }
            (Message::Error(error), _) => Err(LoadError::Wamp(format!("ERROR {}", error.error))),
            (other, _) => Err(LoadError::Wamp(format!("{} before the session was open", other.name()))),
        }
    }

    /// What is sent for a queued `payload`: a PUBLISH if it is a publisher, else the payload itself.
    pub(crate) fn outgoing<'a>(&'a mut self, payload: &'a [u8]) -> &'a [u8] {
        let Part::Publisher(topic) = &self.wamp.part else { return payload };
        let serializer = self.wamp.serializer;
        self.requests += 1;
        if self.template.as_ref().is_none_or(|template| template.size() != payload.len()) {
            let publish = |request, payload| {
                Message::from(Publish { request, options: Dict::new(), topic: topic.clone(), payload })
            };
            self.template = Some(Template::of(serializer, payload.len(), publish));
        }
        let template = self.template.as_mut().expect("it was made above");
        template.fill(self.requests, payload)
    }
}
