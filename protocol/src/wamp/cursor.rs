//! Where a walk over a binary serializer is, and how deep: what `MessagePack` and CBOR have in common.

use super::DecodeError;

/// A place in the bytes of a message.
pub(crate) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
    max_depth: usize,
    depth: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(bytes: &'a [u8], max_depth: usize) -> Self {
        Cursor { bytes, at: 0, max_depth, depth: 0 }
    }

    /// How many bytes lie behind.
    pub(crate) fn at(&self) -> usize {
        self.at
    }

    /// The next byte, if there is one.
    pub(crate) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Steps over the next byte if it is this one.
    #[cfg(feature = "cbor")]
    pub(crate) fn skip(&mut self, byte: u8) -> bool {
        let there = self.peek() == Some(byte);
        self.at += usize::from(there);
        there
    }

    #[inline]
    pub(crate) fn take(&mut self, len: usize) -> Result<&'a [u8], DecodeError> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..len).ok_or(DecodeError::Truncated { at: self.at })?;
        self.at += len;
        Ok(taken)
    }

    /// A big-endian number of `size` bytes: 1, 2, 4 or 8.
    #[inline]
    pub(crate) fn unsigned(&mut self, size: usize) -> Result<u64, DecodeError> {
        Ok(self.take(size)?.iter().fold(0, |number, &byte| number << 8 | u64::from(byte)))
    }

    /// Goes one level down, to `values` values: each has at least a byte.
    pub(crate) fn enter(&mut self, values: usize) -> Result<(), DecodeError> {
        if self.depth == self.max_depth {
            return Err(DecodeError::TooDeep { max_depth: self.max_depth });
        }
        if values > self.bytes.len() - self.at {
            return Err(DecodeError::Truncated { at: self.at });
        }
        self.depth += 1;
        Ok(())
    }

    /// Goes one level up again.
    pub(crate) fn leave(&mut self) {
        self.depth -= 1;
    }

    /// Nothing follows.
    pub(crate) fn end(&self) -> Result<(), DecodeError> {
        if self.at == self.bytes.len() { Ok(()) } else { Err(DecodeError::Trailing { at: self.at }) }
    }
}
