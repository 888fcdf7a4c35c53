"""Who asks the core for something: waits for room in its queue first, and then for the answer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from ._buffer import Buffer
from ._check import is_time
from ._line import Line
from ._petasus import Message
from .exceptions import PetasusError, QueueFullError

if TYPE_CHECKING:
    from ._driver import Driver

T = TypeVar("T")


class Requests:
    """The requests of a driver that are not over."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self.open: dict[int, asyncio.Future[Any]] = {}
        """Those that wait for an answer, by their number in the core."""
        self.parts: dict[int, Buffer] = {}
        """The answers of these come in parts."""
        self._line = Line(driver.loop)
        self._blocked: set[asyncio.Future[None]] = set()

    async def admit(self, ask: Callable[[float], T], timeout: float | None) -> T:
        """Asks the core for something; if its queue is full, waits for room first, for `timeout` seconds at most."""
        self._driver.check()
        self._driver.check_loop()
        patience = self._driver.request_timeout
        if timeout is not None:
            is_time("timeout", timeout)
            patience = timeout
        if not self._line:
            try:
                answer = ask(patience)
            except QueueFullError:
                pass
            else:
                self._driver.schedule()
                return answer
        return await self._admit_in_turn(ask, self._driver.now() + patience)

    async def _admit_in_turn(self, ask: Callable[[float], T], deadline: float) -> T:
        place = self._line.join()
        try:
            while True:
                self._driver.schedule()
                is_turn = await place.wait(deadline - self._driver.now())
                try:
                    answer = ask(max(deadline - self._driver.now(), 0.0))
                except QueueFullError:
                    if not is_turn:
                        raise
                else:
                    self._driver.schedule()
                    return answer
        finally:
            self._line.leave(place)

    def try_queue(self, to: str | int, content: object, to_self: bool) -> bool:
        """Puts it into the queue, if there is room and nobody waits for some."""
        if self._line:
            return False
        try:
            self._driver.core.publish(to, content, "queued", to_self, None, self._driver.now())
        except QueueFullError:
            return False
        if not self._driver.is_scheduled:
            self._driver.schedule()
        return True

    async def request(self, ask: Callable[[float], int | None], timeout: float | None) -> Any:
        """Asks the core for something and waits for the answer. Canceled, the request is."""
        number = await self.admit(ask, timeout)
        if number is None:
            return None
        future = self._driver.loop.create_future()
        self.open[number] = future
        try:
            return await future
        finally:
            if self.open.pop(number, None) is not None:
                self.cancel(number)
            elif future.done() and not future.cancelled():
                future.exception()

    def cancel(self, number: int) -> None:
        """Gives a request up."""
        self._driver.core.cancel(number, self._driver.now())
        if not self._driver.loop.is_closed():
            self._driver.schedule()

    def give_up(self, number: int) -> None:
        """Gives a request up that nobody awaits here, unless it is over."""
        self.parts.pop(number, None)
        future = self.open.pop(number, None)
        if future is not None:
            self.cancel(number)
            future.cancel()

    async def unblocked(self) -> None:
        """Waits as long as a socket takes no more, so that who sends much is slowed down by a slow network."""
        while self._driver.sockets.are_paused:
            waiter = self._driver.loop.create_future()
            self._blocked.add(waiter)
            try:
                await waiter
            finally:
                self._blocked.discard(waiter)

    def on_room(self) -> None:
        self._line.wake()
        blocked, self._blocked = self._blocked, set()
        for waiter in blocked:
            if not waiter.done():
                waiter.set_result(None)

    def on_progress(self, number: int, message: Message) -> None:
        parts = self.parts.get(number)
        if parts is not None:
            parts.put_messages([message])

    def on_done(self, number: int, outcome: Any, error: PetasusError | None) -> None:
        future = self.open.pop(number, None)
        if future is None or future.done():
            return
        if error is None:
            future.set_result(outcome)
        else:
            future.set_exception(error)
