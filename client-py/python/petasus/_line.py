"""A line of those who wait for room in the queue of the core."""

from __future__ import annotations

import asyncio
from collections import OrderedDict


class Line:
    """First come, first served: only the first one tries, and when it goes the next one does. If all tried whenever
    there is some room, the work would grow with the square of their number."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._places: OrderedDict[Place, None] = OrderedDict()

    def __bool__(self) -> bool:
        return bool(self._places)

    def join(self) -> Place:
        """A place at the end; to be left."""
        place = Place(self._loop)
        self._places[place] = None
        return place

    def leave(self, place: Place) -> None:
        """Somebody goes, and the first one tries: there may be room for it too."""
        del self._places[place]
        self.wake()

    def wake(self) -> None:
        """There is room: the first one tries."""
        if self._places:
            next(iter(self._places)).wake()


class Place:
    """A place in the line."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiter: asyncio.Future[bool] | None = None

    def wake(self) -> None:
        """It is its turn to try."""
        self._settle(True)

    async def wait(self, patience: float) -> bool:
        """Waits for its turn; `False` if there was none in so many seconds."""
        if patience <= 0:
            return False
        self._waiter = self._loop.create_future()
        timer = self._loop.call_later(patience, self._settle, False)
        try:
            return await self._waiter
        finally:
            timer.cancel()

    def _settle(self, is_turn: bool) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(is_turn)
