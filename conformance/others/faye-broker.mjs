// Faye as its documentation sets it up.

import http from "node:http";
import faye from "faye";

const server = http.createServer();
new faye.NodeAdapter({ mount: "/faye", timeout: 45 }).attach(server);
server.listen(0, "127.0.0.1", () => console.log(`listening on http://127.0.0.1:${server.address().port}`));
process.on("SIGTERM", () => process.exit(0));
