//! `doctor`: whether the broker answers, how fast, and what would be tried.

use petasus_conformance::run::{Honesty, Session};
use petasus_conformance::settings::Settings;
use petasus_conformance::{Requirements, check};

use crate::place::Place;

/// Which broker.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Also try, with a few cases of each check, whether the broker has what is claimed, and what it has besides.
    #[arg(long)]
    probe: bool,
    #[command(flatten)]
    target: crate::target::TargetArgs,
}

pub(crate) fn run(args: Args) -> Result<u8, String> {
    let mut setup = args.target.setup(Settings::default())?;
    let place = Place::of(&mut setup)?;
    let list = Requirements::built_in();
    let pace = match place.pace(&setup) {
        Ok(pace) => pace,
        Err(error) => {
            eprintln!("petasus-conformance: {error}");
            return Ok(3);
        }
    };
    let session = setup.session(&place.target, &list, Some(&pace));
    println!("connect: half within {:?}, nearly all within {:?}", pace.connect_p50, pace.connect_p99);
    println!("ping: half within {:?}, nearly all within {:?}", pace.ping_p50, pace.ping_p99);
    println!("deadline: {:?}", session.timing.deadline);
    println!("profiles: {}", session.profiles.join(" "));
    println!("capabilities: {}", session.caps);
    let mut tried = 0;
    for check in check::all() {
        let card = check.card();
        let skipped = session.skips(&card);
        tried += usize::from(skipped.is_none());
        println!("{:18} {}", card.name, skipped.as_deref().unwrap_or(card.about));
    }
    if args.probe && !is_honest(&place, &session) {
        return Ok(1);
    }
    Ok(if tried == 0 { 4 } else { 0 })
}

/// Tells what a few cases of each check say of capabilities; false if something is claimed that is not there.
fn is_honest(place: &Place, session: &Session<'_>) -> bool {
    let found = place.run(session.honesty(&check::all()));
    for (cap, grade) in &found {
        match grade {
            Honesty::Kept | Honesty::Rightly => {}
            Honesty::Modest => println!("info: {cap} works, and is not claimed: give --with {cap}"),
            Honesty::Boasted => println!("fail: {cap} is claimed, and does not work: give --without {cap}"),
        }
    }
    println!("{} capabilities tried", found.len());
    found.values().all(|&grade| grade != Honesty::Boasted)
}
