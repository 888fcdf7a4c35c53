//! Headers of lists and dicts whose length is known only at their end.
//!
//! JSON and indefinite CBOR do not say how long a list is, `MessagePack` and definite CBOR say it first. Nearly all
//! lists are short and their header is one byte, so one byte is left free and filled in at the end. The longer
//! headers are noted and inserted all at once: each byte of the output moves at most once, however deep it is.

/// A header: at most nine bytes.
#[derive(Clone, Copy)]
pub(crate) struct Header {
    bytes: [u8; 9],
    len: u8,
}

impl Header {
    /// A header of one byte.
    pub(crate) fn byte(byte: u8) -> Header {
        Header { bytes: [byte, 0, 0, 0, 0, 0, 0, 0, 0], len: 1 }
    }

    /// The byte `marker` and the lowest `size` bytes of `number`, big-endian. `size` is 0 to 8.
    pub(crate) fn sized(marker: u8, number: u64, size: usize) -> Header {
        let mut header = Header::byte(marker);
        header.bytes[1..=size].copy_from_slice(&number.to_be_bytes()[8 - size..]);
        header.len += size as u8;
        header
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        &self.bytes[..usize::from(self.len)]
    }
}

/// The headers longer than one byte that were not known in time.
#[derive(Default)]
struct LateHeaders {
    /// Where the first byte of each is in the output, and the header.
    headers: Vec<(usize, Header)>,
}

impl LateHeaders {
    /// The mark of a list whose header was written at its begin.
    const KNOWN: usize = usize::MAX;

    /// Writes the header if it is known, else a free byte. The result is the mark for `close`.
    fn open(out: &mut Vec<u8>, header: Option<Header>) -> usize {
        if let Some(header) = header {
            out.extend_from_slice(header.as_slice());
            return Self::KNOWN;
        }
        out.push(0);
        out.len() - 1
    }

    /// Fills the free byte at `mark` and notes what does not fit.
    fn close(&mut self, out: &mut [u8], mark: usize, header: impl FnOnce() -> Header) {
        if mark == Self::KNOWN {
            return;
        }
        let header = header();
        out[mark] = header.bytes[0];
        if header.len > 1 {
            self.headers.push((mark, header));
        }
    }

    /// Inserts what was noted, from the end of `out` to its begin.
    fn insert(mut self, out: &mut Vec<u8>) {
        self.headers.sort_unstable_by_key(|(mark, _)| *mark);
        let mut end = out.len();
        let more: usize = self.headers.iter().map(|(_, header)| usize::from(header.len) - 1).sum();
        out.resize(end + more, 0);
        let mut target = out.len();
        for (mark, header) in self.headers.into_iter().rev() {
            let begin = mark + 1;
            target -= end - begin;
            out.copy_within(begin..end, target);
            let rest = &header.as_slice()[1..];
            target -= rest.len();
            out[target..target + rest.len()].copy_from_slice(rest);
            end = begin;
        }
    }
}

/// An output with such headers.
pub(crate) struct Output<'a> {
    out: &'a mut Vec<u8>,
    late: LateHeaders,
}

impl<'a> Output<'a> {
    pub(crate) fn new(out: &'a mut Vec<u8>) -> Self {
        Output { out, late: LateHeaders::default() }
    }

    /// Writes the headers that were not known in time. Without it the output is of no use.
    pub(crate) fn finish(self) {
        self.late.insert(self.out);
    }

    pub(crate) fn byte(&mut self, byte: u8) {
        self.out.push(byte);
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.out.extend_from_slice(bytes);
    }

    pub(crate) fn put(&mut self, header: Header) {
        self.out.extend_from_slice(header.as_slice());
    }

    pub(crate) fn put_with(&mut self, header: Header, bytes: &[u8]) {
        self.put(header);
        self.out.extend_from_slice(bytes);
    }

    /// Writes the header if it is known, else a free byte. The result is the mark for [`Output::close`].
    pub(crate) fn open(&mut self, header: Option<Header>) -> usize {
        LateHeaders::open(self.out, header)
    }

    /// Fills the free byte at `mark`.
    pub(crate) fn close(&mut self, mark: usize, header: impl FnOnce() -> Header) {
        self.late.close(self.out, mark, header);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn late_headers_are_inserted_in_their_places() {
        let mut late = LateHeaders::default();
        let mut out = b"..".to_vec();
        let outer = LateHeaders::open(&mut out, None);
        out.push(b'a');
        let inner = LateHeaders::open(&mut out, None);
        out.push(b'b');
        let short = LateHeaders::open(&mut out, None);
        late.close(&mut out, short, || Header::byte(b'-'));
        late.close(&mut out, inner, || Header::sized(b'I', 0x3132, 2));
        let known = LateHeaders::open(&mut out, Some(Header::sized(b'K', 0x33, 1)));
        late.close(&mut out, known, || unreachable!("it is there"));
        late.close(&mut out, outer, || Header::sized(b'O', 0x3435_3637, 4));
        late.insert(&mut out);
        assert_eq!(String::from_utf8_lossy(&out), "..O4567aI12b-K3");
    }
}
