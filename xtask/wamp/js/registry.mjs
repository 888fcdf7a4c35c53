// The cases: a name and a function, run one after the other; a JSON line for each.

/** A case that takes longer hangs. Nothing is measured with it. */
export const PATIENCE = 10_000;

/** The same for what is known to hang at this router. */
export const SHORT = 1_500;

const all = [];

/** The router did something else than the case asks for. */
export class Failed extends Error {}

/** Registers a case; `transports` are those of `client.mjs`, `petasus` marks what only Petasus has. */
export function define(name, run, { transports = ['ws.json'], petasus = false } = {}) {
  all.push({ name, run, transports, petasus });
}

/** Every run: `js.ws.json/rpc.call`. */
export function runs() {
  return all.flatMap((one) => one.transports.map((transport) => ({ ...one, transport, full: `js.${transport}/${one.name}` })));
}

/** Text in which equal values are equal, whatever the order in which their keys came. */
function text(value) {
  return JSON.stringify(value, (_, part) => {
    if (Buffer.isBuffer(part) || part instanceof Uint8Array) return { bytes: Buffer.from(part).toString('hex') };
    if (part?.type === 'Buffer' && Array.isArray(part.data)) return { bytes: Buffer.from(part.data).toString('hex') };
    if (part && typeof part === 'object' && !Array.isArray(part)) {
      return Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)));
    }
    return part === undefined ? null : part;
  });
}

/** Fails unless both are equal. */
export function equal(found, wanted, what) {
  if (text(found) !== text(wanted)) throw new Failed(`${what}: ${text(found)} and not ${text(wanted)}`);
}

/** Fails unless the condition holds. */
export function holds(condition, what) {
  if (!condition) throw new Failed(what);
}

/** Awaits the error `uri` of a request, and returns it. */
export async function refused(request, uri) {
  let answer;
  try {
    answer = await request;
  } catch (error) {
    if (error?.error === uri) return error;
    throw new Failed(`the error is ${error?.error ?? error} and not ${uri}`);
  }
  throw new Failed(`the answer is ${text(answer)} and not the error ${uri}`);
}

/** Does a shell pattern (`*` only) match the name, or is it a part of it? */
export function matches(pattern, name) {
  const parts = pattern.split('*').map((part) => part.replace(/[.\\/\[\]$^+?(){}|]/g, '\\$&'));
  return name.includes(pattern) || new RegExp(`^${parts.join('.*')}$`).test(name);
}

/** Runs a case with a world of its own; ["pass" | "fail" | "skip", detail]. */
export async function judge(one, world, patience = PATIENCE) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Failed(`hangs: ${world.waiting ?? 'no answer'}`)), PATIENCE);
  });
  try {
    const skip = world.missing();
    if (skip) return ['skip', skip];
    await Promise.race([one.run(world), late]);
    return ['pass', ''];
  } catch (error) {
    const where = /cases\/[\w-]+\.mjs:\d+/.exec(error?.stack ?? '')?.[0].slice(6) ?? '';
    const what = error instanceof Failed ? error.message : (error?.error ?? error?.stack ?? text(error));
    return ['fail', `${where}${where && ': '}${what}`.slice(0, 500)];
  } finally {
    clearTimeout(timer);
    await world.close();
  }
}
