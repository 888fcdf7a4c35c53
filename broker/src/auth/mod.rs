//! Who may do what: the hooks of an embedding program, and the ready-made question to an HTTP server.

mod hooks;
mod subrequest;

pub(crate) use hooks::Hooks;
pub use hooks::{Action, Client, Denied, Operation, Refusal, RequestHead, Verdict};
pub(crate) use subrequest::Subrequest;
