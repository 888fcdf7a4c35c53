//! Publishing and pushing by POST, which is answered.

use std::collections::VecDeque;

use super::super::core::{Core, Timer};
use super::super::{Content, Error, ExchangeId, Failure, Outcome, Output, Refusal, RequestId};
use super::Mercury;
use super::link::weight;
use crate::wamp::uri::error;
use crate::{Endpoint, Message, Role};

/// The POSTs that are under way at one time; browsers allow six to a host anyway.
const AT_ONCE: usize = 16;

/// All POSTs that are not answered yet, in the order of their requests.
#[derive(Debug, Default)]
pub(super) struct Posts {
    all: VecDeque<Post>,
    /// How many of them are under way.
    under_way: usize,
    /// None is sent before this, because one could not be sent.
    pub(super) hold: Option<u64>,
    /// The failures since the last answer.
    failures: u32,
}

/// Its message counts as waiting until its answer, because it may have to be sent again.
#[derive(Debug)]
struct Post {
    request: RequestId,
    role: Role,
    url: String,
    message: Message,
    deadline: u64,
    /// While it is under way.
    exchange: Option<ExchangeId>,
}

impl Mercury {
    /// Queues a POST.
    pub(super) fn post(
        &mut self,
        core: &mut Core,
        endpoint: &Endpoint,
        message: Message,
        timeout: Option<u64>,
        now: u64,
    ) -> Result<RequestId, Error> {
        core.reserve(weight(&message))?;
        let request = core.request();
        let deadline = now.saturating_add(timeout.unwrap_or(core.config.request_timeout));
        let url = core.config.url.endpoint(endpoint);
        self.alarms.insert(deadline, Timer::Request(request.0));
        self.posts.all.push_back(Post {
            request,
            role: endpoint.role,
            url,
            message,
            deadline,
            exchange: None,
        });
        self.send_posts(core);
        Ok(request)
    }

    /// Sends as many as may be under way.
    pub(super) fn send_posts(&mut self, core: &mut Core) {
        if !self.begun || self.posts.hold.is_some() {
            return;
        }
        let free = AT_ONCE - self.posts.under_way;
        for post in self.posts.all.iter_mut().filter(|post| post.exchange.is_none()).take(free) {
            let exchange = core.exchange();
            post.exchange = Some(exchange);
            self.posts.under_way += 1;
            core.output(Output::Post { exchange, url: post.url.clone(), message: post.message.clone() });
        }
    }

    /// A POST was answered.
    pub(super) fn answered(&mut self, core: &mut Core, exchange: ExchangeId, status: u16, text: &str) {
        let Some(at) = self.posts.find(exchange) else { return };
        self.posts.failures = 0;
        let post = self.take_post(core, at);
        core.done(post.request, outcome(post.role, status, text));
        self.send_posts(core);
    }

    /// A POST was not answered.
    pub(super) fn unanswered(
        &mut self,
        core: &mut Core,
        exchange: ExchangeId,
        sent: bool,
        failure: Failure,
        now: u64,
    ) {
        let Some(at) = self.posts.find(exchange) else { return };
        let end = if sent {
            Some(Error::Lost)
        } else {
            failure.is_final(self.met).then_some(Error::GaveUp(failure))
        };
        if let Some(error) = end {
            let post = self.take_post(core, at);
            core.done(post.request, Err(error));
        } else {
            self.posts.all[at].exchange = None;
            self.posts.under_way -= 1;
            // One after the other, rather than all of them again and again.
            if self.posts.hold.is_none() {
                let wait = core.config.backoff.draw(self.posts.failures, &mut core.random);
                self.posts.failures = self.posts.failures.saturating_add(1);
                self.posts.hold = Some(now.saturating_add(wait));
            }
        }
        self.send_posts(core);
    }

    /// The time of a POST is over.
    pub(super) fn post_due(&mut self, core: &mut Core, request: RequestId) {
        let Some(at) = self.posts.position(request) else { return };
        let post = self.take_post(core, at);
        let error = match post.exchange {
            Some(exchange) => {
                core.output(Output::Abandon { exchange });
                Error::TimedOut
            }
            // It was not sent, so nothing has happened.
            None => Error::NotConnected,
        };
        core.done(request, Err(error));
        self.send_posts(core);
    }

    /// The program does not wait any more.
    pub(super) fn cancel_post(&mut self, core: &mut Core, request: RequestId) {
        let Some(at) = self.posts.position(request) else { return };
        if let Some(exchange) = self.take_post(core, at).exchange {
            core.output(Output::Abandon { exchange });
        }
        self.send_posts(core);
    }

    /// Ends them all.
    pub(super) fn end_posts(&mut self, core: &mut Core) {
        self.posts.hold = None;
        while !self.posts.all.is_empty() {
            let post = self.take_post(core, 0);
            if let Some(exchange) = post.exchange {
                core.output(Output::Abandon { exchange });
            }
            let error = core.over();
            core.done(post.request, Err(error));
        }
    }

    /// Sends again what could not be sent, if it is time, or if `hurry` says so.
    pub(super) fn resume_posts(&mut self, core: &mut Core, hurry: bool, now: u64) {
        if self.posts.hold.is_some_and(|until| hurry || until <= now) {
            self.posts.hold = None;
            self.send_posts(core);
        }
    }

    fn take_post(&mut self, core: &mut Core, at: usize) -> Post {
        let post = self.posts.all.remove(at).expect("the place was just found");
        self.posts.under_way -= usize::from(post.exchange.is_some());
        self.alarms.remove(post.deadline, Timer::Request(post.request.0));
        core.release(weight(&post.message));
        if self.posts.all.is_empty() {
            self.posts.hold = None;
        }
        post
    }
}

impl Posts {
    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    fn find(&self, exchange: ExchangeId) -> Option<usize> {
        self.all.iter().position(|post| post.exchange == Some(exchange))
    }

    fn position(&self, request: RequestId) -> Option<usize> {
        // Numbers only grow.
        self.all.binary_search_by_key(&request, |post| post.request).ok()
    }
}

/// What an answer means.
fn outcome(role: Role, status: u16, text: &str) -> Result<Outcome, Error> {
    match (status, role) {
        (202, Role::Push) => Ok(Outcome::Held),
        // A queue's answer is empty, unlike the 200 of a server that knows no queues (REQ-HTTP-001).
        (200..=299, Role::Push) if text.is_empty() => Ok(Outcome::Handed),
        (200..=299, Role::Pub) => Ok(Outcome::Published),
        _ => Err(Error::Refused(refusal(role, status, text))),
    }
}

fn refusal(role: Role, status: u16, text: &str) -> Refusal {
    let uri = match status {
        401 | 403 => error::NOT_AUTHORIZED,
        404 | 405 | 410 | 414 => error::INVALID_URI,
        408 | 504 => error::TIMEOUT,
        413 => error::PAYLOAD_SIZE_EXCEEDED,
        429 | 503 => error::UNAVAILABLE,
        // The original's answer when nobody pulls.
        500 if role == Role::Push => error::UNAVAILABLE,
        500..=599 => error::NETWORK_FAILURE,
        _ => error::INVALID_ARGUMENT,
    };
    let text = match text {
        "" => ["HTTP ", status.to_string().as_str()].concat(),
        text => text.to_owned(),
    };
    Refusal { uri: uri.to_owned(), content: Content::from(text.as_str()), text }
}
