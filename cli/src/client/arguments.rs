//! The arguments of the client commands.

use std::path::PathBuf;

use clap::ValueEnum;
use petasus::Dialect;

/// Where the broker is and how to knock.
#[derive(clap::Args)]
pub(crate) struct ServerArgs {
    /// URL of the broker: ws://HOST:PORT or wss://HOST:PORT; http:// and https:// are the same. Mercury's topics may lie
    /// below a path; for WAMP the path is that of the router, /ws if there is none
    #[arg(long, value_name = "URL", env = "PETASUS_URL", default_value = "ws://127.0.0.1:3000")]
    pub(super) server: String,
    /// Origin to name, for a broker with `allow_origin`
    #[arg(long, value_name = "URL")]
    pub(super) origin: Option<String>,
    /// Header to send with each handshake, and with each message that is posted; may be repeated
    #[arg(long = "header", value_name = "'NAME: VALUE'")]
    pub(super) headers: Vec<String>,
    /// PEM file with root certificates to trust instead of the system's
    #[arg(long, value_name = "FILE")]
    pub(super) ca: Option<PathBuf>,
    /// Realm to join (WAMP)
    #[arg(long, value_name = "NAME", default_value = "default")]
    pub(super) realm: String,
    /// User to log in as, by --ticket or --secret (WAMP)
    #[arg(long, value_name = "NAME")]
    pub(super) user: Option<String>,
    /// Ticket of the user; better given by the environment, where nobody else sees it
    #[arg(long, value_name = "TEXT", env = "PETASUS_TICKET", hide_env_values = true)]
    pub(super) ticket: Option<String>,
    /// Secret of the user, which is not sent but signs a challenge (WAMP-CRA)
    #[arg(long, value_name = "TEXT", env = "PETASUS_SECRET", hide_env_values = true)]
    pub(super) secret: Option<String>,
    /// Say on standard error when the connection stands, and more where there is more to say
    #[arg(short, long)]
    pub(super) verbose: bool,
}

/// How to speak with the broker, and how long.
#[derive(clap::Args)]
pub(crate) struct WireArgs {
    #[command(flatten)]
    pub(super) server: ServerArgs,
    /// What to speak; a topic is the same one in both
    #[arg(long, value_enum, default_value = "mercury")]
    pub(super) dialect: Wire,
    /// Stay when the connection is lost, and connect again; says so on standard error
    #[arg(long)]
    pub(super) reconnect: bool,
}

/// A dialect, as people write it.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Wire {
    /// Mercury's URLs
    Mercury,
    /// WAMP, also with other routers
    Wamp,
}

impl From<Wire> for Dialect {
    fn from(wire: Wire) -> Self {
        match wire {
            Wire::Mercury => Dialect::Mercury,
            Wire::Wamp => Dialect::Wamp,
        }
    }
}

/// Arguments of `pub` and `push`.
#[derive(clap::Args)]
pub(crate) struct SendArgs {
    /// Topic, as in news/sport
    pub(super) topic: String,
    /// Message to send; without it, each line of standard input is one
    pub(super) message: Option<String>,
    /// Send the whole of standard input as one message, as binary if it is not UTF-8
    #[arg(long)]
    pub(super) raw: bool,
    /// Stop after that many messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    #[command(flatten)]
    pub(super) wire: WireArgs,
}

/// Arguments of `sub` and `pull`.
#[derive(clap::Args)]
pub(crate) struct ReceiveArgs {
    /// Topic, as in news/sport
    pub(super) topic: String,
    #[command(flatten)]
    pub(super) format: FormatArgs,
    /// Stop after that many messages
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    #[command(flatten)]
    pub(super) wire: WireArgs,
}

/// Arguments of `bus`.
#[derive(clap::Args)]
pub(crate) struct BusArgs {
    /// Topic, as in news/sport
    pub(super) topic: String,
    /// Message to send; without it, each line of standard input is one. At its end the bus is left, unless --count
    /// asks for messages that are still to come
    pub(super) message: Option<String>,
    #[command(flatten)]
    pub(super) format: FormatArgs,
    /// Stop after that many messages received
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    pub(super) count: Option<u64>,
    /// Receive one's own messages too
    #[arg(long)]
    pub(super) echo: bool,
    #[command(flatten)]
    pub(super) wire: WireArgs,
}

