// The entries by `require`, as a CommonJS program of TypeScript has them.

import petasus = require('petasus');
import slim = require('petasus/slim');
import byUrl = require('petasus/url');
import auth = require('petasus/auth');
import react = require('petasus/react');

export async function say(text: string): Promise<void> {
  const client: petasus.Client = await petasus.connect('ws://127.0.0.1:3000', { auth: auth.ticket('me', 'secret') });
  await client.publish('news', text);
  await client.close();
}

export const connects: (typeof petasus.connect)[] = [slim.connect, byUrl.connect];
export const state: (client: petasus.Client) => string = (client) => react.useStatus(client).state;
