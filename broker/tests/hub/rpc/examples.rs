//! The dealer by examples: what the specification says, one clause at a time.

use std::cell::RefCell;
use std::rc::Rc;
use std::time::Duration;

use petasus_broker::hub::{
    CallOptions, CalleeFeatures, CancelMode, Dealer, DealerRules, InvokePolicy, MemberId, RegisterError,
    RegisterOptions,
};

use super::log::{Desk, Event, UNAVAILABLE};

pub(super) const ALL: CalleeFeatures = CalleeFeatures {
    canceling: true,
    progressive_results: true,
    progressive_invocations: true,
    timeout: true,
    reroute: true,
};

pub(super) const NONE: CalleeFeatures = CalleeFeatures {
    canceling: false,
    progressive_results: false,
    progressive_invocations: false,
    timeout: false,
    reroute: false,
};

pub(super) const PROGRESS: CallOptions =
    CallOptions { receive_progress: false, progress: true, timeout: None, disclose: false };

/// A dealer, what everybody got from it, and what time it is.
pub(super) struct Room {
    pub(super) dealer: Dealer<Desk>,
    pub(super) log: Rc<RefCell<Vec<Event>>>,
    now: Duration,
    requests: u64,
}

impl Room {
    pub(super) fn new() -> Self {
        let dealer = Dealer::new(DealerRules::default());
        Self { dealer, log: Rc::default(), now: Duration::ZERO, requests: 0 }
    }

    pub(super) fn join(&mut self, name: usize, features: CalleeFeatures) -> MemberId {
        self.join_with_room(name, features, usize::MAX).0
    }

    pub(super) fn join_with_room(
        &mut self,
        name: usize,
        features: CalleeFeatures,
        room: usize,
    ) -> (MemberId, Desk) {
        let desk = Desk::new(name, room, &self.log);
        (self.dealer.join(desk.clone(), features), desk)
    }

    pub(super) fn register(
        &mut self,
        who: MemberId,
        uri: &str,
        invoke: InvokePolicy,
        concurrency: u64,
    ) -> u64 {
        let options =
            RegisterOptions { invoke, concurrency: Some(concurrency), ..RegisterOptions::default() };
        let registered = self.dealer.register(who, 900, uri, &options, &mut ());
        registered.expect("nothing is in the way").id
    }

    pub(super) fn register_all(
        &mut self,
        callees: &[MemberId],
        uri: &str,
        invoke: InvokePolicy,
        concurrency: u64,
    ) {
        for &callee in callees {
            self.register(callee, uri, invoke, concurrency);
        }
    }

    pub(super) fn calls(&mut self, who: MemberId, uri: &str, payloads: &[u32]) {
        for &payload in payloads {
            self.call(who, uri, CallOptions::default(), payload);
        }
    }

    /// Calls, and returns the request id.
    pub(super) fn call(&mut self, who: MemberId, uri: &str, options: CallOptions, payload: u32) -> u64 {
        self.requests += 1;
        self.piece(who, self.requests, uri, options, payload);
        self.requests
    }

    pub(super) fn piece(
        &mut self,
        who: MemberId,
        request: u64,
        uri: &str,
        options: CallOptions,
        payload: u32,
    ) {
        self.dealer.call(who, request, uri, options, payload, self.now, 0, &mut ()).unwrap();
    }

    pub(super) fn yields(&mut self, who: MemberId, invocation: u64, progress: bool, payload: u32) {
        self.dealer.yield_(who, invocation, progress, &payload, self.now, &mut ()).unwrap();
    }

    pub(super) fn fails(&mut self, who: MemberId, invocation: u64, uri: &str) {
        self.dealer.fail(who, invocation, uri, &0, self.now, &mut ()).unwrap();
    }

