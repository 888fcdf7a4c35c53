//! The members of one topic or filter, and the numbers by which members find their way back.

use slab::Slab;

/// A growing and shrinking set of members in one block of memory, so that a fan-out is one sweep.
///
/// Members leave by swapping with the last one: the order *among receivers* carries no promise, only the
/// order of messages does.
pub(super) struct Group<M> {
    members: Vec<(usize, M)>,
}

impl<M> Group<M> {
    pub(super) const fn new() -> Self {
        Self { members: Vec::new() }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = &(usize, M)> {
        self.members.iter()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }
}

/// Where a member sits: the number of its group, and its place there.
struct Seat {
    group: usize,
    place: usize,
}

/// All members of a pattern by number. A number is given out again only after its member has left.
pub(super) struct Seats(Slab<Seat>);

impl Seats {
    pub(super) const fn new() -> Self {
        Self(Slab::new())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// The number of the group where the member sits.
    pub(super) fn group_of(&self, member: usize) -> Option<usize> {
        self.0.get(member).map(|seat| seat.group)
    }

    /// Seats a new member in `group`, which has the number `number`.
    pub(super) fn join<M>(&mut self, number: usize, group: &mut Group<M>, value: M) -> usize {
        let member = self.0.insert(Seat { group: number, place: group.members.len() });
        group.members.push((member, value));
        member
    }

    /// Removes a member from the group where it sits.
    pub(super) fn leave<M>(&mut self, member: usize, group: &mut Group<M>) {
        let Some(seat) = self.0.try_remove(member) else { return };
        group.members.swap_remove(seat.place);
        if let Some(&(moved, _)) = group.members.get(seat.place) {
            self.0[moved].place = seat.place;
        }
        if group.members.capacity() > 64 && group.members.len() < group.members.capacity() / 4 {
            group.members.shrink_to(group.members.len() * 2);
        }
    }
}
