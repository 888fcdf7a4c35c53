//! What a message broker promises, as a list that programs can read.
//!
//! [`Requirements`] is `spec/requirements.toml`, parsed and checked. [`citations`] finds the ids that documents,
//! sources and tests cite and says which of them do not fit the list; [`features`] holds what the broker announces to WAMP
//! clients against the list, and writes the table of what proves it. The harness that holds brokers against the
//! list will live here too.
//!
//! ```
//! use petasus_conformance::{Level, Requirements};
//!
//! let list = Requirements::built_in();
//! let echo = list.get("REQ-BUS-002").expect("the list holds it");
//! assert_eq!(echo.level, Level::Must);
//! assert!(echo.text.contains("echo"));
//! ```

pub mod citations;
mod feature;
pub mod features;
mod id;
pub mod proofs;
mod requirements;

pub use feature::{Feature, FeatureError};
pub use id::{IdError, RequirementId};
pub use requirements::{Level, Requirement, Requirements, RequirementsError, Testable};
