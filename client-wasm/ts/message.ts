/** Messages as they come. */

import { elements, utf8, type JsonValue } from "./content.js";
import { PetasusError } from "./error.js";
import type { Kept } from "./outline.js";
import type { Carried, Item } from "./sink.js";

/** What a message is made of that carries nothing. */
const NOTHING: Kept = { message: [], text: "", at: 0 };

/** A message that came, the answer of a call, or what a call or job asks for. It is read when it is asked for. */
export class Message<T = unknown> {
  /** What it was published to, in slash form; absent where the wire does not say it (Mercury, below a topic; answers). */
  readonly topic?: string;
  /** The WAMP session of its publisher or caller, if that was disclosed. */
  readonly publisher?: number;
  /** The number of the publication (WAMP). */
  readonly publication?: number;
  /** How many messages the buffer had no room for right before this one. */
  missed = 0;
  /** Whether the connection was lost before it, and made again: others may be missing. */
  gap = false;

  /** What it is made of: a text or bytes as they came, or a message of the router. */
  private readonly _made: string | Uint8Array | Kept;
  /** @internal */
  private _read?: { args: JsonValue[]; kwargs: Record<string, JsonValue> };

  /** @internal */
  constructor(made: Carried, topic: Item = -1, publisher: Item = -1, publication: Item = -1) {
    this._made = (made as string | Uint8Array | Kept | undefined) ?? NOTHING;
    if (topic != -1) this.topic = topic as string;
    if (publisher != -1) this.publisher = publisher as number;
    if (publication != -1) this.publication = publication as number;
  }

  /**
   * What was sent: a text, bytes, or a value. Several arguments are a list, keyword arguments alone an object, no
   * arguments at all null. Over Mercury a value comes as its JSON text: see `json()`.
   */
  get value(): T {
    return (this._plain ? this._made : this._alone()) as T;
  }

  /** The text; a value is its JSON text. @throws PetasusError `content` if it is binary. */
  get text(): string {
    const value = this._plain ? this._made : this._single ? this._alone() : 0;
    if (typeof value == "string") return value;
    if (value instanceof Uint8Array) throw binary();
    const [args, kwargs] = this._raw as string[];
    // Its spelling is kept: JavaScript would round large numbers.
    return this._single ? args!.trim().slice(1, -1).trim() : `{"args":${args || "[]"},"kwargs":${kwargs || "{}"}}`;
  }

  /** The bytes, those of a text as UTF-8. */
  get data(): Uint8Array {
    const value = this.value;
    return value instanceof Uint8Array ? value : utf8.encode(this.text);
  }

  /** Whether it is a text, or a value, and not binary. */
  get isText(): boolean {
    return !(this.value instanceof Uint8Array);
  }

  /**
   * The value that was sent, whatever way it was sent: a text, or binary that is UTF-8, is read as JSON, or else is the
   * text itself. @throws PetasusError `content` if it is binary and not UTF-8.
   */
  json<U = T>(): U {
    let value: unknown = this.value;
    if (value instanceof Uint8Array) {
      try {
        value = new TextDecoder("utf-8", { fatal: true }).decode(value);
      } catch {
        throw binary();
      }
    }
    if (typeof value == "string") {
      try {
        return JSON.parse(value);
      } catch {
        // It is a text.
      }
    }
    return value as U;
  }

  /** What `JSON.stringify` writes of it: its value. So it may also stand inside of what is sent. */
  toJSON(): T {
    return this.value;
  }

  /** The positional arguments (WAMP). */
  get args(): JsonValue[] {
    return this._arguments().args;
  }

  /** The keyword arguments (WAMP). */
  get kwargs(): Record<string, JsonValue> {
    return this._arguments().kwargs;
  }

  /** @internal One text or bytes, or `args` and `kwargs` as JSON, each empty if there are none. */
  get _raw(): Item[] {
    if (this._plain) return [this._made as Item];
    const { text, at } = this._made as Kept;
    const parts = elements(text);
    return [parts[at], parts[at + 1]].map((part = "") => (part == "null" ? "" : part));
  }

  /** @internal Whether it came as it is, and not as arguments. */
  get _plain(): boolean {
    return typeof this._made == "string" || this._made instanceof Uint8Array;
  }

  private get _single(): boolean {
    const { args, kwargs } = this._arguments();
    return args.length == 1 && !Object.keys(kwargs).length;
  }

  private _arguments() {
    return (this._read ??= this._readAll());
  }

  private _readAll() {
    if (this._plain) return { args: [this._made as JsonValue], kwargs: {} };
    const { message, at } = this._made as Kept;
    return { args: (message[at] ?? []) as JsonValue[], kwargs: (message[at + 1] ?? {}) as Record<string, JsonValue> };
  }

  private _alone(): unknown {
    const { args, kwargs } = this._arguments();
    return args.length > 1 ? args : args.length ? args[0] : Object.keys(kwargs).length ? kwargs : null;
  }
}

const binary = () => new PetasusError("content", "the content can not be read: it is binary: see data");
