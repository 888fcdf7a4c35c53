// A caller and a callee.

/** A caller, and a procedure that answers. */
export async function pair(t, answer, options) {
  const [caller, callee] = [await t.connect(), await t.connect()];
  const registration = callee.register(t.uri(), answer, options);
  await t.soon(registration.ready, 'the registration');
  return { caller, callee, registration };
}

/** A promise and what settles it. */
export function gate() {
  const made = {};
  made.opened = new Promise((resolve) => { made.open = resolve; });
  return made;
}
