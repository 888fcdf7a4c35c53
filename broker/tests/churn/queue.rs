//! Pullers that come and go as they should. What was handed to one who leaves is written before the reply to its
//! Close frame, or goes to another.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use crate::child::Child;
use crate::crowd::{churn_by, leave};
use crate::nothing_is_left;
use crate::raw::Raw;

/// REQ-RR-001, REQ-RR-002, REQ-RR-011, REQ-LIF-004, REQ-LIF-005
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_job_is_done_once_while_pullers_come_and_go() {
    let mut broker = Child::start("").await;
    let address = broker.address;
    // Somebody is always there, so that every job is accepted.
    let mut staying = Raw::open(address, "/pull/churn").await;
    let jobs = tokio::spawn(async move {
        let mut heard = Vec::new();
        loop {
            let job =
                String::from_utf8(staying.next().await.expect("nobody disconnects it").payload).unwrap();
            if job == "end" {
                break;
            }
            heard.push(job);
        }
        heard.extend(leave(staying).await);
        heard
    });

    let others = Arc::new(Mutex::new(Vec::new()));
    let collected = others.clone();
    let posted = churn_by(address, "/push/churn", 2_000, move |_| {
        let collected = collected.clone();
        async move {
            let heard = leave(Raw::open(address, "/pull/churn").await).await;
            collected.lock().unwrap().extend(heard);
        }
    })
    .await;
    // The others are gone: this goes to the one who stays.
    assert_eq!(Raw::connect(address).await.post("/push/churn", "end").await, 200);

    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    let others = std::mem::take(&mut *others.lock().unwrap());
    println!("{} of {} jobs went to those who came and went", others.len(), posted.iter().sum::<usize>());
    for job in jobs.await.unwrap().into_iter().chain(others) {
        *times.entry(job).or_default() += 1;
    }
    for (poster, &posted) in posted.iter().enumerate() {
        for number in 0..posted {
            assert_eq!(times.remove(&format!("{poster} {number}")), Some(1), "job {number} of {poster}");
        }
    }
    assert!(times.is_empty(), "{times:?}");
    nothing_is_left(&mut broker).await;
    assert_eq!(broker.stop(), 0);
}
