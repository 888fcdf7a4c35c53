//! A histogram of latencies: fixed memory, constant time, at most 1.6 % wrong.

/// Steps of each doubling; the relative error is 1 / (2 x `STEPS`).
const STEPS: usize = 32;
/// `log2(STEPS)`.
const STEP_BITS: u32 = STEPS.ilog2();

/// Counts of nanoseconds in steps of about 3 %.
#[derive(Debug, Clone)]
pub(crate) struct Latencies {
    counts: Vec<u64>,
    total: u64,
    highest: u64,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        Self { counts: vec![0; step_of(u64::MAX) + 1], total: 0, highest: 0 }
    }

    /// Enters one latency, in nanoseconds.
    pub(crate) fn add(&mut self, nanoseconds: u64) {
        self.counts[step_of(nanoseconds)] += 1;
        self.total += 1;
        self.highest = self.highest.max(nanoseconds);
    }

    /// The latency in nanoseconds that `share` (0.0 to 1.0) of all do not exceed; 0 when there are none.
    pub(crate) fn quantile(&self, share: f64) -> u64 {
        let rank = ((share * self.total as f64).ceil() as u64).clamp(1, self.total.max(1));
        let mut below = 0;
        for (step, count) in self.counts.iter().enumerate() {
            below += count;
            if below >= rank {
                return middle_of(step).min(self.highest);
            }
        }
        0
    }

    /// The highest latency, exactly.
    pub(crate) fn highest(&self) -> u64 {
        self.highest
    }
}

/// Values below `STEPS` have a step each; from there every doubling has `STEPS` of them.
fn step_of(value: u64) -> usize {
    if value < STEPS as u64 {
        return value as usize;
    }
    let doubling = value.ilog2() - STEP_BITS;
    (doubling as usize + 1) * STEPS + (value >> doubling) as usize - STEPS
}

fn middle_of(step: usize) -> u64 {
    if step < STEPS {
        return step as u64;
    }
    let doubling = (step / STEPS - 1) as u32;
    let lowest = ((step % STEPS + STEPS) as u64) << doubling;
    lowest + ((1 << doubling) >> 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_within_two_per_cent() {
        let mut latencies = Latencies::new();
        for value in 1..=100_000_u64 {
            latencies.add(value * 1000);
        }
        for (share, exact) in [(0.5, 50e6), (0.99, 99e6), (0.999, 99.9e6)] {
            let found = latencies.quantile(share) as f64;
            assert!((found / exact - 1.0).abs() < 0.02, "{share}: {found}");
        }
        assert_eq!(latencies.highest(), 100_000_000);
    }

    #[test]
    fn every_value_falls_into_a_step_around_it() {
        for value in (0..64).map(|bit| 1_u64 << bit).flat_map(|power| [power - 1, power, power + power / 3]) {
            let middle = middle_of(step_of(value));
            let error = middle.abs_diff(value);
            assert!(error <= value / STEPS as u64, "{value}: {middle}");
        }
        assert_eq!(step_of(u64::MAX) + 1, Latencies::new().counts.len());
    }

    #[test]
    fn one_outlier_is_the_maximum_and_not_the_median() {
        let mut latencies = Latencies::new();
        for _ in 0..99 {
            latencies.add(10);
        }
        latencies.add(1_000_000);
        assert_eq!(latencies.quantile(0.5), 10);
        assert_eq!(latencies.quantile(0.99), 10);
        assert_eq!(latencies.quantile(0.999), 1_000_000);
    }

    #[test]
    fn no_latencies_have_no_quantile() {
        assert_eq!(Latencies::new().quantile(0.99), 0);
    }
}