/// How messages are printed: by default one line each, binary ones as base64.
#[derive(clap::Args, Clone, Copy)]
pub(crate) struct FormatArgs {
    /// Print payloads as they are, binary ones too, and add no newline; for `bus` also: the whole of standard input
    /// is one message
    #[arg(long, conflicts_with = "json")]
    pub(super) raw: bool,
    /// Print a JSON object per line: topic, time (RFC 3339, UTC), kind (text or binary), payload (binary: base64)
    #[arg(long)]
    pub(super) json: bool,
}

/// Arguments of `call`.
#[derive(clap::Args)]
pub(crate) struct CallArgs {
    /// Procedure, as in com.example.add
    pub(super) procedure: String,
    /// Arguments, each a JSON value: 2, true, '"text"', '{"a": 1}'
    #[arg(allow_negative_numbers = true)]
    pub(super) args: Vec<String>,
    /// Keyword arguments, a JSON object
    #[arg(long, value_name = "JSON")]
    pub(super) kwargs: Option<String>,
    /// The longest wait for the result, or for its next part, in seconds
    #[arg(long, value_name = "S", value_parser = seconds, default_value = "30")]
    pub(super) timeout: std::time::Duration,
    /// Take the result in parts if it comes in parts, and print each when it comes
    #[arg(long)]
    pub(super) progress: bool,
    /// Print a result that is one text as JSON too, and not bare
    #[arg(long)]
    pub(super) json: bool,
    #[command(flatten)]
    pub(super) server: ServerArgs,
}

/// Arguments of `register-echo`.
#[derive(clap::Args)]
pub(crate) struct EchoArgs {
    /// Procedure to offer, as in com.example.echo; with --queue a topic, as in jobs/mail
    pub(super) procedure: String,
    /// Pull jobs from a queue instead; the answer is for pushers who wait until a job is done
    #[arg(long)]
    pub(super) queue: bool,
    /// Stay when the connection is lost, and connect again; says so on standard error
    #[arg(long)]
    pub(super) reconnect: bool,
    #[command(flatten)]
    pub(super) server: ServerArgs,
}

/// Arguments of `top`.
#[derive(clap::Args)]
pub(crate) struct TopArgs {
    /// Seconds between two looks
    #[arg(long, value_name = "S", value_parser = seconds, default_value = "2")]
    pub(super) every: std::time::Duration,
    /// Look once, and end
    #[arg(long)]
    pub(super) once: bool,
    #[command(flatten)]
    pub(super) server: ServerArgs,
}

/// Arguments of `bench`.
#[derive(clap::Args)]
pub(crate) struct BenchArgs {
    /// What to measure
    #[arg(value_enum)]
    pub(super) load: Load,
    /// Clients, each with a connection of its own
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) clients: u32,
    /// Bytes of a message
    #[arg(long, value_name = "B", default_value_t = 128, value_parser = clap::value_parser!(u32).range(20..=1 << 24))]
    pub(super) size: u32,
    /// How long to measure
    #[arg(long, value_name = "S", value_parser = seconds, default_value = "5")]
    pub(super) seconds: std::time::Duration,
    /// Messages a second, of all clients together; without it, as many as go. A message that begins late counts from
    /// when it should have begun
    #[arg(long, value_name = "R", value_parser = clap::value_parser!(u32).range(1..))]
    pub(super) rate: Option<u32>,
    /// Messages of each client that are under way at one time
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub(super) in_flight: u32,
    /// What to speak
    #[arg(long, value_enum, default_value = "wamp")]
    pub(super) dialect: Wire,
    #[command(flatten)]
    pub(super) server: ServerArgs,
}

/// What `bench` measures.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Load {
    /// From a message to its confirmation; nobody is subscribed
    Publish,
    /// From a message to its arrival at the one subscriber of its topic
    Deliver,
    /// From a call to its result, by a callee of this command's own (WAMP)
    Request,
}

/// Seconds, with a fraction if need be: more than none, and no more than a day.
fn seconds(text: &str) -> Result<std::time::Duration, String> {
    let seconds = text.parse::<f64>().ok().filter(|seconds| *seconds > 0.0 && *seconds <= 86_400.0);
    let seconds = seconds.ok_or("write a number of seconds, as in 2.5, up to 86400")?;
    Ok(std::time::Duration::from_secs_f64(seconds))
}
