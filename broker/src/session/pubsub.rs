//! SUBSCRIBE, UNSUBSCRIBE, PUBLISH: topics of pub/sub and of the bus.

use petasus_protocol::wamp::{Dict, Message, message, uri};

use super::{Joined, Session, State, meta};
use crate::connection::{Batch, Outbox, Parcel, Publication, Revoked};
use crate::dialect::Pattern;
use crate::dialect::wamp::{Audience, Destination, Interest, Publish};
use crate::hub::Outbox as Hub;
use crate::realm::Realm;

/// How many publications go to the hub together at most.
const TOGETHER: usize = 256;

/// Publications of one read to the same receivers.
#[derive(Default)]
pub(super) struct Collected {
    to: Option<(Destination, bool)>,
    publications: Vec<Publication>,
}

impl Session {
    pub(super) fn subscribe(&mut self, request: u64, to: &Interest, batch: &mut Batch) {
        let State::Joined(joined) = &mut self.state else { return };
        let limit = self.core.config.wamp.subscriptions;
        let taken = joined.places.subscribe(request, to, limit, &joined.realm, &self.outbox, batch);
        let Some(taken) = taken else {
            let text =
                format!("a session has at most {limit} subscriptions: use a pattern, or another session");
            return self.refuse(
                message::Subscribe::CODE,
                request,
                uri::error::OPTION_NOT_ALLOWED,
                &text,
                batch,
            );
        };
        if taken.new {
            meta::on_subscribe(&joined.realm, joined.identity.session, taken, batch);
        }
    }

    pub(super) fn unsubscribe(&mut self, request: u64, subscription: u64, batch: &mut Batch) {
        let State::Joined(joined) = &mut self.state else { return };
        let Some(left) = joined.places.unsubscribe(subscription, &joined.realm, &self.outbox) else {
            let text = format!("this session has no subscription {subscription}");
            return self.refuse(
                message::Unsubscribe::CODE,
                request,
                uri::error::NO_SUCH_SUBSCRIPTION,
                &text,
                batch,
            );
        };
        meta::on_unsubscribe(&joined.realm, joined.identity.session, left, batch);
        self.say(&Message::Unsubscribed(message::Unsubscribed { request, details: Dict::new() }), batch);
    }

    pub(super) fn publish(&mut self, publish: Publish, batch: &mut Batch) {
        let State::Joined(joined) = &mut self.state else { return };
        let Publish { request, acknowledge, to, audience, disclose, payload } = publish;
        let pattern = match to {
            Destination::Topic(_) => Pattern::PubSub,
            Destination::Bus(_) => Pattern::Bus,
            Destination::Queue(_) => Pattern::Queue,
        };
        batch.counts.received(pattern, payload.len());
        if let Destination::Queue(topic) = to {
            return self.push_event(request, acknowledge, &topic, payload, batch);
        }
        let publisher = disclose.then(|| joined.identity.clone());
        let publication = Publication::new(payload, publisher);
        let id = publication.id;
        if audience.is_open() {
            joined.collect(to, audience.exclude_me, publication, &self.outbox, batch);
        } else {
            joined.flush(&self.outbox, batch);
            send(&joined.realm, &to, vec![publication], &audience, &self.outbox, batch);
        }
        if acknowledge {
            joined.flush(&self.outbox, batch);
            self.say(&Message::Published(message::Published { request, publication: id }), batch);
        }
    }

    /// Others have taken a subscription from this session (WAMP: Subscription Revocation).
    pub(crate) fn revoked(&mut self, revoked: Revoked, batch: &mut Batch) {
        let State::Joined(joined) = &mut self.state else { return };
        let Some(left) = joined.places.unsubscribe(revoked.subscription, &joined.realm, &self.outbox) else {
            return;
        };
        meta::on_unsubscribe(&joined.realm, joined.identity.session, left, batch);
        if joined.identity.knows_revocation {
            let mut details = Dict::new().with("subscription", revoked.subscription);
            if let Some(reason) = revoked.reason {
                details.set("reason", reason);
            }
            self.say(&message::Unsubscribed { request: 0, details }.into(), batch);
        }
    }

    /// Sends the publications that were collected.
    pub(crate) fn flush(&mut self, batch: &mut Batch) {
        if let State::Joined(joined) = &mut self.state {
            joined.flush(&self.outbox, batch);
        }
    }
}

impl Joined {
    pub(super) fn flush(&mut self, me: &Outbox, batch: &mut Batch) {
        let Some((to, exclude_me)) = self.collected.to.take() else { return };
        let publications = std::mem::take(&mut self.collected.publications);
        send(&self.realm, &to, publications, &Audience::open(exclude_me), me, batch);
    }

    /// Collects a publication, behind those that have the same receivers.
    fn collect(
        &mut self,
        to: Destination,
        exclude_me: bool,
        publication: Publication,
        me: &Outbox,
        batch: &mut Batch,
    ) {
        let same = self.collected.to.as_ref().is_some_and(|(first, me)| *first == to && *me == exclude_me);
        if !same || self.collected.publications.len() >= TOGETHER {
            self.flush(me, batch);
            self.collected.to = Some((to, exclude_me));
        }
        self.collected.publications.push(publication);
    }
}

/// Sends publications of one session to those who listen, as far as its audience goes.
pub(super) fn send(
    realm: &Realm,
    to: &Destination,
    publications: Vec<Publication>,
    audience: &Audience,
    me: &Outbox,
    batch: &mut Batch,
) {
    let wanted = |outbox: &Outbox| {
        !(audience.exclude_me && Hub::is(outbox, me)) && (audience.is_open() || outbox.is_in(audience))
    };
    match to {
        Destination::Topic(topic) => {
            realm.publish(&Parcel::publications(topic.clone(), publications), wanted, batch);
        }
        Destination::Bus(topic) => {
            let parcel = Parcel::publications(topic.clone(), publications);
            realm.bus.lock().post(topic, &parcel, wanted, batch);
        }
        Destination::Queue(_) => {}
    }
}
