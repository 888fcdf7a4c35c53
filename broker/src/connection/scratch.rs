//! The buffers of the writing and reading thread. A connection itself holds none.

use std::cell::RefCell;
use std::io::{self, IoSlice};

use bytes::Bytes;

use super::socket::Socket;

/// What one write carries at most, about, and what one read takes at most, in bytes.
const SIZE: usize = 64 * 1024;

/// Bytes from this size on are written from where they are instead of being copied. For small ones a copy is
/// cheaper than one more piece of a vectored write.
pub(super) const SHARE_FROM: usize = 4096;

/// Pieces of one vectored write; Linux takes 1024, and more than some dozens gain nothing.
const PIECES: usize = 64;

/// One write: copied bytes, with shared payloads between them.
#[derive(Default)]
pub(super) struct Scratch {
    copied: Vec<u8>,
    /// Each payload belongs behind so many copied bytes.
    shared: Vec<(usize, Bytes)>,
    shared_len: usize,
}

impl Scratch {
    /// Bytes of this write.
    pub(super) fn len(&self) -> usize {
        self.copied.len() + self.shared_len
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= SIZE || self.shared.len() >= PIECES / 2 - 1
    }

    pub(super) fn clear(&mut self) {
        self.copied.clear();
        self.shared.clear();
        self.shared_len = 0;
    }

    pub(super) fn copy(&mut self, bytes: &[u8]) {
        self.copied.extend_from_slice(bytes);
    }

    /// Puts bytes, without the first `skip` of them: few are copied, many are shared.
    pub(super) fn put(&mut self, bytes: &Bytes, skip: usize) {
        if bytes.len() < SHARE_FROM {
            self.copied.extend_from_slice(&bytes[skip..]);
        } else {
            let rest = bytes.slice(skip..);
            self.shared_len += rest.len();
            self.shared.push((self.copied.len(), rest));
        }
    }

    /// Shows the write as pieces, in order.
    pub(super) fn with_slices<R>(&self, look: impl FnOnce(&[IoSlice<'_>]) -> R) -> R {
        if self.shared.is_empty() {
            return look(&[IoSlice::new(&self.copied)]);
        }
        let mut pieces = [IoSlice::new(&[]); PIECES];
        let mut used = 0;
        let mut from = 0;
        for (at, payload) in &self.shared {
            pieces[used] = IoSlice::new(&self.copied[from..*at]);
            pieces[used + 1] = IoSlice::new(payload);
            used += 2;
            from = *at;
        }
        pieces[used] = IoSlice::new(&self.copied[from..]);
        look(&pieces[..=used])
    }

    pub(super) fn write_to(&self, socket: &Socket) -> io::Result<usize> {
        match (self.copied.is_empty(), &self.shared[..]) {
            (_, []) => return socket.try_write(&self.copied),
            (true, [(_, payload)]) => return socket.try_write(payload),
            _ => {}
        }
        self.with_slices(|pieces| socket.try_write_vectored(pieces))
    }
}

thread_local! {
    static WRITE: RefCell<Scratch> = RefCell::default();
    static READ: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Lends this thread's write buffer. Must not be called from within itself.
pub(super) fn with<R>(write: impl FnOnce(&mut Scratch) -> R) -> R {
    WRITE.with_borrow_mut(write)
}

/// Lends this thread's read buffer of 64 KiB. Must not be called from within itself.
pub(super) fn with_read_buffer<R>(read: impl FnOnce(&mut [u8]) -> R) -> R {
    READ.with_borrow_mut(|buffer| {
        buffer.resize(SIZE, 0);
        read(buffer)
    })
}
