//! `replay`: the script of a token again.

use petasus_conformance::run::Token;
use petasus_conformance::settings::Settings;
use petasus_conformance::{Requirements, check};

use crate::place::Place;

/// What to replay, and where.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The token, from `pc1.` on.
    token: String,
    #[command(flatten)]
    target: crate::target::TargetArgs,
    /// Print what happens, event by event.
    #[arg(long, short)]
    verbose: bool,
}

pub(crate) fn run(args: Args) -> Result<u8, String> {
    let token: Token = args.token.parse().map_err(|error| format!("{error}"))?;
    let check =
        check::named(&token.check).ok_or_else(|| format!("there is no check {} any more", token.check))?;
    let mut setup = args.target.setup(Settings::default())?;
    let place = Place::of(&mut setup)?;
    let list = Requirements::built_in();
    println!("{}: {}", token.check, token.script);
    let pace = match place.pace(&setup) {
        Ok(pace) => pace,
        Err(error) => {
            eprintln!("petasus-conformance: {error}");
            return Ok(3);
        }
    };
    let mut session = setup.session(&place.target, &list, Some(&pace));
    session.params = token.params;
    let (history, violations) = place.run(session.replay(&*check, &token.script))?;
    if args.verbose {
        let mut out = Vec::new();
        history.write(&mut out).map_err(|error| error.to_string())?;
        print!("{}", String::from_utf8_lossy(&out));
    }
    for violation in &violations {
        println!("{violation}");
    }
    println!("{} requirements broken", violations.len());
    Ok(u8::from(!violations.is_empty()))
}