    /// What happened since the last look, in short: `2<7 #1` says that session 2 was invoked with payload 7.
    pub(super) fn took(&self) -> String {
        let short = |event: Event| match event {
            Event::Registered { who, .. } => format!("{who}:registered"),
            Event::Invoked(i) => format!("{}<{} #{}", i.who, i.payload, i.invocation),
            Event::Refused { who } => format!("{who}:full"),
            Event::Unfit { who, payload } => format!("{who}>{payload}"),
            Event::Interrupted { who, invocation, mode, .. } => format!("{who}!{mode:?} #{invocation}"),
            Event::Result { who, request, progress: true, payload } => format!("{who}~{payload} r{request}"),
            Event::Result { who, request, payload, .. } => format!("{who}={payload} r{request}"),
            Event::Error { who, request, uri, .. } => {
                format!("{who}:{} r{request}", uri.trim_start_matches("wamp.error."))
            }
            Event::Act(_) | Event::Settled | Event::Answered { .. } => unreachable!("only a stage does that"),
        };
        self.log.take().into_iter().map(short).collect::<Vec<_>>().join(", ")
    }

    pub(super) fn is_empty(&self) -> bool {
        let dealer = &self.dealer;
        dealer.calls() + dealer.waiting() + dealer.registrations() == 0 && dealer.next_deadline().is_none()
    }
}

/// REQ-WAMP-052: WAMP, Call Re-Routing, the table: who is next when a callee says that it is unavailable.
#[test]
fn an_unavailable_callee_sends_the_call_on_by_the_policy() {
    for (invoke, expected) in [
        (InvokePolicy::First, "1<7 #1, 2<7 #1, 3<7 #1, 9:no_available_callee r1"),
        (InvokePolicy::Last, "3<7 #1, 2<7 #1, 1<7 #1, 9:no_available_callee r1"),
        (InvokePolicy::RoundRobin, "1<7 #1, 2<7 #1, 3<7 #1, 9:no_available_callee r1"),
        (InvokePolicy::Random, "1<7 #1, 2<7 #1, 3<7 #1, 9:no_available_callee r1"),
    ] {
        let mut room = Room::new();
        let callees = [1, 2, 3].map(|name| room.join(name, ALL));
        room.register_all(&callees, "p", invoke, 0);
        let caller = room.join(9, NONE);
        room.took();
        room.call(caller, "p", CallOptions::default(), 7);
        let order = if invoke == InvokePolicy::Last { [2, 1, 0] } else { [0, 1, 2] };
        for &place in &order {
            room.fails(callees[place], 1, UNAVAILABLE);
        }
        assert_eq!(room.took(), expected, "{invoke:?}");
    }
    let mut room = Room::new();
    let (callee, silent, caller) = (room.join(1, ALL), room.join(2, NONE), room.join(9, NONE));
    room.register(callee, "single", InvokePolicy::Single, 0);
    room.register(silent, "unannounced", InvokePolicy::Last, 0);
    room.took();
    room.call(caller, "single", CallOptions::default(), 7);
    room.fails(callee, 1, UNAVAILABLE);
    room.call(caller, "unannounced", CallOptions::default(), 8);
    room.fails(silent, 1, UNAVAILABLE);
    assert_eq!(room.took(), "1<7 #1, 9:no_available_callee r1, 2<8 #1, 9:unavailable r2");
}

/// REQ-WAMP-052: WAMP, Call Re-Routing: nothing is sent twice to a caller, so what has begun to answer stays.
#[test]
fn a_call_with_a_result_is_not_sent_on() {
    let mut room = Room::new();
    let callees = [1, 2].map(|name| room.join(name, ALL));
    room.register_all(&callees, "p", InvokePolicy::First, 0);
    let caller = room.join(9, NONE);
    room.took();
    room.call(caller, "p", CallOptions { receive_progress: true, ..CallOptions::default() }, 7);
    room.yields(callees[0], 1, true, 70);
    room.fails(callees[0], 1, UNAVAILABLE);
    assert_eq!(room.took(), "1<7 #1, 9~70 r1, 9:no_available_callee r1");
}

