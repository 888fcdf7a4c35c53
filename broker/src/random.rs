//! Random numbers for ids, whose only purpose is to be different. Secrets come from the system instead.

/// An id in WAMP's global scope: 1..=2^53 (WAMP 2.1.2).
pub(crate) fn id() -> u64 {
    fastrand::u64(1..=1 << 53)
}
