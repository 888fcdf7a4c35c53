//! Tests of the access file.

mod file;
mod methods;
mod rules;
mod unknown;

use petasus_protocol::wamp::Dict;

use super::Access;
use crate::auth::challenge::{Challenge, Greeting, Opening, Refused};

/// The access file with this text.
fn access(text: &str) -> Access {
    Access::parse("access.toml", text).unwrap_or_else(|error| panic!("{error}"))
}

/// Begins as `authid` with these methods, in realm `realm1` as session 7.
fn begin(
    access: &Access,
    authid: Option<&str>,
    methods: &[&str],
    extra: Option<&Dict>,
) -> Result<Opening, Refused> {
    access.begin(&Greeting { realm: "realm1", authid, methods, extra, session: 7 })
}

/// The challenge of one method.
fn challenge(access: &Access, authid: &str, method: &str, extra: Option<&Dict>) -> Challenge {
    match begin(access, Some(authid), &[method], extra) {
        Ok(Opening::Challenge(challenge)) => challenge,
        other => panic!("{method} of {authid}: {other:?}"),
    }
}
