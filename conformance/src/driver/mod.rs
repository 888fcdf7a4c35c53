//! What the executor needs of a dialect. A driver speaks it, claims what it has, and says how sure it is.
//!
//! The traits are object-safe, so that a driver can be chosen at run time and written outside of this crate. A port
//! does not return what it receives: it puts it into the [`Inbox`] that it was given, whenever it comes. So one
//! executor sees all connections of a run in one order, waits in one place, and a port needs no task of the executor's.

use std::collections::BTreeMap;
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedSender;

use crate::caps::Caps;
use crate::history::{Conn, Fault, Proof};
use crate::model::{Door, Form, Give, Group, Identity, Kind, Line, Message, Notice, Request, Told};
use crate::namespace::Namespace;
use crate::params::Params;
use crate::plan::Spelling;
use crate::raw::Frame;
use crate::raw::wamp::{Serialization, Value};

mod bare;
mod dial;
pub mod exec;
pub mod mercury;
pub mod pinghub;
mod socket;
pub mod wamp;

pub use dial::{Dial, Dialer, Duplex};
pub(crate) use dial::{ReadSide, Stream, WriteSide};

/// What a driver's functions return.
pub type Fut<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A dialect, spoken by the harness.
pub trait Driver: Send + Sync {
    /// Its name, and the profile that its brokers are judged by.
    fn about(&self) -> About;

    /// The profiles of the requirements that apply: those of the dialect, unless the driver learns them elsewhere.
    fn profiles(&self) -> Vec<String> {
        self.about().profiles.iter().map(|&name| name.to_owned()).collect()
    }

    /// What brokers of the dialect have by definition.
    fn claims(&self) -> Caps;

    /// What this broker says that it has, where the dialect lets it say so.
    ///
    /// # Errors
    /// It does not open.
    fn discover<'a>(&'a self, _: &'a Target) -> Fut<'a, Result<Option<Caps>, OpenError>> {
        Box::pin(async { Ok(None) })
    }

    /// The longest message that brokers of the dialect take, in bytes, unless something else is declared.
    fn max_message(&self) -> usize {
        Params::default().max_message
    }

    /// What a door is in this dialect: where everybody hears itself, each door has its echo.
    fn door(&self, door: &Door) -> Door {
        door.clone()
    }

    /// Opens a connection. When it returns, the broker counts it as a member as far as the driver can tell.
    fn open<'a>(
        &'a self,
        target: &'a Target,
        opening: &'a Opening<'a>,
        inbox: Inbox,
    ) -> Fut<'a, Result<Opened, OpenError>>;

    /// Opens a connection on which messages are said one by one, of dialects that have such.
    fn speak<'a>(&'a self, _: &'a Target, _: &'a Speaking<'a>, _: Inbox) -> Fut<'a, Result<Met, OpenError>> {
        Box::pin(async { Err(OpenError::Unrepresentable("messages one by one".to_owned())) })
    }

    /// The path and the query of a door, of dialects whose doors have addresses. Where there is one, checks of the
    /// transport itself speak HTTP and RFC 6455 to it, word by word.
    fn path(&self, _: &Opening<'_>) -> Option<String> {
        None
    }
}

/// What a driver is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// The dialect: `mercury`.
    pub name: &'static str,
    /// The profiles of the requirements that apply: `ws`, `mercury`.
    pub profiles: &'static [&'static str],
}

/// The broker under test.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// Its address; `0.0.0.0:0` if there is another way to it than TCP.
    pub address: SocketAddr,
    /// The way to it.
    pub dialer: Dialer,
    /// `HOST:PORT`, as the `Host` field says it.
    pub host: String,
    /// Where it is behind that, as an address says it; empty: where the dialect has it.
    pub path: String,
    /// The part of the broker that is used, in dialects where it has parts.
    pub realm: String,
    /// What ordinary clients say in `Origin`, if they say it.
    pub origin: Option<String>,
}

/// Why a text is no target.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum TargetError {
    /// It has another form.
    #[error("`{0}` is no address of a broker: write ws://HOST:PORT, with a path behind it if need be")]
    Form(String),
    /// The name has no address.
    #[error("`{0}` has no address: check the name")]
    Name(String),
}

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Opening<'a> {
    /// Where.
    pub door: &'a Door,
    /// Goes before the topic, as a segment.
    pub namespace: &'a Namespace,
    /// How the topic is written.
    pub spelling: Spelling,
    /// Put behind the address as it is.
    pub suffix: &'a str,
}

/// What is asked for where messages are said one by one.
#[derive(Clone, Copy, Debug)]
pub struct Speaking<'a> {
    /// How.
    pub line: &'a Line,
    /// Goes before names.
    pub namespace: &'a Namespace,
}

/// How the broker met a client.
pub struct Met {
    /// What it said first.
    pub greeting: Greeting,
    /// None: it does not listen.
    pub speaker: Option<Box<dyn Speaker>>,
}

