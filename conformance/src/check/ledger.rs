//! A history put in order: who was where and when, what was sent, and who received it.
//!
//! "When" is a place in the list of events. All judges build on this; it judges nothing itself.

use std::collections::BTreeMap;

use crate::history::{Conn, History, Leave, Wait, What};
use crate::model::{Door, Kind, Payload, Role};

/// A connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Member {
    /// Its number.
    pub conn: Conn,
    /// Where it stood.
    pub door: Door,
    /// When it began to open.
    pub opening: usize,
    /// When it was in; never: it was refused.
    pub opened: Option<usize>,
    /// The status that refused it.
    pub refused: Option<u16>,
    /// When and how it began to leave.
    pub leaving: Option<(usize, Leave)>,
    /// When it was gone, whoever wanted that.
    pub over: Option<usize>,
    /// When the broker ended it by itself, and with what code.
    pub ended: Option<(usize, Option<u16>)>,
    /// What it waited for in vain, and when.
    pub missed: Vec<(usize, Wait)>,
    /// What the broker sent it that its protocol forbids.
    pub broken: Option<(usize, String)>,
}

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Who sent it.
    pub from: Conn,
    /// Its number among those.
    pub number: u32,
    /// Text or binary.
    pub kind: Kind,
    /// What.
    pub payload: Payload,
    /// In how many frames.
    pub pieces: u8,
    /// When it was sent.
    pub sent: usize,
    /// When it was proved that the broker had read it; never: it was not.
    pub consumed: Option<usize>,
}

/// A reception.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Who received it.
    pub to: Conn,
    /// When.
    pub at: usize,
    /// The message, by its place in [`Ledger::messages`].
    pub of: Origin,
    /// Text or binary.
    pub kind: Kind,
    /// What.
    pub payload: Payload,
}

/// Where something that was received comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// A message of this history.
    Message(usize),
    /// Another run of a script.
    Elsewhere,
    /// Nobody sent this.
    Nowhere,
}

/// Whether a message is due to somebody who is tied to its sender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Due {
    /// It was a member all the time.
    Must,
    /// It joined or left at that time.
    May,
    /// It joined after the broker had read the message.
    TooLate,
    /// It had left.
    Gone,
}

/// The history in order.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    /// Everybody, by number.
    pub members: BTreeMap<Conn, Member>,
    /// Everything sent, in order.
    pub messages: Vec<Message>,
    /// Everything received, in order.
    pub deliveries: Vec<Delivery>,
    /// When everything had arrived.
    pub settled: Option<usize>,
    /// How many events there are.
    pub len: usize,
}

impl Ledger {
    /// That of a history.
    pub fn of(history: &History) -> Self {
        let mut ledger = Self { len: history.events.len(), ..Self::default() };
        for (at, event) in history.events.iter().enumerate() {
            match event.conn {
                Some(conn) => ledger.see(history, at, conn, &event.what),
                None if event.what == What::Settled => ledger.settled = Some(at),
                None => {}
            }
        }
        ledger
    }

    fn see(&mut self, history: &History, at: usize, conn: Conn, what: &What) {
        if let What::Opening { door } = what {
            self.members.insert(conn, Member::new(conn, door.clone(), at));
            return;
        }
        if let What::Received { kind, payload } = what {
            let of = self.origin(history, conn, *kind, payload);
            let (kind, payload) = (*kind, payload.clone());
            return self.deliveries.push(Delivery { to: conn, at, of, kind, payload });
        }
        let Some(member) = self.members.get_mut(&conn) else { return };
        match what {
            What::Opened { .. } => member.opened = Some(at),
            What::Refused { status, .. } => member.refused = *status,
            What::Leaving { how } => member.leaving = Some((at, *how)),
            What::Left { .. } => {
                member.over = Some(at);
                // The reply to a Close frame proves that all before it was read.
                if matches!(member.leaving, Some((_, Leave::Handshake))) {
                    self.consume(conn, at);
                }
            }
            What::Ended { code } => {
                member.over = Some(at);
                member.ended = Some((at, *code));
            }
            What::Broken { why } => {
                member.over = Some(at);
                member.broken = Some((at, why.clone()));
            }
            What::Missed { wait } => {
                member.missed.push((at, *wait));
                if *wait == Wait::CloseReply {
                    member.over = Some(at);
                }
            }
            What::Sending { number, kind, payload, pieces } => self.messages.push(Message {
                from: conn,
                number: *number,
                kind: *kind,
                payload: payload.clone(),
                pieces: *pieces,
                sent: at,
                consumed: None,
            }),
            What::Flushed { .. } => self.consume(conn, at),
            // What requests are about, their families read themselves.
            _ => {}
        }
    }

