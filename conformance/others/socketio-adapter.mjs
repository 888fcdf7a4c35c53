// Socket.IO rooms for the harness. A bus is a room whose members all speak, a topic one in which some only listen.

import { io } from "socket.io-client";
import { Cannot, serve } from "./adapter.mjs";

const CAPS = ["bus", "pubsub", "payload.binary", "payload.empty"];

async function open({ url, role, topic, suffix, echo }, tell) {
  if (suffix) throw new Cannot("rooms have no address");
  if (echo) throw new Cannot("nobody hears itself");
  const [kind, listens] = { bus: ["bus", true], pub: ["topic", false], sub: ["topic", true] }[role] ?? [];
  if (!kind) throw new Cannot(`there is no ${role}`);
  const room = `${kind} ${topic}`;
  const socket = io(url.replace(/^ws/, "http"), { transports: ["websocket"], reconnection: false, forceNew: true });
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("connect_error", reject));
  socket.on("said", tell.message);
  socket.on("disconnect", tell.closed);
  if (listens) await socket.emitWithAck("join", room);
  return {
    // Who only listens has nothing to say.
    send: (payload) => role !== "sub" && socket.emit("say", room, payload),
    mark: (passed) => socket.emit("mark", passed),
    leave: (left) =>
      socket.emit("leave", room, () => {
        left();
        socket.disconnect();
      }),
    abandon: () => socket.io.engine.transport.ws?.terminate?.() ?? socket.disconnect(),
  };
}

serve({ profiles: ["mercury"], caps: CAPS }, open);
