// Claims, in plain JavaScript: the same in Node and in a page.

/** A claim that does not hold. */
export class Broken extends Error {
  name = 'Broken';
}

/** A value as a text that tells apart what is different: bytes, `undefined`, `-0`, and the order of keys does not count. */
export function show(value, depth = 0) {
  if (depth > 12) return '...';
  if (value instanceof Uint8Array) return `bytes[${value.length}](${[...value.subarray(0, 300)].join(' ')}, sum ${sum(value)})`;
  if (Array.isArray(value)) return `[${value.map((item) => show(item, depth + 1)).join(', ')}]`;
  if (value instanceof Error) return `${value.name}(${value.code ?? ''}: ${value.message})`;
  if (value && typeof value === 'object') {
    return `{${Object.keys(value).sort().map((key) => `${key}: ${show(value[key], depth + 1)}`).join(', ')}}`;
  }
  if (Object.is(value, -0)) return '-0';
  return typeof value === 'string' ? JSON.stringify(value) : String(value);
}

function sum(bytes) {
  return bytes.reduce((all, byte) => (all * 31 + byte) >>> 0, 7);
}

const short = (text) => (text.length > 600 ? `${text.slice(0, 600)}... (${text.length} characters)` : text);

export function ok(value, what) {
  if (!value) throw new Broken(`it is not so: ${what}`);
}

export function equal(actual, expected, what = '') {
  const [is, wanted] = [show(actual), show(expected)];
  if (is !== wanted) throw new Broken(`${what ? `${what}: ` : ''}${short(is)} instead of ${short(wanted)}`);
}

/** All of `words` are in the text, whatever their case. */
export function says(text, ...words) {
  for (const word of words) {
    ok(String(text).toLowerCase().includes(word.toLowerCase()), `"${text}" says "${word}"`);
  }
}

/** The promise fails with a `PetasusError` of this code whose text has these words. The error. */
export async function fails(promise, code, ...words) {
  let value;
  try {
    value = await promise;
  } catch (error) {
    if (error?.name !== 'PetasusError' || error.code !== code) {
      throw new Broken(`it failed with ${show(error)} instead of ${code}`, { cause: error });
    }
    ok(error instanceof Error, 'it is an Error');
    ok(typeof error.message === 'string' && error.message.length > 10, `"${error.message}" is a sentence`);
    says(error.message, ...words);
    return error;
  }
  throw new Broken(`it succeeded (${short(show(value))}) instead of failing with ${code}`);
}

/** Anything that fails: the error of whatever kind. */
export async function thrown(promise) {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Broken('it succeeded instead of failing');
}

/** The function throws at once, or its promise fails. */
export function failsNow(run, code, ...words) {
  return fails((async () => run())(), code, ...words);
}
