// Runs cases in a page. `control` is a binding of the browser to `stage/control.js`.

import * as petasus from 'petasus';
import * as auth from 'petasus/auth';
import { AREAS } from './index.js';
import { Site, runCase } from './site.js';

const control = new Proxy({}, {
  get: (_, what) => (...args) => globalThis.control(what, args),
});

const problems = [];
addEventListener('error', ({ message }) => problems.push(message));
addEventListener('unhandledrejection', ({ reason }) => problems.push(`unhandled: ${reason?.stack ?? reason}`));

/** Runs a case; the text of what went wrong, or nothing. */
globalThis.runCase = async (area, name, target) => {
  const found = AREAS[area].find((each) => each.name === name);
  const site = new Site({ petasus, auth, target, control });
  try {
    await runCase(site, found);
  } catch (error) {
    problems.push(`${error?.name}: ${error?.message}\n${error?.stack}`);
  }
  return problems.splice(0).filter((problem) => !site.expected.some((words) => problem.includes(words))).join('\n');
};

globalThis.petasus = petasus;
