//! What a message broker promises, as a list that programs can read, and a harness that holds any broker against it.
//!
//! # The list
//!
//! [`Requirements`] is `spec/requirements.toml`, parsed and checked; [`spec`] writes `SPEC.md` from it. [`citations`] finds
//! the ids that documents, sources and tests cite and says which of them do not fit the list; [`features`] holds what the
//! broker announces to WAMP clients against the list, and writes the table of what proves it.
//!
//! ```
//! use petasus_conformance::{Level, Requirements};
//!
//! let list = Requirements::built_in();
//! let echo = list.get("REQ-BUS-002").expect("the list holds it");
//! assert_eq!(echo.level, Level::Must);
//! assert!(echo.text.contains("echo"));
//! ```
//!
//! # The harness
//!
//! ```text
//!  check::FAMILY      script --plan--> plan::Plan            pure
//!  exec               Plan --driver--> history::History      the only place that waits
//!  check::FAMILY      History --judge--> Vec<Violation>      pure
//!  run                cases, shrinking, triage, verdicts
//!  report, front, bin what is told
//! ```
//!
//! - A *script* is small, readable and typed by its family; every part of a script is a script, so that shrinking cannot
//!   break it. A replay token holds the minimal one.
//! - A *plan* is the same for all families: open, send, flush, await, leave. One executor carries all of them out.
//! - A *history* is all that a judge knows. Whatever a judge needs has to be an event. So a history that was recorded
//!   once, of a broker that nobody can install any more, can be judged for ever (`tests/histories.rs`).
//! - A *driver* speaks one dialect. Its ports put what they see into an inbox; the executor alone decides what to wait for.
//! - [`model`] says what is meant to happen. It knows no broker's code, and [`raw`] is a WebSocket codec of our own.
//!
//! Nothing sleeps for "not delivered": barriers prove that everything is there, connections of finished cases stay open
//! for a while to see what comes late, and deadlines are long because they cost nothing where everything comes.
//!
//! A requirement that is found broken by the wrong id hides everything else: [`mutants`] are brokers with one
//! defect each, and each has to be found by the requirements that it breaks and by no others.

pub mod caps;
pub mod check;
pub mod citations;
pub mod command;
pub mod driver;
pub mod exec;
pub mod fault;
mod feature;
pub mod features;
pub mod front;
pub mod history;
mod id;
pub mod launch;
#[cfg(feature = "mem")]
pub mod mem;
pub mod model;
#[cfg(feature = "mutants")]
pub mod mutants;
pub mod namespace;
mod params;
pub mod plan;
pub mod proofs;
pub mod raw;
pub mod report;
mod requirements;
pub mod run;
pub mod settings;
pub mod spec;

pub use feature::{Feature, FeatureError};
pub use id::{IdError, RequirementId};
pub use params::{Params, Patterns};
pub use requirements::{Level, Requirement, Requirements, RequirementsError, Testable};
