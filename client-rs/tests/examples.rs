//! The examples, as programs, against our broker.

mod support;

use std::process::Stdio;

use support::broker::Running;
use support::{binary, soon};
use tokio::process::Command;

/// Runs an example to its end; what it printed. `arguments` come after the URL.
async fn output(running: &Running, name: &str, arguments: &[&str]) -> String {
    let program = binary::profile().join("examples").join(format!("{name}{}", std::env::consts::EXE_SUFFIX));
    assert!(
        program.is_file(),
        "{} is missing: `cargo test` builds it, `cargo test --test` does not; run `cargo build -p petasus --examples`",
        program.display()
    );
    let mut command = Command::new(program);
    command.arg(&running.url).args(arguments).stdin(Stdio::null()).kill_on_drop(true);
    let output = soon(name, command.output()).await.unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{name} ended with {}: {errors}", output.status);
    assert_eq!(errors, "", "{name}");
    String::from_utf8(output.stdout).unwrap()
}

/// Runs an example against a broker of its own.
async fn alone(name: &str) -> String {
    let running = Running::start().await;
    let output = output(&running, name, &[]).await;
    running.stop().await;
    output
}

#[tokio::test]
async fn publish_subscribe() {
    assert_eq!(alone("publish_subscribe").await, "news/sport: one all\nnews/weather: rain\n");
}

#[tokio::test]
async fn json() {
    assert_eq!(alone("json").await, "cellar has 11.5 degrees\n");
}

#[tokio::test]
async fn bus_chat() {
    let heard =
        ["Joe hears  Amy: is there coffee?", "Joe hears  Joe: in a minute", "Amy hears  Joe: in a minute"];
    assert_eq!(alone("bus_chat").await.lines().collect::<Vec<_>>(), heard);
}

#[tokio::test]
async fn work_queue() {
    let output = alone("work_queue").await;
    let lines: Vec<&str> = output.lines().collect();
    assert_eq!(lines.len(), 4, "{output}");
    for (line, image) in lines.iter().zip(["a.png", "b.png", "c.png"]) {
        // Who does it depends on who was there first.
        let by = line.strip_prefix(&format!("done: {image}, by ")).unwrap_or_else(|| panic!("{output}"));
        assert!(["Ada", "Bob"].contains(&by), "{output}");
    }
    assert_eq!(lines[3], "failed: refused: com.example.error.no_name (an image has a name)");
}

#[tokio::test]
async fn calls() {
    let refused = "refused: com.example.error.division (it can not be divided)";
    let lines = ["84 / 2 = 42", refused, refused, "refused, as it should be"];
    assert_eq!(alone("calls").await.lines().collect::<Vec<_>>(), lines);
}

#[tokio::test]
async fn progress() {
    let lines = ["1", "2", "3", "that is all", "enough: true"];
    assert_eq!(alone("progress").await.lines().collect::<Vec<_>>(), lines);
}

#[tokio::test]
async fn login() {
    let access = "anonymous = \"\"\n[[users]]\nauthid = \"joe\"\nrole = \"cook\"\nticket = \"sesame\"\n";
    let running = Running::start_guarded(access).await;
    assert_eq!(output(&running, "login", &["joe", "sesame"]).await, "welcome as joe, in the role cook\n");
    let refused = output(&running, "login", &["joe", "basil"]).await;
    assert!(refused.starts_with("not let in: ") && refused.contains("check user and secret"), "{refused}");
    let nobody = output(&running, "login", &[]).await;
    assert!(nobody.starts_with("not let in: ") && nobody.contains("give it a log-in"), "{nobody}");
    running.stop().await;
}

#[tokio::test]
async fn stay_connected() {
    let running = Running::start().await;
    let output = output(&running, "stay_connected", &["1"]).await;
    // Two tasks print, and "closed" may come too late.
    let lines: Vec<_> = output.lines().collect();
    assert!(lines.contains(&"connected") && lines.contains(&"I am here"), "{output}");
    running.stop().await;
}

#[tokio::test]
async fn mercury_sockets() {
    let output = alone("mercury_sockets").await;
    assert!(output.starts_with("one all\nto do: paint the fence\na call can not be had here: "), "{output}");
}

/// Each example has a test here.
#[test]
fn none_is_forgotten() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let tests = include_str!("examples.rs");
    for entry in std::fs::read_dir(folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.strip_suffix(".rs").unwrap();
        assert!(tests.contains(&format!("async fn {name}()")), "{name}");
    }
}
