//! Subscriptions: what comes, and only that, once and in order; and what the router is asked for.

use std::collections::{BTreeMap, BTreeSet};

use petasus_protocol::session::{Event, Filter, Status, SubscriptionId};
use petasus_protocol::wamp::message;
use petasus_protocol::{Topic, TopicLimits, wamp};

use super::{Judge, Moment, Turn, Wrong};
use crate::history::{Ask, Input, Out, Truth, Wire, WireFilter, token, token_of};
use crate::plain::PLAIN;

#[derive(Default)]
pub(super) struct Subscriptions {
    handles: BTreeMap<(usize, SubscriptionId), Handle>,
    /// Sessions that are ending.
    ending: BTreeSet<usize>,
    over: BTreeSet<usize>,
    /// The present socket of each session; what comes from another is of the past.
    sockets: BTreeMap<usize, u64>,
    /// What the router has, by connection.
    held: BTreeMap<Wire, BTreeSet<WireFilter>>,
    /// At rest.
    stock: BTreeMap<usize, BTreeSet<WireFilter>>,
}

struct Handle {
    filter: Filter,
    state: State,
    /// Whether it stood on an earlier connection.
    stood: bool,
    /// Whether the program ended it, and how often that was confirmed.
    unsubscribed: bool,
    confirmed: u32,
    /// The last publication.
    last: u64,
    place: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Asked,
    Standing,
    Over,
}

impl Handle {
    /// The subscriptions at the router that it needs (REQ-SUB-001, in dots).
    fn needs(&self) -> Vec<WireFilter> {
        let filter = |bus, matching, uri: String| WireFilter { bus, matching, uri };
        match &self.filter {
            Filter::Tree(topic) => {
                let uri = topic.as_str().replace('/', ".");
                vec![filter(false, "exact", uri.clone()), filter(false, "prefix", uri + ".")]
            }
            Filter::Exact(topic) => vec![filter(false, "exact", topic.as_str().replace('/', "."))],
            Filter::Prefix(text) => vec![filter(false, "prefix", text.clone())],
            Filter::Wildcard(text) => vec![filter(false, "wildcard", text.clone())],
            Filter::Bus { topic, .. } => vec![filter(true, "exact", topic.as_str().replace('/', "."))],
            other => unreachable!("no run asks for {other:?}"),
        }
    }
}

impl Subscriptions {
    fn asked(&mut self, turn: &Turn<'_>, ask: &Ask) {
        match ask {
            Ask::Subscribe { filter, result: Ok(subscription) } => {
                let (filter, state, place) = (filter.clone(), State::Asked, turn.place);
                let (stood, unsubscribed, confirmed, last) = (false, false, 0, 0);
                let handle = Handle { filter, state, stood, unsubscribed, confirmed, last, place };
                self.handles.insert((turn.peer, *subscription), handle);
            }
            Ask::Unsubscribe { subscription } => {
                let handle =
                    self.handles.get_mut(&(turn.peer, *subscription)).expect("programs end what they have");
                (handle.state, handle.unsubscribed) = (State::Over, true);
            }
            Ask::Drain { .. } | Ask::Close => {
                self.ending.insert(turn.peer);
            }
            _ => {}
        }
    }

    /// An EVENT came: each subscription that covers it and stands hears it once, and no other.
    fn event(
        &mut self,
        turn: &Turn<'_>,
        socket: u64,
        event: &message::Event,
        about: &WireFilter,
        wrong: &mut Wrong,
    ) {
        let is_present = self.sockets.get(&turn.peer) == Some(&socket);
        let due = |handle: &Handle| handle.state == State::Standing && handle.needs().contains(about);
        let mut wanted: BTreeSet<SubscriptionId> = self
            .handles
            .iter()
            .filter(|((peer, _), handle)| is_present && *peer == turn.peer && due(handle))
            .map(|((_, id), _)| *id)
            .collect();
        for (place, told) in &turn.told {
            let Event::Message { subscription, delivery } = told else { continue };
            let text = token_of(&delivery.content);
            let Some(handle) = self.handles.get_mut(&(turn.peer, *subscription)) else {
                wrong.note("stale_message", *place, "for a subscription of nobody");
                continue;
            };
            if !wanted.remove(subscription) {
                let rule = if due(handle) { "doubled_message" } else { "stale_message" };
                wrong.note(rule, *place, format!("{text} for a subscription that is {:?}", handle.state));
            }
            if text != token(&event.payload) {
                wrong.note("message_content", *place, format!("{text} is not what came"));
            }
            if event.publication == handle.last {
                wrong.note("doubled_message", *place, format!("{text} came before"));
            } else if event.publication < handle.last {
                wrong.note("order", *place, format!("{text} comes behind what was published after it"));
            }
            handle.last = event.publication;
            let topic = event.details.text("topic").ok().flatten().unwrap_or(&about.uri);
            let topic = Topic::from_wamp(topic, &TopicLimits::default()).ok();
            if delivery.topic != topic {
                wrong.note("message_content", *place, format!("{:?} is not its topic", delivery.topic));
            }
        }
        if !wanted.is_empty() && !self.ending.contains(&turn.peer) {
            let text = format!("{} did not reach {wanted:?}", token(&event.payload));
            wrong.note("missing_message", turn.place, text);
        }
    }

