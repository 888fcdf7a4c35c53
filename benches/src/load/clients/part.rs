//! The hidden command `part`: one client process of a run of `clients`.

use std::future::Future;
use std::time::Duration;

use clap::Args;

use crate::arguments;
use crate::error::LoadError;

use super::client::{Inbox, Publisher, Seat};
use super::console::Console;
use super::contestant::{Broker, Contestant};
use super::mqtt::{self, Mqtt};
use super::nats::{self, Nats};
use super::ours::{self, Ours};
use super::tally::Tally;
use super::workload::{Role, Workload};
use super::{acknowledged, calls, hearing, latency, throughput};

/// Who a process is, and what it does there.
#[derive(Debug, Clone, Args)]
pub(crate) struct Part {
    #[arg(long, value_enum)]
    pub(super) contestant: Contestant,
    #[arg(long, value_enum)]
    pub(super) workload: Workload,
    #[arg(long, value_enum)]
    pub(super) role: Role,
    /// Where the broker listens.
    #[arg(long)]
    pub(super) address: String,
    #[arg(long)]
    pub(super) seconds: f64,
}

impl Part {
    /// As the arguments of a command line.
    pub(super) fn arguments(&self) -> [String; 11] {
        let option = |name: &str| format!("--{name}");
        [
            "part".to_owned(),
            option("contestant"),
            self.contestant.word(),
            option("workload"),
            self.workload.word(),
            option("role"),
            self.role.word(),
            option("address"),
            self.address.clone(),
            option("seconds"),
            self.seconds.to_string(),
        ]
    }

    /// Plays the part on the runtime that `#[tokio::main]` makes.
    pub(super) fn play(&self) -> Result<(), LoadError> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        Console::report(&runtime.block_on(self.find())?)
    }

    async fn find(&self) -> Result<Tally, LoadError> {
        use Broker::{Mosquitto, Nats as NatsServer, Petasus};
        let (seat, time) = (self.seat(), arguments::seconds(self.seconds)?);
        let console = Console::open();
        match (self.contestant.broker(), self.role) {
            (Petasus, Role::Acknowledged) => {
                on_a_worker(acknowledged::publish::<Ours>(seat, console, time)).await
            }
            (Petasus, Role::Callee) => on_a_worker(calls::serve::<ours::Procedure>(seat, console)).await,
            (Petasus, Role::Caller) => on_a_worker(calls::call::<Ours>(seat, console, time)).await,
            (NatsServer, Role::Callee) => {
                on_a_worker(calls::serve::<nats::Subscription>(seat, console)).await
            }
            (NatsServer, Role::Caller) => on_a_worker(calls::call::<Nats>(seat, console, time)).await,
            (Mosquitto, Role::Acknowledged) => {
                on_a_worker(acknowledged::publish::<Mqtt>(seat, console, time)).await
            }
            (NatsServer, Role::Acknowledged) | (Mosquitto, Role::Callee | Role::Caller) => {
                let why = format!("it has no part in {:?} as {:?}", self.workload, self.role);
                Err(seat.error(why))
            }
            (Petasus, _) => self.flow::<Ours, ours::Subscription>(seat, console, time).await,
            (NatsServer, _) => self.flow::<Nats, nats::Subscription>(seat, console, time).await,
            (Mosquitto, _) => self.flow::<Mqtt, mqtt::Subscription>(seat, console, time).await,
        }
    }

    /// The roles that every library plays.
    async fn flow<P: Publisher, I: Inbox>(
        &self,
        seat: Seat,
        console: Console,
        time: Duration,
    ) -> Result<Tally, LoadError> {
        match self.role {
            Role::Subscriber => on_a_worker(hearing::subscribe::<I>(seat, console)).await,
            Role::Both => on_a_worker(latency::exchange::<P, I>(seat, console, time, Workload::SPARSE)).await,
            _ => on_a_worker(throughput::publish::<P>(seat, console, time, self.workload.rate())).await,
        }
    }

    fn seat(&self) -> Seat {
        let contestant = match (self.contestant, self.role) {
            // Where acknowledgements are counted they are those of the broker to the publisher: the way to the
            // subscriber is the same for all, without any.
            (Contestant::Qos1, Role::Subscriber) => Contestant::Qos0,
            (contestant, _) => contestant,
        };
        Seat {
            contestant,
            address: self.address.clone(),
            window: self.workload.window(),
            hurried: self.workload == Workload::Latency,
        }
    }
}

/// Runs a role as a task among the others, not on the thread that waits for the runtime.
async fn on_a_worker<F>(role: F) -> Result<Tally, LoadError>
where
    F: Future<Output = Result<Tally, LoadError>> + Send + 'static,
{
    tokio::spawn(role).await.map_err(|error| LoadError::Io(error.into()))?
}
