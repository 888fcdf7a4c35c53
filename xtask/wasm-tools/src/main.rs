//! `wasm-bindgen` as this workspace locks it. Its version has to be that of the crate `wasm-bindgen`; so nobody has to
//! install a program of the right version. And a compressor that takes its time, for what is compressed once and loaded
//! by every page. A package of its own, because `xtask` has to build in a second.

use std::env;
use std::ffi::OsString;
use std::fmt::Debug;
use std::fs::{self, File};
use std::io;
use std::path::Path;
use std::process::ExitCode;

fn main() -> ExitCode {
    let mut arguments: Vec<OsString> = env::args_os().collect();
    let program = if arguments.len() > 1 { arguments.remove(1) } else { OsString::new() };
    match (program.to_str(), arguments.as_slice()) {
        (Some("wasm-bindgen"), _) => end(wasm_bindgen_cli::wasm_bindgen::run_cli_with_args(arguments)),
        (Some("test-runner"), _) => {
            end(wasm_bindgen_cli::wasm_bindgen_test_runner::run_cli_with_args(arguments))
        }
        (Some("compress"), [_, from, to]) => end(compress(Path::new(from), Path::new(to))),
        _ => {
            eprintln!("usage: petasus-wasm-tools wasm-bindgen|test-runner ARGUMENT...");
            eprintln!("       petasus-wasm-tools compress FROM TO");
            ExitCode::from(2)
        }
    }
}

/// Writes a file as `DecompressionStream("deflate")` of browsers reads it (RFC 1950), some 6 % smaller than zlib can.
fn compress(from: &Path, to: &Path) -> io::Result<()> {
    zopfli::compress(
        zopfli::Options::default(),
        zopfli::Format::Zlib,
        fs::read(from)?.as_slice(),
        File::create(to)?,
    )
}

fn end<E: Debug>(done: Result<(), E>) -> ExitCode {
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("error: {problem:?}");
            ExitCode::FAILURE
        }
    }
}
