//! The procedure that has the last word (WAMP, Dynamic Authorization).

use petasus_protocol::wamp::{Dict, Message, Payload, Serializer, Value, message};

use crate::client::{Wamp, text};
use crate::running::seconds;
use crate::{ALL_VERBS, Site, not_authorized, rule, user};

pub(crate) const AUTHORIZER: &str = "auth.may";

/// `backend` registers the authorizer, users do everything with `auth.x`, as far as it lets them; a watcher is asked
/// about as well.
pub(crate) fn access() -> String {
    format!(
        "anonymous = \"user\"\nauthorizer = \"{AUTHORIZER}\"\n{}{}[[rules]]\nrole = \"backend\"\nuri = \"{AUTHORIZER}\"\n\
         allow = [\"register\"]\n",
        user("backend", "backend"),
        rule("user", "", ALL_VERBS),
    )
}

/// A backend that has registered the authorizer.
pub(crate) async fn backend(site: &Site) -> Wamp {
    let mut backend = site.join("backend").await;
    backend.register(AUTHORIZER, Dict::new()).await;
    backend
}

/// A question: who, what name, what action; and its invocation.
pub(crate) async fn question(backend: &mut Wamp) -> (u64, String, String, u64) {
    let invocation = backend.invocation().await;
    let args = invocation.payload.arg_values().unwrap();
    assert_eq!(args.len(), 4, "{args:?}");
    let text = |place: usize| args[place].as_text().unwrap().to_owned();
    let session = args[0].as_dict().unwrap().id("session").unwrap().unwrap();
    assert!(args[3].as_dict().is_some());
    (session, text(1), text(2), invocation.request)
}

pub(crate) async fn answer(backend: &mut Wamp, invocation: u64, answer: impl Into<Value>) {
    let payload = Payload::of_values(Serializer::Json, &[answer.into()], &Dict::new());
    backend.yield_(invocation, payload).await;
}

async fn ask_to_subscribe(client: &mut Wamp) -> u64 {
    let request = client.request();
    client.say(message::Subscribe { request, options: Dict::new(), topic: "auth.x".to_owned() }).await;
    request
}