/// What a broker says first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Greeting {
    /// An answer of HTTP.
    Http {
        /// Its status.
        status: u16,
        /// Its fields, their names in small letters.
        fields: Vec<(String, String)>,
        /// Its body.
        body: Vec<u8>,
    },
    /// Bytes.
    Octets(Vec<u8>),
}

/// The sending side where messages are said one by one. Dropping it ends the connection without a word.
pub trait Speaker: Send {
    /// The bytes of a message, after these were heard.
    fn spell(&self, message: &Message, heard: &[Vec<Value>]) -> Spelled;

    /// Sends messages in one go.
    fn write<'a>(&'a mut self, said: &'a [Spelled]) -> Fut<'a, Result<(), PortError>>;
}

/// The bytes of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spelled {
    /// How they are carried.
    pub form: Form,
    /// All of them.
    pub bytes: Vec<u8>,
}

/// An open connection.
pub struct Opened {
    /// Its sending side.
    pub port: Box<dyn Port>,
    /// That it is a member.
    pub proof: Proof,
}

/// The sending side of a connection. Dropping it ends the connection without a word.
pub trait Port: Send {
    /// Whether the dialect has a way to say this message that its receivers cannot take for another.
    fn can_say(&self, _kind: Kind, _payload: &[u8]) -> bool {
        true
    }

    /// Sends a message in `pieces` frames.
    fn send<'a>(&'a mut self, kind: Kind, payload: &'a [u8], pieces: u8) -> Fut<'a, Result<(), PortError>>;

    /// Asks the broker to say when it has read all that was sent. [`Seen::Passed`] with this number comes then.
    fn mark(&mut self, mark: u64) -> Fut<'_, Result<(), PortError>>;

    /// Asks for something. [`Seen::Answered`] with this number comes if the dialect answers such.
    fn ask<'a>(&'a mut self, _: Asking<'a>) -> Fut<'a, Result<(), PortError>> {
        Box::pin(async { Err(PortError("the dialect has no requests".to_owned())) })
    }

    /// Answers a call.
    fn give<'a>(
        &'a mut self,
        _invocation: u64,
        _give: Give,
        _payload: &'a [u8],
    ) -> Fut<'a, Result<(), PortError>> {
        Box::pin(async { Err(PortError("the dialect has no calls".to_owned())) })
    }

    /// Begins to leave by handshake. [`Seen::Closed`] comes when it is done.
    fn leave(&mut self) -> Fut<'_, Result<(), PortError>>;
}

/// A request under way.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// Its number on this connection.
    pub number: u32,
    /// What is asked for.
    pub request: &'a Request,
    /// What is published or called with: text.
    pub payload: &'a [u8],
    /// Who connections are to the broker.
    pub sessions: &'a BTreeMap<Conn, Identity>,
    /// The ids that were granted, by who asked and the number of the request.
    pub granted: &'a BTreeMap<(Conn, u32), u64>,
}

/// An answer, with payloads as they came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reply {
    /// Yes, under this id, if there is one.
    Granted(Option<u64>),
    /// No, or a call failed, with what its callee said.
    Refused(String, Option<Vec<u8>>),
    /// A part of a result.
    Progress(Vec<u8>),
    /// A result.
    Result(Vec<u8>),
    /// What there is to know.
    Told(Told),
}

/// What a port saw.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Seen {
    /// A message.
    Message(Kind, Vec<u8>),
    /// The broker has read all that was sent before the mark.
    Passed(u64, Proof),
    /// The connection is over, with the code of the Close frame if there was one.
    Closed(Option<u16>),
    /// The broker broke the rules of its protocol. The connection is over.
    Broken(String),
    /// What stands between us and the broker is gone, so that nothing can be said of the broker.
    Lost(String),
    /// Who the connection is to the broker.
    Named(Identity),
    /// An answer to a request.
    Answered(u32, Reply),
    /// An answer to none.
    Unasked(String),
    /// An event.
    Notified {
        /// Of which subscription.
        subscription: u64,
        /// The id of the publication.
        publication: u64,
        /// The topic, if it is told, behind the namespace.
        topic: Option<String>,
        /// Who published it, if that is told.
        publisher: Option<u64>,
        /// What.
        payload: Vec<u8>,
    },
    /// A call.
    Invoked {
        /// Its number.
        invocation: u64,
        /// Of which registration.
        registration: u64,
        /// The procedure, if it is told, behind the namespace.
        procedure: Option<String>,
        /// Whether parts of the result are welcome.
        progress: bool,
        /// Whether more pieces follow.
        more: bool,
        /// Who called, if that is told.
        caller: Option<Identity>,
        /// With what.
        payload: Vec<u8>,
    },
    /// A call is taken back.
    Interrupted(u64),
    /// Something happened to others.
    Noticed(Notice),
    /// The broker took it out of a group.
    Revoked {
        /// Of which kind.
        group: Group,
        /// Which.
        id: u64,
        /// Why.
        reason: Option<String>,
    },
    /// The broker sends it away.
    Dismissed {
        /// Why.
        reason: String,
        /// In words.
        message: Option<String>,
    },
    /// Something was wrong, and could be understood.
    Improper(Fault, String),
    /// A frame, where they are told one by one.
    Frame(Frame),
    /// A message, where they are told one by one: how it was carried, its bytes, and its parts if it has such.
    Heard(Form, Vec<u8>, Vec<Value>),
    /// The end of TCP there, and whether that was a reset.
    Eof(bool),
}

