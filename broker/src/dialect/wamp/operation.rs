//! From a client's message to the operation that it asks for.

use std::time::Duration;

use petasus_protocol::wamp::uri::{self, Match, Rule};
use petasus_protocol::wamp::{Dict, Message, Payload, WrongType, message};
use petasus_protocol::{Topic, TopicFilter, TopicLimits};

use super::Audience;
use crate::hub::{CallOptions, CancelMode, InvokePolicy, RegisterOptions};

/// What a client asks for, checked as far as that goes without knowing the session.
#[derive(Debug)]
pub(crate) enum Operation {
    Subscribe { request: u64, to: Interest },
    Unsubscribe { request: u64, subscription: u64 },
    Publish(Publish),
    Register { request: u64, what: Offer },
    Unregister { request: u64, registration: u64 },
    Call { request: u64, what: Wish, payload: Payload },
    Cancel { request: u64, mode: CancelMode },
    Yield { invocation: u64, progress: bool, payload: Payload },
    Fail(message::Error),
    Goodbye,
}

/// What a subscriber wants to hear.
#[derive(Debug)]
pub(crate) enum Interest {
    /// The topics that a filter matches.
    Topics(TopicFilter),
    /// A topic of the bus.
    Bus(Topic),
}

/// An event on its way.
#[derive(Debug)]
pub(crate) struct Publish {
    pub(crate) request: u64,
    pub(crate) acknowledge: bool,
    pub(crate) to: Destination,
    pub(crate) audience: Audience,
    pub(crate) disclose: bool,
    pub(crate) payload: Payload,
}

/// Where a publication goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Destination {
    Topic(Topic),
    Bus(Topic),
    Queue(Topic),
}

/// What a callee or puller offers to do.
#[derive(Debug)]
pub(crate) enum Offer {
    Procedure {
        uri: String,
        options: RegisterOptions,
    },
    /// Takes jobs of a queue, so many at one time.
    Jobs {
        topic: Topic,
        concurrency: usize,
    },
}

/// What a caller or pusher wants done.
#[derive(Debug)]
pub(crate) enum Wish {
    Procedure {
        uri: String,
        options: CallOptions,
    },
    /// A procedure of the broker's own.
    Meta {
        uri: String,
    },
    /// A job for a queue; the caller waits until it is done, or only until a puller has it.
    Job {
        topic: Topic,
        done: bool,
    },
}

/// Why a message is not carried out.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// The sender is told by an ERROR; of a PUBLISH only if it asked for acknowledgement.
    Refused { kind: u64, request: u64, error: &'static str, text: String, answer: bool },
    /// Clients never send this: the session ends.
    Violation(String),
}

/// How names are read.
#[derive(Debug, Clone)]
pub(crate) struct Naming {
    pub(crate) topics: TopicLimits,
    /// How strictly.
    pub(crate) rule: Rule,
    /// The last topic that was published to, as it was written: publishers mostly stay with one.
    pub(crate) last: Option<(String, Topic)>,
}

/// Why options or a name are refused, before it is known to which message they belong.
enum Fault {
    Invalid(WrongType),
    /// An option has a value that is none of those it may have.
    Value(String),
    Name(String),
    /// A name that belongs to the broker.
    Reserved(String),
}

impl From<WrongType> for Fault {
    fn from(wrong: WrongType) -> Self {
        Self::Invalid(wrong)
    }
}

impl Operation {
    /// Reads a message of a session that has joined.
    pub(crate) fn read(message: Message, naming: &mut Naming) -> Result<Self, Unread> {
        let kind = message.code();
        let request = request_of(&message);
        let answer = match &message {
            Message::Publish(publish) => publish.options.bool("acknowledge") == Ok(Some(true)),
            _ => true,
        };
        let read = match message {
            Message::Subscribe(m) => subscribe(&m, naming),
            Message::Unsubscribe(m) => {
                Ok(Self::Unsubscribe { request: m.request, subscription: m.subscription })
            }
            Message::Publish(m) => publish(m, naming),
            Message::Register(m) => register(m, naming),
            Message::Unregister(m) => {
                Ok(Self::Unregister { request: m.request, registration: m.registration })
            }
            Message::Call(m) => call(m, naming),
            Message::Cancel(m) => Ok(cancel(&m)),
            // YIELD has no answer: an option that is no boolean does not make it a piece of many.
            Message::Yield(m) => Ok(Self::Yield {
                invocation: m.request,
                progress: m.options.bool("progress").ok().flatten().unwrap_or(false),
                payload: m.payload,
            }),
            Message::Error(m) if m.kind == message::Invocation::CODE => Ok(Self::Fail(m)),
            Message::Error(m) => {
                return Err(Unread::Violation(format!(
                    "ERROR for message type {}, which no client answers",
                    m.kind
                )));
            }
            Message::Goodbye(_) => Ok(Self::Goodbye),
            other => {
                return Err(Unread::Violation(format!("{} out of order: the session is open", other.name())));
            }
        };
        read.map_err(|fault| fault.refuse(kind, request, answer))
    }
}

