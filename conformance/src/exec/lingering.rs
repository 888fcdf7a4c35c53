//! The lingering audit: connections of finished cases stay open, and what arrives on them later is told.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc::UnboundedReceiver;
use tokio::time::Instant;

use super::micros;
use super::talk::note;
use crate::driver::{Port, Seen};
use crate::fault::Link;
use crate::history::{Conn, Event, History};

/// A finished case whose connections are still open.
pub struct Late {
    history: History,
    begin: Instant,
    ports: Vec<Box<dyn Port>>,
    /// What carries some of them.
    _links: BTreeMap<Conn, Link>,
    from: UnboundedReceiver<(Conn, Seen)>,
}

/// Finished cases, oldest first, and how many connections they have together.
#[derive(Default)]
pub struct Graveyard<T> {
    cases: Vec<(T, Late)>,
    connections: usize,
}

/// How many connections stay open at most.
const MOST: usize = 64;

impl Late {
    pub(super) fn new(
        history: History,
        begin: Instant,
        ports: Vec<Box<dyn Port>>,
        links: BTreeMap<Conn, Link>,
        from: UnboundedReceiver<(Conn, Seen)>,
    ) -> Self {
        Self { history, begin, ports, _links: links, from }
    }

    /// The whole history if a message arrived late, and how late the last one was.
    fn audit(mut self) -> Option<(History, Duration)> {
        let settled = self.history.events.last().map_or(0, |event| event.at_us);
        let before = self.history.events.len();
        while let Ok((conn, seen)) = self.from.try_recv() {
            let is_told = matches!(
                seen,
                Seen::Message(..) | Seen::Answered(..) | Seen::Notified { .. } | Seen::Unasked(_)
            );
            if is_told {
                let what = note(seen);
                self.history.events.push(Event { at_us: micros(self.begin), conn: Some(conn), what });
            }
        }
        drop(self.ports);
        let last = self.history.events.last()?.at_us;
        (self.history.events.len() > before)
            .then(|| (self.history, Duration::from_micros(last.saturating_sub(settled))))
    }
}

impl<T> Graveyard<T> {
    /// An empty one.
    pub fn new() -> Self {
        Self { cases: Vec::new(), connections: 0 }
    }

    /// Lays a case to rest. Those that have to make room are audited.
    pub fn bury(&mut self, case: T, late: Late) -> Vec<(T, History, Duration)> {
        self.connections += late.ports.len();
        self.cases.push((case, late));
        let mut told = Vec::new();
        while self.connections > MOST && self.cases.len() > 1 {
            let (case, late) = self.cases.remove(0);
            self.connections -= late.ports.len();
            told.extend(late.audit().map(|(history, lateness)| (case, history, lateness)));
        }
        told
    }

    /// Audits all that is left, after what is under way had the chance to arrive: the tasks of the ports run while
    /// this waits.
    pub async fn audit(&mut self, last_window: Duration) -> Vec<(T, History, Duration)> {
        tokio::time::sleep(last_window).await;
        self.connections = 0;
        let audited = self.cases.drain(..).map(|(case, late)| (case, late.audit()));
        audited.filter_map(|(case, found)| found.map(|(history, late)| (case, history, late))).collect()
    }
}
