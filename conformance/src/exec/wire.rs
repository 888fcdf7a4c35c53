//! Connections that speak HTTP and frames word by word.

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use super::ExecError;
use super::stage::Stage;
use crate::driver::{Inbox, Opening, ReadSide, Seen, Stream, WriteSide};
use crate::history::{Conn, Event, Wait, What};
use crate::model::{Door, HttpBody, HttpRequest, Payload, Sent};
use crate::plan::Spelling;
use crate::raw::{Answer, Decoder, Frame, Opcode, Side, read_answer};

/// Such a connection.
pub(super) enum Wire {
    /// It asks; the bytes were read behind the last answer.
    Http(Stream, Vec<u8>),
    /// It writes frames.
    Frames(Frames),
    /// It is over.
    Over,
}

pub(super) struct Frames {
    write: WriteSide,
    reader: JoinHandle<()>,
    /// How many frames were written.
    written: u32,
    /// The last ping that has no answer.
    ping: Option<Vec<u8>>,
    /// The Close frame that came, with its bytes.
    closed: Option<Vec<u8>>,
    has_closed: bool,
}

impl Drop for Frames {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Stage<'_> {
    /// Sends a request, and notes what is answered.
    pub(super) async fn request(
        &mut self,
        conn: Conn,
        door: &Door,
        request: &HttpRequest,
    ) -> Result<(), ExecError> {
        let namespace = self.history.namespace.clone();
        let opening = Opening { door, namespace: &namespace, spelling: Spelling::Usual, suffix: "" };
        let Some(path) = self.driver.path(&opening) else {
            return Err(ExecError::Unrepresentable("the dialect has no addresses".to_owned()));
        };
        let (mut stream, first) = match self.wires.remove(&conn) {
            Some(Wire::Http(stream, rest)) => (stream, rest),
            _ => (self.dial().await?, Vec::new()),
        };
        let is_of = |event: &&Event| event.conn == Some(conn) && matches!(event.what, What::Requested { .. });
        let number = self.history.events.iter().filter(is_of).count() as u32;
        self.note(Some(conn), What::Requested { door: door.clone(), request: request.clone() });
        self.counts.sent += 1;
        let body = request.body.as_ref().map(|body| body.fill.bytes(&namespace, conn, number));
        let bytes = spelled(request, &path, &self.target.host, body.as_deref());
        let asked = exchange(&mut stream, &bytes, first, request.method == "HEAD");
        match timeout(self.timing.deadline, asked).await {
            Ok(Ok((answer, is_written))) => self.answered(conn, stream, answer, is_written),
            Ok(Err(reset)) => {
                self.wires.insert(conn, Wire::Over);
                self.note(Some(conn), What::Eof { reset });
            }
            Err(_) => {
                self.counts.waited += self.timing.deadline;
                self.wires.insert(conn, Wire::Over);
                self.note(Some(conn), What::Missed { wait: Wait::Answer });
            }
        }
        Ok(())
    }

    async fn dial(&mut self) -> Result<Stream, ExecError> {
        self.counts.connects += 1;
        let dialled = self.target.dial().await;
        dialled.map_err(|why| ExecError::Unreachable(format!("nobody listens: {why}")))
    }

    fn answered(&mut self, conn: Conn, stream: Stream, answer: Answer, is_written: bool) {
        let Answer { head, body, stays } = answer;
        let status = head.status().unwrap_or_default();
        let fields = head.fields.clone();
        self.note(Some(conn), What::Responded { status, fields, body: Payload::of(&body) });
        let wire = if status == 101 {
            let Stream { read, write } = stream;
            let decoder = Decoder::new(Side::Server, &head.rest);
            let reader = tokio::spawn(read_frames(read, decoder, Inbox::new(conn, self.to.clone())));
            let (ping, closed) = (None, None);
            Wire::Frames(Frames { write, reader, written: 0, ping, closed, has_closed: false })
        } else if stays && is_written {
            Wire::Http(stream, head.rest)
        } else {
            Wire::Over
        };
        self.wires.insert(conn, wire);
    }

    /// Writes frames, all at once.
    pub(super) async fn write_frames(&mut self, conn: Conn, frames: &[Sent]) {
        let namespace = self.history.namespace.clone();
        let Some(Wire::Frames(wire)) = self.wires.get_mut(&conn) else { return };
        let mut bytes = Vec::new();
        for frame in frames {
            let payload = frame.fill.bytes(&namespace, conn, wire.written);
            wire.written += 1;
            if frame.opcode == Opcode::PING.0 {
                wire.ping = Some(payload.clone());
            }
            wire.has_closed |= frame.opcode == Opcode::CLOSE.0;
            encode(frame, payload, &mut bytes);
        }
        self.counts.sent += frames.len() as u64;
        self.note(Some(conn), What::Wrote { frames: frames.to_vec() });
        let deadline = self.timing.deadline;
        let Some(Wire::Frames(wire)) = self.wires.get_mut(&conn) else { return };
        // An error of writing is told by the reading side.
        if timeout(deadline, wire.write.write_all(&bytes)).await.is_err() {
            self.counts.waited += deadline;
            self.note(Some(conn), What::Missed { wait: Wait::Room });
        }
    }

    /// Until the last ping is answered or the connection ends.
    pub(super) async fn hear(&mut self, conn: Conn) {
        let is_heard = |stage: &Self| match stage.wires.get(&conn) {
            Some(Wire::Frames(wire)) => wire.ping.is_none() || wire.closed.is_some(),
            _ => true,
        };
        if !self.until(is_heard).await {
            self.note(Some(conn), What::Missed { wait: Wait::Answer });
        }
    }

