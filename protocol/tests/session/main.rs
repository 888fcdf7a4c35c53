//! Properties of the client session over WAMP: sessions, a plain router and a bad network over a virtual clock, driven
//! by random programs, and judged by what they promise.
//!
//! A run is a [`Script`](script::Script) of steps, and is the same whenever it is played again. `PETASUS_RUNS` says how
//! many runs there shall be, 3,000 unless it is set; `PETASUS_SEED` is the seed of the only run, or with
//! `PETASUS_RUNS` that of the first one. A run that fails is made as short as it can be, and prints its seed, its steps
//! and the end of its history.

mod found;
mod history;
mod judge;
mod plain;
mod plants;
mod program;
mod random;
mod reconnecting;
mod router;
mod runs;
mod script;
mod world;
