/** Procedures (WAMP). */

import { isAsync, type Content } from "./content.js";
import type { Driver } from "./driver.js";
import { Duty, FAILED, PART, RESULT } from "./duty.js";
import { CallError, PetasusError, report } from "./error.js";
import type { Message } from "./message.js";
import * as op from "./op.js";
import { amount, placeIn, wrongOption } from "./options.js";
import type { Told } from "./sink.js";
import { Standing, type StandingOptions } from "./standing.js";

export interface RegisterOptions extends Pick<StandingOptions, "signal" | "timeout"> {
  /** How the URI is compared with that of a call. Default `exact`. */
  match?: "exact" | "prefix" | "wildcard";
  /** How several callees of one procedure share its calls. Default `single`: there is one only. */
  invoke?: "single" | "first" | "last" | "roundrobin" | "random";
  /** The most calls at one time. Default: no limit. */
  concurrency?: number;
}

/** What a procedure answers; what an async generator yields goes out as parts of the result, if the caller takes any. */
export type Answer =
  Content | void | undefined | Promise<Content | void | undefined> | AsyncGenerator<Content, Content | void | undefined>;

/** What answers calls. It throws a `CallError` to refuse; anything else is `wamp.error.runtime_error`. */
export type Procedure<T = unknown> = (invocation: Invocation<T>) => Answer;

const MATCHES = ["exact", "prefix", "wildcard"];
const INVOKES = ["single", "first", "last", "roundrobin", "random"];

/** A call that came. */
export class Invocation<T = unknown> extends Duty<T> {
  /** The procedure that was called, where a registration stands for many. */
  readonly procedure?: string;

  /** @internal */
  constructor(driver: Driver, told: Told) {
    super(driver, told);
    if (told[4] != -1) this.procedure = told[4] as string;
  }

  /** The WAMP session of the caller, if that was disclosed. */
  get caller(): number | undefined {
    return this.publisher;
  }

  /** Whether the caller takes the result in parts. */
  get takesProgress(): boolean {
    return this._takesParts;
  }

  /** A part of the result. @throws PetasusError `unsupported` if the caller takes none, `stale` */
  progress(content: Content): Promise<void> {
    return this._answer(PART, content);
  }

  /** The arguments that come after the first ones, where the caller sends them in pieces. */
  get more(): AsyncIterableIterator<Message<T>, undefined> {
    return this._more;
  }
}

/** A procedure that is offered. It survives the loss of the connection. */
export class Registration<T = unknown> extends Standing<Invocation<T>> {
  /** @internal */
  constructor(
    driver: Driver,
    uri: string,
    procedure: Procedure<T>,
    { match = "exact", invoke = "single", concurrency = 0, ...options }: RegisterOptions,
  ) {
    if (typeof procedure != "function") throw wrongOption("listener", "it is no function");
    const begin = () =>
      driver._do(
        op.REGISTER,
        [uri],
        placeIn(MATCHES, match, "match"),
        placeIn(INVOKES, invoke, "invoke"),
        amount("concurrency", concurrency),
      );
    super(driver, op.UNREGISTER, begin, options, (invocation) => void serve(invocation, procedure));
  }

  /** Takes it back, and waits until the broker has confirmed that. Calls that came may still be answered. */
  unregister(): Promise<void> {
    return this._leave();
  }

  /** @internal */
  _came(told: Told): boolean {
    return this._push(new Invocation<T>(this._driver, told));
  }
}

/** Answers a call. */
async function serve<T>(invocation: Invocation<T>, procedure: Procedure<T>): Promise<void> {
  try {
    let result = procedure(invocation);
    if (isAsync(result)) result = parts(invocation, result);
    await invocation._answer(RESULT, await result);
  } catch (error) {
    await refuse(invocation, error).catch(report);
  }
}

async function refuse(invocation: Invocation, error: unknown): Promise<void> {
  // Nobody waits any more, which the program was told by its signal.
  if (!invocation._isOpen || (error as PetasusError).code == "stale") return;
  if (error instanceof CallError) return invocation._answer(FAILED, error.content, error.uri);
  report(error);
  await invocation._answer(FAILED, `the procedure failed: ${(error as Error)?.name}`, "wamp.error.runtime_error");
}

async function parts(
  invocation: Invocation,
  generator: Extract<Answer, AsyncIterable<unknown>>,
): Promise<Content | void | undefined> {
  const { signal } = invocation;
  for (;;) {
    const { done, value } = await generator.next();
    if (done) return value;
    if (signal.aborted) return (await generator.return(undefined)).value;
    if (invocation.takesProgress) await invocation.progress(value);
  }
}
