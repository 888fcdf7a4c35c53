//! The one object of the binding.

use parking_lot::Mutex;
use petasus_protocol::session::{
    self, Answer, CancelMode, Destination, InvocationId, Register, RegistrationId, RequestId, Session,
    SubscriptionId, Until,
};
use petasus_protocol::wamp::Serializer;
use pyo3::prelude::*;
use pyo3::sync::MutexExt;
use pyo3::types::{PyBytes, PyDict, PyList, PyString};

use crate::content::to_content;
use crate::error::raised;
use crate::event::to_list;
use crate::link::Links;
use crate::operations::{to_failure, to_filter, to_invoke, to_match, to_mode, to_topic};
use crate::settings::{Settings, to_millis};
use crate::value::to_dict;

/// When so many bytes come at once, they are parsed without the interpreter's lock.
const LARGE: usize = 16 << 10;

/// A conversation with a broker, with all its sockets, as bytes and events.
///
/// `now` is in seconds of any clock that never goes back. After anything but `next_timeout`, call `poll` until it
/// gives nothing.
#[pyclass(frozen, module = "petasus._petasus")]
pub(crate) struct Core {
    /// Who waits for it waits without the interpreter's lock: the holder may be parsing without it.
    links: Mutex<Links>,
    /// What values are written in.
    serializer: Serializer,
}

impl Core {
    /// Asks the session for something.
    fn ask<R>(
        &self,
        py: Python<'_>,
        now: f64,
        act: impl FnOnce(&mut Session, u64) -> Result<R, session::Error>,
    ) -> PyResult<R> {
        let now = to_millis(now);
        let result = self.links.lock_py_attached(py).with(|session| act(session, now), now);
        result.map_err(|error| raised(py, &error))
    }

    /// Tells the session something.
    fn tell(&self, py: Python<'_>, now: f64, act: impl FnOnce(&mut Session, u64)) {
        let now = to_millis(now);
        self.links.lock_py_attached(py).with(|session| act(session, now), now);
    }
}

#[pymethods]
impl Core {
    #[new]
    fn new(url: &str, seed: u64, options: &Bound<'_, PyDict>) -> PyResult<Core> {
        let Settings { config, origin, receive_bytes } = Settings::read(url, options)?;
        let serializer = config.serializers.first().copied().unwrap_or(Serializer::Json);
        let links = Links::new(Session::new(config, seed), receive_bytes, origin);
        Ok(Core { links: Mutex::new(links), serializer })
    }

    // The sockets.

    fn opened(&self, socket: u64, headers: &Bound<'_, PyList>, now: f64) -> PyResult<()> {
        let py = headers.py();
        let headers: Vec<(String, String)> = headers.extract()?;
        self.links.lock_py_attached(py).opened(socket, &headers, to_millis(now));
        Ok(())
    }

    fn receive_data(&self, py: Python<'_>, socket: u64, data: &Bound<'_, PyBytes>, now: f64) {
        let (bytes, now) = (data.as_bytes(), to_millis(now));
        if bytes.len() < LARGE {
            self.links.lock_py_attached(py).receive(socket, bytes, now);
        } else {
            py.detach(|| self.links.lock().receive(socket, bytes, now));
        }
    }

    fn eof(&self, py: Python<'_>, socket: u64, now: f64) {
        self.links.lock_py_attached(py).eof(socket, to_millis(now));
    }

    fn lost(&self, py: Python<'_>, socket: u64, text: String, kind: &str, now: f64) {
        self.links.lock_py_attached(py).lost(socket, to_failure(kind, text), to_millis(now));
    }

    fn paused(&self, py: Python<'_>, socket: u64, paused: bool, now: f64) {
        self.links.lock_py_attached(py).pause(socket, paused, to_millis(now));
    }

    fn stalled(&self, py: Python<'_>, stalled: bool) {
        self.links.lock_py_attached(py).stall(stalled);
    }

