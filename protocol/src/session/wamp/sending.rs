//! Messages of the program on their way out: PUBLISH, CALL and YIELD with what the program gave, written in one go.

use super::super::{Content, Error, Until};
use super::router::Router;
use crate::wamp::Serializer;
use crate::wamp::envelope::Writer;
use crate::wamp::message::{Call, Publish};
use crate::wamp::options::{self, Entry, Setting};

/// A PUBLISH or CALL that is sent now or waits in the queue. It is written when it goes, as only then the serializer
/// and the request id are known.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) uri: String,
    pub(super) content: Content,
    pub(super) how: How,
}

/// What becomes of it.
#[derive(Debug, Clone, Copy)]
pub(super) enum How {
    Publish { acknowledge: bool, exclude_me: bool, bus: bool },
    Push(Until),
    Call(Shape),
}

/// The options of a CALL.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shape {
    /// Whether the result may come in parts.
    pub(super) progress: bool,
    /// Whether the arguments come in pieces, and whether more follow this one.
    pub(super) more: Option<bool>,
    pub(super) disclose: bool,
}

impl Outgoing {
    /// Whether the router can do it.
    pub(super) fn check(&self, router: Router) -> Result<(), Error> {
        match self.how {
            How::Publish { bus: true, .. } => router.check_bus(),
            How::Push(_) => router.check_queue(),
            How::Call(Shape { more: Some(_), .. }) => router.check_pieces(),
            How::Publish { .. } | How::Call(_) => Ok(()),
        }
    }

    /// The message. `timeout` is the option of CALL, in milliseconds.
    pub(super) fn encode(
        &self,
        prepared: &mut Prepared,
        serializer: Serializer,
        request: u64,
        timeout: Option<u64>,
    ) -> Vec<u8> {
        let code = if matches!(self.how, How::Publish { .. }) { Publish::CODE } else { Call::CODE };
        let options = prepared.options(self, serializer, timeout);
        let elements = [
            Element::Number(code),
            Element::Number(request),
            Element::Raw(options),
            Element::Text(&self.uri),
        ];
        encode(serializer, &elements, Some(&self.content))
    }

    fn options(&self, timeout: Option<u64>) -> Vec<Entry<'static>> {
        let mut options = Vec::with_capacity(4);
        match self.how {
            How::Publish { acknowledge, exclude_me, bus } => {
                // Always written: WAMP's default leaves the publisher out, ours does not.
                options.push(("exclude_me", Setting::Bool(exclude_me)));
                if acknowledge {
                    options.push(("acknowledge", Setting::Bool(true)));
                }
                if bus {
                    options.push(("_pattern", Setting::Text("bus")));
                }
            }
            How::Push(until) => {
                let ack = if until == Until::Done { "done" } else { "handed" };
                options.extend([("_pattern", Setting::Text("queue")), ("_ack", Setting::Text(ack))]);
            }
            How::Call(shape) => {
                if shape.progress {
                    options.push(("receive_progress", Setting::Bool(true)));
                }
                if let Some(more) = shape.more {
                    options.push(("progress", Setting::Bool(more)));
                }
                if shape.disclose {
                    options.push(("disclose_me", Setting::Bool(true)));
                }
            }
        }
        if let Some(timeout) = timeout {
            options.push(("timeout", Setting::Number(timeout)));
        }
        options
    }

    /// The longest that the message can be in any of `serializers`, or less if it is below `limit` at any rate.
    pub(super) fn longest(&self, serializers: &[Serializer], limit: usize) -> usize {
        /// More than options and numbers take.
        const ENVELOPE: usize = 256;
        /// More than a byte can become in another serializer: a control character has 6 in JSON, a number of CBOR in
        /// 3 bytes some 22.
        const GROWTH: usize = 9;
        let bound = ENVELOPE + (self.uri.len() + self.content.len()).saturating_mul(GROWTH);
        if bound <= limit {
            return bound;
        }
        let mut prepared = Prepared::default();
        let longest = serializers
            .iter()
            .map(|&serializer| self.encode(&mut prepared, serializer, u64::MAX, Some(u64::MAX)).len());
        longest.max().unwrap_or(bound)
    }
}

/// The options of the last message as they were written: most publications of a program have the same.
#[derive(Debug, Default)]
pub(super) struct Prepared {
    /// Of which PUBLISH; those of a CALL are written anew each time.
    publish: Option<(Serializer, [bool; 3])>,
    bytes: Vec<u8>,
}

impl Prepared {
    fn options(&mut self, outgoing: &Outgoing, serializer: Serializer, timeout: Option<u64>) -> &[u8] {
        let publish = match outgoing.how {
            How::Publish { acknowledge, exclude_me, bus } => {
                Some((serializer, [acknowledge, exclude_me, bus]))
            }
            How::Push(_) | How::Call(_) => None,
        };
        if publish.is_none() || self.publish != publish {
            self.bytes.clear();
            options::write(serializer, &outgoing.options(timeout), &mut self.bytes);
            self.publish = publish;
        }
        &self.bytes
    }
}

/// An element of a message.
#[derive(Clone, Copy, Debug)]
pub(super) enum Element<'a> {
    Number(u64),
    Text(&'a str),
    Options(&'a [Entry<'a>]),
    /// Options, or the like, that were written before.
    Raw(&'a [u8]),
}

/// Writes a message of these elements and maybe a content. What the content holds is copied once.
pub(super) fn encode(serializer: Serializer, elements: &[Element<'_>], content: Option<&Content>) -> Vec<u8> {
    let (arguments, len) = match content {
        Some(Content::Plain(message)) => (1, message.len()),
        Some(Content::Arguments(payload)) => (payload.elements(), payload.len()),
        None => (0, 0),
    };
    let mut out = Vec::with_capacity(128 + len);
    let mut writer = Writer::new(serializer, &mut out, elements.len() + arguments);
    for element in elements {
        match *element {
            Element::Number(number) => writer.unsigned(number),
            Element::Text(text) => writer.text(text),
            Element::Options(entries) => writer.options(entries),
            Element::Raw(bytes) => writer.raw(bytes),
        };
    }
    match content {
        Some(Content::Plain(message)) => {
            writer.raw_message(message);
        }
        Some(Content::Arguments(payload)) => {
            writer.payload(payload);
        }
        None => {}
    }
    writer.finish();
    out
}
