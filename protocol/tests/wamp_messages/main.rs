//! The WAMP messages: examples of each, round trips in all serializers, malformed input, and another codec's opinion.

mod differential;
mod examples;
mod fuzz;
mod malformed;
mod round_trip;
mod wire;
