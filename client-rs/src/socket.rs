//! One WebSocket: opened, written to, read from, closed, by one task that does both directions.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use futures_util::{SinkExt, StreamExt};
use petasus_protocol::Message;
use petasus_protocol::session::{Failure, SocketId, readable};
use tokio::task::AbortHandle;
use tokio_tungstenite::tungstenite::protocol::CloseFrame;
use tokio_tungstenite::tungstenite::protocol::frame::Frame;
use tokio_tungstenite::tungstenite::protocol::frame::coding::{CloseCode, Data, OpCode};
use tokio_tungstenite::tungstenite::{self, Bytes};
use tracing::Instrument;

use crate::alive::Signs;
use crate::dial::{self, Stream};
use crate::shared::{Shared, State, without_query};

/// The most messages that are read before they are handed on, and the other direction has its turn.
const BATCH: usize = 128;
/// When so many bytes wait for a socket it takes no more. They come on top of those that its write buffer holds.
const HIGH_WATER: usize = 256 << 10;

/// When so many bytes wait, although nothing was sent that could wait, the server takes nothing and asks for answers: it
/// is given up.
const LIMIT: usize = 64 << 20;

/// What waits to be written to a socket.
#[derive(Debug)]
pub(crate) struct Outbox {
    orders: VecDeque<Order>,
    /// The bytes of all messages in `orders`, and some for each order.
    bytes: usize,
    /// Whether the session was told that the socket takes no more.
    pub(crate) blocked: bool,
    /// Whether it was opened.
    pub(crate) open: bool,
    /// The socket's task, if it sleeps.
    pub(crate) waker: Option<Waker>,
    pub(crate) task: AbortHandle,
}

/// What a socket's task is to do.
#[derive(Debug)]
pub(crate) enum Order {
    Send(Message),
    Ping,
    Close(u16, &'static str),
}

impl Outbox {
    pub(crate) fn new(task: AbortHandle) -> Self {
        Outbox { orders: VecDeque::new(), bytes: 0, blocked: false, open: false, waker: None, task }
    }

    /// Whether the socket takes no more from now on.
    pub(crate) fn put(&mut self, order: Order) -> bool {
        self.bytes += size_of::<Order>();
        if let Order::Send(message) = &order {
            self.bytes += message.len();
        }
        self.orders.push_back(order);
        let blocks = self.bytes > HIGH_WATER && !self.blocked;
        self.blocked |= blocks;
        blocks
    }

    /// Whether more waits than any server may let wait.
    pub(crate) fn overflows(&self) -> bool {
        self.bytes > LIMIT
    }
}

/// The task of a socket.
pub(crate) async fn run(shared: Arc<Shared>, socket: SocketId, url: String, subprotocols: Vec<&'static str>) {
    let shown = without_query(&url);
    let span = tracing::info_span!(parent: &shared.span, "petasus.connection", url = shown, socket = socket.as_u64());
    let failure = converse(&shared, socket, &url, &subprotocols).instrument(span.clone()).await;
    let _entered = span.entered();
    shared.with(|state, now| {
        state.forget_socket(socket);
        state.session.handle_closed(socket, failure, now);
    });
}

async fn converse(
    shared: &Arc<Shared>,
    socket: SocketId,
    url: &str,
    subprotocols: &[&'static str],
) -> Failure {
    let signs = Signs::default();
    let (stream, subprotocol) = match dial::open(&shared.settings, url, subprotocols, signs.clone()).await {
        Ok(opened) => opened,
        Err(failure) => return failure,
    };
    shared.with(|state, now| {
        if let Some(outbox) = state.sockets.get_mut(&socket) {
            outbox.open = true;
            state.session.handle_opened(socket, subprotocol.as_deref(), now);
        }
    });
    let mut link = Link {
        shared,
        socket,
        stream,
        seen: signs.count(),
        signs,
        inbox: Vec::new(),
        orders: VecDeque::new(),
        clear: true,
        stalled: false,
        deaf: None,
        ended: None,
    };
    poll_fn(|cx| link.poll(cx)).await
}

/// An open socket.
struct Link<'a> {
    shared: &'a Arc<Shared>,
    socket: SocketId,
    stream: Stream,
    signs: Signs,
    /// How many signs of life the session knows of.
    seen: u64,
    /// What was read and not handed on yet.
    inbox: Vec<tungstenite::Message>,
    /// What was taken from the outbox and not written yet.
    orders: VecDeque<Order>,
    /// Whether everything that was taken from the outbox is written.
    clear: bool,
    /// Whether nothing is to be read, because a reader with [`Overflow::Wait`](crate::Overflow::Wait) is slow.
    stalled: bool,
    /// Why nothing can be written any more. What the server said last is worth more: it is still read.
    deaf: Option<Failure>,
    ended: Option<Failure>,
}

impl Link<'_> {
    /// Both directions, until neither can go on.
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Failure> {
        loop {
            let full = self.read(cx);
            let was_clear = self.clear;
            let more = self.trade(cx);
            self.write(cx);
            if let Some(failure) = self.ended.take() {
                return Poll::Ready(failure);
            }
            let freed = !was_clear && self.clear;
            if !(full || more || freed) {
                return Poll::Pending;
            }
        }
    }

