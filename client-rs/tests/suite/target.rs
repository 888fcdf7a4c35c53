//! What a client may talk to, and what each of these can.

use petasus::{Builder, Client, Dialect, Error, Serializer};

use crate::support::broker::Running;
use crate::support::{soon, unique};

/// Where crossbar listens, as in `ws://127.0.0.1:8080/ws`.
const CROSSBAR: &str = "PETASUS_TEST_CROSSBAR";
/// The realm there in which anonymous sessions may do everything.
const CROSSBAR_REALM: &str = "PETASUS_TEST_CROSSBAR_REALM";
/// Where a broker listens that speaks as the original Mercury does.
const MERCURY: &str = "PETASUS_TEST_MERCURY";

/// A broker and the way to speak with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Target {
    /// Our broker over WAMP, in JSON.
    Json,
    /// The same in `MessagePack`.
    MsgPack,
    /// The same in CBOR.
    Cbor,
    /// Our broker over Mercury.
    Mercury,
    /// Crossbar over WAMP.
    Crossbar,
    /// A broker in Perl over Mercury.
    Perl,
}

/// What not every target can.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feature {
    /// Subscriptions to one topic alone, to a prefix, to a pattern.
    Filters,
    /// Leaving out oneself when publishing.
    ExcludeMe,
    /// Bus, push and pull.
    BusAndQueues,
    /// An acknowledgement of what is sent to a bus.
    BusAcknowledged,
    /// Waiting until a job is done.
    Done,
    /// Calls and procedures.
    Calls,
    /// Calls whose arguments come in pieces.
    StreamingCalls,
}

impl Target {
    /// The table of what each target can.
    pub(crate) fn can(self, feature: Feature) -> bool {
        use Feature::{BusAcknowledged, BusAndQueues, Calls, Done, ExcludeMe, Filters, StreamingCalls};
        match self {
            Target::Json | Target::MsgPack | Target::Cbor => true,
            Target::Mercury | Target::Perl => matches!(feature, BusAndQueues),
            Target::Crossbar => match feature {
                Filters | ExcludeMe | Calls => true,
                BusAndQueues | BusAcknowledged | Done | StreamingCalls => false,
            },
        }
    }

    /// Whether our own broker is behind it.
    pub(crate) fn is_ours(self) -> bool {
        !matches!(self, Target::Crossbar | Target::Perl)
    }

    pub(crate) fn dialect(self) -> Dialect {
        match self {
            Target::Mercury | Target::Perl => Dialect::Mercury,
            _ => Dialect::Wamp,
        }
    }

    fn serializer(self) -> Option<Serializer> {
        match self {
            Target::Json => Some(Serializer::Json),
            Target::MsgPack => Some(Serializer::MsgPack),
            Target::Cbor => Some(Serializer::Cbor),
            _ => None,
        }
    }
}

/// A target that runs.
pub(crate) struct Site {
    pub(crate) target: Target,
    pub(crate) url: String,
    /// Our broker.
    pub(crate) running: Option<Running>,
    /// Before the names of topics and procedures: others may use the same broker.
    prefix: String,
}

impl Site {
    /// `None` if there is no such broker here.
    async fn open(target: Target) -> Option<Site> {
        let running = if target.is_ours() { Some(Running::start().await) } else { None };
        let url = match (&running, target) {
            (Some(running), _) => running.url.clone(),
            (None, Target::Perl) => std::env::var(MERCURY).ok()?,
            (None, _) => std::env::var(CROSSBAR).ok()?,
        };
        Some(Site { target, url, running, prefix: unique("") })
    }

    /// A topic of this case, with slashes between its segments.
    pub(crate) fn topic(&self, name: &str) -> String {
        format!("{}{name}", self.prefix)
    }

    /// The URI of a procedure of this case, or of a topic.
    pub(crate) fn uri(&self, name: &str) -> String {
        self.topic(name).replace('/', ".")
    }

    pub(crate) fn builder(&self) -> Builder {
        self.builder_at(&self.url)
    }

    /// A client that finds the broker at another URL.
    pub(crate) fn builder_at(&self, url: &str) -> Builder {
        let mut builder = Client::builder(url).dialect(self.target.dialect());
        if let Some(serializer) = self.target.serializer() {
            builder = builder.serializer(serializer);
        }
        if self.target == Target::Crossbar {
            builder = builder.realm(std::env::var(CROSSBAR_REALM).unwrap_or_else(|_| "realm1".to_owned()));
        }
        builder
    }

    pub(crate) async fn client(&self) -> Client {
        soon("a connection", self.builder().connect()).await.unwrap()
    }

    /// `None` if the target can not do it, and says so; a panic if it says otherwise than the table.
    #[track_caller]
    pub(crate) fn judge<T>(&self, feature: Feature, result: Result<T, Error>) -> Option<T> {
        match (self.target.can(feature), result) {
            (true, Ok(value)) => Some(value),
            (false, Err(Error::Unsupported { .. })) => None,
            (true, Err(error)) => panic!("{:?} has {feature:?}: {error}", self.target),
            (false, Err(error)) => panic!("{:?} has no {feature:?}, but: {error}", self.target),
            (false, Ok(_)) => panic!("{:?} has no {feature:?}", self.target),
        }
    }
}

/// Runs a case against a target.
pub(crate) async fn run(target: Target, case: impl AsyncFn(&Site)) {
    let Some(site) = Site::open(target).await else {
        println!("skipped: `cargo xtask test client` runs it against {target:?}");
        return;
    };
    case(&site).await;
    if let Some(running) = site.running {
        running.stop().await;
    }
}

/// Makes a test of each case for each target.
macro_rules! cases {
    ($($(#[$doc:meta])* $case:ident,)*) => {
        $crate::target::cases!(@ json Json $($case)*);
        $crate::target::cases!(@ msgpack MsgPack $($case)*);
        $crate::target::cases!(@ cbor Cbor $($case)*);
        $crate::target::cases!(@ mercury Mercury $($case)*);
        $crate::target::cases!(@ crossbar Crossbar $($case)*);
        $crate::target::cases!(@ perl Perl $($case)*);
    };
    (@ $name:ident $target:ident $($case:ident)*) => {
        mod $name {
            $(
                #[tokio::test]
                async fn $case() {
                    $crate::target::run($crate::target::Target::$target, super::$case).await;
                }
            )*
        }
    };
}
pub(crate) use cases;
