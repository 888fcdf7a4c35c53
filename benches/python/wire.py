"""The other end of what is measured: sockets that send what was encoded before, or count what comes.

Neither is a client library, so that the library under test, or its broker, is the limit, and not its counterpart.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import time
from collections.abc import Callable
from urllib.parse import urlsplit

from load import CYCLE, END, STEP, TOPIC, WINDOW, text

MARK = b"#"
"""Each message has one."""


def feeder(wire: str, url: str) -> Feeder:
    """One that publishes."""
    connection, frame = connect(wire, url, False)
    return Feeder(connection, frame)


def sink(wire: str, url: str) -> Sink:
    """One that is subscribed."""
    return Sink(connect(wire, url, True)[0])


class Feeder:
    """Publishes as fast as the receiver says that it takes."""

    def __init__(self, connection: socket.socket, frame: Callable[[int, str], bytes]) -> None:
        self._connection = connection
        self._end = frame(CYCLE + 1, END)
        numbers = range(CYCLE)
        self._chunks = [
            (len(some), b"".join(frame(number + 1, text(number)) for number in some))
            for some in (numbers[at : at + STEP] for at in range(0, CYCLE, STEP))
        ]

    def feed(self, seconds: float, progress: int) -> int:
        """Feeds for so long. Says how many messages."""
        until = time.monotonic() + seconds
        sent = taken = at = 0
        while time.monotonic() < until:
            while sent - taken > WINDOW:
                said = os.read(progress, 4096)
                if not said:
                    raise RuntimeError("the receiver ended before it had all")
                taken += STEP * len(said)
            messages, chunk = self._chunks[at]
            self._connection.sendall(chunk)
            sent += messages
            at = (at + 1) % len(self._chunks)
        self._connection.sendall(self._end)
        return sent


class Sink:
    """Counts what comes."""

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def count(self, is_all: Callable[[int], bool]) -> tuple[int, float]:
        """Until `is_all` says so of the number that came, asked whenever nothing comes. The number, and the seconds
        from the first to the last."""
        self._connection.settimeout(0.2)
        count, first, last, quiet = 0, 0.0, 0.0, 0
        while not is_all(count) and quiet < 25:
            try:
                got = self._connection.recv(1 << 20)
            except TimeoutError:
                quiet += bool(count)
                continue
            if not got:
                raise ConnectionError("the broker closed the connection of the plain subscriber")
            quiet = 0
            last = time.monotonic()
            first = first or last
            count += got.count(MARK)
        return count, last - first


# The wires.


def connect(wire: str, url: str, subscribed: bool) -> tuple[socket.socket, Callable[[int, str], bytes]]:
    """A connection, and how a message with a number is published on it."""
    at = urlsplit(url)
    connection = socket.create_connection((at.hostname, at.port))
    connection.settimeout(30)
    if wire == "nats":
        nats(connection, subscribed)
        return connection, lambda _, message: f"PUB {TOPIC} {len(message)}\r\n{message}\r\n".encode()
    if wire == "mqtt":
        mqtt(connection, subscribed)
        return connection, lambda _, message: packet(0x30, counted(TOPIC) + message.encode())
    if wire == "mercury":
        upgrade(connection, f"/{'sub' if subscribed else 'pub'}/{TOPIC}", None)
        return connection, lambda _, message: frame(1, message.encode())
    upgrade(connection, at.path or "/ws", "wamp.2.json")
    wamp(connection, at.fragment or "default", subscribed)
    return connection, lambda number, message: frame(
        1, f'[16,{number},{{}},"{TOPIC}",["{message}"]]'.encode()
    )


def until(connection: socket.socket, mark: bytes) -> bytes:
    """Reads until this has come."""
    got = b""
    while mark not in got:
        more = connection.recv(65536)
        if not more:
            raise ConnectionError(f"closed after {got!r}")
        got += more
    return got


def nats(connection: socket.socket, subscribed: bool) -> None:
    subscribe = f"SUB {TOPIC} 1\r\n" if subscribed else ""
    connection.sendall(f'CONNECT {{"verbose":false}}\r\n{subscribe}PING\r\n'.encode())
    until(connection, b"PONG\r\n")


def counted(name: str) -> bytes:
    return struct.pack(">H", len(name)) + name.encode()


def packet(kind: int, body: bytes) -> bytes:
    length, rest = bytearray(), len(body)
    while rest > 127:
        length.append(rest & 127 | 128)
        rest >>= 7
    length.append(rest)
    return bytes([kind]) + bytes(length) + body


def mqtt(connection: socket.socket, subscribed: bool) -> None:
    connection.sendall(packet(0x10, counted("MQTT") + b"\x04\x02\x00\x00" + counted(f"wire{os.getpid()}")))
    until(connection, b"\x20\x02\x00\x00")
    if subscribed:
        connection.sendall(packet(0x82, b"\x00\x01" + counted(TOPIC) + b"\x00"))
        until(connection, b"\x90\x03\x00\x01\x00")


def upgrade(connection: socket.socket, path: str, subprotocol: str | None) -> None:
    offer = f"Sec-WebSocket-Protocol: {subprotocol}\r\n" if subprotocol else ""
    connection.sendall(
        f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n{offer}\r\n".encode()
    )
    answer = until(connection, b"\r\n\r\n")
    if b" 101 " not in answer:
        raise ConnectionError(answer.decode(errors="replace"))


def frame(opcode: int, payload: bytes) -> bytes:
    """Masked with zeros, which RFC 6455 5.3 allows and which costs nothing."""
    length = len(payload)
    head = bytes([0x80 | opcode])
    head += bytes([0x80 | length]) if length < 126 else struct.pack(">BH", 0xFE, length)
    return head + b"\0\0\0\0" + payload


def wamp(connection: socket.socket, realm: str, subscribed: bool) -> None:
    hello = [1, realm, {"roles": {"publisher": {}, "subscriber": {}}}]
    connection.sendall(frame(1, json.dumps(hello).encode()))
    until(connection, b"[2,")
    if subscribed:
        connection.sendall(frame(1, f'[32,1,{{}},"{TOPIC}"]'.encode()))
        until(connection, b"[33,1,")
