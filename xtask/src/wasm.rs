//! What a browser loads: `petasus-wasm`, compiled, with its JavaScript written and its bytes squeezed.
//!
//! Every variant goes through the same three programs: cargo with a compiler for `wasm32-unknown-unknown`,
//! wasm-bindgen of the locked version (`xtask/wasm-tools`, from its library), and wasm-opt from npm.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::time::Duration;

use crate::child;
use crate::place;
use crate::steps;
use crate::tools;

/// The script that finds or makes the compiler, from the root of the workspace.
pub(crate) const TOOLCHAIN: &str = "xtask/wasm-toolchain.sh";

/// The target.
const WASM32: &str = "wasm32-unknown-unknown";

/// How long one program may take.
const LIMIT: Duration = Duration::from_mins(10);

/// One build of `petasus-wasm`.
pub(crate) struct Variant {
    /// On the command line, and the folder below `client-wasm/wasm`.
    pub(crate) name: &'static str,
    /// What cargo is told about features.
    features: &'static [&'static str],
}

/// All of them.
pub(crate) const VARIANTS: [Variant; 2] =
    [Variant { name: "full", features: &[] }, Variant { name: "slim", features: &["--no-default-features"] }];

/// `cargo xtask wasm [--names] [full|slim]...`: all variants, or those that are named.
pub(crate) fn run(arguments: &[String]) -> ExitCode {
    let names = arguments.iter().any(|argument| argument == "--names");
    let wanted: Vec<&str> = arguments.iter().map(String::as_str).filter(|name| *name != "--names").collect();
    if let Some(unknown) = wanted.iter().find(|name| VARIANTS.iter().all(|variant| variant.name != **name)) {
        eprintln!("xtask: there is no variant `{unknown}`; there are full and slim");
        return ExitCode::from(2);
    }
    for variant in VARIANTS.iter().filter(|variant| wanted.is_empty() || wanted.contains(&variant.name)) {
        match make(variant, names) {
            Ok(module) => println!("{}: {}", variant.name, weight(&module)),
            Err(problem) => {
                eprintln!("xtask: {problem}");
                return ExitCode::FAILURE;
            }
        }
    }
    ExitCode::SUCCESS
}

/// Builds a variant into its folder below `client-wasm/wasm`, and tells where its module is. With `names` the
/// functions keep their names, for whoever reads the module or a trace.
///
/// # Errors
/// Says which program failed, or what is missing and how to install it.
pub(crate) fn make(variant: &Variant, names: bool) -> Result<PathBuf, String> {
    let root = place::root();
    let out = root.join("client-wasm/wasm").join(variant.name);
    let mut arguments = vec!["-p", "petasus-wasm", "--profile", "wasm"];
    arguments.extend(variant.features);
    compile(&arguments)?;

    let mut bindgen = tools::cargo();
    bindgen.args(["run", "--quiet", "-p", "petasus-wasm-tools", "--", "wasm-bindgen", "--target", "web"]);
    bindgen.args(["--omit-default-module-path", "--remove-producers-section", "--out-name", "petasus"]);
    if names {
        bindgen.arg("--keep-debug");
    } else {
        bindgen.arg("--remove-name-section");
    }
    bindgen.arg("--out-dir").arg(&out).arg(module("petasus_wasm"));
    child::succeed(&mut bindgen, LIMIT)?;

    let module = out.join("petasus_bg.wasm");
    optimize(&module, names)?;
    // What `client-wasm/build.mjs` puts into the package.
    let mut compressor = tools::cargo();
    compressor.args(["run", "--quiet", "-p", "petasus-wasm-tools", "--", "compress"]);
    compressor.arg(&module).arg(module.with_extension("wasm.zlib"));
    child::succeed(&mut compressor, LIMIT)?;
    Ok(module)
}

/// Builds for browsers; `what` are the arguments of `cargo build`.
///
/// # Errors
/// Says how it ended; what is wrong has been printed.
pub(crate) fn compile(what: &[&str]) -> Result<(), String> {
    let cargo = env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    // The compiler is for this build alone, not for the host's.
    let script = format!(r#"found=$({TOOLCHAIN}) && eval "$found" && exec "$@""#);
    let mut build = Command::new("bash");
    build.current_dir(place::root()).args(["-c", &script, "bash"]).arg(cargo);
    build.arg("build").args(what).args(["--target", WASM32]);
    child::succeed(&mut build, LIMIT)
}

/// The module that cargo has built of a library.
pub(crate) fn module(library: &str) -> PathBuf {
    place::target().join(WASM32).join("wasm").join(library).with_extension("wasm")
}

/// Squeezes a module in its place. Only wasm-opt from npm will do: that of Debian 12 breaks the module.
///
/// # Errors
/// Says what is missing and how to install it, or how it failed.
pub(crate) fn optimize(module: &Path, names: bool) -> Result<(), String> {
    let folder = place::root().join("xtask/wasm-tools");
    steps::node_packages(&folder)?;
    let mut optimizer = Command::new("node");
    optimizer.arg(folder.join("node_modules/binaryen/bin/wasm-opt"));
    // The features of the module are read from the module. The lowest addresses are the far end of the stack, so no
    // pointer into data is near 0. Code that was taken apart and put together again is a little smaller.
    optimizer.args(["-Oz", "--low-memory-unused", "--flatten", "--rereloop", "-Oz", "--converge"]);
    optimizer.args(names.then_some("-g"));
    optimizer.arg(module).arg("-o").arg(module);
    child::succeed(&mut optimizer, LIMIT)
}

/// The weight of a module, in words.
pub(crate) fn weight(module: &Path) -> String {
    let bytes = match fs::metadata(module) {
        Ok(file) => file.len(),
        Err(problem) => return format!("{}: {problem}", module.display()),
    };
    match Command::new("gzip").args(["-9", "-c"]).arg(module).output() {
        Ok(packed) if packed.status.success() => {
            format!("{bytes} bytes wasm, {} bytes gzip", packed.stdout.len())
        }
        _ => format!("{bytes} bytes wasm (no gzip here)"),
    }
}
