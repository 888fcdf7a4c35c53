//! What stands side by side in a table.

use super::launch::{Contender, Launched};
use crate::arguments::{Reach, Traffic};
use crate::wamp::Encoding;

/// A server and how it is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Entry {
    /// Petasus, raw messages on `/pub` and `/sub`.
    Mercury,
    /// Petasus, WAMP sessions on `/ws`.
    Wamp(Encoding),
    /// The tuned tokio-tungstenite peer.
    Tungstenite,
}

/// The entries that one table compares; the last is what the others are divided by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Group {
    /// Petasus beside the peer.
    Servers,
    /// WAMP beside Mercury, both at Petasus.
    Dialects,
}

impl Group {
    /// In the order of the columns.
    pub(crate) fn entries(self) -> &'static [Entry] {
        use Encoding::{Cbor, Json, Msgpack};
        match self {
            Self::Servers => &[Entry::Mercury, Entry::Tungstenite],
            Self::Dialects => &[Entry::Wamp(Json), Entry::Wamp(Msgpack), Entry::Wamp(Cbor), Entry::Mercury],
        }
    }

    /// The heads of the columns: an entry each, then a ratio for each entry but the last.
    pub(crate) fn columns(self) -> &'static str {
        match self {
            Self::Servers => "Petasus | tokio-tungstenite | ratio |",
            Self::Dialects => "WAMP json | WAMP msgpack | WAMP cbor | Mercury | json | msgpack | cbor |",
        }
    }
}

impl Entry {
    /// The program.
    pub(crate) fn contender(self) -> Contender {
        match self {
            Self::Mercury | Self::Wamp(_) => Contender::Petasus,
            Self::Tungstenite => Contender::Tungstenite,
        }
    }

    /// Where `topic` is published and subscribed; `{}` in it is the number of the topic.
    pub(crate) fn urls(self, server: &Launched, topic: &str) -> (String, String) {
        match self {
            Self::Wamp(_) => {
                let url = server.url(&format!("/ws#{topic}"));
                (url.clone(), url)
            }
            Self::Mercury | Self::Tungstenite => {
                (server.url(&format!("/pub/{topic}")), server.url(&format!("/sub/{topic}")))
            }
        }
    }

    /// How `server` is reached.
    pub(crate) fn reach(self, server: &Launched) -> Reach {
        let serializer = match self {
            Self::Wamp(encoding) => encoding,
            Self::Mercury | Self::Tungstenite => Encoding::default(),
        };
        Reach { pid: Some(server.pid()), insecure: true, serializer, ..Reach::default() }
    }

    /// One publisher, and so many subscribers of the same topic.
    pub(crate) fn traffic(self, server: &Launched, subscribers: usize) -> Traffic {
        let (publish, subscribe) = self.urls(server, "load");
        Traffic {
            publish: Some(publish),
            subscribe: Some(subscribe),
            subscribers,
            reach: self.reach(server),
            ..Traffic::default()
        }
    }
}
