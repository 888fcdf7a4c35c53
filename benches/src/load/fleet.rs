//! All clients of a run on one thread and one epoll set.
//!
//! Level-triggered, one read per readiness: a socket is read as soon as epoll names it, in the order in which epoll
//! names them, never held back to let more arrive. *Deliveries per read* is therefore the server's doing.

use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};
use rustls::ClientConfig;

use crate::client::{Audience, Client, Fate};
use crate::clock::{Clock, nanoseconds};
use crate::error::LoadError;
use crate::target::Target;
use crate::transport::{Dialing, Transport};
use crate::wire::Opcode;

/// Bytes that one read takes at most.
const READ_BUFFER: usize = 256 * 1024;
/// Connections that handshake at the same time: below any listener's backlog.
const HANDSHAKES: usize = 64;
/// How long the server may take for a handshake.
const PATIENCE: Duration = Duration::from_secs(30);

/// The clients, their epoll set and what they share.
pub(crate) struct Fleet {
    pub(crate) clock: Clock,
    epoll: OwnedFd,
    dialing: Dialing,
    /// By number; `None` once closed.
    clients: Vec<Option<Client>>,
    buffer: Box<[u8]>,
    events: Vec<Event>,
}

impl Fleet {
    /// A fleet without clients.
    pub(crate) fn new(sources: Vec<IpAddr>, tls: Option<Arc<ClientConfig>>) -> Result<Self, LoadError> {
        Ok(Self {
            clock: Clock::new(),
            epoll: epoll::create(CreateFlags::CLOEXEC)?,
            dialing: Dialing { sources, tls },
            clients: Vec::new(),
            buffer: vec![0; READ_BUFFER].into_boxed_slice(),
            events: Vec::with_capacity(1024),
        })
    }

    /// Connects a client and sends its handshake; its number. `receive_buffer`: as [`Transport::connect`].
    pub(crate) fn open(
        &mut self,
        target: &Target,
        receive_buffer: Option<usize>,
    ) -> Result<usize, LoadError> {
        let number = self.clients.len();
        let transport = Transport::connect(target, &self.dialing, number, receive_buffer)?;
        let client = Client::new(transport, target, number);
        let interest = EventFlags::IN;
        epoll::add(&self.epoll, &client.transport, EventData::new_u64(number as u64), interest)?;
        self.clients.push(Some(client));
        self.flush(number)?;
        Ok(number)
    }

    /// Opens a client for each target and waits for all handshakes; their numbers.
    pub(crate) fn open_all(
        &mut self,
        targets: impl IntoIterator<Item = Target>,
        receive_buffer: Option<usize>,
    ) -> Result<Vec<usize>, LoadError> {
        let mut numbers = Vec::new();
        let mut opened = Opened::default();
        for target in targets {
            numbers.push(self.open(&target, receive_buffer)?);
            self.wait_for(&mut opened, (numbers.len() + 1).saturating_sub(HANDSHAKES))?;
        }
        self.wait_for(&mut opened, numbers.len())?;
        Ok(numbers)
    }

    fn wait_for(&mut self, opened: &mut Opened, wanted: usize) -> Result<(), LoadError> {
        while opened.opened < wanted {
            if !self.turn(Some(PATIENCE), opened)? {
                return Err(LoadError::Late { what: "answer a handshake", seconds: PATIENCE.as_secs() });
            }
            if opened.closed > 0 {
                return Err(LoadError::Wire("no answer to a handshake but the end of the connection"));
            }
        }
        Ok(())
    }

