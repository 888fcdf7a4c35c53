"""What comes one by one: the messages of a subscription, the jobs of a queue, the calls of a procedure."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, NoReturn, TypeVar

from .._deadline import deadline
from .._standing import Standing

if TYPE_CHECKING:
    from typing_extensions import Self

    from .client import Client

T = TypeVar("T")


class Stream(Generic[T]):
    """Await it, enter it, or iterate over it at once: each makes it if it is not made yet.

    It survives the loss of the connection. One that nobody holds any more is left without waiting for it.
    """

    def __init__(self, client: Client, make: Callable[[], Coroutine[Any, Any, tuple[int, Standing]]]) -> None:
        self._client = client
        self._driver = client._driver
        self._make = make
        self._making = asyncio.Lock()
        self._number: int | None = None
        self._standing: Standing | None = None

    def _item(self, taken: Any) -> T:
        """What the program is given."""
        item: T = taken
        return item

    async def _begin(self) -> Self:
        if self._standing is None:
            # Several tasks may take the first item.
            async with self._making:
                if self._standing is None:
                    self._number, self._standing = await self._make()
        return self

    def __await__(self) -> Generator[Any, None, Self]:
        return self._begin().__await__()

    async def __aenter__(self) -> Self:
        return await self._begin()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._leave()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> T:
        standing = self._standing or (await self._begin())._standing
        assert standing is not None
        if not standing.buffer.items:
            self._check_loop()
        return self._item(await standing.buffer.pop())

    def _check_loop(self) -> None:
        """Who would wait on another event loop would wait for ever; after the end nobody waits."""
        assert self._standing is not None
        if not self._standing.buffer.ended:
            self._driver.check_loop()

    async def next(self, *, timeout: float | None = None) -> T:
        """The next one.

        Args:
            timeout: The longest wait in seconds. Default: none.

        Raises:
            TimeoutError: There was none in time. None is lost by that.
            StopAsyncIteration: It is over.
        """
        async with deadline(timeout):
            return await self.__anext__()

    async def _leave(self) -> None:
        if self._number is not None:
            await self._driver.standings.leave(self._number)

    @property
    def resumed(self) -> int:
        """How often it was made again, after the connection had been lost."""
        return self._standing.resumed if self._standing else 0

    def _undo_later(self) -> None:
        standing = getattr(self, "_standing", None)
        if standing is not None:
            self._client._later(self._driver.standings.let_go, self._number, standing)

    def __del__(self) -> None:
        self._undo_later()

    def __reduce__(self) -> NoReturn:
        raise TypeError("it can not be copied or pickled: it ends when nobody holds it any more")
