//! Who is compared: a client library, and the broker it was made for.

use clap::ValueEnum;

/// A client library in one way of using it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Contestant {
    /// Our client, WAMP in JSON, at Petasus.
    Json,
    /// Our client, WAMP in CBOR, at Petasus.
    Cbor,
    /// Our client, Mercury, at Petasus.
    Mercury,
    /// async-nats at nats-server.
    Nats,
    /// rumqttc at mosquitto, quality of service 0.
    Qos0,
    /// rumqttc at mosquitto, quality of service 1.
    Qos1,
}

/// A broker.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Broker {
    Petasus,
    Nats,
    Mosquitto,
}

impl Contestant {
    /// What the tables call it.
    pub(super) fn title(self) -> &'static str {
        match self {
            Self::Json => "petasus, WAMP json",
            Self::Cbor => "petasus, WAMP cbor",
            Self::Mercury => "petasus, Mercury",
            Self::Nats => "async-nats",
            Self::Qos0 => "rumqttc, QoS 0",
            Self::Qos1 => "rumqttc, QoS 1",
        }
    }

    /// The broker that it speaks with.
    pub(super) fn broker(self) -> Broker {
        match self {
            Self::Json | Self::Cbor | Self::Mercury => Broker::Petasus,
            Self::Nats => Broker::Nats,
            Self::Qos0 | Self::Qos1 => Broker::Mosquitto,
        }
    }

    /// Its name on the command line.
    pub(super) fn word(self) -> String {
        self.to_possible_value().expect("no contestant is hidden from the command line").get_name().to_owned()
    }
}

impl Broker {
    /// The package of Debian and its like that has it; `None` for ours.
    pub(super) fn package(self) -> Option<&'static str> {
        match self {
            Self::Petasus => None,
            Self::Nats => Some("nats-server"),
            Self::Mosquitto => Some("mosquitto"),
        }
    }
}
