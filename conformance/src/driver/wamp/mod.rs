//! WAMP: one session for each connection, in three serialisations.
//!
//! A bus is a topic whose publishers do not hear themselves (`exclude_me`); brokers that announce a bus or queues of their own
//! under `_pattern` are asked for those. A subscriber at a door hears its topic and what is below it: an exact
//! subscription and one by prefix, which never take the same event.
//!
//! Barriers: SUBSCRIBED and REGISTERED prove membership. A publication that nobody hears, answered by PUBLISHED or ERROR,
//! proves that everything before it was read.

use tokio::sync::oneshot;

use super::socket::{Socket, handshake};
use super::{About, Driver, Fut, Inbox, Met, OpenError, Opened, Opening, Speaking, Target};
use crate::caps::Caps;
use crate::history::Proof;
use crate::model::{Match, Role};
use crate::raw::wamp::{Serialization, Value, code};

mod hear;
mod line;
mod look;
pub(crate) mod names;
mod payload;
mod speak;
mod state;

use hear::Hear;
use line::Line;
use names::Names;
use state::{Pending, Shared};

/// Where routers listen if no path is given.
const PATH: &str = "/ws";

/// How many jobs a puller takes at once: it answers each at its arrival.
const JOBS: u64 = 1000;

/// The driver.
#[derive(Clone, Copy, Debug, Default)]
pub struct Wamp {
    serialization: Serialization,
}

impl Wamp {
    /// One that speaks this serialisation.
    pub const fn new(serialization: Serialization) -> Self {
        Self { serialization }
    }

    /// Opens a session.
    async fn join(
        &self,
        target: &Target,
        names: Names,
        inbox: Inbox,
        modest: bool,
    ) -> Result<(Line, Welcome), OpenError> {
        let path = if target.path.is_empty() { PATH } else { &target.path };
        let shaken = handshake(target, path, Some(self.serialization.subprotocol())).await?;
        let shared = Shared::new(self.serialization);
        let (welcome, welcomed) = oneshot::channel();
        shared.lock().pending.insert(0, Pending::Welcome(welcome));
        let hear = Hear { shared: shared.clone(), names: names.clone(), inbox };
        let line = Line { socket: Socket::start(shaken, hear), shared, names, at: line::Place::default() };
        line.say(&[code::HELLO.into_value(), Value::from(&*target.realm), hello(modest)]).await?;
        let details = welcomed.await.map_err(|_| ended())?.map_err(OpenError::Protocol)?;
        Ok((line, Welcome { details }))
    }
}

/// What the router says of itself.
struct Welcome {
    details: Value,
}

impl Driver for Wamp {
    fn about(&self) -> About {
        let name = match self.serialization {
            Serialization::Json => "wamp",
            Serialization::MsgPack => "wamp-msgpack",
            Serialization::Cbor => "wamp-cbor",
        };
        About { name, profiles: &["wamp"] }
    }

    fn claims(&self) -> Caps {
        Caps::of([
            "bus",
            "bus.echo",
            "pubsub",
            "payload.binary",
            "payload.empty",
            "publish.ack",
            "multiplexed",
            "tcp",
            "messages",
        ])
    }

    fn discover<'a>(&'a self, target: &'a Target) -> Fut<'a, Result<Option<Caps>, OpenError>> {
        Box::pin(async move {
            let (to, _) = tokio::sync::mpsc::unbounded_channel();
            let inbox = Inbox::new(crate::history::Conn(0), to);
            let (line, welcome) = self.join(target, Names::new("discovery"), inbox, false).await?;
            line.goodbye().await.map_err(|error| OpenError::Protocol(error.to_string()))?;
            let mut own: Vec<String> = self.claims().iter().map(str::to_owned).collect();
            own.extend(speak::found(*self, target).await);
            Ok(Some(welcome.caps().changed(&[], &own)))
        })
    }

    fn speak<'a>(
        &'a self,
        target: &'a Target,
        speaking: &'a Speaking<'a>,
        inbox: Inbox,
    ) -> Fut<'a, Result<Met, OpenError>> {
        Box::pin(speak::open(*self, target, speaking, inbox))
    }

    fn open<'a>(
        &'a self,
        target: &'a Target,
        opening: &'a Opening<'a>,
        inbox: Inbox,
    ) -> Fut<'a, Result<Opened, OpenError>> {
        Box::pin(async move {
            if !opening.suffix.is_empty() {
                return Err(OpenError::Unrepresentable("an address that is no topic".to_owned()));
            }
            let names = Names::new(opening.namespace.as_str());
            let (mut line, welcome) = self.join(target, names, inbox, opening.door.modest).await?;
            welcome.stand(&mut line, opening).await?;
            line.shared.lock().opened();
            Ok(Opened { port: Box::new(line), proof: Proof::Proved })
        })
    }
}

/// The details of HELLO: all roles, with what this client understands; a modest one understands nothing.
fn hello(modest: bool) -> Value {
    let features = |names: &[&str]| {
        let names = if modest { &[] } else { names };
        let all = Value::map(names.iter().map(|&name| (name, Value::from(true))));
        Value::map([("features", all)])
    };
    let calls = [
        "call_canceling",
        "call_timeout",
        "caller_identification",
        "progressive_call_invocations",
        "progressive_call_results",
    ];
    let others =
        ["call_reroute", "pattern_based_registration", "registration_revocation", "shared_registration"];
    let callee = [&calls[..], &others].concat();
    let subscriber = ["pattern_based_subscription", "publisher_identification", "subscription_revocation"];
    let roles = Value::map([
        ("publisher", features(&["subscriber_blackwhite_listing", "publisher_exclusion"])),
        ("subscriber", features(&subscriber)),
        ("caller", features(&calls)),
        ("callee", features(&callee)),
    ]);
    Value::map([("roles", roles)])
}

