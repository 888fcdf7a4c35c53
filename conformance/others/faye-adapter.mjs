// Bayeux channels for the harness. A subscription to what lies below a topic is one to the channel and one to its `**`.

import faye from "faye";
import { Cannot, serve } from "./adapter.mjs";

const CAPS = ["pubsub", "pubsub.hierarchy", "payload.empty"];

/** A segment as Bayeux allows it: what is no letter, digit or one of -_ is written by its code. */
const segment = (text) => {
  if (text === "") throw new Cannot("a channel has no empty segment");
  return text.replace(/[^A-Za-z0-9_-]/gu, (letter) => `~${letter.codePointAt(0).toString(16)}~`);
};

async function open({ url, role, topic, suffix }, tell) {
  if (suffix) throw new Cannot("channels have no address");
  if (role !== "pub" && role !== "sub") throw new Cannot(`there is no ${role}`);
  const channel = `/${topic.split("/").map(segment).join("/")}`;
  const client = new faye.Client(`${url.replace(/^ws/, "http")}/faye`, { retry: 1 });
  // The handshake is a request; everything behind it goes over a WebSocket.
  client.disable("eventsource");
  const hear = (message) => tell.message(message);
  if (role === "sub") await Promise.all([client.subscribe(channel, hear), client.subscribe(`${channel}/**`, hear)]);
  else await new Promise((resolve) => client.connect(resolve));
  let sent = Promise.resolve();
  return {
    send(payload) {
      if (typeof payload !== "string") return;
      // Who only listens has nothing to say.
      if (role === "pub") sent = Promise.all([sent, client.publish(channel, payload)]);
    },
    mark: (passed) => sent.then(passed),
    leave: (left) => client.disconnect().then(left, left),
    abandon: () => client.disconnect(),
  };
}

serve({ profiles: ["mercury"], caps: CAPS }, open);