impl Fault {
    fn refuse(self, kind: u64, request: u64, answer: bool) -> Unread {
        let (error, text) = match self {
            Self::Invalid(wrong) => (uri::error::INVALID_ARGUMENT, wrong.to_string()),
            Self::Value(text) => (uri::error::INVALID_ARGUMENT, text),
            Self::Name(text) => (uri::error::INVALID_URI, text),
            Self::Reserved(name) => (
                uri::error::INVALID_URI,
                format!("{name} belongs to the broker: names that begin with wamp. or $ are reserved"),
            ),
        };
        Unread::Refused { kind, request, error, text, answer }
    }
}

/// The namespace that `_pattern` names; pub/sub and procedures if it names none.
#[derive(PartialEq)]
enum Pattern {
    Usual,
    Bus,
    Queue,
}

fn pattern(options: &Dict) -> Result<Pattern, Fault> {
    match options.text("_pattern")? {
        None | Some("pubsub" | "rpc") => Ok(Pattern::Usual),
        Some("bus") => Ok(Pattern::Bus),
        Some("queue") => Ok(Pattern::Queue),
        Some(other) => {
            Err(Fault::Value(format!("_pattern is {other:?}: use \"bus\", \"queue\" or \"pubsub\"")))
        }
    }
}

fn matching(options: &Dict) -> Result<Match, Fault> {
    let Some(name) = options.text("match")? else { return Ok(Match::Exact) };
    Match::parse(name)
        .ok_or_else(|| Fault::Value(format!("match is {name:?}: use \"exact\", \"prefix\" or \"wildcard\"")))
}

/// A name that clients may publish to, register or push to.
fn own(name: &str) -> Result<(), Fault> {
    if uri::is_reserved(name) { Err(Fault::Reserved(name.to_owned())) } else { Ok(()) }
}

/// Names of topics and procedures: how they are written, how long and how deep they may be (REQ-TOP-002).
fn checked(name: &str, matching: Match, naming: &Naming) -> Result<(), Fault> {
    uri::check(name, naming.rule, matching).map_err(|error| Fault::Name(error.to_string()))?;
    let TopicLimits { max_chars, max_depth } = naming.topics;
    if name.len() > max_chars && name.chars().count() > max_chars {
        return Err(Fault::Name(format!("the URI is too long: use at most {max_chars} characters")));
    }
    if name.bytes().filter(|&byte| byte == b'.').count() >= max_depth {
        return Err(Fault::Name(format!("the URI is too deep: use at most {max_depth} components")));
    }
    Ok(())
}

fn topic(name: &str, naming: &Naming) -> Result<Topic, Fault> {
    checked(name, Match::Exact, naming)?;
    Topic::from_wamp(name, &naming.topics).map_err(|error| Fault::Name(error.to_string()))
}

fn own_topic(name: &str, naming: &mut Naming) -> Result<Topic, Fault> {
    if let Some((written, topic)) = &naming.last
        && written == name
    {
        return Ok(topic.clone());
    }
    own(name)?;
    let topic = topic(name, naming)?;
    naming.last = Some((name.to_owned(), topic.clone()));
    Ok(topic)
}

fn subscribe(m: &message::Subscribe, naming: &Naming) -> Result<Operation, Fault> {
    let matching = matching(&m.options)?;
    let to = match (pattern(&m.options)?, matching) {
        (Pattern::Bus, Match::Exact) => Interest::Bus(topic(&m.topic, naming)?),
        (Pattern::Bus, _) => {
            return Err(Fault::Value("topics of the bus have no hierarchy: match must be exact".into()));
        }
        (Pattern::Queue, _) => {
            return Err(Fault::Value("jobs of a queue are taken by REGISTER, not by SUBSCRIBE".into()));
        }
        (Pattern::Usual, matching) => {
            checked(&m.topic, matching, naming)?;
            let filter = match matching {
                Match::Exact => {
                    Topic::from_wamp(&m.topic, &naming.topics).map(TopicFilter::Exact).map_err(Into::into)
                }
                Match::Prefix => TopicFilter::wamp_prefix(&m.topic, &naming.topics),
                Match::Wildcard => TopicFilter::wamp_wildcard(&m.topic, &naming.topics),
            };
            Interest::Topics(filter.map_err(|error| Fault::Name(error.to_string()))?)
        }
    };
    Ok(Operation::Subscribe { request: m.request, to })
}

fn publish(m: message::Publish, naming: &mut Naming) -> Result<Operation, Fault> {
    let topic = own_topic(&m.topic, naming)?;
    let to = match pattern(&m.options)? {
        Pattern::Usual => Destination::Topic(topic),
        Pattern::Bus => Destination::Bus(topic),
        Pattern::Queue => Destination::Queue(topic),
    };
    Ok(Operation::Publish(Publish {
        request: m.request,
        acknowledge: m.options.bool("acknowledge")?.unwrap_or(false),
        to,
        audience: Audience::read(&m.options)?,
        disclose: m.options.bool("disclose_me")?.unwrap_or(false),
        payload: m.payload,
    }))
}

