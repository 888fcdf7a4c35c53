//! A broker in this process, on free ports of the loopback.
#![allow(dead_code, reason = "each test takes the part that it needs")]

use std::net::SocketAddr;

use petasus_broker::config::{Config, Seconds};
use petasus_broker::{BindError, Broker};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::raw::soon;

/// A broker that serves until it is dropped or stopped.
pub(crate) struct Running {
    /// The first TCP address.
    pub(crate) address: SocketAddr,
    /// All addresses, as URLs.
    pub(crate) urls: Vec<String>,
    pub(crate) admin: Option<SocketAddr>,
    pub(crate) munin: Option<SocketAddr>,
    pub(crate) broker: Broker,
    stop: oneshot::Sender<()>,
    task: JoinHandle<usize>,
}

/// The development defaults on a free port, without the admin listener. `listen` is the URL.
pub(crate) fn config(listen: &str) -> Config {
    let mut config = Config { listen: vec![listen.parse().unwrap()], ..Config::default() };
    config.admin.listen = None;
    // Most tests end while clients are connected that will not answer a Close frame.
    config.drain_timeout = seconds(0.1);
    config
}

pub(crate) fn seconds(seconds: f64) -> Seconds {
    Seconds::from_f64(seconds).unwrap()
}

impl Running {
    pub(crate) async fn start(config: Config) -> Running {
        Running::start_broker(Broker::builder().config(config).build().unwrap()).await.unwrap()
    }

    /// As `start`, for a broker that may fail to bind.
    pub(crate) async fn start_broker(broker: Broker) -> Result<Running, BindError> {
        let server = broker.bind().await?;
        let urls = server.addresses().to_vec();
        let address = urls.iter().find_map(|url| socket_address(url)).expect("a listener on TCP");
        let admin = server.admin_address().and_then(socket_address);
        let munin = server.munin_address();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.run(async { drop(stopped.await) }));
        Ok(Running { address, urls, admin, munin, broker, stop, task })
    }

    /// Drains and ends.
    pub(crate) async fn stop(self) {
        let _ = soon("the broker to stop", self.begin_to_stop()).await.unwrap();
    }

    /// Begins to drain. What is returned ends when the broker has, with the number of connections cut off.
    pub(crate) fn begin_to_stop(self) -> JoinHandle<usize> {
        drop(self.stop);
        self.task
    }
}

/// The address in a URL; `None` for a UNIX socket.
pub(crate) fn socket_address(url: &str) -> Option<SocketAddr> {
    let (_, rest) = url.split_once("://")?;
    rest.split(['/', '?']).next()?.parse().ok()
}
