//! The life of a session: HELLO, WELCOME, ABORT, CHALLENGE, AUTHENTICATE, GOODBYE; and ERROR, which answers requests
//! of both other families.

use super::message;
use crate::wamp::codec::{Arguments, Details, Field, Id, Request, RequestType, Text};
use crate::wamp::{Dict, Payload};

message! {
    /// The first message of a client.
    Hello = 1 "HELLO" {
        /// The realm to join.
        realm: String as Text,
        /// Roles and their features, the agent, and who the client says it is.
        details: Dict as Details,
    }
}

message! {
    /// The session is open.
    Welcome = 2 "WELCOME" {
        /// The id of the session.
        session: u64 as Id,
        /// Roles and their features, the agent, and who the client was found to be.
        details: Dict as Details,
    }
}

message! {
    /// The session is not opened, or ends because the peer broke the protocol; not answered.
    Abort = 3 "ABORT" {
        /// The key `message` may tell people why.
        details: Dict as Details,
        /// Why: a constant of [`uri::error`](crate::wamp::uri::error).
        reason: String as Text,
        /// What an authenticator has to say about it.
        payload: Payload as Arguments,
    }
}

message! {
    /// The client has to authenticate (WAMP Advanced Profile, "Authentication").
    Challenge = 4 "CHALLENGE" {
        /// The method, of those in `HELLO.Details.authmethods`.
        method: String as Text,
        /// What the method needs.
        extra: Dict as Details,
    }
}

message! {
    /// The answer to CHALLENGE.
    Authenticate = 5 "AUTHENTICATE" {
        /// The proof, in the method's own form. Never log it.
        signature: String as Text,
        /// What the method needs.
        extra: Dict as Details,
    }
}

message! {
    /// The session ends; answered with GOODBYE.
    Goodbye = 6 "GOODBYE" {
        /// The key `message` may tell people why.
        details: Dict as Details,
        /// Why: a constant of [`uri::close`](crate::wamp::uri::close).
        reason: String as Text,
    }
}

message! {
    /// A request failed. A router passes on a callee's as it is.
    Error = 8 "ERROR" {
        /// The message type of the request: 16, 32, 34, 48, 64, 66 or 68.
        kind: u64 as RequestType,
        /// The id of the request.
        request: u64 as Request,
        /// About the error.
        details: Dict as Details,
        /// What went wrong.
        error: String as Text,
        /// What the callee has to say about it.
        payload: Payload as Arguments,
    }
}
