/** How a connection stands. */

import { toFailure, type PetasusError } from "./error.js";
import type { Item } from "./sink.js";

export type State = "connecting" | "connected" | "waiting" | "draining" | "closed";

/** What the router said of the session; all empty over Mercury. */
export interface Welcome {
  /** The number of the WAMP session. */
  readonly session?: number;
  readonly realm: string;
  readonly authid?: string;
  readonly authrole?: string;
  readonly authmethod?: string;
  /** What the router calls itself. */
  readonly agent?: string;
  /** All that it said. */
  readonly [detail: string]: unknown;
}

/** How the connection stands. Over Mercury, where each topic has a socket, it is that of the worst one. */
export interface Status {
  /** `waiting` is for the next attempt to connect. */
  readonly state: State;
  /** How many attempts failed since a connection last stood (`connecting`). */
  readonly attempt?: number;
  /** The milliseconds until the next attempt (`waiting`). */
  readonly wait?: number;
  /** Why the last connection ended (`waiting`), or why there will be none (`closed`, unless the program closed it). */
  readonly failure?: PetasusError;
  /** What the router said (`connected`). */
  readonly welcome?: Welcome;
}

/** From the numbers and texts of the core, and the details of WELCOME. */
export function toStatus([state, first, ...rest]: Item[], details: object): Status {
  switch (state) {
    case 1: {
      const [realm] = rest as string[];
      const session = (first as number) < 0 ? {} : { session: first as number };
      return { state: "connected", welcome: { ...details, realm: realm!, ...session } };
    }
    case 2:
      return { state: "waiting", wait: first as number, failure: toFailure(rest) };
    case 3:
      return { state: "draining" };
    case 4:
      return { state: "closed", ...(rest.length && { failure: toFailure([first!, ...rest]) }) };
    default:
      return { state: "connecting", attempt: first as number };
  }
}
