//! What happened in one run of a script, as clients saw it. Judges read this and nothing else.
//!
//! A history is a list of events in the order in which the one executor learnt of them. As a file it is JSON lines:
//! the first line is the head, each other line an event.

use std::io::{self, BufRead, Write};

use serde::{Deserialize, Serialize};

use crate::fault::Disturbance;
use crate::launch::Wanted;
use crate::model::{
    Answer, Blob, Door, Form, Give, Group, HttpRequest, Identity, Kind, Line, Notice, Payload, Request, Sent,
};
use crate::namespace::Namespace;

/// The number of a connection within its history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Conn(pub u32);

/// How sure a driver is that a barrier holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Proof {
    /// The protocol has no such barrier; time was given instead.
    Guessed,
    /// An answer of the broker proves it.
    Proved,
}

/// How a connection goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Leave {
    /// As its protocol asks for.
    Handshake,
    /// The socket is closed without a word.
    Abrupt,
}

/// What somebody waited for in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Wait {
    /// That the broker has read all that was sent.
    Ingress,
    /// A message.
    Delivery,
    /// The answer to a request, or what leads to it; or to a ping.
    Answer,
    /// The reply to the close handshake.
    CloseReply,
    /// That the socket takes more bytes.
    Room,
    /// The end of TCP behind a Close frame; or of a connection, whoever ends it.
    End,
    /// That the broker has stopped.
    Stop,
}

/// What is wrong with a message of the broker that can be understood nevertheless.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Fault {
    /// What is absent is not left out, but null.
    Null,
    /// It has another form than its protocol lays down.
    Form,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Microseconds since the begin of the run.
    pub at_us: u64,
    /// Whom it is about; nobody: the run as a whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conn: Option<Conn>,
    /// What it is.
    #[serde(flatten)]
    pub what: What,
}

/// What may happen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum What {
    /// A client begins to open.
    Opening {
        /// Where.
        door: Door,
    },
    /// It is in.
    Opened {
        /// That it is a member.
        proof: Proof,
    },
    /// It is not.
    Refused {
        /// The HTTP status, if there was an answer.
        status: Option<u16>,
        /// In words.
        why: String,
    },
    /// A client begins to send.
    Sending {
        /// The number among what this connection sends, from 0.
        number: u32,
        /// Text or binary.
        kind: Kind,
        /// What.
        payload: Payload,
        /// In how many frames.
        pieces: u8,
    },
    /// The broker has read all that this connection had sent.
    Flushed {
        /// That it has.
        proof: Proof,
    },
    /// A message arrived.
    Received {
        /// Text or binary.
        kind: Kind,
        /// What.
        payload: Payload,
    },
    /// A client begins to leave.
    Leaving {
        /// How.
        how: Leave,
    },
    /// It is gone, as it wished.
    Left {
        /// The code of the reply.
        code: Option<u16>,
    },
    /// The broker ended the connection by itself.
    Ended {
        /// The code of its Close frame, if there was one.
        code: Option<u16>,
    },
    /// The broker sent what its protocol forbids.
    Broken {
        /// In words.
        why: String,
    },
    /// A client sends a request, word by word.
    Requested {
        /// Whose address it asks for.
        door: Door,
        /// What.
        request: HttpRequest,
    },
    /// The answer to it.
    Responded {
        /// Its status.
        status: u16,
        /// Its fields, their names in small letters.
        fields: Vec<(String, String)>,
        /// Its body.
        body: Payload,
    },
    /// A client writes frames, bit by bit. They are numbered from 0 over all that the connection writes.
    Wrote {
        /// What.
        frames: Vec<Sent>,
    },
    /// A frame arrived at a client that writes frames.
    Frame {
        /// The last of its message.
        fin: bool,
        /// Its opcode.
        opcode: u8,
        /// What it carries.
        payload: Payload,
        /// The code of a Close frame.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        code: Option<u16>,
    },
    /// TCP ended at a client that asks and writes.
    Eof {
        /// With a reset, which may have swallowed what came before.
        reset: bool,
    },
    /// A deadline passed.
    Missed {
        /// What was waited for.
        wait: Wait,
    },
    /// What was declared of the broker: the first event of a history.
    Declared {
        /// The longest message, in bytes.
        max_message: usize,
        /// Whether queues take strict turns, and are not only fair; so it was where nothing is said.
        #[serde(default = "yes", skip_serializing_if = "Clone::clone")]
        strict_turns: bool,
    },
    /// The broker gave the client a name.
    Named {
        /// By which others know it.
        #[serde(flatten)]
        identity: Identity,
    },
    /// A client asks for something.
    Asked {
        /// The number among what this connection asks for, from 0.
        number: u32,
        /// What.
        request: Request,
        /// What is published or called with.
        payload: Payload,
    },
    /// The broker answered a request.
    Answered {
        /// Its number.
        number: u32,
        /// How.
        answer: Answer,
    },
    /// An answer came that belongs to no request.
    Unasked {
        /// In words.
        what: String,
    },
    /// An event came.
    Notified {
        /// Of which subscription.
        subscription: u64,
        /// The id of the publication.
        publication: u64,
        /// The topic, if it is told, behind the namespace.
        topic: Option<String>,
        /// Who published it, if that is told.
        publisher: Option<u64>,
        /// What.
        payload: Payload,
    },
    /// A call came.
    Invoked {
        /// Its number, as the broker counts.
        invocation: u64,
        /// Of which registration.
        registration: u64,
        /// The procedure, if it is told, behind the namespace.
        procedure: Option<String>,
        /// Whether parts of the result are welcome.
        progress: bool,
        /// Whether more pieces follow.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        more: bool,
        /// Who called, if that is told.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        caller: Option<Identity>,
        /// With what.
        payload: Payload,
    },
    /// The broker takes a call back.
    Interrupted {
        /// Its number, as the broker counts.
        invocation: u64,
    },
    /// A callee answers.
    Gave {
        /// The number among all answers of this case, from 1,000,000.
        number: u32,
        /// What it answers.
        invocation: u64,
        /// How.
        give: Give,
        /// What.
        payload: Payload,
    },
    /// Something happened to others.
    Noticed {
        /// What.
        notice: Notice,
    },
    /// The broker took it out of a group.
    Revoked {
        /// Of which kind.
        group: Group,
        /// Which.
        id: u64,
        /// Why.
        reason: Option<String>,
    },
    /// The broker sends it away.
    Dismissed {
        /// Why.
        reason: String,
        /// In words.
        message: Option<String>,
    },
    /// A message was not what it should be, and could be understood.
    Improper {
        /// In what.
        fault: Fault,
        /// In words.
        why: String,
    },
    /// The broker was started for this case, and told this.
    Launched {
        /// What.
        wanted: Wanted,
    },
    /// A connection is disturbed on its way.
    Disturbed {
        /// How.
        how: Disturbance,
    },
    /// The broker is killed.
    Killed,
    /// The broker is asked to stop.
    Stopping,
    /// It has stopped.
    Stopped {
        /// With this status; none: a signal ended it.
        status: Option<i32>,
    },
    /// It was started again.
    Restarted,
    /// It does not start again.
    Dead {
        /// Why.
        why: String,
    },
    /// A client begins to open a connection on which messages are said one by one. How the broker meets it is the answer
    /// to a request, or octets that are heard.
    Connecting {
        /// How.
        line: Line,
    },
    /// A client says a message there.
    Said {
        /// How it is carried.
        form: Form,
        /// All of it.
        message: Blob,
    },
    /// It hears one.
    Heard {
        /// How it was carried.
        form: Form,
        /// All of it.
        message: Blob,
    },
    /// All that can be proved to be there is there. What arrives behind this is late.
    Settled,
}

