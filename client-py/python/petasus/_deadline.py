"""A time within which something has to happen."""

from __future__ import annotations

import asyncio
import sys
from types import TracebackType

from ._check import is_time

if sys.version_info >= (3, 11):
    TooLateError = TimeoutError
else:

    class TooLateError(TimeoutError, asyncio.TimeoutError):
        """Both: Python 3.10 has two, and our documentation names the one of all versions."""


class deadline:
    """`asyncio.timeout`, which Python 3.10 does not have. A cancellation from elsewhere that comes in the same turn as
    the end of the time wins; Python 3.10 can not tell them apart."""

    def __init__(self, seconds: float | None) -> None:
        if seconds is not None:
            is_time("timeout", seconds)
        self._seconds = seconds
        self._over = False
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._task = task
        self._before = task.cancelling() if hasattr(task, "cancelling") else 0
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
            if hasattr(self._task, "uncancel") and self._task.uncancel() > self._before:
                return
            raise TooLateError("it took too long") from None
