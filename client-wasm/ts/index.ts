/** `petasus`, `petasus/url` and `petasus/slim`: the same face around different modules. */

export { connect } from "./connect.js";
export { Args, type Content, type JsonValue, type Value } from "./content.js";
export { CallError, PetasusError, type ErrorCode, type FailureKind, type Fault, type Retry } from "./error.js";
export type { Call, CallOptions } from "./call.js";
export type { Client, PublishOptions } from "./client.js";
export type { Message } from "./message.js";
export type { Attempt, Auth, ConnectOptions, Limits, Proof, WebSocketConstructor, WebSocketLike } from "./options.js";
export type { Job, Jobs, PullOptions, PushOptions } from "./queue.js";
export type { Answer, Invocation, Procedure, RegisterOptions, Registration } from "./register.js";
export type { State, Status, Welcome } from "./status.js";
export type { StandingOptions } from "./standing.js";
export type { Overflow } from "./stream.js";
export type { Bus, BusOptions, Listener, SendOptions, SubscribeOptions, Subscription } from "./subscription.js";
export type { Topic } from "./topic.js";