/// The events of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct History {
    /// What its payloads and topics begin with.
    pub namespace: Namespace,
    /// The check whose script it was.
    pub check: String,
    /// In order.
    pub events: Vec<Event>,
}

/// The first line of the file.
#[derive(Serialize, Deserialize)]
struct Head {
    history: u32,
    namespace: Namespace,
    check: String,
}

fn yes() -> bool {
    true
}

/// The version of the form of files.
const VERSION: u32 = 1;

impl History {
    /// An empty one.
    pub fn new(namespace: Namespace, check: &str) -> Self {
        Self { namespace, check: check.to_owned(), events: Vec::new() }
    }

    /// Reads one.
    ///
    /// # Errors
    /// What the reader says, or a line that is none of this form.
    pub fn read(from: impl BufRead) -> io::Result<Self> {
        let mut lines = from.lines();
        let head = lines.next().ok_or(io::ErrorKind::UnexpectedEof)??;
        let Head { history, namespace, check } = serde_json::from_str(&head)?;
        if history != VERSION {
            let text = format!("the history has version {history}; this program reads {VERSION}");
            return Err(io::Error::new(io::ErrorKind::InvalidData, text));
        }
        let events = lines.map(|line| Ok(serde_json::from_str(&line?)?)).collect::<io::Result<_>>()?;
        Ok(Self { namespace, check, events })
    }

    /// Writes it.
    ///
    /// # Errors
    /// What the writer says.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        let head = Head { history: VERSION, namespace: self.namespace.clone(), check: self.check.clone() };
        writeln!(to, "{}", serde_json::to_string(&head)?)?;
        self.events.iter().try_for_each(|event| writeln!(to, "{}", serde_json::to_string(event)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Role, Topic};

    #[test]
    fn a_history_is_read_back_as_it_was_written() {
        let mut history = History::new(Namespace::numbered(1, 2), "bus.exchange");
        let door = Door::new(Role::Bus, Topic::new("a/é"));
        let all = [
            What::Opening { door },
            What::Opened { proof: Proof::Proved },
            What::Sending { number: 0, kind: Kind::Text, payload: Payload::of(b"x"), pieces: 1 },
            What::Received { kind: Kind::Binary, payload: Payload::of(&[0xff, 0]) },
            What::Missed { wait: Wait::CloseReply },
            What::Left { code: None },
        ];
        for (at_us, what) in all.into_iter().enumerate() {
            history.events.push(Event { at_us: at_us as u64, conn: Some(Conn(1)), what });
        }
        history.events.push(Event { at_us: 9, conn: None, what: What::Settled });
        let mut file = Vec::new();
        history.write(&mut file).unwrap();
        assert_eq!(History::read(&*file).unwrap(), history);
        assert!(History::read(&b"{\"history\":2,\"namespace\":\"z\",\"check\":\"\"}"[..]).is_err());
    }
}
