// Everything once, in Node with `ws`, against a broker of our own.
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import WebSocket from "ws";
import { Args, CallError, connect, PetasusError } from "../dist/index.js";
import { Broker } from "./broker.mjs";

const broker = new Broker();
let url;
let number = 0;
const clients = new Set();

before(async () => {
  url = await broker.start();
});
after(async () => {
  await Promise.all([...clients].map((client) => client.close()));
  await broker.stop();
});

/** A name that no other test has. */
const fresh = (name) => `${name}${++number}`;

async function client(dialect, options = {}) {
  const made = await connect(url, { WebSocket, dialect, ...options });
  clients.add(made);
  return made;
}

/** Takes so many, and leaves. */
async function take(stream, count) {
  const taken = [];
  for await (const item of stream) if (taken.push(item) == count) break;
  return taken;
}

/** The code of the error of what has to fail. */
async function code(promise) {
  const error = await Promise.resolve(promise).then(
    () => assert.fail("it did not fail"),
    (error) => error,
  );
  assert.ok(error instanceof PetasusError, String(error));
  return error.code;
}

/** Waits until a status comes. */
function reaches(client, state) {
  return new Promise((resolve) => {
    const off = client.on("status", (status) => status.state == state && (off(), resolve(status)));
  });
}

for (const dialect of ["wamp", "mercury"]) {
  test(`${dialect}: what is published in each way is heard`, async () => {
    const [one, other] = [await client(dialect), await client(dialect)];
    const topic = fresh("news");
    const heard = one.subscribe(topic);
    await heard.ready;
    const values = ["text", "", "é𝄞\u0000", { a: [1, null, "x"] }, new Uint8Array([0, 1, 255]), 12.5, "12"];
    for (const value of values) await other.publish(`${topic}/deep`, value);
    await other.publish(topic, "queued", { mode: "queued" });
    const messages = await take(heard, values.length + 1);
    const seen = messages
      .slice(0, values.length)
      .map((message, place) =>
        typeof values[place] == "string" ? message.text : values[place] instanceof Uint8Array ? message.data : message.json(),
      );
    assert.deepEqual(seen, values);
    assert.equal(messages.at(-1).text, "queued");
    if (dialect == "wamp") {
      assert.deepEqual([messages[0].topic, messages.at(-1).topic], [`${topic}/deep`, topic]);
      assert.deepEqual([messages[3].value, messages[3].text], [values[3], JSON.stringify(values[3])]);
      const fired = one.subscribe(topic);
      await fired.ready;
      await other.publish(topic, "now", { mode: "fire" });
      assert.equal((await take(fired, 1))[0].value, "now");
    }
  });

  test(`${dialect}: a listener hears, and its errors stay its own`, async () => {
    const one = await client(dialect);
    const topic = fresh("news");
    const report = console.error;
    const reported = [];
    console.error = (error) => reported.push(error.message);
    try {
      const texts = [];
      let done;
      const all = new Promise((resolve) => (done = resolve));
      const heard = one.subscribe(topic, (message) => {
        if (texts.push(message.text) == 2) done();
        throw new Error("oh");
      });
      await heard.ready;
      await one.publish(topic, "a");
      await one.publish(topic, "b");
      await all;
      assert.deepEqual(texts, ["a", "b"]);
      assert.deepEqual(reported, ["oh", "oh"]);
      await heard.unsubscribe();
    } finally {
      console.error = report;
    }
  });

  test(`${dialect}: peers of a bus hear each other, and themselves by echo`, async () => {
    const [one, other] = [await client(dialect), await client(dialect)];
    const topic = fresh("room");
    const [a, b] = [one.bus(topic), other.bus(topic, { echo: true })];
    await Promise.all([a.ready, b.ready]);
    await a.send("from a");
    assert.equal((await b.next()).value.text, "from a");
    await b.send("from b");
    assert.equal((await a.next()).value.text, "from b");
    assert.equal((await b.next()).value.text, "from b");
    await a.unsubscribe();
    assert.equal((await a.next()).done, true);
    assert.equal(await code(a.send("too late")), "stale");
    assert.equal(await code(one.bus("a/b.c").send("nowhere")), "topic");
  });

  test(`${dialect}: what is sent to a bus before it is joined is sent after`, async () => {
    const one = await client(dialect);
    const room = one.bus(fresh("room"), { echo: true });
    await room.send("early");
    assert.equal((await room.next()).value.text, "early");
  });

  test(`${dialect}: halves of characters are replaced, and what only looks like them is not`, async () => {
    const one = await client(dialect);
    const topic = fresh("news");
    const heard = one.subscribe(topic);
    await heard.ready;
    for (const text of ["a\ud800", "\\ud800", "\\\ud800", "𝄞"]) await one.publish(topic, [text]);
    const texts = (await take(heard, 4)).map((message) => message.json()[0]);
    assert.deepEqual(texts, ["a\ufffd", "\\ud800", "\\\ufffd", "𝄞"]);
  });

  test(`${dialect}: a job is handed`, async () => {
    const [one, other] = [await client(dialect), await client(dialect)];
    const queue = fresh("jobs");
    const jobs = one.pull(queue);
    await jobs.ready;
    assert.equal(await other.push(queue, { dish: 1 }), "handed");
    const { value: job } = await jobs.next();
    assert.deepEqual(job.json(), { dish: 1 });
    assert.equal(job.answerable, dialect == "wamp");
    await job.done();
    assert.equal(await code(job.done()), "stale");
    await jobs.leave();
    assert.equal(await code(other.push(queue, "nobody is there")), "refused");
  });

  test(`${dialect}: subscriptions outlive the broker`, async () => {
    const own = new Broker();
    const at = await own.start();
    const one = await connect(at, { WebSocket, dialect, backoff: { min: 20, max: 100 } });
    clients.add(one);
    const heard = one.subscribe("news");
    await heard.ready;
    await one.publish("news", "before");
    assert.equal((await heard.next()).value.gap, false);
    const [lost, back] = [reaches(one, "waiting"), reaches(one, "connected")];
    await own.stop("SIGKILL");
    assert.equal((await lost).failure.code, "gave_up");
    const queued = one.publish("news", "waits", { mode: "queued" });
    await own.start();
    await back;
    await queued;
    await one.publish("news", "after");
    const gaps = [];
    for (let text; text != "after";) {
      const { value } = await heard.next();
      text = value.text;
      gaps.push(value.gap);
    }
    // What was queued may have come before it was subscribed again.
    assert.deepEqual(gaps, gaps.length == 1 ? [true] : [true, false]);
    assert.equal(heard.resumed, 1);
    await one.close();
    await own.stop();
  });

  test(`${dialect}: what is closed takes nothing more`, async () => {
    const one = await client(dialect);
    const heard = one.subscribe(fresh("news"));
    await heard.ready;
    await one.close();
    await one.close();
    assert.equal(one.status.state, "closed");
    assert.equal(one.status.failure, undefined);
    assert.equal((await heard.next()).done, true);
    assert.equal(await code(one.publish("news", "late")), "closed");
    assert.equal(await code(one.subscribe("news").ready), "closed");
    assert.equal(await code(one.push("news", "late")), "closed");
  });

  test(`${dialect}: draining finishes what was begun`, async () => {
    const [one, other] = [await client(dialect), await client(dialect)];
    const topic = fresh("news");
    const heard = other.subscribe(topic);
    await heard.ready;
    for (let count = 0; count < 100; count++) void one.publish(topic, String(count), { mode: "queued" });
    await one.drain();
    const texts = (await take(heard, 100)).map((message) => message.text);
    assert.deepEqual(texts, [...Array(100).keys()].map(String));
  });

  test(`${dialect}: signals abort`, async () => {
    const one = await client(dialect);
    const topic = fresh("news");
    const controller = new AbortController();
    const heard = one.subscribe(topic, { signal: controller.signal });
    await heard.ready;
    const next = heard.next();
    controller.abort();
    assert.equal(await code(next), "aborted");
    assert.equal(await code(one.publish(topic, "no", { signal: controller.signal })), "aborted");
    assert.equal(await code(one.subscribe(topic, { signal: controller.signal }).ready), "aborted");
    assert.equal(await code(connect(url, { WebSocket, dialect, signal: controller.signal })), "aborted");
  });
}

