//! What the contestants are put through.

use clap::ValueEnum;

use super::contestant::Contestant;

/// A load; every message has 128 bytes and a sequence number that is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Workload {
    /// One publisher, one subscriber, unacknowledged, as fast as the publisher can.
    Throughput,
    /// The same at a fixed rate, the same for all: what a message costs when nobody is the limit.
    Steady,
    /// One publisher that waits for acknowledgements, 64 in flight; one subscriber.
    Acknowledged,
    /// 1,000 messages a second, published and received in one process, over two connections.
    Latency,
    /// One caller, one callee, one call after the other.
    Calls,
    /// The same with 64 calls under way.
    Pipelined,
}

/// What a process of a run does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Role {
    /// Hears messages and judges their sequence.
    Subscriber,
    /// Publishes without acknowledgements.
    Publisher,
    /// Publishes with acknowledgements.
    Acknowledged,
    /// Publishes and hears itself over another connection.
    Both,
    /// Answers calls with what they bring.
    Callee,
    /// Calls.
    Caller,
}

impl Workload {
    /// Messages a second of [`Self::Steady`].
    pub(super) const STEADY: u32 = 20_000;
    /// Messages a second of [`Self::Latency`].
    pub(super) const SPARSE: u32 = 1_000;
    /// Acknowledgements or calls that are under way.
    pub(super) const WINDOW: usize = 64;

    /// What the table calls it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Throughput => "Throughput, 1 to 1, unacknowledged, flat out",
            Self::Steady => "Cost, 1 to 1, unacknowledged, 20,000 messages a second",
            Self::Acknowledged => "Acknowledged publishes, 64 in flight, one subscriber",
            Self::Latency => "Latency, 1,000 messages a second, publish to receive in one process",
            Self::Calls => "Request and reply, one after the other",
            Self::Pipelined => "Request and reply, 64 under way",
        }
    }

    /// A library takes part in what it offers. NATS has no acknowledged publish without a stored stream, MQTT no
    /// requests, Mercury no calls; and a publish that is acknowledged anyway is not among the unacknowledged.
    pub(super) fn is_run_by(self, contestant: Contestant) -> bool {
        use Contestant::{Cbor, Json, Nats, Qos0, Qos1};
        match self {
            Self::Throughput | Self::Steady => contestant != Qos1,
            Self::Acknowledged => !matches!(contestant, Nats | Qos0),
            Self::Latency => true,
            Self::Calls | Self::Pipelined => matches!(contestant, Json | Cbor | Nats),
        }
    }

    /// The contestant by which the others are divided.
    pub(super) fn reference(self) -> Contestant {
        match self {
            Self::Acknowledged => Contestant::Qos1,
            _ => Contestant::Nats,
        }
    }

    /// The processes of a run beside the server: the passive one first, the one that drives last.
    pub(super) fn roles(self) -> &'static [Role] {
        match self {
            Self::Throughput | Self::Steady => &[Role::Subscriber, Role::Publisher],
            Self::Acknowledged => &[Role::Subscriber, Role::Acknowledged],
            Self::Latency => &[Role::Both],
            Self::Calls | Self::Pipelined => &[Role::Callee, Role::Caller],
        }
    }

    /// Messages a second; `None`: as many as go.
    pub(super) fn rate(self) -> Option<u32> {
        match self {
            Self::Steady => Some(Self::STEADY),
            Self::Latency => Some(Self::SPARSE),
            _ => None,
        }
    }

    /// Its name on the command line.
    pub(super) fn word(self) -> String {
        self.to_possible_value().expect("no workload is hidden from the command line").get_name().to_owned()
    }

    /// Acknowledgements or calls under way.
    pub(super) fn window(self) -> usize {
        if self == Self::Calls { 1 } else { Self::WINDOW }
    }
}

impl Role {
    /// Its name on the command line.
    pub(super) fn word(self) -> String {
        self.to_possible_value().expect("no role is hidden from the command line").get_name().to_owned()
    }
}
