//! Results in parts, and arguments in pieces.

use petasus::{Calls, Client, Error, Part};

use crate::support::{PATIENCE, soon};
use crate::target::{Feature, Site, cases};

cases! {
    a_result_comes_in_parts_and_in_order,
    parts_end_with_an_error_too,
    who_takes_no_parts_gets_none,
    each_part_begins_the_time_anew,
    arguments_go_in_pieces,
    an_upload_that_is_dropped_is_canceled,
    an_upload_to_a_call_that_is_over_says_so,
}

async fn a_result_comes_in_parts_and_in_order(site: &Site) {
    let (caller, callee) = (site.client().await, site.client().await);
    let procedure = site.uri("count");
    let made = callee.register(&procedure).await;
    let Some(mut calls) = site.judge(Feature::Calls, made) else {
        let first = soon("the error", caller.call(&procedure).progressive().next()).await.unwrap();
        assert!(site.judge(Feature::Calls, first).is_none());
        return;
    };
    let answering = async {
        let call = calls.next().await.unwrap();
        let (up_to,): (u32,) = call.args().unwrap();
        for number in 0..up_to {
            call.progress(petasus::Json(number)).await.unwrap();
        }
        call.reply_json("end").await.unwrap();
    };
    let asking = async {
        let mut parts = caller.call(&procedure).args((100,)).progressive();
        for number in 0..100 {
            match parts.next().await {
                Some(Ok(Part::Progress(message))) => assert_eq!(message.json::<u32>().unwrap(), number),
                other => panic!("{other:?} instead of {number}"),
            }
        }
        match parts.next().await {
            Some(Ok(Part::Last(message))) => assert_eq!(message.text().as_deref(), Some("end")),
            other => panic!("{other:?} instead of the last part"),
        }
        assert_eq!(parts.next().await, None);
    };
    soon("all parts", async { tokio::join!(asking, answering) }).await;
}

async fn parts_end_with_an_error_too(site: &Site) {
    let (caller, callee) = (site.client().await, site.client().await);
    let procedure = site.uri("fails");
    let made = callee.register(&procedure).await;
    let Some(mut calls) = site.judge(Feature::Calls, made) else { return };
    let answering = async {
        let call = calls.next().await.unwrap();
        call.progress("half").await.unwrap();
        call.fail("com.example.error", "no more").await.unwrap();
    };
    let asking = async {
        let mut parts = caller.call(&procedure).progressive();
        let half = parts.next().await.unwrap().unwrap();
        assert_eq!(half.into_message().text().as_deref(), Some("half"));
        let error = parts.next().await.unwrap().unwrap_err();
        assert_eq!(error.refusal().unwrap().text, "no more");
        assert_eq!(parts.next().await, None);
    };
    soon("all parts", async { tokio::join!(asking, answering) }).await;
}

async fn who_takes_no_parts_gets_none(site: &Site) {
    let (caller, callee) = (site.client().await, site.client().await);
    let procedure = site.uri("whole");
    let made = callee.register(&procedure).await;
    let Some(mut calls) = site.judge(Feature::Calls, made) else { return };
    let answering = async {
        let call = calls.next().await.unwrap();
        let refused = call.progress("half").await.unwrap_err();
        assert!(matches!(refused, Error::Unsupported { .. }), "{refused}");
        call.reply("whole").await.unwrap();
    };
    let (answer, ()) = soon("the answer", async { tokio::join!(caller.call(&procedure), answering) }).await;
    assert_eq!(answer.unwrap().text().as_deref(), Some("whole"));
}

