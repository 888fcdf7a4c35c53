//! Running other programs: their output is shown as it comes and kept, their time is limited, and they
//! never outlive the call, whatever happens.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::{Duration, Instant};

/// How often a running program is looked at while it prints nothing.
const LOOK: Duration = Duration::from_millis(50);

/// How long the output of an ended program is awaited: a grandchild may still hold the pipe.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// How a program ended, and all it printed.
pub(crate) struct Finished {
    /// The exit status; `None` when it had to be ended because its time was up.
    status: Option<ExitStatus>,
    /// Standard output and standard error, in the order they came.
    pub(crate) text: String,
}

impl Finished {
    /// Did it end by itself, with success?
    pub(crate) fn ok(&self) -> bool {
        self.status.is_some_and(|status| status.success())
    }

    /// The end in words, for a failure: `exit status: 101`.
    pub(crate) fn end(&self) -> String {
        match self.status {
            Some(status) => status.to_string(),
            None => "ended by xtask: its time was up".to_owned(),
        }
    }
}

/// A program that is ended, with all its descendants, when this value goes.
pub(crate) struct Guard(pub(crate) Child);

impl Drop for Guard {
    fn drop(&mut self) {
        if matches!(self.0.try_wait(), Ok(None)) {
            signal("KILL", &descendants(self.0.id()));
            let _ = self.0.kill();
        }
        let _ = self.0.wait();
    }
}

/// Runs `command` to its end, at most for `limit`, and shows what it prints.
///
/// # Errors
/// Fails when the program cannot be started.
pub(crate) fn run(command: &mut Command, limit: Duration) -> io::Result<Finished> {
    let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    let mut child = Guard(child);
    let (lines, output) = mpsc::channel();
    forward(child.0.stdout.take().expect("standard output is piped"), false, lines.clone());
    forward(child.0.stderr.take().expect("standard error is piped"), true, lines);

    let start = Instant::now();
    let mut ended: Option<(Instant, ExitStatus)> = None;
    let mut text = String::new();
    loop {
        match output.recv_timeout(LOOK) {
            Ok(line) => text.push_str(&line),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => {}
        }
        if ended.is_none() {
            ended = child.0.try_wait()?.map(|status| (Instant::now(), status));
        }
        match ended {
            Some((when, _)) if when.elapsed() > LAST_WORDS => break,
            None if start.elapsed() > limit => return Ok(Finished { status: None, text }),
            _ => {}
        }
    }
    let status = match ended {
        Some((_, status)) => Some(status),
        None => wait_until(&mut child.0, start + limit)?,
    };
    Ok(Finished { status, text })
}

/// Runs `command`, which has to succeed.
///
/// # Errors
/// Says which program it was and how it ended.
pub(crate) fn succeed(command: &mut Command, limit: Duration) -> Result<(), String> {
    let program = command.get_program().display().to_string();
    match run(command, limit) {
        Ok(finished) if finished.ok() => Ok(()),
        Ok(finished) => Err(format!("{program}: {}", finished.end())),
        Err(problem) => Err(format!("{program} does not start: {problem}")),
    }
}

/// Runs `command` in silence; its standard output when it succeeds.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// Asks `child` to end (SIGTERM) and waits for it, at most for `limit`; `None` when it is still there.
pub(crate) fn terminate(child: &mut Child, limit: Duration) -> io::Result<Option<ExitStatus>> {
    signal("TERM", &[child.id()]);
    wait_until(child, Instant::now() + limit)
}

fn wait_until(child: &mut Child, deadline: Instant) -> io::Result<Option<ExitStatus>> {
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(Some(status));
        }
        if Instant::now() > deadline {
            return Ok(None);
        }
        thread::sleep(LOOK);
    }
}

/// Copies a pipe to our own output, line by line, and to `lines`.
fn forward(pipe: impl Read + Send + 'static, is_error: bool, lines: Sender<String>) {
    thread::spawn(move || {
        let mut pipe = BufReader::new(pipe);
        let mut line = Vec::new();
        while matches!(pipe.read_until(b'\n', &mut line), Ok(read) if read > 0) {
            // A closed terminal is no reason to stop the tests.
            let _ = if is_error { io::stderr().write_all(&line) } else { io::stdout().write_all(&line) };
            if lines.send(String::from_utf8_lossy(&line).into_owned()).is_err() {
                return;
            }
            line.clear();
        }
    });
}