    fn data_to_send<'py>(&self, py: Python<'py>, socket: u64, now: f64) -> Bound<'py, PyBytes> {
        self.links.lock_py_attached(py).transmit(socket, to_millis(now), |bytes| PyBytes::new(py, bytes))
    }

    fn poll<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyList>> {
        let (dirty, notes) = self.links.lock_py_attached(py).take();
        to_list(py, &dirty, notes)
    }

    fn next_timeout(&self, py: Python<'_>) -> Option<f64> {
        self.links.lock_py_attached(py).session.poll_timeout().map(|millis| millis as f64 / 1000.0)
    }

    fn timeout(&self, py: Python<'_>, now: f64) {
        self.tell(py, now, Session::handle_timeout);
    }

    // The session.

    fn connect(&self, py: Python<'_>, now: f64) {
        self.tell(py, now, Session::connect);
    }

    fn check(&self, py: Python<'_>, now: f64) {
        self.tell(py, now, Session::check);
    }

    fn authenticate(&self, signature: String, extra: &Bound<'_, PyDict>, now: f64) -> PyResult<()> {
        let (py, extra) = (extra.py(), to_dict(extra)?);
        self.tell(py, now, |session, now| session.authenticate(signature, extra.into(), now));
        Ok(())
    }

    fn refuse_challenge(&self, py: Python<'_>, reason: String, now: f64) {
        self.tell(py, now, |session, now| session.refuse_challenge(reason, now));
    }

    fn drain(&self, py: Python<'_>, timeout: f64, now: f64) {
        self.tell(py, now, |session, now| session.drain(to_millis(timeout), now));
    }

    fn close(&self, py: Python<'_>, now: f64) {
        self.tell(py, now, Session::close);
    }

    fn waiting(&self, py: Python<'_>) -> usize {
        self.links.lock_py_attached(py).session.waiting()
    }

    // Publications.

    fn subscribe(&self, kind: &str, name: &Bound<'_, PyString>, echo: bool, now: f64) -> PyResult<u64> {
        let filter = to_filter(kind, name, echo)?;
        self.ask(name.py(), now, |session, now| session.subscribe(filter, now)).map(SubscriptionId::as_u64)
    }

    fn unsubscribe(&self, py: Python<'_>, subscription: u64, now: f64) {
        self.tell(py, now, |session, now| session.unsubscribe(SubscriptionId::of(subscription), now));
    }

    #[pyo3(signature = (to, content, mode, to_self, timeout, now))]
    fn publish(
        &self,
        to: &Bound<'_, PyAny>,
        content: &Bound<'_, PyAny>,
        mode: &str,
        to_self: bool,
        timeout: Option<f64>,
        now: f64,
    ) -> PyResult<Option<u64>> {
        let py = to.py();
        let to = match to.cast::<PyString>() {
            Ok(topic) => Destination::Topic(to_topic(topic)?),
            Err(_) => Destination::Bus(SubscriptionId::of(to.extract()?)),
        };
        let content = to_content(content, self.serializer)?;
        let publish = session::Publish { to, content, delivery: to_mode(py, mode, timeout)?, to_self };
        let request = self.ask(py, now, |session, now| session.publish(publish, now))?;
        Ok(request.map(RequestId::as_u64))
    }

    // Queues.

    #[pyo3(signature = (queue, content, done, timeout, now))]
    fn push(
        &self,
        queue: &Bound<'_, PyString>,
        content: &Bound<'_, PyAny>,
        done: bool,
        timeout: Option<f64>,
        now: f64,
    ) -> PyResult<u64> {
        let (topic, content) = (to_topic(queue)?, to_content(content, self.serializer)?);
        let until = if done { Until::Done } else { Until::Handed };
        let push = session::Push { topic, content, until, timeout: timeout.map(to_millis) };
        self.ask(queue.py(), now, |session, now| session.push(push, now)).map(RequestId::as_u64)
    }

    fn pull(&self, queue: &Bound<'_, PyString>, concurrency: u32, now: f64) -> PyResult<u64> {
        let register = Register::Queue { topic: to_topic(queue)?, concurrency };
        self.ask(queue.py(), now, |session, now| session.register(register, now)).map(RegistrationId::as_u64)
    }

    // Calls.

    /// `flags`: whether the result may come in parts, more arguments follow, the callee may learn who calls.
    #[pyo3(signature = (procedure, content, timeout, flags, now))]
    fn call(
        &self,
        procedure: String,
        content: &Bound<'_, PyAny>,
        timeout: Option<f64>,
        flags: (bool, bool, bool),
        now: f64,
    ) -> PyResult<u64> {
        let (progress, more, disclose) = flags;
        let (timeout, py) = (timeout.map(to_millis), content.py());
        let content = to_content(content, self.serializer)?;
        let call = session::Call { procedure, content, timeout, progress, more, disclose };
        self.ask(py, now, |session, now| session.call(call, now)).map(RequestId::as_u64)
    }

    fn call_more(&self, request: u64, content: &Bound<'_, PyAny>, more: bool, now: f64) -> PyResult<()> {
        let py = content.py();
        let content = to_content(content, self.serializer)?;
        self.ask(py, now, |session, now| session.call_more(RequestId::of(request), content, more, now))
    }

    fn cancel(&self, py: Python<'_>, request: u64, now: f64) {
        self.tell(py, now, |session, now| session.cancel(RequestId::of(request), CancelMode::Kill, now));
    }

    #[pyo3(signature = (uri, matching, invoke, concurrency, now))]
    fn register(
        &self,
        py: Python<'_>,
        uri: String,
        matching: &str,
        invoke: &str,
        concurrency: Option<u32>,
        now: f64,
    ) -> PyResult<u64> {
        let (matching, invoke) = (to_match(py, matching)?, to_invoke(py, invoke)?);
        let register = Register::Procedure { uri, matching, invoke, concurrency };
        self.ask(py, now, |session, now| session.register(register, now)).map(RegistrationId::as_u64)
    }

    fn unregister(&self, py: Python<'_>, registration: u64, now: f64) {
        self.tell(py, now, |session, now| session.unregister(RegistrationId::of(registration), now));
    }

    /// `kind` is `progress`, `result` or `error`; `uri` is that of the error.
    fn answer(
        &self,
        invocation: u64,
        kind: &str,
        content: &Bound<'_, PyAny>,
        uri: &str,
        now: f64,
    ) -> PyResult<()> {
        let py = content.py();
        let content = to_content(content, self.serializer)?;
        let answer = match kind {
            "progress" => Answer::Progress(content),
            "result" => Answer::Result(content),
            _ => Answer::Failed { uri: uri.to_owned(), content },
        };
        self.ask(py, now, |session, now| session.answer(InvocationId::of(invocation), answer, now))
    }
}
