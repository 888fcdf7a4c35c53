// The numbers by which the two halves of this package speak with each other are the same in both.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

const read = (path) => readFileSync(new URL(`../${path}`, import.meta.url), "utf8");

function rust(path) {
  return Object.fromEntries(
    [...read(path).matchAll(/pub\(crate\) const ([A-Z]+): u32 = (\d+);/g)].map(([, name, value]) => [name, value]),
  );
}

function typescript(path) {
  return Object.fromEntries([...read(path).matchAll(/export const ([A-Z]+) = (\d+);/g)].map(([, name, value]) => [name, value]));
}

for (const [one, other] of [
  ["src/op.rs", "ts/op.ts"],
  ["src/told.rs", "ts/kind.ts"],
]) {
  test(`${one} and ${other} have the same numbers`, () => {
    const numbers = rust(one);
    assert.ok(Object.keys(numbers).length > 10);
    assert.equal(new Set(Object.values(numbers)).size, Object.keys(numbers).length);
    assert.deepEqual(typescript(other), numbers);
  });
}

test("the codes of errors have the places that src/wrong.rs says", () => {
  const names = read("ts/error.ts")
    .match(/const CODES = \[([^\]]*)\]/)[1]
    .match(/\w+/g);
  const places = [...read("src/wrong.rs").matchAll(/Error::(\w+)[^=]*=> (\d+),/g)].map(([, name, place]) => [name, +place]);
  assert.ok(places.length > 10);
  for (const [name, place] of places) {
    const snake = name.replace(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
    assert.ok([snake, "topic"].includes(names[place]), `${name} is ${names[place]}`);
  }
});

test("the kinds of failures have the places that src/wrong.rs says", () => {
  const names = read("ts/error.ts")
    .match(/const FAILURES = \[([^\]]*)\]/)[1]
    .match(/\w+/g);
  const places = [...read("src/wrong.rs").matchAll(/Failure::(\w+)[^=]*=> (?:\{\s*)?\((\d+),/g)].map(([, name, place]) => [name, +place]);
  assert.equal(places.length, names.length);
  for (const [name, place] of places) {
    const snake = name.replace(/(?!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
    // `NotWebSocket` is one word more.
    assert.equal(names[place].replaceAll("_", ""), snake.replaceAll("_", ""));
  }
});
