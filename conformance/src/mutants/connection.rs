//! One connection: requests first, then frames in and frames out.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::net::tcp::OwnedWriteHalf;
use tokio::sync::Notify;
use tokio::task::JoinSet;

use super::http::{self, Open, Request};
use super::keepalive::Keepalive;
use super::outbox::{Outbox, Waiting, outbox};
use super::rooms::{Endpoint, Id, Rooms};
use super::{Mutant, close};
use crate::launch::Wanted;
use crate::raw::{Decoder, Frame, Opcode, Side};

/// The longest message, in bytes.
pub(super) const LIMIT: usize = 262_144;

/// The same over Pinghub.
const PINGHUB_LIMIT: usize = 65_536;

/// What all connections share.
pub(super) struct Shared {
    pub(super) mutant: Mutant,
    pub(super) wanted: Wanted,
    pub(super) rooms: Mutex<Rooms>,
    /// It is asked to stop.
    pub(super) stop: Notify,
    pub(super) is_stopping: AtomicBool,
}

pub(super) async fn serve(mut socket: TcpStream, id: Id, shared: Arc<Shared>) {
    let _ = socket.set_nodelay(true);
    let Some(Open { request, answer, rest }) = http::serve(&mut socket, &shared).await else { return };
    let (out, frames) = outbox();
    join(id, &request, &shared, out.clone());
    let (mut read, write) = socket.into_split();
    let mut writer = JoinSet::new();
    writer.spawn(write_all(write, answer, frames, Arc::clone(&shared)));
    let mut keepalive = Keepalive::of(&shared);
    let mut connection =
        Connection { id, shared: Arc::clone(&shared), request, out, partial: None, pongs: Vec::new() };
    let mut decoder = Decoder::new(Side::Client, &rest);
    'reading: loop {
        loop {
            match decoder.frame() {
                Ok(Some(frame)) => match connection.frame(keepalive.hear(frame)) {
                    Flow::On => {}
                    Flow::Fail if shared.mutant == Mutant::GoesOnAfterFail => {}
                    Flow::Fail | Flow::End => break 'reading,
                    Flow::Stall => std::future::pending().await,
                },
                Ok(None) => break,
                Err(error) => {
                    connection.fail(close::of_error(&error, shared.mutant));
                    break 'reading;
                }
            }
        }
        let (is_read, is_alive) = tokio::select! {
            count = read.read_buf(decoder.buffer()) => (matches!(count, Ok(1..)), true),
            is_alive = keepalive.turn(&connection.out) => (is_alive, is_alive),
        };
        if !is_alive {
            return keepalive.bury(id, &shared);
        }
        if !is_read {
            if shared.mutant == Mutant::GoneKeepsSlot {
                return;
            }
            break;
        }
    }
    lock(&shared.rooms).gone(id);
    drop(connection);
    writer.join_next().await;
    // What still comes is read, so that the Close frame is not lost in a reset.
    let mut rest = [0; 4096];
    while matches!(tokio::time::timeout(Duration::from_secs(1), read.read(&mut rest)).await, Ok(Ok(1..))) {}
}

fn join(id: Id, request: &Request, shared: &Arc<Shared>, out: Outbox) {
    let Request { endpoint, ref topic, echo } = *request;
    let (topic, to) = (topic.clone(), Arc::clone(shared));
    let join = move || lock(&to.rooms).join(id, endpoint, topic, echo, out);
    if matches!(shared.mutant, Mutant::JoinsLate | Mutant::PinghubEarly) {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            join();
        });
    } else {
        join();
    }
}

enum Flow {
    On,
    /// Somebody did something wrong and was told so.
    Fail,
    End,
    Stall,
}

struct Connection {
    id: Id,
    shared: Arc<Shared>,
    request: Request,
    out: Outbox,
    partial: Option<(Opcode, Vec<u8>)>,
    /// Pongs that a mutant keeps back while a message is not whole.
    pongs: Vec<Frame>,
}

impl Connection {
    fn frame(&mut self, frame: Frame) -> Flow {
        let mutant = self.shared.mutant;
        match frame.opcode {
            Opcode::PING => {
                let is_receiver = self.request.endpoint == Endpoint::Sub;
                let pong = Frame::new(Opcode::PONG, frame.payload);
                match mutant {
                    Mutant::PingUnanswered if is_receiver => {}
                    Mutant::PongsLater if self.partial.is_some() => self.pongs.push(pong),
                    _ => drop(self.out.send(pong)),
                }
            }
            Opcode::PONG if mutant == Mutant::PongEnds => return self.fail(1002),
            Opcode::PONG => {}
            Opcode::CLOSE => return self.close(&frame),
            Opcode::CONTINUATION if mutant == Mutant::PiecesApart => {
                return self.message(Opcode::TEXT, frame.payload);
            }
            Opcode::CONTINUATION => {
                let Some((opcode, mut bytes)) = self.partial.take() else { return self.fail(1002) };
                bytes.extend(frame.payload);
                return self.data(opcode, bytes, frame.fin);
            }
            _ if self.partial.is_some() && mutant != Mutant::InsideTaken => return self.fail(1002),
            opcode => return self.data(opcode, frame.payload, frame.fin),
        }
        Flow::On
    }

