//! The numbers that messages begin with (WAMP, Message Codes).

/// Client: a session in a realm.
pub const HELLO: i128 = 1;
/// Router: the session is open.
pub const WELCOME: i128 = 2;
/// Either: the session is over at once.
pub const ABORT: i128 = 3;
/// Router: prove who you are.
pub const CHALLENGE: i128 = 4;
/// Either: the session ends.
pub const GOODBYE: i128 = 6;
/// Either: a request failed.
pub const ERROR: i128 = 8;
/// Publisher: a publication.
pub const PUBLISH: i128 = 16;
/// Broker: it was routed.
pub const PUBLISHED: i128 = 17;
/// Subscriber: wants events.
pub const SUBSCRIBE: i128 = 32;
/// Broker: gets them.
pub const SUBSCRIBED: i128 = 33;
/// Subscriber: wants them no more.
pub const UNSUBSCRIBE: i128 = 34;
/// Broker: gets them no more.
pub const UNSUBSCRIBED: i128 = 35;
/// Broker: an event.
pub const EVENT: i128 = 36;
/// Caller: a call.
pub const CALL: i128 = 48;
/// Caller: not wanted any more.
pub const CANCEL: i128 = 49;
/// Dealer: an answer of a call.
pub const RESULT: i128 = 50;
/// Callee: takes calls.
pub const REGISTER: i128 = 64;
/// Dealer: gets them.
pub const REGISTERED: i128 = 65;
/// Callee: takes no more.
pub const UNREGISTER: i128 = 66;
/// Dealer: gets no more.
pub const UNREGISTERED: i128 = 67;
/// Dealer: a call to answer.
pub const INVOCATION: i128 = 68;
/// Dealer: not wanted any more.
pub const INTERRUPT: i128 = 69;
/// Callee: an answer.
pub const YIELD: i128 = 70;
