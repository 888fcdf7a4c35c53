//! `bench`: clients that send as fast as they may, and how long each message took.

mod bar;
mod load;
mod report;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::time::Duration;

use petasus::{Client, Dialect};
use tokio::task::JoinSet;
use tokio::time::{Instant, MissedTickBehavior, interval, sleep_until};

use self::bar::Bar;
use self::load::{Callee, Target};
use self::report::Report;
use super::arguments::Load;
use super::line::{Line, Purpose, builder};
use super::{BenchArgs, Interrupts, call::print_line, error::ClientError};

/// Runs the command; an interrupt ends the measurement early.
pub(super) async fn run(args: &BenchArgs) -> Result<(), ClientError> {
    let mut interrupts = Interrupts::install()?;
    // The first client shows whether the broker can be had, with the words of the other commands.
    let purpose = Purpose { dialect: args.dialect.into(), ..Purpose::wamp(&args.server) };
    let mut line = Line::open(&purpose)?;
    let measured = tokio::select! {
        measured = measure(args, &mut line) => measured,
        () = interrupts.next() => return Ok(()),
    };
    let report = measured?;
    let outcome = report.outcome().map_err(|error| line.explain(error));
    if outcome.is_ok() {
        print_line(&report.table(args))?;
    }
    interrupts.patiently(line.close()).await;
    outcome
}

async fn measure(args: &BenchArgs, line: &mut Line) -> Result<Report, ClientError> {
    line.reached().await?;
    // Over Mercury this is refused, and says why.
    let offered = match args.load {
        Load::Request => Some(line.watch(Callee::register(&line.client())).await?),
        _ => None,
    };
    let callee = offered.as_ref().map(|callee| callee.procedure.clone());
    let mut targets = Vec::new();
    for number in 0..args.clients {
        let client = connect(args, line).await?;
        let target = Target::new(client, args.load, number, callee.clone());
        targets.push(Arc::new(line.watch(target).await?));
    }
    let report = work(args, targets).await;
    // Until now it had to answer.
    drop(offered);
    Ok(report)
}

async fn connect(args: &BenchArgs, line: &Line) -> Result<Client, ClientError> {
    let dialect: Dialect = args.dialect.into();
    let connected = builder(&args.server, dialect)?.connect().await;
    connected.map_err(|error| line.explain(error))
}

/// All workers of all clients, and the bar meanwhile.
async fn work(args: &BenchArgs, targets: Vec<Arc<Target>>) -> Report {
    let report = Arc::new(Report::new());
    let workers = targets.len() * args.in_flight as usize;
    let pace = args.rate.map(|rate| Duration::from_secs_f64(workers as f64 / f64::from(rate)));
    let begun = Instant::now();
    let end = begun + args.seconds;
    let over = Arc::new(AtomicBool::new(false));
    let mut tasks = JoinSet::new();
    for place in 0..workers {
        let target = targets[place % targets.len()].clone();
        // Not all at one time.
        let first = begun + pace.map_or(Duration::ZERO, |pace| pace.mul_f64(place as f64 / workers as f64));
        let worker = Worker { target, report: report.clone(), over: over.clone(), size: args.size, end };
        tasks.spawn(worker.run(first, pace));
    }
    let mut bar = Bar::new(args.seconds);
    let mut ticks = interval(Duration::from_millis(200));
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    loop {
        tokio::select! {
            _ = ticks.tick() => bar.draw(begun.elapsed(), report.messages()),
            () = sleep_until(end) => break,
        }
    }
    over.store(true, Relaxed);
    let took = begun.elapsed();
    // What is under way is waited for, and counts as late as it comes.
    while tasks.join_next().await.is_some() {}
    bar.clear();
    report.end(took);
    Arc::into_inner(report).unwrap_or_default()
}

/// Sends one message after the other.
struct Worker {
    target: Arc<Target>,
    report: Arc<Report>,
    over: Arc<AtomicBool>,
    size: u32,
    end: Instant,
}

impl Worker {
    async fn run(self, first: Instant, pace: Option<Duration>) {
        let mut due = first;
        while !self.over.load(Relaxed) {
            match pace {
                Some(_) if due >= self.end => return,
                Some(_) => sleep_until(due).await,
                None => due = Instant::now(),
            }
            let outcome = self.target.send(self.size as usize).await;
            let failed = outcome.is_err();
            self.report.add(due.elapsed(), outcome);
            if failed {
                // A broker that refuses is not to be asked a million times.
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
            due += pace.unwrap_or_default();
        }
    }
}
