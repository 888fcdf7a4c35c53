//! `petasus_protocol::session` for JavaScript: numbers and texts in, records out.
//!
//! Each kilobyte is loaded by every page, so this binding is as narrow as it can be. JavaScript owns the `WebSocket`s,
//! the timer, the page's events, the words of errors, and all reading and writing of values: what is sent crosses as
//! the JSON text that it is on the wire, what comes as the outline of a message, and what that carries not at all. There
//! are three doors:
//!
//! * [`Core::put`] lays down texts and bytes;
//! * [`Core::act`] does one thing of [`op`] with them and up to three numbers;
//! * [`Core::poll`] says what is to be done and told, as records of flat values (see [`told`]), which go through the
//!   four functions of [`sink`]: no object of JavaScript is ever held in here.
//!
//! `ts/codes.ts` has the same numbers as this crate; `tests/codes.test.mjs` compares them.

mod act;
mod given;
mod op;
mod quick;
mod settings;
mod sink;
mod told;
mod wrong;

use petasus_protocol::Message;
use petasus_protocol::session::{Config, Session};
use wasm_bindgen::prelude::*;

use given::Given;

/// A conversation with a broker. After [`Core::act`], soon call [`Core::poll`].
#[wasm_bindgen]
#[derive(Debug, Default)]
pub struct Core {
    /// What was laid down for the next act.
    given: Vec<Message>,
    /// Until it begins.
    config: Option<Config>,
    /// From then on.
    session: Option<Session>,
    /// Whether messages go as they are, and not as arguments: over Mercury.
    plain: bool,
}

#[wasm_bindgen]
impl Core {
    /// One that knows nothing yet: first [`op::URL`], then [`op::SET`] and the like, at last [`op::CONNECT`].
    #[wasm_bindgen(constructor)]
    pub fn new() -> Core {
        Core::default()
    }

    /// Lays down bytes, or a text as UTF-8. (One door for both: what `wasm-bindgen` writes for texts is larger.)
    pub fn put(&mut self, bytes: Vec<u8>, is_text: bool) {
        self.given.push(if is_text { Message::assume_text(bytes) } else { Message::binary(bytes) });
    }

    /// Does `op` (see [`op`]) with what was laid down and three numbers. `now` is in milliseconds of any clock that
    /// never goes back.
    ///
    /// Gives the number of what was begun, or 0, or what [`op`] says. If it is negative it was refused, and the sink has
    /// an [`told::kind::WRONG`] (but see [`op::HEAR`]).
    pub fn act(&mut self, op: u32, a: f64, b: f64, c: f64, now: f64) -> f64 {
        let given = Given::new(std::mem::take(&mut self.given), self.plain);
        match self.ask(op, [a, b, c], given, now as u64) {
            Ok(number) => number,
            Err(error) => {
                sink::begin(told::kind::WRONG);
                wrong::say(&error);
                -1.0
            }
        }
    }

    /// Puts into the sink what is to be done and told; at last when to act [`op::TIMEOUT`], and how many bytes wait.
    pub fn poll(&mut self) {
        if let Some(session) = &mut self.session {
            told::all(session);
        }
    }
}

/// A quarter of the size of the allocator of the standard library. A page has one thread.
#[cfg(target_family = "wasm")]
#[global_allocator]
static MEMORY: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();
