//! How long to wait before the next attempt to connect.

/// Full jitter: attempt `n` waits for a time drawn evenly between 0 and `min(cap, base * 2^n)`.
///
/// Of a thousand clients that lose one broker, each comes back at a time of its own; a fixed or merely doubled delay
/// would bring them back all at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The longest wait before the first attempt after a loss, in milliseconds. Default 500.
    pub base: u64,
    /// The longest wait at all, in milliseconds. Default 20,000.
    pub cap: u64,
    /// How long a connection has to have stood, in milliseconds, for the count of attempts to begin anew.
    /// Default 5,000.
    pub stable: u64,
}

impl Backoff {
    /// The longest wait before attempt `attempt`, the first after a loss being 0; in milliseconds.
    pub fn ceiling(&self, attempt: u32) -> u64 {
        let factor = 1_u64.checked_shl(attempt).unwrap_or(u64::MAX);
        self.base.saturating_mul(factor).min(self.cap)
    }

    /// Draws the wait before attempt `attempt`.
    pub(super) fn draw(&self, attempt: u32, random: &mut Random) -> u64 {
        random.up_to(self.ceiling(attempt))
    }
}

impl Default for Backoff {
    fn default() -> Self {
        Backoff { base: 500, cap: 20_000, stable: 5_000 }
    }
}

/// Numbers that only have to differ between clients: `SplitMix64` from the seed that the driver gave.
#[derive(Clone, Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Random(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to `most`.
    fn up_to(&mut self, most: u64) -> u64 {
        let product = u128::from(self.next()) * (u128::from(most) + 1);
        (product >> 64) as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_spread_over_the_whole_range() {
        let backoff = Backoff::default();
        let mut random = Random::new(7);
        for attempt in [0, 1, 5, 6, 63, 64, u32::MAX] {
            let ceiling = backoff.ceiling(attempt);
            let mut tenths = [0_u32; 10];
            for _ in 0..10_000 {
                let wait = backoff.draw(attempt, &mut random);
                assert!(wait <= ceiling);
                tenths[(wait * 10 / (ceiling + 1)) as usize] += 1;
            }
            assert!(tenths.iter().all(|&count| (800..1200).contains(&count)), "{attempt}: {tenths:?}");
        }
    }

    #[test]
    fn the_ceiling_doubles_to_the_cap() {
        let backoff = Backoff::default();
        let ceilings: Vec<u64> = (0..8).map(|attempt| backoff.ceiling(attempt)).collect();
        assert_eq!(ceilings, [500, 1000, 2000, 4000, 8000, 16_000, 20_000, 20_000]);
    }
}
