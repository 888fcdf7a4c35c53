"""What a driver keeps at the broker: its subscriptions and registrations, and what came for them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from ._buffer import CAPACITY, Buffer, Overflow
from ._petasus import Message
from ._standing import Asked, Flags, Kind, Standing
from .exceptions import ClosedError, PetasusError

if TYPE_CHECKING:
    from ._driver import Driver

logger = logging.getLogger("petasus")

UNAVAILABLE = "wamp.error.unavailable"


class Standings:
    """The subscriptions and registrations of a driver."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.all: dict[int, Standing] = {}
        """Those that were not left, by their number in the core."""
        self.asked: dict[int, Asked] = {}
        """The calls and jobs that came and can still be answered."""
        self._leaving: dict[int, asyncio.Future[None]] = {}

    async def subscribe(
        self, kind: str, name: str, echo: bool, capacity: int, overflow: Overflow
    ) -> tuple[int, Standing]:
        """Makes a subscription, and waits until it stands. Canceled, it is undone."""
        self._driver.check()
        self._driver.check_loop()
        number = self._driver.core.subscribe(kind, name, echo, self._driver.now())
        return await self._stand(number, name, False, capacity, overflow)

    async def register(
        self, name: str, ask: Callable[[float], int], overflow: Overflow
    ) -> tuple[int, Standing]:
        """Makes a registration, as `subscribe`. What finds no room is refused, or waits in the network."""
        self._driver.check()
        self._driver.check_loop()
        return await self._stand(ask(self._driver.now()), name, True, CAPACITY, overflow)

    async def _stand(
        self, number: int, name: str, is_registration: bool, capacity: int, overflow: Overflow
    ) -> tuple[int, Standing]:
        buffer = Buffer(capacity, overflow, self._driver.sockets.stall)
        standing = Standing(name, is_registration, buffer, self._driver.loop.create_future())
        self.all[number] = standing
        self._driver.schedule()
        try:
            await standing.begun
        except asyncio.CancelledError:
            self.undo(number)
            raise
        return number, standing

    def undo(self, number: int) -> bool:
        """Ends it without waiting for that. Says whether it was there."""
        standing = self.all.pop(number, None)
        if standing is None:
            return False
        if standing.begun.done() and not standing.begun.cancelled():
            standing.begun.exception()
        end = self._driver.core.unregister if standing.is_registration else self._driver.core.unsubscribe
        end(number, self._driver.now())
        standing.buffer.end(None)
        if not self._driver.loop.is_closed():
            self._driver.schedule()
        return True

    async def leave(self, number: int) -> None:
        """Ends it, and waits until the broker has confirmed that."""
        is_there = not self._driver.loop.is_closed() and self._driver.status.state != "closed"
        if is_there:
            self._driver.check_loop()
        if self.undo(number) and is_there:
            left = self._leaving[number] = self._driver.loop.create_future()
            await left

    def let_go(self, number: int, standing: Standing) -> None:
        """Nobody holds it any more: as `undo`, and nobody waits for the answers of what was not taken."""
        self.undo(number)
        while standing.is_registration and standing.buffer.items:
            asked = standing.buffer.items.popleft()
            self.abandon(asked.number, "error", "the callee takes no more calls", UNAVAILABLE)

    def answer(self, number: int, kind: Kind, content: object, uri: str = "") -> None:
        """Answers a call or job; `uri` is that of an error."""
        self._driver.core.answer(number, kind, content, uri, self._driver.now())
        if kind != "progress":
            self.asked.pop(number, None)
        self._driver.schedule()

    def abandon(self, number: int, kind: Kind, content: object, uri: str = "") -> None:
        """A call or job was dropped without an answer: this is it."""
        asked = self.asked.get(number)
        if asked is not None and asked.flags.answerable and self._driver.status.state != "closed":
            try:
                self.answer(number, kind, content, uri)
            except PetasusError:
                logger.debug("nobody waits for the answer to a dropped call any more")

    def on_stands(self, number: int, again: bool) -> None:
        standing = self.all.get(number)
        if standing is None:
            return
        if again:
            standing.resumed += 1
            standing.buffer.gap = True
        if not standing.begun.done():
            standing.begun.set_result(None)

    def on_ended(self, number: int, error: PetasusError) -> None:
        standing = self.all.pop(number, None)
        if standing is None:
            return
        if not standing.begun.done():
            standing.begun.set_exception(error)
        standing.buffer.end(None if isinstance(error, ClosedError) else error)

    def on_left(self, number: int) -> None:
        left = self._leaving.pop(number, None)
        if left is not None and not left.done():
            left.set_result(None)

    def on_messages(self, number: int, messages: list[Message]) -> None:
        standing = self.all.get(number)
        if standing is None:
            return
        dropped = standing.buffer.put_messages(messages)
        if dropped and not standing.overflows:
            logger.warning("messages of %s are dropped: they come faster than they are taken", standing.name)
        standing.overflows = dropped

    def on_invocation(
        self,
        registration: int,
        number: int,
        message: Message,
        procedure: str | None,
        flags: tuple[bool, bool, bool],
    ) -> None:
        standing = self.all.get(registration)
        asked = Asked(number, message, procedure, Flags(*flags), self._driver.sockets.stall)
        if asked.flags.answerable:
            self.asked[number] = asked
        if standing is not None and standing.buffer.put_asked(asked):
            asked.buffer = standing.buffer
        else:
            self.abandon(number, "error", "the callee can take no more calls now", UNAVAILABLE)
            self.asked.pop(number, None)

    def on_more(self, number: int, message: Message, more: bool) -> None:
        asked = self.asked.get(number)
        if asked is not None:
            asked.pieces.put(message)
            if not more:
                asked.pieces.end(None)

    def on_interrupted(self, number: int) -> None:
        asked = self.asked.pop(number, None)
        if asked is not None:
            asked.interrupt()
            # Who has not taken it yet can do nothing with it.
            if asked.buffer is not None:
                asked.buffer.remove(asked)

    def on_closed(self) -> None:
        """The client has ended: who waits for the end of one need not wait any more."""
        for left in self._leaving.values():
            if not left.done():
                left.set_result(None)
        self._leaving.clear()