test("a job is done, with an answer, or fails", async () => {
  const [one, other] = [await client("wamp"), await client("wamp")];
  const queue = fresh("jobs");
  const pulling = (async () => {
    for await (const job of one.pull(queue)) {
      if (job.value == "stop") return job.done();
      if (job.value == "bad") await job.failed("no", "com.example.bad");
      else await job.done({ washed: job.value });
    }
  })();
  await one.subscribe(fresh("settled")).ready;
  assert.deepEqual(await other.push(queue, "dish", { ack: "done" }), { washed: "dish" });
  const refused = await other.push(queue, "bad", { ack: "done" }).catch((error) => error);
  assert.deepEqual([refused.code, refused.uri, refused.content.text], ["refused", "com.example.bad", "no"]);
  await other.push(queue, "stop", { ack: "done" });
  await pulling;
});

test("jobs are completed on return", async () => {
  const [one, other] = [await client("wamp"), await client("wamp")];
  const queue = fresh("jobs");
  const jobs = one.pull(queue, { complete: "on_return" });
  await jobs.ready;
  const pushed = [other.push(queue, 1, { ack: "done" }), other.push(queue, 2, { ack: "done" }).catch((error) => error)];
  const taken = await take(jobs, 2);
  assert.deepEqual(
    taken.map((job) => job.value),
    [1, 2],
  );
  assert.equal(await pushed[0], null);
  assert.deepEqual([(await pushed[1]).code, (await pushed[1]).content.text], ["refused", "the job failed"]);
});

