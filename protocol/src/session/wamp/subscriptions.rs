//! The program's subscriptions: each has one filter at the router, or two.

use super::super::core::{Core, Timer};
use super::super::table::Table;
use super::super::{Delivery, Error, Event, Filter, SubscriptionId};
use super::filters::{Filters, Part, State};
use super::link::{Link, Violation};
use crate::wamp::error::words;
use crate::wamp::heard::Heard;
use crate::{Topic, TopicLimits};

#[derive(Debug)]
struct Subscription {
    /// The numbers of its filters: one, or two of a tree.
    parts: Vec<u64>,
    /// Of a bus: its URI, and whether it hears what the session sends.
    bus: Option<(String, bool)>,
    /// Whether it has ever stood.
    stood: bool,
    /// When it has to stand.
    due: Option<u64>,
}

/// A subscription that the program ended.
#[derive(Debug)]
struct Leaving {
    /// The filters of which the router has to confirm the end.
    filters: usize,
    due: Option<u64>,
}

/// All subscriptions.
#[derive(Debug)]
pub(super) struct Subscriptions {
    all: Table<Subscription>,
    leaving: Table<Leaving>,
    filters: Filters,
}

impl Subscriptions {
    pub(super) fn new() -> Self {
        Subscriptions { all: Table::new(), leaving: Table::new(), filters: Filters::new() }
    }

    pub(super) fn subscribe(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        filter: &Filter,
        now: u64,
    ) -> Result<SubscriptionId, Error> {
        let (first, second) = Part::of(filter)?;
        if link.is_welcome() {
            first.check(link.router)?;
            if let Some(second) = &second {
                second.check(link.router)?;
            }
        }
        let subscription = core.subscription();
        let SubscriptionId(id) = subscription;
        let bus = match filter {
            Filter::Bus { echo, .. } => Some((first.uri.clone(), *echo)),
            _ => None,
        };
        let mut parts = vec![self.filters.join(first, id)];
        if let Some(second) = second {
            parts.push(self.filters.join(second, id));
        }
        self.all.insert(id, Subscription { parts: parts.clone(), bus, stood: false, due: None });
        if link.is_welcome() {
            for number in parts {
                self.filters.step(core, link, number);
            }
            self.await_standing(core, link, id, now);
            self.announce(core, link, id);
        }
        Ok(subscription)
    }

    pub(super) fn unsubscribe(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        subscription: SubscriptionId,
        now: u64,
    ) {
        let SubscriptionId(id) = subscription;
        let Some(mut old) = self.all.remove(id) else { return };
        link.schedule(&mut old.due, None, Timer::Subscription(id));
        let mut filters = 0;
        for number in old.parts {
            filters += usize::from(self.filters.leave(core, link, number, id));
        }
        if filters == 0 {
            core.event(Event::Unsubscribed { subscription });
            return;
        }
        let mut leaving = Leaving { filters, due: None };
        let at = now.saturating_add(core.config.request_timeout);
        link.schedule(&mut leaving.due, Some(at), Timer::Leaving(id));
        self.leaving.insert(id, leaving);
    }

    /// The URI of a bus, and whether the subscription hears what its session sends there.
    pub(super) fn bus(&self, subscription: SubscriptionId) -> Option<(&str, bool)> {
        let (uri, echo) = self.all.get(subscription.0)?.bus.as_ref()?;
        Some((uri, *echo))
    }

    // What the router says.

    /// SUBSCRIBED.
    pub(super) fn handle_subscribed(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        number: u64,
        subscription: u64,
    ) -> Result<(), Violation> {
        if !matches!(self.filters.state(number), State::Subscribing) {
            return Err(words("SUBSCRIBED answers an UNSUBSCRIBE"));
        }
        self.filters.stands(number, subscription);
        self.filters.step(core, link, number);
        if self.filters.is_active(number) {
            for member in self.members(number) {
                self.announce(core, link, member);
            }
            self.release(core, link, number);
        }
        Ok(())
    }

    /// UNSUBSCRIBED.
    pub(super) fn handle_unsubscribed(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        number: u64,
    ) -> Result<(), Violation> {
        if !matches!(self.filters.state(number), State::Unsubscribing(_)) {
            return Err(words("UNSUBSCRIBED answers a SUBSCRIBE"));
        }
        self.gone(core, link, number);
        Ok(())
    }

