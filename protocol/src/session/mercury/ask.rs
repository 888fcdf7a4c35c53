//! What the program asks for.

use super::super::core::Core;
use super::super::{
    Content, DeliveryMode, Destination, Error, Filter, Output, Publish, Push, Register, RegistrationId,
    RequestId, SubscriptionId, Until,
};
use super::link::{Holder, Kind, Name, weight};
use super::{LinkId, Mercury};
use crate::{Endpoint, Message, Role};

/// What is not on this wire.
pub(super) const fn unsupported(what: &'static str, why: &'static str) -> Error {
    Error::Unsupported { what, why }
}

impl Mercury {
    pub(in super::super) fn subscribe(
        &mut self,
        core: &mut Core,
        filter: Filter,
        now: u64,
    ) -> Result<SubscriptionId, Error> {
        let name = match filter {
            Filter::Tree(topic) => Name::new(Kind::Sub, topic)?,
            Filter::Bus { topic, echo: true } => Name::new(Kind::Echo, topic)?,
            Filter::Bus { topic, echo: false } => Name::new(Kind::Bus, topic)?,
            _ => {
                return Err(unsupported(
                    "this filter",
                    "Mercury has topics with all below them, and buses: use these, or WAMP",
                ));
            }
        };
        let subscription = core.subscription();
        self.join(core, name, Holder::Subscription(subscription), now);
        Ok(subscription)
    }

    pub(in super::super) fn register(
        &mut self,
        core: &mut Core,
        register: Register,
        now: u64,
    ) -> Result<RegistrationId, Error> {
        let Register::Queue { topic, .. } = register else {
            return Err(unsupported("a procedure", "Mercury has no calls: use WAMP"));
        };
        let name = Name::new(Kind::Pull, topic)?;
        let registration = core.registration();
        self.join(core, name, Holder::Registration(registration), now);
        Ok(registration)
    }

    pub(in super::super) fn publish(
        &mut self,
        core: &mut Core,
        publish: Publish,
        now: u64,
    ) -> Result<Option<RequestId>, Error> {
        let message = sendable(core, &publish.content)?;
        match (publish.to, publish.delivery) {
            (Destination::Topic(_), _) if !publish.to_self => Err(unsupported(
                "leaving out oneself",
                "Mercury gives a message to everybody: publish to a bus, or use WAMP",
            )),
            (Destination::Topic(topic), DeliveryMode::Acknowledged { timeout }) => {
                let endpoint = Endpoint::new(Role::Pub, topic)?;
                self.post(core, &endpoint, message, timeout, now).map(Some)
            }
            (Destination::Topic(topic), delivery) => {
                let name = Name::new(Kind::Pub, topic)?;
                let queued = delivery == DeliveryMode::Queued;
                let id = self.link(name, now);
                let sent = self.send(core, id, message, queued, now);
                self.tidy(core, now);
                sent.map(|()| None)
            }
            (Destination::Bus(_), DeliveryMode::Acknowledged { .. }) => Err(unsupported(
                "an acknowledgement on a bus",
                "a POST to a bus reaches its sender too: send without, or use WAMP",
            )),
            (Destination::Bus(subscription), delivery) => {
                let id = self.bus(subscription)?;
                self.send(core, id, message, delivery == DeliveryMode::Queued, now).map(|()| None)
            }
        }
    }

    /// The link by which this session sends to a bus.
    fn bus(&self, subscription: SubscriptionId) -> Result<LinkId, Error> {
        let id = self.link_of(Holder::Subscription(subscription)).ok_or(Error::Stale)?;
        let name = &self.links.get(id.0).ok_or(Error::Stale)?.name;
        match name.kind {
            Kind::Bus => Ok(id),
            // With both kinds on one bus there are two sockets. What goes out by the one without echo comes to the
            // other one, once; the other way round, who wants no echo would hear it.
            Kind::Echo => {
                let plain = Name { kind: Kind::Bus, topic: name.topic.clone() };
                Ok(self.names.get(&plain).map_or(id, LinkId))
            }
            _ => Err(unsupported(
                "sending to a subscription",
                "only a bus takes messages: publish to the topic",
            )),
        }
    }

    /// Sends by a socket, now or (`queued`) as soon as it takes it.
    fn send(
        &mut self,
        core: &mut Core,
        id: LinkId,
        message: Message,
        queued: bool,
        now: u64,
    ) -> Result<(), Error> {
        let Some(link) = self.links.get_mut(id.0) else { return Err(Error::Stale) };
        link.used = now;
        match link.line.ready_socket() {
            // Nothing waits then: it was flushed when the socket opened, or took more again.
            Some(socket) if !link.blocked => {
                core.output(Output::Send { socket, message });
            }
            _ if queued => {
                core.reserve(weight(&message))?;
                link.queue.push_back(message);
            }
            _ => {
                self.settle(core, id);
                return Err(Error::NotConnected);
            }
        }
        self.settle(core, id);
        Ok(())
    }

    pub(in super::super) fn push(
        &mut self,
        core: &mut Core,
        push: Push,
        now: u64,
    ) -> Result<RequestId, Error> {
        if push.until == Until::Done {
            return Err(unsupported(
                "waiting until a job is done",
                "Mercury only hands jobs over: wait until then",
            ));
        }
        let message = sendable(core, &push.content)?;
        let endpoint = Endpoint::new(Role::Push, push.topic)?;
        self.post(core, &endpoint, message, push.timeout, now)
    }
}

/// The content as it goes over this wire; arguments may become longer than they were.
fn sendable(core: &Core, content: &Content) -> Result<Message, Error> {
    let message = match content {
        Content::Plain(message) => message.clone(),
        #[cfg(feature = "readers")]
        Content::Arguments(_) => content.to_message().into_owned(),
        #[cfg(not(feature = "readers"))]
        Content::Arguments(_) => return Err(unsupported("arguments", "give a text or bytes")),
    };
    let (len, limit) = (message.len(), core.config.message_bytes);
    if len > limit { Err(Error::TooLarge { len, limit }) } else { Ok(message) }
}
