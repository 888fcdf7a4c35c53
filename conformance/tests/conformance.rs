//! The harness against our own broker, or against the one that `CONFORMANCE_URL` names.

use std::process::ExitCode;

fn main() -> ExitCode {
    petasus_conformance::front::main(&libtest_mimic::Arguments::from_args())
}
