//! The metrics text of a broker, read back.
#![allow(dead_code, reason = "each test takes the part that it needs")]

use petasus_broker::Broker;

use crate::raw::soon;

/// The text at one moment.
pub(crate) struct Metrics(pub(crate) String);

impl Metrics {
    pub(crate) fn of(broker: &Broker) -> Metrics {
        Metrics(broker.metrics())
    }

    /// The sum of the series that begin with `name`: a whole family, or with its labels one of them.
    pub(crate) fn value(&self, name: &str) -> u64 {
        let mut known = false;
        let sum = self.0.lines().filter_map(|line| line.strip_prefix(name)?.split_once(' ')).map(
            |(labels, value)| {
                let exact = labels.is_empty() || labels.starts_with('{');
                known |= exact;
                if exact { value.parse::<f64>().unwrap() as u64 } else { 0 }
            },
        );
        let sum = sum.sum();
        assert!(known, "no metric is called {name}:\n{}", self.0);
        sum
    }

    /// Connections that ended with a close code, or with `none`. A code that never came has no series.
    pub(crate) fn closed(&self, code: &str) -> u64 {
        let series = format!("petasus_closed_total{{code=\"{code}\"}}");
        if self.0.contains(&series) { self.value(&series) } else { 0 }
    }

    /// Members of all patterns: peers, subscriptions, pullers.
    pub(crate) fn members(&self) -> u64 {
        self.value("petasus_members")
    }

    /// What is alive: connections, members, topics, held jobs, and sockets that speak HTTP.
    pub(crate) fn live(&self) -> [u64; 5] {
        let names = ["connections", "members", "topics", "queue_held", "sockets"];
        names.map(|name| self.value(&format!("petasus_{name}")))
    }
}

/// Waits until the metrics are as they should be. Other tasks run meanwhile.
pub(crate) async fn until(broker: &Broker, what: &str, reached: impl Fn(&Metrics) -> bool) {
    let waiting = async {
        while !reached(&Metrics::of(broker)) {
            tokio::task::yield_now().await;
        }
    };
    soon(what, waiting).await;
}
