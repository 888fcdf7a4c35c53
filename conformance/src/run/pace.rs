//! How fast the target is: deadlines follow from it.

use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::time::{Instant, timeout};

use crate::caps::Caps;
use crate::driver::{Driver, Inbox, OpenError, Opened, Opening, Seen, Target};
use crate::exec::Timing;
use crate::history::Conn;
use crate::model::{Door, Role, Topic};
use crate::namespace::{Namespace, Namespaces};
use crate::params::Patterns;
use crate::plan::Spelling;

/// How long the first answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

const CONNECTS: usize = 12;
const PINGS: usize = 60;

/// What was measured.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pace {
    /// What the target says that it has, in dialects where it does.
    pub told: Caps,
    /// Half of the connections opened within.
    pub connect_p50: Duration,
    /// Nearly all.
    pub connect_p99: Duration,
    /// Half of the barriers came back within.
    pub ping_p50: Duration,
    /// Nearly all.
    pub ping_p99: Duration,
}

/// The target does not answer as its dialect says.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PaceError {
    /// It does not open.
    #[error("the target does not take a connection: {0}; check the address and that the broker runs")]
    Open(OpenError),
    /// It is silent.
    #[error("the target took a connection and did not answer within {} s: is it stopped?", PATIENCE.as_secs())]
    Silent,
    /// It ended the connection.
    #[error("the target ended a connection that had done nothing")]
    Ended,
    /// Nothing can be said of it.
    #[error("{0}")]
    Lost(String),
}

impl Pace {
    /// Measures, by one of the patterns: some connections, and some barriers on one of them.
    ///
    /// # Errors
    /// The target does not open, does not answer, or ends the connection.
    pub async fn measure(
        driver: &dyn Driver,
        target: &Target,
        patterns: Patterns,
    ) -> Result<Self, PaceError> {
        let (_, role) = patterns.pair(0);
        let told = timeout(PATIENCE, driver.discover(target)).await.map_err(|_| PaceError::Silent)?;
        let told = told.map_err(PaceError::Open)?.unwrap_or_default();
        let namespace = Namespaces::new().fresh();
        let mut connects = Vec::new();
        let mut last = None;
        for _ in 0..CONNECTS {
            let began = Instant::now();
            last = Some(open(driver, target, &namespace, role).await?);
            connects.push(began.elapsed());
        }
        let Some((mut opened, mut inbox)) = last else { return Err(PaceError::Silent) };
        let mut pings = Vec::new();
        for number in 0..PINGS as u64 {
            let began = Instant::now();
            if timeout(PATIENCE, opened.port.mark(number)).await.is_err() {
                return Err(PaceError::Silent);
            }
            passed(&mut inbox, number).await?;
            pings.push(began.elapsed());
        }
        connects.sort();
        pings.sort();
        let at =
            |sorted: &[Duration], share: usize| sorted[(sorted.len() * share / 100).min(sorted.len() - 1)];
        Ok(Self {
            told,
            connect_p50: at(&connects, 50),
            connect_p99: at(&connects, 99),
            ping_p50: at(&pings, 50),
            ping_p99: at(&pings, 99),
        })
    }

    /// The deadline of what must come, between 1 and 5 seconds, and that of shrinking; both times `scale`. A second costs
    /// nothing where everything comes, and a busy machine is silent for longer than its pace lets one think.
    pub fn timing(&self, scale: f64, quiet: Duration) -> (Timing, Duration) {
        let slowest = self.ping_p99.max(self.connect_p99);
        let deadline = (slowest * 40).clamp(Duration::from_secs(1), Duration::from_secs(5));
        let hurried = (slowest * 8).max(Duration::from_millis(60)).min(deadline);
        (Timing { deadline: deadline.mul_f64(scale), quiet }, hurried.mul_f64(scale))
    }
}

async fn open(
    driver: &dyn Driver,
    target: &Target,
    namespace: &Namespace,
    role: Role,
) -> Result<(Opened, UnboundedReceiver<(Conn, Seen)>), PaceError> {
    let (to, from) = unbounded_channel();
    let door = Door::new(role, Topic::new("pace"));
    let opening = Opening { door: &door, namespace, spelling: Spelling::Usual, suffix: "" };
    let opened = timeout(PATIENCE, driver.open(target, &opening, Inbox::new(Conn(0), to))).await;
    match opened.map_err(|_| PaceError::Silent)? {
        Ok(opened) => Ok((opened, from)),
        Err(OpenError::Lost(why)) => Err(PaceError::Lost(why)),
        Err(error) => Err(PaceError::Open(error)),
    }
}

async fn passed(inbox: &mut UnboundedReceiver<(Conn, Seen)>, number: u64) -> Result<(), PaceError> {
    loop {
        match timeout(PATIENCE, inbox.recv()).await {
            Ok(Some((_, Seen::Passed(mark, _)))) if mark >= number => return Ok(()),
            Ok(Some((_, Seen::Closed(_) | Seen::Broken(_))) | None) => return Err(PaceError::Ended),
            Ok(Some((_, Seen::Lost(why)))) => return Err(PaceError::Lost(why)),
            Ok(Some(_)) => {}
            Err(_) => return Err(PaceError::Silent),
        }
    }
}
