//! Procedures: names, patterns, sharing, and serving in the background.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::SeqCst;

use petasus::protocol::wamp::uri::error;
use petasus::{CallError, Invoke, Json, Registration};
use tokio::sync::{Semaphore, mpsc};

use crate::support::{soon, until};
use crate::target::{Feature, Site, cases};

cases! {
    a_name_that_is_taken_is_refused,
    a_prefix_answers_for_all_below_it,
    a_wildcard_answers_for_any_segment,
    callees_that_share_a_procedure_take_turns,
    the_first_or_the_last_takes_all,
    a_served_procedure_answers_all_at_once,
    no_more_calls_run_than_were_allowed,
    a_served_call_that_nobody_waits_for_is_stopped,
    what_a_served_call_fails_with_reaches_the_caller,
    a_dropped_registration_is_gone,
    a_registration_that_ends_answers_first_what_it_has,
}

async fn a_name_that_is_taken_is_refused(site: &Site) {
    let (one, two) = (site.client().await, site.client().await);
    let made = one.register(site.uri("taken")).await;
    let Some(first) = site.judge(Feature::Calls, made) else { return };
    let error = two.register(site.uri("taken")).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().uri, error::PROCEDURE_ALREADY_EXISTS);
    // The other one is as before, and when it is gone the name is free.
    soon("the end", first.unregister()).await.unwrap();
    two.register(site.uri("taken")).await.unwrap();
}

/// Serves under this pattern by answering the name that was called.
async fn names(site: &Site, pattern: &str, prefix: bool) -> Option<(petasus::Client, Registration)> {
    let client = site.client().await;
    let register = client.register(site.uri(pattern));
    let register = if prefix { register.prefix() } else { register.wildcard() };
    let served =
        register.serve(|call| async move { Ok(call.procedure().expect("it is said").to_owned()) }).await;
    let registration = site.judge(Feature::Calls, served)?;
    Some((client, registration))
}

async fn a_prefix_answers_for_all_below_it(site: &Site) {
    let Some((client, _registration)) = names(site, "files.", true).await else { return };
    for name in ["files.a", "files.a.b"] {
        let answer = soon("an answer", client.call(site.uri(name)).into_future()).await.unwrap();
        assert_eq!(answer.text().as_deref(), Some(site.uri(name).as_str()));
    }
    let error = client.call(site.uri("other")).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().uri, error::NO_SUCH_PROCEDURE);
}

async fn a_wildcard_answers_for_any_segment(site: &Site) {
    let Some((client, _registration)) = names(site, "user..mail", false).await else { return };
    for name in ["user.joe.mail", "user.amy.mail"] {
        let answer = soon("an answer", client.call(site.uri(name)).into_future()).await.unwrap();
        assert_eq!(answer.text().as_deref(), Some(site.uri(name).as_str()));
    }
    let error = client.call(site.uri("user.joe.post")).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().uri, error::NO_SUCH_PROCEDURE);
}

/// Three clients that share a procedure, each of which answers its number.
async fn shared(site: &Site, invoke: Invoke) -> Option<Vec<(petasus::Client, Registration)>> {
    let mut all = Vec::new();
    for number in 0..3 {
        let client = site.client().await;
        let serving = client.register(site.uri("shared")).invoke(invoke);
        let served = serving.serve(move |_| async move { Ok(Json(number)) }).await;
        let registration = site.judge(Feature::Calls, served)?;
        all.push((client, registration));
    }
    Some(all)
}

/// Who answers, one call after the other.
async fn answers(site: &Site, client: &petasus::Client, count: usize) -> Vec<usize> {
    let mut answers = Vec::new();
    for _ in 0..count {
        let answer = soon("an answer", client.call(site.uri("shared")).into_future()).await;
        answers.push(answer.unwrap().json().unwrap());
    }
    answers
}

