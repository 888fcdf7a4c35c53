// A program in a worker: neither the types of a document nor those of Node.

import { connect } from 'petasus';
import type { Message } from 'petasus';

export async function first(url: string): Promise<Message<string> | undefined> {
  const client = await connect(url);
  for await (const message of client.subscribe<string>('news')) return message;
  return undefined;
}
