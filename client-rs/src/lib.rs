//! A client of Petasus, a message broker over `WebSockets`, and of any WAMP router.
//!
//! ```
//! # include!(concat!(env!("CARGO_MANIFEST_DIR"), "/doc/run.rs"))(async |client: petasus::Client| {
//! # let url = client.url();
//! let client = petasus::Client::connect(&url).await?; // such as "ws://127.0.0.1:3000"
//! let mut news = client.subscribe("news").await?;
//! client.publish("news/sport", "one all").await?;
//! while let Some(message) = news.next().await {
//!     println!("{}", message.text().unwrap_or_default());
//!     # break;
//! }
//! # Ok(()) });
//! ```
//!
//! `petasus broker` starts a broker of your own.
//!
//! # What it can do
//!
//! One [`Client`] is a handle that is cheap to clone; everything takes `&self`. It runs on the current tokio runtime.
//!
//! | | | over Mercury | with any WAMP router |
//! |---|---|---|---|
//! | publish, subscribe | [`Client::publish`], [`Client::subscribe`] | yes, without patterns | yes |
//! | bus: every other peer hears | [`Client::bus`] | yes, without confirmation | no |
//! | queues: one puller gets each job | [`Client::push`], [`Client::pull`] | yes, until handed | no |
//! | calls | [`Client::call`], [`Client::register`] | no | yes |
//!
//! It speaks WAMP over one socket ([`Dialect::Wamp`], the default), or Mercury over one socket for each topic
//! ([`Dialect::Mercury`]), with the same calls. What the wire or the router can not do is [`Error::Unsupported`].
//!
//! Topics are written `news/sport` or `news.sport`, which is the same on both wires: see [`IntoTopic`]. A message is
//! a text, bytes, or a value ([`Json`], [`Args`]): see [`IntoContent`] and [`Message`].
//!
//! # What is promised
//!
//! | | without a connection | when it returns | what it promises |
//! |---|---|---|---|
//! | [`publish(..).await`](Client::publish) | waits | the broker has confirmed | everybody who was subscribed has it in the broker's outbox |
//! | [`publish(..).queued()`](Publish::queued) | waits in the queue | it is in the queue | nothing; order is kept |
//! | [`publish(..).fire()`](Publish::fire) | [`Error::NotConnected`] | at once | nothing |
//! | [`push(..).await`](Client::push) | waits | a puller has it, or the broker holds it | one puller, not that it is done |
//! | [`push(..).done()`](Push::done) | waits | the puller has answered | it is done |
//! | [`call(..).await`](Client::call) | waits | the callee has answered | it is done |
//!
//! Nothing grows without bound: what waits for an answer has a [timeout](Builder::request_timeout), what waits to be
//! sent has a [bound in bytes](Builder::queue_bytes), what was received and not taken has a bound for each
//! subscription ([`Overflow`]). To subscribe, to join, to pull and to register waits for a connection as long as that
//! takes; put a `tokio::time::timeout` around it where that matters.
//!
//! **When the connection is lost** the client connects again, after random waits that grow to 20 s, until it is closed
//! or there is no use in it (a wrong password). Subscriptions and registrations are made again; the next message says
//! so by [`Message::gap`], since what was published meanwhile is missing. What was sent and not answered is
//! [`Error::Lost`]: it may have happened or not, and is never sent again by itself. [`Error::retry`] says what is safe.
//!
//! **An acknowledged message can still be lost:** the broker has put it into the outboxes of all who were subscribed.
//! If it crashes before it has written them, or a subscriber's connection dies on the way, it is gone. Where that
//! matters use a queue and [`Push::done`], or a call.
//!
//! **Dropped futures** do no harm. No message is lost by dropping `next()`, so it may stand in `select!`. A dropped
//! call is canceled at its callee. What was not sent yet is taken back. A subscription that was not made yet is undone.
//!
//! **The end:** [`Client::drain`] finishes what is under way; [`Client::close`] does not wait for answers. When the
//! last handle is gone the client closes in the background.
//!
//! # Features
//!
//! * `tls` (default): `wss://` URLs, by rustls with the system's root certificates.
#![cfg_attr(docsrs, feature(doc_cfg))]
#![forbid(unsafe_code)]

mod alive;
mod auth;
mod buffer;
mod builder;
mod bus;
mod call;
mod client;
mod content;
mod dial;
mod duty;
mod error;
mod invocation;
mod message;
mod post;
mod publish;
mod pull;
mod pump;
mod push;
mod register;
mod registration;
mod request;
mod settings;
mod shared;
mod socket;
mod status;
mod subscription;
mod tls;
mod topic;
mod upload;

pub use auth::{Auth, Challenge, Proof};
pub use buffer::Overflow;
pub use builder::Builder;
pub use bus::{Bus, Join};
pub use call::{Call, Part, Parts};
pub use client::Client;
pub use content::{Args, IntoContent, Json, Kwargs};
pub use error::Error;
pub use invocation::{CallError, Invocation};
pub use message::Message;
pub use petasus_protocol::session::{
    Backoff, Content, Dialect, Failure, Fault, Invoke, Refusal, Retry, Status, UrlError, Welcome,
};
pub use petasus_protocol::wamp::{Dict, Serializer, Value};
pub use petasus_protocol::{self as protocol, Topic};
pub use publish::Publish;
pub use pull::{Job, Jobs, OnDrop, Pull};
pub use push::{Push, PushDone, Pushed};
pub use register::{Calls, Register};
pub use registration::Registration;
pub use status::StatusWatch;
pub use subscription::{Subscribe, Subscription};
pub use topic::IntoTopic;
pub use upload::Upload;
