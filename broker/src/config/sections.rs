//! The keys. The text of each field is its entry in the printed reference.

use std::path::Path;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    HostPort, ListenAddress, LogFormat, Mode, OriginMatch, OverflowPolicy, Seconds, Wamp, WithoutPuller, off,
};

/// Everything that can be set. `Config::default()` is what development mode runs with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// What the broker is run for. Development serves the example page at `/`; production serves no page and asks
    /// for an explicit `listen`.
    pub mode: Mode,
    /// URLs to listen on: `http://HOST:PORT`, `https://HOST:PORT?cert=FILE&key=FILE`, `http+unix://PATH`. HOST `*`
    /// is all interfaces, port 0 is any free one. `?dialects=` chooses what is spoken there, of `mercury`, `wamp`
    /// and either `pinghub:/MOUNT` or, without mercury, `pinghub` for every path that is not WAMP's; the default is
    /// `mercury,wamp`. Empty: `http://127.0.0.1:3000` in development, an error in production.
    #[schemars(with = "Vec<String>")]
    pub listen: Vec<ListenAddress>,
    /// Patterns of the origins whose pages may connect and post: `example.com`, `*.example.com`,
    /// `*://www.example.com`, `http://www.example.com:*`. With patterns set, a request that names no Origin is
    /// refused too. Empty: no check.
    pub allow_origin: Vec<String>,
    /// How a pattern of `allow_origin` is held against the Origin header.
    pub origin_match: OriginMatch,
    /// Seconds that a stopping broker waits for its clients to take what waits for them; 0 does not wait.
    pub drain_timeout: Seconds,
    /// Threads that serve connections; 0 is one per core.
    #[schemars(range(max = 1024))]
    pub threads: usize,
    /// What is logged, and where to.
    pub log: Log,
    /// Where operators look: health, metrics.
    pub admin: Admin,
    /// Bounds on what clients may ask for.
    pub limits: Limits,
    /// Bounds on how long things may take.
    pub timeouts: Timeouts,
    /// The messages waiting for one slow reader.
    pub outbox: Outbox,
    /// Queues (push/pull).
    pub queue: Queue,
    /// The Pinghub dialect.
    pub pinghub: Pinghub,
    /// The WAMP dialect.
    pub wamp: Wamp,
    /// Who may come in, and do what.
    pub auth: Auth,
    /// The hooks of a program that embeds the broker.
    pub hooks: Hooks,
}

/// `[log]`: what is logged, and where to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// A file that gets the log lines too, beside standard error; opened again on SIGHUP. Empty: none.
    pub file: String,
    /// How log lines look.
    pub format: LogFormat,
    /// What is worth a line: `error`, `warn`, `info`, `debug` or `trace`, also by module
    /// (`info,petasus_broker=debug`), or `off`.
    pub level: String,
}

/// `[admin]`: where operators look. Keep these away from the public network.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Admin {
    /// URL for `/healthz`, `/readyz` and `/metrics`, in the form of the main `listen` without `dialects`. Empty or
    /// `none`: no such listener.
    #[serde(with = "off")]
    #[schemars(with = "String")]
    pub listen: Option<ListenAddress>,
    /// Address of Pinghub's six-line munin port, as in `127.0.0.1:8082`. Empty: none.
    #[serde(with = "off")]
    #[schemars(with = "String")]
    pub munin: Option<HostPort>,
}

/// `[limits]`: bounds on what clients may ask for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Limits {
    /// Connections at one time, over all listeners. One more is answered 503 and closed. The limit of open files
    /// of the process must be higher.
    #[schemars(range(min = 1))]
    pub connections: usize,
    /// Bytes of one message. A longer one is answered by close code 1009, or 413 for a POST.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub message: usize,
    /// Characters of a topic. A longer one is answered 400.
    #[schemars(range(min = 1, max = 65_536))]
    pub topic_chars: usize,
    /// Segments of a topic. A deeper one is answered 400.
    #[schemars(range(min = 1, max = 65_536))]
    pub topic_depth: usize,
    /// Bytes of a request's head: request line and headers. A longer one is answered 431.
    #[schemars(range(min = 8192, max = 1_048_576))]
    pub head: usize,
}

/// `[timeouts]`: bounds on how long things may take.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Timeouts {
    /// Seconds for a request's head to arrive.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub head: Seconds,
    /// Seconds for a TLS handshake.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub tls: Seconds,
    /// Seconds for the body of a POST to arrive, and for a client to take any part of an answer. A slower body is
    /// answered 408; a client that takes nothing is dropped.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub body: Seconds,
    /// Seconds without a message in either direction after which a connection is closed with code 3101; 0 is never.
    #[schemars(extend("minimumUnlessZero" = 0.1))]
    pub idle: Seconds,
    /// Seconds between pings. A client that answers none within two such periods is dropped; 0 is never.
    #[schemars(extend("minimumUnlessZero" = 0.1))]
    pub ping: Seconds,
}

/// `[outbox]`: the messages waiting for one slow reader.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Outbox {
    /// Bytes that may wait for one connection; at least the bytes of the longest message.
    #[schemars(range(min = 1))]
    pub bytes: usize,
    /// What happens to a message that does not fit. Never applies to queues: a puller whose outbox is full takes no
    /// turn.
    pub policy: OverflowPolicy,
}

