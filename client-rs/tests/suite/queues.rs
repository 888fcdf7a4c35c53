//! Queues: each job to one puller.

use std::collections::BTreeSet;

use petasus::protocol::wamp::uri::error;
use petasus::{Dialect, Error, Jobs, OnDrop, Pushed};

use crate::support::broker::Running;
use crate::support::{PATIENCE, soon};
use crate::target::{Feature, Site, Target, cases};

cases! {
    a_job_is_handed_to_a_puller,
    a_job_without_a_puller_is_refused,
    who_waits_until_it_is_done_hears_the_answer,
    a_job_that_failed_says_so,
    a_job_that_is_dropped_fails_or_is_done,
    two_pullers_take_turns,
    a_puller_has_as_many_jobs_as_it_takes,
    jobs_that_were_not_answered_go_to_another_puller,
    values_are_pushed_as_they_were,
    a_push_that_is_dropped_is_taken_back,
}

/// The next job, which must be this text.
async fn expect(jobs: &mut Jobs, text: &str) -> petasus::Job {
    let job = soon(text, jobs.next()).await.expect("it is not over");
    assert_eq!(job.text().as_deref(), Some(text));
    job
}

async fn a_job_is_handed_to_a_puller(site: &Site) {
    let (puller, pusher) = (site.client().await, site.client().await);
    let queue = site.topic("jobs");
    let Some(mut jobs) = site.judge(Feature::BusAndQueues, puller.pull(&queue).await) else {
        let pushed = pusher.push(&queue, "one").await;
        assert!(site.judge(Feature::BusAndQueues, pushed).is_none());
        return;
    };
    for text in ["one", "", "ünï"] {
        assert_eq!(pusher.push(&queue, text).handed().timeout(PATIENCE).await, Ok(Pushed::Handed));
        let job = expect(&mut jobs, text).await;
        assert_eq!(job.answerable(), site.target.dialect() == Dialect::Wamp);
        job.complete().await.unwrap();
    }
    assert_eq!(pusher.push(&queue, &b"\xff\0"[..]).await, Ok(Pushed::Handed));
    let job = soon("bytes", jobs.next()).await.unwrap();
    assert_eq!((job.text(), &job.bytes()[..]), (None, &b"\xff\0"[..]));
    job.complete().await.unwrap();
    soon("the end", jobs.leave()).await.unwrap();
}

async fn a_job_without_a_puller_is_refused(site: &Site) {
    let client = site.client().await;
    let pushed = client.push(site.topic("jobs"), "one").await;
    if let Err(Error::Refused(refusal)) = &pushed {
        assert_eq!(refusal.uri, error::UNAVAILABLE, "{refusal}");
        assert_eq!(pushed.unwrap_err().retry(), petasus::Retry::Yes);
        return;
    }
    assert!(site.judge(Feature::BusAndQueues, pushed).is_none(), "nobody pulls");
}

async fn who_waits_until_it_is_done_hears_the_answer(site: &Site) {
    let (puller, pusher) = (site.client().await, site.client().await);
    let queue = site.topic("jobs");
    let serve = async {
        let Ok(mut jobs) = puller.pull(&queue).await else { return };
        if site.target.dialect() == Dialect::Mercury {
            return;
        }
        expect(&mut jobs, "one").await.complete_with("first").await.unwrap();
        expect(&mut jobs, "two").await.complete_with(petasus::Json((1, "second"))).await.unwrap();
        expect(&mut jobs, "three").await.complete().await.unwrap();
        jobs.leave().await.unwrap();
    };
    let push = async {
        let mut answers = Vec::new();
        for text in ["one", "two", "three"] {
            let answer = loop {
                // The puller may not be there yet.
                match pusher.push(&queue, text).done().timeout(PATIENCE).await {
                    Err(Error::Refused(refusal)) if refusal.uri == error::UNAVAILABLE => {}
                    answer => break answer,
                }
            };
            let Some(answer) = site.judge(Feature::Done, answer) else { return };
            answers.push(answer);
        }
        assert_eq!(answers[0].text().as_deref(), Some("first"));
        assert_eq!(answers[1].json::<(u8, String)>().unwrap(), (1, "second".to_owned()));
        assert_eq!(answers[2].args::<Vec<u8>>().unwrap(), Vec::<u8>::new());
    };
    soon("the answers", async { tokio::join!(serve, push) }).await;
}

