//! The dealer by examples: messages that are too long for somebody, and how much is kept for whom.

use petasus_broker::hub::{
    CallOptions, CalleeFeatures, Dealer, DealerRules, InvokePolicy, MatchPolicy, MemberId, RegisterOptions,
};

use super::examples::{ALL, NONE, PROGRESS, Room};
use super::log::{Desk, SIZE, UNAVAILABLE};

impl Room {
    /// Somebody who takes only short payloads; 3 and 8 are long ones.
    fn join_short(&mut self, name: usize, features: CalleeFeatures) -> MemberId {
        let desk = Desk::new(name, usize::MAX, &self.log).taking_short_ones(true);
        self.dealer.join(desk, features)
    }
}

/// WAMP, Payload Size Exceeded: a call that is too long for its callee ends, and the callee goes on.
#[test]
fn a_call_too_long_for_its_callee_ends_alone() {
    let mut room = Room::new();
    let (callee, caller) = (room.join_short(1, ALL), room.join(9, NONE));
    room.register(callee, "p", InvokePolicy::Single, 1);
    room.took();
    room.calls(caller, "p", &[1, 3, 2, 8]);
    assert_eq!(room.took(), "1<1 #1");
    room.yields(callee, 1, false, 70);
    assert_eq!(room.took(), "9=70 r1, 1>3, 9:payload_size_exceeded r2, 1<2 #2");
    room.yields(callee, 2, false, 70);
    room.calls(caller, "p", &[3, 4]);
    assert_eq!(
        room.took(),
        "9=70 r3, 1>8, 9:payload_size_exceeded r4, 1>3, 9:payload_size_exceeded r5, 1<4 #3"
    );
}

/// WAMP, Shared Registration: whoever takes long messages gets the long calls, and short ones do not wait for it.
#[test]
fn a_call_too_long_for_one_callee_goes_to_another() {
    let mut room = Room::new();
    let (short, long, caller) = (room.join_short(1, ALL), room.join(2, ALL), room.join(9, NONE));
    room.register_all(&[short, long], "p", InvokePolicy::First, 1);
    room.took();
    room.calls(caller, "p", &[3, 8, 1]);
    assert_eq!(room.took(), "1>3, 2<3 #1, 1>8, 1<1 #1");
    room.yields(long, 1, false, 70);
    assert_eq!(room.took(), "9=70 r1, 2<8 #2");
    room.calls(caller, "p", &[13]);
    room.yields(short, 1, false, 70);
    assert_eq!(room.took(), "9=70 r3, 1>13");
    room.dealer.leave(long, &mut ());
    assert_eq!(room.took(), "9:canceled r2, 9:payload_size_exceeded r4");
}

/// WAMP, Progressive Call Invocations: one piece that is too long ends the whole call, at once or later.
#[test]
fn a_piece_too_long_for_the_callee_ends_the_call() {
    let mut room = Room::new();
    let desk = Desk::new(1, 1, &room.log).taking_short_ones(true);
    let (callee, caller) = (room.dealer.join(desk.clone(), ALL), room.join(9, NONE));
    room.register(callee, "p", InvokePolicy::Single, 1);
    room.took();
    let request = room.call(caller, "p", PROGRESS, 1);
    for payload in [2, 3, 4] {
        room.piece(caller, request, "p", PROGRESS, payload);
    }
    room.calls(caller, "p", &[5]);
    assert_eq!(room.took(), "1<1 #1, 1:full");
    desk.add_room(2);
    room.dealer.ready(callee, &mut ());
    assert_eq!(room.took(), "1<2 #1, 1>3, 1!KillNoWait #1, 9:payload_size_exceeded r1, 1<5 #2");
    room.piece(caller, request, "p", CallOptions::default(), 6);
    assert_eq!((room.took(), room.dealer.calls()), (String::new(), 1));
}

/// WAMP, Payload Size Exceeded: a caller hears of every result, and of no other after one that was too long for it.
#[test]
fn a_result_too_long_for_its_caller_is_an_error() {
    let mut room = Room::new();
    let (callee, caller) = (room.join(1, ALL), room.join_short(9, NONE));
    room.register(callee, "p", InvokePolicy::Single, 0);
    room.took();
    room.call(caller, "p", CallOptions::default(), 1);
    room.call(caller, "p", CallOptions { receive_progress: true, ..CallOptions::default() }, 1);
    room.took();
    room.yields(callee, 1, false, 3);
    assert_eq!(room.took(), "9:payload_size_exceeded r1");
    room.yields(callee, 2, true, 3);
    room.yields(callee, 2, true, 4);
    room.yields(callee, 2, false, 4);
    assert_eq!(room.took(), "1!KillNoWait #2, 9:payload_size_exceeded r2");
}

/// One caller cannot fill the realm's queue, nor does what is kept for re-routing fill it; URIs count too.
#[test]
fn what_a_caller_has_kept_stays_within_its_share() {
    let rules = DealerRules {
        max_queued_bytes: 10 * SIZE,
        max_caller_bytes: 3 * SIZE,
        max_spare_bytes: 2 * SIZE,
        ..DealerRules::default()
    };
    let mut room = Room::new();
    room.dealer = Dealer::new(rules);
    let callees = [1, 2].map(|name| room.join(name, ALL));
    let (greedy, modest) = (room.join(8, NONE), room.join(9, NONE));
    room.register_all(&callees, "shared", InvokePolicy::First, 0);
    room.took();
    room.calls(greedy, "shared", &[1, 2, 4]);
    assert_eq!(room.dealer.kept_bytes(), 2 * SIZE);
    // The third one was not kept.
    for invocation in [1, 3] {
        room.fails(callees[0], invocation, UNAVAILABLE);
    }
    assert_eq!(room.took(), "1<1 #1, 1<2 #2, 1<4 #3, 2<1 #1, 8:no_available_callee r3");

    room.register(callees[0], "busy", InvokePolicy::Single, 1);
    room.calls(modest, "busy", &[1]);
    room.took();
    room.calls(greedy, "busy", &[1, 2, 4, 5]);
    room.calls(modest, "busy", &[6]);
    assert_eq!(room.took(), "8:unavailable r8");

    let pattern =
        RegisterOptions { matching: MatchPolicy::Prefix, concurrency: Some(1), ..RegisterOptions::default() };
    room.dealer.register(callees[0], 1, "x", &pattern, &mut ()).unwrap();
    room.calls(modest, "x", &[1]);
    room.took();
    room.calls(modest, "xxxxxxxxx", &[2]);
    assert_eq!(room.took(), "9:unavailable r11");
}
