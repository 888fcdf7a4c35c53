/** What a page and its network go through. Nothing of it is there in Node, and nothing is done then. */

/** Who wants to know. */
export interface Sleeper {
  /** The network may be another one, or the page slept. */
  _check(): void;
  /** The page goes into the back-forward cache, where no socket may be open. */
  _sleep(): void;
  /** It is back. */
  _awake(): void;
}

/** Tells it until `signal` is aborted. */
export function watchPage(sleeper: Sleeper, signal: AbortSignal): void {
  const check = () => sleeper._check();
  const listen = (target: EventTarget | undefined, event: string, listener: (event: Event) => void) =>
    target?.addEventListener?.(event, listener, { signal });
  const { document } = globalThis;
  const page = globalThis as unknown as EventTarget;
  listen(page, "online", check);
  listen(document, "visibilitychange", () => document.visibilityState == "visible" && check());
  listen(document, "resume", check);
  listen(page, "pagehide", (event) => (event as PageTransitionEvent).persisted && sleeper._sleep());
  listen(page, "pageshow", () => sleeper._awake());
}
