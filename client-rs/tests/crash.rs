//! A broker that crashes under load and comes back: what two hundred clients see of it.
//!
//! `petasus broker` is killed and started again three seconds later at the same port. Run it with `--nocapture` for
//! the summary.

mod support;

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use petasus::{Backoff, Client, Error, Status, Subscription};
use support::binary::Process;
use support::soon;
use tokio::sync::watch;
use tokio::task::JoinSet;

const CLIENTS: usize = 200;
/// So many clients hear each topic.
const AUDIENCE: usize = 5;
/// How long the broker is away.
const OUTAGE: Duration = Duration::from_secs(3);
/// So much is asked for by each client at once when the broker is killed.
const BURST: usize = 20;
/// Between two rounds of one client.
const PAUSE: Duration = Duration::from_millis(250);
/// The last thing that is published to a topic.
const FAREWELL: &str = "farewell";

/// The longest wait between two attempts is short enough for a test, and longer than the broker is away.
const BACKOFF: Backoff = Backoff { base: 500, cap: 4000, stable: 5000 };

/// What the clients counted.
#[derive(Debug, Default)]
struct Counts {
    /// Publications by their number, and when they were acknowledged.
    acknowledged: Mutex<HashMap<u64, Instant>>,
    /// Those whose fate is unknown.
    unknown: AtomicU64,
    /// Those that were not sent, for there was no connection.
    not_connected: AtomicU64,
    fired: AtomicU64,
    answered: AtomicU64,
    calls_lost: AtomicU64,
    calls_refused: AtomicU64,
    next: AtomicU64,
}

fn topic(client: usize) -> String {
    format!("crash/{}", client / AUDIENCE)
}

