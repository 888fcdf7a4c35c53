//! The command line.

use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::clients::{self, Contestant, Part};
use crate::compare::Workload;
use crate::error::LoadError;
use crate::instructions::Count;
use crate::rpc::Router;
use crate::wamp::Encoding;

/// Loads a WebSocket message broker and says what it did: what arrived, how late, and what it cost the server.
///
/// One thread, one epoll set, at most 20,000 clients (the descriptor limit). Every message carries its publisher,
/// its number and the time it was due. Server and generator run on one machine.
#[derive(Debug, Parser)]
#[command(name = "petasus-load", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) mode: Mode,
}

/// What to do to the server.
#[derive(Debug, Subcommand)]
pub(crate) enum Mode {
    /// Send at a fixed rate; latency counts from when a message was due, whether or not it was sent late.
    Paced {
        /// Messages a second, all publishers together.
        #[arg(long, default_value_t = 200.0)]
        rate: f64,
        #[command(flatten)]
        traffic: Traffic,
    },
    /// Keep messages in flight: each publisher waits while so many are not yet received by every subscriber.
    Closed {
        /// Messages in flight per publisher.
        #[arg(long, default_value_t = 64)]
        window: usize,
        #[command(flatten)]
        traffic: Traffic,
    },
    /// Like paced, twice: without and with subscribers that stop reading, side by side.
    Slow {
        /// Messages a second, all publishers together.
        #[arg(long, default_value_t = 200.0)]
        rate: f64,
        /// Subscribers that stop reading, beside the others.
        #[arg(long, default_value_t = 1)]
        slow: usize,
        /// Receive buffer of those (`SO_RCVBUF`), in bytes.
        #[arg(long, default_value_t = 4096)]
        receive_buffer: usize,
        #[command(flatten)]
        traffic: Traffic,
    },
    /// Open connections, leave them alone, and see what memory each costs.
    Idle {
        /// Where they connect; `{}` is replaced by the number of the connection modulo `--topics`.
        #[arg(long)]
        url: String,
        /// How many.
        #[arg(long, default_value_t = 10_000)]
        connections: usize,
        /// How long they are left alone, in seconds.
        #[arg(long, default_value_t = 2.0)]
        seconds: f64,
        /// Number of topics over which they are spread.
        #[arg(long, default_value_t = 1)]
        topics: usize,
        #[command(flatten)]
        reach: Reach,
    },
    /// Connect and disconnect without end beside paced traffic, and watch memory and losses.
    Churn {
        /// Messages a second to the subscribers that stay.
        #[arg(long, default_value_t = 200.0)]
        rate: f64,
        /// How many connections come and go.
        #[arg(long, default_value_t = 10_000)]
        cycles: usize,
        /// How many of them at the same time.
        #[arg(long, default_value_t = 8)]
        at_once: usize,
        #[command(flatten)]
        traffic: Traffic,
    },
    /// Run Petasus and the tuned tokio-tungstenite peer in turn, then WAMP and Mercury, and print the medians as
    /// Markdown.
    Compare(Compare),
    /// Count the instructions that each server needs for a delivery or publish, by callgrind (valgrind must be
    /// installed).
    Instructions(Instructions),
    /// Call a procedure through WAMP routers in turn, and print round trips and costs as Markdown.
    Rpc(Rpc),
    /// Our Rust client beside async-nats and rumqttc, each at its own broker, in turn; prints the medians as Markdown.
    Clients(Clients),
    /// One client process of `clients`.
    #[command(hide = true)]
    Part(Part),
}

