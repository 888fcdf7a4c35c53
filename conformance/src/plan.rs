//! What the executor does: steps that know nothing of any family or dialect. Each family turns its scripts into these.

use serde::Serialize;

use crate::fault::Disturbance;
use crate::history::{Conn, Leave};
use crate::launch::Wanted;
use crate::model::{Door, Fill, Give, HttpRequest, Kind, Line, Message, Request, Sent, Watched};
use crate::raw::wamp::Value;

/// How a topic is written in an address.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Spelling {
    /// As clients do: what an address may not hold is escaped.
    #[default]
    Usual,
    /// UTF-8 as it is, where an address can hold it.
    Raw,
    /// Every character escaped.
    Escaped,
}

/// One step. Connections are numbered by the plan.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Only as the first step: the case is of a broker that is started for it, and told this.
    Launch(Wanted),
    /// Opens a connection and waits until it is a member.
    Open {
        /// Its number.
        conn: Conn,
        /// Where.
        door: Door,
        /// How the address is written.
        spelling: Spelling,
    },
    /// Opens a connection at an address that is no topic; to be refused.
    Knock {
        /// Its number.
        conn: Conn,
        /// The door whose address the path is made from.
        door: Door,
        /// What is put behind it, as it is.
        suffix: String,
    },
    /// Sends a message, and does not wait.
    Send {
        /// By whom.
        conn: Conn,
        /// Text or binary.
        kind: Kind,
        /// What.
        fill: Fill,
        /// In how many frames, 1 or more.
        pieces: u8,
    },
    /// Waits until the broker has read all that was sent.
    Flush,
    /// Waits until somebody has received a certain message.
    Await {
        /// Who.
        conn: Conn,
        /// From whom.
        from: Conn,
        /// Its number.
        number: u32,
    },
    /// Asks for something, and does not wait. A connection counts what it asks for from 0.
    Ask {
        /// By whom.
        conn: Conn,
        /// For what.
        request: Request,
    },
    /// Waits for the last answer to a request.
    AwaitAnswer {
        /// Whose.
        conn: Conn,
        /// Its number.
        number: u32,
    },
    /// Waits until a call has reached a callee, whoever that is, which answers it then; a call that has its last answer is
    /// reached no more.
    Serve {
        /// Who called.
        caller: Conn,
        /// The number of its request.
        number: u32,
        /// What is answered, in this order.
        gives: Vec<Give>,
    },
    /// Waits until somebody has heard of something.
    AwaitNotice {
        /// Who.
        conn: Conn,
        /// Of what.
        awaited: Awaited,
    },
    /// Waits until the callee of a call was told that it is taken back, or the call has its last answer.
    AwaitInterrupt {
        /// Who called.
        caller: Conn,
        /// The number of its request.
        number: u32,
    },
    /// Sends a request word by word and waits for its answer: on a connection of its own the first time, on the same
    /// one after that. Behind a 101 the connection speaks frames. For drivers that have addresses ([`Driver::path`]).
    ///
    /// [`Driver::path`]: crate::driver::Driver::path
    Http {
        /// Its number, which is none of those that open.
        conn: Conn,
        /// Whose address is asked for.
        door: Door,
        /// What.
        request: HttpRequest,
    },
    /// Writes frames at once, and does not wait.
    Write {
        /// By whom; it asked before.
        conn: Conn,
        /// What.
        frames: Vec<Sent>,
    },
    /// Waits until the last ping written is answered, or the broker ends the connection.
    Hear {
        /// Whose.
        conn: Conn,
    },
    /// Ends a connection that speaks frames by a close handshake, or completes the broker's, and waits for the end of
    /// TCP.
    Finish {
        /// Which.
        conn: Conn,
    },
    /// Disturbs a connection on its way. Those that some step names so are opened through a proxy; for drivers that open
    /// each of them at the address of the target, which is the capability `tcp`.
    Disturb {
        /// Which.
        conn: Conn,
        /// How.
        how: Disturbance,
    },
    /// Opens a connection on which messages are said one by one.
    Connect {
        /// Its number, which is none of those that open.
        conn: Conn,
        /// How.
        line: Line,
    },
    /// Says messages at once, and does not wait.
    Tell {
        /// By whom; it connected before.
        conn: Conn,
        /// What.
        messages: Vec<Message>,
    },
    /// Waits for a message that begins with these values, behind the last one that was waited for, or for the end of the
    /// connection.
    Heed {
        /// Whose.
        conn: Conn,
        /// The begin.
        begins: Vec<Value>,
    },
    /// Waits until a connection is over, whoever ends it.
    AwaitEnd {
        /// Which.
        conn: Conn,
    },
    /// Waits until so many frames of a kind have come on a connection that speaks frames, or it is over.
    AwaitFrames {
        /// Which.
        conn: Conn,
        /// Their opcode.
        opcode: u8,
        /// How many, since it was opened.
        count: u32,
    },
    /// Has a pusher send one message after the other until so many in a row have reached somebody.
    AwaitTurns {
        /// Who pushes.
        conn: Conn,
        /// How many.
        turns: u32,
    },
    /// Kills the broker that was started for this case, as a power cut does, and waits until nobody is connected.
    Kill,
    /// Asks that broker to stop, and does not wait.
    Stop,
    /// Waits until that broker has stopped.
    AwaitStop,
    /// Starts that broker again where it was.
    Restart,
    /// Leaves, and waits until it is gone.
    Leave {
        /// Who.
        conn: Conn,
        /// How.
        how: Leave,
    },
}

/// What somebody is to hear of without having asked there and then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// That this happened to, or by, this connection so many times.
    Happened(Watched, Conn, u32),
    /// That it was taken out of a group.
    Revoked,
    /// The event that this connection's request of this number was to bring.
    Event(Conn, u32),
    /// That the broker ended its connection.
    End,
}

/// The steps of a case. At its end the executor settles: it waits until everything that is due can be proved to have
/// arrived.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    /// In order.
    pub steps: Vec<Step>,
    /// Whether everything sent is flushed before somebody joins or leaves. Without this the judges know less for
    /// sure, and the broker is busier.
    pub flush_before_changes: bool,
}

impl Plan {
    /// A plan that flushes before changes.
    pub fn new(steps: Vec<Step>) -> Self {
        Self { steps, flush_before_changes: true }
    }
}

impl Step {
    /// Opens at a door with the usual spelling.
    pub fn open(conn: Conn, door: Door) -> Self {
        Self::Open { conn, door, spelling: Spelling::Usual }
    }

    /// Sends a short tagged text.
    pub fn say(conn: Conn) -> Self {
        Self::Send { conn, kind: Kind::Text, fill: Fill::Tagged(24), pieces: 1 }
    }

    /// Asks for something.
    pub fn ask(conn: Conn, request: Request) -> Self {
        Self::Ask { conn, request }
    }

    /// Leaves by handshake.
    pub fn leave(conn: Conn) -> Self {
        Self::Leave { conn, how: Leave::Handshake }
    }
}
