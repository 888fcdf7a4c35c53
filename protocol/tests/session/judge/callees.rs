//! Registrations, at the program and at the router; and jobs, which are never lost while somebody pulls.

use std::collections::{BTreeMap, BTreeSet};

use petasus_protocol::session::{Event, Register, RegistrationId, Status};

use super::{Judge, Moment, Wrong};
use crate::history::{Ask, Truth, WireProcedure, token_of};
use crate::plain::PLAIN;

#[derive(Default)]
pub(super) struct Callees {
    handles: BTreeMap<(usize, RegistrationId), Handle>,
    over: BTreeSet<usize>,
    /// The jobs and calls that programs were told of, and those that they answered.
    told: BTreeSet<(usize, String)>,
    answered: BTreeSet<(usize, String)>,
    /// Where each job was taken.
    jobs: BTreeMap<String, usize>,
    /// At rest.
    stock: BTreeMap<usize, (BTreeSet<WireProcedure>, usize)>,
    held: Vec<String>,
    running: Vec<String>,
}

struct Handle {
    procedure: WireProcedure,
    state: State,
    stood: bool,
    unregistered: bool,
    confirmed: u32,
    place: usize,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Asked,
    Standing,
    Over,
}

fn wire_form(register: &Register) -> WireProcedure {
    match register {
        Register::Procedure { uri, matching, .. } => {
            WireProcedure { queue: false, matching: matching.as_str(), uri: uri.clone() }
        }
        Register::Queue { topic, .. } => {
            WireProcedure { queue: true, matching: "exact", uri: topic.as_str().replace('/', ".") }
        }
        other => unreachable!("no run asks for {other:?}"),
    }
}

impl Callees {
    fn asked(&mut self, peer: usize, place: usize, ask: &Ask) {
        match ask {
            Ask::Register { register, result: Ok(registration) } => {
                let (procedure, state) = (wire_form(register), State::Asked);
                let (stood, unregistered, confirmed) = (false, false, 0);
                let handle = Handle { procedure, state, stood, unregistered, confirmed, place };
                self.handles.insert((peer, *registration), handle);
            }
            Ask::Unregister { registration } => {
                let handle =
                    self.handles.get_mut(&(peer, *registration)).expect("programs end what they have");
                (handle.state, handle.unregistered) = (State::Over, true);
            }
            Ask::Answer { last: true, token, result: Ok(()), .. } => {
                self.answered.insert((peer, token.trim_start_matches("re:").to_owned()));
            }
            _ => {}
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
            Event::Registered { registration, again } => {
                let Some(handle) = self.handles.get_mut(&(peer, *registration)) else { return };
                // One that the router lost on the way is made again, while the program knows nothing of it.
                if handle.state == State::Over || *again != handle.stood {
                    wrong.note(
                        "registered",
                        place,
                        format!("it is {:?}, stood {}", handle.state, handle.stood),
                    );
                }
                (handle.state, handle.stood) = (State::Standing, true);
            }
            Event::RegistrationEnded { registration, .. } => {
                let Some(handle) = self.handles.get_mut(&(peer, *registration)) else { return };
                if handle.state == State::Over {
                    wrong.note("registered", place, "the end of what is over");
                }
                handle.state = State::Over;
            }
            Event::Unregistered { registration } => {
                let Some(handle) = self.handles.get_mut(&(peer, *registration)) else { return };
                handle.confirmed += 1;
                if !handle.unregistered || handle.confirmed > 1 {
                    wrong.note("unregistered", place, "the program did not end it, or knows");
                }
            }
            Event::Invocation { registration, incoming, .. } => {
                self.told.insert((peer, token_of(&incoming.content)));
                let handle = self.handles.get(&(peer, *registration));
                if handle.is_none_or(|handle| handle.state != State::Standing) {
                    wrong.note("stale_invocation", place, "for a registration that does not stand");
                }
            }
            _ => {}
        }
    }

    fn router(&mut self, place: usize, truth: &Truth, wrong: &mut Wrong) {
        match truth {
            Truth::JobTaken { token } => {
                self.jobs.insert(token.clone(), place);
            }
            Truth::JobDone { token, by } => {
                self.jobs.remove(token);
                if !self.told.contains(&(by.peer, token.clone())) {
                    wrong.note(
                        "job_lost",
                        place,
                        format!("the program that answered {token} was never told of it"),
                    );
                }
                if !self.answered.contains(&(by.peer, token.clone())) {
                    wrong.note("job_lost", place, format!("no program has answered {token}"));
                }
            }
            Truth::JobGone { token } => {
                self.jobs.remove(token);
            }
            Truth::Has { wire, procedures, unanswered, .. } if wire.peer != PLAIN => {
                self.stock.insert(wire.peer, (procedures.iter().cloned().collect(), *unanswered));
            }
            Truth::Jobs { held, running } => (self.held, self.running) = (held.clone(), running.clone()),
            _ => {}
        }
    }

    fn at_rest(&mut self, place: usize, wrong: &mut Wrong) {
        let peers: BTreeSet<usize> = self.handles.keys().map(|(peer, _)| *peer).collect();
        for peer in peers.difference(&self.over) {
            let own =
                || self.handles.iter().filter(|((owner, _), _)| owner == peer).map(|(_, handle)| handle);
            let wanted = own().filter(|handle| handle.state != State::Over);
            let wanted: BTreeSet<WireProcedure> = wanted.map(|handle| handle.procedure.clone()).collect();
            let (there, unanswered) = self.stock.get(peer).cloned().unwrap_or_default();
            if wanted != there {
                let text = format!("{peer} offers {wanted:?}, the router has {there:?}");
                wrong.note("registrations_at_rest", place, text);
            }
            if unanswered > 0 {
                wrong.note("unanswered", place, format!("{peer} owes {unanswered} answers"));
            }
            for handle in own().filter(|handle| handle.state == State::Asked) {
                wrong.note("registrations_at_rest", handle.place, "it never stood again, and did not end");
            }
            for handle in own().filter(|handle| handle.unregistered && handle.confirmed == 0) {
                wrong.note("unregistered", handle.place, "its end was never confirmed");
            }
        }
        self.jobs_at_rest(wrong);
    }

    /// What was taken and not answered is still with the router, and with no puller.
    fn jobs_at_rest(&mut self, wrong: &mut Wrong) {
        for (token, place) in &self.jobs {
            if !self.held.contains(token) {
                let running = self.running.contains(token);
                wrong.note(
                    "job_lost",
                    *place,
                    format!("{token} was never answered; with a puller: {running}"),
                );
            }
        }
    }
}

impl Judge for Callees {
    fn see(&mut self, moment: &Moment<'_>, wrong: &mut Wrong) {
        match moment {
            Moment::Turn(turn) => {
                if let Some(ask) = turn.asked() {
                    self.asked(turn.peer, turn.place, ask);
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
