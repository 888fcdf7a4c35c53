//! What the payloads that are kept take up, and whose they are.
//!
//! Two kinds are told apart. What callees do not have yet is *queued*: there is a bound for all together and a share
//! of it for each caller, and a call that exceeds them ends. What a callee has, but another one could begin with
//! (WAMP, Call Re-Routing), is *spare*: it is kept as long as there is room for it, and a call whose payload is not
//! kept is not sent on. So what some callers keep in reserve never stands in the way of the calls of others.

use super::calls::Call;
use super::{Dealer, Party};

/// In bytes.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) queued: usize,
    pub(super) spare: usize,
}

impl Kept {
    fn change(&mut self, old: Self, new: Self) {
        self.queued = self.queued + new.queued - old.queued;
        self.spare = self.spare + new.spare - old.spare;
    }
}

impl<T> Call<T> {
    /// Whether a callee is still to get something of it.
    fn has_more(&self) -> bool {
        self.unfinished || !self.pieces.is_empty()
    }

    fn uri_len(&self) -> usize {
        self.procedure.as_ref().map_or(0, |uri| uri.len())
    }

    fn keeps(&self) -> Kept {
        let uri = self.uri_len();
        let uri_if = |wanted: bool| if wanted { uri } else { 0 };
        Kept {
            queued: self.pieces_size + uri_if(self.has_more()),
            spare: self.again.as_ref().map_or(0, |piece| piece.size + uri_if(!self.has_more())),
        }
    }
}

impl<P: Party> Dealer<P> {
    /// Counts anew what a call keeps. Must follow each change of its pieces.
    pub(super) fn book(&mut self, key: usize) {
        let call = &mut self.calls[key];
        if !call.has_more() && call.again.is_none() {
            call.procedure = None;
        }
        let (caller, new) = (call.caller, call.keeps());
        let old = std::mem::replace(&mut call.booked, new);
        self.rebook(caller, old, new);
    }

    pub(super) fn rebook(&mut self, caller: usize, old: Kept, new: Kept) {
        self.kept.change(old, new);
        if let Some(caller) = self.members.get_mut(caller) {
            caller.kept.change(old, new);
        }
    }

    /// Whether a first piece of this size may be kept for another callee.
    pub(super) fn has_room_to_spare(&self, key: usize, size: usize) -> bool {
        let call = &self.calls[key];
        let more = size + call.uri_len();
        let own = self.members.get(call.caller).map_or(0, |caller| caller.kept.spare);
        own + more <= self.rules.max_spare_bytes && self.kept.spare + more <= self.rules.max_queued_bytes
    }

    /// Whether a call has something queued, though its caller, or all callers together, have too much of it.
    pub(super) fn keeps_too_much(&self, key: usize) -> bool {
        let call = &self.calls[key];
        let own = self.members.get(call.caller).map_or(0, |caller| caller.kept.queued);
        call.booked.queued > 0
            && (own > self.rules.max_caller_bytes || self.kept.queued > self.rules.max_queued_bytes)
    }
}
