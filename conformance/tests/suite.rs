//! What somebody sees who tests a broker of their own: a package outside of this workspace, with the macro and a few
//! lines of settings.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

/// The program, which can serve as a good broker and as a bad one.
const PROGRAM: &str = env!("CARGO_BIN_EXE_petasus-conformance");

/// A package with a path dependency, the lock of this workspace and ten lines of test.
fn package(folder: &Path) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let manifest = format!(
        "[package]\nname = \"my-broker\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dev-dependencies]\npetasus-conformance = {{ path = {:?}, default-features = false }}\n\n\
         [[test]]\nname = \"conformance\"\nharness = false\n\n[profile.dev]\ndebug = false\n",
        here.to_str().unwrap()
    );
    let test = format!(
        "petasus_conformance::suite! {{\n    driver = \"mercury\",\n    command = \"'{PROGRAM}' mutants --serve clean --listen {{addr}}\",\n    \
         profile = \"mercury\",\n    with = \"pushpull.strict\",\n    max_message = 262_144,\n}}\n"
    );
    for (path, text) in
        [("Cargo.toml", manifest), ("src/lib.rs", String::new()), ("tests/conformance.rs", test)]
    {
        let path = folder.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::copy(here.join("../Cargo.lock"), folder.join("Cargo.lock")).unwrap();
}

/// `cargo test` there. What is built lies beside what this workspace builds, so that it is built once.
fn test(folder: &Path, arguments: &[&str]) -> Output {
    let mut cargo = Command::new(env!("CARGO"));
    for (name, _) in std::env::vars_os() {
        let name = name.to_string_lossy();
        if name.starts_with("CARGO_") && name != "CARGO_HOME" || name.starts_with("CONFORMANCE_") {
            cargo.env_remove(&*name);
        }
    }
    cargo.args(["test", "--offline", "--quiet", "--test", "conformance", "--target-dir"]);
    cargo.arg(Path::new(env!("CARGO_TARGET_TMPDIR")).join("suite")).arg("--").args(arguments);
    cargo.current_dir(folder).output().unwrap()
}

#[test]
fn a_package_elsewhere_tests_its_broker_with_one_macro() {
    let folder = tempfile::tempdir().unwrap();
    package(folder.path());
    let checks = ["pushpull"];
    let told = |output: &Output| {
        format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
    };
    let output = test(folder.path(), &checks);
    assert_eq!(output.status.code(), Some(0), "{}", told(&output));
    assert!(told(&output).contains(" 0 failed"), "{}", told(&output));

    // A broker with a defect, named by the file, which goes before the macro.
    let settings = format!(
        "[target.launch]\ncommand = [{PROGRAM:?}, \"mutants\", \"--serve\", \"skip-on-leave\", \"--listen\", \"{{addr}}\"]\n\
         [implementation]\nproject = \"one that skips\"\n"
    );
    fs::write(folder.path().join("conformance.toml"), settings).unwrap();
    let output = test(folder.path(), &checks);
    assert_eq!(output.status.code(), Some(1), "{}", told(&output));
    assert!(told(&output).contains("REQ-RR-005 (must, fail)"), "{}", told(&output));

    // A wrong file is told with its line, and is no failure of the broker.
    fs::write(folder.path().join("conformance.toml"), "[target]\nurl = 7\n").unwrap();
    let output = test(folder.path(), &checks);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(told(&output).contains("conformance.toml:2: "), "{}", told(&output));
}
