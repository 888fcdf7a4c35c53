//! Our own broker in this process: pipes in memory in place of sockets, and a clock that stands still while anybody is
//! busy. So a deadline that passes costs nothing, thousands of cases fit into seconds, and the load of the machine decides
//! nothing. With the feature `mem` only: everything else of the harness knows no broker's code.
//!
//! The broker is the real one, from the first byte of a request on; what is not tried here are its listeners, TLS, and
//! the ways by which other tasks write to a TCP or UNIX socket directly. A pipe in memory is no socket of the system on
//! purpose: tokio does not see what the system has under way, and would let its paused clock jump past it.
//!
//! What chance there is comes from the seed: scripts, names, masks, keys, and the ids that the broker gives. Not from it
//! come the order in which `select!` looks at its branches, the order of hash tables, nonces, which are secrets, and the field
//! `Date` of HTTP answers.

use std::io;
use std::sync::Arc;

use petasus_broker::config::{Config, Dialects};

use crate::driver::{Dial, Driver, Duplex, Fut, Target, TargetError};
use crate::launch::{Broker, LaunchError, Launcher, Wanted, configuration};

/// The address of this broker in settings.
pub const URL: &str = "mem:";

/// Bytes that may be under way in each direction: about what a socket of the system takes.
const PIPE: usize = 256 * 1024;

/// A broker in memory. It lives in the run time in which it is first spoken to.
#[derive(Clone)]
pub struct Mem {
    broker: petasus_broker::Broker,
    dialects: Dialects,
}

/// Starts such brokers.
#[derive(Clone, Debug)]
pub struct Starter {
    dialects: Dialects,
}

impl Starter {
    /// One whose brokers speak the dialect of a driver: Pinghub is alone at its address, all others are together.
    pub fn of(driver: &dyn Driver) -> Self {
        let is_pinghub = driver.about().profiles.contains(&"pinghub");
        let alone = Dialects { mercury: false, wamp: false, pinghub: Some(String::new()) };
        Self { dialects: if is_pinghub { alone } else { Dialects::default() } }
    }

    /// Starts one.
    ///
    /// # Errors
    /// It cannot be configured so.
    pub fn start(&self, wanted: &Wanted) -> Result<Mem, LaunchError> {
        let failed = |why: String| LaunchError::Start { program: URL.to_owned(), why: io::Error::other(why) };
        let config: Config =
            toml::from_str(&configuration(wanted)).map_err(|error| failed(error.to_string()))?;
        let broker = petasus_broker::Broker::builder().config(config).build();
        let broker = broker.map_err(|error| failed(error.to_string()))?;
        Ok(Mem { broker, dialects: self.dialects.clone() })
    }
}

impl Mem {
    /// The way to it.
    pub fn target(&self) -> Target {
        Target::through(Arc::new(self.clone()))
    }
}

impl Dial for Mem {
    fn dial(&self) -> Fut<'_, io::Result<Box<dyn Duplex>>> {
        let (ours, theirs) = tokio::io::duplex(PIPE);
        let Self { broker, dialects } = self.clone();
        tokio::spawn(async move { broker.serve(theirs, None, dialects).await });
        Box::pin(async move { Ok(Box::new(ours) as Box<dyn Duplex>) })
    }
}

impl Launcher for Starter {
    fn caps(&self) -> Vec<String> {
        vec!["config.origin".to_owned()]
    }

    fn launch<'a>(&'a self, wanted: &'a Wanted) -> Fut<'a, Result<Box<dyn Broker>, LaunchError>> {
        Box::pin(async move { Ok(Box::new(self.start(wanted)?) as Box<dyn Broker>) })
    }
}

impl Broker for Mem {
    fn url(&self) -> String {
        URL.to_owned()
    }

    fn target(&self) -> Result<Target, TargetError> {
        Ok(Self::target(self))
    }
}

/// A run time on this thread whose clock stands still while anybody is busy, and jumps to the next deadline when all wait.
/// What is drawn at random on this thread from now on comes from the seed.
///
/// # Panics
/// The system gives out no run time, for want of files or memory.
pub fn runtime(seed: u64) -> tokio::runtime::Runtime {
    fastrand::seed(seed);
    tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .expect("the system gives out a run time")
}
