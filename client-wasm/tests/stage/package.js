// The package under test, as it was built.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

/** Its folder; `PETASUS_TEST_PACKAGE` names another one, such as where it was installed. */
export const PACKAGE = process.env.PETASUS_TEST_PACKAGE ?? fileURLToPath(new URL('../../', import.meta.url));

const { exports } = JSON.parse(readFileSync(join(PACKAGE, 'package.json'), 'utf8'));

/** The file behind a name of the package, such as `./auth`, for these conditions: what Node or a bundler would find. */
export function entry(name, conditions) {
  let found = exports[name];
  while (found && typeof found === 'object') {
    found = found[Object.keys(found).find((condition) => conditions.includes(condition))];
  }
  if (!found) throw new Error(`package.json has no export ${name} for ${conditions}`);
  return found.replace(/^\.\//, '');
}

/** Imports it, as Node does. */
export function load(name) {
  return import(pathToFileURL(join(PACKAGE, entry(name, ['node', 'import', 'default']))).href);
}