impl Welcome {
    /// Takes the place at a door.
    async fn stand(&self, line: &mut Line, opening: &Opening<'_>) -> Result<(), OpenError> {
        let door = opening.door;
        let (bus, queue) = (self.has_pattern("bus"), self.has_pattern("queue"));
        let names = &line.names;
        let topic = match door.role {
            Role::Session => names.sentinel(),
            Role::Bus if !bus => names.bus(&door.topic)?,
            _ => names.topic(&door.topic)?,
        };
        line.at = line::Place {
            topic: topic.clone(),
            pattern: match door.role {
                Role::Bus if bus => Some("bus"),
                Role::Push | Role::Pull => Some("queue"),
                _ => None,
            },
            echo: door.echo,
            sends: door.role.sends(),
        };
        if matches!(door.role, Role::Push | Role::Pull) && !queue {
            return Err(OpenError::Unrepresentable("a queue".to_owned()));
        }
        let pattern = || line.at.pattern.map(|name| ("_pattern", Value::from(name)));
        match door.role {
            Role::Pub | Role::Push => {}
            Role::Bus | Role::Session => {
                let options = Value::map(pattern());
                let id = line.request(code::SUBSCRIBE, options, &topic).await?;
                line.shared.lock().plain.insert(id);
            }
            Role::Sub => {
                let id = line.request(code::SUBSCRIBE, Value::map([]), &topic).await?;
                line.shared.lock().plain.insert(id);
                if self.has("broker", "pattern_based_subscription") {
                    let options = Value::map([("match", names::policy(Match::Prefix))]);
                    let below = names.below(&door.topic)?;
                    let id = line.request(code::SUBSCRIBE, options, &below).await?;
                    line.shared.lock().plain.insert(id);
                }
            }
            Role::Pull => {
                let options = pattern().into_iter().chain([("concurrency", Value::from(JOBS))]);
                let id = line.request(code::REGISTER, Value::map(options), &topic).await?;
                line.shared.lock().plain.insert(id);
            }
        }
        Ok(())
    }

    fn has(&self, role: &str, feature: &str) -> bool {
        let features = self.details.at("roles").and_then(|roles| roles.at(role)?.at("features"));
        features.is_some_and(|features| features.has(feature))
    }

    fn has_pattern(&self, name: &str) -> bool {
        let names = self.details.at("_pattern").and_then(Value::items);
        names.is_some_and(|names| names.contains(&Value::from(name)))
    }

    /// What it announces, in the words of the list of requirements.
    fn caps(&self) -> Caps {
        let announced = [
            ("broker", "pattern_based_subscription", &["pubsub.hierarchy", "pubsub.patterns"][..]),
            ("broker", "subscriber_blackwhite_listing", &["pubsub.listing"]),
            ("broker", "publisher_identification", &["pubsub.disclosure"]),
            ("dealer", "progressive_call_results", &["rpc.progress"]),
            ("dealer", "call_canceling", &["rpc.cancel"]),
            ("dealer", "call_timeout", &["rpc.timeout"]),
            ("dealer", "shared_registration", &["rpc.shared", "rpc.concurrency"]),
            ("dealer", "pattern_based_registration", &["rpc.patterns"]),
            ("dealer", "caller_identification", &["rpc.disclosure"]),
            ("dealer", "progressive_call_invocations", &["rpc.pieces"]),
            ("dealer", "call_reroute", &["rpc.reroute"]),
            ("dealer", "session_meta_api", &["meta.sessions"]),
            ("broker", "session_meta_api", &["meta.sessions"]),
            ("broker", "subscription_meta_api", &["meta.subscriptions"]),
            ("dealer", "registration_meta_api", &["meta.registrations"]),
            ("broker", "subscription_revocation", &["meta.subscriptions.remove"]),
            ("dealer", "registration_revocation", &["meta.registrations.remove"]),
            ("dealer", "testament_meta_api", &["meta.testaments"]),
            ("broker", "testament_meta_api", &["meta.testaments"]),
        ];
        let told = announced.iter().filter(|(role, feature, _)| self.has(role, feature));
        let told = told.flat_map(|(_, _, caps)| caps.iter().copied());
        let dealer = self.details.at("roles").and_then(|roles| roles.at("dealer")).map(|_| "rpc");
        let queue: &[&str] = if self.has_pattern("queue") { &["pushpull", "pushpull.strict"] } else { &[] };
        let bus = self.has_pattern("bus").then_some("bus.total_order");
        Caps::of(told.chain(dealer).chain(queue.iter().copied()).chain(bus))
    }
}

fn ended() -> OpenError {
    OpenError::Protocol("the broker ended the connection before the session was open".to_owned())
}

/// Numbers of messages as values.
trait IntoValue {
    fn into_value(self) -> Value;
}

impl IntoValue for i128 {
    fn into_value(self) -> Value {
        Value::Int(self)
    }
}
