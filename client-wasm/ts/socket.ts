/** A socket that the core wants. */

import { now, type Driver, type Ear } from "./driver.js";
import * as kind from "./kind.js";
import * as op from "./op.js";
import type { WebSocketLike } from "./options.js";
import { Hearer } from "./quick.js";
import type { Told } from "./sink.js";

/** When so many bytes wait, the core is told that the socket takes no more. */
const HIGH_WATER = 1 << 20;

/** How often it is looked whether it takes more again: a browser does not say. */
const LOOK_AGAIN = 20;

/**
 * The batched form of WAMP in JSON: several messages in one frame, each followed by a character that no JSON holds. A frame
 * costs a browser more than a message does.
 */
const BATCHED = ".batched";
const SEPARATOR = "\x18";

/** A frame has about so many characters at most, unless a message is longer. */
const FRAME = 1 << 14;

/** Why a socket is over, where there is no close code: see `src/op.rs`. */
const UNREACHABLE = 0;
const BROKEN = 1;

/** What a `WebSocket` tells. */
interface Events {
  binaryType: string;
  onopen: (() => void) | null;
  onmessage: ((event: { data: unknown }) => void) | null;
  onerror: ((event: { message?: string }) => void) | null;
  onclose: ((event: { code: number; reason: string }) => void) | null;
}

/** From the wish for it to its end. */
export class Socket implements Ear {
  private _socket: (WebSocketLike & Events) | undefined;
  private _isOpen = false;
  private _isBlocked = false;
  private _problem = "";
  private _isBatched = false;
  /** What goes into the next frame. */
  private _frame = "";
  private readonly _hearer: Hearer;

  constructor(
    private readonly _driver: Driver,
    private readonly _id: number,
    url: string,
    protocols: string[],
  ) {
    this._hearer = new Hearer(_driver, _id);
    _driver._sockets.add(this);
    try {
      const offers = protocols.flatMap((name) => [name + BATCHED, name]);
      const socket = (this._socket = new _driver._WebSocket(url, offers) as WebSocketLike & Events);
      socket.binaryType = "arraybuffer";
      socket.onopen = () => {
        this._isOpen = true;
        this._isBatched = socket.protocol.endsWith(BATCHED);
        this._tell(op.OPENED, socket.protocol.replace(BATCHED, ""));
      };
      socket.onmessage = ({ data }) => this._came(typeof data == "string" ? data : new Uint8Array(data as ArrayBuffer));
      // Browsers keep the reason for themselves.
      socket.onerror = ({ message }) => (this._problem ||= message ?? "");
      socket.onclose = ({ code, reason }) => {
        this._forget();
        this._tell(op.CLOSED, reason || this._problem, this._isOpen ? code : UNREACHABLE);
      };
    } catch (error) {
      // Such as ws:// on a page of https://. The core is not told in the middle of what it tells.
      queueMicrotask(() => this._fail((error as Error).message, UNREACHABLE));
    }
  }

  _told(told: Told): void {
    switch (told[0]) {
      case kind.SEND:
        this._put(told[2] as string | Uint8Array);
        break;
      case kind.CLOSE: {
        this._flush();
        const [, , code, reason] = told as [number, number, number, string];
        // A page may say no other codes.
        if (code == 1000 || code >= 3000) this._socket?.close(code, reason);
        else this._socket?.close();
        break;
      }
      default:
        this._forget()?.close();
    }
  }

  /** Sends a message, or collects it. */
  _put(message: string | Uint8Array): void {
    if (!this._isBatched) return this._send(message);
    // One that is long goes alone: the server's limit is for the frame.
    if (this._frame.length + message.length > FRAME) this._flush();
    this._frame += message + SEPARATOR;
  }

  /** Sends what was collected: at the end of each turn. */
  _flush(): void {
    if (this._frame) this._send(this._frame);
    this._frame = "";
  }

  /** It is given up here: as lost as if the network had broken it. */
  _fail(reason: string, code = BROKEN): void {
    if (!this._driver._sockets.has(this)) return;
    this._forget()?.close();
    this._tell(op.CLOSED, reason, code);
  }

  private _came(data: string | Uint8Array): void {
    const driver = this._driver;
    const at = now();
    // All of them, then what comes of them.
    const isBatch = this._isBatched && typeof data == "string";
    for (const message of isBatch ? data.split(SEPARATOR) : [data]) {
      if (isBatch && !message) continue;
      this._hearer._came(message, at);
    }
    driver._turn();
  }

  private _send(message: string | Uint8Array): void {
    this._socket?.send(message);
    if (!this._isBlocked && this._socket!.bufferedAmount > HIGH_WATER) this._block(true);
  }

  private _tell(what: number, item: string | Uint8Array, number = 0): void {
    this._driver._act(what, [item], this._id, number);
    this._driver._turn();
  }

  private _block(blocked: boolean): void {
    this._isBlocked = blocked;
    this._driver._blocked += blocked ? 1 : -1;
    this._driver._do(op.BLOCKED, [], this._id, +blocked);
    if (blocked) setTimeout(() => this._look(), LOOK_AGAIN);
    else this._driver._wake();
  }

  private _look(): void {
    if (!this._isBlocked) return;
    if (this._socket && this._socket.bufferedAmount > HIGH_WATER / 2) setTimeout(() => this._look(), LOOK_AGAIN);
    else this._block(false);
  }

  /** Nothing more is heard of it. */
  private _forget(): WebSocketLike | undefined {
    const socket = this._socket;
    this._socket = undefined;
    this._driver._sockets.delete(this);
    this._driver._ears.delete(this._id);
    if (socket) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      // `ws` throws where nobody hears of an error.
      socket.onerror = () => {};
    }
    if (this._isBlocked) this._block(false);
    return socket;
  }
}
