//! One run: a server, its clients, and the figures.

use std::path::PathBuf;

use clap::ValueEnum;

use crate::arguments::Clients;
use crate::compare::{Figure, Figures, figure, note};
use crate::error::LoadError;

use super::child::Child;
use super::console::Order;
use super::contestant::{Broker, Contestant};
use super::part::Part;
use super::tally::Tally;
use super::workload::Workload;

/// The contestants whose brokers are there.
pub(super) struct Contest {
    entries: Vec<Contestant>,
    brokers: Vec<(Broker, PathBuf)>,
    seconds: f64,
}

/// What all processes of a run say.
struct Outcome {
    /// By the roles of the workload: the driver is the last.
    tallies: Vec<Tally>,
    /// Processor time of the server, in microseconds.
    server_us: f64,
}

impl Contest {
    /// Who can take part; a missing broker is said on standard error and its clients are left out.
    pub(super) fn new(arguments: &Clients) -> Result<Self, LoadError> {
        crate::arguments::seconds(arguments.seconds)?;
        let asked: &[Contestant] = if arguments.contestants.is_empty() {
            Contestant::value_variants()
        } else {
            &arguments.contestants
        };
        let mut brokers = Vec::new();
        for broker in [Broker::Petasus, Broker::Nats, Broker::Mosquitto] {
            if !asked.iter().any(|contestant| contestant.broker() == broker) {
                continue;
            }
            match broker.program(arguments.broker.as_deref()) {
                Ok(program) => brokers.push((broker, program)),
                Err(error) => eprintln!("petasus-load: {error}. Its clients are left out."),
            }
        }
        let is_there =
            |contestant: &Contestant| brokers.iter().any(|(broker, _)| *broker == contestant.broker());
        let entries = asked.iter().copied().filter(is_there).collect();
        Ok(Self { entries, brokers, seconds: arguments.seconds })
    }

    /// The contestants, in the order of the tables.
    pub(super) fn entries(&self) -> impl Iterator<Item = Contestant> {
        self.entries.iter().copied()
    }

    /// A line for each broker.
    pub(super) fn versions(&self) -> impl Iterator<Item = String> {
        self.brokers.iter().map(|(broker, program)| broker.version(program))
    }

    /// Runs a workload once.
    pub(super) fn run(&self, contestant: Contestant, workload: Workload) -> Result<Figures, LoadError> {
        let broker = contestant.broker();
        let program = self.brokers.iter().find_map(|(other, program)| (*other == broker).then_some(program));
        let program = program.expect("an entry's broker has been found");
        let server = broker.start(program, workload == Workload::Latency)?;
        let start = |role| {
            let address = server.address.clone();
            Child::start(&Part { contestant, workload, role, address, seconds: self.seconds })
        };
        let mut children = workload.roles().iter().copied().map(start).collect::<Result<Vec<_>, _>>()?;
        let before = server.process.processor_time()?;
        // The driver comes last: the others must be under way by then.
        for child in &mut children {
            child.order(Order::Go)?;
        }
        let (driver, others) = children.split_last_mut().expect("every workload has a driver");
        let driven = driver.tally()?;
        let mut tallies = Vec::new();
        for other in others {
            other.order(Order::Finish(driven.messages))?;
            tallies.push(other.tally()?);
        }
        tallies.push(driven);
        let server_us = server.process.processor_time()?.saturating_sub(before).as_secs_f64() * 1e6;
        Ok(Outcome { tallies, server_us }.figures(workload))
    }
}

impl Outcome {
    fn figures(&self, workload: Workload) -> Figures {
        let driver = self.tallies.last().expect("every workload has a driver");
        let server = self.server_us / driver.messages.max(1) as f64;
        match workload {
            Workload::Throughput | Workload::Steady | Workload::Acknowledged => {
                flow(driver, &self.tallies[0], server, workload)
            }
            Workload::Latency => vec![
                figure("p50, us", driver.p50, 0),
                figure("p99, us", driver.p99, 0),
                figure("p99.9, us", driver.p999, 0),
                figure("CPU us: client process", driver.cost(), 1),
                figure("server", server, 1),
                faults(driver),
            ],
            Workload::Calls | Workload::Pipelined => {
                let callee = self.tallies[0].processor_us / driver.messages.max(1) as f64;
                vec![
                    figure("calls/s", driver.rate(), 0),
                    figure("p50, us", driver.p50, 0),
                    figure("p99, us", driver.p99, 0),
                    figure("CPU us: caller", driver.cost(), 2),
                    figure("callee", callee, 2),
                    figure("server", server, 2),
                    faults(driver),
                ]
            }
        }
    }
}

fn flow(publisher: &Tally, subscriber: &Tally, server: f64, workload: Workload) -> Figures {
    let sent = if workload == Workload::Acknowledged { "acknowledged/s" } else { "published/s" };
    vec![
        figure(sent, publisher.rate(), 0),
        figure("received/s", subscriber.rate(), 0),
        note("lost, %", 100.0 * subscriber.lost as f64 / publisher.messages.max(1) as f64, 2),
        note("twice or out of order", (subscriber.duplicated + subscriber.reordered) as f64, 0),
        figure("CPU us: publisher", publisher.cost(), 2),
        figure("subscriber", subscriber.cost(), 2),
        figure("server", server, 2),
    ]
}

fn faults(tally: &Tally) -> Figure {
    note("lost, twice or out of order", (tally.lost + tally.duplicated + tally.reordered) as f64, 0)
}
