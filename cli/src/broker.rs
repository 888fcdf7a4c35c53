//! `petasus broker`: configuration, logging, signals, and the broker itself.

use std::{future::Future, io::Write, path::PathBuf, sync::Arc};

use petasus_broker::{
    Broker, Server,
    config::{Config, Endpoint, ListenAddress, Mode},
};
use tokio::{
    signal::unix::{Signal, SignalKind, signal},
    sync::Notify,
};

use crate::{
    Failure,
    logging::{self, LogFile},
    open_files,
    settings::FileArgs,
};

/// Arguments of `petasus broker`. What is not given comes from the environment, the file or the defaults.
#[derive(clap::Args, Default)]
pub(crate) struct Args {
    /// Address to listen on: `http://HOST:PORT`, `https://HOST:PORT?cert=FILE&key=FILE` or `http+unix://PATH`;
    /// `?dialects=pinghub` or `?dialects=mercury,wamp,pinghub:/MOUNT` says what is spoken there; may be repeated
    #[arg(short, long, value_name = "URL")]
    listen: Vec<String>,
    /// What the broker is run for; production serves no example page and needs --listen
    #[arg(short, long, value_name = "MODE", value_parser = ["development", "production"])]
    mode: Option<String>,
    /// Origin whose pages may connect, as in example.com or *.example.com; may be repeated
    #[arg(long, value_name = "PATTERN")]
    allow_origin: Vec<String>,
    #[command(flatten)]
    file: FileArgs,
    /// File that gets the log lines too, beside standard error; opened again on SIGHUP
    #[arg(long, value_name = "FILE")]
    log: Option<PathBuf>,
    /// Address for /healthz, /readyz and /metrics, or `none`
    #[arg(long, value_name = "URL")]
    admin: Option<String>,
}

/// Runs the broker until it is told to stop. `greet`: also says where help is.
pub(crate) fn run(args: &Args, greet: bool) -> Result<(), Failure> {
    let config = args.config()?;
    let open_files = open_files::raise();
    let log_file = logging::start(&config.log)?;
    open_files::warn_if_short(open_files, config.limits.connections);
    let mut runtime = tokio::runtime::Builder::new_multi_thread();
    if config.threads > 0 {
        runtime.worker_threads(config.threads);
    }
    let runtime = runtime.enable_all().build().map_err(|error| {
        Failure::local(format!("threads can not be started: {error}; lower the key `threads`"))
    })?;
    runtime.block_on(serve(config, log_file, greet))
}

impl Args {
    fn config(&self) -> Result<Config, Failure> {
        let (mut layers, _) = self.file.layers()?;
        let mut flag = |name: &str, key: &str, values: &[String]| {
            if !values.is_empty() {
                layers.flag(name, key, values);
            }
        };
        flag("--listen", "listen", &self.listen);
        flag("--mode", "mode", self.mode.as_slice());
        flag("--allow-origin", "allow_origin", &self.allow_origin);
        flag("--admin", "admin.listen", self.admin.as_slice());
        let log = self.log.as_ref().map(|path| path.to_string_lossy().into_owned());
        flag("--log", "log.file", log.as_slice());
        layers.build().map_err(Failure::local)
    }
}

async fn serve(config: Config, log_file: Option<LogFile>, greet: bool) -> Result<(), Failure> {
    let (mode, listen) = (config.mode, config.listen_addresses());
    // Before anybody can know that we run, so that no signal comes too early.
    let signals = Signals::install().map_err(Failure::local)?;
    let broker = Broker::builder().config(config).build().map_err(Failure::local)?;
    let server = broker.bind().await.map_err(Failure::local)?;
    announce(&server, mode, &listen, greet);
    tracing::info!(version = env!("CARGO_PKG_VERSION"), listen = %server.addresses().join(", "), "started");
    let stop = signals.watch(broker, log_file);
    let cut_off = server.run(stop).await;
    if cut_off > 0 {
        tracing::warn!(connections = cut_off, "connections were cut off at the end of drain_timeout");
    }
    Ok(())
}

/// Says where the broker can be reached, on standard output, where scripts and people look for it.
fn announce(server: &Server, mode: Mode, listen: &[ListenAddress], greet: bool) {
    let mut lines: Vec<String> =
        server.addresses().iter().map(|url| format!("petasus: listening on {url}")).collect();
    lines.extend(server.admin_address().map(|url| format!("petasus: admin on {url}")));
    lines.extend(server.munin_address().map(|address| format!("petasus: munin on {address}")));
    let page = server.addresses().iter().zip(listen).find_map(|(url, address)| page(url, address));
    if mode == Mode::Development
        && let Some(page) = page
    {
        lines.push(format!("petasus: open {page} in a browser"));
    }
    if greet {
        lines
            .push("petasus: `petasus help` lists the commands, `petasus config-doc` the settings".to_owned());
    }
    let mut stdout = std::io::stdout().lock();
    // Nobody may be reading; the broker runs all the same.
    let _ = writeln!(stdout, "{}", lines.join("\n"));
    let _ = stdout.flush();
}

/// The URL of the example page, if this address serves it to browsers on this machine.
fn page(url: &str, address: &ListenAddress) -> Option<String> {
    if !address.dialects.mercury || matches!(address.endpoint, Endpoint::Unix { .. }) {
        return None;
    }
    let url = ["*", "0.0.0.0", "[::]"]
        .iter()
        .fold(url.to_owned(), |url, all| url.replacen(&format!("://{all}:"), "://127.0.0.1:", 1));
    Some(format!("{url}/"))
}

/// The signals the broker knows.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn install() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// Acts on the signals from now on. What is returned resolves on the first SIGINT or SIGTERM; the second ends
    /// the process at once.
    fn watch(
        mut self,
        broker: Broker,
        log_file: Option<LogFile>,
    ) -> impl Future<Output = ()> + Send + 'static {
        let stop = Arc::new(Notify::new());
        let stopped = stop.clone();
        tokio::spawn(async move {
            let mut stopping = false;
            loop {
                let name = tokio::select! {
                    _ = self.interrupt.recv() => "SIGINT",
                    _ = self.terminate.recv() => "SIGTERM",
                    _ = self.hangup.recv() => {
                        reload(&broker, log_file.as_ref());
                        continue;
                    }
                };
                if stopping {
                    std::process::exit(130);
                }
                stopping = true;
                tracing::info!(signal = name, "stopping; the next signal ends the process at once");
                stop.notify_one();
            }
        });
        async move { stopped.notified().await }
    }
}

/// SIGHUP: the log file, the certificates and the access file are read again. What fails stays as it was.
fn reload(broker: &Broker, log_file: Option<&LogFile>) {
    if let Some(Err(error)) = log_file.map(LogFile::reopen) {
        tracing::error!(%error, "the log file can not be opened again; the old one stays in use");
    }
    match broker.reload() {
        Ok(()) => tracing::info!("reloaded after SIGHUP"),
        Err(error) => {
            tracing::error!(%error, "a file can not be reloaded; what was in it before stays in use");
        }
    }
}
