// The harness's side of an adapter, the same for every broker: reads its lines and writes what is seen. See ../EXEC.md.
//
// `open(where, tell)` gives a promise of a connection: { send(payload), mark(done), leave(done), abandon() }. A payload
// is a text or a Buffer. `tell` has message(payload) and closed(); Cannot says that the protocol has no such thing.

import { createInterface } from "node:readline";

/** What the protocol cannot express. The case is passed over. */
export class Cannot extends Error {}

const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);

const decoded = (op) => {
  const bytes = "base64" in op ? Buffer.from(op.base64, "base64") : Buffer.from(op.text);
  return op.kind === "binary" ? bytes : bytes.toString();
};

const encoded = (payload) =>
  typeof payload === "string"
    ? { kind: "text", text: payload }
    : { kind: "binary", base64: Buffer.from(payload).toString("base64") };

/** Serves the harness until standard input ends. */
export function serve(hello, open) {
  const connections = new Map();
  const ops = {
    async open({ conn, ...where }) {
      connections.set(conn, null);
      const tell = {
        message: (payload) => connections.has(conn) && say({ seen: "message", conn, ...encoded(payload) }),
        closed: () => connections.delete(conn) && say({ seen: "closed", conn, code: null }),
      };
      try {
        const connection = await open(where, tell);
        if (!connections.has(conn)) return connection.abandon();
        connections.set(conn, connection);
        say({ seen: "opened", conn });
      } catch (error) {
        connections.delete(conn);
        const seen = error instanceof Cannot ? "cannot" : "unreachable";
        say({ seen, conn, why: String(error.message ?? error) });
      }
    },
    send: ({ conn, ...op }) => connections.get(conn)?.send(decoded(op)),
    mark: ({ conn, mark }) => connections.get(conn)?.mark(() => say({ seen: "passed", conn, mark })),
    leave: ({ conn }) =>
      connections.get(conn)?.leave(() => connections.delete(conn) && say({ seen: "closed", conn, code: null })),
    abandon({ conn }) {
      const connection = connections.get(conn);
      connections.delete(conn);
      connection?.abandon();
    },
  };
  say({ seen: "hello", protocol: 1, ...hello });
  const lines = createInterface({ input: process.stdin });
  lines.on("line", (line) => {
    const { op, ...rest } = JSON.parse(line);
    ops[op](rest);
  });
  lines.on("close", () => process.exit(0));
}
