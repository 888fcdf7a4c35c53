//! Everything that a user can get wrong, and everything that can break: each has one error, and its text says what to
//! do.

mod support;

#[path = "failures/abuse.rs"]
mod abuse;
#[path = "failures/ends.rs"]
mod ends;
#[path = "failures/logins.rs"]
mod logins;
#[path = "failures/refusals.rs"]
mod refusals;
#[path = "failures/servers.rs"]
mod servers;
#[path = "failures/settings.rs"]
mod settings;
#[path = "failures/tls.rs"]
mod tls;

use petasus::{Builder, Dialect, Error, Failure};
use support::soon;

const BOTH: [Dialect; 2] = [Dialect::Wamp, Dialect::Mercury];

/// Connects, which must fail for good; why.
async fn failure(builder: Builder) -> Failure {
    match soon("the failure", builder.connect()).await {
        Ok(_) => panic!("it connected"),
        Err(Error::GaveUp(failure)) => failure,
        Err(error) => panic!("{error:?}"),
    }
}

/// The text of an error must name what is wrong, and what to do.
#[track_caller]
fn says(error: &impl std::fmt::Display, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "`{part}` is not in `{text}`");
    }
}
