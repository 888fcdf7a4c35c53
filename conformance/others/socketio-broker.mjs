// The room pattern of Socket.IO's own documentation, as a broker: join a room, say something to everybody else in it.

import { Server } from "socket.io";

const io = new Server(0, { transports: ["websocket"], serveClient: false });
io.on("connection", (socket) => {
  socket.on("join", async (room, joined) => {
    await socket.join(room);
    joined();
  });
  socket.on("leave", async (room, left) => {
    await socket.leave(room);
    left();
  });
  socket.on("say", (room, payload) => socket.to(room).emit("said", payload));
  socket.on("mark", (passed) => passed());
});
console.log(`listening on http://127.0.0.1:${io.httpServer.address().port}`);
process.on("SIGTERM", () => io.close(() => process.exit(0)));
