//! `mutants`: the kill matrix, and how many cases it takes.

use std::net::SocketAddr;

use petasus_conformance::mutants::{Mutant, Running, matrix};
use petasus_conformance::{Requirements, front};

/// How thoroughly.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// How many cases each check has.
    #[arg(long, default_value_t = 25)]
    cases: u32,
    /// Also count, over so many seeds and without the hand-written classics, the cases until the generators find each
    /// mutant.
    #[arg(long, default_value_t = 0)]
    seeds: u64,
    /// Only the mutant of this number; repeatable.
    #[arg(long)]
    only: Vec<u32>,
    /// Be one of them, as a broker to try checks on: its number, its name such as perl-cursor, or clean. Serves until it is killed.
    #[arg(long, value_name = "MUTANT")]
    serve: Option<String>,
    /// Where to serve.
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
}

/// Serves until it is killed.
fn serve(name: &str, listen: SocketAddr) -> Result<u8, String> {
    let mutant = Mutant::named(name)
        .ok_or_else(|| format!("there is no mutant {name}; `petasus-conformance mutants` lists them"))?;
    front::run(async {
        let broker = Running::start_at(mutant, listen).await.map_err(|error| format!("{listen}: {error}"))?;
        println!("listening on {}", broker.url());
        std::future::pending().await
    })
}

pub(crate) fn run(args: &Args) -> Result<u8, String> {
    if let Some(name) = &args.serve {
        return serve(name, args.listen);
    }
    let list = Requirements::built_in();
    let mut is_well = true;
    let entries = matrix::entries();
    let wanted = |number: u32| args.only.is_empty() || args.only.contains(&number);
    for entry in entries.into_iter().filter(|entry| wanted(entry.number)) {
        let row = front::run(matrix::row(entry, &list, 1, args.cases)).map_err(|error| error.to_string())?;
        println!("{}", row.line());
        is_well &= row.cases_to_kill().is_some() && row.strange().is_empty();
        if !row.strange().is_empty() {
            println!("    breaks what it is not declared to: {}", row.strange().join(" "));
        }
        if args.seeds > 0 {
            let counts = front::run(matrix::cases_to_kill(entry, &list, args.seeds, args.cases.max(60)))
                .map_err(|error| error.to_string())?;
            println!("    generated cases to kill: {counts}");
        }
    }
    Ok(u8::from(!is_well))
}