    /// Waits until a socket is ready or `timeout` has passed, and reads every ready socket once. Whether any was.
    pub(crate) fn turn(
        &mut self,
        timeout: Option<Duration>,
        audience: &mut impl Audience,
    ) -> Result<bool, LoadError> {
        let timeout = timeout.map(|wait| Timespec {
            tv_sec: wait.as_secs().try_into().unwrap_or(i64::MAX),
            tv_nsec: wait.subsec_nanos().into(),
        });
        self.events.clear();
        match epoll::wait(&self.epoll, rustix::buffer::spare_capacity(&mut self.events), timeout.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(errno) => return Err(errno.into()),
        }
        let mut events = std::mem::take(&mut self.events);
        for event in &events {
            self.serve(event.data.u64() as usize, event.flags, audience)?;
        }
        let any = !events.is_empty();
        events.clear();
        self.events = events;
        Ok(any)
    }

    /// Reads whatever arrives for `time`.
    pub(crate) fn run_for(&mut self, time: Duration, audience: &mut impl Audience) -> Result<(), LoadError> {
        let end = self.clock.now() + nanoseconds(time);
        loop {
            let left = end.saturating_sub(self.clock.now());
            if left == 0 {
                return Ok(());
            }
            self.turn(Some(Duration::from_nanos(left)), audience)?;
        }
    }

    /// Queues a text or binary message of `client`; [`Self::flush`] writes it.
    pub(crate) fn queue(&mut self, client: usize, opcode: Opcode, payload: &[u8]) {
        if let Some(client) = &mut self.clients[client] {
            client.queue(opcode, payload);
        }
    }

    /// Writes what `client` has queued; what the socket refuses is written when it is ready again.
    pub(crate) fn flush(&mut self, number: usize) -> Result<(), LoadError> {
        let Some(client) = &mut self.clients[number] else { return Ok(()) };
        // A failed write is told by the read that follows: epoll reports the socket's error.
        let _ = client.flush();
        let blocked = client.is_blocked();
        if blocked == client.watched_for_writing {
            return Ok(());
        }
        client.watched_for_writing = blocked;
        let interest = if blocked { EventFlags::IN | EventFlags::OUT } else { EventFlags::IN };
        self.watch(number, interest)
    }

    /// Stops reading `client`: its messages pile up at the server.
    pub(crate) fn stop_reading(&mut self, client: usize) -> Result<(), LoadError> {
        self.watch(client, EventFlags::empty())
    }

    /// Reads `client` again.
    pub(crate) fn resume_reading(&mut self, client: usize) -> Result<(), LoadError> {
        self.watch(client, EventFlags::IN)
    }

    /// Sends a close frame; the server's answer and end of file come in a later turn.
    pub(crate) fn close(&mut self, number: usize, code: u16) -> Result<(), LoadError> {
        if let Some(client) = &mut self.clients[number] {
            client.close(code);
        }
        self.flush(number)
    }

    fn watch(&self, number: usize, interest: EventFlags) -> Result<(), LoadError> {
        if let Some(client) = &self.clients[number] {
            epoll::modify(&self.epoll, &client.transport, EventData::new_u64(number as u64), interest)?;
        }
        Ok(())
    }

    fn serve(
        &mut self,
        number: usize,
        ready: EventFlags,
        audience: &mut impl Audience,
    ) -> Result<(), LoadError> {
        let Some(client) = &mut self.clients[number] else { return Ok(()) };
        let mut fate = Fate::Alive;
        if ready.intersects(EventFlags::IN | EventFlags::HUP | EventFlags::ERR) {
            let clock = self.clock;
            fate = client.read(&mut self.buffer, || clock.now(), number, audience)?;
        }
        if fate == Fate::Gone {
            let code = client.close_code;
            // Closing the descriptor takes it out of the epoll set.
            self.clients[number] = None;
            audience.closed(number, code);
        } else if client.has_queued() || client.watched_for_writing {
            self.flush(number)?;
        }
        Ok(())
    }
}

/// Counts handshakes.
#[derive(Default)]
struct Opened {
    opened: usize,
    closed: usize,
}

impl Audience for Opened {
    fn opened(&mut self, _client: usize) {
        self.opened += 1;
    }

    fn closed(&mut self, _client: usize, _code: Option<u16>) {
        self.closed += 1;
    }
}
