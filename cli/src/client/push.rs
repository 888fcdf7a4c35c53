//! `push`: each message is answered, and the first that is not taken is the end.

use std::time::Duration;

use petasus::protocol::{Role, Topic};
use petasus::{Client, Pushed};

use super::line::{Line, Purpose, endpoint};
use super::{Interrupts, SendArgs, error::ClientError, input::Input};

/// Time for a message to arrive and to be answered: twice what a broker waits for a body.
const ANSWER: Duration = Duration::from_mins(1);

/// Runs the command. It ends with the first message that is not taken.
pub(super) async fn run(args: &SendArgs) -> Result<(), ClientError> {
    let mut interrupts = Interrupts::install()?;
    let endpoint = endpoint(Role::Push, &args.topic)?;
    let single = args.message.is_some() || args.raw;
    let line = Line::open(&Purpose::endpoint(&args.wire, &endpoint, single))?;
    let client = line.client();
    let mut queue = Queue { line, client, topic: &endpoint.topic, taken: 0, held: 0 };
    let mut input = Input::open(args.message.as_deref(), args.raw);
    let outcome = queue.push_all(&mut input, args.count.unwrap_or(u64::MAX), &mut interrupts).await;
    let (taken, held) = (queue.taken, queue.held);
    if args.wire.server.verbose && taken > 0 {
        eprintln!("petasus: taken: {taken} ({} handed to a puller, {held} held for one)", taken - held);
    }
    let line = (args.message.is_none() && !args.raw).then_some(taken + 1);
    match outcome {
        Err(Stop::Message(cause)) => return Err(ClientError::Push { line, cause: Box::new(cause) }),
        Err(Stop::Between(cause)) if taken > 0 => {
            return Err(ClientError::PushedBefore { taken, cause: Box::new(cause) });
        }
        Err(Stop::Between(cause)) => return Err(cause),
        Ok(()) => {}
    }
    interrupts.patiently(queue.line.close()).await;
    Ok(())
}

/// Why it ended too early.
enum Stop {
    /// Nothing was under way.
    Between(ClientError),
    /// A message was.
    Message(ClientError),
}

/// A queue of a broker.
struct Queue<'a> {
    line: Line,
    client: Client,
    topic: &'a Topic,
    /// Messages handed to a puller or held.
    taken: u64,
    /// How many of them are held.
    held: u64,
}

impl Queue<'_> {
    async fn push_all(
        &mut self,
        input: &mut Input,
        limit: u64,
        interrupts: &mut Interrupts,
    ) -> Result<(), Stop> {
        while self.taken < limit && interrupts.seen == 0 {
            let message = tokio::select! {
                biased;
                message = input.next() => message.map_err(Stop::Between)?,
                () = interrupts.next() => return Ok(()),
                lost = self.line.lost() => return Err(Stop::Between(lost)),
            };
            let Some(message) = message else { break };
            // The first interrupt waits for the answer: no message is left between taken and not taken.
            interrupts.patiently(self.push(message)).await.map_err(Stop::Message)?;
        }
        if self.taken == 0 && interrupts.seen == 0 {
            interrupts.patiently(self.line.reached()).await.map_err(Stop::Between)?;
        }
        Ok(())
    }

    async fn push(&mut self, message: petasus::protocol::Message) -> Result<(), ClientError> {
        let push = self.client.push(self.topic, message).timeout(ANSWER).into_future();
        let outcome = tokio::select! {
            biased;
            outcome = push => outcome,
            // Nobody knows how far it came.
            lost = self.line.lost() => {
                let (url, reason) = (self.line.url().to_owned(), lost.to_string());
                return Err(match lost.exit_code() {
                    5 => ClientError::Unanswered { url, reason },
                    _ => lost,
                });
            }
        };
        let pushed = outcome.map_err(|error| self.line.explain(error))?;
        // The queue has answered, whatever the socket beside it may do.
        self.line.announce();
        self.taken += 1;
        self.held += u64::from(pushed == Pushed::Held);
        Ok(())
    }
}