/// Who talks to whom, and for how long.
#[derive(Debug, Clone, Args)]
pub(crate) struct Traffic {
    /// Where publishers connect; `{}` is replaced by the number of the topic.
    #[arg(long = "pub", value_name = "URL", required_unless_present = "bus")]
    pub(crate) publish: Option<String>,
    /// Where subscribers connect; `{}` as above.
    #[arg(long = "sub", value_name = "URL", required_unless_present = "bus")]
    pub(crate) subscribe: Option<String>,
    /// One URL for both: publishers hear one another.
    #[arg(long, value_name = "URL", conflicts_with_all = ["publish", "subscribe"])]
    pub(crate) bus: Option<String>,
    /// Publishers hear themselves as well (Pinghub, or `?echo=1`).
    #[arg(long, requires = "bus")]
    pub(crate) echo: bool,
    /// Number of publishers.
    #[arg(long, default_value_t = 1)]
    pub(crate) publishers: usize,
    /// Number of subscribers (of other peers, on a bus).
    #[arg(long, default_value_t = 100)]
    pub(crate) subscribers: usize,
    /// Number of topics; publishers and subscribers are dealt out over them in turn.
    #[arg(long, default_value_t = 1)]
    pub(crate) topics: usize,
    /// Bytes of a message, 40 or more.
    #[arg(long, default_value_t = 128)]
    pub(crate) size: usize,
    /// Send binary messages instead of text.
    #[arg(long)]
    pub(crate) binary: bool,
    /// Measured time, in seconds.
    #[arg(long, default_value_t = 3.0)]
    pub(crate) seconds: f64,
    /// Traffic before it, in seconds, that is checked but not measured.
    #[arg(long, default_value_t = 0.5)]
    pub(crate) warm: f64,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// How the server is reached and what is told about it.
#[derive(Debug, Clone, Args)]
pub(crate) struct Reach {
    /// Process of the server; otherwise the one that listens on the URL's port.
    #[arg(long)]
    pub(crate) pid: Option<u32>,
    /// Source addresses, used in turn (127.0.0.2,127.0.0.3): each has about 28,000 ports.
    #[arg(long, value_delimiter = ',')]
    pub(crate) source: Vec<IpAddr>,
    /// Speak TLS without checking the server's certificate.
    #[arg(long)]
    pub(crate) insecure: bool,
    /// Print JSON instead of a table.
    #[arg(long)]
    pub(crate) json: bool,
    /// How WAMP sessions write; a URL with a topic behind `#` makes sessions: `ws://127.0.0.1:3000/ws#load.topic`.
    #[arg(long, value_enum, default_value_t)]
    pub(crate) serializer: Encoding,
    /// The realm that WAMP sessions join.
    #[arg(long, default_value = DEFAULT_REALM)]
    pub(crate) realm: String,
}

/// The realm that Mercury and WAMP share.
const DEFAULT_REALM: &str = "default";

impl Default for Reach {
    fn default() -> Self {
        Self {
            pid: None,
            source: Vec::new(),
            insecure: false,
            json: false,
            serializer: Encoding::default(),
            realm: DEFAULT_REALM.to_owned(),
        }
    }
}

/// The servers that are compared.
#[derive(Debug, Clone, Args)]
pub(crate) struct Programs {
    /// Our broker; by default the `petasus` beside this program.
    #[arg(long)]
    pub(crate) broker: Option<PathBuf>,
    /// The peer; by default the `peer-tungstenite` beside this program.
    #[arg(long)]
    pub(crate) peer: Option<PathBuf>,
}

/// What `instructions` counts.
#[derive(Debug, Clone, Args)]
pub(crate) struct Instructions {
    #[command(flatten)]
    pub(crate) programs: Programs,
    /// What to count, separated by commas; all by default.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<Count>,
}

/// What `rpc` runs: one caller and one callee.
#[derive(Debug, Clone, Args)]
pub(crate) struct Rpc {
    /// A router: NAME=URL, NAME=URL#REALM; given once for each.
    #[arg(long = "router", value_name = "NAME=URL", required = true)]
    pub(crate) routers: Vec<Router>,
    /// Rounds; the routers take turns in each, and the table has the medians.
    #[arg(long, default_value_t = 5)]
    pub(crate) rounds: usize,
    /// Calls under way when pipelined.
    #[arg(long, default_value_t = 64)]
    pub(crate) window: usize,
    /// Measured time of each of both parts of a round, in seconds.
    #[arg(long, default_value_t = 2.0)]
    pub(crate) seconds: f64,
    /// Calls before it, in seconds, that are not measured.
    #[arg(long, default_value_t = 0.5)]
    pub(crate) warm: f64,
    /// Bytes of the only argument, 40 or more.
    #[arg(long, default_value_t = 64)]
    pub(crate) size: usize,
    #[command(flatten)]
    pub(crate) reach: Reach,
}

/// What `compare` runs.
#[derive(Debug, Clone, Args)]
pub(crate) struct Compare {
    #[command(flatten)]
    pub(crate) programs: Programs,
    /// Runs of each, taken in turn; the table has their medians.
    #[arg(long, default_value_t = 5)]
    pub(crate) runs: usize,
    /// Worker threads of each server.
    #[arg(long, default_value_t = 1)]
    pub(crate) threads: usize,
    /// Measured time of each run, in seconds.
    #[arg(long, default_value_t = 3.0)]
    pub(crate) seconds: f64,
    /// Workloads to run, separated by commas; all by default.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<Workload>,
}

/// What `clients` runs.
#[derive(Debug, Clone, Args)]
pub(crate) struct Clients {
    /// Our broker; by default the `petasus` beside this program.
    #[arg(long)]
    pub(crate) broker: Option<PathBuf>,
    /// Runs of each, taken in turn; the tables have their medians.
    #[arg(long, default_value_t = 5)]
    pub(crate) runs: usize,
    /// Measured time of each run, in seconds.
    #[arg(long, default_value_t = 3.0)]
    pub(crate) seconds: f64,
    /// Workloads to run, separated by commas; all by default.
    #[arg(long, value_delimiter = ',')]
    pub(crate) only: Vec<clients::Workload>,
    /// Contestants, separated by commas; all by default.
    #[arg(long, value_delimiter = ',')]
    pub(crate) contestants: Vec<Contestant>,
}

impl Default for Traffic {
    /// As on the command line, but with no URLs and no warming up.
    fn default() -> Self {
        Self {
            publish: None,
            subscribe: None,
            bus: None,
            echo: false,
            publishers: 1,
            subscribers: 100,
            topics: 1,
            size: 128,
            binary: false,
            seconds: 3.0,
            warm: 0.0,
            reach: Reach::default(),
        }
    }
}

impl Traffic {
    /// Refuses what cannot be run.
    pub(crate) fn check(&self) -> Result<(), LoadError> {
        if self.size < crate::stamp::LENGTH {
            return Err(LoadError::Options(
                "--size is below 40 bytes, the length of the stamp in every message",
            ));
        }
        if self.publishers == 0 || self.topics == 0 {
            return Err(LoadError::Options("--publishers and --topics begin at 1"));
        }
        seconds(self.seconds)?;
        seconds(self.warm)?;
        Ok(())
    }
}

/// A number of seconds from the command line.
pub(crate) fn seconds(value: f64) -> Result<Duration, LoadError> {
    Duration::try_from_secs_f64(value)
        .map_err(|_| LoadError::Options("times are seconds, not negative, fractions allowed"))
}
