//! The build logic of Petasus, and the only place that has any.
//!
//! `cargo xtask test` sets up whatever the tests need and runs all of them; `cargo xtask` alone says what
//! else there is. The package has no dependencies, because every call builds it first.

mod bench_python;
mod broker;
mod child;
mod counts;
mod place;
mod report;
mod steps;
mod tasks;
mod test;
mod tools;
mod wasm;

use std::process::ExitCode;

const HELP: &str = "\
cargo xtask COMMAND

  test [--full] [STEP...]  set up what the tests need and run them: all steps, or only those named
  bench [ARGUMENT...]      build for release and run the load comparison; arguments go to it
  bench python [ARGUMENT...]  our Python client beside others, each at its own broker; arguments go to benches/python
  screenshot               draw the picture of the example page that the README shows
  wasm [--names] [VARIANT] build what a browser loads into client-wasm/wasm: full and slim, or one
  wasm-toolchain           find or make a compiler for wasm32-unknown-unknown and print how to use it
  help                     this text

Steps of `test`, in their order:
";

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) = match arguments.split_first() {
        Some((command, rest)) => (command.as_str(), rest),
        None => ("help", &[][..]),
    };
    match command {
        "test" => test::run(rest),
        "bench" => tasks::bench(rest),
        "screenshot" => tasks::screenshot(),
        "wasm" => wasm::run(rest),
        "wasm-toolchain" => tasks::wasm_toolchain(),
        "help" | "--help" | "-h" => {
            print!("{HELP}{}", test::list_of_steps());
            ExitCode::SUCCESS
        }
        unknown => {
            eprintln!("xtask: there is no command `{unknown}`; `cargo xtask help` lists them");
            ExitCode::from(2)
        }
    }
}