    /// Reads what is there. Says whether there may be more.
    fn read(&mut self, cx: &mut Context<'_>) -> bool {
        if self.stalled {
            return false;
        }
        while self.inbox.len() < BATCH {
            match self.stream.poll_next_unpin(cx) {
                Poll::Pending => return false,
                Poll::Ready(Some(Ok(tungstenite::Message::Close(frame)))) => {
                    self.ended = Some(closed(frame));
                    // The answer to it is written if there is room; nobody waits for that.
                    let _ = self.stream.poll_flush_unpin(cx);
                    return false;
                }
                Poll::Ready(Some(Ok(message))) => self.inbox.push(message),
                Poll::Ready(Some(Err(error))) => {
                    self.ended = Some(self.deaf.take().unwrap_or_else(|| broken(error)));
                    return false;
                }
                Poll::Ready(None) => {
                    let silent = Failure::Closed { code: 1006, reason: String::new() };
                    self.ended = Some(self.deaf.take().unwrap_or(silent));
                    return false;
                }
            }
        }
        true
    }

    /// Hands on what was read, and takes what is to be written. Says whether there is already more.
    fn trade(&mut self, cx: &mut Context<'_>) -> bool {
        let signs = self.signs.count();
        // Messages are signs of life themselves.
        let lives = std::mem::replace(&mut self.seen, signs) != signs && self.inbox.is_empty();
        let Link { shared, socket, inbox, orders, clear, .. } = self;
        let (shared, socket) = (*shared, *socket);
        let (more, stalled) = shared.with_after(|state, now, after| {
            if let Some(outbox) = state.sockets.get_mut(&socket) {
                // What comes of the messages is taken right away.
                outbox.waker = None;
            }
            if lives {
                state.session.handle_pong(socket, now);
            }
            for message in inbox.drain(..) {
                hear(state, socket, message, now);
            }
            shared.pump(state, now, after);
            if *clear && state.take(socket, orders, now) {
                shared.pump(state, now, after);
            }
            let Some(outbox) = state.sockets.get_mut(&socket) else { return (false, false) };
            outbox.waker = Some(cx.waker().clone());
            (*clear && !outbox.orders.is_empty(), state.stalled > 0)
        });
        let resumed = self.stalled && !stalled;
        self.stalled = stalled;
        more || resumed
    }

    /// Writes what was taken, and flushes once.
    fn write(&mut self, cx: &mut Context<'_>) {
        if self.deaf.is_some() {
            self.orders.clear();
            self.clear = true;
        }
        if self.orders.is_empty() && self.clear && self.ended.is_none() {
            return;
        }
        match self.poll_write(cx) {
            Poll::Pending => self.clear = false,
            Poll::Ready(Ok(())) => self.clear = true,
            Poll::Ready(Err(error)) => {
                self.deaf = Some(broken(error));
                self.orders.clear();
                self.clear = true;
            }
        }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), tungstenite::Error>> {
        while !self.orders.is_empty() {
            std::task::ready!(self.stream.poll_ready_unpin(cx))?;
            if let Some(order) = self.orders.pop_front() {
                self.stream.start_send_unpin(frame(order))?;
            }
        }
        self.stream.poll_flush_unpin(cx)
    }
}

impl State {
    /// Takes what is to be written. Says whether the socket takes more again.
    fn take(&mut self, socket: SocketId, orders: &mut VecDeque<Order>, now: u64) -> bool {
        let Some(outbox) = self.sockets.get_mut(&socket) else { return false };
        std::mem::swap(&mut outbox.orders, orders);
        outbox.bytes = 0;
        let freed = std::mem::take(&mut outbox.blocked);
        if freed {
            self.blocked -= 1;
            self.session.handle_blocked(socket, false, now);
        }
        freed
    }
}

/// Tells the session what came.
fn hear(state: &mut State, socket: SocketId, message: tungstenite::Message, now: u64) {
    match message {
        // tungstenite has checked that it is UTF-8.
        tungstenite::Message::Text(text) => {
            state.session.handle_message(socket, Message::assume_text(Bytes::from(text)), now);
        }
        tungstenite::Message::Binary(bytes) => {
            state.session.handle_message(socket, Message::binary(bytes), now);
        }
        _ => state.session.handle_pong(socket, now),
    }
}

fn frame(order: Order) -> tungstenite::Message {
    match order {
        Order::Send(message) => {
            let kind = if message.is_text() { Data::Text } else { Data::Binary };
            // As a frame, for it would check again that a text is UTF-8.
            tungstenite::Message::Frame(Frame::message(message.into_payload(), OpCode::Data(kind), true))
        }
        Order::Ping => tungstenite::Message::Ping(Bytes::new()),
        Order::Close(code, reason) => {
            tungstenite::Message::Close(Some(CloseFrame { code: code.into(), reason: reason.into() }))
        }
    }
}

/// A Close frame came. RFC 6455 7.1.5: without a code it counts as 1005.
fn closed(frame: Option<CloseFrame>) -> Failure {
    match frame {
        // What tungstenite makes of a code that nobody may send. The server did not say that.
        Some(frame) if frame.code == CloseCode::Protocol && frame.reason.as_str() == "Protocol violation" => {
            Failure::Protocol { reason: "a close frame with a code that nobody may send".to_owned() }
        }
        Some(frame) => Failure::Closed { code: frame.code.into(), reason: readable(frame.reason.as_str()) },
        None => Failure::Closed { code: 1005, reason: String::new() },
    }
}

fn broken(error: tungstenite::Error) -> Failure {
    use tungstenite::Error;
    use tungstenite::error::ProtocolError;
    match error {
        Error::ConnectionClosed
        | Error::AlreadyClosed
        | Error::Protocol(ProtocolError::ResetWithoutClosingHandshake | ProtocolError::SendAfterClosing) => {
            Failure::Closed { code: 1006, reason: String::new() }
        }
        Error::Protocol(_) | Error::Utf8(_) => Failure::Protocol { reason: error.to_string() },
        error => Failure::Broken { reason: error.to_string() },
    }
}
