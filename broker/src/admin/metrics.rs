//! The counters, and their text format. Never a topic as a label: topics are the clients' to choose.

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabel, EncodeLabelSet, LabelSetEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::connection::Counts;
use crate::dialect::Pattern;

/// One label whose values are words of the broker's own.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Label(&'static str, &'static str);

impl EncodeLabelSet for Label {
    fn encode(&self, encoder: &mut LabelSetEncoder<'_>) -> Result<(), std::fmt::Error> {
        (self.0, self.1).encode(encoder.encode_label())
    }
}

/// A close code, or none for a connection that broke off. Codes from clients are folded into their range.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Closed {
    code: String,
}

/// What is counted as it happens.
pub(crate) struct Metrics {
    messages: [Counter; Pattern::ALL.len()],
    bytes: [Counter; Pattern::ALL.len()],
    posts: Counter,
    deliveries: Counter,
    ignored: Counter,
    unrepresentable: Counter,
    too_long: Counter,
    dropped_oldest: Counter,
    dropped_newest: Counter,
    overflows: Counter,
    without_puller: Counter,
    expired: Counter,
    unsent: Counter,
    unheard: Counter,
    refused: Counter,
    accepted: Counter,
    writes: Counter,
    closed: Family<Closed, Counter>,
    registry: Registry,
}

/// What is looked up when somebody asks.
pub(crate) struct Live {
    pub(crate) connections: usize,
    pub(crate) sockets: usize,
    /// Topics of the bus, filters of pub/sub, queues.
    pub(crate) topics: [usize; Pattern::ALL.len()],
    /// Peers, subscriptions, pullers.
    pub(crate) members: [usize; Pattern::ALL.len()],
    pub(crate) held: usize,
    pub(crate) sessions: usize,
    /// Bytes waiting in each outbox.
    pub(crate) depths: Vec<usize>,
}

impl Metrics {
    pub(crate) fn new() -> Self {
        let mut registry = Registry::with_prefix("petasus");
        let by_pattern = |name, help, unit: Option<Unit>, registry: &mut Registry| {
            let family = Family::<Label, Counter>::default();
            match unit {
                Some(unit) => registry.register_with_unit(name, help, unit, family.clone()),
                None => registry.register(name, help, family.clone()),
            }
            Pattern::ALL.map(|pattern| family.get_or_create(&Label("pattern", pattern.as_str())).clone())
        };
        let messages = by_pattern("messages", "Messages from connections and POSTs", None, &mut registry);
        let bytes = by_pattern("payload", "Payload of these messages", Some(Unit::Bytes), &mut registry);
        let dropped = Family::<Label, Counter>::default();
        registry.register("dropped", "Messages that were not delivered, by reason", dropped.clone());
        let reason = |reason| dropped.get_or_create(&Label("reason", reason)).clone();
        let (dropped_oldest, dropped_newest) = (reason("drop_oldest"), reason("drop_newest"));
        let (without_puller, expired) = (reason("no_puller"), reason("hold_age"));
        let (unsent, unheard) = (reason("sender_closed"), reason("no_receiver"));
        let (ignored, unrepresentable, too_long) =
            (reason("receive_only"), reason("not_text"), reason("too_long"));
        let closed = Family::<Closed, Counter>::default();
        registry.register("closed", "Connections that ended, by close code", closed.clone());
        let counter = |name, help, registry: &mut Registry| {
            let counter = Counter::default();
            registry.register(name, help, counter.clone());
            counter
        };
        Self {
            messages,
            bytes,
            posts: counter("posts", "Messages that came by POST", &mut registry),
            deliveries: counter("deliveries", "Messages put into an outbox", &mut registry),
            ignored,
            unrepresentable,
            too_long,
            dropped_oldest,
            dropped_newest,
            overflows: counter("overflows", "Slow readers that were closed", &mut registry),
            without_puller,
            expired,
            unsent,
            unheard,
            refused: counter("refused", "Requests refused by origin, hook or limit", &mut registry),
            accepted: counter("accepted", "WebSocket connections accepted", &mut registry),
            writes: counter("socket_writes", "Writes to sockets", &mut registry),
            closed,
            registry,
        }
    }

