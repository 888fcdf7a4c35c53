//! What happens to connections on their way: a proxy between a client and the broker, one for each connection that a plan
//! disturbs.
//!
//! It lives in this process, needs no rights and no tools of the system, and is seen by no driver: a driver opens its
//! connection at another address, and that is all.

use serde::{Deserialize, Serialize};

mod link;

pub use link::Link;

/// What is done to a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Disturbance {
    /// From now on each write carries so many bytes at most, both ways; 0 counts as 1.
    Chop(u16),
    /// The client reads no more. What it sends still goes, so that this is a slow reader and not a dead one.
    Freeze,
    /// Nothing goes either way, and both sockets stay: the peer is not there any more, and nobody says so.
    HalfOpen,
    /// Everything goes again.
    Heal,
    /// The connection is reset, for the broker as for the client.
    Reset,
}
