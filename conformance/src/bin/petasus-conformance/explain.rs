//! `explain`: what a requirement, a check or a token is.

use petasus_conformance::run::Token;
use petasus_conformance::{Level, Requirements, check};

/// What to explain.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The id of a requirement, the name of a check, or a replay token.
    what: String,
}

pub(crate) fn run(args: &Args) -> Result<u8, String> {
    let what = args.what.as_str();
    if let Ok(token) = what.parse::<Token>() {
        println!("a script of {}, specification {}:\n{}", token.check, token.spec, token.script);
        return Ok(0);
    }
    let list = Requirements::built_in();
    if let Some(check) = check::named(what) {
        let card = check.card();
        println!("{}: {}\nneeds: {}\nmay find broken:", card.name, card.about, card.caps.join(" "));
        for requirement in card.requirements.iter().filter_map(|id| list.get(id)) {
            println!("  {}: {}", requirement.id, requirement.text);
        }
        return Ok(0);
    }
    let requirement = list.get(what).ok_or_else(|| {
        format!("`{what}` is no requirement, no check (`doctor` lists them) and no replay token")
    })?;
    let level = match requirement.level {
        Level::Must => "MUST",
        Level::Should => "SHOULD",
        Level::May => "MAY",
    };
    println!("{} ({level}): {}", requirement.id, requirement.text);
    println!("source: {}\nprofiles: {}", requirement.source, requirement.profiles.join(" "));
    let checks: Vec<&str> = check::all()
        .iter()
        .map(|check| check.card())
        .filter(|card| card.requirements.contains(&what))
        .map(|card| card.name)
        .collect();
    println!("checks: {}", if checks.is_empty() { "none yet".to_owned() } else { checks.join(" ") });
    Ok(0)
}
