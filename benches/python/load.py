"""What the process of a client sends and counts: the same for every library, so that its cost is in all figures.

Every message has 128 bytes: eight digits, `#`, and filling. The digits are its number, which begins again after
`CYCLE`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import threading
import time
from collections.abc import Iterator

SIZE = 128
CYCLE = 1 << 16
TOPIC = "load"
BATCH = 64
"""After so many messages a publisher looks at the clock, and lets its event loop have a turn."""
STEP = 500
"""After so many messages a receiver says how far it is."""
WINDOW = 4000
"""So many messages may be under way where a receiver is measured: a broker that drops messages or disconnects who is
slow would measure something else."""
END = "E" * SIZE


def text(number: int) -> str:
    """The message of this number."""
    return f"{number:08d}#" + "." * (SIZE - 9)


class Load:
    """The part of one process."""

    def __init__(self, seconds: float, progress: int) -> None:
        self.seconds = seconds
        self.texts = [text(number) for number in range(CYCLE)]
        self.blobs = [one.encode() for one in self.texts]
        self.sent = 0
        self.count = 0
        self.disorder = 0
        self._expected = 0
        self._progress = progress
        self._began = self._cpu = self._ended = self._cpu_ended = 0.0
        self._waiter: asyncio.Future[None] | None = None
        self._room = threading.Event()

    def ready(self) -> None:
        """Connected: waits until the other end of the traffic is."""
        print("ready", flush=True)
        sys.stdin.readline()

    # Publishing.

    def batches(self, messages: list) -> Iterator[list]:
        """`texts` or `blobs`, until the time is over."""
        self._begin()
        until = self._began + self.seconds
        at = 0
        while time.monotonic() < until:
            yield messages[at : at + BATCH]
            self.sent += BATCH
            at = (at + BATCH) % CYCLE

    async def room(self) -> None:
        """Where one process does both: waits until enough has come."""
        while self.sent - self.count > WINDOW:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter

    def wait_for_room(self) -> None:
        """As `room`, for threads."""
        while self.sent - self.count > WINDOW:
            self._room.wait(1)
            self._room.clear()

    # Receiving.

    def take(self, message: str | bytes) -> bool:
        """Counts a message. Says whether it was the last one."""
        try:
            number = int(message[:8])
        except ValueError:
            self._end()
            return True
        if number != self._expected:
            self.disorder += 1
        self._expected = (number + 1) % CYCLE
        if not self.count:
            self._begin()
        self.count += 1
        if not self.count % STEP:
            self._say()
        return False

    def _say(self) -> None:
        self._ended, self._cpu_ended = time.monotonic(), time.process_time()
        if self._progress >= 0:
            os.write(self._progress, b".")
            return
        self._room.set()
        waiter, self._waiter = self._waiter, None
        if waiter is not None:
            if waiter.get_loop() is asyncio._get_running_loop():
                waiter.set_result(None)
            else:
                waiter.get_loop().call_soon_threadsafe(waiter.set_result, None)

    # The end.

    def _begin(self) -> None:
        if not self._began:
            self._began, self._cpu = time.monotonic(), time.process_time()

    def _end(self) -> None:
        self._ended, self._cpu_ended = time.monotonic(), time.process_time()

    def flushed(self) -> None:
        """All that was published has left."""
        self._end()

    def report(self) -> None:
        """Tells what was counted."""
        print(
            json.dumps(
                {
                    "sent": self.sent,
                    "received": self.count,
                    "disorder": self.disorder,
                    "seconds": self._ended - self._began,
                    "cpu": self._cpu_ended - self._cpu,
                }
            ),
            flush=True,
        )
