"""An adapter: speaks to a broker of the Mercury dialect, and JSON lines to the harness. Python 3.9, nothing else.

    petasus-conformance run --url ws://127.0.0.1:3000 --driver exec --command "python3 adapter.py"

To adapt another broker, replace what is above the line "The harness's side", and what HELLO claims.
EXEC.md explains every line.
"""

import asyncio
import base64
import json
import os
import struct
import sys
from urllib.parse import urlsplit

HELLO = {
    "seen": "hello",
    "protocol": 1,
    "profiles": ["mercury"],
    "caps": [
        "bus", "bus.echo", "bus.total_order", "pubsub", "pubsub.hierarchy", "pushpull", "pushpull.strict",
        "payload.binary", "payload.empty", "utf8.strict", "limits.message", "limits.topic", "close_codes",
    ],
}

TEXT, BINARY, CLOSE, PING, PONG = 1, 2, 8, 9, 10


class Refused(Exception):
    """The broker said no, with a status."""


def is_kept(letter, spelling):
    """Whether a letter of a topic stands in an address as it is."""
    if spelling == "raw":
        return letter not in "?#% " and letter.isprintable()
    usual = letter.isascii() and letter.isalnum() or letter in "-_.~"
    return letter == "/" or usual and spelling == "usual"


def escaped(letter):
    """A letter as an address can always hold it."""
    return "".join(f"%{byte:02X}" for byte in letter.encode())


class Connection:
    """One WebSocket. `tell(what, **fields)` is called with everything that is seen on it."""

    def __init__(self, tell):
        self.tell = tell
        self.leaving = False

    async def open(self, url, role, topic, echo, spelling, suffix=""):
        """Opens it. Membership begins before the broker answers: no other proof is needed."""
        host = urlsplit(url)
        path = f"{host.path}/{role}/" + "".join(c if is_kept(c, spelling) else escaped(c) for c in topic)
        path += suffix + ("?echo=1" if echo else "")
        self.reader, self.writer = await asyncio.open_connection(host.hostname, host.port)
        key = base64.b64encode(os.urandom(16)).decode()
        self.writer.write(
            f"GET {path} HTTP/1.1\r\nHost: {host.netloc}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {key}\r\n\r\n".encode()
        )
        head = await self.reader.readuntil(b"\r\n\r\n")
        status = int(head.split(b" ", 2)[1])
        if status != 101:
            self.writer.close()
            raise Refused(status)

    def write(self, opcode, payload, fin=True):
        """Writes a frame, masked with zeros, which RFC 6455 allows."""
        size = len(payload)
        if size < 126:
            length = struct.pack("!B", 0x80 | size)
        elif size < 65536:
            length = struct.pack("!BH", 0x80 | 126, size)
        else:
            length = struct.pack("!BQ", 0x80 | 127, size)
        self.writer.write(bytes([opcode | (0x80 if fin else 0)]) + length + bytes(4) + payload)

    def send(self, kind, payload, pieces):
        """Sends a message in so many frames."""
        opcode = TEXT if kind == "text" else BINARY
        step = max(1, -(-len(payload) // pieces))
        parts = [payload[i : i + step] for i in range(0, len(payload), step)] or [b""]
        for number, part in enumerate(parts):
            self.write(opcode if number == 0 else 0, part, fin=number == len(parts) - 1)

    def mark(self, mark):
        """A ping: when its pong comes, the broker has read all that was sent before."""
        self.write(PING, f"mark {mark}".encode())

    def leave(self):
        """Begins the close handshake."""
        self.leaving = True
        self.write(CLOSE, struct.pack("!H", 1000))

    def abandon(self):
        """Closes the socket without a word."""
        self.writer.transport.abort()

    async def frame(self):
        """The next frame: whether it is the last of its message, its opcode, its payload."""
        first, length = await self.reader.readexactly(2)
        length &= 0x7F
        if length == 126:
            (length,) = struct.unpack("!H", await self.reader.readexactly(2))
        elif length == 127:
            (length,) = struct.unpack("!Q", await self.reader.readexactly(8))
        return bool(first & 0x80), first & 0x0F, await self.reader.readexactly(length)

    async def read(self):
        """Tells everything, to the end."""
        kind, parts, code = None, [], None
        try:
            while True:
                fin, opcode, payload = await self.frame()
                if opcode == PING:
                    self.write(PONG, payload)
                elif opcode == PONG:
                    if payload.startswith(b"mark "):
                        self.tell("passed", mark=int(payload[5:]))
                elif opcode == CLOSE:
                    code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else None
                    if not self.leaving:
                        self.write(CLOSE, payload[:2])
                    break
                else:
                    kind = {TEXT: "text", BINARY: "binary"}.get(opcode, kind)
                    parts.append(payload)
                    if fin:
                        self.tell("message", kind=kind, **encoded(kind, b"".join(parts)))
                        parts = []
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        self.writer.close()
        self.tell("closed", code=code)


# --- The harness's side: the same for every broker -----------------------------------------------------------------


def encoded(kind, payload):
    """A payload as JSON can hold it."""
    if kind == "text":
        try:
            return {"text": payload.decode()}
        except UnicodeDecodeError:
            pass
    return {"base64": base64.b64encode(payload).decode()}


def decoded(op):
    """The payload of a line."""
    return op["text"].encode() if "text" in op else base64.b64decode(op["base64"])


class Adapter:
    """Carries out the lines of the harness."""

    def __init__(self):
        self.connections = {}
        self.tasks = set()

    def say(self, **line):
        """One line to the harness."""
        sys.stdout.write(json.dumps(line) + "\n")
        sys.stdout.flush()

    async def open(self, conn, **where):
        """Opens a connection, and reads it to its end."""
        connection = Connection(lambda seen, **fields: self.say(seen=seen, conn=conn, **fields))
        self.connections[conn] = connection
        try:
            await connection.open(**where)
        except Refused as refused:
            return self.say(seen="refused", conn=conn, status=refused.args[0])
        except (asyncio.IncompleteReadError, ValueError, IndexError) as error:
            return self.say(seen="refused", conn=conn, why=f"no answer of HTTP: {error}")
        except OSError as error:
            return self.say(seen="unreachable", conn=conn, why=str(error))
        if conn not in self.connections:  # abandoned meanwhile
            return connection.abandon()
        self.say(seen="opened", conn=conn)
        await connection.read()
        self.connections.pop(conn, None)

    def act(self, op):
        """Carries out one line. None of them waits here."""
        name, conn = op.pop("op"), op.pop("conn")
        if name == "open":
            task = asyncio.ensure_future(self.open(conn, **op))
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        elif name == "abandon":
            connection = self.connections.pop(conn, None)
            if connection and hasattr(connection, "writer"):
                connection.abandon()
        else:
            connection = self.connections.get(conn)
            if connection is None:
                pass  # it is over, and the harness is about to learn that
            elif name == "send":
                connection.send(op["kind"], decoded(op), op["pieces"])
            elif name == "mark":
                connection.mark(op["mark"])
            elif name == "leave":
                connection.leave()

    async def run(self):
        """Until the harness closes our standard input."""
        self.say(**HELLO)
        loop = asyncio.get_running_loop()
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            self.act(json.loads(line))


if __name__ == "__main__":
    asyncio.run(Adapter().run())
