//! Who gets in, and who may do what: the access file, the authorizer that it names, and hooks, over real sockets.

#[path = "../wamp/client.rs"]
mod client;
#[path = "../support/metrics.rs"]
mod metrics;
#[path = "../support/raw.rs"]
mod raw;
#[path = "../support/running.rs"]
mod running;
#[path = "../wamp/verbs.rs"]
mod verbs;

mod authorizer;
mod hooks;
mod methods;
mod reload;
mod rules;
mod waiting;

use petasus_broker::config::Config;
use petasus_protocol::wamp::{Dict, Message, Serializer, Value, message};
use tempfile::NamedTempFile;

use client::Wamp;
use running::{Running, config};

/// A broker with an access file.
struct Site {
    running: Running,
    file: NamedTempFile,
}

impl Site {
    async fn start(access: &str) -> Site {
        Site::start_with(access, |_| {}).await
    }

    async fn start_with(access: &str, change: impl FnOnce(&mut Config)) -> Site {
        let (config, file) = with_access(access);
        let mut config = config;
        change(&mut config);
        Site { running: Running::start(config).await, file }
    }

    /// A session of a user whose ticket is its name, or of nobody.
    async fn join(&self, authid: &str) -> Wamp {
        self.join_by(authid, Serializer::Json).await
    }

    async fn join_by(&self, authid: &str, serializer: Serializer) -> Wamp {
        let mut client = Wamp::connect(self.running.address, serializer).await;
        if authid.is_empty() {
            client.hello("default").await;
            return client;
        }
        hello(&mut client, "ticket", Some(authid), Dict::new()).await;
        let challenge = client.hear().await;
        assert!(matches!(challenge, Message::Challenge(_)), "{challenge:?}");
        client.say(message::Authenticate { signature: authid.to_owned(), extra: Dict::new() }).await;
        match client.hear().await {
            Message::Welcome(welcome) => client.session = welcome.session,
            other => panic!("{other:?} instead of WELCOME"),
        }
        client
    }
}

/// A configuration with an access file, which is there as long as what comes with it.
fn with_access(access: &str) -> (Config, NamedTempFile) {
    let file = NamedTempFile::new().unwrap();
    std::fs::write(file.path(), access).unwrap();
    let mut config = config("http://127.0.0.1:0");
    file.path().to_str().unwrap().clone_into(&mut config.auth.access);
    (config, file)
}

/// A user whose ticket is its name, and whose role is the name of its role.
fn user(authid: &str, role: &str) -> String {
    format!("[[users]]\nauthid = \"{authid}\"\nrole = \"{role}\"\nticket = \"{authid}\"\n")
}

/// A rule for a role and all names that begin so.
fn rule(role: &str, beginning: &str, verbs: &str) -> String {
    format!("[[rules]]\nrole = \"{role}\"\nuri = \"{beginning}\"\nmatch = \"prefix\"\nallow = [{verbs}]\n")
}

const ALL_VERBS: &str = "\"subscribe\", \"publish\", \"call\", \"register\"";

/// HELLO with one method.
async fn hello(client: &mut Wamp, method: &str, authid: Option<&str>, extra: Dict) {
    let roles = ["publisher", "subscriber", "caller", "callee"];
    let roles = roles.into_iter().fold(Dict::new(), |roles, role| roles.with(role, Value::Dict(Dict::new())));
    let details = Dict::new()
        .with("roles", Value::Dict(roles))
        .with("authmethods", Value::List(vec![method.into()]))
        .with("authid", authid)
        .with("authextra", Value::Dict(extra));
    client.say(message::Hello { realm: "default".to_owned(), details }).await;
}

/// The next message, which must refuse a request.
async fn not_authorized(client: &mut Wamp, request: u64) -> String {
    let error = client.error(request).await;
    assert_eq!(error.error, "wamp.error.not_authorized", "{error:?}");
    error.payload.arg_values().unwrap()[0].as_text().unwrap().to_owned()
}
