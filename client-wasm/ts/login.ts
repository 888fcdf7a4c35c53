/** The log-in of a client (WAMP): who it says it is, and how it answers challenges. */

import type { Driver } from "./driver.js";
import * as op from "./op.js";
import { wrongOption, type Auth, type ConnectOptions, type Proof } from "./options.js";

export class Login {
  /** What came with the last CHALLENGE. */
  _extra: Record<string, unknown> = {};
  private readonly _auth: Auth | undefined;
  /** Whether it is by `getToken`. */
  private readonly _asks: boolean;
  private _proof: AbortController | undefined;

  /** @throws PetasusError `setting` */
  constructor(
    private readonly _driver: Driver,
    { auth, getToken, authid }: ConnectOptions,
  ) {
    this._asks = !auth && !!getToken;
    this._auth = auth ?? (getToken && { ...(authid && { authid }), methods: ["ticket"], answer: (_, __, attempt) => getToken(attempt) });
    if (this._auth && !(Array.isArray(this._auth.methods) && typeof this._auth.answer == "function")) {
      throw wrongOption("auth", "it has methods, and answer(): see petasus/auth");
    }
  }

  /** Says who it is; `again` where that may have changed since. @throws PetasusError `setting` */
  _identify(again?: boolean): void {
    const auth = this._auth;
    if (!auth || (again && typeof auth.extra != "function")) return;
    let extra;
    try {
      extra = dict(typeof auth.extra == "function" ? auth.extra() : (auth.extra ?? {}));
    } catch (error) {
      throw wrongOption("auth", reasonOf(error));
    }
    this._driver._act(op.IDENTIFY, [auth.authid ?? "", extra, ...auth.methods], +(auth.authid != undefined));
  }

  /** Answers a challenge. */
  async _prove(method: string): Promise<void> {
    this._stop();
    const proof = (this._proof = new AbortController());
    const { signal } = proof;
    const driver = this._driver;
    const done = (what: number, items: string[]) => this._proof == proof && driver._do(what, items);
    try {
      if (!this._auth) throw new Error("the router wants a log-in: see the option auth");
      const made = await this._auth.answer(method, this._extra, { attempt: driver._attempt, signal });
      const { signature, extra: along = {} }: Partial<Exclude<Proof, string>> =
        typeof made == "string" ? { signature: made } : (made ?? {});
      if (typeof signature != "string") return void done(op.REFUSE, [`${this._asks ? "getToken" : "answer"} gave no text`]);
      done(op.AUTHENTICATE, [signature, dict(along)]);
    } catch (error) {
      const reason = reasonOf(error);
      // A token that can not be had now may be had later: the attempt failed, no more.
      if (!this._asks) done(op.REFUSE, [reason]);
      else if (this._proof == proof) for (const socket of driver._sockets) socket._fail(reason);
    }
  }

  /** Nobody waits for the answer any more. */
  _stop(): void {
    this._proof?.abort();
    this._proof = undefined;
  }
}

/** An object as JSON. */
function dict(value: unknown): string {
  const json = JSON.stringify(value);
  if (json?.[0] != "{") throw new TypeError("extra is no object");
  return json;
}

/** What was thrown, as a text. */
const reasonOf = (error: unknown) => String((error as Error)?.message ?? error);