    /// Says goodbye, or answers the broker's, and waits for the end.
    pub(super) async fn finish_wire(&mut self, conn: Conn) {
        self.drain();
        let goodbye = match self.wires.get(&conn) {
            Some(Wire::Frames(wire)) if !wire.has_closed => {
                Some(wire.closed.clone().unwrap_or_else(|| 1000_u16.to_be_bytes().to_vec()))
            }
            _ => None,
        };
        if let Some(goodbye) = goodbye {
            self.write_frames(conn, &[Sent::close(goodbye)]).await;
        }
        let is_over = |stage: &Self| !matches!(stage.wires.get(&conn), Some(Wire::Frames(_)));
        if !self.until(is_over).await {
            self.wires.insert(conn, Wire::Over);
            self.note(Some(conn), What::Missed { wait: Wait::End });
        }
    }

    pub(super) fn see_frame(&mut self, conn: Conn, frame: &Frame) {
        if let Some(Wire::Frames(wire)) = self.wires.get_mut(&conn) {
            match frame.opcode {
                Opcode::PONG if wire.ping.as_ref() == Some(&frame.payload) => wire.ping = None,
                Opcode::CLOSE => wire.closed = wire.closed.take().or_else(|| Some(frame.payload.clone())),
                _ => {}
            }
        }
        self.counts.received += 1;
        self.note(Some(conn), told(frame));
    }

    pub(super) fn see_eof(&mut self, conn: Conn, reset: bool) {
        if matches!(self.wires.insert(conn, Wire::Over), Some(Wire::Frames(_))) {
            self.note(Some(conn), What::Eof { reset });
        }
    }

    /// What cannot be read as frames is the end of reading.
    pub(super) fn see_broken(&mut self, conn: Conn) {
        if let Some(wire) = self.wires.get_mut(&conn) {
            *wire = Wire::Over;
        }
    }
}

/// A frame as an event.
pub(super) fn told(frame: &Frame) -> What {
    let code = (frame.opcode == Opcode::CLOSE).then(|| frame.close_code()).flatten();
    What::Frame { fin: frame.fin, opcode: frame.opcode.0, payload: Payload::of(&frame.payload), code }
}

/// Writes, and reads the answer meanwhile: one that comes early ends the writing. Err: TCP ended, with a reset if true.
async fn exchange(
    stream: &mut Stream,
    bytes: &[u8],
    first: Vec<u8>,
    is_head: bool,
) -> Result<(Answer, bool), bool> {
    let Stream { read, write } = stream;
    let mut is_written = false;
    let writing = async {
        is_written = write.write_all(bytes).await.is_ok();
        // Whatever became of it, the answer is what counts.
        std::future::pending::<()>().await;
    };
    let answer = tokio::select! {
        answer = read_answer(first, read, is_head) => answer,
        () = writing => unreachable!("writing does not end"),
    };
    match answer {
        Ok(answer) => Ok((answer, is_written)),
        Err(error) => Err(matches!(error, crate::raw::HandshakeError::Io(_))),
    }
}

async fn read_frames(mut read: ReadSide, mut decoder: Decoder, inbox: Inbox) {
    loop {
        match decoder.frame() {
            Ok(Some(frame)) => inbox.put(Seen::Frame(frame)),
            Ok(None) => match read.read_buf(decoder.buffer()).await {
                Ok(0) => return inbox.put(Seen::Eof(false)),
                Ok(_) => {}
                Err(_) => return inbox.put(Seen::Eof(true)),
            },
            Err(error) => return inbox.put(Seen::Broken(error.to_string())),
        }
    }
}

/// The bytes of a request.
fn spelled(request: &HttpRequest, path: &str, host: &str, body: Option<&[u8]>) -> Vec<u8> {
    let HttpRequest { method, minor, fields, .. } = request;
    let path = request.path.as_deref().unwrap_or(path);
    let fields: String = fields.iter().flat_map(|(name, value)| [name, ": ", value, "\r\n"]).collect();
    let head = format!("{method} {path} HTTP/1.{minor}\r\nHost: {host}\r\n{fields}");
    let (Some(bytes), Some(HttpBody { chunk, .. })) = (body, &request.body) else {
        return format!("{head}\r\n").into_bytes();
    };
    if *chunk == 0 {
        let head = format!("{head}Content-Length: {}\r\n\r\n", bytes.len());
        return [head.as_bytes(), bytes].concat();
    }
    let mut all = format!("{head}Transfer-Encoding: chunked\r\n\r\n").into_bytes();
    for part in bytes.chunks(*chunk) {
        all.extend_from_slice(format!("{:x}\r\n", part.len()).as_bytes());
        all.extend_from_slice(part);
        all.extend_from_slice(b"\r\n");
    }
    all.extend_from_slice(b"0\r\n\r\n");
    all
}

/// The bytes of a frame.
fn encode(sent: &Sent, payload: Vec<u8>, to: &mut Vec<u8>) {
    let mask = sent.masked.then(|| fastrand::u32(..).to_be_bytes());
    if let Some(length) = sent.claims {
        to.push(u8::from(sent.fin) << 7 | sent.rsv << 4 | sent.opcode);
        to.push(u8::from(sent.masked) << 7 | 127);
        to.extend_from_slice(&length.to_be_bytes());
        to.extend(mask.into_iter().flatten());
        return;
    }
    let frame = Frame { fin: sent.fin, rsv: sent.rsv, opcode: Opcode(sent.opcode), payload };
    frame.encode(mask, to);
}
