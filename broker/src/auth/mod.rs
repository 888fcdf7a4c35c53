//! Who is who, and who may do what: the access file, the hooks of an embedding program, and the ready-made question
//! to an HTTP server.

mod about;
mod access;
mod challenge;
mod hooks;
mod question;
mod rules;
mod subrequest;
mod users;

pub(crate) use access::SharedAccess;
pub use access::{AccessError, check_access};
pub(crate) use challenge::{Challenge, Greeting, Opening, Who};
pub use hooks::{Action, Client, Denied, Operation, Refusal, RequestHead, Verdict};
pub(crate) use hooks::{Asking, Hooks};
pub(crate) use question::Question;
pub(crate) use subrequest::Subrequest;
