//! The adapter's process: a thread writes lines to it, one reads its lines, and one keeps its last words.

use std::collections::{HashMap, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::process::{self, ChildStderr, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use tokio::sync::oneshot;

use super::wire::{Line, PROTOCOL};
use crate::driver::{Inbox, OpenError, Seen};
use crate::history::Proof;

/// The longest line of an adapter, in bytes: a message of some megabytes as base64.
const LONGEST: u64 = 1 << 26;

/// How long an adapter may take to end by itself when it is asked to.
const FAREWELL: Duration = Duration::from_secs(2);

/// How many lines of its standard error are told.
const LAST_WORDS: usize = 5;

/// What an adapter says of itself.
#[derive(Clone, Debug, Default)]
pub(super) struct Hello {
    pub(super) profiles: Vec<String>,
    pub(super) caps: Vec<String>,
}

/// A running adapter, or what is left of it. Dropping it ends it.
pub(super) struct Child {
    state: Arc<State>,
    /// Lines to write; none: it is asked to end.
    ops: Option<Sender<String>>,
    /// Ends when the adapter's output has ended.
    ended: Mutex<Receiver<()>>,
}

/// What the threads share. Nothing waits while it holds one of the locks, but for the end of a killed process.
struct State {
    process: Mutex<process::Child>,
    table: Mutex<Table>,
    last_words: Mutex<VecDeque<String>>,
}

#[derive(Default)]
struct Table {
    connections: HashMap<u64, Connection>,
    /// Why the adapter is of no use any more.
    problem: Option<String>,
}

struct Connection {
    inbox: Inbox,
    /// Who waits for it to open.
    opening: Option<oneshot::Sender<Result<Proof, OpenError>>>,
}

impl Child {
    /// Starts it and waits for its hello.
    pub(super) fn start(command: &mut Command, patience: Duration) -> Result<(Self, Hello), String> {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let program = command.get_program().display().to_string();
        let mut process = command.spawn().map_err(|error| format!("{program} does not start: {error}"))?;
        let (input, output, words) = (process.stdin.take(), process.stdout.take(), process.stderr.take());
        let (Some(mut input), Some(output), Some(words)) = (input, output, words) else {
            return Err(format!("{program} has no pipes"));
        };
        let state = Arc::new(State {
            process: Mutex::new(process),
            table: Mutex::default(),
            last_words: Mutex::default(),
        });
        let (ops, lines) = mpsc::channel::<String>();
        thread::spawn(move || {
            // An adapter that ended is noticed by the thread that reads.
            lines.iter().try_for_each(|line| input.write_all(line.as_bytes()).and_then(|()| input.flush()))
        });
        let (said_all, all_said) = mpsc::channel();
        let (said_hello, hello) = mpsc::channel();
        let (at_end, ended) = mpsc::channel();
        thread::spawn({
            let state = Arc::clone(&state);
            move || {
                state.listen_to_words(words);
                drop(said_all);
            }
        });
        thread::spawn({
            let state = Arc::clone(&state);
            move || {
                state.read(output, &said_hello, &all_said);
                drop(at_end);
            }
        });
        let child = Self { state, ops: Some(ops), ended: Mutex::new(ended) };
        match hello.recv_timeout(patience) {
            Ok(hello) => Ok((child, hello)),
            Err(RecvTimeoutError::Timeout) => {
                Err(format!("the adapter did not say hello within {} s", patience.as_secs_f64()))
            }
            Err(RecvTimeoutError::Disconnected) => {
                Err(child.problem().unwrap_or_else(|| "the adapter ended".to_owned()))
            }
        }
    }

    /// Writes a line. An adapter that ended takes none, which its reader tells.
    pub(super) fn write(&self, line: String) {
        if let Some(ops) = &self.ops {
            let _ = ops.send(line);
        }
    }

    /// Expects a connection. The answer comes to the receiver.
    pub(super) fn expect(
        &self,
        conn: u64,
        inbox: Inbox,
    ) -> Result<oneshot::Receiver<Result<Proof, OpenError>>, OpenError> {
        let mut table = lock(&self.state.table);
        if let Some(problem) = &table.problem {
            return Err(OpenError::Lost(problem.clone()));
        }
        let (tell, told) = oneshot::channel();
        table.connections.insert(conn, Connection { inbox, opening: Some(tell) });
        Ok(told)
    }

    /// Expects nothing of a connection any more; false if it was over.
    pub(super) fn forget(&self, conn: u64) -> bool {
        lock(&self.state.table).connections.remove(&conn).is_some()
    }

    pub(super) fn problem(&self) -> Option<String> {
        lock(&self.state.table).problem.clone()
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        // Its input ends, so that it ends by itself and what it holds is closed.
        self.ops = None;
        let _ = lock(&self.ended).recv_timeout(FAREWELL);
        let mut process = lock(&self.state.process);
        let _ = process.kill();
        let _ = process.wait();
    }
}

impl State {
    /// Reads lines until there are no more, or one that is none; then nothing comes any more.
    fn read(&self, output: ChildStdout, hello: &Sender<Hello>, all_said: &Receiver<()>) {
        let mut output = BufReader::new(output);
        let mut line = Vec::new();
        let problem = loop {
            line.clear();
            match (&mut output).take(LONGEST).read_until(b'\n', &mut line) {
                Ok(0) | Err(_) => break None,
                Ok(_) => {}
            }
            if let Err(why) = self.line(&line, hello) {
                let begin: String = String::from_utf8_lossy(&line).trim().chars().take(80).collect();
                break Some(format!("the adapter wrote `{begin}`: {why}"));
            }
        };
        let ended = {
            let mut process = lock(&self.process);
            let _ = process.kill();
            process.wait().map_or_else(|error| error.to_string(), |status| status.to_string())
        };
        // A process of its own may hold its standard error open.
        let _ = all_said.recv_timeout(Duration::from_millis(500));
        let mut problem = problem.unwrap_or_else(|| format!("the adapter ended ({ended})"));
        let words = lock(&self.last_words);
        if !words.is_empty() {
            problem = format!("{problem}; its last words: {}", Vec::from(words.clone()).join(" | "));
        }
        self.give_up(problem);
    }

    fn listen_to_words(&self, words: ChildStderr) {
        for line in BufReader::new(words.take(LONGEST)).split(b'\n').map_while(Result::ok) {
            let mut last = lock(&self.last_words);
            last.push_back(String::from_utf8_lossy(&line).chars().take(200).collect());
            if last.len() > LAST_WORDS {
                last.pop_front();
            }
        }
    }

    fn line(&self, line: &[u8], hello: &Sender<Hello>) -> Result<(), String> {
        let line: Line = serde_json::from_slice(line).map_err(|error| error.to_string())?;
        match line {
            Line::Hello { protocol: PROTOCOL, profiles, caps } => {
                let _ = hello.send(Hello { profiles, caps });
            }
            Line::Hello { .. } => return Err(format!("this harness speaks protocol {PROTOCOL}")),
            Line::Opened { conn, proof } => self.answer(conn, Ok(proof)),
            Line::Refused { conn, status: Some(status), .. } => {
                self.answer(conn, Err(OpenError::Rejected { status }));
            }
            Line::Refused { conn, status: None, why } => self.answer(conn, Err(OpenError::Protocol(why))),
            Line::Unreachable { conn, why } => self.answer(conn, Err(OpenError::Unreachable(why))),
            Line::Cannot { conn, why } => self.answer(conn, Err(OpenError::Unrepresentable(why))),
            Line::Message { conn, body } => {
                let (kind, bytes) =
                    body.parse().ok_or("a message has either `text` or `base64`, in its form")?;
                self.tell(conn, Seen::Message(kind, bytes));
            }
            Line::Passed { conn, mark, proof } => self.tell(conn, Seen::Passed(mark, proof)),
            Line::Closed { conn, code } => self.end(conn, Seen::Closed(code)),
            Line::Broken { conn, why } => self.end(conn, Seen::Broken(why)),
        }
        Ok(())
    }

    /// A connection that is not there any more was abandoned while the line was under way.
    fn answer(&self, conn: u64, answer: Result<Proof, OpenError>) {
        let mut table = lock(&self.table);
        let is_open = answer.is_ok();
        let opening = table.connections.get_mut(&conn).and_then(|connection| connection.opening.take());
        if !is_open {
            table.connections.remove(&conn);
        }
        if let Some(opening) = opening {
            let _ = opening.send(answer);
        }
    }

    fn tell(&self, conn: u64, seen: Seen) {
        if let Some(connection) = lock(&self.table).connections.get(&conn) {
            connection.inbox.put(seen);
        }
    }

    fn end(&self, conn: u64, seen: Seen) {
        if let Some(connection) = lock(&self.table).connections.remove(&conn) {
            connection.inbox.put(seen);
        }
    }

    fn give_up(&self, problem: String) {
        let mut table = lock(&self.table);
        for (_, connection) in table.connections.drain() {
            match connection.opening {
                Some(opening) => drop(opening.send(Err(OpenError::Lost(problem.clone())))),
                None => connection.inbox.put(Seen::Lost(problem.clone())),
            }
        }
        table.problem = Some(problem);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
