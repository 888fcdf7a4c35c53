//! One connection: handshake, frames in, frames out.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Mutant;
use super::rooms::{Endpoint, Id, Rooms};
use crate::raw::{Decoder, Frame, Opcode, Side, accept_key, read_head};

/// The longest message, in bytes.
const LIMIT: usize = 262_144;

/// What a request asks for.
struct Request {
    endpoint: Endpoint,
    topic: String,
    echo: bool,
}

pub(super) async fn serve(mut socket: TcpStream, id: Id, mutant: Mutant, rooms: Arc<Mutex<Rooms>>) {
    let Ok(head) = read_head(&mut socket).await else { return };
    let key = head.field("sec-websocket-key").map(str::to_owned);
    let request = head.start.split(' ').nth(1).map(|target| parse(target, mutant));
    let (Some(Ok(request)), Some(key)) = (request, key) else {
        let _ = socket.write_all(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n").await;
        return;
    };
    let _ = socket.set_nodelay(true);
    let (out, frames) = unbounded_channel();
    let join = {
        let (rooms, out) = (Arc::clone(&rooms), out.clone());
        let Request { endpoint, ref topic, echo } = request;
        let topic = topic.clone();
        move || lock(&rooms).join(id, endpoint, topic, echo, out)
    };
    if mutant == Mutant::JoinsLate {
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(20)).await;
            join();
        });
    } else {
        join();
    }
    let answer = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Accept: {}\r\n\r\n",
        accept_key(&key)
    );
    let (mut read, write) = socket.into_split();
    let writer = tokio::spawn(write_all(write, answer, frames));
    let mut connection = Connection { id, mutant, rooms, request, out, partial: None };
    let mut decoder = Decoder::new(Side::Client, &head.rest);
    'reading: loop {
        loop {
            match decoder.frame() {
                Ok(Some(frame)) => match connection.frame(frame) {
                    Flow::On => {}
                    Flow::End => break 'reading,
                    Flow::Stall => std::future::pending().await,
                },
                Ok(None) => break,
                Err(_) => {
                    connection.fail(1002);
                    break 'reading;
                }
            }
        }
        if !matches!(read.read_buf(decoder.buffer()).await, Ok(1..)) {
            break;
        }
    }
    lock(&connection.rooms).leave(id);
    drop(connection);
    let _ = writer.await;
    // What still comes is read, so that the Close frame is not lost in a reset.
    let mut rest = [0; 4096];
    while matches!(tokio::time::timeout(Duration::from_secs(1), read.read(&mut rest)).await, Ok(Ok(1..))) {}
}

enum Flow {
    On,
    End,
    Stall,
}

struct Connection {
    id: Id,
    mutant: Mutant,
    rooms: Arc<Mutex<Rooms>>,
    request: Request,
    out: UnboundedSender<Frame>,
    partial: Option<(Opcode, Vec<u8>)>,
}

impl Connection {
    fn frame(&mut self, frame: Frame) -> Flow {
        match frame.opcode {
            Opcode::PING => drop(self.out.send(Frame::new(Opcode::PONG, frame.payload))),
            Opcode::PONG => {}
            Opcode::CLOSE => {
                lock(&self.rooms).leave(self.id);
                let _ = self.out.send(Frame::close(frame.close_code()));
                return Flow::End;
            }
            Opcode::CONTINUATION if self.mutant == Mutant::PiecesApart => {
                return self.message(Opcode::TEXT, frame.payload);
            }
            Opcode::CONTINUATION => {
                let Some((opcode, mut bytes)) = self.partial.take() else { return self.fail(1002) };
                bytes.extend(frame.payload);
                return self.data(opcode, bytes, frame.fin);
            }
            opcode => return self.data(opcode, frame.payload, frame.fin),
        }
        Flow::On
    }

    fn data(&mut self, opcode: Opcode, bytes: Vec<u8>, is_whole: bool) -> Flow {
        let limit = LIMIT + usize::from(self.mutant == Mutant::LimitOffByOne);
        if bytes.len() > limit {
            return self.fail(1009);
        }
        if is_whole || self.mutant == Mutant::PiecesApart {
            return self.message(opcode, bytes);
        }
        self.partial = Some((opcode, bytes));
        Flow::On
    }

    fn message(&mut self, opcode: Opcode, bytes: Vec<u8>) -> Flow {
        let is_text = opcode == Opcode::TEXT;
        if is_text && self.mutant != Mutant::InvalidRelayed && std::str::from_utf8(&bytes).is_err() {
            return self.fail(1007);
        }
        let Request { endpoint, topic, .. } = &self.request;
        let goes_on = lock(&self.rooms).say(self.id, *endpoint, topic, &Frame::new(opcode, bytes));
        if goes_on { Flow::On } else { Flow::Stall }
    }

    fn fail(&mut self, code: u16) -> Flow {
        lock(&self.rooms).leave(self.id);
        let _ = self.out.send(Frame::close(Some(code)));
        Flow::End
    }
}

/// Writes the answer, then frames, until nobody can send any more or a Close frame has gone.
async fn write_all(
    mut write: tokio::net::tcp::OwnedWriteHalf,
    answer: String,
    mut frames: UnboundedReceiver<Frame>,
) {
    let mut bytes = answer.into_bytes();
    loop {
        if write.write_all(&bytes).await.is_err() {
            return;
        }
        let Some(frame) = frames.recv().await else { return };
        bytes.clear();
        frame.encode(None, &mut bytes);
        if frame.opcode == Opcode::CLOSE {
            let _ = write.write_all(&bytes).await;
            let _ = write.shutdown().await;
            return;
        }
    }
}

fn lock(rooms: &Mutex<Rooms>) -> std::sync::MutexGuard<'_, Rooms> {
    rooms.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What is asked for by a target of a request.
fn parse(target: &str, mutant: Mutant) -> Result<Request, ()> {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let path = decode(path, mutant)?;
    let (endpoint, topic) = path.strip_prefix('/').and_then(|rest| rest.split_once('/')).ok_or(())?;
    let endpoint = match endpoint {
        "bus" => Endpoint::Bus,
        "pub" => Endpoint::Pub,
        "sub" => Endpoint::Sub,
        "push" => Endpoint::Push,
        "pull" => Endpoint::Pull,
        _ => return Err(()),
    };
    Ok(Request { endpoint, topic: topic.to_owned(), echo: query == "echo=1" })
}

/// Percent escapes become bytes, which have to be UTF-8.
fn decode(path: &str, mutant: Mutant) -> Result<String, ()> {
    let mut bytes = Vec::new();
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        rest = tail;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let digits = tail.get(..2).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                bytes.push(byte);
                rest = &tail[2..];
            }
            None if mutant == Mutant::BadEscapesTaken => bytes.push(b'%'),
            None => return Err(()),
        }
    }
    if mutant == Mutant::BadEscapesTaken {
        return Ok(String::from_utf8_lossy(&bytes).into_owned());
    }
    String::from_utf8(bytes).map_err(drop)
}