/// Sends a signal by the shell's own `kill`, which is there even where procps is not.
fn signal(name: &str, pids: &[u32]) {
    if pids.is_empty() {
        return;
    }
    let _ = Command::new("sh")
        .args(["-c", r#"kill -s "$@""#, "sh", name])
        .args(pids.iter().map(u32::to_string))
        .stderr(Stdio::null())
        .status();
}

/// The processes below `pid`, as Linux lists them; elsewhere none are found.
fn descendants(pid: u32) -> Vec<u32> {
    let mut parents = Vec::new();
    for entry in std::fs::read_dir("/proc").into_iter().flatten().flatten() {
        let Some(child) = entry.file_name().to_str().and_then(|name| name.parse::<u32>().ok()) else {
            continue;
        };
        let stat = std::fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if let Some(parent) = parent_of(&stat) {
            parents.push((child, parent));
        }
    }
    let mut found = vec![pid];
    let mut next = 0;
    while next < found.len() {
        let parent = found[next];
        found.extend(parents.iter().filter(|pair| pair.1 == parent).map(|pair| pair.0));
        next += 1;
    }
    found.split_off(1)
}

/// The parent in a line of `/proc/PID/stat`: the second field after the program's name, which stands in
/// parentheses and may itself hold any character.
fn parent_of(stat: &str) -> Option<u32> {
    let (_, after_name) = stat.rsplit_once(')')?;
    after_name.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(script: &str) -> Command {
        let mut command = Command::new("sh");
        command.args(["-c", script]);
        command
    }

    #[test]
    fn both_outputs_and_the_status_are_kept() {
        let finished = run(&mut shell("echo one; echo two >&2; exit 3"), Duration::from_mins(1)).unwrap();
        assert!(finished.text.contains("one\n") && finished.text.contains("two\n"), "{}", finished.text);
        assert!(!finished.ok());
        assert_eq!(finished.end(), "exit status: 3");
    }

    #[test]
    fn a_program_that_takes_too_long_is_ended() {
        let finished = run(&mut shell("exec sleep 600"), Duration::from_millis(50)).unwrap();
        assert!(!finished.ok());
        assert!(finished.end().contains("time was up"));
    }

    #[test]
    fn a_guard_ends_the_descendants_too() {
        let mut command = shell("sleep 600 & echo ready; wait");
        let mut guard = Guard(command.stdout(Stdio::piped()).spawn().unwrap());
        let mut output = BufReader::new(guard.0.stdout.take().unwrap());
        output.read_line(&mut String::new()).unwrap();
        drop(guard);
        // The pipe comes to its end only when the last process that holds it is gone.
        let (end, ended) = mpsc::channel();
        thread::spawn(move || end.send(output.read_to_end(&mut Vec::new()).is_ok()));
        assert_eq!(ended.recv_timeout(Duration::from_secs(30)), Ok(true));
    }

    #[test]
    fn a_program_that_ignores_the_request_to_end_is_still_there_and_then_killed_by_its_guard() {
        let mut command = shell("trap '' TERM; echo ready; while :; do sleep 1; done");
        let mut guard = Guard(command.stdout(Stdio::piped()).spawn().unwrap());
        let mut ready = String::new();
        BufReader::new(guard.0.stdout.take().unwrap()).read_line(&mut ready).unwrap();
        assert!(terminate(&mut guard.0, Duration::from_millis(100)).unwrap().is_none());
        let pid = guard.0.id();
        drop(guard);
        assert!(!std::path::Path::new(&format!("/proc/{pid}")).exists());
    }

    #[test]
    fn the_parent_is_read_even_when_the_name_of_the_program_is_odd() {
        assert_eq!(parent_of("12 (a) b) S 34 12 12 0"), Some(34));
        assert_eq!(parent_of(""), None);
    }
}
