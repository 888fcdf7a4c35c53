//! A panic in a task of the broker would go unnoticed: it ends one connection, and nobody else's.

use std::panic;
use std::sync::{Mutex, Once};

static FIRST: Mutex<Option<String>> = Mutex::new(None);

/// Notes from now on what panics outside of the tests themselves.
pub(crate) fn watch() {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if info.location().is_none_or(|location| !location.file().contains("tests/")) {
                FIRST.lock().unwrap().get_or_insert_with(|| info.to_string());
            }
            usual(info);
        }));
    });
}

/// Nothing has panicked.
pub(crate) fn none() {
    let first = FIRST.lock().unwrap().clone();
    assert_eq!(first, None);
}
