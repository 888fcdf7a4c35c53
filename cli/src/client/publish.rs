//! `pub`: messages go out, nothing comes back but confirmations.

use futures_util::future::BoxFuture;
use futures_util::stream::FuturesUnordered;
use futures_util::{FutureExt, StreamExt};
use petasus::protocol::{Message, Role, Topic};
use petasus::{Client, Dialect, Error};

use super::line::{Line, Purpose, endpoint};
use super::{End, Interrupts, SendArgs, error::ClientError, input::Input, until_interrupted};

/// Messages that wait for their confirmation at one time (WAMP).
const UNCONFIRMED: usize = 256;

/// Runs the command. It returns after the broker has confirmed the end, which it does after the messages.
pub(super) async fn run(args: &SendArgs) -> Result<(), ClientError> {
    let mut interrupts = Interrupts::install()?;
    let endpoint = endpoint(Role::Pub, &args.topic)?;
    let single = args.message.is_some() || args.raw;
    let mut line = Line::open(&Purpose::endpoint(&args.wire, &endpoint, single))?;
    let client = line.client();
    let mut outgoing =
        Outgoing { client: &client, topic: &endpoint.topic, left: args.count.unwrap_or(u64::MAX), sent: 0 };
    let mut input = Input::open(args.message.as_deref(), args.raw);
    let send = async {
        match args.wire.dialect.into() {
            Dialect::Wamp => outgoing.confirmed(&mut line, &mut input).await,
            Dialect::Mercury => outgoing.queued(&mut line, &mut input).await,
        }
    };
    let end = until_interrupted(&mut interrupts, send).await?;
    if outgoing.sent == 0 && end == End::Done {
        interrupts.patiently(line.reached()).await?;
    }
    interrupts.patiently(line.drain()).await
}

/// What is to be sent where.
struct Outgoing<'a> {
    client: &'a Client,
    topic: &'a Topic,
    /// Messages that may still be sent.
    left: u64,
    sent: u64,
}

impl<'a> Outgoing<'a> {
    /// Over Mercury: by a socket, whose end says that all of it was taken.
    async fn queued(&mut self, line: &mut Line, input: &mut Input) -> Result<(), ClientError> {
        while self.left > 0 {
            let message = tokio::select! {
                biased;
                lost = line.lost() => return Err(lost),
                message = input.next() => message?,
            };
            let Some(message) = message else { break };
            self.count();
            line.watch(self.client.publish(self.topic, message).queued()).await?;
        }
        Ok(())
    }

    /// Over WAMP, where a message may be refused: each is confirmed, many at a time.
    async fn confirmed(&mut self, line: &mut Line, input: &mut Input) -> Result<(), ClientError> {
        let mut open = FuturesUnordered::new();
        let mut more = true;
        while more || !open.is_empty() {
            more &= self.left > 0;
            tokio::select! {
                Some(confirmed) = open.next(), if !open.is_empty() => {
                    let confirmed: Result<(), Error> = confirmed;
                    confirmed.map_err(|error| line.explain(error))?;
                }
                message = input.next(), if more && open.len() < UNCONFIRMED => match message? {
                    Some(message) => open.push(self.begin(message)),
                    None => more = false,
                },
                lost = line.lost() => return Err(lost),
            }
        }
        Ok(())
    }

    /// Sends a message now, before any later one.
    fn begin(&mut self, message: Message) -> BoxFuture<'a, Result<(), Error>> {
        self.count();
        let mut publish = self.client.publish(self.topic, message).into_future();
        match (&mut publish).now_or_never() {
            Some(outcome) => std::future::ready(outcome).boxed(),
            None => publish,
        }
    }

    fn count(&mut self) {
        self.left -= 1;
        self.sent += 1;
    }
}