async fn each_part_begins_the_time_anew(site: &Site) {
    let (caller, callee) = (site.client().await, site.client().await);
    let procedure = site.uri("slow");
    let made = callee.register(&procedure).await;
    let Some(mut calls) = site.judge(Feature::Calls, made) else { return };
    let answering = async {
        let call = calls.next().await.unwrap();
        call.progress("one").await.unwrap();
        call.progress("two").await.unwrap();
        // Nothing more: now the time runs out.
        call.interrupted().await;
    };
    let asking = async {
        let time = std::time::Duration::from_millis(300);
        let mut parts = caller.call(&procedure).timeout(time).progressive();
        assert_eq!(parts.next().await.unwrap().unwrap().into_message().text().as_deref(), Some("one"));
        assert_eq!(parts.next().await.unwrap().unwrap().into_message().text().as_deref(), Some("two"));
        parts.next().await.unwrap().unwrap_err();
        assert_eq!(parts.next().await, None);
    };
    soon("the end", async { tokio::join!(asking, answering) }).await;
}

async fn arguments_go_in_pieces(site: &Site) {
    let (caller, callee) = (site.client().await, site.client().await);
    let procedure = site.uri("store");
    let Some(mut calls) = registered(site, &caller, &callee, &procedure).await else { return };
    // One that brings its first piece along, and one that does not.
    for brings_it in [true, false] {
        let answering = async {
            let mut call = calls.next().await.unwrap();
            let mut pieces: Vec<u32> = vec![call.args::<(u32,)>().unwrap().0];
            while let Some(piece) = call.more().await {
                pieces.push(piece.args::<(u32,)>().unwrap().0);
            }
            call.reply_json(&pieces).await.unwrap();
        };
        let asking = async {
            let call = caller.call(&procedure).timeout(PATIENCE);
            let call = if brings_it { call.args((0,)) } else { call };
            let mut upload = call.streaming().await.unwrap();
            if !brings_it {
                upload.send((0,)).await.unwrap();
            }
            for number in 1..50 {
                upload.send((number,)).await.unwrap();
            }
            upload.finish((50,)).await.unwrap()
        };
        let (answer, ()) = soon("the result", async { tokio::join!(asking, answering) }).await;
        assert_eq!(answer.json::<Vec<u32>>().unwrap(), (0..=50).collect::<Vec<u32>>());
    }
}

/// The calls of a procedure whose arguments may come in pieces; `None` where that can not be had.
async fn registered(site: &Site, caller: &Client, callee: &Client, procedure: &str) -> Option<Calls> {
    let streaming = async {
        let calls = callee.register(procedure).await?;
        let mut upload = caller.call(procedure).streaming().await?;
        upload.send((0,)).await?;
        Ok(calls)
    };
    let mut calls = site.judge(Feature::StreamingCalls, streaming.await)?;
    // That one was dropped.
    soon("the first call", soon("the first call", calls.next()).await.unwrap().interrupted()).await;
    Some(calls)
}

async fn an_upload_that_is_dropped_is_canceled(site: &Site) {
    let (caller, callee) = (site.client().await, site.client().await);
    let procedure = site.uri("store");
    let Some(mut calls) = registered(site, &caller, &callee, &procedure).await else { return };
    let mut upload = caller.call(&procedure).args((0,)).streaming().await.unwrap();
    upload.send((1,)).await.unwrap();
    let mut call = soon("the call", calls.next()).await.unwrap();
    assert_eq!(soon("a piece", call.more()).await.unwrap().args::<(u32,)>().unwrap(), (1,));
    drop(upload);
    soon("the word that nobody waits", call.interrupted()).await;
    assert!(soon("the end of the pieces", call.more()).await.is_none());
}

async fn an_upload_to_a_call_that_is_over_says_so(site: &Site) {
    let (caller, callee) = (site.client().await, site.client().await);
    let procedure = site.uri("store");
    let Some(mut calls) = registered(site, &caller, &callee, &procedure).await else { return };
    let mut upload = caller.call(&procedure).args((0,)).streaming().await.unwrap();
    soon("the call", calls.next()).await.unwrap().fail("com.example.error", "enough").await.unwrap();
    let sending = async {
        loop {
            match upload.send((1,)).await {
                Ok(()) => tokio::task::yield_now().await,
                Err(error) => break error,
            }
        }
    };
    assert_eq!(soon("the word that it is over", sending).await, Error::Stale);
    let error = soon("the error", upload.finish((2,))).await.unwrap_err();
    assert_eq!(error.refusal().unwrap().text, "enough");
}