/// REQ-WAMP-071
#[tokio::test]
async fn the_authorizer_is_asked_about_everything_that_begins_something() {
    let site = Site::start(&access()).await;
    let mut backend = backend(&site).await;
    let mut client = site.join("").await;
    let request = client.request();
    for (json, uri, action) in [
        (r#"[32,REQ,{},"auth.a"]"#, "auth.a", "subscribe"),
        (r#"[32,REQ,{"match":"prefix"},"auth."]"#, "auth.", "subscribe"),
        (r#"[32,REQ,{"_pattern":"bus"},"auth.a"]"#, "auth.a", "subscribe"),
        (r#"[16,REQ,{"acknowledge":true},"auth.b"]"#, "auth.b", "publish"),
        (r#"[16,REQ,{"acknowledge":true,"_pattern":"bus"},"auth.b"]"#, "auth.b", "publish"),
        (r#"[48,REQ,{},"auth.c"]"#, "auth.c", "call"),
        (r#"[48,REQ,{},"wamp.session.count"]"#, "wamp.session.count", "call"),
        (r#"[48,REQ,{"_pattern":"queue"},"auth.c"]"#, "auth.c", "call"),
        (r#"[64,REQ,{},"auth.d"]"#, "auth.d", "register"),
        (r#"[64,REQ,{"_pattern":"queue"},"auth.d"]"#, "auth.d", "register"),
    ] {
        for (allowed, said) in [
            (false, Value::Bool(false)),
            (false, Value::Dict(Dict::new().with("allow", false))),
            (true, Value::Dict(Dict::new().with("allow", true).with("disclose", true))),
            (true, Value::Bool(true)),
        ] {
            let json = json.replace("REQ", &request.to_string());
            client.raw().send(crate::raw::message(crate::raw::TEXT, json.as_bytes())).await;
            let (session, asked, about, invocation) = question(&mut backend).await;
            assert_eq!((session, asked.as_str(), about.as_str()), (client.session, uri, action));
            answer(&mut backend, invocation, said).await;
            let denied = matches!(
                client.hear().await,
                Message::Error(error) if error.error == "wamp.error.not_authorized"
            );
            assert_eq!(denied, !allowed, "{json}");
        }
    }
    backend.raw().settle().await;
    site.running.stop().await;
}

/// REQ-WAMP-071: whatever is not a clear yes is a no, and the next question is asked as if nothing had been.
#[tokio::test]
async fn nothing_but_yes_is_yes() {
    let site = Site::start(&access()).await;
    let mut client = site.join("").await;
    let request = ask_to_subscribe(&mut client).await;
    assert!(not_authorized(&mut client, request).await.contains("not registered"));

    let mut backend = backend(&site).await;
    let values = |args: &[Value]| Payload::of_values(Serializer::Json, args, &Dict::new());
    for nonsense in [
        Payload::empty(),
        text("yes"),
        values(&[1.into()]),
        values(&[Value::Null, true.into()]),
        values(&[Value::List(vec![true.into()])]),
        values(&[Value::Dict(Dict::new())]),
        values(&[Value::Dict(Dict::new().with("allow", "yes"))]),
        values(&[Value::Dict(Dict::new().with("disclose", true))]),
        Payload::of_values(Serializer::Json, &[], &Dict::new().with("allow", true)),
    ] {
        let request = ask_to_subscribe(&mut client).await;
        let (.., invocation) = question(&mut backend).await;
        backend.yield_(invocation, nonsense).await;
        not_authorized(&mut client, request).await;
    }
    let request = ask_to_subscribe(&mut client).await;
    let (.., invocation) = question(&mut backend).await;
    let (kind, details, payload) = (message::Invocation::CODE, Dict::new(), values(&[true.into()]));
    let error = "auth.error".to_owned();
    backend.say(message::Error { kind, request: invocation, details, error, payload }).await;
    not_authorized(&mut client, request).await;
    ask_to_subscribe(&mut client).await;
    let (.., invocation) = question(&mut backend).await;
    answer(&mut backend, invocation, true).await;
    assert!(matches!(client.hear().await, Message::Subscribed(_)));
    site.running.stop().await;
}

/// REQ-WAMP-071: it is given up, dies, or unregisters while it is asked.
#[tokio::test]
async fn an_authorizer_that_does_not_answer_allows_nothing() {
    let site = Site::start_with(&access(), |config| config.hooks.timeout = seconds(0.2)).await;
    let mut client = site.join("").await;
    let mut late = backend(&site).await;
    let request = ask_to_subscribe(&mut client).await;
    let (.., invocation) = question(&mut late).await;
    not_authorized(&mut client, request).await;
    // Its answer comes to nobody, and is no fault of its.
    answer(&mut late, invocation, true).await;
    late.raw().settle().await;
    late.die();
    client.raw().settle().await;
    site.running.stop().await;

    let site = Site::start_with(&access(), |config| config.hooks.timeout = seconds(60.0)).await;
    let mut client = site.join("").await;
    for _ in 0..3 {
        let mut mortal = backend(&site).await;
        let request = ask_to_subscribe(&mut client).await;
        question(&mut mortal).await;
        mortal.die();
        not_authorized(&mut client, request).await;
    }
    // The next one is asked, by sessions that wait already as well.
    let mut backend = backend(&site).await;
    ask_to_subscribe(&mut client).await;
    let (.., invocation) = question(&mut backend).await;
    answer(&mut backend, invocation, true).await;
    assert!(matches!(client.hear().await, Message::Subscribed(_)));
    site.running.stop().await;
}

/// REQ-WAMP-071, REQ-WAMP-033: the session over which it is asked is the broker's own; when it was sent away there is
/// another one.
#[tokio::test]
async fn the_broker_asks_on_when_its_session_was_sent_away() {
    let site = Site::start_with(&access(), |config| config.hooks.timeout = seconds(60.0)).await;
    let mut backend = backend(&site).await;
    let mut client = site.join("").await;
    let request = client.call("wamp.session.kill_by_authrole", Dict::new(), text("trusted")).await;
    let (.., invocation) = question(&mut backend).await;
    answer(&mut backend, invocation, true).await;
    client.result(request).await;
    // A question may still find the old session, while it ends.
    while !subscribes(&mut client, &mut backend).await {}
    assert!(subscribes(&mut client, &mut backend).await);
    site.running.stop().await;
}

/// Whether the authorizer was asked about a subscription; it allows it.
async fn subscribes(client: &mut Wamp, backend: &mut Wamp) -> bool {
    let request = ask_to_subscribe(client).await;
    tokio::select! {
        (.., invocation) = question(backend) => {
            answer(backend, invocation, true).await;
            assert!(matches!(client.hear().await, Message::Subscribed(_)));
            true
        }
        _ = not_authorized(client, request) => false,
    }
}

/// REQ-WAMP-071: whoever is asked needs nobody's leave to be it, and nobody else may be it.
#[tokio::test]
async fn nobody_else_registers_the_authorizer() {
    let site = Site::start(&access()).await;
    let mut client = site.join("").await;
    for (procedure, policy) in
        [(AUTHORIZER, "exact"), ("auth.", "prefix"), ("", "prefix"), (".may", "wildcard")]
    {
        let (request, options) = (client.request(), Dict::new().with("match", policy));
        client.say(message::Register { request, options, procedure: procedure.to_owned() }).await;
        not_authorized(&mut client, request).await;
    }
    backend(&site).await;
    site.running.stop().await;
}

/// REQ-WAMP-071, REQ-WAMP-034: a testament is published when nobody can be asked any more, so it is asked about when
/// it is made.
#[tokio::test]
async fn the_authorizer_is_asked_about_testaments() {
    let site = Site::start(&access()).await;
    let mut backend = backend(&site).await;
    let mut client = site.join("").await;
    for allowed in [false, true] {
        let args = ["auth.last".into(), Value::List(vec![]), Value::Dict(Dict::new())];
        let payload = Payload::of_values(Serializer::Json, &args, &Dict::new());
        let request = client.call("wamp.session.add_testament", Dict::new(), payload).await;
        let (_, uri, action, invocation) = question(&mut backend).await;
        assert_eq!((uri.as_str(), action.as_str()), ("wamp.session.add_testament", "call"));
        answer(&mut backend, invocation, true).await;
        let (_, uri, action, invocation) = question(&mut backend).await;
        assert_eq!((uri.as_str(), action.as_str()), ("auth.last", "publish"));
        answer(&mut backend, invocation, allowed).await;
        if allowed {
            client.result(request).await;
        } else {
            not_authorized(&mut client, request).await;
        }
    }
    site.running.stop().await;
}
