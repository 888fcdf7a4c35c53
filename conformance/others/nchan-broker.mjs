// nginx with the module nchan, as its documentation sets up a publisher and a subscriber for each topic.

import { spawn } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import net from "node:net";

const MODULE = "/usr/lib/nginx/modules/ngx_nchan_module.so";

const settings = (port) => `
load_module ${MODULE};
daemon off;
pid nginx.pid;
error_log stderr error;
worker_processes 1;
events { worker_connections 4096; }
http {
  access_log off;
  client_body_temp_path body; proxy_temp_path proxy; fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;
  client_max_body_size 1m;
  server {
    listen 127.0.0.1:${port};
    location ~ ^/sub/(.+)$ { nchan_subscriber websocket; nchan_subscriber_first_message newest; nchan_channel_id $1; }
    location ~ ^/pub/(.+)$ { nchan_publisher websocket http; nchan_channel_id $1; }
  }
}
`;

const free = () =>
  new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const listens = (port) =>
  new Promise((resolve) => {
    const socket = net.connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true)).once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });

const port = await free();
const folder = process.cwd();
for (const name of ["body", "proxy", "fastcgi", "uwsgi", "scgi"]) mkdirSync(name, { recursive: true });
writeFileSync("nginx.conf", settings(port));
const nginx = spawn("/usr/sbin/nginx", ["-p", folder, "-c", `${folder}/nginx.conf`], { stdio: ["ignore", 2, 2] });
nginx.once("exit", (code) => process.exit(code ?? 1));
process.on("SIGTERM", () => nginx.kill("SIGTERM"));
while (!(await listens(port))) await new Promise((resolve) => setTimeout(resolve, 20));
console.log(`listening on http://127.0.0.1:${port}`);