    /// The router has a filter no more, as was asked for.
    fn gone(&mut self, core: &mut Core, link: &mut Link, number: u64) {
        self.filters.is_gone(number);
        self.release(core, link, number);
        if self.filters.draining {
            for member in self.members(number) {
                self.end_if_idle(core, link, member);
            }
        }
        self.filters.step(core, link, number);
    }

    /// The ERROR for SUBSCRIBE, or for UNSUBSCRIBE.
    pub(super) fn handle_error(&mut self, core: &mut Core, link: &mut Link, number: u64, error: &Error) {
        match self.filters.state(number) {
            State::Subscribing => self.refused(core, link, number, error),
            State::Unsubscribing(_) => self.gone(core, link, number),
            State::Idle | State::Active(_) => {}
        }
    }

    /// UNSUBSCRIBED with request 0 (WAMP Advanced Profile, "Subscription Revocation").
    pub(super) fn handle_revoked(
        &mut self,
        core: &mut Core,
        link: &mut Link,
        subscription: u64,
        error: &Error,
    ) {
        let Some(number) = self.filters.of_wire(subscription) else { return };
        // An UNSUBSCRIBE that is under way will be answered, by an ERROR.
        if self.filters.is_active(number) {
            self.refused(core, link, number, error);
        }
    }

    fn refused(&mut self, core: &mut Core, link: &mut Link, number: u64, error: &Error) {
        self.filters.is_gone(number);
        self.release(core, link, number);
        let Some(filter) = self.filters.all.get_mut(number) else { return };
        // All at once: while one was left, the filter would be asked for again.
        for member in std::mem::take(&mut filter.members) {
            self.end(core, link, member, error.clone());
        }
        self.filters.step(core, link, number);
    }

    /// EVENT.
    pub(super) fn handle_event(&mut self, core: &mut Core, event: &Heard<'_>) {
        let Some(number) = self.filters.of_wire(event.number(1)) else { return };
        let Some(filter) = self.filters.all.get(number) else { return };
        let details = event.details(3);
        let topic = match details.text("topic") {
            Some(uri) => Topic::from_wamp(&uri, &TopicLimits::UNLIMITED).ok(),
            None => filter.topic.clone(),
        };
        let delivery = Delivery {
            content: event.payload(4).into(),
            topic,
            publisher: details.id("publisher"),
            publication: Some(event.number(2)),
        };
        let mut last = None;
        for &member in &filter.members {
            if !self.hears(member) {
                continue;
            }
            if let Some(before) = last.replace(SubscriptionId(member)) {
                core.event(Event::Message { subscription: before, delivery: delivery.clone() });
            }
        }
        if let Some(subscription) = last {
            core.event(Event::Message { subscription, delivery });
        }
    }

    /// Whom an EVENT for this subscription id of the router is for.
    pub(super) fn for_each_hearer(&self, subscription: u64, each: &mut dyn FnMut(SubscriptionId)) {
        let Some(filter) = self.filters.of_wire(subscription).and_then(|number| self.filters.all.get(number))
        else {
            return;
        };
        for &member in &filter.members {
            if self.hears(member) {
                each(SubscriptionId(member));
            }
        }
    }

    /// The topic of an EVENT that names none.
    pub(super) fn topic_of(&self, subscription: u64) -> Option<&Topic> {
        self.filters.all.get(self.filters.of_wire(subscription)?)?.topic.as_ref()
    }

    /// Whether what comes is passed on: only while the program knows that it stands. After a loss that is when both
    /// filters of a tree are there again, or the gap would be told behind a message that came after it.
    fn hears(&self, id: u64) -> bool {
        let Some(subscription) = self.all.get(id) else { return false };
        let is_there =
            |number: &u64| matches!(self.filters.state(*number), State::Active(_) | State::Unsubscribing(_));
        // The only filter of any other is there, as something came for it.
        subscription.stood && (subscription.parts.len() == 1 || subscription.parts.iter().all(is_there))
    }

    /// WELCOME: all that is wanted is subscribed again.
    pub(super) fn handle_welcome(&mut self, core: &mut Core, link: &mut Link, now: u64) {
        for number in self.filters.all.numbers() {
            let Some(filter) = self.filters.all.get(number) else { continue };
            if let Err(error) = filter.kind.check(link.router) {
                self.refused(core, link, number, &error);
            }
        }
        for number in self.filters.all.numbers() {
            self.filters.step(core, link, number);
        }
        for id in self.all.numbers() {
            self.await_standing(core, link, id, now);
        }
    }

