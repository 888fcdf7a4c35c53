"""What stands at the broker, and what waits for an answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Literal, NamedTuple

from ._buffer import CAPACITY, Buffer
from ._petasus import Message
from .exceptions import StaleError

Kind = Literal["progress", "result", "error"]
"""The kinds of answers to a call or job."""


class Standing:
    """A subscription or registration."""

    def __init__(self, name: str, is_registration: bool, buffer: Buffer, begun: asyncio.Future[None]) -> None:
        self.name = name
        self.is_registration = is_registration
        self.buffer = buffer
        self.begun = begun
        self.resumed = 0
        self.overflows = False


class Flags(NamedTuple):
    """What an invocation allows."""

    progress: bool
    more: bool
    answerable: bool


class Asked:
    """A call or job that came, and what may still come of it."""

    def __init__(
        self,
        number: int,
        message: Message,
        procedure: str | None,
        flags: Flags,
        stall: Callable[[bool], None],
    ) -> None:
        self.number = number
        self.message = message
        self.procedure = procedure
        self.flags = flags
        self.pieces = Buffer(CAPACITY, "drop_oldest", stall)
        self.buffer: Buffer | None = None
        """Where it waits until it is taken."""
        self.is_interrupted = False
        self.on_interrupt: list[Callable[[], object]] = []
        if not flags.more:
            self.pieces.end(None)

    def interrupt(self) -> None:
        """Nobody waits for the answer any more."""
        self.is_interrupted = True
        self.pieces.end(StaleError("it is over: nobody waits for this any more"))
        callbacks, self.on_interrupt = self.on_interrupt, []
        for callback in callbacks:
            callback()
