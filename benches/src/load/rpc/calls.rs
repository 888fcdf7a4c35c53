//! A caller and a callee, each a WAMP session of this process.

use std::time::Duration;

use petasus_protocol::wamp::message::{Call, CallResult, Invocation, Register, Registered, Yield};
use petasus_protocol::wamp::{Dict, Message, Serializer};
use serde::Serialize;

use crate::client::Audience;
use crate::clock::nanoseconds;
use crate::error::LoadError;
use crate::fleet::Fleet;
use crate::latency::Latencies;
use crate::report::Quantiles;
use crate::server::{self, Server};
use crate::stamp::Stamp;
use crate::target::Target;
use crate::wamp::{self, Template};
use crate::wire::Opcode;

/// How long a router may take for an answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// For how long calls are made.
#[derive(Debug, Clone, Copy)]
pub(super) struct Span {
    /// Before anything is measured.
    pub(super) warm: Duration,
    pub(super) measured: Duration,
}

/// The figures of one span.
#[derive(Debug, Clone, Copy, Serialize)]
pub(super) struct Figures {
    pub(super) calls: u64,
    pub(super) per_second: f64,
    /// From CALL to RESULT, in microseconds.
    #[serde(flatten)]
    pub(super) trip: Quantiles,
    /// Processor time of the router for a call, in microseconds.
    pub(super) router_us_per_call: f64,
    pub(super) router_cores: f64,
    /// Processors that this generator kept busy; near 1 means that it was the limit.
    pub(super) generator_cores: f64,
}

/// Both sessions at one router.
pub(super) struct Calls {
    fleet: Fleet,
    server: Server,
    opcode: Opcode,
    calling: Template,
    answering: Template,
    payload: Vec<u8>,
    ends: Ends,
    /// The request number of the last CALL.
    sent: u64,
}

/// What has arrived at the two.
struct Ends {
    caller: usize,
    callee: usize,
    serializer: Serializer,
    size: usize,
    /// Invocations to be answered: their numbers, and their payloads one behind the other.
    invocations: Vec<u64>,
    payloads: Vec<u8>,
    /// Results so far.
    results: u64,
    trips: Latencies,
    measured_from: u64,
    registered: bool,
    /// The first thing that should not have arrived.
    fault: Option<String>,
}

impl Calls {
    /// Joins twice and registers `procedure`; payloads have `size` bytes.
    pub(super) fn open(
        mut fleet: Fleet,
        server: Server,
        targets: [Target; 2],
        serializer: Serializer,
        procedure: &str,
        size: usize,
    ) -> Result<Self, LoadError> {
        let clients = fleet.open_all(targets, None)?;
        let call = |request, payload| {
            let procedure = procedure.to_owned();
            Message::from(Call { request, options: Dict::new(), procedure, payload })
        };
        let answer = |request, payload| Message::from(Yield { request, options: Dict::new(), payload });
        let mut calls = Self {
            fleet,
            server,
            opcode: wamp::opcode(serializer),
            calling: Template::of(serializer, size, call),
            answering: Template::of(serializer, size, answer),
            payload: vec![b'.'; size],
            ends: Ends::new(clients[0], clients[1], serializer, size),
            sent: 0,
        };
        let register = Register { request: 1, options: Dict::new(), procedure: procedure.to_owned() };
        let register = Message::from(register).encode(serializer);
        calls.fleet.queue(calls.ends.callee, calls.opcode, &register);
        calls.fleet.flush(calls.ends.callee)?;
        while !calls.ends.registered {
            calls.turn(PATIENCE)?;
        }
        Ok(calls)
    }