    fn told(&mut self, peer: usize, place: usize, event: &Event, wrong: &mut Wrong) {
        match event {
            Event::Status(Status::Connected(_) | Status::Draining) => {}
            Event::Status(status) => {
                for (_, handle) in self.handles.iter_mut().filter(|((owner, _), _)| *owner == peer) {
                    if handle.state == State::Standing {
                        handle.state = State::Asked;
                    }
                }
                if matches!(status, Status::Closed { .. }) {
                    self.over.insert(peer);
                }
            }
            Event::Subscribed { subscription, again } => {
                let Some(handle) = self.handles.get_mut(&(peer, *subscription)) else { return };
                if handle.state != State::Asked {
                    wrong.note("subscribed", place, format!("it is {:?} already", handle.state));
                }
                if *again != handle.stood {
                    wrong.note("subscribed", place, format!("whether it stood before: {}", handle.stood));
                }
                (handle.state, handle.stood) = (State::Standing, true);
            }
            Event::SubscriptionEnded { subscription, .. } => {
                let Some(handle) = self.handles.get_mut(&(peer, *subscription)) else { return };
                if handle.state == State::Over {
                    wrong.note("subscribed", place, "the end of what is over");
                }
                handle.state = State::Over;
            }
            Event::Unsubscribed { subscription } => {
                let Some(handle) = self.handles.get_mut(&(peer, *subscription)) else { return };
                handle.confirmed += 1;
                if !handle.unsubscribed || handle.confirmed > 1 {
                    wrong.note("unsubscribed", place, "the program did not end it, or knows");
                }
            }
            _ => {}
        }
    }

    fn router(&mut self, place: usize, truth: &Truth, wrong: &mut Wrong) {
        match truth {
            Truth::Subscribed { wire, filter } => {
                let is_new = self.held.entry(*wire).or_default().insert(filter.clone());
                if !is_new {
                    wrong.note("double_subscribe", place, format!("{filter:?} is there"));
                }
            }
            Truth::Unsubscribed { wire, filter } => {
                self.held.entry(*wire).or_default().remove(filter);
            }
            Truth::Left { wire } => {
                self.held.remove(wire);
            }
            Truth::Restarted => self.held.clear(),
            Truth::Has { wire, filters, .. } if wire.peer != PLAIN => {
                self.stock.insert(wire.peer, filters.iter().cloned().collect());
            }
            _ => {}
        }
    }

    /// The router has what is wanted, no less and no more; and the programs know.
    fn at_rest(&mut self, place: usize, wrong: &mut Wrong) {
        let peers: BTreeSet<usize> = self.handles.keys().map(|(peer, _)| *peer).collect();
        for peer in peers.difference(&self.over) {
            let own =
                || self.handles.iter().filter(|((owner, _), _)| owner == peer).map(|(_, handle)| handle);
            let wanted = own().filter(|handle| handle.state != State::Over);
            let wanted: BTreeSet<WireFilter> = wanted.flat_map(Handle::needs).collect();
            let there = self.stock.remove(peer).unwrap_or_default();
            if wanted != there {
                let text = format!("{peer} wants {wanted:?}, the router has {there:?}");
                wrong.note("subscriptions_at_rest", place, text);
            }
            for handle in own().filter(|handle| handle.state == State::Asked) {
                wrong.note("subscriptions_at_rest", handle.place, "it never stood again, and did not end");
            }
            for handle in own().filter(|handle| handle.unsubscribed && handle.confirmed == 0) {
                wrong.note("unsubscribed", handle.place, "its end was never confirmed");
            }
        }
    }
}

impl Judge for Subscriptions {
    fn see(&mut self, moment: &Moment<'_>, wrong: &mut Wrong) {
        match moment {
            Moment::Turn(turn) => {
                if let Some(ask) = turn.asked() {
                    self.asked(turn, ask);
                }
                if let Some(Input::Message {
                    socket,
                    message: wamp::Message::Event(event),
                    about: Some(about),
                }) = turn.input()
                {
                    self.event(turn, *socket, event, about, wrong);
                } else if let Some((place, _)) =
                    turn.told.iter().find(|(_, told)| matches!(told, Event::Message { .. }))
                {
                    wrong.note("stale_message", *place, "nothing came");
                }
                for (_, output) in &turn.outputs {
                    if let Out::Open { socket } = output {
                        self.sockets.insert(turn.peer, *socket);
                    }
                }
                for (place, told) in &turn.told {
                    self.told(turn.peer, *place, told, wrong);
                }
            }
            Moment::Router { place, truth } => self.router(*place, truth, wrong),
            Moment::Rest { place } => self.at_rest(*place, wrong),
            Moment::End { .. } => {}
        }
    }
}
