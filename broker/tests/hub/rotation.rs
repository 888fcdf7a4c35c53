//! The rules of the rotation, judged from who was served when: F1 to F4 of the conformance suite, and the order of
//! joining. There is no cursor here: the judge must not share the ideas of what it judges.

use crate::planted::Breach;

/// The pullers of one topic as a spectator sees them.
#[derive(Default)]
pub(crate) struct Rotation {
    /// In the order in which they joined.
    members: Vec<Member>,
    /// Whose turn it is; `None` while nobody is there.
    turn: Option<usize>,
    /// How many jobs were handed over so far.
    services: usize,
    /// Who was served since somebody last came, went or was not ready.
    window: Vec<usize>,
}

struct Member {
    name: usize,
    ready: bool,
    /// The number of services so far: when it joined, when it was last served (0: never), and when it was last seen
    /// not ready.
    joined: usize,
    served: usize,
    unready: Option<usize>,
    /// It answers its jobs; others get none that somebody waits for.
    answers: bool,
    /// The queue knows that it has no room.
    refused: bool,
}

impl Member {
    /// Whether it may have such a job.
    fn may_have(&self, done: bool) -> bool {
        self.answers || !done
    }

    /// Whether it was there and ready all the time since service `since`.
    fn stood_by(&self, since: usize) -> bool {
        self.ready && self.joined < since && self.unready.is_none_or(|at| at < since)
    }
}

impl Rotation {
    pub(crate) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    pub(crate) fn has_ready(&self) -> bool {
        self.members.iter().any(|member| member.ready)
    }

    /// Whether somebody is there who answers.
    pub(crate) fn has_answering(&self) -> bool {
        self.members.iter().any(|member| member.answers)
    }

    pub(crate) fn has_ready_answering(&self) -> bool {
        self.members.iter().any(|member| member.ready && member.answers)
    }

    pub(crate) fn join(&mut self, name: usize, ready: bool, answers: bool) {
        let unready = (!ready).then_some(self.services);
        let (joined, served, refused) = (self.services, 0, false);
        self.members.push(Member { name, ready, joined, served, unready, answers, refused });
        self.window.clear();
        if self.members.len() == 1 {
            self.turn = Some(name);
        }
    }

    pub(crate) fn leave(&mut self, name: usize) {
        if self.turn == Some(name) {
            self.turn = Some(self.after(name)).filter(|&next| next != name);
        }
        self.members.retain(|member| member.name != name);
        self.window.clear();
    }

    pub(crate) fn set_ready(&mut self, name: usize, ready: bool, refused: bool) {
        let services = self.services;
        let member = self.members.iter_mut().find(|member| member.name == name).expect("a member");
        if !ready || !member.ready {
            member.unready = Some(services);
        }
        member.ready = ready;
        member.refused = refused;
    }

    /// A job found nobody who takes it.
    pub(crate) fn nobody_was_ready(&mut self) {
        self.window.clear();
    }

    /// Somebody was served, with a job that only those may have who answer (`done`), or with any: which rules does
    /// that break?
    pub(crate) fn serve(&mut self, name: usize, done: bool) -> Vec<Breach> {
        let mut breaches = Vec::new();
        self.check_window(name, done, &mut breaches);
        self.check_bypass(name, done, &mut breaches);
        self.check_newcomers(name, done, &mut breaches);
        self.check_turn(name, done, &mut breaches);
        self.services += 1;
        self.turn_goes_on(name, done);
        let services = self.services;
        self.member_mut(name).served = services;
        breaches
    }

    /// The turn goes on behind who was served; but if somebody was passed over only because the job was not for it,
    /// that one keeps the turn, and who was served goes behind everybody.
    fn turn_goes_on(&mut self, name: usize, done: bool) {
        let turn = self.turn.expect("a member has the turn");
        let passed = self
            .from(turn)
            .take_while(|member| member.name != name)
            .any(|member| done && !member.answers && !member.refused);
        if !passed {
            self.turn = Some(self.after(name));
            return;
        }
        let place = self.members.iter().position(|member| member.name == name).expect("a member");
        let served = self.members.remove(place);
        match self.members.iter().position(|member| member.name == turn).expect("a member has the turn") {
            0 => self.members.push(served),
            before => self.members.insert(before, served),
        }
    }

