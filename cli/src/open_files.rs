//! The limit of open files: each connection is one.

use rustix::process::{Resource, getrlimit, setrlimit};

/// Files that the broker has open beside its connections: listeners, logs, event queues, with some room.
const OTHERS: u64 = 64;

/// Raises the soft limit to the hard one, and says how many files may be open then; `None` is unlimited.
pub(crate) fn raise() -> Option<u64> {
    let mut limit = getrlimit(Resource::Nofile);
    if limit.current != limit.maximum {
        let old = limit.current;
        limit.current = limit.maximum;
        if setrlimit(Resource::Nofile, limit).is_err() {
            return old;
        }
    }
    limit.current
}

/// Logs a warning if that many connections will not fit.
pub(crate) fn warn_if_short(limit: Option<u64>, connections: usize) {
    let needed = connections as u64 + OTHERS;
    if let Some(limit) = limit
        && needed > limit
    {
        tracing::warn!(
            limit,
            needed,
            "limits.connections is more than the open files this process may have; raise the hard limit \
             (ulimit -Hn, or LimitNOFILE= of systemd) or lower limits.connections"
        );
    }
}
