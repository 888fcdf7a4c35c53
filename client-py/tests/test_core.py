"""The binding: batches cross the boundary, and large ones are parsed without the interpreter's lock."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from petasus._petasus import Core

GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


@pytest.fixture
def connected() -> tuple[Core, int]:
    """A core with a WAMP session, and its socket; this test is the broker."""
    core = Core("ws://127.0.0.1:1", 7, {"serializers": ["json"]})
    core.connect(0.0)
    number = next(arguments[0] for kind, arguments in core.poll() if kind == "open")
    core.opened(number, [], 0.0)
    request = core.data_to_send(number, 0.0)
    key = re.search(rb"Sec-WebSocket-Key: (\S+)", request, re.IGNORECASE)
    assert key is not None
    accept = base64.b64encode(hashlib.sha1(key[1] + GUID).digest())
    answer = [
        b"HTTP/1.1 101 Switching Protocols",
        b"Upgrade: websocket",
        b"Connection: Upgrade",
        b"Sec-WebSocket-Protocol: wamp.2.json",
        b"Sec-WebSocket-Accept: " + accept,
    ]
    core.receive_data(number, b"\r\n".join(answer) + b"\r\n\r\n", 0.0)
    core.receive_data(number, frame([2, 1, {"roles": {"broker": {}, "dealer": {}}}]), 0.0)
    core.poll()
    core.data_to_send(number, 0.0)
    return core, number


def frame(message: list[Any]) -> bytes:
    """A WAMP message as a text frame of a server."""
    text = json.dumps(message).encode()
    assert len(text) < 126
    return bytes([0x81, len(text)]) + text


@pytest.fixture
def nobody_is_interrupted() -> Iterator[None]:
    """A thread runs until it gives the interpreter's lock away by itself."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(1000)
    yield
    sys.setswitchinterval(before)


def test_a_batch_is_one_event(connected: tuple[Core, int]) -> None:
    core, number = connected
    wanted = core.subscribe("exact", "a", False, 0.0)
    core.poll()
    sent = core.data_to_send(number, 0.0)
    assert sent
    core.receive_data(number, frame([33, 1, 77]), 0.0)
    core.poll()
    events = b"".join(frame([36, 77, n, {}, [f"text {n}"]]) for n in range(1, 1001))
    core.receive_data(number, events, 0.0)
    [(kind, (subscription, messages))] = [event for event in core.poll() if event[0] == "messages"]
    assert (kind, subscription) == ("messages", wanted)
    assert [message.text for message in messages] == [f"text {n}" for n in range(1, 1001)]


@pytest.mark.skipif(
    not getattr(sys, "_is_gil_enabled", lambda: True)(), reason="there is no lock to be given away"
)
@pytest.mark.parametrize(("chunk", "others_run"), [(8 << 10, False), (4 << 20, True)])
def test_large_batches_are_parsed_without_the_lock(
    connected: tuple[Core, int], nobody_is_interrupted: None, chunk: int, others_run: bool
) -> None:
    core, number = connected
    pongs = b"\x8a\x00" * (2 << 20)
    chunks = [pongs[at : at + chunk] for at in range(0, len(pongs), chunk)]
    go, ran = threading.Lock(), []
    go.acquire()

    def other() -> None:
        with go:
            ran.append(True)

    thread = threading.Thread(target=other)
    thread.start()
    go.release()
    assert not ran
    for part in chunks:
        core.receive_data(number, part, 0.0)
    has_run = bool(ran)
    thread.join()
    assert has_run == others_run