/// REQ-WAMP-049: WAMP, Call Canceling: the three modes, of callees that have announced it and that have not.
#[test]
fn the_three_ways_of_cancelling() {
    for (features, mode, expected) in [
        (ALL, CancelMode::Skip, "9:canceled r1"),
        (ALL, CancelMode::Kill, "1!Kill #1, 9=70 r1"),
        (ALL, CancelMode::KillNoWait, "1!KillNoWait #1, 9:canceled r1"),
        (NONE, CancelMode::Skip, "9:canceled r1"),
        (NONE, CancelMode::Kill, "9:canceled r1"),
        (NONE, CancelMode::KillNoWait, "9:canceled r1"),
    ] {
        let mut room = Room::new();
        let (callee, caller) = (room.join(1, features), room.join(9, NONE));
        room.register(callee, "p", InvokePolicy::Single, 0);
        let request = room.call(caller, "p", CallOptions::default(), 7);
        room.took();
        room.dealer.cancel(caller, request, mode, &mut ());
        // Its late answer is dropped, or (kill) is the answer.
        room.yields(callee, 1, false, 70);
        room.dealer.cancel(caller, request, mode, &mut ());
        assert_eq!(room.took(), expected, "{mode:?}");
    }
}

/// REQ-WAMP-049, REQ-WAMP-046:
/// A callee that goes on in vain takes nothing else meanwhile; one that was told to stop does.
#[test]
fn a_skipped_call_keeps_its_place_and_a_killed_one_does_not() {
    for (mode, at_once, later) in [
        (CancelMode::Skip, "9:canceled r1", "1<8 #2"),
        (CancelMode::KillNoWait, "1!KillNoWait #1, 9:canceled r1, 1<8 #2", ""),
    ] {
        let mut room = Room::new();
        let (callee, caller) = (room.join(1, ALL), room.join(9, NONE));
        room.register(callee, "p", InvokePolicy::Single, 1);
        room.calls(caller, "p", &[7, 8]);
        room.took();
        room.dealer.cancel(caller, 1, mode, &mut ());
        assert_eq!(room.took(), at_once);
        room.yields(callee, 1, true, 0);
        room.yields(callee, 1, false, 0);
        assert_eq!(room.took(), later);
    }
}

/// REQ-WAMP-050: WAMP, Call Timeouts, and Progressive Call Results, Timeouts: the time is that to the next result.
#[test]
fn a_timeout_begins_again_with_each_result() {
    let ms = Duration::from_millis;
    let mut room = Room::new();
    let (callee, caller) = (room.join(1, ALL), room.join(9, NONE));
    room.register(callee, "p", InvokePolicy::Single, 0);
    room.call(caller, "p", CallOptions { timeout: Some(ms(10)), ..CallOptions::default() }, 7);
    room.call(caller, "p", CallOptions { timeout: Some(ms(0)), ..CallOptions::default() }, 8);
    room.took();
    room.now = ms(9);
    room.yields(callee, 1, true, 0);
    assert_eq!(room.dealer.next_deadline(), Some(ms(19)));
    room.dealer.expire(ms(18), &mut ());
    assert_eq!(room.took(), "");
    room.dealer.expire(ms(19), &mut ());
    assert_eq!(room.took(), "1!KillNoWait #1, 9:timeout r1");
    assert_eq!(room.dealer.next_deadline(), None);
}

/// REQ-WAMP-050: WAMP, Call Timeouts: whoever asks for it and can, watches over it itself.
#[test]
fn a_forwarded_timeout_is_the_callees() {
    let timeout = Some(Duration::from_millis(10));
    for (features, forwarded) in [(ALL, timeout), (NONE, None)] {
        let mut room = Room::new();
        let (callee, caller) = (room.join(1, features), room.join(9, NONE));
        let options = RegisterOptions { forward_timeout: true, ..RegisterOptions::default() };
        room.dealer.register(callee, 1, "p", &options, &mut ()).unwrap();
        room.call(caller, "p", CallOptions { timeout, ..CallOptions::default() }, 7);
        let invoked = |event: &Event| match event {
            Event::Invoked(invoked) => Some(invoked.timeout),
            _ => None,
        };
        assert_eq!(room.log.take().iter().find_map(invoked), Some(forwarded));
        assert_eq!(room.dealer.next_deadline(), timeout.filter(|_| forwarded.is_none()));
    }
}

