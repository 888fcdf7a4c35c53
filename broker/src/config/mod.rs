//! What an operator can set, where it is read from, and how a mistake in it is reported.
//!
//! One set of structs is the whole truth: keys, defaults, ranges and the printed reference come from [`Config`] and
//! its sections. A configuration is put together from the file, the environment and the command line, in rising
//! order of rank, by [`Layers`]; every problem of all of them is reported at once, each with its place.

mod address;
mod choices;
mod keys;
mod layers;
mod listen;
mod nearest;
mod off;
mod problem;
mod reference;
mod seconds;
mod sections;
#[cfg(test)]
mod tests;
mod validate;
mod wamp;

pub use address::{HostPort, HostPortError};
pub use choices::{LogFormat, Mode, OriginMatch, OverflowPolicy, WithoutPuller};
pub use layers::Layers;
pub use listen::{Dialects, Endpoint, ListenAddress, ListenError, TlsFiles};
pub(crate) use nearest::hint;
pub use problem::{ConfigError, Fault, Place, Problem};
pub use reference::reference;
pub use seconds::{Seconds, SecondsError};
pub use sections::{Admin, Auth, Config, Hooks, Limits, Log, Outbox, Pinghub, Queue, Timeouts};
pub use wamp::Wamp;