async fn a_job_that_failed_says_so(site: &Site) {
    let (puller, pusher) = (site.client().await, site.client().await);
    let queue = site.topic("jobs");
    let Some(mut jobs) = site.judge(Feature::BusAndQueues, puller.pull(&queue).await) else { return };
    if site.target.dialect() == Dialect::Mercury {
        // Nobody hears of it, and that is no error.
        pusher.push(&queue, "one").await.unwrap();
        expect(&mut jobs, "one").await.fail("com.example.error", "no paper").await.unwrap();
        pusher.push(&queue, "two").await.unwrap();
        expect(&mut jobs, "two").await;
        return;
    }
    let waits = tokio::spawn({
        let queue = queue.clone();
        async move { pusher.push(&queue, "one").done().await }
    });
    expect(&mut jobs, "one").await.fail("com.example.error", "no paper").await.unwrap();
    let error = soon("the failure", waits).await.unwrap().unwrap_err();
    let refusal = error.refusal().expect("a refusal");
    assert_eq!((refusal.uri.as_str(), refusal.text.as_str()), ("com.example.error", "no paper"));
    assert!(error.to_string().contains("no paper"), "{error}");
}

async fn a_job_that_is_dropped_fails_or_is_done(site: &Site) {
    let (puller, pusher) = (site.client().await, site.client().await);
    for (on_drop, done) in [(OnDrop::Fail, false), (OnDrop::Complete, true)] {
        let queue = site.topic(&format!("jobs/{done}"));
        let made = puller.pull(&queue).on_drop(on_drop).await;
        let Some(mut jobs) = site.judge(Feature::BusAndQueues, made) else { return };
        if site.target.dialect() == Dialect::Mercury {
            continue;
        }
        for text in ["one", "two"] {
            let waits = tokio::spawn({
                let (pusher, queue) = (pusher.clone(), queue.clone());
                async move { pusher.push(&queue, text).done().await }
            });
            drop(expect(&mut jobs, text).await);
            match (soon("the end of the job", waits).await.unwrap(), done) {
                (Ok(_), true) => {}
                (Err(Error::Refused(refusal)), false) => assert_eq!(refusal.uri, error::CANCELED),
                (outcome, _) => panic!("{on_drop:?}: {outcome:?}"),
            }
        }
    }
}

async fn two_pullers_take_turns(site: &Site) {
    let (one, two, pusher) = (site.client().await, site.client().await, site.client().await);
    let queue = site.topic("jobs");
    let made = one.pull(&queue).concurrency(10).await;
    let Some(mut one) = site.judge(Feature::BusAndQueues, made) else { return };
    let mut two = two.pull(&queue).concurrency(10).await.unwrap();
    for number in 0..10 {
        assert_eq!(pusher.push(&queue, number.to_string()).await, Ok(Pushed::Handed));
    }
    let mut held = Vec::new();
    for turn in 0..5 {
        held.push(expect(&mut one, &(2 * turn).to_string()).await);
        held.push(expect(&mut two, &(2 * turn + 1).to_string()).await);
    }
    for job in held {
        job.complete().await.unwrap();
    }
}

async fn a_puller_has_as_many_jobs_as_it_takes(site: &Site) {
    let (puller, other, pusher) = (site.client().await, site.client().await, site.client().await);
    let queue = site.topic("jobs");
    let made = puller.pull(&queue).concurrency(2).await;
    let Some(mut few) = site.judge(Feature::BusAndQueues, made) else { return };
    if site.target.dialect() == Dialect::Mercury {
        // It has no bound there: they come as the broker hands them.
        return;
    }
    let mut many = other.pull(&queue).concurrency(100).await.unwrap();
    for number in 0..6 {
        assert_eq!(pusher.push(&queue, number.to_string()).await, Ok(Pushed::Handed));
    }
    let first = expect(&mut few, "0").await;
    let second = expect(&mut few, "2").await;
    for text in ["1", "3", "4", "5"] {
        expect(&mut many, text).await.complete().await.unwrap();
    }
    second.complete().await.unwrap();
    // What it answered first has arrived when this has.
    puller.publish(site.topic("settled"), "").await.unwrap();
    assert_eq!(pusher.push(&queue, "6").await, Ok(Pushed::Handed));
    expect(&mut few, "6").await.complete().await.unwrap();
    first.complete().await.unwrap();
}

