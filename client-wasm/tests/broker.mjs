// A broker of our own on a free port, which can be killed and started again on the same one.
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const LISTENING = "petasus: listening on ";
const PROGRAM = process.env.PETASUS_BIN ?? fileURLToPath(new URL("../../target/debug/petasus", import.meta.url));

export class Broker {
  url = "http://127.0.0.1:0";

  /** @param {string[]} more Arguments beside the address. */
  constructor(more = []) {
    this.more = more;
  }

  /** Gives the URL for clients. */
  async start() {
    // It refuses settings that it does not know, and the tests have some of their own.
    const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith("PETASUS_")));
    const child = spawn(PROGRAM, ["broker", "--admin", "none", "--listen", this.url, ...this.more], {
      env,
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.child = child;
    this.ended = new Promise((resolve) => child.once("exit", resolve).once("error", resolve));
    const lines = createInterface({ input: child.stdout });
    await new Promise((resolve, reject) => {
      lines.on("line", (line) => {
        if (!line.startsWith(LISTENING)) return;
        this.url = line.slice(LISTENING.length).trim().replace(/\/$/, "");
        resolve();
      });
      this.ended.then((why) =>
        reject(new Error(`${PROGRAM} ended (${why}) before it listened; run: cargo build -p petasus-cli`)),
      );
    });
    return this.url.replace("http", "ws");
  }

  async stop(signal = "SIGTERM") {
    this.child.kill(signal);
    await this.ended;
  }
}
