//! Calls, and those who answer them one by one.

use std::collections::BTreeMap;

use petasus::protocol::wamp::uri::error;
use petasus::{Client, Error, Invocation, Retry};

use crate::support::{PATIENCE, soon};
use crate::target::{Feature, Site, cases};

cases! {
    arguments_go_there_and_results_come_back,
    a_procedure_that_nobody_offers_is_refused,
    an_error_comes_back_with_all_that_goes_along,
    a_call_that_is_dropped_by_its_callee_fails,
    a_call_that_takes_too_long_is_given_up_and_its_callee_told,
    a_call_that_is_dropped_is_canceled_and_its_callee_told,
    many_calls_get_their_own_answers,
    a_caller_may_disclose_itself,
    a_wrong_procedure_is_no_call,
}

/// A caller and the calls of `name`; `None` if there are no calls here.
async fn pair(site: &Site, name: &str) -> Option<(Client, petasus::Calls)> {
    let (caller, callee) = (site.client().await, site.client().await);
    let made = callee.register(site.uri(name)).await;
    let Some(calls) = site.judge(Feature::Calls, made) else {
        let called = caller.call(site.uri(name)).await;
        assert!(site.judge(Feature::Calls, called).is_none());
        return None;
    };
    Some((caller, calls))
}

async fn next(calls: &mut petasus::Calls) -> Invocation {
    soon("a call", calls.next()).await.expect("it is not over")
}

async fn arguments_go_there_and_results_come_back(site: &Site) {
    let Some((caller, mut calls)) = pair(site, "echo").await else { return };
    let procedure = site.uri("echo");
    let kwargs = BTreeMap::from([("unit", "m"), ("note", "ü")]);
    let asking = async {
        let sum: i64 = caller.call(&procedure).args((2, 3)).await.unwrap().json().unwrap();
        assert_eq!(sum, 5);
        let echo = caller.call(&procedure).args(("text",)).kwargs(&kwargs).await.unwrap();
        assert_eq!(echo.args::<(String,)>().unwrap(), ("text".to_owned(),));
        let back: BTreeMap<String, String> = echo.kwargs().unwrap();
        assert_eq!(back.len(), 2);
        assert_eq!((back["unit"].as_str(), back["note"].as_str()), ("m", "ü"));
        let nothing = caller.call(&procedure).await.unwrap();
        nothing.json::<()>().unwrap();
        assert_eq!(nothing.args::<Vec<u8>>().unwrap(), Vec::<u8>::new());
        let bytes = caller.call(&procedure).content(&b"\xff"[..]).timeout(PATIENCE).await.unwrap();
        assert_eq!((bytes.text(), &bytes.bytes()[..]), (None, &b"\xff"[..]));
    };
    let answering = async {
        let call = next(&mut calls).await;
        let (a, b): (i64, i64) = call.args().unwrap();
        assert!(!call.progressive());
        call.reply_json(&(a + b)).await.unwrap();
        let call = next(&mut calls).await;
        let content = call.content().clone();
        call.reply(content).await.unwrap();
        next(&mut calls).await.reply(()).await.unwrap();
        let call = next(&mut calls).await;
        assert_eq!(&call.bytes()[..], b"\xff");
        call.reply(&b"\xff"[..]).await.unwrap();
    };
    soon("the answers", async { tokio::join!(asking, answering) }).await;
    soon("the end", calls.unregister()).await.unwrap();
    let error = caller.call(&procedure).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().uri, error::NO_SUCH_PROCEDURE);
}

async fn a_procedure_that_nobody_offers_is_refused(site: &Site) {
    let client = site.client().await;
    match client.call(site.uri("nobody")).args((1,)).await {
        Err(Error::Refused(refusal)) => assert_eq!(refusal.uri, error::NO_SUCH_PROCEDURE),
        other => assert!(site.judge(Feature::Calls, other).is_none(), "nobody offers it"),
    }
}

async fn an_error_comes_back_with_all_that_goes_along(site: &Site) {
    let Some((caller, mut calls)) = pair(site, "fails").await else { return };
    let answering = async {
        next(&mut calls).await.fail("com.example.error.paper", "no paper").await.unwrap();
        let many = (petasus::Args((1, 2)), petasus::Kwargs(BTreeMap::from([("tray", 3)])));
        next(&mut calls).await.fail("com.example.error.tray", many).await.unwrap();
    };
    let asking = async {
        let error = caller.call(site.uri("fails")).await.unwrap_err();
        let refusal = error.refusal().unwrap();
        assert_eq!((refusal.uri.as_str(), refusal.text.as_str()), ("com.example.error.paper", "no paper"));
        assert_eq!(error.to_string(), "refused: com.example.error.paper (no paper)");
        assert_eq!((error.retry(), error.fault()), (Retry::No, petasus::Fault::Server));
        let error = caller.call(site.uri("fails")).await.unwrap_err();
        let payload = error.refusal().unwrap().content.to_payload(petasus::Serializer::Json).into_owned();
        assert_eq!(payload.decode_args::<(u8, u8)>().unwrap(), (1, 2));
        assert_eq!(payload.decode_kwargs::<BTreeMap<String, u8>>().unwrap()["tray"], 3);
    };
    soon("the errors", async { tokio::join!(asking, answering) }).await;
}