    /// Calls with up to `window` calls under way, for `span`.
    pub(super) fn measure(&mut self, window: u64, span: Span) -> Result<Figures, LoadError> {
        let begin = self.fleet.clock.now() + nanoseconds(span.warm);
        self.keep_calling(window, begin)?;
        self.ends.trips = Latencies::new();
        self.ends.measured_from = begin;
        let before = (self.ends.results, self.server.processor_time()?, server::own_processor_time()?);
        let start = self.fleet.clock.now();
        self.keep_calling(window, start + nanoseconds(span.measured))?;
        let seconds = Duration::from_nanos(self.fleet.clock.now() - start).as_secs_f64();
        let calls = self.ends.results - before.0;
        let router = self.server.processor_time()?.saturating_sub(before.1).as_secs_f64();
        let generator = server::own_processor_time()?.saturating_sub(before.2).as_secs_f64();
        let trip = Quantiles::from(&self.ends.trips);
        while self.ends.results < self.sent {
            self.turn(PATIENCE)?;
        }
        Ok(Figures {
            calls,
            per_second: calls as f64 / seconds,
            trip,
            router_us_per_call: router * 1e6 / calls.max(1) as f64,
            router_cores: router / seconds,
            generator_cores: generator / seconds,
        })
    }

    fn keep_calling(&mut self, window: u64, end: u64) -> Result<(), LoadError> {
        while self.fleet.clock.now() < end {
            while self.sent - self.ends.results < window {
                self.call();
            }
            self.fleet.flush(self.ends.caller)?;
            self.turn(PATIENCE)?;
        }
        Ok(())
    }

    fn call(&mut self) {
        self.sent += 1;
        Stamp { publisher: 0, sequence: self.sent, due: self.fleet.clock.now() }.write(&mut self.payload);
        self.fleet.queue(self.ends.caller, self.opcode, self.calling.fill(self.sent, &self.payload));
    }

    /// Reads what has arrived, and answers invocations.
    fn turn(&mut self, patience: Duration) -> Result<(), LoadError> {
        if !self.fleet.turn(Some(patience), &mut self.ends)? {
            return Err(LoadError::Late { what: "answer a caller or callee", seconds: patience.as_secs() });
        }
        if let Some(fault) = self.ends.fault.take() {
            return Err(LoadError::Wamp(fault));
        }
        let Ends { invocations, payloads, callee, size, .. } = &mut self.ends;
        for (invocation, payload) in invocations.drain(..).zip(payloads.chunks_exact(*size)) {
            self.fleet.queue(*callee, self.opcode, self.answering.fill(invocation, payload));
        }
        payloads.clear();
        self.fleet.flush(self.ends.callee)
    }
}

impl Ends {
    fn new(caller: usize, callee: usize, serializer: Serializer, size: usize) -> Self {
        Self {
            caller,
            callee,
            serializer,
            size,
            invocations: Vec::new(),
            payloads: Vec::new(),
            results: 0,
            trips: Latencies::new(),
            measured_from: u64::MAX,
            registered: false,
            fault: None,
        }
    }

    fn fail(&mut self, message: &[u8]) {
        self.fault.get_or_insert_with(|| String::from_utf8_lossy(message).into_owned());
    }

    /// Whether a RESULT is the answer to the CALL with its number.
    fn result(&mut self, number: u64, payload: &[u8], at: u64) -> bool {
        let Some(stamp) = Stamp::read(payload).filter(|stamp| stamp.sequence == number) else { return false };
        self.results += 1;
        if stamp.due >= self.measured_from {
            self.trips.add(at.saturating_sub(stamp.due));
        }
        true
    }
}

impl Audience for Ends {
    fn message(&mut self, client: usize, message: &[u8], at: u64) {
        if !self.registered && is_registered(self.serializer, message) {
            self.registered = true;
            return;
        }
        let heard = wamp::hear(self.serializer, message).filter(|heard| heard.payload.len() == self.size);
        let expected = match &heard {
            Some(heard) if heard.kind == Invocation::CODE && client == self.callee => {
                self.invocations.push(heard.number);
                self.payloads.extend_from_slice(&heard.payload);
                true
            }
            Some(heard) if heard.kind == CallResult::CODE && client == self.caller => {
                self.result(heard.number, &heard.payload, at)
            }
            _ => false,
        };
        if !expected {
            self.fail(message);
        }
    }

    fn closed(&mut self, _client: usize, code: Option<u16>) {
        self.fault.get_or_insert_with(|| format!("the session was closed ({code:?})"));
    }
}

fn is_registered(serializer: Serializer, message: &[u8]) -> bool {
    let bytes = bytes::Bytes::copy_from_slice(message);
    let message = Message::decode(serializer, &bytes, &petasus_protocol::wamp::Limits::default());
    message.is_ok_and(|message| message.code() == Registered::CODE)
}
