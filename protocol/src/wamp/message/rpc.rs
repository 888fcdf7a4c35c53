//! Remote procedure calls, and how they are canceled (WAMP Advanced Profile, "Call Canceling").

use super::message;
use crate::wamp::codec::{Arguments, Details, Field, Id, OptionalDetails, Request, Text};
use crate::wamp::{Dict, Payload};

message! {
    /// A caller calls.
    Call = 48 "CALL" {
        /// The caller's number of this request. A progressive call uses it again.
        request: u64 as Request,
        /// Options such as `timeout` and `receive_progress`.
        options: Dict as Details,
        /// The procedure.
        procedure: String as Text,
        /// The arguments.
        payload: Payload as Arguments,
    }
}

message! {
    /// A caller wants no result any more.
    Cancel = 49 "CANCEL" {
        /// The number of the CALL.
        request: u64 as Request,
        /// The option `mode`: `skip`, `kill` or `killnowait`.
        options: Dict as Details,
    }
}

message! {
    /// RESULT: the answer to CALL, or a part of it.
    CallResult = 50 "RESULT" {
        /// The number of the CALL.
        request: u64 as Request,
        /// With `progress`, more will come.
        details: Dict as Details,
        /// What the callee yielded.
        payload: Payload as Arguments,
    }
}

message! {
    /// A callee offers a procedure.
    Register = 64 "REGISTER" {
        /// The callee's number of this request.
        request: u64 as Request,
        /// Options such as `match` and `invoke`.
        options: Dict as Details,
        /// The procedure or pattern.
        procedure: String as Text,
    }
}

message! {
    /// The answer to REGISTER.
    Registered = 65 "REGISTERED" {
        /// The number of the request.
        request: u64 as Request,
        /// The id of the registration.
        registration: u64 as Id,
    }
}

message! {
    /// A callee takes its procedure back.
    Unregister = 66 "UNREGISTER" {
        /// The callee's number of this request.
        request: u64 as Request,
        /// The id of the registration.
        registration: u64 as Id,
    }
}

message! {
    /// The answer to UNREGISTER; or, with request 0, the router took the registration away (WAMP Advanced Profile,
    /// "Registration Revocation").
    Unregistered = 67 "UNREGISTERED" {
        /// The number of the request, or 0.
        request: u64 as Id,
        /// With request 0: `registration`, and maybe `reason`. Otherwise empty, and not written.
        details: Dict as OptionalDetails,
    }
}

message! {
    /// A call for a callee.
    Invocation = 68 "INVOCATION" {
        /// The router's number of this request, counted per session.
        request: u64 as Request,
        /// The id of the registration.
        registration: u64 as Id,
        /// Details such as `procedure` (of a pattern's registration), `caller` and `receive_progress`.
        details: Dict as Details,
        /// The caller's arguments.
        payload: Payload as Arguments,
    }
}

message! {
    /// Nobody waits for the callee's result any more.
    Interrupt = 69 "INTERRUPT" {
        /// The number of the INVOCATION.
        request: u64 as Request,
        /// Options such as `mode` and `reason`.
        options: Dict as Details,
    }
}

message! {
    /// The answer to INVOCATION, or a part of it.
    Yield = 70 "YIELD" {
        /// The number of the INVOCATION.
        request: u64 as Request,
        /// With `progress`, more will come.
        options: Dict as Details,
        /// The result.
        payload: Payload as Arguments,
    }
}