    /// Everybody, in the order of their turns.
    fn from(&self, turn: usize) -> impl Iterator<Item = &Member> {
        let start =
            self.members.iter().position(|member| member.name == turn).expect("a member has the turn");
        self.members[start..].iter().chain(&self.members[..start])
    }

    /// F1 and F2.
    fn check_window(&mut self, name: usize, done: bool, breaches: &mut Vec<Breach>) {
        if self.members.iter().any(|member| !member.ready || !member.may_have(done)) {
            self.window.clear();
            return;
        }
        self.window.push(name);
        let count = |wanted: usize| self.window.iter().filter(|&&served| served == wanted).count();
        let counts: Vec<usize> = self.members.iter().map(|member| count(member.name)).collect();
        let spread = counts.iter().max().zip(counts.iter().min()).map_or(0, |(most, least)| most - least);
        if spread > 1 {
            breaches.push(Breach::new("REQ-RR-003", format!("F1: served {counts:?} times in a window")));
        }
        let before = self.window.len().checked_sub(1 + self.members.len()).map(|place| self.window[place]);
        if before.is_some_and(|before| before != name) {
            breaches.push(Breach::new("REQ-RR-004", format!("F2: {name} in the place of {before:?}")));
        }
    }

    /// F3: between two turns of one, everybody who stood by has had a turn.
    fn check_bypass(&self, name: usize, done: bool, breaches: &mut Vec<Breach>) {
        let since = self.member(name).served;
        if since == 0 {
            return;
        }
        for other in self.members.iter().filter(|other| other.name != name) {
            if other.served < since && other.stood_by(since) && other.may_have(done) {
                let what = format!("F3: {name} has its second turn before {}", other.name);
                breaches.push(Breach::new("REQ-RR-005", what));
            }
        }
    }

    /// F4: nobody is served twice, and nobody who came later is served, before a newcomer is.
    fn check_newcomers(&self, name: usize, done: bool, breaches: &mut Vec<Breach>) {
        let member = self.member(name);
        let place = |name: usize| self.members.iter().position(|member| member.name == name);
        let waiting = |other: &&Member| {
            other.name != name && other.served == 0 && other.unready.is_none() && other.may_have(done)
        };
        for newcomer in self.members.iter().filter(waiting) {
            let twice = member.served > newcomer.joined;
            if twice || place(name) > place(newcomer.name) {
                let what = format!("F4: {name} before the newcomer {}", newcomer.name);
                breaches.push(Breach::new("REQ-RR-006", what));
            }
        }
    }

    /// Strict order: the turn goes round in the order of joining, and only those who are not ready are passed over.
    fn check_turn(&self, name: usize, done: bool, breaches: &mut Vec<Breach>) {
        let Some(turn) = self.turn else { return };
        let round = self.from(turn).take_while(|member| member.name != name);
        let due = round.into_iter().find(|member| member.ready && member.may_have(done));
        if let Some(due) = due {
            let what = format!("{name} is served in the turn of {}", due.name);
            breaches.push(Breach::new("REQ-RR-009", what));
        }
    }

    /// Who comes after a member; itself if it is alone.
    fn after(&self, name: usize) -> usize {
        let later = self.members.iter().skip_while(|member| member.name != name).nth(1);
        later.unwrap_or(&self.members[0]).name
    }

    fn member(&self, name: usize) -> &Member {
        self.members.iter().find(|member| member.name == name).expect("a member")
    }

    fn member_mut(&mut self, name: usize) -> &mut Member {
        self.members.iter_mut().find(|member| member.name == name).expect("a member")
    }
}
