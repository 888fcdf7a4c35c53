//! The listening socket.

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex};
use std::{io, sync::atomic};

use tokio::net::TcpListener;
use tokio::task::{JoinHandle, JoinSet};

use super::connection::Shared;
use super::rooms::Rooms;
use super::{Mutant, connection};
use crate::driver::Fut;
use crate::launch::{Broker, LaunchError, Launcher, Wanted};

/// A broker that serves until it is dropped.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    task: JoinHandle<()>,
}

impl Running {
    /// Starts one on a free port of the loopback interface, in the tokio run time of the caller.
    ///
    /// # Errors
    /// There is no port.
    pub async fn start(mutant: Mutant) -> io::Result<Self> {
        Self::start_with(mutant, (Ipv4Addr::LOCALHOST, 0).into(), Wanted::default()).await
    }

    /// The same at an address.
    ///
    /// # Errors
    /// It is taken, or not of this machine.
    pub async fn start_at(mutant: Mutant, address: SocketAddr) -> io::Result<Self> {
        Self::start_with(mutant, address, Wanted::default()).await
    }

    async fn start_with(mutant: Mutant, address: SocketAddr, wanted: Wanted) -> io::Result<Self> {
        let listener = TcpListener::bind(address).await?;
        if let Mutant::Wamp(defect) = mutant {
            let (address, task) = super::wamp::serve(listener, defect)?;
            return Ok(Self { address, task });
        }
        let address = listener.local_addr()?;
        let shared = Arc::new(Shared { mutant, wanted, rooms: Mutex::new(Rooms::new(mutant)) });
        let task = tokio::spawn(async move {
            let ids = atomic::AtomicU64::new(0);
            let mut connections = JoinSet::new();
            loop {
                let Ok((socket, _)) = listener.accept().await else { continue };
                let id = ids.fetch_add(1, atomic::Ordering::Relaxed);
                connections.spawn(connection::serve(socket, id, Arc::clone(&shared)));
                while connections.try_join_next().is_some() {}
            }
        });
        Ok(Self { address, task })
    }

    /// `ws://HOST:PORT`.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }
}

impl Broker for Running {
    fn url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Launcher for Mutant {
    fn caps(&self) -> Vec<String> {
        vec!["config.origin".to_owned()]
    }

    fn launch<'a>(&'a self, wanted: &'a Wanted) -> Fut<'a, Result<Box<dyn Broker>, LaunchError>> {
        Box::pin(async move {
            let running = Self::running(*self, wanted.clone()).await;
            let failed = |why| LaunchError::Start { program: format!("{self:?}"), why };
            Ok(Box::new(running.map_err(failed)?) as Box<dyn Broker>)
        })
    }
}

impl Mutant {
    async fn running(self, wanted: Wanted) -> io::Result<Running> {
        Running::start_with(self, (Ipv4Addr::LOCALHOST, 0).into(), wanted).await
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}
