//! An adapter: a program of any language that speaks to the broker, and JSON lines to the harness.
//!
//! `EXEC.md` is its manual, `examples/adapter.py` one that works. An adapter that ends, says what is no line of the
//! protocol, or is silent leaves things open; it never makes a broker fail.

use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;

use tokio::time::timeout;

use super::{About, Driver, Fut, Inbox, OpenError, Opened, Opening, Port, PortError, Target};
use crate::caps::Caps;
use crate::model::{Kind, Role};

mod child;
mod wire;

use child::{Child, Hello};
use wire::{Body, Op};

/// How long an adapter may take to say hello.
const HELLO: Duration = Duration::from_secs(20);

/// How long the answer to `open` may take. The executor's own deadline is shorter.
const ANSWER: Duration = Duration::from_mins(1);

/// The driver: one adapter, for all connections.
pub struct Exec {
    /// What is wrong, if it did not start.
    child: Result<Arc<Child>, String>,
    hello: Hello,
    next: AtomicU64,
}

impl Exec {
    /// Starts an adapter, and waits for its first line for 20 seconds. One that does not start, or does not say hello,
    /// opens nothing: each [`Driver::open`] says why.
    pub fn start(command: &mut Command) -> Self {
        Self::start_within(command, HELLO)
    }

    /// The same with another patience.
    pub fn start_within(command: &mut Command, patience: Duration) -> Self {
        let (child, hello) = match Child::start(command, patience) {
            Ok((child, hello)) => (Ok(Arc::new(child)), hello),
            Err(problem) => (Err(problem), Hello::default()),
        };
        Self { child, hello, next: AtomicU64::new(0) }
    }

    /// Why the adapter is of no use, if it is not.
    pub fn problem(&self) -> Option<String> {
        self.child.as_ref().map_or_else(|problem| Some(problem.clone()), |child| child.problem())
    }
}

impl Driver for Exec {
    fn about(&self) -> About {
        About { name: "exec", profiles: &[] }
    }

    fn profiles(&self) -> Vec<String> {
        self.hello.profiles.clone()
    }

    fn claims(&self) -> Caps {
        Caps::of(self.hello.caps.iter().map(String::as_str))
    }

    fn open<'a>(
        &'a self,
        target: &'a Target,
        opening: &'a Opening<'a>,
        inbox: Inbox,
    ) -> Fut<'a, Result<Opened, OpenError>> {
        Box::pin(async move {
            if opening.door.role == Role::Session {
                return Err(OpenError::Unrepresentable("requests".to_owned()));
            }
            let child = self.child.as_ref().map_err(|problem| OpenError::Lost(problem.clone()))?;
            let conn = self.next.fetch_add(1, Relaxed);
            let told = child.expect(conn, inbox)?;
            // From here on the connection is abandoned if nobody waits for it any more.
            let port = Remote { conn, child: Arc::clone(child) };
            let Opening { door, namespace, spelling, suffix } = *opening;
            let open = Op::Open {
                conn,
                url: &format!("ws://{}{}", target.host, target.path),
                role: door.role,
                topic: format!("{namespace}/{}", door.topic),
                echo: door.echo,
                spelling,
                suffix,
            };
            child.write(open.line());
            let lost = |why: &str| OpenError::Lost(format!("the adapter {why}"));
            let told = timeout(ANSWER, told).await.map_err(|_| lost("did not answer `open`"))?;
            let proof = told.map_err(|_| lost("ended"))??;
            Ok(Opened { port: Box::new(port), proof })
        })
    }
}

/// A connection of the adapter's.
struct Remote {
    conn: u64,
    child: Arc<Child>,
}

impl Remote {
    fn tell(&self, op: &Op<'_>) -> Fut<'_, Result<(), PortError>> {
        self.child.write(op.line());
        let problem = self.child.problem().map_or(Ok(()), |problem| Err(PortError(problem)));
        Box::pin(async move { problem })
    }
}

impl Port for Remote {
    fn send<'a>(&'a mut self, kind: Kind, payload: &'a [u8], pieces: u8) -> Fut<'a, Result<(), PortError>> {
        self.tell(&Op::Send { conn: self.conn, body: Body::new(kind, payload), pieces })
    }

    fn mark(&mut self, mark: u64) -> Fut<'_, Result<(), PortError>> {
        self.tell(&Op::Mark { conn: self.conn, mark })
    }

    fn leave(&mut self) -> Fut<'_, Result<(), PortError>> {
        self.tell(&Op::Leave { conn: self.conn })
    }
}

impl Drop for Remote {
    fn drop(&mut self) {
        if self.child.forget(self.conn) {
            self.child.write(Op::Abandon { conn: self.conn }.line());
        }
    }
}
