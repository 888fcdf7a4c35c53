//! What runs have found, each as a run of its own.

use petasus_protocol::session::{Event, Filter, Invoke, Register};
use petasus_protocol::wamp::uri::Match;
use petasus_protocol::{Topic, wamp};

use crate::history::{Input, Truth, What};
use crate::judge::judge;
use crate::world::World;

/// A world with sessions that are connected, to a router that has queues.
fn world(seed: u64) -> World {
    let mut world = World::new(seed);
    world.router.manners.challenge = false;
    world.router.manners.pattern = true;
    for peer in 0..world.peers.len() {
        world.connect(peer);
    }
    world.advance(1_000);
    world
}

fn assert_right(world: &mut World) {
    world.heal();
    world.advance(40_000);
    world.take_stock();
    let verdicts = judge(&world.history);
    assert!(verdicts.is_empty(), "{verdicts:?}\n{}", world.history.tail(verdicts[0].place, 60));
}

/// The router takes a puller's place away while its UNREGISTER is on its way, and gives it to the next REGISTER, which
/// was sent before: the UNREGISTER then ends the wrong one.
#[test]
fn an_unregister_that_crosses_a_revocation_does_not_end_the_next_registration() {
    let mut crossed = false;
    for seed in 0..200 {
        let mut world = world(seed);
        let register = || Register::Queue { topic: Topic::new("jobs"), concurrency: 1 };
        world.register(0, register());
        world.advance(seed % 40);
        world.at_router(0, |router, wire| router.revoke_registration(wire, 0));
        world.register(0, register());
        world.unregister(0, 0);
        world.advance(1_000);
        let revoked = |what: &What| {
            matches!(what, What::Input { input: Input::Message { message: wamp::Message::Unregistered(gone), .. }, .. }
                if gone.request == 0)
        };
        let refused = |what: &What| matches!(what, What::Router(Truth::Refused { .. }));
        let has =
            |is_it: &dyn Fn(&What) -> bool| world.history.entries.iter().any(|entry| is_it(&entry.what));
        crossed |= has(&revoked) && !has(&refused);
        assert_right(&mut world);
    }
    assert!(crossed, "no run came upon it");
}

/// Both halves of a tree are subscribed again after a loss, one after the other: what comes between is before the
/// program has learned of the gap.
#[test]
fn nothing_comes_for_a_tree_before_all_of_it_stands_again() {
    let mut between = false;
    for seed in 0..200 {
        let mut world = world(seed);
        world.subscribe(0, Filter::Tree(Topic::new("a")));
        world.advance(1_000);
        world.cut(0, 0, 0);
        for _ in 0..3 {
            world.chatter("a", false);
            world.advance(300);
        }
        between |= came_before_it_stood(&world);
        assert_right(&mut world);
    }
    assert!(between, "no run came upon it");
}

/// A call whose arguments come in pieces, of a procedure that was just taken back, is refused once.
#[test]
fn a_call_in_pieces_that_comes_too_late_is_refused_once() {
    let mut world = world(0);
    let (uri, matching, invoke) = ("com.one".to_owned(), Match::Exact, Invoke::Single);
    world.register(0, Register::Procedure { uri, matching, invoke, concurrency: None });
    world.call(0, "com.one", None, false, true);
    world.call_more(0, 0, false);
    world.unregister(0, 0);
    world.advance(1_000);
    assert_right(&mut world);
}

/// Whether an EVENT came on the second connection before its subscription stood.
fn came_before_it_stood(world: &World) -> bool {
    let mut is_again = false;
    for entry in &world.history.entries {
        match &entry.what {
            What::Told { peer: 0, event: Event::Status(_) } => is_again = false,
            What::Told { peer: 0, event: Event::Subscribed { .. } } => is_again = true,
            What::Input { peer: 0, input: Input::Message { message: wamp::Message::Event(_), .. } }
                if !is_again =>
            {
                return true;
            }
            _ => {}
        }
    }
    false
}
