/** A POST that the core wants (Mercury). */

import type { Driver } from "./driver.js";
import * as op from "./op.js";

/** Sends it, and tells what came of it. Whether a server that did not answer has it, a page can not know. */
export function post(driver: Driver, id: number, url: string, body: string | Uint8Array): void {
  const controller = new AbortController();
  // `ws://` and `wss://` are `http://` and `https://`.
  const target = url.replace(/^ws/, "http");
  const headers = { "content-type": typeof body == "string" ? "text/plain; charset=utf-8" : "application/octet-stream" };
  driver._ears.set(id, { _told: () => controller.abort() });
  void fetch(target, { method: "POST", body: body as BodyInit, headers, signal: controller.signal })
    .then(async (response) => [op.ANSWERED, await response.text(), response.status] as const)
    .catch((error: Error) => [op.UNANSWERED, error.message, 1] as const)
    .then(([what, text, number]) => {
      driver._ears.delete(id);
      driver._do(what, [text], id, number);
    });
}