    /// The connection is lost.
    pub(super) fn handle_lost(&mut self, core: &mut Core, link: &mut Link) {
        self.filters.are_gone();
        for number in self.filters.all.numbers() {
            self.release(core, link, number);
            self.filters.step(core, link, number);
        }
        for id in self.all.numbers() {
            if let Some(subscription) = self.all.get_mut(id) {
                link.schedule(&mut subscription.due, None, Timer::Subscription(id));
            }
            if self.filters.draining {
                self.end(core, link, id, Error::Closed);
            }
        }
    }

    /// A subscription does not stand in time.
    pub(super) fn handle_due(&mut self, core: &mut Core, link: &mut Link, id: u64) {
        self.end(core, link, id, Error::TimedOut);
    }

    /// The router does not confirm the end of a subscription in time.
    pub(super) fn handle_leaving_due(&mut self, core: &mut Core, id: u64) {
        if self.leaving.remove(id).is_some() {
            core.event(Event::Unsubscribed { subscription: SubscriptionId(id) });
        }
    }

    /// Ends all subscriptions; each is over when the router has confirmed it.
    pub(super) fn drain(&mut self, core: &mut Core, link: &mut Link) {
        self.filters.draining = true;
        for number in self.filters.all.numbers() {
            self.filters.step(core, link, number);
        }
        for id in self.all.numbers() {
            self.end_if_idle(core, link, id);
        }
    }

    /// Ends all subscriptions at once.
    pub(super) fn close(&mut self, core: &mut Core, link: &mut Link) {
        self.filters.draining = true;
        self.filters.are_gone();
        for number in self.filters.all.numbers() {
            self.release(core, link, number);
        }
        for id in self.all.numbers() {
            let error = core.over();
            self.end(core, link, id, error);
        }
    }

    /// Whether there is nothing left.
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty() && self.leaving.is_empty()
    }

    /// Ends a subscription.
    fn end(&mut self, core: &mut Core, link: &mut Link, id: u64, error: Error) {
        let Some(mut old) = self.all.remove(id) else { return };
        link.schedule(&mut old.due, None, Timer::Subscription(id));
        for number in old.parts {
            self.filters.leave(core, link, number, id);
        }
        core.event(Event::SubscriptionEnded { subscription: SubscriptionId(id), error });
    }

    /// Ends a subscription of which the router has nothing any more.
    fn end_if_idle(&mut self, core: &mut Core, link: &mut Link, id: u64) {
        let Some(subscription) = self.all.get(id) else { return };
        if subscription.parts.iter().all(|number| self.filters.state(*number) == State::Idle) {
            self.end(core, link, id, Error::Closed);
        }
    }

    /// Tells the program that a subscription stands, if all of it does. It is asked when a part of it begins to stand,
    /// so that is said once.
    fn announce(&mut self, core: &mut Core, link: &mut Link, id: u64) {
        let Some(subscription) = self.all.get_mut(id) else { return };
        if !subscription.parts.iter().all(|number| self.filters.is_active(*number)) {
            return;
        }
        link.schedule(&mut subscription.due, None, Timer::Subscription(id));
        let again = std::mem::replace(&mut subscription.stood, true);
        core.event(Event::Subscribed { subscription: SubscriptionId(id), again });
    }

    fn await_standing(&mut self, core: &Core, link: &mut Link, id: u64, now: u64) {
        if let Some(subscription) = self.all.get_mut(id) {
            let at = now.saturating_add(core.config.request_timeout);
            link.schedule(&mut subscription.due, Some(at), Timer::Subscription(id));
        }
    }

    /// Tells those who left a filter that it is over.
    fn release(&mut self, core: &mut Core, link: &mut Link, number: u64) {
        let Some(filter) = self.filters.all.get_mut(number) else { return };
        for id in std::mem::take(&mut filter.leavers) {
            let Some(leaving) = self.leaving.get_mut(id) else { continue };
            leaving.filters -= 1;
            if leaving.filters == 0 {
                link.schedule(&mut leaving.due, None, Timer::Leaving(id));
                self.leaving.remove(id);
                core.event(Event::Unsubscribed { subscription: SubscriptionId(id) });
            }
        }
    }

    fn members(&self, number: u64) -> Vec<u64> {
        self.filters.all.get(number).map(|filter| filter.members.clone()).unwrap_or_default()
    }
}