/// Where a port puts what it sees.
#[derive(Clone, Debug)]
pub struct Inbox {
    conn: Conn,
    to: UnboundedSender<(Conn, Seen)>,
}

/// Why a connection does not open.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The broker said no.
    #[error("the broker answered {status}")]
    Rejected {
        /// The HTTP status, or what the dialect has in its place.
        status: u16,
    },
    /// Nobody is there.
    #[error("nobody listens: {0}")]
    Unreachable(String),
    /// What came is no answer.
    #[error("the answer is none: {0}")]
    Protocol(String),
    /// The dialect has no way to say this; the script is passed over.
    #[error("the dialect cannot express {0}")]
    Unrepresentable(String),
    /// What stands between us and the broker is of no use, so that nothing can be said of the broker.
    #[error("{0}")]
    Lost(String),
}

/// The connection takes no more.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the connection takes no more: {0}")]
pub struct PortError(pub String);

impl Inbox {
    /// That of a connection.
    pub fn new(conn: Conn, to: UnboundedSender<(Conn, Seen)>) -> Self {
        Self { conn, to }
    }

    /// Puts something in. Nobody may be there to read it any more, which is fine.
    pub fn put(&self, seen: Seen) {
        let _ = self.to.send((self.conn, seen));
    }
}

impl Target {
    /// That of an address, with the usual path and realm.
    pub fn at(address: SocketAddr) -> Self {
        Self {
            address,
            dialer: Dialer::default(),
            host: address.to_string(),
            path: String::new(),
            realm: REALM.to_owned(),
            origin: None,
        }
    }

    /// That of `ws://HOST:PORT` or `http://HOST:PORT`, with a path if the dialect's usual one is not it. A name is looked up
    /// once, here.
    ///
    /// # Errors
    /// The text has another form, or the name no address.
    pub fn parse(url: &str) -> Result<Self, TargetError> {
        use std::net::ToSocketAddrs;
        let form = || TargetError::Form(url.to_owned());
        let rest = url.strip_prefix("ws://").or_else(|| url.strip_prefix("http://")).ok_or_else(form)?;
        let (host, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        if host.contains('@') || rest.contains(['?', '#']) || !host.contains(':') {
            return Err(form());
        }
        let mut found = host.to_socket_addrs().map_err(|_| TargetError::Name(host.to_owned()))?;
        let address = found.next().ok_or_else(|| TargetError::Name(host.to_owned()))?;
        let (host, path) = (host.to_owned(), path.trim_end_matches('/').to_owned());
        Ok(Self { host, path, ..Self::at(address) })
    }

    /// One that is reached in another way than by TCP.
    pub fn through(dial: Arc<dyn Dial>) -> Self {
        let nowhere = SocketAddr::from(([0, 0, 0, 0], 0));
        Self { dialer: Dialer::through(dial), host: "localhost".to_owned(), ..Self::at(nowhere) }
    }

    /// The same in another realm.
    #[must_use]
    pub fn in_realm(self, realm: String) -> Self {
        Self { realm, ..self }
    }
}

/// The realm that is used where none is named.
pub const REALM: &str = "realm1";

/// The driver of this name. `exec` is not among them: it needs a command, see [`exec::Exec::start`].
pub fn named(name: &str) -> Option<Box<dyn Driver>> {
    match name {
        "mercury" => Some(Box::new(mercury::Mercury)),
        "pinghub" => Some(Box::new(pinghub::Pinghub::PROMPT)),
        "pinghub-late" => Some(Box::new(pinghub::Pinghub::LATE)),
        "wamp" => Some(Box::new(wamp::Wamp::new(Serialization::Json))),
        "wamp-msgpack" => Some(Box::new(wamp::Wamp::new(Serialization::MsgPack))),
        "wamp-cbor" => Some(Box::new(wamp::Wamp::new(Serialization::Cbor))),
        _ => None,
    }
}

/// The names of drivers: those that [`named`] knows, and `exec`.
pub const NAMES: [&str; 7] =
    ["mercury", "pinghub", "pinghub-late", "wamp", "wamp-msgpack", "wamp-cbor", "exec"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_a_host_and_a_port() {
        assert_eq!(Target::parse("ws://127.0.0.1:9/").unwrap().host, "127.0.0.1:9");
        assert_eq!(Target::parse("ws://127.0.0.1:9/ws/").unwrap().path, "/ws");
        assert!(Target::parse("http://[::1]:9").unwrap().address.is_ipv6());
        for bad in ["127.0.0.1:9", "ws://127.0.0.1", "wss://127.0.0.1:9", "ws://h:1/path?a=1"] {
            assert!(matches!(Target::parse(bad), Err(TargetError::Form(_))), "{bad}");
        }
    }
}