/// `[queue]`: queues (push/pull).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Queue {
    /// What happens to a message pushed to a queue that nobody pulls from.
    pub without_puller: WithoutPuller,
    /// Messages that may wait in one queue.
    #[schemars(range(min = 1))]
    pub hold_messages: usize,
    /// Bytes that may wait in one queue; at least the bytes of the longest message.
    #[schemars(range(min = 1))]
    pub hold_bytes: usize,
    /// Bytes that may wait in all queues together, at least `hold_bytes`; each message counts 64 more than its payload.
    #[schemars(range(min = 1))]
    pub hold_total: usize,
    /// Seconds that a message may wait in a queue without a puller.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub hold_age: Seconds,
    /// Seconds that a pusher may wait for room in a full queue before it is closed with code 3102; 0 does not wait.
    pub push_timeout: Seconds,
}

/// `[pinghub]`: the Pinghub dialect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Pinghub {
    /// The one origin whose pages may open a WebSocket; a wrong one is answered 403, a missing one is allowed and a
    /// POST is not asked. Empty: no check.
    pub origin: String,
    /// Bytes of one message.
    #[schemars(range(min = 1, max = 1_073_741_824))]
    pub message: usize,
    /// Seconds between pings. Clients of this dialect reconnect when they see none for 31 seconds.
    #[schemars(extend("minimum" = 0.1))]
    pub ping: Seconds,
    /// Seconds after which a client that answered no ping is dropped; longer than `ping`.
    #[schemars(extend("minimum" = 0.1))]
    pub pong: Seconds,
    /// Characters of a path, with its leading slash. A longer one is answered 400.
    #[schemars(range(min = 1, max = 65_536))]
    pub path_chars: usize,
}

/// `[auth]`: who may come in and do what: the access file, and the question asked to an HTTP server before each
/// upgrade and POST.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Auth {
    /// URL asked, with the headers of the client's request and `X-Original-URI` and `X-Original-Method`: 204 allows
    /// (its `X-Rewrite` replaces the path), 403 refuses, everything else is an error and refuses. Empty: nobody is
    /// asked.
    #[serde(with = "off")]
    #[schemars(with = "String")]
    pub request: Option<http::Uri>,
    /// The access file: users and how they prove who they are, and rules for what each role may do. It is read again
    /// on SIGHUP. Empty: nobody has to prove anything, and everybody may do everything.
    pub access: String,
    /// Seconds for the answer to `request`. A later one is answered 503 to the client.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub timeout: Seconds,
}

/// `[hooks]`: the hooks of a program that embeds the broker.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Hooks {
    /// Seconds for one call of a hook. A slower one refuses.
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub timeout: Seconds,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            mode: Mode::Development,
            listen: Vec::new(),
            allow_origin: Vec::new(),
            origin_match: OriginMatch::Strict,
            drain_timeout: Seconds::new(10),
            threads: 0,
            log: Log::default(),
            admin: Admin::default(),
            limits: Limits::default(),
            timeouts: Timeouts::default(),
            outbox: Outbox::default(),
            queue: Queue::default(),
            pinghub: Pinghub::default(),
            wamp: Wamp::default(),
            auth: Auth::default(),
            hooks: Hooks::default(),
        }
    }
}

impl Default for Log {
    fn default() -> Self {
        Self { file: String::new(), format: LogFormat::Human, level: "info".to_owned() }
    }
}

impl Default for Admin {
    fn default() -> Self {
        Self { listen: Some(ListenAddress::tcp("127.0.0.1", 3001)), munin: None }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self { connections: 10_000, message: 262_144, topic_chars: 1024, topic_depth: 64, head: 16_384 }
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            head: Seconds::new(10),
            tls: Seconds::new(10),
            body: Seconds::new(30),
            idle: Seconds::new(14_400),
            ping: Seconds::new(30),
        }
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self { bytes: 1_048_576, policy: OverflowPolicy::Close }
    }
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            without_puller: WithoutPuller::Drop,
            hold_messages: 10_000,
            hold_bytes: 16_777_216,
            hold_total: 268_435_456,
            hold_age: Seconds::new(60),
            push_timeout: Seconds::new(30),
        }
    }
}

impl Default for Pinghub {
    fn default() -> Self {
        Self {
            origin: String::new(),
            message: 65_536,
            ping: Seconds::new(27),
            pong: Seconds::new(30),
            path_chars: 256,
        }
    }
}

impl Default for Auth {
    fn default() -> Self {
        Self { request: None, access: String::new(), timeout: Seconds::new(5) }
    }
}

impl Default for Hooks {
    fn default() -> Self {
        Self { timeout: Seconds::new(5) }
    }
}

impl Config {
    /// The addresses to listen on: `listen`, or in development mode without it `http://127.0.0.1:3000`.
    pub fn listen_addresses(&self) -> Vec<ListenAddress> {
        if self.listen.is_empty() && self.mode == Mode::Development {
            vec![ListenAddress::tcp("127.0.0.1", 3000)]
        } else {
            self.listen.clone()
        }
    }
}

impl Log {
    /// The log file, if one is wanted.
    pub fn path(&self) -> Option<&Path> {
        (!self.file.is_empty()).then(|| Path::new(&self.file))
    }
}
