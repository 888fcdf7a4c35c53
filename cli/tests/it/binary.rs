//! Starting the binary and talking to it.

use std::{
    ffi::OsStr,
    io::{BufRead, BufReader, Read, Write},
    path::Path,
    process::{Child, ChildStderr, ChildStdin, ChildStdout, Command, ExitStatus, Output, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};

/// The binary with an environment that no shell has touched.
pub(crate) fn petasus<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_petasus"));
    command.env_clear().args(args).current_dir(env!("CARGO_TARGET_TMPDIR"));
    command
}

/// Standard output and standard error as text, and the exit code.
pub(crate) fn outcome(output: &Output) -> (String, String, Option<i32>) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (text(&output.stdout), text(&output.stderr), output.status.code())
}

/// A process whose three streams are ours. Killed when dropped.
pub(crate) struct Process {
    child: Child,
    stdin: Option<ChildStdin>,
    stdout: Option<BufReader<ChildStdout>>,
    stderr: BufReader<ChildStderr>,
}

impl Process {
    pub(crate) fn spawn(command: &mut Command) -> Self {
        let command = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let stdin = child.stdin.take();
        let stdout = child.stdout.take().map(BufReader::new);
        let stderr = BufReader::new(child.stderr.take().unwrap());
        Self { child, stdin, stdout, stderr }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    pub(crate) fn write(&mut self, bytes: &[u8]) {
        self.stdin.as_mut().unwrap().write_all(bytes).unwrap();
    }

    pub(crate) fn close_stdin(&mut self) {
        self.stdin = None;
    }

    pub(crate) fn close_stdout(&mut self) {
        self.stdout = None;
    }

    /// The next line of standard output, without its end. Panics if there is none.
    pub(crate) fn line(&mut self) -> String {
        let mut line = String::new();
        self.stdout.as_mut().unwrap().read_line(&mut line).unwrap();
        if line.is_empty() {
            let mut rest = String::new();
            self.stderr.read_to_string(&mut rest).unwrap();
            panic!("the process ended: {rest}");
        }
        line.trim_end_matches('\n').to_owned()
    }

    /// The next line of standard output, which may be empty, without its end. Panics if there is none.
    pub(crate) fn line_or_empty(&mut self) -> String {
        let mut line = String::new();
        assert!(self.stdout.as_mut().unwrap().read_line(&mut line).unwrap() > 0, "the process ended");
        line.trim_end_matches('\n').to_owned()
    }

    /// Reads standard error up to a line that has this text, and returns that line. Panics if there is none.
    pub(crate) fn wait_for_stderr(&mut self, text: &str) -> String {
        let mut seen = String::new();
        loop {
            let start = seen.len();
            assert!(self.stderr.read_line(&mut seen).unwrap() > 0, "no line with `{text}` in: {seen}");
            if seen[start..].contains(text) {
                return seen[start..].to_owned();
            }
        }
    }

    /// Waits for the end; the rest of standard output, of standard error, and how it ended.
    pub(crate) fn end(mut self) -> (Vec<u8>, String, ExitStatus) {
        self.stdin = None;
        let (mut out, mut err) = (Vec::new(), String::new());
        if let Some(stdout) = &mut self.stdout {
            stdout.read_to_end(&mut out).unwrap();
        }
        self.stderr.read_to_string(&mut err).unwrap();
        (out, err, self.child.wait().unwrap())
    }

    /// Waits for an end without failure; the rest of standard output.
    pub(crate) fn output(self) -> String {
        let (out, err, status) = self.end();
        assert_eq!((err.as_str(), status.code()), ("", Some(0)));
        String::from_utf8(out).unwrap()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already in most tests.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A broker on a free port of its own.
pub(crate) struct Broker {
    pub(crate) process: Process,
    /// `http://127.0.0.1:PORT` or the like: the first address.
    pub(crate) url: String,
}

impl Broker {
    /// Starts one without an admin listener on a free port of 127.0.0.1.
    pub(crate) fn start(args: &[&str]) -> Self {
        let args = ["broker", "--listen", "http://127.0.0.1:0", "--admin", "none"].iter().chain(args);
        Self::spawn(&mut petasus(args))
    }

    pub(crate) fn spawn(command: &mut Command) -> Self {
        let mut process = Process::spawn(command);
        let line = process.line();
        let url = line.strip_prefix("petasus: listening on ").unwrap_or_else(|| panic!("{line}")).to_owned();
        Self { process, url }
    }

    /// A client command against this broker, not yet started.
    pub(crate) fn command<S: AsRef<OsStr>>(&self, args: impl IntoIterator<Item = S>) -> Command {
        let mut command = petasus(args);
        command.env("PETASUS_URL", self.url.replacen("http", "ws", 1));
        command
    }

    /// Runs a client command to its end.
    pub(crate) fn run(&self, args: &[&str]) -> (String, String, Option<i32>) {
        outcome(&self.command(args).output().unwrap())
    }

    /// Runs a client command that has to end well without saying anything.
    pub(crate) fn quietly(&self, args: &[&str]) {
        assert_eq!(self.run(args), (String::new(), String::new(), Some(0)), "{args:?}");
    }

    /// Runs a client command with this standard input; it has to end well without saying anything.
    pub(crate) fn feed(&self, args: &[&str], input: &[u8]) {
        let mut client = Process::spawn(&mut self.command(args));
        client.write(input);
        assert_eq!(client.output(), "", "{args:?}");
    }

    /// Starts a client command and returns once it is connected.
    pub(crate) fn connect(&self, args: &[&str]) -> Process {
        let mut client = Process::spawn(self.command(args).arg("--verbose"));
        client.wait_for_stderr("petasus: connected to ");
        client
    }
}

/// Writes a file and returns its path as text.
pub(crate) fn file(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).unwrap();
    path.into_os_string().into_string().unwrap()
}