async fn jobs_that_were_not_answered_go_to_another_puller(site: &Site) {
    // Where jobs are handed and forgotten, there are none.
    if site.target.dialect() == Dialect::Mercury || site.target == Target::Crossbar {
        return;
    }
    let (one, two, pusher) = (site.client().await, site.client().await, site.client().await);
    let queue = site.topic("jobs");
    let mut first = one.pull(&queue).concurrency(3).await.unwrap();
    let mut pushes = Vec::new();
    for text in ["a", "b", "c"] {
        let (pusher, queue) = (pusher.clone(), queue.clone());
        pushes.push(tokio::spawn(async move { pusher.push(&queue, text).done().await }));
    }
    // One is in its hands, two are not taken yet.
    let held = soon("a job", first.next()).await.unwrap();
    let mut second = two.pull(&queue).concurrency(3).await.unwrap();
    drop(first);
    let mut texts = BTreeSet::new();
    for _ in 0..3 {
        let job = soon("a job", second.next()).await.unwrap();
        texts.insert(job.text().unwrap().into_owned());
        job.complete().await.unwrap();
    }
    assert_eq!(texts.into_iter().collect::<String>(), "abc");
    for push in pushes {
        soon("the end of a job", push).await.unwrap().unwrap();
    }
    soon("the word that it is another's", held.interrupted()).await;
    assert_eq!(held.complete().await, Err(Error::Stale));
}

async fn values_are_pushed_as_they_were(site: &Site) {
    let client = site.client().await;
    let queue = site.topic("jobs");
    let Some(mut jobs) = site.judge(Feature::BusAndQueues, client.pull(&queue).await) else { return };
    client.push(&queue, petasus::Json(("resize", [640, 480]))).await.unwrap();
    let job = soon("a job", jobs.next()).await.unwrap();
    assert_eq!(job.json::<(String, [u32; 2])>().unwrap(), ("resize".to_owned(), [640, 480]));
}

async fn a_push_that_is_dropped_is_taken_back(site: &Site) {
    if !site.target.is_ours() {
        return;
    }
    let running = Running::start_with(|config| {
        config.queue.without_puller = petasus_broker::config::WithoutPuller::Hold;
    });
    let running = running.await;
    let client = site.builder_at(&running.url).connect().await.unwrap();
    let queue = site.topic("jobs");
    assert_eq!(client.push(&queue, "held").await, Ok(Pushed::Held));
    if site.target.dialect() == Dialect::Wamp {
        // It waits for its end, and is not waited for any more.
        let waits = tokio::spawn({
            let (client, queue) = (client.clone(), queue.clone());
            async move { client.push(&queue, "taken back").done().await }
        });
        crate::support::until("the second job to wait", async || running.metric("petasus_queue_held") == 2)
            .await;
        waits.abort();
        crate::support::until("the second job to be gone", async || {
            running.metric("petasus_queue_held") == 1
        })
        .await;
    }
    let mut jobs = client.pull(&queue).await.unwrap();
    expect(&mut jobs, "held").await.complete().await.unwrap();
    assert_eq!(client.push(&queue, "handed").await, Ok(Pushed::Handed));
    expect(&mut jobs, "handed").await.complete().await.unwrap();
    drop((jobs, client));
    running.stop().await;
}

/// Over Mercury a job that was handed can not be given back, so none may be dropped for want of room.
#[tokio::test]
async fn jobs_of_mercury_wait_in_the_network_for_a_slow_puller() {
    /// More than the puller has room for.
    const JOBS: usize = 17_000;
    let running = Running::start().await;
    let mercury = petasus::Client::builder(&running.url).dialect(Dialect::Mercury).connect().await.unwrap();
    let wamp = petasus::Client::connect(&running.url).await.unwrap();
    let mut jobs = mercury.pull("jobs").await.unwrap();
    for begin in (0..JOBS).step_by(100) {
        let pushes = (begin..begin + 100).map(|number| {
            let wamp = wamp.clone();
            tokio::spawn(async move { wamp.push("jobs", number.to_string()).await })
        });
        for push in pushes.collect::<Vec<_>>() {
            assert!(push.await.unwrap().is_ok());
        }
    }
    let mut taken = BTreeSet::new();
    while taken.len() < JOBS {
        let job = soon("a job", jobs.next()).await.unwrap();
        assert!(taken.insert(job.text().unwrap().parse::<usize>().unwrap()), "twice");
        job.complete().await.unwrap();
    }
    assert_eq!(taken.last(), Some(&(JOBS - 1)));
    running.stop().await;
}
