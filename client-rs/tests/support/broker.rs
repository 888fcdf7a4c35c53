//! Our broker, in the process of the test.

use std::path::Path;

use petasus_broker::Broker;
use petasus_broker::config::{Config, Seconds};
use tempfile::NamedTempFile;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use super::soon;

/// A broker that serves until it is dropped or stopped.
pub(crate) struct Running {
    /// `ws://HOST:PORT` or `wss://HOST:PORT`.
    pub(crate) url: String,
    pub(crate) broker: Broker,
    /// The access file, which is read again on demand.
    _access: Option<NamedTempFile>,
    stop: oneshot::Sender<()>,
    task: JoinHandle<usize>,
}

/// The development defaults on a free port, without the admin listener. `listen` is the URL.
pub(crate) fn config(listen: &str) -> Config {
    let mut config = Config { listen: vec![listen.parse().unwrap()], ..Config::default() };
    config.admin.listen = None;
    config.drain_timeout = Seconds::from_f64(0.5).unwrap();
    config
}

impl Running {
    /// One as it is by default.
    pub(crate) async fn start() -> Running {
        Running::start_with(|_| {}).await
    }

    /// One that is configured otherwise.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Config)) -> Running {
        let mut config = config("http://127.0.0.1:0");
        change(&mut config);
        Running::start_broker(Broker::builder().config(config).build().unwrap(), None).await
    }

    /// One with this access file.
    pub(crate) async fn start_guarded(access: &str) -> Running {
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), access).unwrap();
        let mut config = config("http://127.0.0.1:0");
        file.path().to_str().unwrap().clone_into(&mut config.auth.access);
        Running::start_broker(Broker::builder().config(config).build().unwrap(), Some(file)).await
    }

    /// One that speaks TLS, with the certificate in `cert.pem` and the key in `key.pem` of a folder.
    pub(crate) async fn start_secure(folder: &Path) -> Running {
        let (cert, key) = (folder.join("cert.pem"), folder.join("key.pem"));
        let listen = format!("https://127.0.0.1:0?cert={}&key={}", cert.display(), key.display());
        let broker = Broker::builder().config(config(&listen)).build().unwrap();
        Running::start_broker(broker, None).await
    }

    /// One that the test has built itself.
    pub(crate) async fn start_broker(broker: Broker, access: Option<NamedTempFile>) -> Running {
        let server = broker.bind().await.unwrap();
        let url = server.addresses()[0].replacen("http", "ws", 1);
        let url = url.split('?').next().unwrap().to_owned();
        let (stop, stopped) = oneshot::channel();
        let task = tokio::spawn(server.run(async { drop(stopped.await) }));
        Running { url, broker, _access: access, stop, task }
    }

    /// `HOST:PORT`.
    pub(crate) fn authority(&self) -> &str {
        self.url.split_once("://").unwrap().1
    }

    /// The sum of the series of a metric.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let text = self.broker.metrics();
        let series = text.lines().filter_map(|line| line.strip_prefix(name)?.split_once(' '));
        let own = series.filter(|(labels, _)| labels.is_empty() || labels.starts_with('{'));
        own.map(|(_, value)| value.parse::<f64>().unwrap() as u64).sum()
    }

    /// Drains and ends.
    pub(crate) async fn stop(self) {
        drop(self.stop);
        soon("the end of the broker", self.task).await.unwrap();
    }
}