async fn callees_that_share_a_procedure_take_turns(site: &Site) {
    let Some(all) = shared(site, Invoke::RoundRobin).await else { return };
    assert_eq!(answers(site, &all[0].0, 6).await, [0, 1, 2, 0, 1, 2]);
}

async fn the_first_or_the_last_takes_all(site: &Site) {
    let Some(all) = shared(site, Invoke::First).await else { return };
    assert_eq!(answers(site, &all[0].0, 2).await, [0, 0]);
    for (_, registration) in all {
        registration.unregister().await.unwrap();
    }
    let all = shared(site, Invoke::Last).await.unwrap();
    assert_eq!(answers(site, &all[0].0, 2).await, [2, 2]);
    for (_, registration) in all {
        registration.unregister().await.unwrap();
    }
    let all = shared(site, Invoke::Random).await.unwrap();
    assert!(answers(site, &all[0].0, 3).await.iter().all(|answer| *answer < 3));
}

async fn a_served_procedure_answers_all_at_once(site: &Site) {
    let (callee, caller) = (site.client().await, site.client().await);
    // Each call waits until all are there.
    let (there, gate) = (Arc::new(AtomicUsize::new(0)), Arc::new(Semaphore::new(0)));
    let served = callee.register(site.uri("meet")).serve({
        move |call| {
            let (there, gate) = (there.clone(), gate.clone());
            async move {
                if there.fetch_add(1, SeqCst) + 1 == 50 {
                    gate.add_permits(50);
                }
                gate.acquire().await.expect("it is never closed").forget();
                Ok(Json(call.args::<(u32,)>()?.0 + 1))
            }
        }
    });
    let Some(_registration) = site.judge(Feature::Calls, served.await) else { return };
    let all = (0..50).map(async |number| {
        let answer = caller.call(site.uri("meet")).args((number,)).await.unwrap();
        assert_eq!(answer.json::<u32>().unwrap(), number + 1);
    });
    soon("all answers", futures_util::future::join_all(all)).await;
}

async fn no_more_calls_run_than_were_allowed(site: &Site) {
    let (callee, caller) = (site.client().await, site.client().await);
    let (begun, mut begins) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let serve = callee.register(site.uri("few")).concurrency(2).serve({
        let gate = gate.clone();
        move |_| {
            let (begun, gate) = (begun.clone(), gate.clone());
            async move {
                begun.send(()).expect("the test listens");
                gate.acquire().await.expect("it is never closed").forget();
                Ok(())
            }
        }
    });
    let Some(_registration) = site.judge(Feature::Calls, serve.await) else { return };
    let call = || {
        let (caller, procedure) = (caller.clone(), site.uri("few"));
        tokio::spawn(async move { caller.call(procedure).await })
    };
    let first = [call(), call()];
    for _ in 0..2 {
        soon("a call to begin", begins.recv()).await.unwrap();
    }
    // A third one finds no place: it is refused, or waits, but does not run.
    let third = call();
    caller.call(site.uri("settled")).await.unwrap_err();
    assert!(begins.try_recv().is_err(), "a third call runs");
    gate.add_permits(3);
    for call in first {
        soon("an answer", call).await.unwrap().unwrap();
    }
    let _ = soon("the third answer", third).await.unwrap();
}

/// Says when it is dropped.
struct Bell(mpsc::UnboundedSender<()>);

