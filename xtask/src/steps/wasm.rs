//! The step `wasm`: what browsers load has to compile for them, and is weighed.

use std::process::Command;

use crate::child;
use crate::place;
use crate::report::Outcome;
use crate::tools;
use crate::wasm;

/// Builds `petasus-protocol` and the two variants of `petasus-wasm` for browsers, and prints what these weigh. The
/// weight is only a figure to keep an eye on here: the budget is a test of the package itself.
pub(super) fn run() -> Outcome {
    let mut toolchain = Command::new("bash");
    toolchain.arg(wasm::TOOLCHAIN).current_dir(place::root());
    match child::run(&mut toolchain, tools::INSTALL) {
        Ok(made) if made.ok() => {}
        _ => return Outcome::skipped("no compiler; run: rustup target add wasm32-unknown-unknown"),
    }
    let mut outcome = held(wasm::compile(&["-p", "petasus-protocol"]));
    for variant in &wasm::VARIANTS {
        let made = wasm::make(variant, false).map(|module| {
            println!("petasus-wasm, {}: {}", variant.name, wasm::weight(&module));
        });
        outcome = outcome.and(held(made));
    }
    outcome
}

fn held(result: Result<(), String>) -> Outcome {
    match result {
        Ok(()) => Outcome::held(),
        Err(problem) => Outcome::failed(problem),
    }
}