    pub(crate) fn book(&self, counts: &Counts) {
        for pattern in Pattern::ALL {
            let number = pattern as usize;
            add(&self.messages[number], counts.messages[number]);
            add(&self.bytes[number], counts.bytes[number]);
        }
        add(&self.deliveries, counts.deliveries);
        add(&self.ignored, counts.ignored);
        add(&self.unrepresentable, counts.unrepresentable);
        add(&self.too_long, counts.too_long);
        add(&self.dropped_oldest, counts.dropped_oldest);
        add(&self.dropped_newest, counts.dropped_newest);
        add(&self.overflows, counts.overflows);
        add(&self.without_puller, counts.without_puller);
        add(&self.expired, counts.expired);
        add(&self.unsent, counts.unsent);
        add(&self.unheard, counts.unheard);
        add(&self.writes, counts.writes);
    }

    pub(crate) fn wrote(&self, writes: u64) {
        add(&self.writes, writes);
    }

    pub(crate) fn posted(&self) {
        self.posts.inc();
    }

    pub(crate) fn refused(&self) {
        self.refused.inc();
    }

    pub(crate) fn accepted(&self) {
        self.accepted.inc();
    }

    pub(crate) fn closed(&self, code: Option<u16>) {
        let code = match code {
            None => "none".to_owned(),
            Some(code @ (1000..=1015 | 3000 | 3003 | 3100..=3104)) => code.to_string(),
            Some(3000..=3999) => "3xxx".to_owned(),
            Some(_) => "4xxx".to_owned(),
        };
        self.closed.get_or_create(&Closed { code }).inc();
    }

    /// Messages by WebSocket and by POST together, POSTs, deliveries, POSTs that reached nobody: for the munin lines.
    pub(crate) fn totals(&self) -> (u64, u64, u64, u64) {
        let messages = self.messages.iter().map(Counter::get).sum();
        (messages, self.posts.get(), self.deliveries.get(), self.unheard.get())
    }

    /// The text in the format of `OpenMetrics`.
    pub(crate) fn text(&self, live: &Live) -> String {
        let mut text = String::new();
        let (mut now, mut rest) = (String::new(), Registry::with_prefix("petasus"));
        register_live(&mut rest, live);
        // Writing into a String fails only if an encoder does, and these are the library's.
        let written = encode(&mut now, &rest).and_then(|()| encode(&mut text, &self.registry));
        if let Err(error) = written {
            tracing::error!(%error, "the metrics cannot be written");
        }
        now.truncate(now.trim_end().trim_end_matches("# EOF").len());
        now + &text
    }
}

fn register_live(registry: &mut Registry, live: &Live) {
    let gauge = |name, help, value: usize, registry: &mut Registry| {
        let gauge: Gauge = Gauge::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    };
    gauge("connections", "WebSocket connections now", live.connections, registry);
    gauge("sessions", "WAMP sessions now", live.sessions, registry);
    gauge("sockets", "Sockets of the listeners now, whatever they speak", live.sockets, registry);
    gauge("queue_held", "Jobs that wait for a puller now", live.held, registry);
    for (name, help, values) in [
        ("topics", "Topics, filters or queues in use now", &live.topics),
        ("members", "Peers, subscriptions or pullers now", &live.members),
    ] {
        let family = Family::<Label, Gauge>::default();
        for pattern in Pattern::ALL {
            let value = i64::try_from(values[pattern as usize]).unwrap_or(i64::MAX);
            family.get_or_create(&Label("pattern", pattern.as_str())).set(value);
        }
        registry.register(name, help, family);
    }
    let depths = Histogram::new(std::iter::once(0.0).chain(exponential_buckets(1024.0, 4.0, 8)));
    live.depths.iter().for_each(|&depth| depths.observe(depth as f64));
    registry.register_with_unit("outbox_depth", "What waits in each outbox now", Unit::Bytes, depths);
}

fn add(counter: &Counter, n: u64) {
    if n > 0 {
        counter.inc_by(n);
    }
}
