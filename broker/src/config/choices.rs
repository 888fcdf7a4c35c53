//! Keys whose value is one word out of a few.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What the broker is run for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// a developer's machine: serves the example page at `/` and listens on loopback unless told otherwise
    #[default]
    Development,
    /// serves no example page and asks for an explicit `listen`
    Production,
}

/// How an `allow_origin` pattern is held against the `Origin` header.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OriginMatch {
    /// whole host labels: `example.com` covers `www.example.com`, never `notexample.com`
    #[default]
    Strict,
    /// the old broker's rule: the pattern is found anywhere in the header (unsafe; for migrations only)
    Mercury,
}

/// What happens when a message does not fit into the outbox of a slow reader. Never applies to queues.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OverflowPolicy {
    /// the connection is closed with code 3100, "reads too slowly"
    #[default]
    Close,
    /// the oldest waiting messages make room
    DropOldest,
    /// the new message is dropped
    DropNewest,
}

/// What happens to a message pushed to a queue that has no puller.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WithoutPuller {
    /// it is refused: a POST is answered 503
    #[default]
    Drop,
    /// it waits, within `hold_messages`, `hold_bytes` and `hold_age`: a POST is answered 202
    Hold,
}

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogFormat {
    /// one line of text per event
    #[default]
    Human,
    /// one JSON object per line
    Json,
}