/// REQ-WAMP-048: WAMP, Progressive Call Invocations: one callee, one invocation id, and what comes too late is dropped.
#[test]
fn all_pieces_of_a_call_go_to_one_callee() {
    let mut room = Room::new();
    let callees = [1, 2].map(|name| room.join(name, ALL));
    room.register_all(&callees, "p", InvokePolicy::RoundRobin, 0);
    let caller = room.join(9, NONE);
    room.took();
    let request = room.call(caller, "p", PROGRESS, 7);
    room.call(caller, "p", CallOptions::default(), 8);
    room.piece(caller, request, "p", PROGRESS, 9);
    room.yields(callees[0], 1, false, 70);
    room.piece(caller, request, "p", PROGRESS, 10);
    room.piece(caller, request, "p", CallOptions::default(), 11);
    assert_eq!(room.took(), "1<7 #1, 2<8 #1, 1<9 #1, 9=70 r1");
}

/// REQ-WAMP-048:
/// WAMP, Progressive Call Invocations: a callee without the feature, or without call canceling, takes none.
#[test]
fn a_progressive_call_needs_a_callee_that_takes_such() {
    for features in [NONE, CalleeFeatures { canceling: false, ..ALL }] {
        let mut room = Room::new();
        let (plain, caller) = (room.join(1, features), room.join(9, NONE));
        room.register(plain, "p", InvokePolicy::First, 0);
        room.took();
        room.call(caller, "p", PROGRESS, 7);
        assert_eq!(room.took(), "9:feature_not_supported r1");
        let able = room.join(2, ALL);
        room.register(able, "p", InvokePolicy::First, 0);
        room.took();
        room.call(caller, "p", PROGRESS, 8);
        assert_eq!(room.took(), "2<8 #1");
    }
}

/// REQ-WAMP-102: WAMP, Ordering Guarantees: REGISTERED comes before the first invocation, also of what waits already.
#[test]
fn a_second_callee_hears_that_it_is_one_before_it_has_to_work() {
    let mut room = Room::new();
    let (first, second, caller) = (room.join(1, ALL), room.join(2, ALL), room.join(9, NONE));
    room.register(first, "p", InvokePolicy::RoundRobin, 1);
    room.calls(caller, "p", &[7, 8]);
    room.took();
    room.register(second, "p", InvokePolicy::RoundRobin, 1);
    assert_eq!(room.took(), "2:registered, 2<8 #1");
}

/// REQ-WAMP-046:
/// WAMP, Ordering Guarantees: what a callee had no room for comes in the order of the calls, across procedures.
#[test]
fn a_callee_with_room_again_gets_the_calls_in_their_order() {
    let mut room = Room::new();
    let ((callee, desk), caller) = (room.join_with_room(1, ALL, 0), room.join(9, NONE));
    for uri in ["a", "b", "c"] {
        room.register(callee, uri, InvokePolicy::Single, 0);
    }
    room.took();
    for (uri, payload) in [("b", 1), ("a", 2), ("c", 3), ("b", 4), ("a", 5)] {
        room.call(caller, uri, CallOptions::default(), payload);
    }
    desk.add_room(4);
    room.dealer.ready(callee, &mut ());
    assert_eq!(room.took(), "1:full, 1<1 #1, 1<2 #2, 1<3 #3, 1<4 #4, 1:full");
}

/// REQ-WAMP-056: WAMP, Caller Leaving and Callee Leaving During an RPC Invocation; and nothing stays behind.
#[test]
fn whoever_leaves_takes_its_calls_along() {
    let mut room = Room::new();
    let (callee, caller, other) = (room.join(1, ALL), room.join(8, NONE), room.join(9, NONE));
    room.register(callee, "p", InvokePolicy::Single, 2);
    let timeout = Some(Duration::from_secs(1));
    for who in [caller, other, caller, other] {
        room.call(who, "p", CallOptions { timeout, ..CallOptions::default() }, 7);
    }
    room.took();
    assert!(room.dealer.leave(caller, &mut ()).is_empty());
    assert_eq!(room.took(), "1!KillNoWait #1, 1<7 #3");
    room.call(other, "p", CallOptions::default(), 8);
    let removed = room.dealer.leave(callee, &mut ());
    assert!(removed.len() == 1 && removed[0].deleted);
    assert_eq!(room.took(), "9:canceled r2, 9:canceled r4, 9:no_such_procedure r5");
    assert!(room.is_empty());
}

