//! The session over Mercury's wire, played through without a socket.

mod ending;
mod posts;
mod publishing;
mod random;
mod rig;
mod status;
mod subscriptions;
