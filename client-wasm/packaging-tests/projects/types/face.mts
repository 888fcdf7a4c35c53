// Uses the whole public face the way TypeScript programs do. It is compiled, never run. A line below `@ts-expect-error` has to be
// wrong.

import { Args, CallError, connect, Message, PetasusError } from 'petasus';
import type { Client, ConnectOptions, Status, Subscription } from 'petasus';
import { connect as slim } from 'petasus/slim';
import { connect as byUrl } from 'petasus/url';
import { ticket, wampcra } from 'petasus/auth';
import { useStatus, useSubscription } from 'petasus/react';
import WebSocket from 'ws';

interface Score {
  home: number;
  guests: number;
}

const stop = new AbortController();
const options: ConnectOptions = {
  dialect: 'wamp',
  realm: 'default',
  auth: wampcra('me', 'secret'),
  failFast: true,
  connectTimeout: 5_000,
  requestTimeout: 5_000,
  heartbeat: { idle: 30_000, patience: 10_000 },
  backoff: { min: 100, max: 30_000 },
  queueBytes: 1 << 20,
  messageBytes: 1 << 20,
  signal: stop.signal,
  WebSocket,
  onStatus: (status: Status) => console.log(status.state),
};
// @ts-expect-error: there is no such dialect
const wrong: ConnectOptions = { dialect: 'morse' };

export async function patterns(): Promise<void> {
  await using client: Client = await connect(new URL('ws://127.0.0.1:3000'), options);
  const leave: () => void = client.on('status', ({ state, failure }) => console.log(state, failure?.reason));
  leave();

  const scores: Subscription<Score> = client.subscribe<Score>('scores/#', { signal: stop.signal });
  await scores.ready;
  for await (const message of scores) {
    const sum: number = message.value.home + message.value.guests;
    const bytes: Uint8Array = message.data;
    const missed: number = message.missed;
    console.log(sum, bytes.length, missed, message.text, message.topic, message.gap, message.json<Score>().home);
  }
  // @ts-expect-error: what a message holds is unknown until the program says it
  client.subscribe('scores', (message) => message.value.home);
  await using listening = client.subscribe<Score>('scores', (message: Message<Score>) => console.log(message.value.home));
  await listening.ready;

  await client.publish('scores/1', { home: 1, guests: 0 }, { mode: 'acknowledged', timeout: 1_000, toSelf: true });
  await client.publish('scores/1', new Uint8Array(3), { mode: 'fire' });
  await client.publish('scores/1', 'text', { mode: 'queued' });
  // @ts-expect-error: there is no such mode
  await client.publish('scores/1', 'text', { mode: 'maybe' });
  // @ts-expect-error: a function is no value
  await client.publish('scores/1', () => {});

  const bus = client.bus<Score>('table', { echo: true });
  await bus.send({ home: 1, guests: 0 });

  await client.push('jobs', { number: 1 }, { ack: 'done', signal: stop.signal });
  for await (const job of client.pull<{ number: number }>('jobs', { concurrency: 2 })) {
    if (job.value.number > 0) job.done({ doubled: job.value.number * 2 });
    else job.failed('a negative number', 'com.example.negative');
  }

  const sum: number = await client.call<number>('sum', new Args([1, 2], { unit: 'm' }), { timeout: 1_000, signal: stop.signal });
  for await (const part of client.call<number>('count', 3)) console.log(sum + part.value);
  const registration = client.register('sum', (invocation) => {
    if (invocation.args.length === 0) throw new CallError('com.example.nothing_to_add');
    return 3;
  });
  await registration.ready;
  client.register('count', async function* () {
    yield 1;
    yield 2;
  });
  await registration.unregister();
  await client.drain(1_000);
  await client.close();
}

export function said(error: unknown): string {
  if (!(error instanceof PetasusError)) return 'something else';
  switch (error.code) {
    case 'refused':
      return `${error.uri}: ${error.content?.args.length}`;
    case 'timed_out':
      return error.reason;
    default:
      return `${error.code} ${error.retry} ${error.message}`;
  }
}

export async function others(): Promise<void> {
  await slim('ws://127.0.0.1:3000', { getToken: async ({ attempt }) => `token ${attempt}`, authid: 'me' });
  await byUrl('ws://127.0.0.1:3000', { dialect: 'mercury', auth: ticket('me', 'secret') });
  console.log(wrong);
}

export function Component({ client }: { client: Client | undefined }): string {
  const status = useStatus(client);
  const { last, messages } = useSubscription<Score>(client, 'scores', { keep: 10 });
  return `${status.state} ${messages.length} ${last?.value.home}`;
}
