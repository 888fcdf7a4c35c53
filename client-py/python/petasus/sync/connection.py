"""What a client is without what goes over it: how it stands, and how it ends."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

from .._check import is_time
from .._driver import Driver
from .._portal import Portal, close_at_exit
from ..asyncio import client as twin
from ..asyncio import connection
from ..exceptions import ClosedError
from ..status import Status
from .stream import Taking

if TYPE_CHECKING:
    from typing_extensions import Self


class Connection:
    """The connection of a `Client`, which is made again when it is lost. See `petasus.asyncio.Client`."""

    def __init__(self, portal: Portal, inner: twin.Client) -> None:
        self._portal = portal
        self._inner = inner
        self._driver: Driver = inner._driver
        close_at_exit(self)

    @property
    def status(self) -> Status:
        """How the connection stands now."""
        return self._inner.status

    def statuses(self) -> Iterator[Status]:
        """How the connection stands, now and when it changes, until the client is closed."""

        async def watch() -> connection.Statuses:
            return connection.Statuses(self._driver)

        try:
            return Statuses(self._portal, self._portal.run(watch))
        except ClosedError:
            return iter([self.status])

    def connected(self, *, timeout: float | None = None) -> None:
        """Waits for a connection: see `petasus.asyncio.Client.connected`."""
        self._portal.run(lambda: self._inner.connected(timeout=timeout))

    def check(self) -> None:
        """The network may have changed: looks now whether the connection is alive."""
        if self._driver.status.state != "closed" and not self._portal.is_stopped:
            self._driver.core.check(self._driver.now())
            with suppress(ClosedError):
                self._driver.schedule_threadsafe()

    @property
    def waiting(self) -> int:
        """The bytes that wait to be sent, of `queue_bytes` at most."""
        return self._inner.waiting

    # The end.

    def drain(self, timeout: float = 10.0) -> None:
        """Ends the client when all that was asked for is finished: see `petasus.asyncio.Client.drain`."""
        is_time("timeout", timeout)
        try:
            self._portal.run_unless_ended(lambda: self._inner.drain(timeout))
        finally:
            self._portal.stop()
        if self.status.error is not None:
            raise self.status.error

    def close(self) -> None:
        """Ends the client: see `petasus.asyncio.Client.close`."""
        try:
            self._portal.run_unless_ended(self._inner.close)
        finally:
            self._portal.stop()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def __del__(self) -> None:
        portal = getattr(self, "_portal", None)
        if portal is not None:
            portal.abandon(self._driver)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a client can not be pickled: it holds sockets; connect in each process")


class Statuses:
    """The statuses of a client, the present one first."""

    def __init__(self, portal: Portal, inner: connection.Statuses) -> None:
        self._inner = inner
        self._taking: Taking[Status] = Taking(portal, 1)

    def __iter__(self) -> Iterator[Status]:
        return self

    def __next__(self) -> Status:
        return self._taking.take(self._inner._buffer, None)