impl Drop for Bell {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

async fn a_served_call_that_nobody_waits_for_is_stopped(site: &Site) {
    let (callee, caller) = (site.client().await, site.client().await);
    let (begun, mut begins) = mpsc::unbounded_channel();
    let (stopped, mut stops) = mpsc::unbounded_channel();
    let serve = callee.register(site.uri("long")).serve(move |_| {
        let (begun, bell) = (begun.clone(), Bell(stopped.clone()));
        async move {
            let _bell = bell;
            begun.send(()).expect("the test listens");
            std::future::pending::<()>().await;
            Ok(())
        }
    });
    let Some(registration) = site.judge(Feature::Calls, serve.await) else { return };
    for _ in 0..2 {
        let waits = tokio::spawn({
            let (caller, procedure) = (caller.clone(), site.uri("long"));
            async move { caller.call(procedure).await }
        });
        soon("the call to begin", begins.recv()).await.unwrap();
        waits.abort();
        soon("the call to be stopped", stops.recv()).await.unwrap();
    }
    // A dropped registration stops what it answers, and the caller hears of it.
    let waits = tokio::spawn({
        let (caller, procedure) = (caller.clone(), site.uri("long"));
        async move { caller.call(procedure).await }
    });
    soon("the call to begin", begins.recv()).await.unwrap();
    drop(registration);
    soon("the call to be stopped", stops.recv()).await.unwrap();
    let error = soon("the error", waits).await.unwrap().unwrap_err();
    assert_eq!(error.refusal().unwrap().uri, error::CANCELED);
}

async fn what_a_served_call_fails_with_reaches_the_caller(site: &Site) {
    let (callee, caller) = (site.client().await, site.client().await);
    let serve = callee.register(site.uri("picky")).serve(|call| async move {
        let (number,): (u8,) = call.args()?;
        if number == 0 { Err(CallError::new("com.example.error.zero", "not zero")) } else { Ok(Json(number)) }
    });
    let Some(_registration) = site.judge(Feature::Calls, serve.await) else { return };
    let call = async |number: i32| {
        soon("an answer", caller.call(site.uri("picky")).args((number,)).into_future()).await
    };
    assert_eq!(call(7).await.unwrap().json::<u8>().unwrap(), 7);
    let error = call(0).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().uri, "com.example.error.zero");
    assert_eq!(error.refusal().unwrap().text, "not zero");
    let error = call(-1).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().uri, error::INVALID_ARGUMENT);
}

async fn a_dropped_registration_is_gone(site: &Site) {
    let (callee, caller) = (site.client().await, site.client().await);
    let made = callee.register(site.uri("gone")).await;
    let Some(calls) = site.judge(Feature::Calls, made) else { return };
    drop(calls);
    until("nobody to offer it", async || {
        let error = caller.call(site.uri("gone")).await.unwrap_err();
        error.refusal().unwrap().uri == error::NO_SUCH_PROCEDURE
    })
    .await;
    let registration = callee.register(site.uri("gone")).serve(|_| async { Ok(()) }).await.unwrap();
    soon("an answer", caller.call(site.uri("gone")).into_future()).await.unwrap();
    soon("the end", registration.unregister()).await.unwrap();
    let error = caller.call(site.uri("gone")).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().uri, error::NO_SUCH_PROCEDURE);
}

async fn a_registration_that_ends_answers_first_what_it_has(site: &Site) {
    let (callee, caller) = (site.client().await, site.client().await);
    let (begun, mut begins) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let serve = callee.register(site.uri("last")).serve({
        let gate = gate.clone();
        move |_| {
            let (begun, gate) = (begun.clone(), gate.clone());
            async move {
                begun.send(()).expect("the test listens");
                gate.acquire().await.expect("it is never closed").forget();
                Ok("done")
            }
        }
    });
    let Some(registration) = site.judge(Feature::Calls, serve.await) else { return };
    let waits = tokio::spawn({
        let (caller, procedure) = (caller.clone(), site.uri("last"));
        async move { caller.call(procedure).await }
    });
    soon("the call to begin", begins.recv()).await.unwrap();
    let ends = tokio::spawn(registration.unregister());
    until("the procedure to be gone", async || {
        let call = caller.call(site.uri("last")).timeout(std::time::Duration::from_secs(5));
        call.await.is_err_and(|error| {
            error.refusal().is_some_and(|refusal| refusal.uri == error::NO_SUCH_PROCEDURE)
        })
    })
    .await;
    gate.add_permits(100);
    assert_eq!(soon("the answer", waits).await.unwrap().unwrap().text().as_deref(), Some("done"));
    soon("the end", ends).await.unwrap().unwrap();
}
