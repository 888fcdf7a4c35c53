"""What comes one by one: the messages of a subscription, the jobs of a queue, the calls of a procedure."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from .._buffer import Buffer
from .._deadline import deadline
from .._portal import Portal
from ..asyncio import stream as twin
from ..exceptions import ClosedError

if TYPE_CHECKING:
    from typing_extensions import Self

    from .client import Client

T = TypeVar("T")

BATCH = 512
"""So many messages are taken over from the thread of the loop at one time."""


class Taking(Generic[T]):
    """Takes what comes, many at a time: one message at a time would be two switches of threads each."""

    def __init__(self, portal: Portal, batch: int) -> None:
        self._portal = portal
        self._batch = batch
        self.here: deque[T] = deque()
        """What was taken over, and can be taken by any thread without asking."""

    def take(self, buffer: Buffer, timeout: float | None) -> T:
        """The next one; `StopIteration` after the end. Where the client is closed by another thread meanwhile, what
        came before comes first."""
        while True:
            try:
                return self.here.popleft()
            except IndexError:
                pass
            if not self._is_more(buffer, timeout):
                raise StopIteration

    def _is_more(self, buffer: Buffer, timeout: float | None) -> bool:
        """Waits for more, and takes it over."""
        try:
            return self._portal.run(lambda: self._fetch(buffer, timeout))
        except ClosedError:
            # Another thread may have closed the client before the loop could tell this one what came.
            if not self._portal.is_stopped:
                raise
        self._move(buffer, len(buffer.items))
        self._check(buffer)
        return bool(self.here)

    async def _fetch(self, buffer: Buffer, timeout: float | None) -> bool:
        async with deadline(timeout):
            there = await buffer.wait()
        self._check(buffer)
        # From here on nothing waits, so that nothing is lost.
        self._move(buffer, self._batch)
        buffer.taken()
        return there

    @staticmethod
    def _check(buffer: Buffer) -> None:
        """Raises what ended it, once, when all is taken."""
        if not buffer.items and buffer.error is not None:
            error, buffer.error = buffer.error, None
            raise error

    def _move(self, buffer: Buffer, most: int) -> None:
        """Takes some over. After the end several threads may do that at one time."""
        with suppress(IndexError):
            for _ in range(most):
                self.here.append(buffer.items.popleft())


class Stream(Generic[T]):
    """It is made at once: enter it, or iterate over it. See `petasus.asyncio.stream.Stream`."""

    def __init__(self, client: Client, inner: twin.Stream[Any], batch: int = 1) -> None:
        self._client = client
        self._portal = client._portal
        self._inner = inner
        self._taking: Taking[Any] = Taking(self._portal, batch)
        self._portal.run(inner._begin)

    def _item(self, taken: Any) -> T:
        """What the program is given."""
        item: T = taken
        return item

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._leave()

    def __iter__(self) -> Self:
        self._inner.__aiter__()
        return self

    def __next__(self) -> T:
        return self.next()

    def next(self, *, timeout: float | None = None) -> T:
        """The next one.

        Args:
            timeout: The longest wait in seconds. Default: none.

        Raises:
            TimeoutError: There was none in time. None is lost by that.
            StopIteration: It is over.
        """
        assert self._inner._standing is not None
        return self._item(self._taking.take(self._inner._standing.buffer, timeout))

    def _leave(self) -> None:
        if self._client.status.state != "closed":
            self._portal.run_unless_ended(self._inner._leave)

    def __reduce__(self) -> NoReturn:
        raise TypeError("it can not be copied or pickled: it ends when nobody holds it any more")

    @property
    def resumed(self) -> int:
        """How often it was made again, after the connection had been lost."""
        return self._inner.resumed
