//! The mode `idle`: what a connection costs that does nothing.

use std::time::Duration;

use serde::Serialize;

use crate::arguments::Reach;
use crate::client::Audience;
use crate::error::LoadError;
use crate::lineup;
use crate::report::Line;
use crate::server::Memory;
use crate::wamp::Part;

/// How long the server may take to see all its clients go.
const PATIENCE: Duration = Duration::from_secs(10);

/// The figures of an idle run.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Idle {
    pub(crate) connections: usize,
    pub(crate) before: Memory,
    /// With all connections open.
    pub(crate) during: Memory,
    /// With all of them closed again.
    pub(crate) after: Memory,
    /// Growth of the resident memory by connection, in bytes.
    pub(crate) bytes_per_connection: f64,
    /// Processor time of the server to accept one and shake hands, in microseconds.
    pub(crate) server_us_per_handshake: f64,
    /// Processor time of the server while all were idle, in microseconds per second.
    pub(crate) server_us_per_second: f64,
    /// Connections that did not survive the idle time.
    pub(crate) closed: u64,
}

/// Opens `connections` on `url`, leaves them alone for `idle`, and closes them.
pub(crate) fn run(
    url: &str,
    connections: usize,
    topics: usize,
    idle: Duration,
    reach: &Reach,
) -> Result<Idle, LoadError> {
    lineup::allow_descriptors(connections)?;
    let targets = lineup::seated(lineup::targets(url, connections, topics)?, reach, Part::Subscriber);
    let server = lineup::find_server(&lineup::targets(url, 1, 1)?[0], reach)?;
    let mut fleet = lineup::new_fleet(reach)?;
    let mut gone = Gone(0);

    let before = server.memory()?;
    let at_start = server.processor_time()?;
    let clients = fleet.open_all(targets, None)?;
    let opened = server.processor_time()?;
    fleet.run_for(idle, &mut gone)?;
    let rested = server.processor_time()?;
    let during = server.memory()?;
    let closed = gone.0;

    for client in clients {
        fleet.close(client, 1000)?;
    }
    let closing = fleet.clock.now();
    while (gone.0 as usize) < connections && fleet.turn(Some(PATIENCE), &mut gone)? {
        if fleet.clock.now() - closing > PATIENCE.as_nanos() as u64 {
            break;
        }
    }
    // The reply to our close frame goes out before the server has let go of the connection.
    fleet.run_for(Duration::from_millis(500), &mut gone)?;
    Ok(Idle {
        connections,
        before,
        during,
        after: server.memory()?,
        bytes_per_connection: (during.resident as f64 - before.resident as f64) / connections.max(1) as f64,
        server_us_per_handshake: opened.saturating_sub(at_start).as_secs_f64() * 1e6
            / connections.max(1) as f64,
        server_us_per_second: rested.saturating_sub(opened).as_secs_f64() * 1e6 / idle.as_secs_f64(),
        closed,
    })
}

impl Idle {
    /// The lines of a table.
    pub(crate) fn lines(&self) -> Vec<Line> {
        let memory = |memory: Memory| format!("{} / {} KiB", memory.resident / 1024, memory.anonymous / 1024);
        vec![
            ("connections", vec![self.connections.to_string()]),
            ("bytes per idle connection", vec![format!("{:.0}", self.bytes_per_connection)]),
            ("resident / anonymous, before", vec![memory(self.before)]),
            ("resident / anonymous, idle", vec![memory(self.during)]),
            ("resident / anonymous, after", vec![memory(self.after)]),
            ("server us per handshake", vec![format!("{:.1}", self.server_us_per_handshake)]),
            ("server us per second, idle", vec![format!("{:.0}", self.server_us_per_second)]),
            ("closed while idle", vec![self.closed.to_string()]),
        ]
    }
}

/// Counts connections that ended.
struct Gone(u64);

impl Audience for Gone {
    fn closed(&mut self, _client: usize, _code: Option<u16>) {
        self.0 += 1;
    }
}