    fn close(&mut self, frame: &Frame) -> Flow {
        lock(&self.shared.rooms).leave(self.id);
        match close::reply(frame, self.shared.mutant) {
            Ok(reply) => drop(self.out.send(reply)),
            Err(code) => return self.fail(code),
        }
        Flow::End
    }

    fn data(&mut self, opcode: Opcode, bytes: Vec<u8>, is_whole: bool) -> Flow {
        let limit = if self.shared.mutant.is_pinghub() { PINGHUB_LIMIT } else { LIMIT };
        let limit = limit + usize::from(self.shared.mutant == Mutant::LimitOffByOne);
        if bytes.len() > limit && self.is_checked() {
            return self.fail(1009);
        }
        if is_whole || self.shared.mutant == Mutant::PiecesApart {
            return self.message(opcode, bytes);
        }
        let is_hopeless = || std::str::from_utf8(&bytes).is_err_and(|error| error.error_len().is_some());
        let is_early = self.shared.mutant != Mutant::Utf8AtEnd && self.is_text_checked(opcode);
        if is_early && is_hopeless() {
            return self.fail(1007);
        }
        self.partial = Some((opcode, bytes));
        Flow::On
    }

    /// Whether what comes in is held to the limits.
    fn is_checked(&self) -> bool {
        let is_receiver = matches!(self.request.endpoint, Endpoint::Sub | Endpoint::Pull);
        !is_receiver || self.shared.mutant != Mutant::ReceiversUnchecked
    }

    fn is_text_checked(&self, opcode: Opcode) -> bool {
        opcode == Opcode::TEXT && self.shared.mutant != Mutant::InvalidRelayed && self.is_checked()
    }

    fn message(&mut self, opcode: Opcode, bytes: Vec<u8>) -> Flow {
        self.pongs.drain(..).for_each(|pong| drop(self.out.send(pong)));
        if self.is_text_checked(opcode) && std::str::from_utf8(&bytes).is_err() {
            return self.fail(1007);
        }
        let Request { endpoint, topic, .. } = &self.request;
        let goes_on = lock(&self.shared.rooms).say(self.id, *endpoint, topic, &Frame::new(opcode, bytes));
        if goes_on { Flow::On } else { Flow::Stall }
    }

    fn fail(&mut self, code: u16) -> Flow {
        let code = if code == 1002 && self.shared.mutant == Mutant::ClosesWith1000 { 1000 } else { code };
        if self.shared.mutant != Mutant::GoesOnAfterFail {
            lock(&self.shared.rooms).leave(self.id);
        }
        let _ = self.out.send(Frame::close(Some(code)));
        Flow::Fail
    }
}

/// Writes the answer, then frames, until nobody can send any more or a Close frame has gone.
async fn write_all(mut write: OwnedWriteHalf, answer: String, mut frames: Waiting, shared: Arc<Shared>) {
    let mutant = shared.mutant;
    let mut bytes = answer.into_bytes();
    let mut written = 0;
    loop {
        if write.write_all(&bytes).await.is_err() {
            return;
        }
        frames.written(written);
        let Some(frame) = frames.next().await else { return };
        written = frame.payload.len();
        bytes.clear();
        let is_data = frame.opcode.0 < 8;
        if is_data && mutant == Mutant::StopForgets && shared.is_stopping.load(Ordering::Relaxed) {
            continue;
        }
        if is_data && mutant == Mutant::SendsFragments && frame.payload.len() > 1 {
            for part in Frame::message(frame.opcode, &frame.payload, 2) {
                part.encode(None, &mut bytes);
            }
        } else {
            frame.encode(None, &mut bytes);
        }
        if frame.opcode == Opcode::CLOSE && mutant != Mutant::GoesOnAfterFail {
            let _ = write.write_all(&bytes).await;
            let _ = write.shutdown().await;
            return;
        }
    }
}

pub(super) fn lock(rooms: &Mutex<Rooms>) -> MutexGuard<'_, Rooms> {
    rooms.lock().unwrap_or_else(PoisonError::into_inner)
}
