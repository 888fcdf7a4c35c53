"""A time within which something has to happen."""

from __future__ import annotations

import asyncio
from types import TracebackType


class deadline:
    """`asyncio.timeout`, which Python 3.10 does not have."""

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        self._over = False
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        if self._seconds is not None:
            self._timer = asyncio.get_running_loop().call_later(self._seconds, self._ring)

    def _ring(self) -> None:
        self._over = True
        self._task.cancel()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if self._over and kind is asyncio.CancelledError:
            if hasattr(self._task, "uncancel"):
                self._task.uncancel()
            raise asyncio.TimeoutError("it took too long") from None
