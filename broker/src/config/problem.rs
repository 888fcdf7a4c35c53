//! What can be wrong with a configuration, and where.

use std::fmt;

use thiserror::Error;

/// Every problem of a configuration. Its text has one line for each.
#[derive(Clone, Debug, PartialEq, Error)]
#[error("{}", lines(.problems))]
pub struct ConfigError {
    /// At least one.
    pub problems: Vec<Problem>,
}

/// One problem: where, which key, what.
#[derive(Clone, Debug, PartialEq)]
pub struct Problem {
    /// Where the value comes from; of two keys that disagree, the other one's if only that was set. `None` for
    /// defaults and for a [`Config`](super::Config) made in Rust.
    pub place: Option<Place>,
    /// `section.name`; empty where no single key is at fault.
    pub key: String,
    /// What is wrong.
    pub fault: Fault,
}

/// Where a value comes from, in rising order of rank.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// A line of a file, counted from 1.
    File {
        /// The name it was opened by.
        name: String,
        /// The line.
        line: usize,
    },
    /// An environment variable.
    Variable(String),
    /// A command line flag.
    Flag(String),
}

/// What is wrong with a key, a value, or two of them together.
#[derive(Clone, Debug, PartialEq, Error)]
#[non_exhaustive]
pub enum Fault {
    /// The file is not TOML.
    #[error("not TOML: {0}")]
    Syntax(String),
    /// No such key.
    #[error("there is no such key{hint}; `petasus config-doc` prints all of them")]
    UnknownKey {
        /// The key probably meant, as a phrase; may be empty.
        hint: String,
    },
    /// No such `PETASUS_*` variable.
    #[error("no key is set by this variable{hint}; unset it, or see `petasus config-doc`")]
    UnknownVariable {
        /// The variable probably meant, as a phrase; may be empty.
        hint: String,
    },
    /// The name of a section is used as a key.
    #[error("this is a section; write its keys below a line [{0}]")]
    IsSection(String),
    /// A value of another type.
    #[error("needs {expected}; this is {found}")]
    Type {
        /// What the key takes.
        expected: String,
        /// What it got.
        found: String,
    },
    /// A text that should be a number.
    #[error("`{0}` is not a number")]
    NotANumber(String),
    /// None of the words that the key takes.
    #[error("`{found}` is none of {choices}{hint}")]
    Choice {
        /// As written.
        found: String,
        /// The words, in quotes.
        choices: String,
        /// The word probably meant, as a phrase; may be empty.
        hint: String,
    },
    /// Below the range.
    #[error("must be at least {minimum}")]
    TooSmall {
        /// The least value.
        minimum: f64,
    },
    /// Below the range, and not the zero that means never.
    #[error("must be 0 (never) or at least {minimum}")]
    TooSmallButNotZero {
        /// The least value beside zero.
        minimum: f64,
    },
    /// Not above the lower bound.
    #[error("must be more than {minimum}")]
    NotAbove {
        /// The bound.
        minimum: f64,
    },
    /// Above the range.
    #[error("must be at most {maximum}")]
    TooLarge {
        /// The greatest value.
        maximum: f64,
    },
    /// A text that the key can not read; the reason says what to write.
    #[error("{0}")]
    Value(String),
    /// Production without an address.
    #[error(
        "production mode needs an explicit address; set it, for example to [\"http://*:3000\"], or use --listen"
    )]
    ListenMissing,
    /// Two listeners at one address.
    #[error("{address} is also set by `{other}`; give each its own port")]
    SameAddress {
        /// The address.
        address: String,
        /// The other key.
        other: &'static str,
    },
    /// A pattern that is none.
    #[error(transparent)]
    Origin(#[from] petasus_protocol::origin::OriginError),
    /// A value that must not be below another key's.
    #[error(
        "{value} is below `{other}` ({bound}), so that the longest message never fits; raise it to {bound}"
    )]
    BelowMessage {
        /// The value.
        value: usize,
        /// The other key.
        other: &'static str,
        /// Its value.
        bound: usize,
    },
    /// The bound of all queues together is below that of one.
    #[error(
        "{value} is below `{other}` ({bound}), so that no queue can ever hold that much; raise it to {bound}, or \
         lower `{other}`"
    )]
    BelowOneQueue {
        /// The value.
        value: usize,
        /// The other key.
        other: &'static str,
        /// Its value.
        bound: usize,
    },
    /// Two times in the wrong order.
    #[error("must be shorter than `{other}` ({bound} s); shorten this one or lengthen the other")]
    NotShorter {
        /// The key that must be longer.
        other: &'static str,
        /// Its value.
        bound: super::Seconds,
    },
    /// A mount of Pinghub that covers what WAMP has, or is covered.
    #[error(
        "the mount `{mount}` and WAMP's `{path}` are in each other's way; choose another mount, or change [wamp]"
    )]
    MountHidesWamp {
        /// Of Pinghub.
        mount: String,
        /// One of `wamp.paths`, or `wamp.longpoll`.
        path: String,
    },
    /// A path of WAMP that nobody could ask for, or that is an endpoint of Mercury.
    #[error(
        "`{0}` is no path for WAMP; begin it with a slash, end it without one, and leave bus, pub, sub, push and pull alone"
    )]
    WampPath(String),
    /// The admin listener speaks no dialect.
    #[error("the admin listener speaks no dialect; leave ?dialects= out")]
    AdminDialects,
    /// A log level nobody knows.
    #[error(
        "`{0}` is no level; write error, warn, info, debug, trace or off, for one module as in petasus_broker=debug"
    )]
    Level(String),
    /// The subrequest URL is no plain HTTP URL.
    #[error("`{0}` is not an http URL; write for example http://127.0.0.1:8080/auth")]
    RequestUrl(String),
    /// Pinghub's origin is not one.
    #[error("`{0}` is no origin; write scheme and host, as in https://example.com")]
    PinghubOrigin(String),
}

impl Fault {
    /// The other key of two that disagree.
    pub(super) fn other(&self) -> Option<&'static str> {
        match self {
            Self::SameAddress { other, .. }
            | Self::BelowMessage { other, .. }
            | Self::BelowOneQueue { other, .. }
            | Self::NotShorter { other, .. } => Some(other),
            _ => None,
        }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { name, line } => write!(f, "{name}:{line}"),
            Self::Variable(name) => write!(f, "environment variable {name}"),
            Self::Flag(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(place) = &self.place {
            write!(f, "{place}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        self.fault.fmt(f)
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}
