//! The Petasus message broker as a library.
//!
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! use petasus_broker::{Broker, config::Config};
//!
//! let broker = Broker::builder().config(Config::default()).build()?;
//! let server = broker.bind().await?;
//! println!("listening on {}", server.addresses().join(", "));
//! server.run(std::future::pending()).await;
//! # Ok(())
//! # }
//! ```
//!
//! Inside another program's HTTP server, [`Broker::service`] answers requests on the same port; see
//! `examples/embed.rs`. [`Broker::serve`] takes a stream that was opened in any way. The program itself takes part by [`Broker::session`], a WAMP session without a socket; see
//! [`local`].
//!
//! # Rooms
//!
//! `listener` accepts, speaks HTTP and upgrades. `connection` reads and writes WebSocket frames, one task per
//! connection. `dialect` translates between a wire and operations. [`hub`] routes: pure, synchronous, one
//! file per pattern. `realm` holds the hub's patterns behind their locks. `auth` asks hooks. `admin` shows
//! what is going on. [`local`] are the sessions of an embedding program. [`config`] is all that can be set.
//!
//! **Invariant:** `hub` and `dialect` name no run time, socket or clock; only `listener` names hyper's server;
//! only `connection` names the WebSocket crate. A test checks this.
#![deny(unsafe_code)]

mod admin;
pub mod auth;
mod broker;
mod clock;
pub mod config;
mod connection;
mod core;
mod dialect;
mod endpoint;
pub mod hub;
mod listener;
pub mod local;
mod random;
mod realm;
mod session;

pub use broker::{Broker, BrokerService, BuildError, Builder, ReloadError};
pub use dialect::wamp::wamp_features;
pub use dialect::{Pattern, Role};
pub use hub::{CustomPattern, Peer};
pub use listener::{BindError, Server, TlsError};
