//! The mode `rpc`: calls through WAMP routers, which take turns, so that whatever else the machine does falls on all.

mod calls;

use std::collections::BTreeMap;
use std::str::FromStr;

use petasus_protocol::wamp::Serializer;
use serde::Serialize;

use crate::arguments::{Reach, Rpc as Arguments, seconds};
use crate::error::LoadError;
use crate::lineup;
use crate::report;
use crate::target::Target;
use crate::wamp::{Part, Wamp};

use calls::{Calls, Figures, Span};

/// A router on the command line: `NAME=URL`, with the realm behind `#` if it is not that of `--realm`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Router {
    name: String,
    target: Target,
}

impl FromStr for Router {
    type Err = LoadError;

    fn from_str(text: &str) -> Result<Self, LoadError> {
        let (name, url) = text
            .split_once('=')
            .ok_or(LoadError::Options("a router is NAME=URL, such as petasus=ws://127.0.0.1:3000/ws"))?;
        Ok(Self { name: name.to_owned(), target: Target::parse(url)? })
    }
}

/// One round at one router.
#[derive(Debug, Clone, Copy, Serialize)]
struct Round {
    /// One call after the other.
    sequential: Figures,
    /// With `--window` calls under way.
    pipelined: Figures,
}

/// Runs what the command line asks for, and prints it.
pub(crate) fn run(arguments: &Arguments) -> Result<(), LoadError> {
    check(arguments)?;
    let routers = &arguments.routers;
    let mut rounds = vec![Vec::new(); routers.len()];
    for round in 0..arguments.rounds {
        for place in (0..routers.len()).map(|place| (place + round) % routers.len()) {
            let found = once(&routers[place], arguments)?;
            eprintln!(
                "round {}, {}: {:.0} calls/s sequential, {:.0} pipelined",
                round + 1,
                routers[place].name,
                found.sequential.per_second,
                found.pipelined.per_second
            );
            rounds[place].push(found);
        }
    }
    if arguments.reach.json {
        let by_name: BTreeMap<_, _> =
            routers.iter().map(|router| router.name.as_str()).zip(&rounds).collect();
        report::print_json(&by_name);
    } else {
        print!("{}", table(arguments, &rounds));
    }
    Ok(())
}

fn check(arguments: &Arguments) -> Result<(), LoadError> {
    if arguments.size < crate::stamp::LENGTH {
        return Err(LoadError::Options("--size is below 40 bytes, the length of the stamp in every call"));
    }
    if arguments.rounds == 0 || arguments.window == 0 {
        return Err(LoadError::Options("--rounds and --window begin at 1"));
    }
    if arguments.reach.pid.is_some() && arguments.routers.len() > 1 {
        return Err(LoadError::Options("--pid names one process: leave it out, or measure one router"));
    }
    Ok(())
}

/// Two new sessions, and both kinds of calls.
fn once(router: &Router, arguments: &Arguments) -> Result<Round, LoadError> {
    let Reach { serializer, realm, .. } = &arguments.reach;
    let wamp = Wamp {
        serializer: (*serializer).into(),
        realm: router.target.fragment.clone().unwrap_or_else(|| realm.clone()),
        part: Part::Plain,
    };
    let target = Target { wamp: Some(wamp), ..router.target.clone() };
    let fleet = lineup::new_fleet(&arguments.reach)?;
    let server = lineup::find_server(&target, &arguments.reach)?;
    let procedure = format!("petasus.load.p{}", std::process::id());
    let targets = [target.clone(), target];
    let mut calls = Calls::open(fleet, server, targets, (*serializer).into(), &procedure, arguments.size)?;
    let span = Span { warm: seconds(arguments.warm)?, measured: seconds(arguments.seconds)? };
    Ok(Round {
        sequential: calls.measure(1, span)?,
        pipelined: calls.measure(arguments.window as u64, span)?,
    })
}

/// A column: its head, decimals, and where its figure is.
type Column = (&'static str, usize, fn(&Round) -> f64);

const COLUMNS: [Column; 10] = [
    ("sequential, calls/s", 0, |round| round.sequential.per_second),
    ("p50, us", 0, |round| round.sequential.trip.p50),
    ("p99, us", 0, |round| round.sequential.trip.p99),
    ("router CPU us/call", 1, |round| round.sequential.router_us_per_call),
    ("pipelined, calls/s", 0, |round| round.pipelined.per_second),
    ("p50, us", 0, |round| round.pipelined.trip.p50),
    ("p99, us", 0, |round| round.pipelined.trip.p99),
    ("router CPU us/call", 1, |round| round.pipelined.router_us_per_call),
    ("router cores", 2, |round| round.pipelined.router_cores),
    ("generator cores", 2, |round| round.pipelined.generator_cores),
];

/// The medians of the rounds, as Markdown.
fn table(arguments: &Arguments, rounds: &[Vec<Round>]) -> String {
    let Arguments { window, size, routers, .. } = arguments;
    let encoding: Serializer = arguments.reach.serializer.into();
    let heads = COLUMNS.map(|(head, ..)| head).join(" | ");
    let rule = "---:|".repeat(COLUMNS.len());
    let row = |(router, rounds): (&Router, &Vec<Round>)| {
        let cell = |(_, decimals, figure): Column| {
            format!("{:.decimals$}", median(rounds.iter().map(figure).collect()))
        };
        format!("| {} | {} |\n", router.name, COLUMNS.map(cell).join(" | "))
    };
    let rows: Vec<_> = routers.iter().zip(rounds).map(row).collect();
    format!(
        "WAMP over WebSocket, {}, one argument of {size} B; {window} calls under way when pipelined; medians of {} \
         rounds of {} s.\n\n| router | {heads} |\n|---|{rule}\n{}",
        encoding.as_str(),
        arguments.rounds,
        arguments.seconds,
        rows.concat()
    )
}

/// The middle value; of an even number the upper of both in the middle. 0 for none.
fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_router_is_a_name_and_a_url_with_its_realm() {
        let router: Router = "fox=ws://127.0.0.1:9000/ws#realm1".parse().unwrap();
        assert_eq!(router.name, "fox");
        assert_eq!((router.target.path.as_str(), router.target.fragment.as_deref()), ("/ws", Some("realm1")));
        assert!(matches!("ws://127.0.0.1:9000/ws".parse::<Router>(), Err(LoadError::Options(_))));
    }

    #[test]
    fn the_median_is_the_one_in_the_middle() {
        assert!((median(vec![9.0, 1.0, 2.0]) - 2.0).abs() < 1e-9);
    }
}
