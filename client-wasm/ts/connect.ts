/** From a URL to a client. */

import { load } from "petasus:wasm";
import { Client } from "./client.js";
import { Driver } from "./driver.js";
import { aborted, PetasusError, toError, toFailure } from "./error.js";
import { amount, checked, CONNECT, LATEST, type ConnectOptions } from "./options.js";
import type { Status } from "./status.js";

/** The number of the failure: see `src/wrong.rs`. */
const CONNECT_TIMED_OUT = 5;

/**
 * Connects to a broker, and gives the client when the first session is there.
 *
 * @param url `ws://HOST:PORT` or `wss://HOST`, with a path if the broker has one of its own.
 * @throws PetasusError `url`, `setting`; `gave_up` with the last failure if there is no connection within
 * `options.within`, or if there will never be one; `aborted`; `module`
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<Client> {
  const { signal } = checked(options, CONNECT);
  const within = amount("within", options.within) ?? 10000;
  const Core = await load().catch((error: Error) => {
    throw new PetasusError(
      "module",
      `the WebAssembly module could not be loaded: ${error.message}; a Content-Security-Policy has to allow 'wasm-unsafe-eval'`,
      { cause: error },
    );
  });
  if (signal?.aborted) throw aborted(signal);
  const driver = new Driver(new Core(), String(url), options);
  const client = new Client(driver);
  signal?.addEventListener("abort", () => void client.close(), { signal: driver._life.signal });
  if (within > 0) await first(client, driver, within, signal);
  return client;
}

/** Waits for the first connection. */
function first(client: Client, driver: Driver, within: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    let last: PetasusError | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const settle = (error?: PetasusError) => {
      clearTimeout(timer);
      driver._watchers.delete(watch);
      if (!error) return resolve();
      reject(error);
      void client.close();
    };
    const watch = ({ state, failure }: Status) => {
      last = failure ?? last;
      if (state == "connected") settle();
      else if (state == "closed") settle(signal?.aborted ? aborted(signal) : (last ?? toError([])));
    };
    driver._watchers.add(watch);
    if (within < LATEST) {
      const late = () => settle(last ?? toFailure([CONNECT_TIMED_OUT]));
      timer = setTimeout(late, within);
    }
  });
}
