//! What can be asked of a [`Core`](crate::Core). In brackets what has to be laid down, then what the numbers mean.

/// [URL] `a`: 0 WAMP, 1 Mercury.
pub(crate) const URL: u32 = 0;
/// `a`: which setting (see `settings`), `b`: its value.
pub(crate) const SET: u32 = 1;
/// [realm]
pub(crate) const REALM: u32 = 2;
/// [`authid`, extra as JSON, methods...] `a`: whether there is an `authid`.
pub(crate) const IDENTIFY: u32 = 3;
/// `a`: any number of 0 to 2^53.
pub(crate) const CONNECT: u32 = 4;
/// [subprotocol] `a`: the socket.
pub(crate) const OPENED: u32 = 5;
/// `a`: the socket. Over Mercury [message]; over WAMP [outline], see `petasus_protocol::wamp::outline`.
pub(crate) const MESSAGE: u32 = 6;
/// [reason] `a`: the socket, `b`: the close code, or 0 if it could not be opened, 1 if it was given up here.
pub(crate) const CLOSED: u32 = 7;
/// `a`: the socket, `b`: whether it takes no more now.
pub(crate) const BLOCKED: u32 = 8;
/// [text] `a`: the exchange, `b`: the status.
#[cfg(feature = "mercury")]
pub(crate) const ANSWERED: u32 = 9;
/// [reason] `a`: the exchange, `b`: whether the server may have it.
#[cfg(feature = "mercury")]
pub(crate) const UNANSWERED: u32 = 10;
/// The time has come.
pub(crate) const TIMEOUT: u32 = 11;
/// The network may have changed.
pub(crate) const CHECK: u32 = 12;
/// [signature, extra as JSON]
pub(crate) const AUTHENTICATE: u32 = 13;
/// [reason]
pub(crate) const REFUSE: u32 = 14;
/// `a`: the time for it.
pub(crate) const DRAIN: u32 = 15;
/// The end.
pub(crate) const CLOSE: u32 = 16;
/// [name] `a`: 0 tree, 1 exact, 2 prefix, 3 wildcard, 4 bus, 5 bus with echo.
pub(crate) const SUBSCRIBE: u32 = 17;
/// `a`: the subscription.
pub(crate) const UNSUBSCRIBE: u32 = 18;
/// [topic unless `c`, content] `a`: 0 fire, 1 queued, 2 acknowledged, 4 more: not to itself. `b`: the timeout. `c`: the
/// bus, or 0.
pub(crate) const PUBLISH: u32 = 19;
/// [queue, content] `a`: whether to wait until it is done, `b`: the timeout.
pub(crate) const PUSH: u32 = 20;
/// [procedure, content] `a`: 1 in parts, 2 more arguments follow, 4 the callee may learn who calls. `b`: the timeout.
pub(crate) const CALL: u32 = 21;
/// [content] `a`: the call, `b`: whether more follow.
pub(crate) const MORE: u32 = 22;
/// `a`: the request.
pub(crate) const CANCEL: u32 = 23;
/// [URI] `a`: 0 exact, 1 prefix, 2 wildcard. `b`: 0 single, 1 first, 2 last, 3 in turn, 4 by chance. `c`: the most calls
/// at one time, or 0.
pub(crate) const REGISTER: u32 = 24;
/// [queue] `a`: the most jobs at one time.
pub(crate) const PULL: u32 = 25;
/// `a`: the registration.
pub(crate) const UNREGISTER: u32 = 26;
/// [URI if it failed, content] `a`: the invocation, `b`: 0 a part, 1 the result, 2 it failed.
pub(crate) const ANSWER: u32 = 27;
/// `a`: the socket, `b`: the subscription id of the router. Gives the subscription that an EVENT is for, or 0; -1 if the
/// sink has several ([`TOLD`](crate::told::kind::TOLD)); -2 if it has to go by [`MESSAGE`].
pub(crate) const HEAR: u32 = 28;
/// `a`: the socket, `b`: the request id. PUBLISHED came. Gives 0 if it has to go by [`MESSAGE`].
pub(crate) const PUBLISHED: u32 = 29;
/// `a`: 0 fire, 1 queued, 2 acknowledged, `b`: the timeout, `c`: as many bytes at most. Gives the request id to write, or 0
/// if it has to go by [`PUBLISH`]; of an acknowledged one the sink has the request.
pub(crate) const BEGIN: u32 = 30;
/// [URI of the topic, or nothing] `a`: the socket, `b`: the subscription id. The sink has the topic, or -1.
pub(crate) const TOPIC: u32 = 31;
/// [topic] The sink has its URI.
pub(crate) const NAME: u32 = 32;