    /// The broker has read all that this connection sent.
    fn consume(&mut self, conn: Conn, at: usize) {
        let of_conn = self.messages.iter_mut().rev().filter(|message| message.from == conn);
        for message in of_conn.take_while(|message| message.consumed.is_none()) {
            message.consumed = Some(at);
        }
    }

    /// A tag tells at once. Without one it is the oldest message with these bytes that this receiver does not have.
    fn origin(&self, history: &History, to: Conn, kind: Kind, payload: &Payload) -> Origin {
        if let Some(tag) = payload.tag() {
            if tag.namespace != history.namespace {
                return Origin::Elsewhere;
            }
            let is_it = |message: &Message| message.from == tag.conn && message.number == tag.number;
            return self.messages.iter().position(is_it).map_or(Origin::Nowhere, Origin::Message);
        }
        let same = |message: &Message| {
            message.payload.digest == payload.digest && message.payload.len == payload.len
        };
        let has = |index: usize| {
            self.deliveries.iter().any(|delivery| delivery.to == to && delivery.of == Origin::Message(index))
        };
        let candidates =
            || self.messages.iter().enumerate().filter(|(_, message)| same(message)).map(|(i, _)| i);
        let of_kind = |&index: &usize| self.messages[index].kind == kind;
        candidates()
            .filter(of_kind)
            .find(|&index| !has(index))
            .or_else(|| candidates().find(|&index| !has(index)))
            // One more than was sent: a duplicate of the last.
            .or_else(|| candidates().next_back())
            .map_or(Origin::Nowhere, Origin::Message)
    }

    /// Whether a message has to reach a member that is tied to its sender. What is on its way to somebody who leaves
    /// may be dropped: after a Close frame no data frame is sent (REQ-WS-006). It is due to a leaver only if something
    /// that the same sender sent later has reached it.
    pub fn due(&self, message: &Message, to: &Member) -> Due {
        let later = |delivery: &Delivery| match delivery.of {
            Origin::Message(index) => {
                let other = &self.messages[index];
                other.from == message.from && other.number > message.number
            }
            _ => false,
        };
        match self.presence(message, to) {
            Due::Must if to.leaving.is_some() => {
                let has_later =
                    self.deliveries.iter().any(|delivery| delivery.to == to.conn && later(delivery));
                if has_later { Due::Must } else { Due::May }
            }
            due => due,
        }
    }

    /// Whether a member was there when a message was routed, judged by time alone.
    pub fn presence(&self, message: &Message, to: &Member) -> Due {
        let Some(opened) = to.opened else { return Due::Gone };
        if message.consumed.is_some_and(|consumed| consumed < to.opening) {
            return Due::TooLate;
        }
        if to.over.is_some_and(|over| over < message.sent) {
            return Due::Gone;
        }
        let begins_to_go = to.leaving.map(|(at, _)| at).or(to.over);
        let stays = begins_to_go.is_none_or(|go| message.consumed.is_some_and(|consumed| consumed < go));
        // Of a sender that is gone otherwise nobody knows how far it was read.
        let was_read = message.consumed.is_some() || !self.is_over(message.from);
        if opened < message.sent && stays && was_read { Due::Must } else { Due::May }
    }

    fn is_over(&self, conn: Conn) -> bool {
        self.members.get(&conn).is_some_and(|member| member.over.is_some())
    }

    /// The deliveries of a message to a receiver.
    pub fn copies(&self, message: usize, to: Conn) -> impl Iterator<Item = &Delivery> {
        self.deliveries
            .iter()
            .filter(move |delivery| delivery.to == to && delivery.of == Origin::Message(message))
    }

    /// Those who had a role, in the order of opening.
    pub fn in_role(&self, role: Role) -> impl Iterator<Item = &Member> {
        self.members.values().filter(move |member| member.door.role == role)
    }

    /// Whether something was received behind the end of the case.
    pub fn is_late(&self, delivery: &Delivery) -> bool {
        self.settled.is_some_and(|settled| delivery.at > settled)
    }
}

impl Member {
    fn new(conn: Conn, door: Door, opening: usize) -> Self {
        Self {
            conn,
            door,
            opening,
            opened: None,
            refused: None,
            leaving: None,
            over: None,
            ended: None,
            missed: Vec::new(),
            broken: None,
        }
    }
}
