"""What came and was not taken yet: one buffer for each subscription, registration and stream of results."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Literal

from ._petasus import Message

Overflow = Literal["drop_oldest", "drop_newest", "wait"]

CAPACITY = 16_384
"""How many messages wait for their reader unless it says otherwise."""


class Buffer:
    """A queue with a bound. Everything but `items.popleft` happens on the event loop."""

    def __init__(self, capacity: int, overflow: Overflow, stall: Callable[[bool], None]) -> None:
        self.items: deque[Any] = deque()
        self.capacity = max(capacity, 1)
        self.overflow = overflow
        self.ended = False
        self.error: BaseException | None = None
        self.gap = False
        self._missed = 0
        self._stall = stall
        self.is_stalled = False
        self._waiters: OrderedDict[asyncio.Future[None], None] = OrderedDict()

    def put(self, item: Any) -> None:
        """Puts one thing in, whatever the bound says."""
        if not self.ended:
            self.items.append(item)
            self._wake(1)

    def put_asked(self, asked: Any) -> bool:
        """Puts a call or job in. Says whether there was room, or it may wait for some."""
        full = len(self.items) >= self.capacity
        if self.ended or (full and self.overflow != "wait"):
            return False
        self.items.append(asked)
        if full:
            self._hold()
        self._wake(1)
        return True

    def remove(self, item: Any) -> None:
        """Takes one thing out that is not for its reader any more, if it is there."""
        with suppress(ValueError):
            self.items.remove(item)
            self.taken()

    def put_messages(self, messages: list[Message]) -> bool:
        """Puts messages in. Says whether some were dropped."""
        if self.ended:
            return False
        room = self.capacity - len(self.items)
        dropped = len(messages) > room and self.overflow != "wait"
        late = 0
        if dropped and self.overflow == "drop_newest":
            late = len(messages) - room
            messages = messages[:room]
        if messages and (self._missed or self.gap):
            messages[0] = messages[0]._after(self._missed, self.gap)
            self._missed, self.gap = 0, False
        self._missed += late
        self.items.extend(messages)
        if len(self.items) > self.capacity:
            if self.overflow == "drop_oldest":
                self._drop_oldest()
            else:
                self._hold()
        self._wake(len(messages))
        return dropped

    def _drop_oldest(self) -> None:
        missed, gap = 0, False
        while len(self.items) > self.capacity:
            old = self.items.popleft()
            missed += 1 + old.missed
            gap |= old.gap
        first = self.items.popleft()
        self.items.appendleft(first._after(first.missed + missed, first.gap or gap))

    def end(self, error: BaseException | None) -> None:
        """Nothing more comes; what is there may still be taken."""
        if not self.ended:
            self.ended, self.error = True, error
        self._unstall()
        self._wake(len(self._waiters))

    def taken(self) -> None:
        """Something was taken: half of a full buffer is read before more comes, so that it is no stop and go."""
        if self.is_stalled and len(self.items) <= self.capacity // 2:
            self._unstall()

    async def wait(self) -> bool:
        """Waits until there is something, or nothing will come any more (`False`). Takes nothing, so that nothing is
        lost when it is canceled."""
        while not self.items:
            if self.ended:
                return False
            waiter = asyncio.get_running_loop().create_future()
            self._waiters[waiter] = None
            try:
                await waiter
            except asyncio.CancelledError:
                if self._waiters.pop(waiter, self) is self and self.items:
                    # It was woken for something that it does not take: that is for another one.
                    self._wake(1)
                raise
        return True

    async def pop(self) -> Any:
        """The next one. `StopAsyncIteration` after the end, or the error that ended it."""
        if not self.items and not await self.wait():
            if self.error is not None:
                error, self.error = self.error, None
                raise error
            raise StopAsyncIteration
        item = self.items.popleft()
        if self.is_stalled:
            self.taken()
        return item

    def _hold(self) -> None:
        if not self.is_stalled:
            self.is_stalled = True
            self._stall(True)

    def _unstall(self) -> None:
        if self.is_stalled:
            self.is_stalled = False
            self._stall(False)

    def _wake(self, count: int) -> None:
        """Wakes as many as there are new things, those first who wait longest."""
        while count > 0 and self._waiters:
            waiter, _ = self._waiters.popitem(last=False)
            if not waiter.done():
                waiter.set_result(None)
                count -= 1