async fn a_call_that_is_dropped_by_its_callee_fails(site: &Site) {
    let Some((caller, mut calls)) = pair(site, "dropped").await else { return };
    let asking = async {
        let error = caller.call(site.uri("dropped")).await.unwrap_err();
        assert_eq!(error.refusal().unwrap().uri, error::CANCELED);
    };
    let answering = async { drop(next(&mut calls).await) };
    soon("the error", async { tokio::join!(asking, answering) }).await;
}

async fn a_call_that_takes_too_long_is_given_up_and_its_callee_told(site: &Site) {
    let Some((caller, mut calls)) = pair(site, "slow").await else { return };
    let asking = async {
        let time = std::time::Duration::from_millis(100);
        let error = caller.call(site.uri("slow")).timeout(time).await.unwrap_err();
        // Whose clock is faster: the client's or the broker's.
        let timed_out =
            error == Error::TimedOut || error.refusal().is_some_and(|refusal| refusal.uri == error::TIMEOUT);
        assert!(
            timed_out || error.refusal().is_some_and(|refusal| refusal.uri == error::CANCELED),
            "{error:?}"
        );
    };
    let answering = async {
        let call = next(&mut calls).await;
        call.interrupted().await;
        assert_eq!(call.reply("too late").await, Err(Error::Stale));
    };
    soon("the end of the call", async { tokio::join!(asking, answering) }).await;
}

async fn a_call_that_is_dropped_is_canceled_and_its_callee_told(site: &Site) {
    let Some((caller, mut calls)) = pair(site, "canceled").await else { return };
    let procedure = site.uri("canceled");
    let waits = tokio::spawn({
        let (caller, procedure) = (caller.clone(), procedure.clone());
        async move { caller.call(procedure).await }
    });
    let call = next(&mut calls).await;
    waits.abort();
    soon("the word that nobody waits", call.interrupted()).await;
    assert_eq!(call.reply("too late").await, Err(Error::Stale));
    // The same in parts.
    let parts = caller.call(&procedure).progressive();
    let call = next(&mut calls).await;
    assert!(call.progressive());
    drop(parts);
    soon("the word that nobody waits", call.interrupted()).await;
    // And all is well.
    let answering = async { next(&mut calls).await.reply("fine").await.unwrap() };
    let (answer, ()) = soon("an answer", async { tokio::join!(caller.call(&procedure), answering) }).await;
    assert_eq!(answer.unwrap().text().as_deref(), Some("fine"));
}

async fn many_calls_get_their_own_answers(site: &Site) {
    const COUNT: usize = 500;
    let Some((caller, mut calls)) = pair(site, "many").await else { return };
    let answering = async {
        // The last come first.
        let mut held = Vec::new();
        for _ in 0..COUNT {
            held.push(next(&mut calls).await);
        }
        while let Some(call) = held.pop() {
            let (number,): (usize,) = call.args().unwrap();
            call.reply_json(&(number * number)).await.unwrap();
        }
    };
    let asking = async {
        let asked = (0..COUNT).map(async |number| {
            let answer = caller.call(site.uri("many")).args((number,)).await.unwrap();
            assert_eq!(answer.json::<usize>().unwrap(), number * number);
        });
        futures_util::future::join_all(asked).await;
    };
    soon("all answers", async { tokio::join!(asking, answering) }).await;
}

async fn a_caller_may_disclose_itself(site: &Site) {
    let Some((caller, mut calls)) = pair(site, "who").await else { return };
    let session = match &caller.status().now() {
        petasus::Status::Connected(welcome) => welcome.session,
        status => panic!("{status:?}"),
    };
    assert!(session.is_some());
    let answering = async {
        for discloses in [false, true] {
            let call = next(&mut calls).await;
            // A router may disclose of itself, but no other.
            if discloses {
                assert_eq!(call.caller(), session);
            } else {
                assert!(call.caller().is_none() || call.caller() == session);
            }
            call.reply(()).await.unwrap();
        }
    };
    let asking = async {
        caller.call(site.uri("who")).await.unwrap();
        caller.call(site.uri("who")).disclose_me().await.unwrap();
    };
    soon("both calls", async { tokio::join!(asking, answering) }).await;
}

async fn a_wrong_procedure_is_no_call(site: &Site) {
    let client = site.client().await;
    match client.call("not a uri").await {
        Err(Error::Name(_)) => assert_eq!(site.target.dialect(), petasus::Dialect::Wamp),
        other => assert!(site.judge(Feature::Calls, other).is_none(), "it is no URI"),
    }
}
