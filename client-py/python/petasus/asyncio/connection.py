"""What a client is without what goes over it: how it stands, and how it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

from .._buffer import CAPACITY, Buffer
from .._check import is_time
from .._deadline import deadline
from .._driver import Driver
from ..exceptions import ClosedError, GaveUpError
from ..status import Status

if TYPE_CHECKING:
    from typing_extensions import Self


class Connection:
    """The connection of a `Client`, which is made again when it is lost."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver

    async def _first(self, within: float) -> None:
        """Waits for the first connection."""
        last: GaveUpError | None = None
        self._driver.is_awaited = True
        statuses = self.statuses()
        try:
            async with deadline(within):
                async for status in statuses:
                    if status.state == "connected":
                        self._driver.is_awaited = False
                        return
                    last = status.error or last
        except asyncio.TimeoutError:
            pass
        except BaseException:
            self._driver.core.close(self._driver.now())
            self._driver.schedule()
            raise
        await self.close()
        if last is None:
            last = GaveUpError("there was no welcome in time; check the URL and the network", fault="network")
            last.failure = "connect_timed_out"
        raise last

    @property
    def status(self) -> Status:
        """How the connection stands now."""
        return self._driver.status

    def statuses(self) -> AsyncIterator[Status]:
        """How the connection stands, now and when it changes, until the client is closed."""
        return Statuses(self._driver)

    async def connected(self, *, timeout: float | None = None) -> None:
        """Waits for a connection.

        Args:
            timeout: The longest wait in seconds. Default: none.

        Raises:
            TimeoutError: It took too long.
            GaveUpError: There will be none.
            ClosedError: The client was closed.
        """
        if self._driver.status.state != "closed":
            self._driver.check_loop()
        async with deadline(timeout):
            async for status in self.statuses():
                if status.state == "connected":
                    return
        raise self._driver.status.error or ClosedError()

    def check(self) -> None:
        """The network may have changed, or the machine slept: looks now whether the connection is alive, and does not
        wait with the next attempt to connect."""
        if self._driver.status.state != "closed":
            self._driver.check_loop()
            self._driver.core.check(self._driver.now())
            self._driver.schedule()

    @property
    def waiting(self) -> int:
        """The bytes that wait to be sent, of `queue_bytes` at most."""
        return self._driver.core.waiting()

    # The end.

    async def drain(self, timeout: float = 10.0) -> None:
        """Ends the client when all that was asked for is finished, within `timeout` seconds. From now on nothing new is
        taken (`ClosedError`). Canceled, the client drains all the same.

        Raises:
            GaveUpError: The client had given up its connection.
        """
        if not self._driver.loop.is_closed():
            self._driver.check_loop()
        is_time("timeout", timeout)
        self._driver.core.drain(timeout, self._driver.now())
        await self._driver.end()
        if self._driver.status.error is not None:
            raise self._driver.status.error

    async def close(self) -> None:
        """Ends the client: what was sent is delivered, what waits is not sent, and what is not answered is
        `ClosedError`. May be called again. Canceled, the client closes all the same."""
        await self._driver.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    def _later(self, act: Callable[..., object], *arguments: object) -> None:
        """Does something soon, if there is anything to do it on; called when things are dropped, on any thread."""
        driver = self._driver
        if driver.status.state != "closed" and not driver.loop.is_closed():
            driver.loop.call_soon_threadsafe(act, *arguments)

    def __del__(self) -> None:
        driver = getattr(self, "_driver", None)
        if driver is not None and driver.status.state != "closed" and not driver.loop.is_closed():
            driver.loop.call_soon_threadsafe(driver.close_quietly)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client can not be pickled: it holds sockets; connect in each process")


class Statuses:
    """The statuses of a client, the present one first."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._buffer = Buffer(CAPACITY, "drop_oldest", driver.sockets.stall)
        self._buffer.put(driver.status)
        if driver.status.state == "closed":
            self._buffer.end(None)
        else:
            driver.watchers.add(self._buffer)

    def __aiter__(self) -> AsyncIterator[Status]:
        return self

    async def __anext__(self) -> Status:
        status: Status = await self._buffer.pop()
        return status
