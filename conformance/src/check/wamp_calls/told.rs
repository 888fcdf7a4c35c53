//! Callers who want to be known, and callers who do not.

use proptest::prelude::*;

use super::{arrivals, calls, wrong};
use crate::check::asking::Asking;
use crate::check::talk::Talk;
use crate::check::{Card, Family, Params, Violation};
use crate::history::History;
use crate::model::{Calling, Give, Match, Policy, Request};
use crate::plan::Plan;

const ID: &str = "REQ-WAMP-051";

/// Two callers and a callee.
const CALLEE: usize = 2;

/// The check.
#[derive(Clone, Copy, Debug)]
pub(super) struct Told;

impl Family for Told {
    /// Who calls, and whether the callee may know it.
    type Script = Vec<(usize, bool)>;

    fn card(&self) -> Card {
        Card {
            name: "wamp_calls.disclosed",
            about: "Callees learn who calls if the caller wants it, and only then.",
            requirements: &[ID],
            caps: &["rpc.disclosure"],
            any_of: &[],
            weight: 40,
        }
    }

    fn scripts(&self, _: &Params) -> BoxedStrategy<Self::Script> {
        prop::collection::vec((0..2_usize, any::<bool>()), 1..6).boxed()
    }

    fn classics(&self, _: &Params) -> Vec<Self::Script> {
        vec![vec![(0, true), (0, false), (1, true), (1, false)]]
    }

    fn plan(&self, script: &Self::Script, _: &Params) -> Plan {
        let mut asking = Asking::new(CALLEE + 1);
        let (matching, policy) = (Match::Exact, Policy::Single);
        let procedure = "p".to_owned();
        asking.ask_and_wait(CALLEE, Request::Register { procedure, matching, policy, concurrency: None });
        for &(who, disclose) in script {
            let calling = Calling { procedure: "p".to_owned(), disclose, piece: None };
            let number = asking.ask(who % 2, Request::CallWith(calling));
            asking.serve(who % 2, number, &[Give::Result]);
            asking.wait(who % 2, number);
        }
        asking.plan()
    }

    fn judge(&self, history: &History) -> Vec<Violation> {
        let talk = Talk::of(history);
        let mut violations = Vec::new();
        for (ask, calling) in calls(&talk) {
            let wanted = talk.identities.get(&ask.id.0).filter(|_| calling.disclose);
            match arrivals(&talk, ask).first() {
                None => violations.push(wrong(ID, ask, "reached nobody")),
                Some(invoked) if invoked.caller.as_ref() == wanted => {}
                Some(invoked) => {
                    let (told, text) = (&invoked.caller, ask.text());
                    let text = format!("{text} came to its callee as called by {told:?}, not {wanted:?}");
                    violations.push(Violation::safety(ID, text));
                }
            }
        }
        violations
    }
}