fn register(m: message::Register, naming: &Naming) -> Result<Operation, Fault> {
    let concurrency = m.options.id("concurrency")?;
    own(&m.procedure)?;
    let what = match pattern(&m.options)? {
        Pattern::Bus => return Err(Fault::Value("the bus is joined by SUBSCRIBE, not by REGISTER".into())),
        Pattern::Queue => Offer::Jobs {
            topic: topic(&m.procedure, naming)?,
            concurrency: concurrency.map_or(1, |wanted| usize::try_from(wanted).unwrap_or(usize::MAX)).max(1),
        },
        Pattern::Usual => {
            let matching = matching(&m.options)?;
            checked(&m.procedure, matching, naming)?;
            let options = RegisterOptions {
                matching,
                invoke: invoke(&m.options)?,
                concurrency,
                forward_timeout: m.options.bool("forward_timeout")?.unwrap_or(false),
                created: Duration::ZERO,
            };
            Offer::Procedure { uri: m.procedure, options }
        }
    };
    Ok(Operation::Register { request: m.request, what })
}

fn invoke(options: &Dict) -> Result<InvokePolicy, Fault> {
    match options.text("invoke")? {
        None | Some("single") => Ok(InvokePolicy::Single),
        Some("first") => Ok(InvokePolicy::First),
        Some("last") => Ok(InvokePolicy::Last),
        Some("roundrobin") => Ok(InvokePolicy::RoundRobin),
        Some("random") => Ok(InvokePolicy::Random),
        Some(other) => Err(Fault::Value(format!(
            "invoke is {other:?}: use \"single\", \"first\", \"last\", \"roundrobin\" or \"random\""
        ))),
    }
}

fn call(m: message::Call, naming: &mut Naming) -> Result<Operation, Fault> {
    let what = match pattern(&m.options)? {
        Pattern::Bus => return Err(Fault::Value("the bus is sent to by PUBLISH, not by CALL".into())),
        Pattern::Queue => {
            let done = match m.options.text("_ack")? {
                None | Some("handed") => false,
                Some("done") => true,
                Some(other) => {
                    return Err(Fault::Value(format!("_ack is {other:?}: use \"handed\" or \"done\"")));
                }
            };
            Wish::Job { topic: own_topic(&m.procedure, naming)?, done }
        }
        Pattern::Usual if uri::is_reserved(&m.procedure) => Wish::Meta { uri: m.procedure },
        Pattern::Usual => {
            checked(&m.procedure, Match::Exact, naming)?;
            let options = CallOptions {
                timeout: m.options.id("timeout")?.map(Duration::from_millis),
                receive_progress: m.options.bool("receive_progress")?.unwrap_or(false),
                progress: m.options.bool("progress")?.unwrap_or(false),
                disclose: m.options.bool("disclose_me")?.unwrap_or(false),
            };
            Wish::Procedure { uri: m.procedure, options }
        }
    };
    Ok(Operation::Call { request: m.request, what, payload: m.payload })
}

/// CANCEL has no answer of its own, so a mode that does not exist is taken for the one that frees both sides.
fn cancel(m: &message::Cancel) -> Operation {
    let mode = match m.options.text("mode") {
        Ok(Some("skip")) => CancelMode::Skip,
        Ok(Some("kill")) => CancelMode::Kill,
        _ => CancelMode::KillNoWait,
    };
    Operation::Cancel { request: m.request, mode }
}

/// The request that an answer would be about; 0 for messages that have none.
fn request_of(message: &Message) -> u64 {
    match message {
        Message::Subscribe(m) => m.request,
        Message::Unsubscribe(m) => m.request,
        Message::Publish(m) => m.request,
        Message::Register(m) => m.request,
        Message::Unregister(m) => m.request,
        Message::Call(m) => m.request,
        _ => 0,
    }
}

impl Operation {
    /// Whether others are to learn who the sender is, where that is up to it.
    pub(crate) fn disclosure(&mut self) -> Option<&mut bool> {
        match self {
            Self::Publish(publish) => Some(&mut publish.disclose),
            Self::Call { what: Wish::Procedure { options, .. }, .. } => Some(&mut options.disclose),
            _ => None,
        }
    }

    /// What it carries, as far as a hook wants to see it.
    pub(crate) fn payload(&self) -> Option<&Payload> {
        match self {
            Self::Publish(publish) => Some(&publish.payload),
            Self::Call { payload, .. } => Some(payload),
            _ => None,
        }
    }

    /// The message type and the request that an ERROR would be about, if its sender waits for an answer.
    pub(crate) fn expects_answer(&self) -> Option<(u64, u64)> {
        match self {
            Self::Subscribe { request, .. } => Some((message::Subscribe::CODE, *request)),
            Self::Unsubscribe { request, .. } => Some((message::Unsubscribe::CODE, *request)),
            Self::Publish(publish) => {
                publish.acknowledge.then_some((message::Publish::CODE, publish.request))
            }
            Self::Register { request, .. } => Some((message::Register::CODE, *request)),
            Self::Unregister { request, .. } => Some((message::Unregister::CODE, *request)),
            Self::Call { request, .. } => Some((message::Call::CODE, *request)),
            Self::Cancel { .. } | Self::Yield { .. } | Self::Fail(_) | Self::Goodbye => None,
        }
    }
}
