//! `petasus._petasus`: the session core and the WebSocket framing of `petasus-protocol` for Python.
//!
//! [`Core`] is one sans-I/O object: bytes in, bytes out, events out. No sockets, no threads, no clock; the drivers are
//! Python (`python/petasus`). Events cross in batches, and large batches of bytes are parsed without the interpreter's
//! lock.

mod auth;
mod content;
mod core;
mod error;
mod event;
mod link;
mod message;
mod operations;
mod settings;
mod value;

use pyo3::prelude::*;

/// The binding. Its items are described in `python/petasus/_petasus.pyi`.
#[pymodule(gil_used = false)]
mod _petasus {
    #[pymodule_export]
    use crate::auth::Auth;
    #[pymodule_export]
    use crate::content::Args;
    #[pymodule_export]
    use crate::core::Core;
    #[pymodule_export]
    use crate::message::Message;
}
