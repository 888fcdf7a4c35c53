//! What brokers are meant to do, as pure values: no sockets, no clock, nothing of any broker's code.

pub mod door;
pub mod look;
pub mod origin;
pub mod payload;
pub mod request;
pub mod rfc6455;
pub mod saying;
pub mod topic;
pub mod wire;

pub use door::{Door, Pattern, Role, Tie};
pub use look::{Group, Identity, Look, Notice, Of, Scope, Told, Watched, Whom};
pub use payload::{Fill, Kind, Payload, Tag};
pub use request::{Answer, CALLEE_ERROR, Calling, CancelMode, Give, Match, Piece, Policy, Publish, Request};
pub use saying::{Blob, Carrier, Form, Item, Line, Message};
pub use topic::Topic;
pub use wire::{HttpBody, HttpRequest, Sent};
