//! A broker in this process, on free ports of the loopback.

use std::net::SocketAddr;

use petasus_broker::Broker;
use petasus_broker::config::{Config, Seconds};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::raw::soon;

/// A broker that serves until it is dropped or stopped.
pub struct Running {
    pub address: SocketAddr,
    stop: oneshot::Sender<()>,
    task: JoinHandle<()>,
}

/// The development defaults on a free port, without the admin listener. `listen` is the URL.
pub fn config(listen: &str) -> Config {
    let mut config = Config { listen: vec![listen.parse().unwrap()], ..Config::default() };
    config.admin.listen = None;
    config
}

pub fn seconds(seconds: f64) -> Seconds {
    Seconds::from_f64(seconds).unwrap()
}

impl Running {
    pub async fn start(config: Config) -> Running {
        let server = Broker::builder().config(config).build().unwrap().bind().await.unwrap();
        let url = server.addresses()[0].trim_start_matches("http://").to_owned();
        let address = url.split(['/', '?']).next().unwrap().parse().unwrap();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(async move {
            let _ = server.run(async { drop(stopped.await) }).await;
        });
        Running { address, stop, task }
    }

    /// Drains and ends.
    pub async fn stop(self) {
        drop(self.stop);
        soon("the broker to stop", self.task).await.unwrap();
    }
}
