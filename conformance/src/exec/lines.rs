//! Lines: connections on which messages are said one by one.

use std::collections::BTreeMap;

use tokio::time::timeout;

use super::stage::Stage;
use super::{ExecError, fatal};
use crate::driver::{Greeting, Inbox, Speaker, Speaking, Spelled};
use crate::history::{Conn, Wait, What};
use crate::model::{Blob, Form, Line, Message, Payload};
use crate::raw::wamp::Value;

/// All of a run.
pub(super) type Lines = BTreeMap<Conn, Spoken>;

/// One line.
pub(super) struct Spoken {
    /// None: it is over.
    speaker: Option<Box<dyn Speaker>>,
    /// What came.
    heard: Vec<Vec<Value>>,
    /// How much of that lies before what was waited for last.
    heeded: usize,
}

impl Stage<'_> {
    /// Opens a line, and notes how it was greeted.
    pub(super) async fn connect(&mut self, conn: Conn, line: &Line) -> Result<(), ExecError> {
        self.note(Some(conn), What::Connecting { line: line.clone() });
        self.counts.connects += 1;
        let namespace = self.history.namespace.clone();
        let speaking = Speaking { line, namespace: &namespace };
        let inbox = Inbox::new(conn, self.to.clone());
        let opened = timeout(self.timing.deadline, self.driver.speak(self.target, &speaking, inbox)).await;
        let met = match opened {
            Ok(Ok(met)) => met,
            Ok(Err(error)) => {
                if let Some(fatal) = fatal(&error) {
                    return Err(fatal);
                }
                self.note(Some(conn), What::Refused { status: None, why: error.to_string() });
                return Ok(());
            }
            Err(_) => {
                self.counts.waited += self.timing.deadline;
                self.note(Some(conn), What::Missed { wait: Wait::Answer });
                return Ok(());
            }
        };
        self.note(
            Some(conn),
            match met.greeting {
                Greeting::Http { status, fields, body } => {
                    What::Responded { status, fields, body: Payload::of(&body) }
                }
                Greeting::Octets(octets) => What::Heard { form: Form::Octets, message: Blob(octets) },
            },
        );
        self.lines.insert(conn, Spoken { speaker: met.speaker, heard: Vec::new(), heeded: 0 });
        Ok(())
    }

    /// Says messages, all at once. On a line that is over nothing is said.
    pub(super) async fn tell(&mut self, conn: Conn, messages: &[Message]) {
        self.drain();
        let Some(Spoken { speaker: Some(speaker), heard, .. }) = self.lines.get_mut(&conn) else { return };
        let spelled: Vec<Spelled> = messages.iter().map(|message| speaker.spell(message, heard)).collect();
        for one in &spelled {
            self.note(Some(conn), What::Said { form: one.form, message: Blob(one.bytes.clone()) });
        }
        self.counts.sent += spelled.len() as u64;
        let deadline = self.timing.deadline;
        let Some(Spoken { speaker: Some(speaker), .. }) = self.lines.get_mut(&conn) else { return };
        let written = timeout(deadline, speaker.write(&spelled)).await;
        self.written(conn, &written);
    }

    /// Waits for a message that begins so, behind the last one that was waited for, or the end of the line.
    pub(super) async fn heed(&mut self, conn: Conn, begins: &[Value]) {
        let place = |stage: &Self| {
            let line = stage.lines.get(&conn)?;
            let heard = line.heard.iter().skip(line.heeded);
            heard.clone().position(|message| message.starts_with(begins)).map(|place| line.heeded + place + 1)
        };
        let is_over = |stage: &Self| stage.lines.get(&conn).is_none_or(|line| line.speaker.is_none());
        if !self.until(|stage| place(stage).is_some() || is_over(stage)).await {
            self.note(Some(conn), What::Missed { wait: Wait::Answer });
        }
        if let (Some(place), Some(line)) = (place(self), self.lines.get_mut(&conn)) {
            line.heeded = place;
        }
    }

    pub(super) fn is_line_open(&self, conn: Conn) -> bool {
        self.lines.get(&conn).is_some_and(|line| line.speaker.is_some())
    }

    pub(super) fn see_heard(&mut self, conn: Conn, form: Form, bytes: Vec<u8>, items: Vec<Value>) {
        self.counts.received += 1;
        if let Some(line) = self.lines.get_mut(&conn) {
            line.heard.push(items);
        }
        self.note(Some(conn), What::Heard { form, message: Blob(bytes) });
    }

    /// Whether there was a line, which is over now.
    pub(super) fn see_line_over(&mut self, conn: Conn) -> bool {
        self.lines.get_mut(&conn).is_some_and(|line| line.speaker.take().is_some())
    }
}
