//! The steps of `cargo xtask test`, a file for each that is more than one call of cargo.

mod autobahn;
mod browser;
mod client;
mod conformance;
mod counted;
mod deny;
mod load;
mod npm;
mod python;
mod rust;
mod wamp;
mod wasm;

use crate::report::Outcome;

pub(crate) use browser::{node_and_chromium, node_packages};

/// One step.
pub(crate) struct Step {
    /// What it is called on the command line.
    pub(crate) name: &'static str,
    /// What it shows, in a few words.
    pub(crate) about: &'static str,
    /// Too long for every day: runs only with `--full`, or when it is named.
    pub(crate) only_full: bool,
    /// Runs it; the argument is `--full`.
    pub(crate) run: fn(bool) -> Outcome,
}

/// All steps, in their order: what fails fast comes first.
pub(crate) const ALL: &[Step] = &[
    Step { name: "fmt", about: "the sources are formatted", only_full: false, run: |_| rust::fmt() },
    Step { name: "lint", about: "clippy has no warnings", only_full: false, run: |_| rust::lint() },
    Step {
        name: "unit",
        about: "unit, integration and documentation tests, examples",
        only_full: false,
        run: rust::unit,
    },
    Step {
        name: "deny",
        about: "licences, duplicate and foreign dependencies",
        only_full: false,
        run: |_| deny::run(),
    },
    Step {
        name: "wasm",
        about: "what a browser loads is built, and weighed",
        only_full: false,
        run: |_| wasm::run(),
    },
    Step {
        name: "browser",
        about: "two pages in Chromium exchange messages",
        only_full: false,
        run: |_| browser::run(),
    },
    Step {
        name: "autobahn",
        about: "the Autobahn fuzzing client finds no fault",
        only_full: false,
        run: |_| autobahn::run(),
    },
    Step {
        name: "wamp",
        about: "autobahn-python and autobahn-js, with crossbar as the control",
        only_full: false,
        run: |_| wamp::run(),
    },
    Step {
        name: "client",
        about: "the Rust client against our broker, crossbar and a Mercury-style broker",
        only_full: false,
        run: |_| client::run(),
    },
    Step {
        name: "conformance",
        about: "the harness against brokers that nobody here wrote",
        only_full: false,
        run: |_| conformance::run(),
    },
    Step {
        name: "npm",
        about: "the package for browsers and Node, in both, against five brokers",
        only_full: false,
        run: |_| npm::run(),
    },
    Step {
        name: "python",
        about: "the Python client: wheel, interpreters, types, and one suite against three brokers",
        only_full: false,
        run: python::run,
    },
    Step {
        name: "soak",
        about: "all tests on a release build, the long ones too",
        only_full: true,
        run: |_| rust::soak(),
    },
    Step {
        name: "load",
        about: "400,000 connections come and go beside traffic that must not notice",
        only_full: true,
        run: |_| load::run(),
    },
];
