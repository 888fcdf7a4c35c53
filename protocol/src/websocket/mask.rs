//! Masking, which RFC 6455 5.3 demands of clients.

/// So many random bytes are drawn at a time: enough for 64 frames.
const DRAWN: usize = 256;

/// Masks from a source of random bytes.
pub(super) struct Masks<R> {
    source: R,
    drawn: [u8; DRAWN],
    used: usize,
}

impl<R: FnMut(&mut [u8])> Masks<R> {
    pub(super) fn new(source: R) -> Self {
        Masks { source, drawn: [0; DRAWN], used: DRAWN }
    }

    /// A mask that was not used before.
    pub(super) fn draw(&mut self) -> [u8; 4] {
        if self.used == DRAWN {
            (self.source)(&mut self.drawn);
            self.used = 0;
        }
        let mut mask = [0; 4];
        mask.copy_from_slice(&self.drawn[self.used..self.used + 4]);
        self.used += 4;
        mask
    }
}

/// Masks a payload in place.
pub(super) fn apply(payload: &mut [u8], [a, b, c, d]: [u8; 4]) {
    let twice = [a, b, c, d, a, b, c, d];
    let (blocks, rest) = payload.as_chunks_mut::<8>();
    for block in blocks {
        *block = (u64::from_ne_bytes(*block) ^ u64::from_ne_bytes(twice)).to_ne_bytes();
    }
    rest.iter_mut().zip(twice).for_each(|(byte, mask)| *byte ^= mask);
}
