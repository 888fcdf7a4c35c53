//! Tests of the public face of the configuration.

mod checks;
mod layers;
mod listen;
mod reference;
