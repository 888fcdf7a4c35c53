//! Maps from numbers that mostly count up, and from names.
//!
//! New numbers are mostly the largest and old ones leave mostly first, so a row in order beats a tree in time, in room
//! and in the size of its code. Only the row is searched and moved, so that this code is there once, and not for each
//! type of thing.

use std::collections::VecDeque;

/// Pairs of a number and the place of its thing, in the order of the numbers.
#[derive(Debug)]
struct Row(VecDeque<(u64, usize)>);

impl Row {
    fn find(&self, number: u64) -> Result<usize, usize> {
        // The usual insertion is at the end.
        match self.0.back() {
            Some((last, _)) if *last < number => Err(self.0.len()),
            None => Err(0),
            Some(_) => self.0.binary_search_by_key(&number, |(number, _)| *number),
        }
    }

    fn place(&self, number: u64) -> Option<usize> {
        let at = self.find(number).ok()?;
        Some(self.0[at].1)
    }

    fn numbers(&self) -> Vec<u64> {
        self.0.iter().map(|(number, _)| *number).collect()
    }

    fn remove(&mut self, number: u64) -> Option<usize> {
        let at = self.find(number).ok()?;
        self.0.remove(at).map(|(_, place)| place)
    }
}

/// Things by number.
#[derive(Debug)]
pub(super) struct Table<T> {
    row: Row,
    things: Vec<Option<T>>,
    /// The places in `things` that are free.
    free: Vec<usize>,
}

impl<T> Table<T> {
    pub(super) fn new() -> Self {
        Table { row: Row(VecDeque::new()), things: Vec::new(), free: Vec::new() }
    }

    /// Puts a thing in, in place of what was there.
    pub(super) fn insert(&mut self, number: u64, thing: T) {
        let at = match self.row.find(number) {
            Ok(at) => {
                let (_, place) = self.row.0[at];
                self.things[place] = Some(thing);
                return;
            }
            Err(at) => at,
        };
        let place = self.free.pop().unwrap_or(self.things.len());
        self.row.0.insert(at, (number, place));
        if place == self.things.len() {
            self.things.push(Some(thing));
        } else {
            self.things[place] = Some(thing);
        }
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<T> {
        let place = self.row.remove(number)?;
        self.free.push(place);
        self.things[place].take()
    }

    pub(super) fn get(&self, number: u64) -> Option<&T> {
        self.things[self.row.place(number)?].as_ref()
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        self.things[self.row.place(number)?].as_mut()
    }

    /// The numbers of all things, in order.
    pub(super) fn numbers(&self) -> Vec<u64> {
        self.row.numbers()
    }

    /// All, in order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        self.row.0.iter().filter_map(|&(number, place)| Some((number, self.things[place].as_ref()?)))
    }

    /// All, in any order.
    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.things.iter_mut().flatten()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.row.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        *self = Table::new();
    }
}

/// Numbers by name.
#[derive(Debug)]
pub(super) struct Names<N>(Vec<(N, u64)>);

impl<N: Ord> Names<N> {
    pub(super) fn new() -> Self {
        Names(Vec::new())
    }

    fn find(&self, name: &N) -> Result<usize, usize> {
        self.0.binary_search_by(|(other, _)| other.cmp(name))
    }

    pub(super) fn get(&self, name: &N) -> Option<u64> {
        self.find(name).ok().map(|at| self.0[at].1)
    }

    /// Gives a name to a number, which takes it from another one.
    pub(super) fn insert(&mut self, name: N, number: u64) {
        match self.find(&name) {
            Ok(at) => self.0[at].1 = number,
            Err(at) => self.0.insert(at, (name, number)),
        }
    }

    pub(super) fn remove(&mut self, name: &N) {
        if let Ok(at) = self.find(name) {
            self.0.remove(at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Names, Table};

    #[test]
    fn what_was_put_in_is_found_whatever_the_order() {
        let mut table = Table::new();
        for number in [5_u64, 1, 9, 3, 9] {
            table.insert(number, number * 10);
        }
        assert_eq!(table.numbers(), [1, 3, 5, 9]);
        assert_eq!((table.get(9), table.get(4)), (Some(&90), None));
        assert_eq!((table.remove(1), table.remove(1), table.remove(9)), (Some(10), None, Some(90)));
        assert_eq!(table.numbers(), [3, 5]);
    }

    #[test]
    fn places_are_used_again() {
        let mut table = Table::new();
        for number in 0..1000_u64 {
            table.insert(number, number);
            if number >= 10 {
                assert_eq!(table.remove(number - 10), Some(number - 10));
            }
        }
        assert_eq!(table.things.len(), 11);
        assert_eq!(table.numbers(), (990..1000).collect::<Vec<u64>>());
    }

    #[test]
    fn a_name_has_one_number() {
        let mut names = Names::new();
        for (name, number) in [("b", 1), ("a", 2), ("c", 3), ("b", 4)] {
            names.insert(name, number);
        }
        names.remove(&"c");
        names.remove(&"d");
        assert_eq!(["a", "b", "c"].map(|name| names.get(&name)), [Some(2), Some(4), None]);
    }
}
