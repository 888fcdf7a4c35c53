//! A map from numbers that mostly count up.

use std::collections::VecDeque;

/// A sorted row of numbers and what they stand for. New numbers are mostly the largest and old ones leave mostly
/// first, so a row beats a tree in time, in room and in the size of its code.
#[derive(Debug)]
pub(super) struct Table<T>(VecDeque<(u64, T)>);

impl<T> Table<T> {
    pub(super) fn new() -> Self {
        Table(VecDeque::new())
    }

    fn place(&self, number: u64) -> Result<usize, usize> {
        // The usual insertion is at the end.
        match self.0.back() {
            Some((last, _)) if *last < number => Err(self.0.len()),
            None => Err(0),
            Some(_) => self.0.binary_search_by_key(&number, |(number, _)| *number),
        }
    }

    /// Puts a thing in, in place of what was there.
    pub(super) fn insert(&mut self, number: u64, thing: T) {
        match self.place(number) {
            Ok(place) => self.0[place].1 = thing,
            Err(place) => self.0.insert(place, (number, thing)),
        }
    }

    pub(super) fn remove(&mut self, number: u64) -> Option<T> {
        let place = self.place(number).ok()?;
        self.0.remove(place).map(|(_, thing)| thing)
    }

    pub(super) fn get(&self, number: u64) -> Option<&T> {
        let place = self.place(number).ok()?;
        Some(&self.0[place].1)
    }

    pub(super) fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        let place = self.place(number).ok()?;
        Some(&mut self.0[place].1)
    }

    /// The numbers of the things that are `wanted`, in order, as they are now.
    pub(super) fn numbers(&self, wanted: impl Fn(&T) -> bool) -> Vec<u64> {
        self.0.iter().filter(|(_, thing)| wanted(thing)).map(|(number, _)| *number).collect()
    }

    pub(super) fn values_mut(&mut self) -> impl Iterator<Item = &mut T> {
        self.0.iter_mut().map(|(_, thing)| thing)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::Table;

    #[test]
    fn what_was_put_in_is_found_whatever_the_order() {
        let mut table = Table::new();
        for number in [5_u64, 1, 9, 3, 9] {
            table.insert(number, number * 10);
        }
        assert_eq!(table.numbers(|_| true), [1, 3, 5, 9]);
        assert_eq!((table.get(9), table.get(4)), (Some(&90), None));
        assert_eq!((table.remove(1), table.remove(1), table.remove(9)), (Some(10), None, Some(90)));
        assert_eq!(table.numbers(|_| true), [3, 5]);
    }
}
