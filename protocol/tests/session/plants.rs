//! Faults that are planted into runs that were right: the judge has to find each, under its rule.

use petasus_protocol::session::{DeliveryMode, Destination, Error, Event, Failure, Outcome, Status};
use petasus_protocol::{Topic, wamp};
use proptest::strategy::{Strategy, ValueTree};

use crate::history::{Ask, Entry, History, Input, Out, Truth, What, Wire, token};
use crate::judge::judge;
use crate::runs::{runner, show};
use crate::script::scripts;

/// A way to spoil a history, and the rule that is broken by it. It says whether it found a place.
type Plant = (&'static str, fn(&mut History) -> bool);

/// How many runs are looked through for a place.
const RUNS: u64 = 400;

const PLANTS: [Plant; 47] = [
    ("answered_once", |history| double(history, is_done)),
    ("answered_once", |history| remove(history, is_done)),
    ("acknowledged_truly", |history| {
        let acknowledged = |what: &What| matches!(done(what), Some(Ok(Outcome::Published)));
        history.entries.iter().any(|entry| acknowledged(&entry.what))
            && remove_all(history, |what| matches!(what, What::Router(Truth::Published { .. })))
    }),
    ("accepted_once", |history| {
        double(history, |what| matches!(what, What::Router(Truth::Published { .. })))
    }),
    ("accepted_once", |history| double(history, |what| matches!(what, What::Router(Truth::JobTaken { .. })))),
    ("sent_once", |history| double(history, is_publish)),
    ("sent_late", send_what_was_answered),
    ("lost_unsent", lose_what_was_not_sent),
    ("fire", |history| {
        let Some(place) = history.entries.iter().position(|entry| is_fired(&entry.what)) else {
            return false;
        };
        history.entries.remove(place + 1);
        true
    }),
    ("in_time", |history| {
        let Some(place) = place(history, is_done) else { return false };
        let cause = history.entries[..place].iter().rposition(|entry| is_cause(&entry.what)).expect("a turn");
        history.entries[cause].at += 100_000;
        true
    }),
    ("wrong_answer", |history| {
        edit(history, |what| match what {
            What::Told { event: Event::Done { outcome: Ok(Outcome::Result(content)), .. }, .. } => {
                *content = "re:c999".into();
                true
            }
            _ => false,
        })
    }),
    ("wrong_answer", |history| {
        double(history, |what| matches!(what, What::Told { event: Event::Progress { .. }, .. }))
    }),
    ("stale_message", |history| {
        let Some(place) = place(history, is_message) else { return false };
        let told = history.entries[place].clone();
        let what = What::Told { peer: peer(&told.what), event: event(&told.what).clone() };
        insert_turn(history, place, Input::Timeout, vec![what])
    }),
    ("stale_message", |history| {
        remove(history, |what| matches!(what, What::Told { event: Event::Subscribed { .. }, .. }))
    }),
    ("missing_message", |history| remove(history, is_message)),
    ("doubled_message", |history| double(history, is_message)),
    ("doubled_message", replay_an_event),
    ("order", |history| {
        let mut heard = false;
        let entries: Vec<Entry> = history.entries.clone();
        let turns = entries.windows(2).enumerate().filter(|(_, pair)| is_message(&pair[1].what));
        for (place, _) in turns {
            if std::mem::replace(&mut heard, true)
                && let What::Input {
                    input: Input::Message { message: wamp::Message::Event(event), .. }, ..
                } = &mut history.entries[place].what
            {
                event.publication = 0;
            }
        }
        heard
    }),
    ("message_content", |history| {
        edit(history, |what| match what {
            What::Told { event: Event::Message { delivery, .. }, .. } => {
                delivery.topic = Some(Topic::new("else"));
                true
            }
            _ => false,
        })
    }),
    ("message_content", |history| {
        edit(history, |what| match what {
            What::Told { event: Event::Message { delivery, .. }, .. } => {
                delivery.content = "p999".into();
                true
            }
            _ => false,
        })
    }),
    ("subscribed", |history| {
        double(history, |what| told(what, |event| matches!(event, Event::Subscribed { .. })))
    }),
    ("unsubscribed", |history| {
        double(history, |what| told(what, |event| matches!(event, Event::Unsubscribed { .. })))
    }),
    ("unsubscribed", |history| {
        remove(history, |what| told(what, |event| matches!(event, Event::Unsubscribed { .. })))
    }),
    ("double_subscribe", |history| {
        double(history, |what| matches!(what, What::Router(Truth::Subscribed { .. })))
    }),
    ("subscriptions_at_rest", |history| {
        edit(history, |what| match what {
            What::Router(Truth::Has { filters, .. }) => filters.pop().is_some(),
            _ => false,
        })
    }),
    ("subscriptions_at_rest", |history| {
        edit(history, |what| match what {
            What::Router(Truth::Has { filters, .. }) if !filters.is_empty() => {
                filters[0].uri.push('x');
                true
            }
            _ => false,
        })
    }),
    ("registered", |history| {
        double(history, |what| told(what, |event| matches!(event, Event::Registered { .. })))
    }),
    ("unregistered", |history| {
        double(history, |what| told(what, |event| matches!(event, Event::Unregistered { .. })))
    }),
    ("stale_invocation", |history| {
        history.entries.iter().any(|entry| is_invocation(&entry.what))
            && remove_all(history, |what| told(what, |event| matches!(event, Event::Registered { .. })))
    }),
    ("job_lost", |history| remove(history, |what| matches!(what, What::Router(Truth::JobDone { .. })))),
    ("job_lost", |history| {
        history.entries.iter().any(|entry| matches!(entry.what, What::Router(Truth::JobDone { .. })))
            && remove_all(history, is_invocation)
    }),
    ("registrations_at_rest", |history| {
        edit(history, |what| match what {
            What::Router(Truth::Has { wire, procedures, .. }) if wire.peer < 100 => {
                procedures.pop().is_some()
            }
            _ => false,
        })
    }),
    ("unanswered", |history| {
        edit(history, |what| match what {
            What::Router(Truth::Has { procedures, unanswered, .. }) if !procedures.is_empty() => {
                *unanswered += 1;
                true
            }
            _ => false,
        })
    }),
    ("answer", |history| {
        edit(history, |what| match what {
            What::Asked { ask: Ask::Answer { result: result @ Ok(()), .. }, .. } => {
                *result = Err(Error::Stale);
                true
            }
            _ => false,
        })
    }),
    ("answered_twice", |history| {
        double(history, |what| {
            matches!(what, What::Output { output: Out::Send { message: wamp::Message::Yield(part), .. }, .. }
                if part.options.is_empty())
        })
    }),
    ("invocation", |history| double(history, is_invocation)),
    ("interrupted", |history| {
        double(history, |what| told(what, |event| matches!(event, Event::Interrupted { .. })))
    }),
    ("interrupted", |history| {
        let lost = |what: &What| told(what, |event| matches!(event, Event::Interrupted { .. }));
        let answered = |what: &What| matches!(what, What::Asked { ask: Ask::Answer { .. }, .. });
        remove_all(history, lost) && remove_all(history, answered)
    }),
    ("status", |history| {
        double(history, |what| told(what, |event| matches!(event, Event::Status(Status::Connected(_)))))
    }),
    ("after_end", |history| {
        let end = history.entries.len() - 1;
        let closed = What::Told { peer: 0, event: Event::Status(Status::Closed { failure: None }) };
        insert_turn(history, end, Input::Timeout, vec![closed])
    }),
    ("end", |history| remove(history, is_closed)),
    ("end_in_time", |history| {
        let Some(place) = place(history, |what| matches!(what, What::Asked { ask: Ask::Close, .. })) else {
            return false;
        };
        for entry in &mut history.entries[place + 1..] {
            entry.at += 100_000;
        }
        true
    }),
    ("drained", |history| {
        let Some(place) =
            place(history, |what| matches!(what, What::Asked { ask: Ask::Drain { timeout: 5_000 }, .. }))
        else {
            return false;
        };
        let (at, peer) = (history.entries[place].at, peer(&history.entries[place].what));
        let to = Destination::Topic(Topic::new("a"));
        let ask = Ask::Publish { token: "p999".to_owned(), mode: DeliveryMode::Queued, to, result: Ok(None) };
        let settled = What::Settled { peer, waiting: 0, next: None };
        history.entries.insert(place, Entry { at, what: settled });
        history.entries.insert(place, Entry { at, what: What::Asked { peer, ask } });
        true
    }),
    ("sockets", |history| {
        double(history, |what| matches!(what, What::Output { output: Out::Open { .. }, .. }))
    }),
    ("ghost", |history| {
        let Some(place) = place(history, is_message) else { return false };
        let cause = history.entries[..place].iter().rposition(|entry| is_cause(&entry.what)).expect("a turn");
        let What::Input { input: Input::Message { socket, .. }, .. } = &mut history.entries[cause].what
        else {
            return false;
        };
        *socket = 999;
        true
    }),
    ("blocked", |history| {
        let Some(place) = place(history, is_publish) else { return false };
        let What::Output { output: Out::Send { socket, .. }, .. } = &history.entries[place].what else {
            return false;
        };
        let (socket, blocked) = (*socket, true);
        insert_turn(history, place, Input::Blocked { socket, blocked }, Vec::new())
    }),
    ("violation", |history| {
        let wire = Wire { peer: 0, socket: 1 };
        let truth = Truth::Violation { wire, why: "planted".to_owned() };
        history.entries.insert(0, Entry { at: 0, what: What::Router(truth) });
        true
    }),
];

/// More of them, which are about what a session says of itself.
const MORE: [Plant; 4] = [
    ("busy", |history| {
        let woken = |what: &What| matches!(what, What::Input { input: Input::Timeout, .. });
        let Some(place) = place(history, woken) else { return false };
        let at = history.entries[place].at;
        let settled = history.entries[place..].iter_mut().find_map(|entry| match &mut entry.what {
            What::Settled { next, .. } => Some(next),
            _ => None,
        });
        *settled.expect("turns end") = Some(at);
        true
    }),
    ("waiting", |history| {
        let last = history.entries.iter_mut().rev().find_map(|entry| match &mut entry.what {
            What::Settled { waiting, .. } => Some(waiting),
            _ => None,
        });
        *last.expect("turns end") = 7;
        true
    }),
    ("unannounced", |history| {
        let uses = |what: &What| match what {
            What::Output {
                output: Out::Send { message: wamp::Message::Subscribe(subscribe), .. }, ..
            } => subscribe.options.has("_pattern"),
            _ => false,
        };
        let is_used = history.entries.iter().any(|entry| uses(&entry.what));
        for entry in &mut history.entries {
            if let What::Input {
                input: Input::Message { message: wamp::Message::Welcome(welcome), .. },
                ..
            } = &mut entry.what
            {
                welcome.details.remove("_pattern");
            }
        }
        is_used
    }),
    ("at_rest", |history| {
        let Some(rest) = place(history, |what| matches!(what, What::Rest)) else { return false };
        let failure = Failure::Silent;
        let waiting = What::Told { peer: 0, event: Event::Status(Status::Waiting { failure, wait: 9 }) };
        let is_over = history.entries[..rest].iter().any(|entry| is_closed(&entry.what));
        !is_over && insert_turn(history, rest, Input::Timeout, vec![waiting])
    }),
];

/// The judge is no good if it sees nothing.
#[test]
fn each_planted_fault_is_found() {
    let histories: Vec<History> = (0..RUNS)
        .map(|seed| {
            let tree = scripts().new_tree(&mut runner(seed)).expect("scripts can be made");
            show(&tree.current(), |_| {})
        })
        .filter(|shown| shown.verdicts.is_empty())
        .map(|shown| shown.history)
        .collect();
    for (number, (rule, plant)) in PLANTS.iter().chain(&MORE).enumerate() {
        let mut spoiled = histories.iter().filter_map(|history| {
            let mut history = history.clone();
            plant(&mut history).then_some(history)
        });
        let is_found = spoiled.any(|history| judge(&history).iter().any(|verdict| verdict.rule == *rule));
        assert!(is_found, "fault {number}, `{rule}`, was not found");
    }
}

/// A router that gives results to the wrong callers is found out.
#[test]
fn a_router_that_mixes_up_results_is_found() {
    let is_found = (0..RUNS).any(|seed| {
        let tree = scripts().new_tree(&mut runner(seed)).expect("scripts can be made");
        let shown = show(&tree.current(), |world| world.router.manners.swap = true);
        shown.verdicts.iter().any(|verdict| verdict.rule == "wrong_answer")
    });
    assert!(is_found);
}

/// Of two answers to a call the first one counts, and the second one does no harm.
#[test]
fn a_router_that_answers_twice_does_no_harm() {
    for seed in 0..RUNS {
        let tree = scripts().new_tree(&mut runner(seed)).expect("scripts can be made");
        let shown = show(&tree.current(), |world| world.router.manners.twice = true);
        let first = shown.verdicts.first();
        assert!(first.is_none(), "seed {seed}: {first:?}");
    }
}

fn send_what_was_answered(history: &mut History) -> bool {
    let Some(sent) = place(history, is_publish) else { return false };
    let What::Output { peer, output: Out::Send { message: wamp::Message::Publish(publish), .. } } =
        &history.entries[sent].what
    else {
        return false;
    };
    let (peer, name) = (*peer, token(&publish.payload));
    let asked = history.entries.iter().find_map(|entry| match &entry.what {
        What::Asked { ask: Ask::Publish { token, result: Ok(Some(request)), .. }, .. } if *token == name => {
            Some(*request)
        }
        _ => None,
    });
    let Some(request) = asked else { return false };
    let is_its = |what: &What| {
        matches!(what, What::Told { peer: owner, event: Event::Done { request: there, .. } }
            if (*owner, *there) == (peer, request))
    };
    let Some(done) = place(history, is_its) else { return false };
    let what = history.entries[sent].what.clone();
    insert_turn(history, done, Input::Timeout, vec![what])
}

fn lose_what_was_not_sent(history: &mut History) -> bool {
    let is_some = edit(history, |what| match what {
        What::Told { event: Event::Done { outcome: outcome @ Ok(Outcome::Published), .. }, .. } => {
            *outcome = Err(Error::Lost);
            true
        }
        _ => false,
    });
    is_some && remove_all(history, is_publish)
}

/// As a driver that passes the same message on twice.
fn replay_an_event(history: &mut History) -> bool {
    let Some(told) = place(history, is_message) else { return false };
    let begin = history.entries[..told].iter().rposition(|entry| is_cause(&entry.what)).expect("a turn");
    let length = history.entries[begin..].iter().position(|entry| matches!(entry.what, What::Settled { .. }));
    let end = begin + length.expect("turns end") + 1;
    let turn = history.entries[begin..end].to_vec();
    history.entries.splice(end..end, turn);
    true
}

/// Adds a turn of the same session behind the one that `place` is in.
fn insert_turn(history: &mut History, place: usize, input: Input, between: Vec<What>) -> bool {
    let is_blocked = matches!(input, Input::Blocked { .. });
    let at = history.entries[place].at;
    let peer = peer(between.first().unwrap_or(&history.entries[place].what));
    let mut turn = vec![What::Input { peer, input }];
    turn.extend(between);
    turn.push(What::Settled { peer, waiting: 0, next: None });
    // A blocked socket has to be so before; everything else comes after the turn.
    let spot = if is_blocked {
        history.entries[..=place].iter().rposition(|entry| is_cause(&entry.what))
    } else {
        let is_outside = matches!(history.entries[place].what, What::Rest | What::End);
        let settled = |entry: &Entry| matches!(entry.what, What::Settled { .. });
        let after = history.entries[place..].iter().position(settled).map(|length| place + length + 1);
        if is_outside { Some(place) } else { after }
    };
    let spot = spot.expect("turns begin and end");
    history.entries.splice(spot..spot, turn.into_iter().map(|what| Entry { at, what }));
    true
}

fn place(history: &History, is_it: impl Fn(&What) -> bool) -> Option<usize> {
    history.entries.iter().position(|entry| is_it(&entry.what))
}

fn double(history: &mut History, is_it: impl Fn(&What) -> bool) -> bool {
    let Some(place) = place(history, is_it) else { return false };
    history.entries.insert(place, history.entries[place].clone());
    true
}

fn remove(history: &mut History, is_it: impl Fn(&What) -> bool) -> bool {
    let Some(place) = place(history, is_it) else { return false };
    history.entries.remove(place);
    true
}

fn remove_all(history: &mut History, is_it: impl Fn(&What) -> bool) -> bool {
    let before = history.entries.len();
    // The end of a turn goes with its beginning.
    let mut is_inside = false;
    history.entries.retain(|entry| {
        if is_it(&entry.what) {
            is_inside = is_cause(&entry.what);
            return false;
        }
        !(is_inside && {
            is_inside = !matches!(entry.what, What::Settled { .. });
            true
        })
    });
    history.entries.len() < before
}

fn edit(history: &mut History, spoil: impl Fn(&mut What) -> bool) -> bool {
    history.entries.iter_mut().any(|entry| spoil(&mut entry.what))
}

fn is_cause(what: &What) -> bool {
    matches!(what, What::Asked { .. } | What::Input { .. })
}

fn told(what: &What, is_it: impl Fn(&Event) -> bool) -> bool {
    matches!(what, What::Told { event, .. } if is_it(event))
}

fn done(what: &What) -> Option<&Result<Outcome, Error>> {
    match what {
        What::Told { event: Event::Done { outcome, .. }, .. } => Some(outcome),
        _ => None,
    }
}

fn is_done(what: &What) -> bool {
    done(what).is_some()
}

fn is_message(what: &What) -> bool {
    told(what, |event| matches!(event, Event::Message { .. }))
}

fn is_invocation(what: &What) -> bool {
    told(what, |event| matches!(event, Event::Invocation { .. }))
}

fn is_closed(what: &What) -> bool {
    told(what, |event| matches!(event, Event::Status(Status::Closed { .. })))
}

fn is_publish(what: &What) -> bool {
    matches!(what, What::Output { output: Out::Send { message: wamp::Message::Publish(_), .. }, .. })
}

fn is_fired(what: &What) -> bool {
    matches!(what, What::Asked { ask: Ask::Publish { mode: DeliveryMode::Fire, result: Ok(_), .. }, .. })
}

fn event(what: &What) -> &Event {
    match what {
        What::Told { event, .. } => event,
        other => panic!("{other:?} is no event"),
    }
}

fn peer(what: &What) -> usize {
    match what {
        What::Asked { peer, .. }
        | What::Input { peer, .. }
        | What::Output { peer, .. }
        | What::Told { peer, .. }
        | What::Settled { peer, .. } => *peer,
        other => panic!("{other:?} is of no peer"),
    }
}
