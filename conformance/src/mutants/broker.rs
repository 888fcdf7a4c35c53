//! The listening socket.

use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use tokio::net::TcpListener;
use tokio::sync::Notify;
use tokio::task::{JoinHandle, JoinSet};

use super::connection::Shared;
use super::rooms::{Endpoint, Rooms};
use super::{Mutant, connection};
use crate::driver::Fut;
use crate::launch::{Broker, LaunchError, Launcher, Wanted, free_listener};
use crate::raw::Frame;

/// A broker that serves until it is dropped.
pub struct Running {
    /// Where it listens.
    pub address: SocketAddr,
    pub(super) mutant: Mutant,
    pub(super) wanted: Wanted,
    pub(super) serving: Option<Serving>,
    /// What it remembers over a restart, for a mutant.
    pub(super) remembered: Arc<Mutex<Vec<Remembered>>>,
}

/// One that runs.
pub(super) struct Serving {
    pub(super) task: JoinHandle<()>,
    pub(super) inside: Inside,
}

/// What is inside.
pub(super) enum Inside {
    Broker(Arc<Shared>),
    Router(super::wamp::Room),
}

/// A message of before: where, and what.
pub(super) type Remembered = (Endpoint, String, Frame);

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
        Self::start_on(TcpListener::bind(address).await?, mutant, wanted)
    }

    pub(super) fn start_on(listener: TcpListener, mutant: Mutant, wanted: Wanted) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let remembered = Arc::default();
        let mut running = Self { address, mutant, wanted, serving: None, remembered };
        running.serve(listener);
        Ok(running)
    }

    pub(super) fn serve(&mut self, listener: TcpListener) {
        if let Mutant::Wamp(defect) = self.mutant {
            let (router, task) = super::wamp::serve(listener, defect);
            self.serving = Some(Serving { task, inside: Inside::Router(router) });
            return;
        }
        let rooms =
            Mutex::new(Rooms::new(self.mutant, self.wanted.outbox_bytes, Arc::clone(&self.remembered)));
        let shared = Arc::new(Shared {
            mutant: self.mutant,
            wanted: self.wanted.clone(),
            rooms,
            stop: Notify::new(),
            is_stopping: AtomicBool::new(false),
        });
        let inside = Inside::Broker(Arc::clone(&shared));
        let task = tokio::spawn(async move {
            let mut connections = JoinSet::new();
            for id in 0.. {
                let accepted = tokio::select! {
                    accepted = listener.accept() => accepted,
                    () = shared.stop.notified() => break,
                };
                let Ok((socket, _)) = accepted else { continue };
                connections.spawn(connection::serve(socket, id, Arc::clone(&shared)));
                while connections.try_join_next().is_some() {}
            }
            drop(listener);
            while connections.join_next().await.is_some() {}
        });
        self.serving = Some(Serving { task, inside });
    }

    /// `ws://HOST:PORT`.
    pub fn url(&self) -> String {
        format!("ws://{}", self.address)
    }
}

impl Launcher for Mutant {
    fn caps(&self) -> Vec<String> {
        ["config.origin", "config.outbox", "slow.disconnect", "keepalive", "crash.restart"]
            .map(str::to_owned)
            .into()
    }

    fn launch<'a>(&'a self, wanted: &'a Wanted) -> Fut<'a, Result<Box<dyn Broker>, LaunchError>> {
        Box::pin(async move {
            let running = Self::running(*self, wanted.clone());
            let failed = |why| LaunchError::Start { program: format!("{self:?}"), why };
            Ok(Box::new(running.map_err(failed)?) as Box<dyn Broker>)
        })
    }
}

impl Mutant {
    /// At a port that stays free while it is being restarted.
    fn running(self, wanted: Wanted) -> io::Result<Running> {
        let listener = free_listener()?;
        listener.set_nonblocking(true)?;
        Running::start_on(TcpListener::from_std(listener)?, self, wanted)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(serving) = &self.serving {
            serving.task.abort();
        }
    }
}
