//! `top`: a realm at a glance, by the WAMP meta API.

mod look;
mod table;

use std::io::IsTerminal;
use std::time::Duration;

use petasus::{Client, Subscription};
use tokio::time::{Instant, MissedTickBehavior, interval};

use self::look::Look;
use super::line::{Line, Purpose};
use super::{Interrupts, TopArgs, call::print_line, error::ClientError, until_interrupted};

/// The events that are counted: come and gone, for sessions, subscriptions and registrations.
const EVENTS: [&str; 6] = [
    "wamp.session.on_join",
    "wamp.session.on_leave",
    "wamp.subscription.on_create",
    "wamp.subscription.on_delete",
    "wamp.registration.on_create",
    "wamp.registration.on_delete",
];

/// Runs the command until it is interrupted, or after one look.
pub(super) async fn run(args: &TopArgs) -> Result<(), ClientError> {
    let mut interrupts = Interrupts::install()?;
    let mut line = Line::open(&Purpose::wamp(&args.server))?;
    let outcome = until_interrupted(&mut interrupts, watch(args, &mut line)).await;
    if matches!(outcome, Ok(_) | Err(ClientError::OutputClosed)) {
        interrupts.patiently(line.close()).await;
    }
    outcome.map(|_| ())
}

async fn watch(args: &TopArgs, line: &mut Line) -> Result<(), ClientError> {
    line.reached().await?;
    let client = line.client();
    let title = format!("{}, realm {}", line.url(), args.server.realm);
    if args.once {
        let look = line.watch(Look::take(&client)).await?;
        return print_line(&table::draw(&title, &look, None));
    }
    let mut events = line.watch(Events::subscribe(&client)).await?;
    let mut ticks = interval(args.every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut since = Instant::now();
    loop {
        tokio::select! {
            _ = ticks.tick() => {}
            lost = line.lost() => return Err(lost),
        }
        let look = line.watch(Look::take(&client)).await?;
        let rates = events.rates(since.elapsed());
        since = Instant::now();
        let text = table::draw(&title, &look, Some(&rates));
        // On a terminal each table takes the place of the one before.
        let home = if std::io::stdout().is_terminal() { "\x1b[H\x1b[2J" } else { "" };
        print_line(&format!("{home}{text}"))?;
    }
}

/// How often each of [`EVENTS`] comes in a second; `None` if it is not to be had.
type Rates = [Option<f64>; EVENTS.len()];

/// What comes and goes.
struct Events(Vec<Option<Subscription>>);

impl Events {
    async fn subscribe(client: &Client) -> Result<Self, petasus::Error> {
        let mut subscriptions = Vec::new();
        for event in EVENTS {
            subscriptions.push(match client.subscribe(event).exact().await {
                Ok(subscription) => Some(subscription),
                // Who may not hear this may see the rest.
                Err(petasus::Error::Refused(_)) => None,
                Err(error) => return Err(error),
            });
        }
        Ok(Self(subscriptions))
    }

    fn rates(&mut self, since: Duration) -> Rates {
        let mut rates = [None; EVENTS.len()];
        for (rate, subscription) in rates.iter_mut().zip(&mut self.0) {
            *rate = subscription.as_mut().map(|events| count(events) as f64 / since.as_secs_f64().max(0.001));
        }
        rates
    }
}

/// How many events have come, those included that found no room.
fn count(events: &mut Subscription) -> u64 {
    use futures_util::FutureExt;

    let mut count = 0;
    while let Some(event) = events.next().now_or_never().flatten() {
        count += 1 + event.missed();
    }
    count
}
