//! The listeners: bind, accept, TLS, HTTP, upgrade, rawsocket. The only room that names hyper. It never sees a
//! topic.

mod accept;
mod bind;
mod host;
mod http;
mod longpoll;
mod page;
mod patient;
mod rawsocket;
mod tls;
mod upgrade;

use std::future::Future;
use std::sync::Arc;

use tokio::sync::watch;
use tokio::task::JoinSet;

pub(crate) use accept::serve;
pub use bind::BindError;
pub(crate) use http::{Place, Site};
pub(crate) use longpoll::Polls;
pub(crate) use tls::Certificate;
pub use tls::TlsError;

use crate::admin::Rates;
use crate::config::{Endpoint, HostPort, ListenAddress};
use crate::core::Core;
use crate::endpoint::Endpoints;
use accept::{Gate, Serves};
use bind::Bound;

/// Listeners that are bound and wait to be served.
pub struct Server {
    core: Arc<Core>,
    gates: Vec<(Bound, Gate)>,
    admin_gate: Option<(Bound, Gate)>,
    munin: Option<tokio::net::TcpListener>,
    addresses: Vec<String>,
    admin: Option<String>,
}

impl Server {
    /// Binds everything the configuration names. On an error nothing stays bound.
    pub(crate) async fn bind(
        core: Arc<Core>,
        endpoints: Arc<Endpoints>,
        polls: Arc<Polls>,
        certificates: &parking_lot::Mutex<Vec<Arc<Certificate>>>,
    ) -> Result<Self, BindError> {
        let mut gates = Vec::new();
        let mut addresses = Vec::new();
        for address in core.config.listen_addresses() {
            let (dialects, endpoints) = (address.dialects.clone(), endpoints.clone());
            let site = Site { core: core.clone(), dialects, endpoints, polls: polls.clone() };
            let (bound, gate, url) = gate(&address, Serves::Site(site), certificates).await?;
            gates.push((bound, gate));
            addresses.push(url);
        }
        let (mut admin, mut admin_gate) = (None, None);
        if let Some(address) = &core.config.admin.listen {
            let (bound, gate, url) = gate(address, Serves::Admin(core.clone()), certificates).await?;
            admin_gate = Some((bound, gate));
            admin = Some(url);
        }
        let munin = match &core.config.admin.munin {
            Some(HostPort { host, port }) => Some(bind::tcp(host, *port).await?),
            None => None,
        };
        Ok(Self { core, gates, admin_gate, munin, addresses, admin })
    }

    /// The URLs of the listeners, with the ports that were really bound.
    pub fn addresses(&self) -> &[String] {
        &self.addresses
    }

    /// The URL of the admin listener, if there is one.
    pub fn admin_address(&self) -> Option<&str> {
        self.admin.as_deref()
    }

    /// The address of the munin port, if there is one.
    pub fn munin_address(&self) -> Option<std::net::SocketAddr> {
        self.munin.as_ref().and_then(|listener| listener.local_addr().ok())
    }

    /// Serves until `shutdown` is ready, then drains: no new connections, 1001 to all, what is pending is
    /// flushed. What is left after `drain_timeout` is cut off; when this returns, no task of a connection is left.
    /// Returns how many connections were cut off.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> usize {
        let (stop, stopping) = watch::channel(false);
        let mut tasks = JoinSet::new();
        for (bound, gate) in self.gates {
            tasks.spawn(accept::run(bound, gate, stopping.clone()));
        }
        // Operators look on while the broker drains (REQ-ADM-001).
        let (close_admin, admin_closing) = watch::channel(false);
        if let Some((bound, gate)) = self.admin_gate {
            tasks.spawn(accept::run(bound, gate, admin_closing));
        }
        if let Some(listener) = self.munin {
            tasks.spawn(accept::munin(listener, self.core.clone(), Rates::default(), stopping.clone()));
        }
        self.core.keep_house();
        shutdown.await;
        tracing::info!("shutting down");
        // Nobody is listening only if every listener has failed, which it has said.
        let _ = stop.send(true);
        self.core.drain();
        let remaining = self.core.drained().await;
        let _ = close_admin.send(true);
        tasks.shutdown().await;
        // Somebody may have come just before the listeners closed.
        self.core.cut_off().await;
        remaining
    }
}

async fn gate(
    address: &ListenAddress,
    serves: Serves,
    certificates: &parking_lot::Mutex<Vec<Arc<Certificate>>>,
) -> Result<(Bound, Gate, String), BindError> {
    let certificate = match &address.tls {
        Some(files) => {
            let certificate = Arc::new(Certificate::load(files.clone())?);
            certificates.lock().push(certificate.clone());
            Some(certificate)
        }
        None => None,
    };
    let bound = bind::bind(&address.endpoint).await?;
    let mut real = address.clone();
    if let (Bound::Tcp(listener), Endpoint::Tcp { port, .. }) = (&bound, &mut real.endpoint)
        && let Ok(local) = listener.local_addr()
    {
        *port = local.port();
    }
    Ok((bound, Gate { serves, certificate }, real.url()))
}
