"""Calls that come or go in pieces (WAMP)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from types import TracebackType
from typing import TYPE_CHECKING, Any, NoReturn

from .._buffer import CAPACITY, Buffer
from .._petasus import Args, Message
from ..exceptions import ClosedError, StaleError

if TYPE_CHECKING:
    from typing_extensions import Self

    from .client import Client


def arguments(args: tuple[Any, ...], kwargs: dict[str, Any] | None) -> Args | Message:
    """The arguments of a call. What came, or `Args`, goes on as it is."""
    if len(args) == 1 and not kwargs and isinstance(args[0], Args | Message):
        return args[0]
    return Args(*args, **(kwargs or {}))


class Ongoing:
    """A call that goes on for a while. One that nobody holds any more is canceled."""

    def __init__(self, client: Client, timeout: float | None) -> None:
        self._client = client
        self._driver = client._driver
        self._timeout = timeout
        self._number: int | None = None
        self._done: asyncio.Future[Any] | None = None

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.cancel()

    def cancel(self) -> None:
        """Gives the call up, unless it is over: the callee is told to stop."""
        if self._number is not None:
            self._driver.requests.give_up(self._number)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a call that goes on can not be copied or pickled")

    def __del__(self) -> None:
        done = getattr(self, "_done", None)
        if done is None:
            return
        if not done.done():
            self._client._later(self._driver.requests.give_up, self._number)
        elif not done.cancelled():
            done.exception()


class Parts(Ongoing):
    """A result in parts: iterate over the parts, then take `result`. Or await it for the last one alone.

    One that nobody holds any more, or that is left by `break` out of `async with`, cancels the call.

    Example:
        >>> async with client.call_progressive("com.example.count", 3) as parts:
        ...     async for part in parts:
        ...         print(part.json())
        ...     print(parts.result.text)
    """

    def __init__(self, client: Client, ask: Callable[[float | None], int], timeout: float | None) -> None:
        super().__init__(client, timeout)
        self._ask = ask
        self._buffer = Buffer(CAPACITY, "drop_oldest", self._driver.sockets.stall)
        self.result: Message | None = None
        """The last part, after the iteration."""

    async def _begin(self) -> Self:
        if self._number is None:
            driver = self._driver
            self._number = number = await driver.requests.admit(
                lambda _: self._ask(self._timeout), self._timeout
            )
            done = self._done = driver.loop.create_future()
            buffer = self._buffer
            driver.requests.open[number] = done
            driver.requests.parts[number] = buffer
            done.add_done_callback(lambda _: buffer.end(None))
            done.add_done_callback(lambda _: driver.requests.parts.pop(number, None))
        return self

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        await self._begin()
        await self._buffer.wait()
        part = self._next_at_the_end()
        if part is None:
            raise StopAsyncIteration
        return part

    def _next_at_the_end(self) -> Message | None:
        """The next part of those that came; `None` after the last one, with the `result`."""
        if self._buffer.items:
            part: Message = self._buffer.items.popleft()
            return part
        if self._done is None or not self._done.done():
            raise ClosedError()
        if self._done.cancelled():
            raise StaleError("the call was given up")
        self.result = self._done.result()
        return None

    async def _last(self) -> Message:
        await self._begin()
        assert self._done is not None
        try:
            self.result = await asyncio.shield(self._done)
        except asyncio.CancelledError:
            self.cancel()
            raise
        assert self.result is not None
        return self.result

    def __await__(self) -> Generator[Any, None, Message]:
        return self._last().__await__()

    async def __aenter__(self) -> Self:
        return await self._begin()


class Upload(Ongoing):
    """A call whose arguments are sent in pieces.

    Example:
        >>> async with client.upload("com.example.sum") as upload:
        ...     await upload.send(1)
        ...     print((await upload.finish(2)).json())
    """

    def __init__(self, client: Client, procedure: str, timeout: float | None, disclose_me: bool) -> None:
        super().__init__(client, timeout)
        self._procedure = procedure
        self._disclose = disclose_me

    async def send(self, *args: Any, kwargs: dict[str, Any] | None = None) -> None:
        """Sends a piece; the first one begins the call.

        Raises:
            StaleError: The call is over.
        """
        await self._put(arguments(args, kwargs), True)

    async def finish(self, *args: Any, kwargs: dict[str, Any] | None = None) -> Message:
        """Sends the last piece, and waits for the result. Canceled, the callee is told to stop.

        Raises:
            RefusedError: By the broker or the callee.
            TimedOutError, LostError: It may have been done or not.
        """
        try:
            await self._put(arguments(args, kwargs), False)
        except asyncio.CancelledError:
            self.cancel()
            raise
        return await self.result()

    async def result(self) -> Message:
        """Waits for the result. Canceled, the callee is told to stop.

        Raises:
            StaleError: The call was given up.
        """
        if self._done is None:
            raise RuntimeError("send something first")
        try:
            result: Message = await asyncio.shield(self._done)
        except asyncio.CancelledError:
            if self._done.cancelled():
                raise StaleError("the call was given up") from None
            self.cancel()
            raise
        return result

    async def _put(self, content: Args | Message, more: bool) -> None:
        driver = self._driver
        if self._number is not None:
            number = self._number
            await driver.requests.admit(
                lambda _: driver.core.call_more(number, content, more, driver.now()), self._timeout
            )
            return
        flags = (False, more, self._disclose)
        self._number = await driver.requests.admit(
            lambda left: driver.core.call(self._procedure, content, left, flags, driver.now()), self._timeout
        )
        self._done = driver.requests.open[self._number] = driver.loop.create_future()

    async def __aenter__(self) -> Self:
        return self
