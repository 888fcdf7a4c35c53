//! Who takes part in a run: connects publishers and subscribers, and knows who should hear whom.

use crate::arguments::{Reach, Traffic};
use crate::error::LoadError;
use crate::fleet::Fleet;
use crate::judge::Judge;
use crate::server::Server;
use crate::target::Target;
use crate::transport;
use crate::wamp::{Part, Wamp};

/// Descriptors beside those of the clients: the program's own, with some to spare.
const OWN_DESCRIPTORS: u64 = 32;

/// The connected clients of a run, and the server they are connected to.
pub(crate) struct Lineup {
    pub(crate) fleet: Fleet,
    pub(crate) server: Server,
    /// Client numbers of the publishers.
    pub(crate) publishers: Vec<usize>,
    /// By client number: which listener of the judge it is. Clients beyond the end are visitors.
    pub(crate) listeners: Vec<Option<usize>>,
    pub(crate) judge: Judge,
}

impl Lineup {
    /// Connects everybody: subscribers first, as a publisher does not wait for them.
    pub(crate) fn connect(traffic: &Traffic) -> Result<Self, LoadError> {
        traffic.check()?;
        allow_descriptors(traffic.subscribers + traffic.publishers)?;
        let (publish, subscribe) = match (&traffic.bus, &traffic.publish, &traffic.subscribe) {
            (Some(bus), ..) => (bus, bus),
            (None, Some(publish), Some(subscribe)) => (publish, subscribe),
            _ => return Err(LoadError::Options("name --pub and --sub, or --bus")),
        };
        let publishing = targets(publish, traffic.publishers, traffic.topics)?;
        let publishing = seated(publishing, &traffic.reach, Part::Publisher);
        let subscribing = targets(subscribe, traffic.subscribers, traffic.topics)?;
        let subscribing = seated(subscribing, &traffic.reach, Part::Subscriber);
        if traffic.bus.is_some() && publishing[0].wamp.is_some() {
            return Err(LoadError::Options("a WAMP topic goes with --pub and --sub, not with --bus"));
        }
        let server = find_server(&publishing[0], &traffic.reach)?;

        let mut fleet = new_fleet(&traffic.reach)?;
        let subscribers = fleet.open_all(subscribing, None)?;
        let publishers = fleet.open_all(publishing, None)?;
        let on_bus = traffic.bus.is_some();
        let mut listeners: Vec<_> = (0..subscribers.len()).map(Some).collect();
        listeners.extend(publishers.iter().map(|number| on_bus.then_some(*number)));
        let judge = judge(traffic, on_bus);
        Ok(Self { fleet, server, publishers, listeners, judge })
    }
}

/// A fleet that reaches the server as the command line says.
pub(crate) fn new_fleet(reach: &Reach) -> Result<Fleet, LoadError> {
    let tls = reach.insecure.then(transport::tls_without_checks).transpose()?;
    Fleet::new(reach.source.clone(), tls)
}

/// The server that `target` leads to.
pub(crate) fn find_server(target: &Target, reach: &Reach) -> Result<Server, LoadError> {
    match reach.pid {
        Some(pid) => Server::of_pid(pid),
        None => Server::listening_on(target.address.port()),
    }
}

/// Targets of `count` clients, dealt out over the topics in turn.
pub(crate) fn targets(template: &str, count: usize, topics: usize) -> Result<Vec<Target>, LoadError> {
    let of_topics: Vec<_> = (0..topics.min(count).max(1))
        .map(|topic| Target::of_topic(template, topic))
        .collect::<Result<_, _>>()?;
    Ok(of_topics.into_iter().cycle().take(count).collect())
}

/// The same targets; each that names a WAMP topic takes `part` there.
pub(crate) fn seated(targets: Vec<Target>, reach: &Reach, part: impl Fn(String) -> Part) -> Vec<Target> {
    let seat = |target: Target| {
        let wamp = target.fragment.clone().map(|topic| Wamp {
            serializer: reach.serializer.into(),
            realm: reach.realm.clone(),
            part: part(topic),
        });
        Target { wamp, ..target }
    };
    targets.into_iter().map(seat).collect()
}

/// Raises the soft limit of descriptors to what `clients` need.
pub(crate) fn allow_descriptors(clients: usize) -> Result<(), LoadError> {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let needed = clients as u64 + OWN_DESCRIPTORS;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    if let Some(maximum) = limit.maximum
        && maximum < needed
    {
        return Err(LoadError::Descriptors { needed, limit: maximum });
    }
    setrlimit(Resource::Nofile, Rlimit { current: Some(needed), ..limit })?;
    Ok(())
}

/// On a bus the publishers listen too, numbered after the subscribers.
fn judge(traffic: &Traffic, on_bus: bool) -> Judge {
    let subscribers = traffic.subscribers;
    let listeners = if on_bus { subscribers + traffic.publishers } else { subscribers };
    let topics = traffic.topics;
    let echo = traffic.echo;
    Judge::new(listeners, traffic.publishers, |listener, publisher| {
        if listener < subscribers {
            return listener % topics == publisher % topics;
        }
        let peer = listener - subscribers;
        peer % topics == publisher % topics && (echo || peer != publisher)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn traffic(publishers: usize, subscribers: usize, topics: usize, echo: bool) -> Traffic {
        Traffic {
            bus: Some("ws://127.0.0.1:1/".to_owned()),
            echo,
            publishers,
            subscribers,
            topics,
            ..Traffic::default()
        }
    }

    #[test]
    fn subscribers_hear_the_publishers_of_their_topic() {
        let judge = judge(&traffic(3, 4, 2, false), false);
        // Publishers 0 and 2 are on topic 0, publisher 1 on topic 1; two subscribers are on each.
        assert_eq!([0, 1, 2].map(|publisher| judge.audience_of(publisher)), [2, 2, 2]);
    }

    #[test]
    fn on_a_bus_publishers_hear_one_another_and_themselves_only_by_echo() {
        assert_eq!(judge(&traffic(3, 4, 1, false), true).audience_of(0), 6);
        assert_eq!(judge(&traffic(3, 4, 1, true), true).audience_of(0), 7);
    }
}