fn procedure(client: usize) -> String {
    format!("crash.echo.{client}")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_was_killed_gets_all_its_clients_back() {
    let broker = Process::start("127.0.0.1:0");
    let authority = broker.authority().to_owned();
    let counts = Arc::new(Counts::default());
    let (stop, stopped) = watch::channel(false);
    let (mut clients, mut hearing, mut working) = (Vec::new(), JoinSet::new(), JoinSet::new());
    for number in 0..CLIENTS {
        let builder = Client::builder(&broker.url).backoff(BACKOFF);
        let client = soon("a connection", builder.connect()).await.unwrap();
        let news = client.subscribe(topic(number)).await.unwrap();
        hearing.spawn(hear(news));
        clients.push(client);
    }
    for (number, client) in clients.iter().enumerate() {
        working.spawn(work(number, client.clone(), counts.clone(), stopped.clone()));
    }
    soon("some load", async {
        while counts.answered.load(Relaxed) < 4 * CLIENTS as u64 {
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await;

    let mut returns = JoinSet::new();
    for (number, client) in clients.iter().enumerate() {
        returns.spawn(come_back(number, client.clone()));
        working.spawn(burst(number, client.clone(), counts.clone()));
    }
    let acknowledged = counts.acknowledged.lock().len();
    soon("the burst", async {
        while counts.acknowledged.lock().len() < acknowledged + CLIENTS {
            tokio::task::yield_now().await;
        }
    })
    .await;
    broker.kill();
    tokio::time::sleep(OUTAGE).await;
    let broker = Process::start(&authority);
    let started = Instant::now();
    let returns: Vec<Instant> = soon("all clients to come back", returns.join_all()).await;
    let returned = Instant::now();
    let answered = counts.answered.load(Relaxed);
    soon("calls to be answered again", async {
        while counts.answered.load(Relaxed) < answered + 2 * CLIENTS as u64 {
            tokio::time::sleep(PAUSE).await;
        }
    })
    .await;
    stop.send_replace(true);
    soon("the end of the work", working.join_all()).await;

    // Every subscription lives: the last message reaches each.
    for number in (0..CLIENTS).step_by(AUDIENCE) {
        clients[number].publish(topic(number), FAREWELL).await.unwrap();
    }
    let heard = soon("the last message to all", hearing.join_all()).await;
    let spread = spread(&returns, started);
    let deliveries = Deliveries::count(&heard, &counts, started, returned);
    print(&counts, &spread, &deliveries, returned - started);

    assert_eq!(deliveries.twice, 0, "delivered more than once");
    assert!(spread.iter().all(|count| *count < CLIENTS / 2), "they come back all at once: {spread:?}");
    assert!(spread.iter().filter(|count| **count > 0).count() >= 5, "they are not spread: {spread:?}");
    assert!(counts.unknown.load(Relaxed) > 0, "the crash came when nothing was under way");
    drop(broker);
}

/// Publishes and calls, over and over.
async fn work(number: usize, client: Client, counts: Arc<Counts>, mut stopped: watch::Receiver<bool>) {
    let echo = client.register(procedure(number)).serve(|call| async move { Ok(call.content().clone()) });
    let _echo = echo.await.unwrap();
    let mut neighbour = number;
    while !*stopped.borrow() {
        publish(number, &client, &counts).await;
        neighbour = (neighbour + 1) % CLIENTS;
        call(neighbour, &client, &counts).await;
        let _ = tokio::time::timeout(PAUSE, stopped.wait_for(|stopped| *stopped)).await;
    }
}

/// Much at once: the broker is killed while it is under way.
async fn burst(number: usize, client: Client, counts: Arc<Counts>) {
    let all = (0..BURST).map(async |_| {
        acknowledged(number, &client, &counts).await;
        call(number, &client, &counts).await;
    });
    futures_util::future::join_all(all).await;
}

async fn publish(number: usize, client: &Client, counts: &Counts) {
    acknowledged(number, client, counts).await;
    let id = counts.next.fetch_add(1, Relaxed);
    match client.publish(topic(number), id.to_string()).fire() {
        Ok(()) => counts.fired.fetch_add(1, Relaxed),
        Err(Error::NotConnected) => counts.not_connected.fetch_add(1, Relaxed),
        Err(error) => panic!("a publication without acknowledgement: {error:?}"),
    };
}

async fn acknowledged(number: usize, client: &Client, counts: &Counts) {
    let id = counts.next.fetch_add(1, Relaxed);
    match client.publish(topic(number), id.to_string()).acknowledged().await {
        Ok(()) => drop(counts.acknowledged.lock().insert(id, Instant::now())),
        Err(Error::Lost) => drop(counts.unknown.fetch_add(1, Relaxed)),
        Err(error) => panic!("a publication: {error:?}"),
    }
}

/// The answer must be that of this call and of no other.
async fn call(whom: usize, client: &Client, counts: &Counts) {
    let token = counts.next.fetch_add(1, Relaxed);
    let counter = match client.call(procedure(whom)).args((token,)).await {
        Ok(answer) => {
            assert_eq!(answer.args::<(u64,)>().unwrap(), (token,), "an answer to another call");
            &counts.answered
        }
        Err(Error::Lost) => &counts.calls_lost,
        // Who was called is not back yet, or went while it was called.
        Err(Error::Refused(_)) => &counts.calls_refused,
        Err(error) => panic!("a call: {error:?}"),
    };
    counter.fetch_add(1, Relaxed);
}

/// Counts what comes until the end: how often each number came.
async fn hear(mut news: Subscription) -> HashMap<u64, u32> {
    let mut heard = HashMap::new();
    loop {
        let message = news.next().await.unwrap_or_else(|| panic!("it is over: {:?}", news.error()));
        let text = message.text().unwrap();
        if text == FAREWELL {
            assert!(news.resumed() >= 1, "it was never made again");
            return heard;
        }
        assert_eq!(message.missed(), 0, "its own buffer was too small");
        *heard.entry(text.parse().unwrap()).or_default() += 1;
    }
}

/// When a client is back that loses its connection. Meanwhile what is not to wait fails at once.
async fn come_back(number: usize, client: Client) -> Instant {
    let mut status = client.status();
    status.wait_for(|status| matches!(status, Status::Waiting { .. })).await.unwrap();
    assert_eq!(client.publish(topic(number), "").fire(), Err(Error::NotConnected));
    status.wait_for(|status| matches!(status, Status::Connected(_))).await.unwrap();
    Instant::now()
}

/// How many came back in each tenth of the longest wait; the last tenth has the late ones too.
fn spread(returns: &[Instant], started: Instant) -> [usize; 10] {
    let mut tenths = [0; 10];
    for back in returns {
        let tenth = back.saturating_duration_since(started).as_millis() as u64 * 10 / BACKOFF.cap;
        tenths[tenth.min(9) as usize] += 1;
    }
    tenths
}

#[derive(Debug, Default)]
struct Deliveries {
    all: usize,
    twice: usize,
    /// Acknowledged by the broker that crashed, and not heard by somebody who was subscribed.
    lost: usize,
    /// Acknowledged while subscribers were on their way back.
    missed: usize,
    /// Acknowledged when everybody was back, and not heard by somebody.
    never: usize,
}

impl Deliveries {
    fn count(
        heard: &[HashMap<u64, u32>],
        counts: &Counts,
        started: Instant,
        returned: Instant,
    ) -> Deliveries {
        let mut deliveries = Deliveries::default();
        for heard in heard {
            deliveries.all += heard.len();
            deliveries.twice += heard.values().filter(|count| **count > 1).count();
        }
        for (id, when) in &*counts.acknowledged.lock() {
            let missing = AUDIENCE - heard.iter().filter(|heard| heard.contains_key(id)).count();
            if *when < started {
                deliveries.lost += missing;
            } else if *when < returned {
                deliveries.missed += missing;
            } else {
                deliveries.never += missing;
            }
        }
        deliveries
    }
}

fn print(counts: &Counts, spread: &[usize; 10], deliveries: &Deliveries, took: Duration) {
    println!(
        "{CLIENTS} clients, the broker killed and away for {OUTAGE:?}; all back {took:.1?} after it was"
    );
    for (tenth, count) in spread.iter().enumerate() {
        let begin = BACKOFF.cap * tenth as u64 / 10;
        println!("  from {begin:4} ms {count:4} {}", "#".repeat(*count));
    }
    let value = |counter: &AtomicU64| counter.load(Relaxed);
    println!(
        "publications: {} acknowledged, {} of unknown fate (Lost)",
        counts.acknowledged.lock().len(),
        value(&counts.unknown)
    );
    println!(
        "              {} fired, {} refused (NotConnected)",
        value(&counts.fired),
        value(&counts.not_connected)
    );
    println!(
        "calls:        {} answered, none wrongly; {} Lost, {} refused",
        value(&counts.answered),
        value(&counts.calls_lost),
        value(&counts.calls_refused)
    );
    println!(
        "deliveries:   {}, {} of them twice; not delivered though acknowledged: {} by the broker that crashed, {} while subscribers were away, {} afterwards",
        deliveries.all, deliveries.twice, deliveries.lost, deliveries.missed, deliveries.never
    );
}