test("a procedure is called, refuses, fails and answers in parts", async () => {
  const [one, other] = [await client("wamp"), await client("wamp")];
  const name = `com.example.${fresh("proc")}`;
  const registration = one.register(name, async function (invocation) {
    const [what] = invocation.args;
    if (what == "sold out") throw new CallError("com.example.sold_out", "tomorrow");
    return new Args([what, 2], { by: "one" });
  });
  const counting = one.register(`${name}.count`, async function* (invocation) {
    for (let count = 0; count < invocation.value; count++) yield count;
    return "done";
  });
  const summing = one.register(`${name}.sum`, async (invocation) => {
    let sum = invocation.value;
    for await (const piece of invocation.more) sum += piece.args[0] ?? 0;
    return sum;
  });
  await Promise.all([registration.ready, counting.ready, summing.ready]);

  assert.deepEqual(await other.call(name, 1), [1, 2]);
  const message = await other.call(name, new Args([7])).message;
  assert.deepEqual([message.args, message.kwargs], [[7, 2], { by: "one" }]);
  const plain = await other.call(`${name}.count`, 0).message;
  assert.deepEqual([plain.args, plain.kwargs], [["done"], {}]);
  const refused = await other.call(name, "sold out").then(assert.fail, (error) => error);
  assert.deepEqual([refused.code, refused.uri, refused.content.value], ["refused", "com.example.sold_out", "tomorrow"]);
  const none = await other.call(`${name}.none`).then(assert.fail, (error) => error);
  assert.equal(none.uri, "wamp.error.no_such_procedure");

  const parts = [];
  const call = other.call(`${name}.count`, 3);
  for await (const part of call) parts.push(part.value);
  assert.deepEqual([parts, await call], [[0, 1, 2], "done"]);
  assert.equal(await other.call(`${name}.count`, 3), "done");

  async function* pieces() {
    yield 1;
    yield 2;
    yield 3;
  }
  assert.equal(await other.call(`${name}.sum`, pieces()), 6);
  await registration.unregister();
  assert.equal(await code(other.call(name, 1)), "refused");
});

test("a call that is given up interrupts its callee", async () => {
  const [one, other] = [await client("wamp"), await client("wamp")];
  const name = `com.example.${fresh("proc")}`;
  let begun, stopped;
  const [begins, stops] = [new Promise((resolve) => (begun = resolve)), new Promise((resolve) => (stopped = resolve))];
  const registration = one.register(name, (invocation) => {
    begun();
    invocation.signal.addEventListener("abort", stopped);
    return new Promise(() => {});
  });
  await registration.ready;
  const controller = new AbortController();
  // Longer than the test may take, so that no timeout interrupts it.
  const call = other.call(name, undefined, { signal: controller.signal, timeout: 3_600_000 });
  const failed = code(call);
  await begins;
  controller.abort();
  assert.equal(await failed, "aborted");
  await stops;
  // The broker knows the time as well, and may be the first to say so.
  const late = await other.call(name, undefined, { timeout: 50 }).then(assert.fail, (error) => error);
  assert.ok(late.code == "timed_out" || late.uri == "wamp.error.timeout", late.message);
  assert.equal(late.retry, "if_harmless");
});

test("over Mercury there are no calls", async () => {
  const one = await client("mercury");
  assert.equal(await code(one.call("com.example.add")), "unsupported");
  assert.equal(await code(one.register("com.example.add", () => 1).ready), "unsupported");
  assert.equal(await code(one.push("jobs", 1, { ack: "done" })), "unsupported");
});

test("what is wrong is said", async () => {
  const options = { WebSocket, failFast: true };
  assert.equal(await code(connect("localhost", options)), "url");
  const refused = await connect("ws://127.0.0.1:1", options).catch((error) => error);
  assert.deepEqual([refused.code, refused.failure], ["gave_up", "unreachable"]);
  assert.match(refused.message, /check the URL/);
  const one = await client("wamp");
  assert.equal(await code(one.publish("a/b.c", 1)), "topic");
  assert.equal(await code(one.publish("a", 1n)), "content");
  assert.equal(await code(one.publish("a", "x".repeat(17 << 20))), "too_large");
  assert.equal(await code(one.call("a b")), "uri");
  assert.throws(() => one.subscribe("a", { match: "none" }), { code: "setting" });
});

test("a buffer drops, and says how many", async () => {
  const one = await client("wamp");
  const topic = fresh("news");
  const oldest = one.subscribe(topic, { buffer: 2 });
  const newest = one.subscribe(topic, { buffer: 2, overflow: "drop_newest" });
  const ends = one.subscribe(topic, { buffer: 2, overflow: "end" });
  await Promise.all([oldest.ready, newest.ready, ends.ready]);
  for (let count = 0; count < 5; count++) await one.publish(topic, count);
  assert.deepEqual(
    (await take(oldest, 2)).map((message) => [message.value, message.missed]),
    [
      [3, 3],
      [4, 0],
    ],
  );
  assert.deepEqual([(await newest.next()).value.value, (await newest.next()).value.value], [0, 1]);
  await one.publish(topic, 5);
  const { value } = await newest.next();
  assert.deepEqual([value.value, value.missed], [5, 3]);
  assert.deepEqual([(await ends.next()).value.value, (await ends.next()).value.value], [0, 1]);
  assert.equal(await code(ends.next()), "overflow");
});