/// REQ-WAMP-040: A session that calls itself leaves without a trace too.
#[test]
fn a_session_may_call_itself() {
    let mut room = Room::new();
    let own = room.join(1, ALL);
    room.register(own, "p", InvokePolicy::Single, 1);
    room.calls(own, "p", &[7, 8]);
    room.yields(own, 1, false, 70);
    assert_eq!(room.took(), "1:registered, 1<7 #1, 1=70 r1, 1<8 #2");
    room.dealer.leave(own, &mut ());
    assert_eq!(room.took(), "");
    assert!(room.is_empty());
}

/// REQ-WAMP-045:
/// WAMP, Shared Registration: the second callee must want what the first one wanted. Whoever registers again keeps
/// its place, with its new limit.
#[test]
fn registering_twice() {
    let mut room = Room::new();
    let (one, two, caller) = (room.join(1, ALL), room.join(2, ALL), room.join(9, NONE));
    let options = |invoke| RegisterOptions { invoke, ..RegisterOptions::default() };
    let mut register = |who, uri, invoke| room.dealer.register(who, 1, uri, &options(invoke), &mut ());
    assert!(register(one, "single", InvokePolicy::Single).is_ok());
    for invoke in [InvokePolicy::Single, InvokePolicy::Last] {
        assert_eq!(register(two, "single", invoke), Err(RegisterError::AlreadyExists));
        assert_eq!(register(one, "single", invoke), Err(RegisterError::AlreadyExists));
    }
    let first = register(one, "shared", InvokePolicy::RoundRobin).unwrap();
    assert_eq!(register(two, "shared", InvokePolicy::Last), Err(RegisterError::OtherPolicy));
    let second = register(two, "shared", InvokePolicy::RoundRobin).unwrap();
    assert_eq!((first.created, first.joined, second.created, second.joined), (true, true, false, true));
    assert_eq!(first.id, second.id);
    room.took();
    assert_eq!(room.register(one, "shared", InvokePolicy::RoundRobin, 1), first.id);
    assert_eq!(room.dealer.callees(first.id), Some(vec![one, two]));
    room.calls(caller, "shared", &[1, 2, 3, 4]);
    assert_eq!(room.took(), "1:registered, 1<1 #1, 2<2 #1, 2<3 #2, 2<4 #3");
}

/// REQ-WAMP-052: One call that everybody with room has sent on does not hold up the others.
#[test]
fn a_call_that_was_sent_on_waits_beside_the_queue() {
    let mut room = Room::new();
    let callees = [1, 2].map(|name| room.join(name, ALL));
    room.register_all(&callees, "p", InvokePolicy::First, 1);
    let caller = room.join(9, NONE);
    room.took();
    room.calls(caller, "p", &[1, 2, 3]);
    room.fails(callees[0], 1, UNAVAILABLE);
    assert_eq!(room.took(), "1<1 #1, 2<2 #1, 1<3 #2");
    room.yields(callees[1], 1, false, 20);
    assert_eq!(room.took(), "9=20 r2, 2<1 #2");
}

/// REQ-WAMP-055: A revoked registration ends what waits for it, and not what is being worked on.
#[test]
fn a_callee_may_answer_what_it_has_when_its_registration_is_revoked() {
    let mut room = Room::new();
    let (callee, caller) = (room.join(1, ALL), room.join(9, NONE));
    let id = room.register(callee, "p", InvokePolicy::Single, 1);
    room.calls(caller, "p", &[7, 8]);
    room.took();
    let revoked = room.dealer.revoke(id, None, &mut ()).unwrap();
    assert_eq!((revoked.callees, revoked.deleted), (vec![callee], true));
    room.yields(callee, 1, false, 70);
    assert_eq!(room.took(), "9:no_such_procedure r2, 9=70 r1");
    assert_eq!(room.dealer.best_match("p"), None);
    assert!(room.dealer.revoke(id, None, &mut ()).is_err());
}
